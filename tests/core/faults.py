"""Stores that fail in the ways that a store may: the memory store, with faults put in from outside."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from core.clock import Instant
from core.commands import Operation
from core.events import Arrived, StoreFailed, Uncertain
from store import Outcome
from store.memory import MemoryStore


class Crash(Exception):
    """The broker's process dies here."""


class FaultyStore(MemoryStore):
    """Fails when it is told to."""

    def __init__(self, epoch: str = "first", broker: bytes = b"restante-testing") -> None:
        super().__init__(epoch, broker)
        self.refuses = ""  # store-full, store-down: nothing is kept
        self.doubts: deque[bool] = deque()  # nobody is told whether the next groups were kept; whether they were
        self.dies = ""  # before, after: the process dies at the next commit, on this side of it
        self.groups: list[list[Operation]] = []  # all that was handed in
        self.read_logs: list[str] = []  # a name for each time that a log was read
        self._failures: list[Outcome] = []

    def submit(self, group: Sequence[Operation], now: Instant) -> None:
        self.groups.append(list(group))
        if self.refuses:
            self._failures.append(StoreFailed(list(group), self.refuses))
            return
        dies, self.dies = self.dies, ""
        if dies == "before":
            raise Crash
        doubted = bool(self.doubts)
        if not doubted or self.doubts.popleft():
            super().submit(group, now)
        if dies or doubted:
            super().poll()
        if dies:
            raise Crash
        if doubted:
            self._failures.append(Uncertain(list(group)))

    def read(self, log: str, after: int, messages: int, size: int) -> Arrived:
        self.read_logs.append(log)
        return super().read(log, after, messages, size)

    def poll(self) -> list[Outcome]:
        failures, self._failures = self._failures, []
        return [*failures, *super().poll()]


class LateStore(MemoryStore):
    """Takes its time: a group is carried out some turns after it was handed in, in the order handed in."""

    def __init__(self, turns: int, epoch: str = "first", broker: bytes = b"restante-testing") -> None:
        super().__init__(epoch, broker)
        self.refuses = ""  # store-full, store-down: what is handed in now will not be kept
        self.doubts = False  # what is handed in now will be kept, and nobody is told so
        self._turns = turns
        self._waiting: deque[tuple[int, list[Operation], Instant, str, bool]] = deque()
        self._polls = 0

    @property
    def owes(self) -> bool:
        """Whether something handed in is not carried out yet."""
        return bool(self._waiting)

    def submit(self, group: Sequence[Operation], now: Instant) -> None:
        self._waiting.append((self._polls + self._turns, list(group), now, self.refuses, self.doubts))

    def poll(self) -> list[Outcome]:
        outcomes: list[Outcome] = []
        while self._waiting and self._waiting[0][0] <= self._polls:
            _, group, now, refusal, doubted = self._waiting.popleft()
            if refusal:
                outcomes.append(StoreFailed(group, refusal))
            else:
                super().submit(group, now)
                stored = super().poll()
                outcomes += [Uncertain(group)] if doubted else stored
        self._polls += 1
        return outcomes
