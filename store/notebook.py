"""The journal in memory: what a journal does, in as few words as possible. Simulations and core's tests use it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from core.commands import Begin, Command, Drop, Keep, Record, Remember
from core.outbox import Memory, Waiting
from protocol.frames import Envelope, Item


class Notebook:
    """One device's outbox, history, cursors and facts. ``new_id`` makes device ids."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self.device = new_id()
        self.facts: dict[str, bytes] = {}
        self.outbox: dict[int, Item] = {}
        self.last = 0
        self.cursors: dict[str, int] = {}
        self.history: dict[tuple[int, str, int], Envelope] = {}  # era, log, seq
        self.era = 1
        self._write: dict[type[Command], Callable[[Any], None]] = {
            Keep: self._keep,
            Drop: self._drop,
            Record: self._record,
            Begin: self._begin,
            Remember: self._remember,
        }

    def memory(self) -> Memory:
        """What the core starts from."""
        outbox = [Waiting(n, item) for n, item in self.outbox.items()]
        epoch, contacts, offered = (self.facts.get(key, b"").decode() for key in ("epoch", "contacts", "offered"))
        return Memory(
            self.device,
            self.last,
            outbox,
            dict(self.cursors),
            epoch,
            contacts.split(),
            int(offered) if offered else None,
        )

    def commit(self, commands: Sequence[Command]) -> None:
        """Carry out what must be kept before anything is posted or acknowledged."""
        for command in commands:
            self._write[type(command)](command)

    def renew(self, epoch: str) -> Memory:
        """Become another device; in another epoch, with no cursors."""
        self.device = self._new_id()
        if epoch != self.facts.get("epoch", b"").decode():
            self.era += 1
            self.cursors = {}
            self.facts["epoch"] = epoch.encode()
        self.outbox = dict(enumerate(self.outbox.values(), 1))
        self.last = len(self.outbox)
        self.facts.pop("offered", None)
        return self.memory()

    def _keep(self, keep: Keep) -> None:
        self.outbox[keep.n] = Item(keep.to, keep.enc, keep.body)
        self.last = keep.n

    def _drop(self, drop: Drop) -> None:
        self.outbox = {n: item for n, item in self.outbox.items() if n > drop.n}

    def _record(self, record: Record) -> None:
        for seq, envelope in enumerate(record.envelopes, record.first):
            self.history.setdefault((self.era, record.log, seq), envelope)
        self.cursors[record.log] = record.first + len(record.envelopes) - 1

    def _begin(self, begin: Begin) -> None:
        self.cursors[begin.log] = begin.pos

    def _remember(self, remember: Remember) -> None:
        self.facts[remember.key] = remember.value
