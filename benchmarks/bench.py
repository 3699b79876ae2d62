"""How fast Restante is on this machine, and what a message costs it: ``make bench``.

Every shape runs against a real broker in a process of its own, with a new store on the disk of ``--disk``; CPU is
the operating system's own account of the broker, I/O thread included. Beside each figure stands the ratio to
zmq.proxy in the same run: compare ratios, not rates, between machines.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys

from benchmarks import limit, programs, scenes, shapes
from benchmarks.report import HEADER, Report, run
from protocol import limits

LIMIT_MESSAGES = 500_000


def main() -> int:
    """Measure, print a table, and write JSON."""
    parser = argparse.ArgumentParser(prog="make bench", description="Measure Restante on this machine.")
    parser.add_argument("--seconds", type=float, default=4.0, help="time for each shape (4)")
    parser.add_argument("--stored", type=int, default=10_000_000, help="messages of the store with a long past (10^7)")
    parser.add_argument("--clients", type=int, default=10_000, help="clients that are only there (10000)")
    parser.add_argument(
        "--only",
        default="",
        metavar="WORDS",
        help="only shapes whose name has this, such as fan",
    )
    parser.add_argument("--disk", metavar="DIR", help="folder on the disk to measure (the temporary one)")
    given = parser.parse_args()
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {shapes.SIZE_BYTES}-byte bodies,"
        f" window {limits.WINDOW_MESSAGES}; everything encrypted and synced. CPU is the broker's, for one message, or"
        " for one delivery where one goes to many; its ratio is to zmq.proxy's.\n\n" + HEADER
    )
    every = [
        *shapes.suite(given.seconds, given.disk),
        *scenes.suite(given.seconds, given.stored, given.clients, given.disk),
        *programs.suite(given.disk),
    ]
    chosen = [shape for shape in every if given.only in shape.name]
    report = run("bench", limit.measure(LIMIT_MESSAGES, shapes.SIZE_BYTES), chosen)
    return finish(report, not given.only)


def finish(report: Report, whole: bool = True) -> int:
    """Write it down if it is the whole; 1 if something could not be measured."""
    print(f"\nwritten to {report.save()}" if whole else "\nonly a part was measured, so nothing was written")
    return 1 if report.absent else 0


if __name__ == "__main__":
    sys.exit(main())
