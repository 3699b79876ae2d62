"""How a time (Unix, ms) is written, in the zone of this machine. All that one of them writes has one width."""

from __future__ import annotations

import time


def clock_24h(at: int) -> str:
    """As 08:05 and 20:05."""
    return time.strftime("%H:%M", time.localtime(at / 1000))


def clock_12h(at: int) -> str:
    """As 8:05 am and 8:05 pm, with a blank before a single digit."""
    local = time.localtime(at / 1000)
    return f"{(local.tm_hour + 11) % 12 + 1:2}:{local.tm_min:02} {'pm' if local.tm_hour >= 12 else 'am'}"
