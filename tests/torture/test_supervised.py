"""A slice of what ``make torture-bots`` does for minutes: a broker that is killed, and bots that owe answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.torture.supervised import Found, Seen, _found, act, table

pytestmark = pytest.mark.timeout(3600)  # for machines that are slow: each wait has a bound of its own

KILLS, EVERY_S = 3, 2.5


def test_bots_lose_nothing_while_their_broker_is_killed(tmp_path: Path, seed: int) -> None:
    seen = act(tmp_path, KILLS * EVERY_S, EVERY_S, seed)
    assert seen.kept, table(seen)
    assert (seen.kills, len(seen.away_s)) == (KILLS, KILLS)
    assert all(each.given for each in seen.found)


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        (["a", "b", "c"], (0, 0, 0)),
        (["a", "c"], (1, 0, 0)),
        (["a", "b", "b", "c", "b"], (0, 2, 0)),
        (["a", "c", "b"], (0, 0, 1)),
        (["a", "b", "c", "x"], (0, 1, 0)),
        ([], (3, 0, 0)),
    ],
)
def test_the_judge_sees_what_is_wrong(seen: list[str], found: tuple[int, int, int]) -> None:
    judged = _found("bot", ["a", "b", "c"], seen)
    assert judged == Found("bot", 3, *found)
    assert Seen([judged], 1, [1.0], 0).kept == (found == (0, 0, 0))
