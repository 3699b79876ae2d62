"""Load: very many connections from one thread, with frames packed beforehand, so that the load is not the limit.

A crowd is one ZeroMQ socket with many connections, each with the keys of its own device: to the broker they are so many
clients. That costs one descriptor for each and one poll for all, where a socket for each would cost three and a poll
that grows with them. What is spoken is the protocol of docs/PROTOCOL.md.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated

import msgspec
import zmq
from msgspec import Raw

from benchmarks.running import Running
from benchmarks.seed import Device
from protocol import frames, keys, limits

PATIENCE_S = 30.0
"""A broker that says nothing for so long has failed."""

_DELIVER, _ACCEPTED = frames.Deliver.__struct_config__.tag, frames.Accepted.__struct_config__.tag
# What comes unasked and is of no concern here.
_PASSED = {frames.Presence.__struct_config__.tag, frames.Pong.__struct_config__.tag}
# An array of three: the tag, a number of eight bytes, the items.
_POST_HEAD = frames.encode(frames.Post(2**63 - 1, []))[:3]
_PING = frames.encode(frames.Ping({}))
_number = struct.Struct(">Q").pack
# Connections that are made at once: a broker's queue of new ones is no longer.
_AT_ONCE = 100


class _Run(msgspec.Struct, array_like=True):
    log: str
    first: int
    envelopes: list[Raw]


class _Deliver(msgspec.Struct, array_like=True, tag=_DELIVER):
    runs: Annotated[list[_Run], msgspec.Meta(min_length=1)]


_decode_deliver = msgspec.msgpack.Decoder(_Deliver).decode
_decode_accepted = msgspec.msgpack.Decoder(frames.Accepted).decode


class Silence(Exception):
    """The broker did not answer, or not what was expected."""


class Member:
    """One connection of a crowd: what it has sent and what it has read."""

    __slots__ = ("accepted", "cursors", "device", "line", "post", "reads", "sent", "window")

    def __init__(self, device: Device, line: bytes, reads: bool, cursors: dict[str, int]) -> None:
        self.device, self.line, self.reads, self.cursors = device, line, reads, cursors
        self.sent = self.accepted = 0  # numbers, as the broker counts this device's sends
        self.window = limits.WINDOW_MESSAGES
        self.post = b""


class Crowd:
    """Many connections to one broker."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.socket = self._context.socket(zmq.ROUTER)
        self.socket.linger = 0
        self.socket.set_hwm(0)
        self.socket.router_mandatory = 1
        self.socket.reconnect_ivl = -1  # who was hung up on stays away: it would come back without a Hello
        self.socket.curve_serverkey = keys.raw(running.key)
        self.of: dict[bytes, Member] = {}
        self._lines = 0

    # -- coming and going --

    def connect(self, device: Device, reads: bool, cursors: dict[str, int] | None = None) -> Member:
        """Open a connection and say Hello; the Welcome comes later."""
        self._lines += 1
        line = self._lines.to_bytes(4, "big")
        member = self.of[line] = Member(device, line, reads, dict(cursors or {}))
        pair = device.pair
        self.socket.curve_publickey, self.socket.curve_secretkey = keys.raw(pair.public), pair.secret
        self.socket.setsockopt(zmq.CONNECT_ROUTING_ID, line)
        self.socket.connect(self._endpoint(line))
        hello = frames.Hello(
            limits.MAJOR_VERSION, limits.MINOR_VERSION, device.account, device.id, reads, member.cursors
        )
        self.say(member, frames.encode(hello))
        return member

    def enter(self, devices: Iterable[Device], reads: bool) -> list[Member]:
        """Log in with all of these, not too many at once."""
        members: list[Member] = []
        waiting: set[bytes] = set()
        ping_at = time.perf_counter() + limits.PING_S
        for device in devices:
            if time.perf_counter() > ping_at:  # the first must not fall silent while the last come
                ping_at += limits.PING_S
                for member in members:
                    if member.line not in waiting:
                        self.say(member, _PING)
            members.append(self.connect(device, reads))
            waiting.add(members[-1].line)
            while len(waiting) >= _AT_ONCE:
                self._welcome(waiting)
        while waiting:
            self._welcome(waiting)
        return members

    def _welcome(self, waiting: set[bytes]) -> None:
        for member, data in self.heard(PATIENCE_S):
            if data[1] == frames.Welcome.__struct_config__.tag:
                self.welcomed(member, data)
                waiting.discard(member.line)
            elif member.line in waiting or data[1] not in {_DELIVER, *_PASSED}:
                raise Silence(f"{member.device.account}: {frames.decode(data)}")

    def greet(self, member: Member) -> None:
        """Wait for a member's Welcome."""
        waiting = {member.line}
        while waiting:
            self._welcome(waiting)

    def welcomed(self, member: Member, data: bytes) -> None:
        """Take note of a Welcome: the device goes on where the broker stands."""
        welcome = frames.decode(data)
        assert isinstance(welcome, frames.Welcome)
        member.sent = member.accepted = welcome.last
        member.window = welcome.window_messages

    def part(self, member: Member) -> None:
        """Cut a connection, without a good-bye."""
        del self.of[member.line]
        self.socket.disconnect(self._endpoint(member.line))

    def _endpoint(self, line: bytes) -> str:
        """Each connection comes from another address of this machine, so that each can be cut apart from the others."""
        number = int.from_bytes(line, "big")
        source = f"127.{number // 62_500 + 1}.{number // 250 % 250}.{number % 250 + 1}"
        return f"tcp://{source}:0;127.0.0.1:{self._running.port}"

    def close(self) -> None:
        """Hang up on everything."""
        self.socket.close(0)
        self._context.term()

    # -- talking --

    def say(self, member: Member, frame: bytes) -> None:
        """Send a frame over a member's connection; Silence if that is no more."""
        try:
            self.socket.send(member.line, zmq.SNDMORE)
            self.socket.send(frame)
        except zmq.ZMQError as error:
            raise Silence(f"{member.device.account} was hung up on: {error}") from error

    def heard(self, patience_s: float) -> Iterator[tuple[Member, bytes]]:
        """What has come, with whom it is for; waits for the first. Silence if nothing comes in time."""
        if not self.socket.poll(int(patience_s * 1000)):
            raise Silence("nothing came")
        yield from self.ready()

    def ready(self) -> Iterator[tuple[Member, bytes]]:
        """What has come, without a wait."""
        receive = self.socket.recv
        try:
            for _ in range(1000):
                line = receive(zmq.NOBLOCK)
                data = receive()
                member = self.of.get(line)
                if data and member:
                    yield member, data
        except zmq.Again:
            return

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def pack_tail(to: str, pack: int, size: int) -> bytes:
    """A Post of so many messages, without its head."""
    return frames.encode([frames.Item(to, "none", b"x" * size)] * pack)


class Traffic:
    """Senders that keep their windows full, and readers that acknowledge what comes, in one loop.

    ``pack`` messages go into a frame. ``readers_window``: so many messages may be on their way to the slowest reader;
    without it senders look only at what was accepted, as clients do.
    """

    def __init__(
        self,
        crowd: Crowd,
        senders: Sequence[Member],
        readers: Sequence[Member],
        pack: int = 1,
        readers_window: int = 0,
    ) -> None:
        self._crowd, self._senders, self._readers, self._pack = crowd, senders, readers, pack
        self._readers_window = readers_window
        self._going = False
        self.posted = self.accepted = self.got = 0

    def run(self, seconds: float, deliveries: int = 1) -> None:
        """Send for so long, then wait until all is accepted, and delivered ``deliveries`` times each."""
        self._going, end = True, time.perf_counter() + seconds
        for sender in self._senders:
            self._fill(sender)
        while self.accepted < self.posted or self.got < self.posted * deliveries:
            self._turn()
            self._going = self._going and time.perf_counter() < end

    def drain(self, messages: int) -> None:
        """Read until so many messages have come."""
        while self.got < messages:
            self._turn()

    def _turn(self) -> None:
        behind: dict[bytes, Member] = {}
        for member, data in self._crowd.heard(PATIENCE_S):
            if data[1] == _DELIVER:
                self._delivered(member, data)
                behind[member.line] = member
            elif data[1] == _ACCEPTED:
                self._settled(member, data)
            elif data[1] == frames.Welcome.__struct_config__.tag:
                self._crowd.welcomed(member, data)
            elif data[1] not in _PASSED:
                raise Silence(f"{member.device.account}: {frames.decode(data)}")
        for member in behind.values():
            self._crowd.say(member, frames.encode(frames.Ack(member.cursors)))
        if behind and self._readers_window:
            for sender in self._senders:
                self._fill(sender)

    def _delivered(self, member: Member, data: bytes) -> None:
        for run in _decode_deliver(data).runs:
            self.got += len(run.envelopes)
            member.cursors[run.log] = run.first + len(run.envelopes) - 1

    def _settled(self, member: Member, data: bytes) -> None:
        said = _decode_accepted(data)
        if said.refused:
            raise Silence(f"{member.device.account}: {said.refused[0]}")
        self.accepted += said.n - member.accepted
        member.accepted = said.n
        member.window = said.window_messages or member.window
        self._fill(member)

    def _fill(self, sender: Member) -> None:
        """Post what fits the windows."""
        while self._going and sender.post:
            if sender.sent - sender.accepted + self._pack > max(sender.window, self._pack):
                return
            late = self.posted - self.got // max(1, len(self._readers))
            if self._readers_window and late + self._pack > self._readers_window:
                return
            self._crowd.say(sender, _POST_HEAD + _number(sender.sent + 1) + sender.post)
            sender.sent += self._pack
            self.posted += self._pack
