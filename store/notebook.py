"""The journal in memory: what a journal does, in as few words as possible. Simulations and core's tests use it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from core.commands import Begin, Command, Drop, GoBack, Keep, Record, Remember
from core.outbox import NOBODY, NOTHING, Memory, SendId, Waiting
from protocol.frames import Envelope, Item


class Notebook:
    """One device's outbox, history, cursors and facts. ``new_id`` makes device ids."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self.device = new_id()
        self.facts: dict[str, bytes] = {}
        self.outbox: dict[int, Item] = {}  # and what was settled
        self.settled = 0
        self.bases: dict[tuple[int, str], int] = {}  # era, log → where the era began
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
        outbox = [Waiting(n, item) for n, item in sorted(self.outbox.items()) if n > self.settled]
        return Memory(
            device=self.device,
            last=self.settled + len(outbox),
            outbox=outbox,
            cursors=dict(self.cursors),
            epoch=self.facts.get("epoch", b"").decode(),
            broker=self.facts.get("broker", b""),
            visits=[int(visit) for visit in self.facts.get("visits", b"").split()],
            contacts=self.facts.get("contacts", b"").decode().split(),
            known=self._known(),
            offered=int(self.facts["offered"]) if self.facts.get("offered") else None,
        )

    def _known(self) -> set[SendId]:
        """What is in the history from eras that are over, above where they ended."""
        known = set()
        for (era, log, seq), envelope in self.history.items() if self.bases else ():
            ends = (pos for (later, of), pos in self.bases.items() if of == log and later > era)
            if seq > min(ends, default=seq):
                known.add((envelope.device, envelope.n))
        return known

    def commit(self, commands: Sequence[Command]) -> None:
        """Carry out what must be kept before anything is posted or acknowledged."""
        for command in commands:
            self._write[type(command)](command)

    def renew(self, epoch: str) -> Memory:
        """Become another device; in another epoch, with no cursors."""
        self.device = self._new_id()
        if epoch != self.facts.get("epoch", b"").decode():
            self._begin_era(epoch)
            self.cursors = {}
        waiting = [item for n, item in sorted(self.outbox.items()) if n > self.settled]
        self.outbox, self.settled = dict(enumerate(waiting, 1)), 0
        self.facts = {key: fact for key, fact in self.facts.items() if key not in ("visits", "offered")}
        return self.memory()

    def go_back(self, back: GoBack) -> tuple[Memory, int]:
        """Be where a broker is that was put back; nothing of ours is ever lost here."""
        self._begin_era(back.epoch)
        for log, pos in self.cursors.items():
            self.cursors[log] = self.bases[(self.era, log)] = min(pos, back.bases.get(log, 0))
        self.settled = back.last
        return self.memory(), 0

    def _begin_era(self, epoch: str) -> None:
        self.era += 1
        self.facts["epoch"] = epoch.encode()

    def _keep(self, keep: Keep) -> None:
        self.outbox[keep.n] = Item(keep.to, keep.enc, keep.body)

    def _drop(self, drop: Drop) -> None:
        self.settled = drop.n
        for n in drop.refused:
            self.outbox[n] = Item(NOBODY, "none", NOTHING)

    def _record(self, record: Record) -> None:
        for seq, envelope in enumerate(record.envelopes, record.first):
            self.history.setdefault((self.era, record.log, seq), envelope)
        self.cursors[record.log] = record.first + len(record.envelopes) - 1

    def _begin(self, begin: Begin) -> None:
        self.cursors[begin.log] = begin.pos

    def _remember(self, remember: Remember) -> None:
        self.facts[remember.key] = remember.value
