"""Time as an argument."""

from __future__ import annotations

from typing import NamedTuple


class Instant(NamedTuple):
    """One moment, read off two clocks."""

    tick: float  # monotonic seconds: every wait and deadline
    at: int  # Unix time in ms: shown to people, never used for order


def utc(at: int) -> str:
    """A time (Unix, ms) as people write it everywhere: 2026-11-21 19:05 UTC."""
    minutes, days = at // 60_000 % 1440, at // 86_400_000
    # Days are counted from 1 March of the year 0, so that a leap day ends its year (Howard Hinnant, civil_from_days).
    era, day = divmod(days + 719_468, 146_097)
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5
    year += era * 400 + (month >= 10)
    return f"{year:04}-{(month + 2) % 12 + 1:02}-{day + 1:02} {minutes // 60:02}:{minutes % 60:02} UTC"
