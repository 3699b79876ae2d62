"""File descriptors: each connection needs one, and a process without any can neither accept nor open its own files."""

from __future__ import annotations

import resource
from pathlib import Path

# Left for our own files, which SQLite and the log open as they need them.
RESERVE = 64
# What connects while one turn lasts is accepted before we can count it.
BURST = 4096
# Wished for when there is no limit at all: three times what one broker has been measured with.
_ENOUGH = 65_536


# Where Linux lists those of this process.
_OPEN = Path("/proc/self/fd")


def used() -> int | None:
    """How many this process has; None where nobody can tell."""
    try:
        # Linux 6.2 and later count; before, one has to, which takes a millisecond for each thousand.
        return _OPEN.stat().st_size or sum(1 for _ in _OPEN.iterdir())
    except OSError:
        return None


def limit() -> int:
    """How many it may have."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def raise_limit() -> int:
    """Raise this process's soft limit as far as it may; how many connections there can be then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        wanted = _ENOUGH if soft == resource.RLIM_INFINITY else soft
    else:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(1, wanted - RESERVE - min(BURST, wanted // 4))
