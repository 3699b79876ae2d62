"""Plays: scripted evenings with the real broker and real clients, printed as a transcript while they run.

    python demos/play.py                 the lobby evening
    python demos/play.py away restart    these, one after the other; a file of one's own will do as well
    python demos/play.py --list          what there is

A play is a text in plain words (the .play files beside this one; reader.py has the whole language). It is a
demo, a way to learn, and a test: what somebody is to see is waited for, and nobody may see a message twice.
The exit code is 0 if every play went as it is written, 1 if one did not, 2 if there is none of that name or it
can't be read.
"""

from __future__ import annotations

import argparse
import io
import signal
import sys
import time
from pathlib import Path
from types import FrameType

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # imports are absolute from the root

from demos.performance import Performance
from demos.reader import BadPlay, Play, read
from demos.stage import PATIENCE_S
from demos.transcript import Transcript

FOLDER = Path(__file__).resolve().parent


def main(arguments: list[str]) -> int:
    """The whole program; gives its exit code."""
    options = _options(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a sign that the terminal lacks is no reason to stop
    signal.signal(signal.SIGTERM, _end)
    try:
        if options.list:
            return _list()
        plays = [_load(name) for name in options.plays]
    except (BadPlay, OSError) as error:
        print(f"play: {error}", file=sys.stderr)
        return 2
    try:
        went_well = [_perform(play, options.patience) for play in plays]
    except KeyboardInterrupt:
        return 130
    return 0 if all(went_well) else 1


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="play.py", description="Run plays with the real broker and real clients.")
    parser.add_argument("plays", nargs="*", default=["lobby"], metavar="PLAY", help="its name, or its file (lobby)")
    parser.add_argument("--list", action="store_true", help="say what there is")
    parser.add_argument(
        "--patience", type=float, default=PATIENCE_S, metavar="S", help="how long to wait for a line (%(default)g s)"
    )
    return parser.parse_args(arguments)


def _list() -> int:
    for path in sorted(FOLDER.glob("*.play")):
        print(f"{path.stem:10} {_load(str(path)).title}")
    return 0


def _load(name: str) -> Play:
    path = FOLDER / f"{name}.play"
    path = path if path.exists() else Path(name)
    return read(path.read_text(encoding="utf-8"), path)


def _perform(play: Play, patience: float) -> bool:
    curtain = time.monotonic()
    transcript = Transcript(sys.stdout, clock=lambda: time.monotonic() - curtain)
    return Performance(play, transcript, patience).run()


def _end(number: int, frame: FrameType | None) -> None:
    """Leave through every ``with``, so that nothing stays behind."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
