from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from console.sanitise import LINE_CHARS, MARKS_MAX, clean, clean_line
from tests.console.attacks import ATTACKS, harmful

ANY_TEXT = st.text(st.characters(exclude_categories=()))  # surrogates and unassigned code points as well
NASTY_TEXT = st.text(
    st.sampled_from("ab \t\n\r\0\x07\x08\x1b\x7f\x9b\u0301\u0489\u200b\u200c\u200d\u202e\u2028\u2066\ufeff\ud800🎉é漢")
)
often = settings(max_examples=400)


@pytest.mark.parametrize(("written", "shown"), ATTACKS, ids=[ascii(written)[:30] for written, _ in ATTACKS])
def test_what_is_written_is_shown_not_obeyed(written: str, shown: str) -> None:
    assert clean(written) == shown


@pytest.mark.parametrize(
    ("written", "limit", "shown"),
    [
        ("bob", 512, "bob"),
        ("a\nroot: b", 512, "a^Jroot: b"),
        ("x" * 600, 512, "x" * 509 + "..."),
        ("x" * 512, 512, "x" * 512),
        ("\x1b" * 10, 16, "^[" * 6 + "^..."),
        ("\x1b" * 8, 16, "^[" * 8),
        ("\u200b" * 20, 10, "..."),
        ("abcdef", 3, "..."),
        ("abcdef", 2, ".."),
        ("abcdef", 0, ""),
    ],
)
def test_a_line_has_no_line_ends_and_a_limit(written: str, limit: int, shown: str) -> None:
    assert clean_line(written, limit) == shown


def highest_stack(shown: str) -> int:
    highest = stack = 0
    for sign in shown:
        stack = stack + 1 if unicodedata.category(sign)[0] == "M" else 0
        highest = max(highest, stack)
    return highest


@often
@given(ANY_TEXT | NASTY_TEXT)
@example("".join(map(chr, range(0x100))))
def test_nothing_harmful_ever_leaves(written: str) -> None:
    for shown in (clean(written), clean_line(written)):
        assert harmful(shown) == []
        assert highest_stack(shown) <= MARKS_MAX
        assert not any((byte < 0x20 and byte != 0x0A) or byte == 0x7F for byte in shown.encode())
    assert "\n" not in clean_line(written)
    assert len(clean_line(written)) <= LINE_CHARS


@often
@given(ANY_TEXT | NASTY_TEXT)
def test_cleaning_twice_changes_nothing_more(written: str) -> None:
    assert clean(clean(written)) == clean(written)
    assert clean_line(clean_line(written)) == clean_line(written)


@often
@given(st.text(st.characters(categories=("L", "N", "P", "S"))))
def test_letters_digits_and_signs_stay_as_they_are(written: str) -> None:
    assert clean(written) == written


def test_no_code_point_slips_through_by_itself() -> None:
    everything = [chr(code) for code in range(sys.maxunicode + 1)]
    assert harmful("".join(clean("a" + sign) for sign in everything)) == []


def test_every_mark_is_counted_as_one() -> None:
    # The fast search looks only at what is neither a letter, a digit nor below U+0300.
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code))[0] == "M":
            assert len(clean("a" + chr(code) * 9)) == 1 + MARKS_MAX, hex(code)
