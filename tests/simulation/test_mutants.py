"""The simulation catches each deliberate mistake: as a law that is broken, within the seeds that are stated."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.simulation.mutants import MUTANTS, Fall, Mutant, hunt

Falls = dict[str, "Future[Fall]"]

QUICK = [mutant for mutant in MUTANTS if mutant.is_quick]


@pytest.fixture(scope="module")
def falls() -> Iterator[Falls]:
    """All hunts have begun, two at a time; each test waits for its own."""
    with ThreadPoolExecutor(2) as pool:
        yield {mutant.name: pool.submit(hunt, mutant) for mutant in QUICK}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("mutant", QUICK, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_a_mistake_is_found(mutant: Mutant, falls: Falls) -> None:
    fall = falls[mutant.name].result()
    assert fall.is_caught, f"{fall}\n{fall.words}"


def test_there_are_mistakes_in_all_the_parts_that_keep_the_promises() -> None:
    files = {mutant.file for mutant in QUICK}
    parts = {"core/sends.py", "core/session.py", "core/broker.py", "core/door.py", "core/client.py", "core/reader.py"}
    assert parts | {"store/memory.py", "store/notebook.py"} <= files
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) > 30
