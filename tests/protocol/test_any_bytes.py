"""Whatever bytes come, we get a frame or ProtocolError; memory stays below a constant times the input."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect

from protocol import frames, limits

# What decoding may hold at most: so much for each byte of input (a sign of a list becomes an object), and so much
# for exceptions and their texts.
MEMORY_PER_BYTE = 128
MEMORY_BYTES = 16 * limits.KIB

WIDEST = b"\xff\xff\xff\xff"  # a length of 2**32 - 1


# ---- arbitrary valid frames, made from the frames' own types ------------------------------------------

SIGNS = st.characters(codec="utf-8")


def values(kind: inspect.Type) -> st.SearchStrategy[Any]:
    """Values that a field of this type may have; the longest kinds are tried short."""
    return BY_KIND[type(kind)](kind)


def strings(kind: inspect.StrType) -> st.SearchStrategy[str]:
    if kind.pattern:
        return st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=16, max_size=16)
    return st.text(SIGNS, min_size=kind.min_length or 0, max_size=min(kind.max_length or 8, 8))


def lists(kind: inspect.ListType) -> st.SearchStrategy[list[Any]]:
    return st.lists(values(kind.item_type), min_size=kind.min_length or 0, max_size=3)


def bodies(kind: inspect.BytesType) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=kind.min_length or 0, max_size=min(kind.max_length or 16, 16))


def structs(kind: inspect.StructType) -> st.SearchStrategy[Any]:
    return st.builds(kind.cls, **{field.name: values(field.type) for field in kind.fields})


BY_KIND: dict[type[inspect.Type], Callable[[Any], st.SearchStrategy[Any]]] = {
    inspect.BoolType: lambda kind: st.booleans(),
    inspect.IntType: lambda kind: st.integers(-(2**63) if kind.ge is None else kind.ge, kind.le or 2**63 - 1),
    inspect.FloatType: lambda kind: st.floats(kind.ge, kind.le),
    inspect.StrType: strings,
    inspect.BytesType: bodies,
    inspect.ListType: lists,
    inspect.DictType: lambda kind: st.dictionaries(values(kind.key_type), values(kind.value_type), max_size=3),
    inspect.StructType: structs,
}

spoken = st.one_of([structs(inspect.type_info(kind)) for kind in frames.FRAMES])

# ---- bytes that are almost frames ---------------------------------------------------------------------

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(SIGNS, max_size=4)
    | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(SIGNS, max_size=2), inner, max_size=3),
    max_leaves=12,
)
tags = st.sampled_from([kind.__struct_config__.tag for kind in frames.FRAMES])
strange = st.builds(lambda tag, fields: msgspec.msgpack.encode([tag, *fields]), tags, st.lists(anything, max_size=10))


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid frame with a few bytes overwritten, put in, or taken out."""
    data = bytearray(frames.encode(draw(spoken)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        data[start : start + draw(st.integers(0, 4))] = draw(st.binary(max_size=5))
    return bytes(data)


# ---- properties ---------------------------------------------------------------------------------------


def decoded(data: bytes) -> frames.AnyFrame | None:
    """The frame, or None if these bytes are none; any other exception fails the test."""
    try:
        frame = frames.decode(data)
    except frames.ProtocolError as error:
        assert str(error)
        return None
    assert type(frame) in frames.FRAMES
    return frame


def decoded_within_memory(data: bytes) -> frames.AnyFrame | None:
    tracemalloc.start()
    try:
        frame = decoded(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= MEMORY_BYTES + MEMORY_PER_BYTE * len(data), f"{peak} bytes for {len(data)}"
    return frame


@settings(max_examples=500)
@given(spoken)
def test_a_frame_survives_the_way(frame: frames.AnyFrame) -> None:
    assert frames.decode(frames.encode(frame)) == frame


@settings(max_examples=500)
@given(st.one_of(st.binary(max_size=200), strange, mutated()))
def test_any_bytes_are_a_frame_or_refused(data: bytes) -> None:
    frame = decoded(data)
    if frame is not None:  # and what was understood can be said again
        assert frames.decode(frames.encode(frame)) == frame


@settings(max_examples=200)
@given(st.one_of(st.binary(max_size=200), strange, mutated()))
def test_any_stored_bytes_are_an_envelope_or_refused(data: bytes) -> None:
    try:
        envelope = frames.decode_envelope(data)
    except frames.ProtocolError:
        return
    assert frames.decode_envelope(frames.encode(envelope)) == envelope


@settings(max_examples=100)
@given(spoken, st.data())
def test_a_frame_that_is_cut_off_is_refused(frame: frames.AnyFrame, draw: st.DataObject) -> None:
    data = frames.encode(frame)
    assert decoded(data[: draw.draw(st.integers(0, len(data) - 1))]) is None


@settings(max_examples=100)
@given(spoken, st.binary(min_size=1, max_size=8))
def test_a_frame_with_something_behind_it_is_refused(frame: frames.AnyFrame, more: bytes) -> None:
    assert decoded(frames.encode(frame) + more) is None


# ---- attacks ------------------------------------------------------------------------------------------

ATTACKS = {
    "nothing": b"",
    "an array that claims 2**32 - 1 fields": b"\xdd" + WIDEST + b"\x02",
    "a Deliver that claims 2**32 - 1 runs": b"\x92\x24\xdd" + WIDEST,
    "a Post that claims 2**32 - 1 items": b"\x93\x02\x01\xdd" + WIDEST,
    "a Presence that claims 2**32 - 1 names": b"\x95\x28\xa2#a\xdd" + WIDEST,
    "a Pong that claims 2**32 - 1 cursors": b"\x92\x25\xdf" + WIDEST,
    "a body that claims 2**32 - 1 bytes": b"\x93\x02\x01\x91\x93\xa1a\xa4none\xc6" + WIDEST,
    "a text that claims 2**32 - 1 bytes": b"\x93\x26\xdb" + WIDEST,
    "an unknown field that claims 2**32 - 1 pairs": b"\x93\x23\x01\xdf" + WIDEST,
    "an extension that claims 2**32 - 1 bytes": b"\x93\x23\x01\xc9" + WIDEST + b"\x01",
    "60,000 arrays inside one another": b"\x91" * 60_000 + b"\x90",
    "60,000 arrays in an unknown field": b"\x93\x23\x01" + b"\x91" * 60_000 + b"\x90",
    "20,000 maps in an unknown field": b"\x93\x23\x01" + b"\x81\xa1a" * 20_000 + b"\xc0",
    "text that is no UTF-8": b"\x93\x07\x01\xa2\xff\xfe",
    "text that is half a surrogate pair": b"\x93\x07\x01\xa3\xed\xa0\x80",
    "a number of 2**63": b"\x92\x23\xcf\x80\x00\x00\x00\x00\x00\x00\x00",
    "a number of 2**64 - 1": b"\x92\x23\xcf" + WIDEST * 2,
    "a number of 0": b"\x92\x23\x00",
    "a number of -1": b"\x92\x23\xff",
    "a number with a fraction": b"\x92\x23\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00",
    "a number that is true": b"\x92\x23\xc3",
    "a tag of 2**64 - 1": b"\x91\xcf" + WIDEST * 2,
    "a tag that is text": b"\x91\xa4Quit",
    "a tag that nobody has": b"\x91\x7f",
    "a map instead of an array": b"\x81\x01\x0c",
    "a cursor under a number": b"\x92\x03\x81\x01\x02",
    "a byte that MessagePack never uses": b"\xc1",
    "two frames in one": b"\x91\x0c\x91\x0c",
    "a device with a line break": frames.encode(frames.Hello(1, 0, "a", "a" * 16 + "\n", True, {})),
    "a device in capitals": frames.encode(frames.Hello(1, 0, "a", "A" * 16, True, {})),
    "a wait that is no number": frames.encode(frames.Refused("busy", "", 0, float("nan"))),
    "a wait without end": frames.encode(frames.Refused("busy", "", 0, float("inf"))),
    "a wait into the past": frames.encode(frames.Refused("busy", "", 0, -1.0)),
    "an empty body": frames.encode(frames.Post(1, [frames.Item("bob", "none", b"")])),
    "a body that is too long": frames.encode(
        frames.Post(1, [frames.Item("bob", "none", bytes(limits.BODY_BYTES + 1))])
    ),
    "too many items": frames.encode(frames.Post(1, [frames.Item("bob", "none", b"x")] * (limits.PACK_MESSAGES + 1))),
    "65,000 fields in a Hello of another version": b"\xdd\x00\x00\xfd\xe8\x01\x02" + b"\x00" * 64_998,
    "too many cursors": frames.encode(frames.Ack({f"#{n}": 1 for n in range(limits.SESSION_LOGS + 1)})),
    "a Devices that claims 2**32 - 1 devices": b"\x93\x2f\x01\xdd" + WIDEST,
    "a credential that claims 2**32 - 1 bytes": b"\x95\x0f\x01\xa1a\xc6" + WIDEST,
    "a device that is revoked by no letter": frames.encode(frames.RevokeDevice(1, "")),
    "a device's name that is too long": frames.encode(
        frames.Hello(1, 0, "a", "a" * 16, True, {}, name="x" * (limits.DEVICE_NAME_CHARS + 1))
    ),
    "a time after the last calendar": frames.encode(
        frames.Deliver(
            [frames.Run("#a", 1, [frames.Envelope("a" * 16, 1, "a", "#a", limits.LAST_AT_MS + 1, "none", b"x")])]
        )
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_and_costs_little(attack: str) -> None:
    assert decoded_within_memory(ATTACKS[attack]) is None


def test_of_a_key_that_is_there_twice_the_last_counts() -> None:
    assert frames.decode(b"\x92\x03\x82\xa2@a\x01\xa2@a\x02") == frames.Ack({"@a": 2})


FULL = {
    "sends": frames.Post(1, [frames.Item("b", "n", b"x")] * limits.PACK_MESSAGES),
    "cursors": frames.Ack({f"#{n}": 1 for n in range(limits.SESSION_LOGS)}),
    "names": frames.Presence("#a", ["b"] * limits.LISTED_NAMES, ["c"] * limits.LISTED_NAMES, 0),
    "runs": frames.Deliver([frames.Run("#a", 1, [])] * 10_000),
    "envelopes": frames.Deliver(
        [frames.Run("#a", 1, [frames.Envelope("a" * 16, 1, "b", "c", 1, "n", b"")] * limits.WINDOW_MESSAGES)] * 8
    ),
}


@pytest.mark.parametrize("kind", FULL)
def test_a_frame_full_of_small_things_costs_a_constant_times_its_bytes(kind: str) -> None:
    data = frames.encode(FULL[kind])
    assert len(data) <= limits.PART_BYTES
    assert decoded_within_memory(data) == FULL[kind]


@settings(max_examples=50)
@given(st.one_of(strange, mutated()), st.integers(0, 2000))
def test_memory_is_bounded_by_the_input(data: bytes, repeated: int) -> None:
    decoded_within_memory((data * repeated)[: limits.PART_BYTES])


def test_the_measure_sees_what_decoding_takes() -> None:
    data = frames.encode(FULL["runs"])
    tracemalloc.start()
    frame = frames.decode(data)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert frame == FULL["runs"]
    assert held > 10 * len(data)
