"""The desk: where an operator's orders are carried out.

An order is handled like a question of a client: again and again with what was found, until nothing is missing, and each
step is safe to repeat. What it changes of an account or a room is on disk before a session hears of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.clock import Instant
from core.commands import Command
from core.counts import Counts
from core.desk_accounts import AccountsDesk
from core.desk_house import HouseDesk
from core.desk_rooms import RoomsDesk
from core.door import House
from core.ordered import decline
from core.orders import Order
from core.received import Ordered
from core.records import DamagedRecord
from core.registered import Settled
from core.sessions import Sessions


class Desk:
    """Answers orders."""

    def __init__(self, house: House, sessions: Sessions, counts: Counts) -> None:
        self.house = HouseDesk(house, sessions, counts)
        self._table: dict[type[Order], Callable[[Ordered, Any, Instant], list[Command]]] = {
            **AccountsDesk(sessions).table,
            **RoomsDesk(sessions).table,
            **self.house.table,
        }

    def handle(self, event: Ordered, now: Instant) -> list[Command]:
        """What is to be done for this order, as far as it is known."""
        try:
            return self._table[type(event.order)](event, event.order, now)
        except Settled as settled:
            return settled.commands
        except DamagedRecord:
            return decline(event, "damaged-account", name=getattr(event.order, "account", "it"))
