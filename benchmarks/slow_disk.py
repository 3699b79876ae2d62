"""The broker on a disk that takes its time: every sync of the store takes so many milliseconds longer.

    python -m benchmarks.slow_disk MILLISECONDS [the broker's options]

The delay stands in a VFS of this process; the broker itself knows nothing of it.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import apsw

import broker

# What SQLite uses by itself on this system.
BASE = apsw.vfs_names()[0]


class SlowFile(apsw.VFSFile):
    """A file whose syncs are slow."""

    delay_s = 0.0

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        """Wait, then sync."""
        time.sleep(self.delay_s)
        super().xSync(flags)


class SlowDisk(apsw.VFS):
    """The system's files, but for their syncs."""

    def __init__(self) -> None:
        super().__init__("slow", BASE, makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> SlowFile:  # noqa: N802 - SQLite's name
        """Open a file."""
        return SlowFile(BASE, name, flags)


def main() -> int:
    """Run the broker; its exit code."""
    SlowFile.delay_s = float(sys.argv[1]) / 1000
    slow = SlowDisk()
    code = broker.main(sys.argv[2:])
    slow.unregister()
    return code


if __name__ == "__main__":
    sys.exit(main())
