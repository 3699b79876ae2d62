"""How edits, deletions and reactions are typed: which message is meant, and what is text."""

from __future__ import annotations

import pytest

from console.input import parse
from core import typed
from protocol import limits


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/edit hello there", typed.Edited(text="hello there")),
        ("/edit 2 hello", typed.Edited(text="hello", back=2)),
        ("/edit 42", typed.Edited(text="42")),
        ("/edit 1 2 apples", typed.Edited(text="2 apples")),
        ("/edit 2026 was good", typed.Edited(text="2026 was good")),
        ("/edit 2 two\nlines", typed.Edited(text="two\nlines", back=2)),
        ("/delete", typed.Deleted()),
        ("/delete 3", typed.Deleted(back=3)),
        ("/react 👍", typed.Reacted(sign="👍")),
        ("/react 3 👍", typed.Reacted(sign="👍", back=3)),
        ("/react 3", typed.Reacted(sign="3")),
        ("/receipts", typed.AskedReceipts()),
        ("/receipts OFF", typed.SwitchedReceipts(on=False)),
        ("/receipts on", typed.SwitchedReceipts(on=True)),
    ],
)
def test_what_is_meant(line: str, expected: typed.Typed) -> None:
    assert parse(line) == expected


SLIPS = ("/edit", "/edit 0 text", "/delete 0", "/delete all", "/delete 1 2", "/d", "/react", "/react a b")
TOO_LONG = (f"/react {'x' * (limits.SIGN_CHARS + 1)}", f"/edit {'x' * (limits.EDIT_BYTES + 1)}")


@pytest.mark.parametrize("line", [*SLIPS, "/receipts maybe", *TOO_LONG])
def test_what_could_be_a_slip_is_refused(line: str) -> None:
    assert isinstance(parse(line), typed.Mistook)


def test_the_longest_text_that_a_message_can_be_changed_to() -> None:
    assert isinstance(parse(f"/edit {'x' * limits.EDIT_BYTES}"), typed.Edited)
