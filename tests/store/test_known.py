"""What is forgotten first."""

from __future__ import annotations

from store.known import Recent


def test_what_was_not_used_for_longest_is_forgotten() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.keep("a", 1)
    recent.keep("b", 2)
    assert recent.get("a") == 1
    recent.keep("c", 3)
    assert [recent.get(key) for key in "abc"] == [1, None, 3]


def test_the_limit_is_of_weights() -> None:
    recent: Recent[str, bytes] = Recent(10, len)
    recent.keep("a", b"four")
    recent.keep("b", b"four")
    recent.keep("a", b"5five")
    assert [recent.get(key) for key in "ab"] == [b"5five", b"four"]
    recent.keep("c", b"xx")
    assert [recent.get(key) for key in "abc"] == [None, b"four", b"xx"]


def test_what_is_heavier_than_the_limit_is_not_kept() -> None:
    recent: Recent[str, bytes] = Recent(10, len)
    recent.keep("a", b"x" * 11)
    assert recent.get("a") is None
    recent.keep("b", b"x" * 10)
    assert recent.get("b") == b"x" * 10
