"""Messages of several logs in one column: by time, as people remember them, and never against a log's own order."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import groupby

from core.shown import Messages
from protocol.frames import Envelope

_Placed = tuple[int, str, int, Envelope, Messages]


def merged(streams: Iterable[Iterable[Messages]]) -> Iterator[Messages]:
    """Streams of runs, each of one log and in order, as one stream of runs."""
    placed = heapq.merge(*(_placed(stream) for stream in streams), key=lambda one: one[:3])
    for _, group in groupby(placed, key=lambda one: id(one[4])):
        some = list(group)
        _, log, first, _, run = some[0]
        envelopes = [envelope for _, _, _, envelope, _ in some]
        yield Messages(log=log, first=first, envelopes=envelopes, waited=run.waited, mine=run.mine)


def _placed(stream: Iterable[Messages]) -> Iterator[_Placed]:
    """Each message with its time; one that seems older than what stands before it in its log counts as later."""
    latest = 0
    for run in stream:
        for seq, envelope in enumerate(run.envelopes, run.first):
            latest = max(latest, envelope.at)
            yield latest, run.log, seq, envelope, run
