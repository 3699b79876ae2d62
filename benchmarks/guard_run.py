"""A fixed small run of the broker's turns, the same in every instruction: what ``make bench-guard`` counts.

    python -m benchmarks.guard_run TURNS

Frames come from a script and go nowhere: codec, core and store, without the network, with time that stands in the
script too.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import seed
from core.broker import Broker
from core.clock import Instant
from core.commands import Admit, Command, HangUp, Note, Prove, Send, Trust
from core.door import House
from core.received import Event, Received
from protocol import frames, limits, names, passwords
from store.sqlite import SqliteStore
from turns import Turns

PAIRS = 8
POSTS = 8
"""Frames of one message from each sender in each turn."""
TURN_MESSAGES = PAIRS * POSTS
TURN_S = 0.01


class Script:
    """Who says what, turn after turn."""

    def __init__(self) -> None:
        self.senders = seed.people("sender", PAIRS)
        self.readers = seed.people("reader", PAIRS)
        self._item = {reader: frames.Item(reader, "none", b"x" * 200) for reader in self.readers}

    def hellos(self) -> list[Event]:
        """Everybody logs in."""
        return [
            _said(account, frames.Hello(limits.MAJOR_VERSION, limits.MINOR_VERSION, account, device.id, reads, {}))
            for accounts, reads in ((self.senders, False), (self.readers, True))
            for account in accounts
            for device in [seed.device(account)]
        ]

    def turn(self, number: int) -> list[Event]:
        """What was delivered in the turn before is acknowledged, and more is sent."""
        said: list[Event] = []
        first = number * POSTS
        for reader in self.readers if number else ():
            said.append(_said(reader, frames.Ack({names.mailbox(reader): first})))
        for post in range(POSTS):
            for sender, reader in zip(self.senders, self.readers, strict=True):
                said.append(_said(sender, frames.Post(first + post + 1, [self._item[reader]])))
        return said


def _said(account: str, frame: frames.AnyFrame) -> Event:
    key = seed.device(account).pair.public if isinstance(frame, frames.Hello) else _KEYS[account]
    _KEYS[account] = key
    return Received(account.encode(), frames.decode(frames.encode(frame)), "127.0.0.1", key, 1)


_KEYS: dict[str, str] = {}


def play(folder: Path, turns: int) -> int:
    """The run; how many messages were accepted, as the broker said."""
    script, accepted = Script(), dict[bytes, int]()
    seed.settle(folder, seed.Town(script.senders + script.readers))
    store = SqliteStore.open(folder / "restante.sqlite", lambda size: hashlib.blake2b(digest_size=size).digest())

    def hear(send: Send) -> None:
        if send.frame[1] == frames.Accepted.__struct_config__.tag:
            frame = frames.decode(send.frame)
            assert isinstance(frame, frames.Accepted)
            accepted[send.peer] = frame.n

    outside: dict[type[Command], Callable[[Any], Event | None]] = {
        **dict.fromkeys((Admit, HangUp, Note, Prove, Trust), lambda _: None),
        Send: hear,
    }
    loop = Turns(Broker(House(store.broker, store.epoch, True, passwords.DUMMY)), store, outside)
    loop.turn(script.hellos(), Instant(0.0, seed.AT_MS))
    for number in range(turns):
        loop.turn(script.turn(number), Instant((number + 1) * TURN_S, seed.AT_MS))
    store.close()
    return sum(accepted.values())


def main() -> int:
    """Play, and see that it was played."""
    turns = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        return 0 if play(Path(folder), turns) == turns * TURN_MESSAGES else 1


if __name__ == "__main__":
    sys.exit(main())
