"""What a message costs when there is more of everything else: ``make bench-growth``.

Each dimension grows alone, tenfold at a time. Beside the cost stand the start of the broker and a login by key with
nothing waiting.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks import limit, seed
from benchmarks.bench import LIMIT_MESSAGES, finish
from benchmarks.gauge import Figure, Span
from benchmarks.load import Crowd, Traffic, pack_tail
from benchmarks.report import HEADER, Shape, run
from benchmarks.running import broker
from benchmarks.scenes import login
from benchmarks.seed import Town
from benchmarks.shapes import FAN_WINDOW, SIZE_BYTES, enter, noted
from protocol import limits, names

HERE = 10
"""Members of a room that are there; the others are away."""
LOGINS = 15


class Point(NamedTuple):
    """So much of one thing, and who talks meanwhile."""

    dimension: str
    amount: int
    town: Town
    to: str = "reader"
    readers: tuple[str, ...] = ("reader",)
    stored: int = 0
    idle: tuple[str, ...] = ()

    def prepare(self, folder: Path) -> None:
        """The store."""
        seed.settle(folder, self.town)
        if self.stored:
            elsewhere = [names.mailbox(account) for account in seed.people("person", 1000)]
            seed.fill(folder, elsewhere, self.stored)


def points(most_stored: int, most_accounts: int) -> Iterator[Point]:
    """All of them."""
    pair = ["sender", "reader"]
    for amount in _tens(1_000, most_stored):
        yield Point("stored messages", amount, Town(pair), stored=amount)
    for amount in _tens(10, most_accounts):
        yield Point("accounts", amount, Town([*pair, *seed.people("person", amount - 2)]))
    for amount in (1, 10, limits.ACCOUNT_ROOMS - 1):
        rooms = [f"#room{number}" for number in range(amount)]
        yield Point("rooms of an account", amount, Town(pair, dict.fromkeys(rooms, pair)))
    for amount in _tens(10, 10_000):
        readers = seed.people("reader", amount)
        town = Town(["sender", *readers], {"#room": ["sender", *readers]})
        yield Point("members of a room, ten of them here", amount, town, "#room", tuple(readers[:HERE]))
    for amount in (1, 10, limits.ACCOUNT_DEVICES):
        yield Point("devices of an account", amount, Town(pair, devices=amount))
    for amount in (0, 10, 100, 1000):
        idle = tuple(seed.people("person", amount))
        yield Point("idle connections", amount, Town([*pair, *idle]), idle=idle)


def _tens(first: int, last: int) -> Iterator[int]:
    while first <= last:
        yield first
        first *= 10


def measure(point: Point, seconds: float) -> Figure:
    """What a delivery costs there, the start, and a login."""
    with broker(point.prepare) as running:
        login_s = login(running, [point.readers[0]] * LOGINS)
        with Crowd(running) as crowd:
            enter(crowd, point.idle, True)
            sending, reading = enter(crowd, ["sender"], False), enter(crowd, point.readers, True)
            sending[0].post = pack_tail(point.to, 1, SIZE_BYTES)
            span, traffic = Span(running.pid), Traffic(crowd, sending, reading, 1, FAN_WINDOW)
            traffic.run(seconds, len(reading))
            figure = noted(span.figure(f"{point.dimension}: {point.amount:,}", traffic.got), 1, FAN_WINDOW)
    figure.more = {"amount": point.amount, "start_ms": running.start_s * 1000, "login_ms": login_s * 1000}
    return figure


def main() -> int:
    """Measure, print a table, and write JSON."""
    parser = argparse.ArgumentParser(prog="make bench-growth", description="What grows with what.")
    parser.add_argument("--seconds", type=float, default=2.0, help="time for each point (2)")
    parser.add_argument("--stored", type=int, default=10_000_000, help="stored messages at most (10^7)")
    parser.add_argument("--accounts", type=int, default=100_000, help="accounts at most (10^5)")
    given = parser.parse_args()
    print(HEADER)
    shapes = [
        Shape(f"{point.dimension}: {point.amount:,}", partial(measure, point, given.seconds))
        for point in points(given.stored, given.accounts)
    ]
    return finish(run("growth", limit.measure(LIMIT_MESSAGES, SIZE_BYTES), shapes))


if __name__ == "__main__":
    sys.exit(main())
