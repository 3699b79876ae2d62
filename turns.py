"""One turn of a broker: decide on what has happened, make it durable in one commit, then speak.

The running broker does one after the other (broker.py). An operator's order to a folder that no broker works on is one
turn, too (operating/orders.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from core.broker import Broker
from core.clock import Instant
from core.commands import Append, Browse, Command, Fetch, Look, Move, Operation, Put, Trim
from core.events import Fetched, Looked
from core.received import Event, gathered
from operating.measures import Measures
from store import Store


class Turns:
    """One turn: decide on everything that has happened, make it durable in one commit, then speak.

    ``outside`` does what the core asks of the network, of the worker and of the log.
    """

    def __init__(
        self,
        core: Broker,
        store: Store,
        outside: dict[type[Command], Callable[[Any], Event | None]],
        measures: Measures | None = None,
    ) -> None:
        self.core = core
        self._store = store
        self._measures = measures or Measures()
        self._group: list[Operation] = []
        self._table: dict[type[Command], Callable[[Any], Event | None]] = {
            Append: self._group.append,
            Put: self._group.append,
            Move: self._group.append,
            Trim: self._group.append,
            Look: self._look,
            Browse: self._browse,
            Fetch: self._fetch,
            **outside,
        }

    @property
    def pending(self) -> bool:
        """Whether something is to be written in the next turn, which should not wait for events then."""
        return bool(self._group) or self.core.waits

    def turn(self, events: Iterable[Event], now: Instant) -> None:
        """What has happened, the commit, its outcome; then all that has gathered is said."""
        self._decide(gathered(events), now)
        group = [*self._group, *self.core.gather()]
        self._group.clear()
        if group:
            with self._measures.commit:
                self._store.submit(group, now)
        self._decide(self._store.poll(), now)
        while commands := self.core.settle(now):
            self._decide(self._perform(commands), now)

    def _decide(self, events: Iterable[Event], now: Instant) -> None:
        for event in events:
            commands = self.core.handle(event, now)
            if commands:  # what a question brought is handled before the next event: a sender's order is kept
                self._decide(self._perform(commands), now)

    def _perform(self, commands: Iterable[Command]) -> list[Event]:
        answers = [self._table[type(command)](command) for command in commands]
        return [answer for answer in answers if answer is not None]

    # -- questions to the store --

    def _look(self, look: Look) -> Event:
        found: dict[str, Any] = dict(self._store.get(look.keys)) if look.keys else {}
        if look.logs:
            found.update(("head/" + log, extent) for log, extent in self._store.heads(look.logs).items())
        if look.size:
            found["size"] = self._store.size()
        if look.measures:
            found["measures"] = self._measures.facts()
        if look.epoch:
            found.update(("base/" + log, seq) for log, seq in self._store.bases(look.epoch, look.logs).items())
        if look.devices:
            found.update(("device/" + name, state) for name, state in self._store.devices(look.devices).items())
        return Looked(look.cause, found)

    def _browse(self, browse: Browse) -> Event:
        return Looked(
            browse.cause, {"browse/" + browse.prefix: self._store.browse(browse.prefix, browse.limit, browse.after)}
        )

    def _fetch(self, fetch: Fetch) -> Event:
        arrived = self._store.read(fetch.log, fetch.after, fetch.messages, fetch.size)
        _, head = self._store.heads((fetch.log,))[fetch.log]
        complete = arrived.first + len(arrived.envelopes) > head
        return Fetched(fetch, arrived.first, arrived.envelopes, complete)
