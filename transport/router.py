"""The broker's socket.

A send is no promise (the promise is the log): what a connection does not take at once is kept and tried again,
a few frames only; a connection that is gone, or that takes nothing, is reported as Gone, and its session with it.
"""

from __future__ import annotations

import errno
from collections import deque

import zmq
from zmq.utils.monitor import parse_monitor_message

from core.events import Garbled, Gone
from core.received import Event, Received
from protocol.frames import ProtocolError, decode
from transport.context import LINGER_MS, endpoint, open_monitor, set_up

# New connections that the kernel holds until we take them: 10,000 clients came in 2 s with this, in 6 to 31 s with 100.
BACKLOG = 4096
# Frames kept for one connection. Its window bounds deliveries; this bounds notices to one that does not read.
KEPT_FRAMES = 64
# While something is kept it is tried again so often: ROUTER can't be asked when one peer has room.
KEPT_RETRY_S = 0.01
# So often a connection that seems to be over is asked once more: the monitor hears of the end before the socket does.
SUSPECT_TRIES = 100


class NoAddress(Exception):
    """The address can't be had; its text is the sentence for the operator."""


class Router:
    """One bound ROUTER. ``endpoint`` is where it listens."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], address: str, port: int) -> None:
        self.socket = context.socket(zmq.ROUTER)
        set_up(self.socket)
        self.socket.router_mandatory = True
        self.socket.backlog = BACKLOG
        self.monitor = open_monitor(context, self.socket, zmq.EVENT_DISCONNECTED)
        self._addresses: dict[bytes, str] = {}
        self._by_descriptor: dict[int, bytes] = {}
        self._kept: dict[bytes, deque[bytes]] = {}
        self._suspects: dict[bytes, int] = {}  # connections that may be over → how often to ask yet
        self._gone: dict[bytes, None] = {}
        try:
            self.port = self._bind(address, port)
        except zmq.ZMQError as error:
            self.close(0)
            why = zmq.strerror(error.errno or 0)
            raise NoAddress(
                f"can't listen on {address} port {port}: {why}; is another broker there? Choose with -a, -p"
            ) from None

    def _bind(self, address: str, port: int) -> int:
        """All addresses means both families, where the machine has both."""
        if address in ("*", "::") or ":" in address:
            self.socket.ipv6 = True
        place = endpoint(address, port or "*")
        try:
            self.socket.bind(place)
        except zmq.ZMQError as error:
            if address != "*" or error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                raise
            self.socket.ipv6 = False
            self.socket.bind(place)
        return int(self.socket.get_string(zmq.LAST_ENDPOINT).rpartition(":")[2])

    # -- receiving --

    def drain(self, messages: int, size: int) -> list[Event]:
        """What has come, at most so many messages or bytes; never waits."""
        events: list[Event] = []
        receive, get, more = self.socket.recv, self.socket.getsockopt, zmq.RCVMORE
        try:
            for _ in range(messages):  # whatever they are: nobody holds up the others by saying nonsense
                if size <= 0:
                    break
                sender = receive(zmq.NOBLOCK, copy=False)
                body = receive(zmq.NOBLOCK)
                size -= len(body)
                if get(more):
                    size -= self._skip()
                elif event := self._read(sender, body):
                    events.append(event)
        except zmq.Again:
            pass
        return events

    def _skip(self) -> int:
        """A message of another shape is read to its end, or its rest would look like the next one; its bytes."""
        size = 0
        while self.socket.getsockopt(zmq.RCVMORE):
            size += len(self.socket.recv(zmq.NOBLOCK))
        return size

    def _read(self, sender: zmq.Frame, body: bytes) -> Event | None:
        peer = sender.bytes
        address = self._addresses.get(peer)
        if address is None:
            if not _is_anonymous(sender):
                return None  # a chosen identity could be somebody else's
            address = self._meet(peer, sender)
        try:
            return Received(peer, decode(body), address)
        except ProtocolError as error:
            return Garbled(peer, str(error), error.version, address)

    def _meet(self, peer: bytes, sender: zmq.Frame) -> str:
        address = str(sender.get("Peer-Address")).removeprefix("::ffff:")
        descriptor = int(sender.get(zmq.SRCFD))
        self._suspect(descriptor)  # whoever had it before
        self._addresses[peer] = address
        self._by_descriptor[descriptor] = peer
        return address

    def disconnections(self) -> list[Event]:
        """Connections that are no more.

        The monitor names a descriptor, which may be another connection's by now; and it may be ahead of the socket.
        So a send must show it, not necessarily the first one.
        """
        try:
            while True:
                self._suspect(int(parse_monitor_message(self.monitor.recv_multipart(zmq.NOBLOCK))["value"]))
        except zmq.Again:
            pass
        for peer, tries in list(self._suspects.items()):
            self._suspects[peer] = tries - 1
            self._try(peer, b"")
            if tries <= 1:
                self._suspects.pop(peer, None)
        return self._take_gone()

    def _suspect(self, descriptor: int) -> None:
        peer = self._by_descriptor.get(descriptor)
        if peer in self._addresses:
            self._suspects[peer] = SUSPECT_TRIES

    # -- sending --

    def send(self, peer: bytes, frame: bytes) -> None:
        """Send a frame, or keep it for a moment."""
        kept = self._kept.get(peer)
        if kept is None:
            if not self._try(peer, frame):
                self._kept[peer] = deque([frame])
        elif len(kept) < KEPT_FRAMES:
            kept.append(frame)
        else:
            self._lose(peer)

    def flush(self) -> list[Event]:
        """Try again what was kept; report the connections that are gone."""
        for peer, kept in list(self._kept.items()):
            while kept and self._try(peer, kept[0]):
                kept.popleft()
            if not kept:
                self._kept.pop(peer, None)
        return self._take_gone()

    @property
    def retry_s(self) -> float | None:
        """How soon flush() and disconnections() should be called again; None: when something happens."""
        return KEPT_RETRY_S if self._kept or self._suspects else None

    def _try(self, peer: bytes, frame: bytes) -> bool:
        try:
            self.socket.send(peer, zmq.NOBLOCK | zmq.SNDMORE)
            self.socket.send(frame, zmq.NOBLOCK)
        except zmq.Again:
            return False
        except zmq.ZMQError as error:
            if error.errno != errno.EHOSTUNREACH:
                raise
            self._lose(peer)
        return True

    def _lose(self, peer: bytes) -> None:
        self._kept.pop(peer, None)
        self._suspects.pop(peer, None)
        self._addresses.pop(peer, None)
        self._gone[peer] = None

    def _take_gone(self) -> list[Event]:
        gone, self._gone = self._gone, {}
        return [Gone(peer) for peer in gone]

    def close(self, linger_ms: int = LINGER_MS) -> None:
        """Let what was sent leave, for a moment, and close."""
        self.socket.disable_monitor()
        self.monitor.close(0)
        self.socket.close(linger_ms)


def _is_anonymous(sender: zmq.Frame) -> bool:
    """Whether a connection left its identity to us. One that speaks an older ZMTP does not say, so it did not."""
    try:
        return not sender.get("Identity")
    except zmq.ZMQError:
        return False
