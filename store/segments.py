"""How one turn's envelopes lie in the file: in segments, with a list of places for each log.

A segment is a row of records, and a record is an envelope with its CRC32 behind it. What one turn added to one
log is a slice: seqs first, first + 1, …, each with its place. So an envelope that enters two mailboxes or a
crowded room is written once, and a turn costs a few large rows instead of many small ones.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple
from zlib import crc32

import msgspec

SEGMENT_BYTES = 16 * 1024
"""Where a segment ends and the next begins. Larger ones cost less to write when a turn has mail for many logs,
and more to read when a reader wants little of each."""

PLACE = struct.Struct("<HHH")
"""One place: which segment, counted from the slice's; where the record starts in it; its size in bytes.
16 bits each: a turn has far fewer than 65,536 segments, and an envelope at most about 17 KiB."""

# What is read of a slice and of a segment: bytes are bytes, whatever a harmed row says that they are.
SLICE = "first, segment, CAST(ifnull(places, '') AS BLOB), crc"
BODY = "SELECT CAST(body AS BLOB) FROM segment WHERE id = ?"

CRC_BYTES = 4
# The CRC32 of anything with its own CRC32 behind it, whatever value the count began with.
_WHOLE = 0x2144DF1C
_packed = msgspec.msgpack.Encoder().encode
_SLICE_HEAD = struct.Struct("<qqq")


class Layout(NamedTuple):
    """Where a turn's envelopes lie."""

    segments: list[bytes]
    refs: Counter[int]  # by segment, counted from 0: in how many logs' places it occurs
    places: list[bytes]  # by log: packed places, one for each of its envelopes


def lay(envelopes: list[bytes], logs: Iterable[list[int]], base: int) -> Layout:
    """Lay envelopes into segments base, base + 1, …; ``logs`` names, for each log, its envelopes by index.

    One log's envelopes are put next to one another, as far as they aren't another's before, so that who reads
    one log reads few segments.
    """
    logs = list(logs)
    segments, places, homes = _fill(envelopes, dict.fromkeys(chain.from_iterable(logs)), base)
    refs = Counter(map(homes.__getitem__, chain.from_iterable(logs)))
    return Layout(segments, refs, [b"".join(map(places.__getitem__, log)) for log in logs])


def _fill(envelopes: list[bytes], order: Iterable[int], base: int) -> tuple[list[bytes], list[bytes], list[int]]:
    """Put envelopes into segments in this order; by index of the envelope, its packed place and its segment."""
    segments: list[bytes] = []
    places, homes = [b""] * len(envelopes), [0] * len(envelopes)
    records: list[bytes] = []
    start = 0
    for index in order:
        envelope = envelopes[index]
        size = len(envelope) + CRC_BYTES
        if start + size > SEGMENT_BYTES and records:
            segments.append(b"".join(records))
            records, start = [], 0
        home = homes[index] = len(segments)
        records += (envelope, crc32(envelope, _seed(base + home, start)).to_bytes(CRC_BYTES, "little"))
        places[index] = PLACE.pack(home, start, size)
        start += size
    segments.append(b"".join(records))
    return segments, places, homes


def unpack_places(places: bytes, skipped: int = 0) -> Iterator[tuple[int, ...]]:
    """Places as (segment, start, size), but for the first ``skipped`` ones."""
    return PLACE.iter_unpack(memoryview(places)[skipped * PLACE.size :])


def envelope_at(segment: bytes, number: int, start: int, size: int) -> bytes | None:
    """The envelope whose record lies there in segment ``number``; None if it is damaged or another's."""
    record = segment[start : start + size]
    if crc32(record, _seed(number, start)) != _WHOLE:
        return None
    return record[:-CRC_BYTES]


def put_at(segment: bytes, number: int, start: int, envelope: bytes) -> bytes:
    """Segment ``number`` with another envelope of the same size in a record's place."""
    record = envelope + crc32(envelope, _seed(number, start)).to_bytes(CRC_BYTES, "little")
    return segment[:start] + record + segment[start + len(record) :]


def slice_crc(log: int, first: int, segment: int, places: bytes) -> int:
    """The CRC32 of a slice: of all that it says."""
    return crc32(places, crc32(_SLICE_HEAD.pack(log, first, segment)))


def is_slice(log: int, first: int, segment: int, places: bytes, crc: int) -> bool:
    """Whether a slice is as it was written."""
    try:
        return slice_crc(log, first, segment, places) == crc
    except (struct.error, TypeError):  # not even of the right kind
        return False


def sealed(*values: Any) -> tuple[Any, ...]:
    """A short row: these values, and behind them their CRC32 as MessagePack, whatever kinds they may become."""
    return (*values, crc32(_packed(values)))


def is_sealed(row: tuple[Any, ...]) -> bool:
    """Whether a short row is as it was written."""
    return sealed(*row[:-1]) == row


def record_crc(key: str, value: bytes) -> int:
    """The CRC32 of a named record: its own value under its own key."""
    return crc32(value, crc32(key.encode()))


def count_refs(slices: Iterable[tuple[int, bytes]]) -> Mapping[int, int]:
    """By segment, how many of these slices' places lie in it; a slice is (its segment, its places)."""
    return Counter(base + home for base, places in slices for home, _, _ in unpack_places(places))


def _seed(segment: int, start: int) -> int:
    """What a record's CRC begins with. It tells places apart: two whole records exchanged are damage too."""
    return (segment << 16) + start & 0xFFFFFFFF
