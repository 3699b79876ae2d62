"""The broker's socket.

A send is no promise (the promise is the log): what a connection does not take at once is kept and tried again,
a few frames only; a connection that is gone, or that takes nothing, is reported as Gone, and its session with it.
"""

from __future__ import annotations

import errno
from collections import deque

import zmq
from zmq.utils.monitor import parse_monitor_message

from core.events import Event, Garbled, Gone, Received
from protocol.frames import ProtocolError, decode
from transport.context import LINGER_MS, open_monitor, set_up

# New connections that the kernel holds until we take them: 10,000 clients came in 2 s with this, in 6 to 31 s with 100.
BACKLOG = 4096
# Frames kept for one connection. Its window bounds deliveries; this bounds notices to one that does not read.
KEPT_FRAMES = 64
# While something is kept it is tried again so often: ROUTER can't be asked when one peer has room.
KEPT_RETRY_S = 0.01


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
        self._gone: dict[bytes, None] = {}
        try:
            self.port = self._bind(address, port)
        except zmq.ZMQError as error:
            self.close(0)
            raise NoAddress(
                f"can't listen on {address} port {port}: {error.strerror}; is another broker there? Choose with -a, -p"
            ) from None

    def _bind(self, address: str, port: int) -> int:
        """All addresses means both families, where the machine has both."""
        if address in ("*", "::") or ":" in address:
            self.socket.ipv6 = True
        host = f"[{address}]" if ":" in address else address
        place = "*" if port == 0 else port
        try:
            self.socket.bind(f"tcp://{host}:{place}")
        except zmq.ZMQError as error:
            if address != "*" or error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                raise
            self.socket.ipv6 = False
            self.socket.bind(f"tcp://{host}:{place}")
        endpoint = self.socket.get_string(zmq.LAST_ENDPOINT)
        return int(endpoint.rpartition(":")[2])

    # -- receiving --

    def drain(self, messages: int, size: int) -> list[Event]:
        """What has come, at most so many messages or bytes; never waits."""
        events: list[Event] = []
        receive, get, more = self.socket.recv, self.socket.getsockopt, zmq.RCVMORE
        try:
            while len(events) < messages and size > 0:
                sender = receive(zmq.NOBLOCK, copy=False)
                body = receive(zmq.NOBLOCK)
                if get(more):
                    self._skip()
                    continue
                size -= len(body)
                event = self._read(sender, body)
                if event:
                    events.append(event)
        except zmq.Again:
            pass
        return events

    def _skip(self) -> None:
        """A message of another shape is read to its end, or its rest would look like the next one."""
        while self.socket.getsockopt(zmq.RCVMORE):
            self.socket.recv(zmq.NOBLOCK)

    def _read(self, sender: zmq.Frame, body: bytes) -> Event | None:
        peer = sender.bytes
        address = self._addresses.get(peer)
        if address is None:
            if sender.get("Identity"):
                return None  # only anonymous connections: a chosen identity could be somebody else's
            address = self._meet(peer, sender)
        try:
            return Received(peer, decode(body), address)
        except ProtocolError as error:
            return Garbled(peer, str(error), error.version, address)

    def _meet(self, peer: bytes, sender: zmq.Frame) -> str:
        address = str(sender.get("Peer-Address")).removeprefix("::ffff:")
        self._addresses[peer] = address
        self._by_descriptor[int(sender.get(zmq.SRCFD))] = peer
        return address

    def disconnections(self) -> list[Event]:
        """Connections that are no more. The monitor names a descriptor, and may be late: a send makes sure."""
        try:
            while True:
                event = parse_monitor_message(self.monitor.recv_multipart(zmq.NOBLOCK))
                peer = self._by_descriptor.pop(int(event["value"]), None)
                if peer is not None:
                    self.send(peer, b"")
        except zmq.Again:
            pass
        return self._take_gone()

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
        """How soon flush() should be called again; None: nothing is kept."""
        return KEPT_RETRY_S if self._kept else None

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
