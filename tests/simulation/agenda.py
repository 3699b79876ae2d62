"""Simulated time: what is to happen, by when. Nothing here ever waits."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from math import inf

Action = Callable[[], object]

BEGINNING = 1000.0


class Agenda:
    """Actions by their tick; of those with the same tick the one that was entered first comes first."""

    def __init__(self) -> None:
        self.tick = BEGINNING
        self._entries: list[tuple[float, int, Action]] = []
        self._entered = 0

    def at(self, tick: float, action: Action) -> None:
        self._entered += 1
        heapq.heappush(self._entries, (max(tick, self.tick), self._entered, action))

    def after(self, seconds: float, action: Action) -> None:
        self.at(self.tick + seconds, action)

    @property
    def next(self) -> float:
        return self._entries[0][0] if self._entries else inf

    def take(self) -> Action:
        """The next action; it is its time now."""
        self.tick, _, action = heapq.heappop(self._entries)
        return action


class Alarm:
    """Rings once, at the earliest of the ticks that it was set to since it rang last."""

    def __init__(self, agenda: Agenda, action: Action) -> None:
        self._agenda = agenda
        self._action = action
        self._due = inf

    def set(self, tick: float | None) -> None:
        if tick is not None and tick < self._due:
            self._due = max(tick, self._agenda.tick)
            self._agenda.at(self._due, self._ring)

    def stop(self) -> None:
        self._due = inf

    def _ring(self) -> None:
        if self._due <= self._agenda.tick:
            self._due = inf
            self._action()
