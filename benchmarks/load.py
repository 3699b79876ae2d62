"""Load for the benchmarks: raw DEALER sockets with frames packed beforehand, so that the load is not the limit.

A sender keeps a window of unconfirmed messages on the way; a receiver acknowledges what comes. Both speak the real
protocol of docs/PROTOCOL.md, and each runs in a process of its own.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from typing import NamedTuple, TypeVar

import zmq

from protocol import frames, limits, names, passwords
from transport import curve

POLL_MS = 10_000


Kind = TypeVar("Kind", bound=frames.Frame)


class Silence(Exception):
    """The broker did not answer in time."""


class Place(NamedTuple):
    """Where a broker is, and which key it has."""

    port: int
    key: str


class Peer:
    """One logged-in connection."""

    def __init__(self, place: Place, name: str, device: str, reads: bool) -> None:
        self.socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.set_hwm(4096)
        curve.speak(self.socket, curve.make_pair(), place.key)
        self.socket.connect(f"tcp://127.0.0.1:{place.port}")
        self.name = name
        hello = frames.Hello(limits.MAJOR_VERSION, limits.MINOR_VERSION, name, device, reads, {})
        self.socket.send(frames.encode(hello))
        unproven = self.expect(frames.Unproven)
        hello.scheme, hello.credential = (
            passwords.SCHEME,
            passwords.derive("benchmark", names.key(name), unproven.broker),
        )
        self.socket.send(frames.encode(hello))
        self.welcome = self.expect(frames.Welcome)

    def heard(self) -> Iterator[frames.AnyFrame]:
        """What has come; waits for the first."""
        if not self.socket.poll(POLL_MS):
            raise Silence(self.name)
        try:
            while True:
                data = self.socket.recv(zmq.NOBLOCK)
                if data:  # an empty part only asks whether we are here
                    yield frames.decode(data)
        except zmq.Again:
            return

    def expect(self, kind: type[Kind]) -> Kind:
        """The next frame of a kind; others are passed by."""
        while True:
            for frame in self.heard():
                if isinstance(frame, kind):
                    return frame


class Sent(NamedTuple):
    """What a sender measured."""

    messages: int
    seconds: float


def send(place: Place, to: str, messages: int, pack: int, size: int) -> Sent:
    """Post so many messages, ``pack`` to a frame, with a full window; until the last is accepted."""
    peer = Peer(place, "sender", "s" * 16, reads=False)
    item = frames.Item(to, "none", b"x" * size)
    start, posted, accepted = peer.welcome.last, 0, 0
    posts = [frames.encode(frames.Post(start + 1 + n, [item] * pack)) for n in range(0, messages, pack)]
    began = time.perf_counter()
    while accepted < messages:
        while posted < messages and posted - accepted + pack <= limits.WINDOW_MESSAGES:
            peer.socket.send(posts[posted // pack])
            posted += pack
        for frame in peer.heard():
            if isinstance(frame, frames.Accepted):
                accepted = frame.n - start
    return Sent(messages, time.perf_counter() - began)


def receive(peer: Peer, messages: int) -> Iterator[frames.Envelope]:
    """So many envelopes of everything that this account reads, acknowledged as they come."""
    got = 0
    while got < messages:
        cursors: dict[str, int] = {}
        for frame in peer.heard():
            if isinstance(frame, frames.Deliver):
                for run in frame.runs:
                    got += len(run.envelopes)
                    cursors[run.log] = run.first + len(run.envelopes) - 1
                    yield from run.envelopes
        if cursors:
            peer.socket.send(frames.encode(frames.Ack(cursors)))


def pace(place: Place, to: str, rate: int, seconds: float) -> list[float]:
    """Post at a fixed rate, whatever the broker does; for each message the time from when it was due to Accepted.

    Counting from when a message was due, not from when it left, keeps a stalled broker from hiding its stall.
    """
    peer = Peer(place, "sender", "s" * 16, reads=False)
    start, total = peer.welcome.last, int(rate * seconds)
    began = time.perf_counter() + 0.1
    due = [began + index / rate for index in range(total)]
    took: list[float] = []
    posted = 0
    while len(took) < total:
        while posted < total and due[posted] <= time.perf_counter():
            body = struct.pack("d", due[posted])
            peer.socket.send(frames.encode(frames.Post(start + posted + 1, [frames.Item(to, "none", body)])))
            posted += 1
        wait = due[posted] - time.perf_counter() if posted < total else POLL_MS / 1000
        if peer.socket.poll(max(0, int(wait * 1000))):
            for frame in peer.heard():
                if isinstance(frame, frames.Accepted):
                    now = time.perf_counter()
                    took += [now - when for when in due[len(took) : frame.n - start]]
        elif posted == total:
            raise Silence(peer.name)
    return took
