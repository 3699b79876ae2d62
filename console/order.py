"""Messages of several logs in one column: by time, as people remember them, and never against a log's own order."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import groupby

import msgspec

from core.shown import Messages
from protocol.frames import Envelope

_Placed = tuple[tuple[int, str, int], int, Envelope, Messages]


def merged(streams: Iterable[Iterable[Messages]]) -> Iterator[Messages]:
    """Streams of runs, each of one log and in order, as one stream of runs."""
    placed = heapq.merge(*(_placed(stream) for stream in streams), key=lambda one: one[0])
    for _, group in groupby(placed, key=lambda one: id(one[3])):
        some = list(group)
        _, first, _, run = some[0]
        envelopes = [envelope for _, _, envelope, _ in some]
        yield msgspec.structs.replace(run, first=first, envelopes=envelopes)


def _placed(stream: Iterable[Messages]) -> Iterator[_Placed]:
    """Each message with its place: by time, then as its device numbered it; never before what it follows in its log."""
    latest = 0
    for run in stream:
        for seq, envelope in enumerate(run.envelopes, run.first):
            latest = max(latest, envelope.at)
            yield (latest, envelope.device, envelope.n), seq, envelope, run
