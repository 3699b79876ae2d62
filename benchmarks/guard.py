"""Whether a message has become dearer: instructions of a fixed run, counted by valgrind, against those written down.

    python -m benchmarks.guard [--record]

Instructions don't depend on what else the machine does. They do on the interpreter and its libraries, so there is a
figure for each: benchmarks/guard.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import apsw

from benchmarks.guard_run import TURN_MESSAGES
from benchmarks.running import ROOT

BASELINE = Path(__file__).with_name("guard.json")
# Between two short runs lies nothing but messages: the start of Python cancels out.
FEW, MANY = 2, 22
DEARER = 1.10


def main() -> int:
    """Count and compare: 0 if it is within the limit, 1 if it is dearer, 2 if there is nothing to compare with."""
    parser = argparse.ArgumentParser(prog="make bench-guard", description="Has a message become dearer?")
    parser.add_argument("--record", action="store_true", help="write today's figure down")
    given = parser.parse_args()
    if not shutil.which("valgrind"):
        print("valgrind is not here, so nothing was counted; install it, then try again")
        return 2
    cost = round((_count(MANY) - _count(FEW)) / (MANY - FEW) / TURN_MESSAGES)
    kind, known = _kind(), json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    print(f"{cost:,} instructions a message ({kind})")
    if given.record:
        BASELINE.write_text(json.dumps({**known, kind: cost}, indent=1, sort_keys=True) + "\n")
        return 0
    if kind not in known:
        print("nothing was written down for this interpreter: do that at an older commit, with --record, then compare")
        return 2
    return _judge(cost, known[kind])


def _judge(cost: int, before: int) -> int:
    """Say how it compares with what was written down."""
    print(f"{cost / before - 1:+.1%} against {before:,}, which were written down")
    if cost > before * DEARER:
        print(f"that is more than {DEARER - 1:.0%} dearer: find out why, or write it down with --record, saying why")
        return 1
    return 0


def _kind() -> str:
    python, machine = platform.python_version(), platform.machine()
    return f"{platform.python_implementation()} {python}, SQLite {apsw.sqlite_lib_version()}, {machine}"


def _count(turns: int) -> int:
    """Instructions of a run of so many turns, in user space."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    environment = os.environ | {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(
        [*command, sys.executable, "-m", "benchmarks.guard_run", str(turns)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"Collected\s*:\s*(\d+)", run.stderr)
    if run.returncode or not found:
        raise SystemExit(f"the run failed:\n{run.stderr[-2000:]}")
    return int(found[1])


if __name__ == "__main__":
    sys.exit(main())
