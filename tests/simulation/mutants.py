"""Deliberate mistakes in the program, one at a time: the simulation must find each of them.

``python -m tests.simulation.mutants`` tries all and prints a table; with names, only those.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from tests.simulation.mistakes import COMMON, Mutant
from tests.simulation.mistakes_of_past import RARE
from tests.simulation.mistakes_of_remarks import OF_REMARKS
from tests.simulation.run import BROKEN, FINE

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("core", "protocol", "store", "console", "transport", "operating", "tests/core", "tests/simulation", "*.py")
FIRST = 1  # the seeds are the same in every run: from here on
FELL = re.compile(r"^seed (\d+) breaks (\w+): (.*)$", re.MULTILINE)


class Fall(NamedTuple):
    """What became of a mutant."""

    mutant: Mutant
    law: str  # "": it survived
    seed: int
    words: str

    @property
    def is_caught(self) -> bool:
        return self.law in self.mutant.laws.split()

    def __str__(self) -> str:
        how = f"seed {self.seed}" if self.law else f"survived {self.mutant.within} seeds"
        verdict = "" if self.is_caught else "   NOT AS IT SHOULD BE"
        return f"{self.mutant.name:42} {self.law or '-':10} {how}{verdict}"


MUTANTS = (*COMMON, *OF_REMARKS, *RARE)


def apply(mutant: Mutant, root: Path) -> None:
    """Make the mistake in a copy of the program; AssertionError if its text is not there once."""
    path = root / mutant.file
    text = path.read_text("utf-8")
    found = text.count(mutant.old)
    assert found == 1, f"{mutant.name}: its text stands {found} times in {mutant.file}"
    path.write_text(text.replace(mutant.old, mutant.new), "utf-8")


def copy(root: Path) -> None:
    """What the simulation needs, there."""
    for source in chain.from_iterable(ROOT.glob(name) for name in COPIED):
        target = root / source.relative_to(ROOT)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy2(source, target)


def hunt(mutant: Mutant) -> Fall:
    """Let the simulation look for it, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        copy(root)
        try:
            apply(mutant, root)
        except AssertionError as error:
            return Fall(mutant, "no place", 0, str(error))
        program = [sys.executable, "-m", "tests.simulation", "--jobs", "1"]
        command = [*program, "--first", str(FIRST), "--seeds", str(mutant.within)]
        environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
        ended = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    fell = FELL.search(ended.stdout)
    if ended.returncode == FINE:
        return Fall(mutant, "", 0, "")
    if ended.returncode != BROKEN or fell is None:
        return Fall(mutant, "crashed", int(fell[1]) if fell else 0, ended.stdout[-2000:] + ended.stderr[-2000:])
    return Fall(mutant, fell[2], int(fell[1]), fell[3])


def main(named: list[str]) -> int:
    """Try them, and print a table."""
    chosen = [mutant for mutant in MUTANTS if not named or mutant.name in named]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        caught = 0
        for fall in pool.map(hunt, chosen):
            caught += fall.is_caught
            print(fall)
            if named or (fall.law and not fall.is_caught):
                print("    " + fall.words[-1500:], flush=True)
    print(f"{caught} of {len(chosen)} caught")
    return 0 if caught == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
