"""The simulated disk of the broker: a real store, which is late, full, failing, and dies between any two steps."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import takewhile
from random import Random
from typing import Any, NamedTuple

from core.clock import Instant
from core.commands import Append, Operation, Put
from core.events import Stored, StoreFailed, Uncertain, Woken
from store import Outcome, Store
from tests.simulation.agenda import Agenda

# What a dead broker had handed in comes so long after its death at most.
OUTLIVES_S = 4.0

Watch = Callable[[Store, Stored], None]


class Handed(NamedTuple):
    """A group on its way to the disk."""

    ready: float  # the tick at which it gets there
    group: list[Operation]
    now: Instant
    refusal: str  # a code: it will not be kept
    doubt: str  # "kept", "lost": nobody is told which; "": no doubt
    life: int  # whose it is: which of the broker's processes handed it in


class Disk:
    """Any store with faults put in from outside. ``shelf`` is where it lies; ``point`` is where the process may die;
    ``watch`` hears of each commit, whether or not the broker lives to hear of it.
    """

    def __init__(self, shelf: Any, agenda: Agenda, chance: Random) -> None:
        self._shelf = shelf
        self._agenda = agenda
        self._chance = chance
        self.inner: Store = shelf.open()
        self.point: Callable[[str], None] = lambda where: None
        self.watch: Watch = lambda store, stored: None
        self.refuses = ""  # store-full, store-down
        self.doubts = 0.0  # the chance that a group's outcome is unknown
        self.late_s = 0.0  # how long a group takes at most
        self.outlives = 0.0  # the chance that what a dead broker had handed in is still carried out later
        self._life = 0
        self._handed: deque[Handed] = deque()

    # -- a group --

    def submit(self, group: Sequence[Operation], now: Instant) -> None:
        self.point("submit")
        doubt = self._chance.choice(("kept", "lost")) if self._chance.random() < self.doubts else ""
        ready = self._agenda.tick + self._chance.random() * self.late_s
        if self._handed:
            ready = max(ready, self._handed[-1].ready)
        self._handed.append(Handed(ready, list(group), now, self.refuses, doubt, self._life))

    def poll(self) -> list[Outcome]:
        outcomes: list[Outcome] = []
        while self._handed and self._handed[0].ready <= self._agenda.tick:
            outcomes += self._carry_out(self._handed.popleft())
        return outcomes

    def _carry_out(self, handed: Handed) -> list[Outcome]:
        if handed.refusal:
            return [StoreFailed(handed.group, handed.refusal)] if handed.life == self._life else []
        self.point("commit")
        stored = self._commit(handed) if handed.doubt != "lost" else []
        self.point("committed")
        if handed.life != self._life:
            logs = {log: None for each in handed.group if isinstance(each, Append) for log in sum(each.logs, ())}
            return [Woken(list(logs))]
        return [Uncertain(handed.group)] if handed.doubt else stored

    def _commit(self, handed: Handed) -> list[Outcome]:
        self.inner.submit(handed.group, handed.now)
        stored = self.inner.poll()
        for each in stored:
            assert isinstance(each, Stored), each
            self.watch(self.inner, each)
        return stored

    def crash(self) -> None:
        """The broker's process has died. What it had handed in is there, or is not, or comes later."""
        self._life += 1
        self.inner.close()
        self.inner = self._shelf.open()
        handed, self._handed = self._handed, deque()
        while handed and self._chance.random() < 0.5:
            first = handed.popleft()
            if not first.refusal:
                self._commit(first)
        if self._chance.random() < self.outlives:
            ready = self._agenda.tick + self._chance.random() * OUTLIVES_S
            later = takewhile(_has_no_record, handed)
            self._handed = deque(each._replace(ready=max(ready, each.ready)) for each in later if not each.refusal)

    def copy(self) -> Any:
        """A copy of the store, as it is now."""
        return self._shelf.copy()

    def put_back(self, copy: Any, epoch: str) -> None:
        """The broker is down: an operator puts a copy in the place of its store. ``epoch``: "" if by hand."""
        self._handed.clear()
        self.inner.close()
        self.inner = self._shelf.put_back(copy, epoch)

    @property
    def due(self) -> float | None:
        """The tick at which the next group is there."""
        return self._handed[0].ready if self._handed else None

    def calm(self) -> None:
        """From now on nothing goes wrong."""
        self.refuses, self.doubts, self.late_s, self.outlives = "", 0.0, 0.0, 0.0

    def __getattr__(self, name: str) -> Any:
        """The rest of the port: questions are answered at once."""
        return getattr(self.inner, name)


def _has_no_record(handed: Handed) -> bool:
    """Of records that change behind a broker's back nobody is woken: so those of a dead one don't come later."""
    return not any(isinstance(each, Put) for each in handed.group)
