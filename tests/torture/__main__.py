"""A long run: ``python -m tests.torture --minutes 20 --seed 7``; the exit code is 1 if a promise was broken.

Everything that is left is judged by a program of its own, the checker; where it finds a fault the folder is kept.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

from tests.torture.run import act, judge


def main() -> int:
    """Run, judge, and clear away what shows nothing."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description="Mistreat real programs for a while.")
    parser.add_argument("--minutes", type=float, default=1.0, help="how long (1)")
    drawn = random.SystemRandom().randrange(2**32)
    parser.add_argument("--seed", type=int, default=drawn, help="repeat who does what to whom; the moments differ")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="restante-torture-"))
    print(f"seed {given.seed}, {given.minutes:g} minutes; what is left goes to {folder}", flush=True)
    code = 1
    try:
        broken_off = _act(folder, given.minutes, given.seed)
        code = judge(folder) or broken_off
    finally:
        if code:
            print(f"what is left is in {folder}; judge it again: python -m tests.torture.checker {folder}", flush=True)
        else:
            shutil.rmtree(folder)
    return code


def _act(folder: Path, minutes: float, seed: int) -> int:
    """Whether the run broke off: a program ended by itself, or what was waited for did not happen."""
    try:
        act(folder, minutes, seed)
    except AssertionError:
        traceback.print_exc()
        print("the run broke off; what was on its way then counts as lost", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
