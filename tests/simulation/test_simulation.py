"""The same stories in every run: the laws hold, and a seed is the same story every time.

Stories that nobody has seen yet are what ``make simulate`` is for.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.run import REAL_EVERY, TRACE_LINES, Played, play

ROOT = Path(__file__).resolve().parents[2]
FIRST = 1
SEEDS, TOGETHER = 200, 10


def kept(played: Played) -> None:
    """No law was broken."""
    trace = "\n".join(played.trace[-TRACE_LINES:])
    again = f"make simulate SEED={played.seed}"
    assert played.law == "", f"{trace}\nseed {played.seed} breaks {played.law}: {played.words}\nagain: {again}"


@pytest.fixture
def seed() -> int:
    """The first of them."""
    return FIRST


@pytest.mark.parametrize("part", range(SEEDS // TOGETHER))
def test_whatever_happens_the_laws_are_kept(seed: int, part: int) -> None:
    first = seed + part * TOGETHER
    stories = [play(each) for each in range(first, first + TOGETHER)]
    for played in stories:
        kept(played)
    assert sum(played.accepted for played in stories) > 100


def test_the_laws_are_kept_with_a_real_store_and_real_journals(seed: int) -> None:
    for each in range(3):
        kept(play((seed + each) * REAL_EVERY))


@pytest.mark.parametrize("real", [False, True])
def test_the_same_seed_is_the_same_story_whatever_the_order_of_hashes(seed: int, real: bool) -> None:
    same = seed * REAL_EVERY + (not real)
    program = f"from tests.simulation.run import play; print(play({same}, lines=None).digest)"
    hashes = [{**os.environ, "PYTHONHASHSEED": each} for each in ("1", "2")]
    run = [sys.executable, "-c", program]
    first, second = (subprocess.check_output(run, cwd=ROOT, env=each, text=True) for each in hashes)
    assert first == second
    assert len(first.strip()) == 64


def test_a_story_has_all_that_it_should_have(seed: int) -> None:
    stories = [play(each) for each in range(seed, seed + 40)]
    rare = ("refused", "crashes", "cuts", "restores", "copies")
    assert min(sum(getattr(played, what) for played in stories) for what in rare) > 5
