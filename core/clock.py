"""Time as an argument."""

from __future__ import annotations

from typing import NamedTuple


class Instant(NamedTuple):
    """One moment, read off two clocks."""

    tick: float  # monotonic seconds: every wait and deadline
    at: int  # Unix time in ms: shown to people, never used for order
