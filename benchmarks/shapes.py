"""Restante under full load: who sends to whom, and what a message then costs the broker.

Every shape has a broker and a store of its own, everything on: encrypted, authenticated, idempotent, windows, synced.
A message between two people stands in two mailboxes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from benchmarks import seed
from benchmarks.gauge import Figure, Span
from benchmarks.load import Crowd, Member, Traffic, pack_tail
from benchmarks.report import Shape
from benchmarks.running import Running, broker
from protocol import limits

SIZE_BYTES = 200
ROOM = "#room"
# Sends of a fan-out that the slowest reader may not have yet.
FAN_WINDOW = limits.WINDOW_MESSAGES


def enter(crowd: Crowd, accounts: Sequence[str], reads: bool) -> list[Member]:
    """Log in with the first device of each account."""
    return crowd.enter(map(seed.device, accounts), reads)


def noted(figure: Figure, pack: int = 1, window: int = limits.WINDOW_MESSAGES) -> Figure:
    """The same, with what was sent."""
    figure.size, figure.per_frame, figure.window = SIZE_BYTES, pack, window
    return figure


def pairs(count: int, seconds: float, pack: int = 1, disk: str | None = None, sync_ms: float = 0.0) -> Figure:
    """So many senders, each to a reader of its own."""
    senders, readers = seed.people("sender", count), seed.people("reader", count)
    town = seed.Town(senders + readers)
    with broker(partial(seed.settle, town=town), disk, sync_ms) as running:
        return exchange(running, f"{count}:{count}", senders, readers, seconds, pack)


def exchange(
    running: Running, name: str, senders: Sequence[str], readers: Sequence[str], seconds: float, pack: int = 1
) -> Figure:
    """Each of these sends to the reader in the same place."""
    with Crowd(running) as crowd:
        sending, reading = enter(crowd, senders, False), enter(crowd, readers, True)
        for sender, reader in zip(sending, readers, strict=True):
            sender.post = pack_tail(reader, pack, SIZE_BYTES)
        span, traffic = Span(running.pid), Traffic(crowd, sending, reading, pack)
        traffic.run(seconds)
        return noted(span.figure(name, traffic.posted), pack)


def fan(readers: int, seconds: float, pack: int = 1, disk: str | None = None) -> Figure:
    """One member of a room sends, all others read; the figures are for a delivery."""
    members = seed.people("reader", readers)
    town = seed.Town(["sender", *members], {ROOM: ["sender", *members]})
    with broker(partial(seed.settle, town=town), disk) as running, Crowd(running) as crowd:
        sending, reading = enter(crowd, ["sender"], False), enter(crowd, members, True)
        sending[0].post = pack_tail(ROOM, pack, SIZE_BYTES)
        span, traffic = Span(running.pid), Traffic(crowd, sending, reading, pack, FAN_WINDOW)
        traffic.run(seconds, readers)
        figure = noted(span.figure(f"1→{readers}", traffic.got), pack, FAN_WINDOW)
        figure.more["accepted_s"] = traffic.posted / figure.seconds
        return figure


def offline(accounts: int, seconds: float, disk: str | None = None) -> list[Figure]:
    """What is sent to those who are away, and what they get when they come; one message a frame from each of 8."""
    senders, readers = seed.people("sender", 8), seed.people("reader", accounts)
    with (
        broker(partial(seed.settle, town=seed.Town(senders + readers)), disk) as running,
        Crowd(running) as crowd,
    ):
        sending = enter(crowd, senders, False)
        span = Span(running.pid)
        posted = _store(crowd, sending, readers, seconds)
        stored = noted(span.figure(f"store, {accounts} away", posted))
        span, reading = Span(running.pid), Traffic(crowd, [], [])
        for reader in readers:
            crowd.connect(seed.device(reader), True)
        reading.drain(posted)
        return [stored, noted(span.figure(f"drain, {accounts} back", posted))]


def _store(crowd: Crowd, sending: list[Member], readers: Sequence[str], seconds: float) -> int:
    """Send for so long, to each reader in turn; how many."""
    end, posted, step = time.perf_counter() + seconds, 0, max(1, len(readers) // len(sending))
    slices = max(1, len(readers) // step)
    for turn in range(slices):
        for place, sender in enumerate(sending):
            sender.post = pack_tail(readers[(turn + place * step) % len(readers)], 1, SIZE_BYTES)
        left = (end - time.perf_counter()) / max(1, slices - turn)
        traffic = Traffic(crowd, sending, [])
        traffic.run(left, 0)
        posted += traffic.posted
    return posted


def suite(seconds: float, disk: str | None) -> list[Shape]:
    """All of them."""
    kinds = [(count, pack) for count in (1, 8, 100) for pack in (1, limits.PACK_MESSAGES)]
    return [
        *(Shape(f"pairs {count}:{count} {pack}", partial(pairs, count, seconds, pack, disk)) for count, pack in kinds),
        *(Shape(f"fan 1→{count}", partial(fan, count, seconds, 1, disk)) for count in (100, 1000)),
        *(Shape(f"offline {count}", partial(offline, count, seconds, disk)) for count in (1, 100)),
    ]
