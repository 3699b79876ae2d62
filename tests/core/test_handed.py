"""What need not be handed out again: once it has left, or once it is confirmed."""

from __future__ import annotations

from core.handed import Handed
from protocol.frames import Envelope


def private(n: int) -> Envelope:
    return Envelope("bobsdevice", n, "bob", "alice", 0, "none", b"hi")


def test_what_has_left_is_marked_once() -> None:
    handed = Handed(confirms=False)
    handed.out("#lobby", 3, [])
    handed.out("@alice", 1, [])
    handed.out("#lobby", 5, [])
    assert not handed.owed
    assert handed.take()[0] == {"#lobby": 5, "@alice": 1}
    assert handed.take()[0] == {}


def test_what_is_to_be_confirmed_is_marked_as_far_as_it_is() -> None:
    handed = Handed(confirms=True)
    handed.out("#lobby", 5, [])
    assert (handed.take()[0], handed.owed) == ({}, True)
    assert handed.confirm("#lobby", 3)
    assert (handed.take()[0], handed.owed) == ({"#lobby": 3}, True)
    assert handed.confirm("#lobby", 5)
    assert handed.confirm("#lobby", 4), "to say less than before is no mistake"
    assert (handed.take()[0]["#lobby"], handed.owed) == (5, False)


def test_what_was_not_handed_out_is_not_confirmed() -> None:
    handed = Handed(confirms=True)
    handed.out("#lobby", 5, [])
    assert not handed.confirm("#lobby", 6)
    assert not handed.confirm("#lobby", 0)
    assert not handed.confirm("@alice", 1)
    assert (handed.take()[0], handed.owed) == ({}, True)


def test_a_log_may_begin_again_lower() -> None:
    """The broker was put back: its seqs are given once more."""
    handed = Handed(confirms=False)
    handed.out("#lobby", 50, [])
    handed.take()
    handed.out("#lobby", 41, [])
    assert handed.take()[0] == {"#lobby": 41}
    confirms = Handed(confirms=True)
    confirms.out("#lobby", 50, [])
    confirms.confirm("#lobby", 50)
    confirms.take()
    confirms.out("#lobby", 41, [])
    assert confirms.owed
    assert confirms.confirm("#lobby", 41)
    assert (confirms.take()[0], confirms.owed) == ({"#lobby": 41}, False)


def test_what_is_shown_to_nobody_is_passed_over() -> None:
    handed = Handed(confirms=False)
    handed.passed({"#lobby": 9})
    assert handed.take()[0] == {"#lobby": 9}
    confirms = Handed(confirms=True)
    confirms.passed({"#lobby": 9})
    assert (confirms.take()[0], confirms.owed) == ({}, False)


def test_private_messages_are_read_once_they_are_dealt_with() -> None:
    for confirms, read in ((False, [1, 2]), (True, [])):
        handed = Handed(confirms)
        handed.out("@alice", 12, [private(1), private(2)])
        assert [each.n for each in handed.take()[1]] == read
    for seq in (11, 12):
        handed.confirm("@alice", seq)
        assert [each.n for each in handed.take()[1]] == [seq - 10]
