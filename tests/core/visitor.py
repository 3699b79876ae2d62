"""Somebody who speaks the protocol by hand, one frame at a time, well or badly."""

from __future__ import annotations

from typing import Any

from core.events import Gone
from protocol import frames, limits
from protocol.frames import Hello, Item, Post, Welcome, encode
from protocol.passwords import SCHEME
from tests.core.world import HERE, World


class Visitor:
    """One connection, and what came over it."""

    def __init__(self, world: World, device: str = "", key: str = "", address: str = HERE) -> None:
        self.world = world
        self.peer = world.peer()
        self.device = device or world.device()
        self.key = key or world.new_key()
        self.address = address
        self.heard: list[Any] = []
        world.wires[self.peer] = self

    def hears(self, frame: Any) -> None:
        """The broker has said something."""
        self.heard.append(frame)

    def ends(self) -> None:
        """The broker has ended the connection; the world knows which."""

    def says(self, *said: frames.AnyFrame | bytes) -> list[Any]:
        """Say all this in one turn; what the broker answers until all is quiet."""
        before = len(self.heard)
        self.utters(*said)
        self.world.run()
        return self.heard[before:]

    def utters(self, *said: frames.AnyFrame | bytes) -> None:
        """Say this, and don't wait."""
        for each in said:
            self.world.receive(self.peer, each if isinstance(each, bytes) else encode(each), self.key, self.address)

    def hello(self, account: str, **changes: Any) -> Hello:
        """A Hello of this device, with the usual password."""
        usual = {"reads": True, "cursors": {}, "scheme": SCHEME, "credential": b"secret"}
        return Hello(
            major=limits.MAJOR_VERSION,
            minor=limits.MINOR_VERSION,
            account=account,
            device=self.device,
            **(usual | changes),
        )

    def enters(self, account: str, **changes: Any) -> Welcome:
        """Log in; what the broker says to that."""
        (welcome,) = (frame for frame in self.says(self.hello(account, **changes)) if isinstance(frame, Welcome))
        return welcome

    def posts(self, n: int, *texts: str, to: str = "#lobby") -> list[Any]:
        """Send these messages, numbered from n on; what the broker answers."""
        return self.says(post(n, *texts, to=to))

    def vanishes(self) -> None:
        """The connection is no more, and the broker has noticed."""
        del self.world.wires[self.peer]
        self.world.inbox.append(Gone(self.peer))
        self.world.run()

    def got(self, kind: type[Any]) -> list[Any]:
        """Everything of a kind that has come."""
        return [frame for frame in self.heard if type(frame) is kind]

    def delivered(self, log: str) -> list[tuple[int, bytes]]:
        """What was delivered of a log: seq and body."""
        runs = [run for deliver in self.got(frames.Deliver) for run in deliver.runs if run.log == log]
        return [(seq, each.body) for run in runs for seq, each in enumerate(run.envelopes, run.first)]


def post(n: int, *texts: str, to: str = "#lobby") -> Post:
    """Messages, numbered from n on."""
    return Post(n, [Item(to, "none", text.encode()) for text in texts])
