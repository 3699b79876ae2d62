"""Where operators' requests reach a running broker: orders go to the core, and a copy is made between its turns.

Whoever scrapes metrics asks for what ``stats`` tells, and gets it as a page.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from console.logfile import line
from core.commands import Reply
from core.orders import AnyOrder, TellStats
from core.received import Event, Ordered
from operating.scrapes import Scrapes
from operating.telling import ONE_COPY, UNKNOWN
from store import StoreError
from store.copying import Copying
from store.sqlite import SqliteStore
from transport.control import Control, Request
from transport.poller import Source

# What of an order goes into the log: never a hash, never what is announced.
NOTED = ("do", "account", "room", "device", "until", "uses", "to")


class Desk:
    """Takes requests, and hands out answers.

    ``control``: None if the folder can't hold its socket; ``scrapes``: None if nobody wants metrics.
    """

    def __init__(
        self, control: Control | None, store: SqliteStore, log: logging.Logger, scrapes: Scrapes | None = None
    ) -> None:
        self._control = control
        self._store = store
        self._log = log
        self._scrapes = scrapes
        self._open: dict[int, Callable[[dict[str, Any]], None]] = {}  # who wants what the core will say, by ticket
        self._tickets = count(1)
        self._copying: tuple[Request, Copying] | None = None

    @property
    def sources(self) -> list[Source]:
        """What to wait on."""
        asked: list[Source] = [self._control.socket] if self._control else []
        return [*asked, self._scrapes.source] if self._scrapes else asked

    @property
    def busy(self) -> bool:
        """Whether a copy is being made, which should not wait for events."""
        return self._copying is not None

    def drain(self) -> list[Event]:
        """What operators have asked of the core."""
        orders: list[Event] = []
        for request in self._control.drain() if self._control else ():
            if request.said.get("do") == "copy":
                self._begin_copy(request)
                continue
            try:
                orders.append(self._ordered(msgspec.convert(request.said, AnyOrder), partial(self.answer, request)))
            except msgspec.ValidationError as error:
                self.answer(request, {"error": UNKNOWN.format(error=error)})
        if self._scrapes and self._scrapes.ask():
            orders.append(self._ordered(TellStats(), self._scrapes.tell))
        return orders

    def _ordered(self, order: AnyOrder, tell: Callable[[dict[str, Any]], None]) -> Ordered:
        ticket = next(self._tickets)
        self._open[ticket] = tell
        return Ordered(ticket, order)

    def reply(self, reply: Reply) -> None:
        """The core has answered."""
        self._open.pop(reply.ticket)(reply.said)

    def answer(self, request: Request, said: dict[str, Any]) -> None:
        """Tell who asked, and write it down; facts are for who asked alone."""
        noted = {name: request.said[name] for name in NOTED if name in request.said}
        noted.update({name: said[name] for name in ("done", "error") if name in said})
        self._log.info(line("asked", noted))
        if self._control:
            self._control.answer(request, **said)

    # -- copies --

    def go_on(self) -> None:
        """Take the copy that is being made a step further."""
        if self._copying is None:
            return
        request, copying = self._copying
        try:
            if not copying.step():
                return
            copying.close()
            self.answer(request, {"done": True})
        except StoreError as error:  # the copy's disk, not the store's
            self.answer(request, {"error": str(error)})
        self._copying = None

    def _begin_copy(self, request: Request) -> None:
        if self._copying:
            self.answer(request, {"error": ONE_COPY})
            return
        try:
            self._copying = request, self._store.copying(Path(str(request.said.get("to"))))
        except StoreError as error:
            self.answer(request, {"error": str(error)})
