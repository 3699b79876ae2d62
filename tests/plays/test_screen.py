"""What a play can find on a screen."""

from collections import Counter

import pytest

from demos.screen import Screen


def screen(*lines: str) -> Screen:
    made = Screen()
    made.feed("".join(f"{line}\n" for line in lines).encode())
    return made


def test_lines_come_whole_and_without_their_time() -> None:
    made = Screen()
    assert made.feed(b"12:30 bob: caf") == []
    whole = "é\r\n12:31 * alice joined\nTo: ".encode()
    assert made.feed(whole[:1]) == []
    assert made.feed(whole[1:]) == ["bob: café", "* alice joined"]
    assert made.lines == ["bob: café", "* alice joined"]


def test_a_line_is_seen_once() -> None:
    made = screen("12:30 bob: hi")
    assert made.see("bob: hi")
    assert not made.see("bob: hi")


def test_a_line_is_compared_whole() -> None:
    made = screen("12:30 bob: hi there")
    assert not made.see("bob: hi")
    assert not made.see("b.b: hi there")
    assert made.see("bob: …there")


def test_order_counts_within_each_kind_of_line_only() -> None:
    made = screen("12:30 bob: one", "12:30 bob: two", "12:30 bob -> alice: psst", "12:30 * carol joined", "To:")
    assert made.see("bob: two")
    assert not made.see("bob: one")
    assert made.see("bob -> alice: psst")
    assert made.see("* carol joined")
    assert made.see("To:")


def test_a_notice_never_passes_for_a_message() -> None:
    made = screen("12:30 * bob: hi", "12:30 * here now: alice, bob")
    assert not made.see("…bob: hi")
    assert made.see("* here now: …")


@pytest.mark.parametrize(("times", "typed", "double"), [(1, 1, False), (2, 1, True), (2, 2, False), (2, 0, True)])
def test_doubles(times: int, typed: int, double: bool) -> None:
    made = screen(*["12:30 bob -> alice: psst"] * times, "12:30 * bob joined", "12:31 * bob joined")
    assert made.doubles(Counter({"psst": typed})) == ["bob -> alice: psst"] * double


def test_after_a_kill_a_line_may_be_shown_again() -> None:
    made = screen("12:30 bob: hi")
    made.begin_anew()
    made.feed(b"12:30 bob: hi\n")
    assert made.doubles(Counter({"hi": 1})) == []
    made.feed(b"12:30 bob: hi\n")
    assert made.doubles(Counter({"hi": 1})) == ["bob: hi"]


def test_a_text_is_found_anywhere_looked_at_or_not() -> None:
    made = screen("12:30 bob: the cake is here")
    assert made.holds("cake")
    assert made.see("bob: the cake is here")
    assert made.holds("cake")
    assert not made.holds("candles")
