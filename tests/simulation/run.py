"""Many stories, one after the other, on all cores; or one, with its trace."""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests.simulation.said import Broken
from tests.simulation.story import Story

# So many stories have one with a real store and real journals among them.
REAL_EVERY = 50
# Where real files lie: in memory if that is possible, for the power is never cut here.
SHARED_MEMORY = Path("/dev/shm")
TRACE_LINES = 60
SEEDS_A_PROCESS = 8

FINE, BROKEN, CRASHED = 0, 1, 3


class Played(msgspec.Struct):
    """What became of a story."""

    seed: int
    law: str = ""  # which was broken; "exception": something was raised that is no law
    words: str = ""
    trace: list[str] = []  # of what went wrong
    digest: str = ""
    seconds: float = 0.0  # of simulated time
    accepted: int = 0
    refused: int = 0
    crashes: int = 0  # of the broker
    cuts: int = 0
    restores: int = 0  # of the store
    copies: int = 0  # of folders, and folders that were copied


def play(seed: int, lines: int | None = TRACE_LINES) -> Played:
    """One story."""
    if seed % REAL_EVERY:
        return _play(seed, None, lines)
    home = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=home) as folder:
        return _play(seed, Path(folder), lines)


def _play(seed: int, root: Path | None, lines: int | None) -> Played:
    story, played = Story(seed, root), Played(seed)
    try:
        story.play()
    except Broken as broken:
        played.law, played.words = broken.law, str(broken).partition(": ")[2]
    except Exception as error:  # whatever a broken program may raise
        played.law, played.words = "exception", f"{error!r}\n{traceback.format_exc()}"
    finally:
        story.scene.close()
    _count(story, played, lines)
    return played


def _count(story: Story, played: Played, lines: int | None) -> None:
    scene = story.scene
    checker = scene.checker
    if played.law or lines is None:
        played.trace = list(scene.trace.lines(lines))
        played.digest = scene.trace.digest()
    played.seconds = story.lasted
    played.accepted, played.refused = checker.accepted, checker.refused
    played.crashes, played.cuts = scene.crashes, checker.cuts
    played.restores, played.copies = scene.restores, sum(device.is_copied for device in scene.devices)


def play_many(seeds: range, jobs: int) -> Iterator[Played]:
    """All of these, in their order."""
    if jobs == 1:
        yield from map(play, seeds)
        return
    with multiprocessing.get_context("fork").Pool(jobs, _begin, maxtasksperchild=1) as pool:
        yield from pool.imap(play, seeds, chunksize=SEEDS_A_PROCESS)


def _begin() -> None:
    """A story is one large knot of objects: it goes with its process, which is cheaper than to take it apart."""
    gc.freeze()
    gc.disable()


def tell(played: Played) -> None:
    """What went wrong, and how to see it again."""
    print("\n".join(played.trace))
    print(f"seed {played.seed} breaks {played.law}: {played.words}")
    print(f"again: make simulate SEED={played.seed}    or: python -m tests.simulation --seed {played.seed}", flush=True)


def run_one(seed: int) -> int:
    """One story with all of its trace."""
    played = play(seed, lines=None)
    if played.law:
        tell(played)
    else:
        print("\n".join(played.trace))
        print(f"seed {seed}: all laws were kept; fingerprint {played.digest[:16]}")
    return _code(played)


def run_many(first: int, count: int, jobs: int, goes_on: bool = False) -> int:
    """Many stories; the first that breaks a law ends it, unless it goes on."""
    began, sums, broken = time.monotonic(), Played(0), list[Played]()
    for done, played in enumerate(play_many(range(first, first + count), jobs), 1):
        sums = msgspec.structs.replace(sums, **{name: getattr(sums, name) + getattr(played, name) for name in SUMMED})
        if played.law:
            tell(played)
            broken.append(played)
            if not goes_on:
                return _code(played)
        if sys.stderr.isatty() and done % 50 == 0:
            print(f"\r{done} of {count}", end="", file=sys.stderr, flush=True)
    took = time.monotonic() - began
    print(
        f"{count} seeds from {first}: {sums.seconds / 3600:.1f} simulated hours, {sums.accepted} messages accepted,"
        f" {sums.refused} refused, {sums.crashes} crashes of the broker, {sums.cuts} connections lost,"
        f" {sums.restores} restores, {sums.copies} folders with copies, {_findings(broken)}; {took:.0f} s"
    )
    return _code(broken[0]) if broken else FINE


def _findings(broken: list[Played]) -> str:
    return "laws broken by " + ", ".join(str(played.seed) for played in broken) if broken else "no law broken"


SUMMED = ("seconds", "accepted", "refused", "crashes", "cuts", "restores", "copies")


def _code(played: Played) -> int:
    return {"": FINE, "exception": CRASHED}.get(played.law, BROKEN)


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 1 if a law was broken, 3 if something was raised that is no law."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="this one story, with its trace")
    parser.add_argument("--seeds", type=int, default=200, help="so many stories")
    parser.add_argument("--first", type=int, help="the first seed; without it, one is drawn")
    parser.add_argument("--jobs", type=int, default=multiprocessing.cpu_count(), help="processes")
    parser.add_argument("--go-on", action="store_true", help="go on after a story that breaks a law")
    options = parser.parse_args(arguments)
    if options.seed is not None:
        return run_one(options.seed)
    first = random.SystemRandom().randrange(2**32) if options.first is None else options.first
    return run_many(first, options.seeds, options.jobs, options.go_on)
