"""Which remarks may be heeded, and what they leave of a stored text."""

from __future__ import annotations

import msgspec
import pytest

from protocol import frames, limits, remarks
from protocol.frames import Envelope
from protocol.remarks import Delete, Edit, React, Receipt

ALICE, BOB = "a" * limits.DEVICE_CHARS, "b" * limits.DEVICE_CHARS
SAID = Envelope(ALICE, 7, "Alice", "#lobby", 1_000_000, "none", b"helo")
PRIVATE = Envelope(ALICE, 8, "Alice", "bob", 1_000_000, "none", b"psst")


def remark(said: remarks.Remark, author: str = "Alice", to: str = "#lobby", after_ms: int = 5) -> Envelope:
    device = ALICE if author == "Alice" else BOB
    return Envelope(device, 9, author, to, 1_000_000 + after_ms, remarks.enc(said), frames.encode(said))


EDIT = Edit(ALICE, 7, [3], "hello")


@pytest.mark.parametrize(
    ("envelope", "message", "expected"),
    [
        (remark(EDIT), SAID, True),
        (remark(EDIT, after_ms=limits.REMARK_MS), SAID, True),
        (remark(EDIT, after_ms=limits.REMARK_MS + 1), SAID, False),
        (remark(EDIT, author="bob"), SAID, False),
        (remark(EDIT, to="#garden"), SAID, False),
        (remark(Delete(ALICE, 7, [3])), SAID, True),
        (remark(Delete(ALICE, 7, [3]), author="bob"), SAID, False),
        (remark(React(ALICE, 7, "👍"), author="bob", after_ms=limits.REMARK_MS * 9), SAID, True),
        (remark(React(ALICE, 8, "👍"), author="bob", to="Alice"), PRIVATE, True),
        (remark(React(ALICE, 8, "👍"), author="carol", to="Alice"), PRIVATE, False),
        (remark(EDIT), msgspec.structs.replace(SAID, enc="gone", body=b""), True),
        (remark(EDIT), msgspec.structs.replace(SAID, enc="edit"), False),
    ],
)
def test_a_remark_holds_in_its_conversation_and_a_change_only_from_the_author_within_a_day(
    envelope: Envelope, message: Envelope, expected: bool
) -> None:
    assert remarks.holds(envelope, message) is expected


@pytest.mark.parametrize("said", [EDIT, Delete(ALICE, 7, [3])])
def test_a_text_is_withheld_in_as_many_bytes(said: remarks.Remark) -> None:
    packed = frames.encode(SAID)
    bare = remarks.withheld(packed, remark(said))
    assert bare is not None
    assert (len(bare), frames.decode_envelope(bare)) == (
        len(packed),
        msgspec.structs.replace(SAID, enc="gone", body=bytes(4)),
    )
    assert remarks.withheld(bare, remark(said)) is None  # it is already


def test_the_text_of_a_former_edit_is_withheld_too() -> None:
    former = remark(EDIT)
    bare = remarks.withheld(frames.encode(former), remark(Edit(ALICE, 7, [3, 4], "hello there")))
    assert bare is not None
    assert (frames.decode_envelope(bare).enc, b"hello" in bare) == ("void", False)


@pytest.mark.parametrize(
    "envelope",
    [
        remark(EDIT, author="bob"),
        remark(Edit(ALICE, 6, [3], "another message")),
        remark(React(ALICE, 7, "👍")),
        remark(EDIT, after_ms=limits.REMARK_MS + 1),
    ],
)
def test_nothing_is_withheld_for_who_may_not_ask_for_it(envelope: Envelope) -> None:
    assert remarks.withheld(frames.encode(SAID), envelope) is None


def test_what_is_no_envelope_is_left_alone() -> None:
    assert remarks.withheld(b"nonsense", remark(EDIT)) is None


def test_a_body_is_the_remark_that_its_enc_says_or_none() -> None:
    receipt = Receipt({ALICE: 7}, {ALICE: 5})
    assert remarks.read("receipt", frames.encode(receipt)) == receipt
    assert remarks.read("edit", frames.encode(EDIT)) == EDIT
    assert remarks.read("none", frames.encode(EDIT)) is None
    assert remarks.read("edit", b"\xc1") is None
    assert remarks.read("edit", frames.encode(Edit(ALICE, 7, [], ""))) is None
