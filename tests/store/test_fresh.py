"""What was committed last is read from memory, as it was committed, and only while it is so."""

from __future__ import annotations

from core.events import Arrived
from store.fresh import Fresh


def read(fresh: Fresh, log: str, seq: int) -> list[bytes] | None:
    found = fresh.since(log, seq)
    return None if found is None else list(found)


def filled(limit: int = 1000) -> Fresh:
    """Two commits: seqs 5 to 7 and 8 to 9 of one log, 1 of another."""
    fresh = Fresh(limit)
    fresh.keep([Arrived("@anna", 5, [b"5", b"6", b"7"]), Arrived("@bob", 1, [b"1"])], 4)
    fresh.keep([Arrived("@anna", 8, [b"8", b"9"])], 2)
    return fresh


def test_from_any_seq_to_the_end_over_all_commits() -> None:
    fresh = filled()
    assert [read(fresh, "@anna", seq) for seq in (5, 7, 8, 9)] == [
        [b"5", b"6", b"7", b"8", b"9"],
        [b"7", b"8", b"9"],
        [b"8", b"9"],
        [b"9"],
    ]
    assert read(fresh, "@bob", 1) == [b"1"]


def test_what_came_before_or_is_not_there_yet_is_not_known() -> None:
    fresh = filled()
    assert [read(fresh, *place) for place in (("@anna", 4), ("@anna", 10), ("@bob", 2), ("#tea", 1))] == [None] * 4


def test_the_oldest_commit_goes_first_and_whole() -> None:
    fresh = filled(limit=5)
    assert read(fresh, "@anna", 7) is None
    assert read(fresh, "@anna", 8) == [b"8", b"9"]
    assert read(fresh, "@bob", 1) is None


def test_a_commit_beyond_the_limit_leaves_nothing() -> None:
    fresh = filled(limit=5)
    fresh.keep([Arrived("@anna", 10, [b"x" * 6])], 6)
    assert [read(fresh, "@anna", seq) for seq in (8, 10)] == [None, None]


def test_after_a_change_it_begins_anew() -> None:
    fresh = filled()
    fresh.forget()
    assert read(fresh, "@anna", 9) is None
    fresh.keep([Arrived("@anna", 10, [b"a"])], 1)
    assert read(fresh, "@anna", 10) == [b"a"]
