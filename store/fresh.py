"""What was committed last, as it was handed in: most of what readers ask for was written a moment ago."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import chain, islice

from core.events import Arrived


class Fresh:
    """The envelopes of the last commits, up to so many bytes of them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._weight = 0
        self._runs: dict[str, deque[Arrived]] = {}
        self._commits: deque[tuple[list[Arrived], int]] = deque()  # with their bytes, the oldest first

    def keep(self, arrived: list[Arrived], size: int) -> None:
        """Remember a commit, of so many bytes; each run continues the last one of its log."""
        for run in arrived:
            self._runs.setdefault(run.log, deque()).append(run)
        self._commits.append((arrived, size))
        self._weight += size
        while self._weight > self._limit:
            oldest, size = self._commits.popleft()
            self._weight -= size
            for run in oldest:
                self._runs[run.log].popleft()
                if not self._runs[run.log]:
                    del self._runs[run.log]

    def since(self, log: str, seq: int) -> Iterator[bytes] | None:
        """A log's envelopes from this seq on; None if that one is not remembered."""
        runs = self._runs.get(log)
        if runs is None or not runs[0].first <= seq < runs[-1].first + len(runs[-1].envelopes):
            return None
        place = len(runs) - 1  # whoever reads is mostly near the end
        while runs[place].first > seq:
            place -= 1
        later = chain.from_iterable(run.envelopes for run in islice(runs, place, None))
        return islice(later, seq - runs[place].first, None)

    def forget(self) -> None:
        """Something of it is no longer as it was."""
        self._runs, self._commits, self._weight = {}, deque(), 0
