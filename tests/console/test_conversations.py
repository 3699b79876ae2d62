"""Numbers that stay, and what is unread."""

from __future__ import annotations

from console.conversations import NUMBERED, Conversations, Unread


def test_numbers_stay() -> None:
    talks = Conversations()
    talks.meet(["#garden"])
    talks.came("Bob", mentions=False)
    talks.meet(["#Garden", "#lobby", "bob"])
    assert [talks.at(number) for number in range(1, 5)] == ["#lobby", "#garden", "Bob", ""]
    talks.look("bob")
    assert talks.numbered("BOB") == "3 BOB"
    assert talks.unread == {}


def test_behind_the_last_digit_there_is_no_number() -> None:
    talks = Conversations()
    talks.meet([f"n{number}" for number in range(NUMBERED)])
    assert talks.numbered(f"n{NUMBERED - 2}").startswith(f"{NUMBERED} ")
    assert talks.numbered(f"n{NUMBERED - 1}") == f"n{NUMBERED - 1}"


def test_the_next_one_is_where_one_is_mentioned_then_what_came_first() -> None:
    talks = Conversations()
    assert talks.next() == ""
    talks.came("bob", mentions=False)
    talks.came("#ops", mentions=False)
    assert talks.next() == "bob"
    talks.came("#ops", mentions=True)
    assert talks.next() == "#ops"
    assert talks.unread == {"bob": Unread(1, 0), "#ops": Unread(2, 1)}
    assert talks.messages == 3


def test_a_muted_place_is_not_counted_aloud() -> None:
    talks = Conversations()
    talks.mutes = "#ops".__eq__
    talks.came("#ops", mentions=True)
    assert (talks.loud, talks.messages, talks.next()) == ({}, 0, "")
    assert talks.unread == {"#ops": Unread(1, 1)}
