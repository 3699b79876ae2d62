"""What is measured around a broker's core: how long things take, how many come at once, and what the process needs.

The core counts (core/counts.py), and has no clock. What stands here is taken once a turn, never for each message, and
read only when somebody asks.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

# Close where it matters: an SSD syncs in 0.1 to 5 ms, a slow disk in 5 to 50, and from 0.1 s on people notice.
TIMES_US = (100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 10_000_000)
# Frames of one turn; the last is the most that it takes, and the one before tells a full turn from a nearly full one.
FRAMES = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 1999, 2000)


Gauge = Callable[[], float | None]


class Spread:
    """How often an amount was at most each bound, and beyond the last one; and the sum of all."""

    def __init__(self, bounds: tuple[int, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0

    def add(self, amount: int) -> None:
        """One more."""
        self._counts[bisect_left(self._bounds, amount)] += 1
        self._sum += amount

    def fact(self) -> dict[str, Any]:
        """Bounds, how many fell up to each of them and behind the one before, and the sum."""
        return {"bounds": self._bounds, "counts": self._counts, "sum": self._sum}


class Times(Spread):
    """How long something took, in µs: ``with times:`` it happens. Not within itself."""

    def __init__(self) -> None:
        super().__init__(TIMES_US)
        self._began = 0

    def __enter__(self) -> None:
        self._began = time.perf_counter_ns()

    def __exit__(self, *_: object) -> None:
        self.add((time.perf_counter_ns() - self._began) // 1000)


class Measures:
    """All of them, of one broker.

    ``gauges`` are looked at when somebody wants to know, by what they tell; one that says None can't tell here.
    """

    def __init__(self, gauges: Mapping[str, Gauge] | None = None) -> None:
        self.turn = Times()  # from the end of the wait to the next one
        self.commit = Times()  # the store's part of it
        self.drain = Spread(FRAMES)
        self.refusals = Counter[str]()  # what connections were refused, by code
        self.damaged = 0  # envelopes that could not be read whole
        self.gauges = dict(gauges or {})

    def facts(self) -> dict[str, Any]:
        """As they are now."""
        return {
            "turn_us": self.turn.fact(),
            "commit_us": self.commit.fact(),
            "drain_frames": self.drain.fact(),
            "refusals": self.refusals,
            "damaged": self.damaged,
            **{name: gauge() for name, gauge in self.gauges.items()},
        }
