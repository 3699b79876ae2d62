"""The broker's connections, seen from below: descriptors, addresses, and how much each has sent.

libzmq has no limit on connections, on how long one may stay a stranger, or on the number of parts of a message,
and no way to end one. Shutting a connection's descriptor down looks to it as if the peer had hung up.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import zmq

from core.rates import origin
from transport.context import plain_address
from transport.monitor import told

# How often the process's memory is looked at: what one peer can send in this time comes on top of its limit.
WATCH_S = 0.25
# Growth of the whole process that makes it worth while to ask which connection is the cause.
GROWTH_BYTES = 32 * 1024 * 1024
# What one connection may have sent that is not a whole message yet, or was not taken: eight windows of a client.
UNREAD_BYTES = 4 * 1024 * 1024
# ZeroMQ's, CURVE's and TCP's own bytes around one small message, at most.
WRAPPING_BYTES = 128
# Where Linux's struct tcp_info has tcpi_bytes_received. Elsewhere nobody can tell, and only the whole is limited.
_RECEIVED_OFFSET = 128
_TCP_INFO: int | None = getattr(socket, "TCP_INFO", None)
_STATM = Path("/proc/self/statm")


class Connection:
    """One accepted connection. ``trusted``: a device has logged in over it."""

    __slots__ = ("descriptor", "due", "number", "origin", "peer", "peername", "received", "taken", "unread")

    def __init__(self, descriptor: int, peername: tuple[object, ...], origin: str) -> None:
        self.descriptor = descriptor
        self.peername = peername  # which tells it from the next one with this descriptor
        self.origin = origin
        self.peer = b""  # its identity, once it has said something
        self.number = 0  # connections are counted as they are accepted
        self.due = 0.0  # while it is a stranger: the tick by which a device must have logged in
        self.taken = 0  # bytes taken from it since the watch last looked
        self.received = 0  # bytes that had come then
        self.unread = 0  # bytes of those that had not been taken then


class Connections:
    """All connections of a bound socket.

    ``most``: how many there may be; ``most_of_address``: from one address, this machine's own not counted unless
    ``local_limits``; ``stranger_s``: how long one may stay without a login.
    """

    def __init__(self, most: int, most_of_address: int, local_limits: bool, stranger_s: float) -> None:
        self._most = most
        self._most_of_address = most_of_address
        self._local_limits = local_limits
        self._stranger_s = stranger_s
        self._by_descriptor: dict[int, Connection] = {}
        self._accepted = 0
        self._by_peer: dict[bytes, Connection] = {}
        self._strangers: dict[int, Connection] = {}  # in the order in which they are due
        self._of: Counter[str] = Counter()
        self._watch_at = 0.0
        self._resident = 0

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._by_descriptor)

    # -- they come and go --

    EVENTS = zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED
    """What a socket's monitor is to tell."""

    def hear(self, monitor: zmq.Socket[bytes], tick: float) -> list[bytes]:
        """What the monitor has told; the identities of those that have ended."""
        ended = []
        for event, descriptor in told(monitor):
            if event == zmq.EVENT_ACCEPTED:
                self.accepted(descriptor, tick)
            else:
                ended.append(self.ended(descriptor))
        return ended

    def accepted(self, descriptor: int, tick: float) -> None:
        """A connection was accepted. One too many is hung up on at once."""
        self.ended(descriptor)
        with contextlib.suppress(OSError), _opened(descriptor) as line:
            peername = line.getpeername()
            here = origin(plain_address(peername[0]), self._local_limits)
            connection = Connection(descriptor, peername, here)
            self._accepted += 1
            connection.number = self._accepted
            self._by_descriptor[descriptor] = connection
            self._of[here] += 1
            self._await(connection, tick)
            crowded = here and self._of[here] > self._most_of_address
            if crowded or len(self._by_descriptor) > self._most:
                _shut(line)

    def ended(self, descriptor: int) -> bytes:
        """The connection with this descriptor is no more; its identity, b"" if it never said anything."""
        connection = self._by_descriptor.pop(descriptor, None)
        if connection is None:
            return b""
        self._strangers.pop(descriptor, None)
        self._by_peer.pop(connection.peer, None)
        self._of[connection.origin] -= 1
        if not self._of[connection.origin]:
            del self._of[connection.origin]
        return connection.peer

    def met(self, descriptor: int, peer: bytes) -> bytes:
        """A connection has said something for the first time; who had this descriptor before, b"" if nobody."""
        connection = self._by_descriptor.get(descriptor)
        if connection is None:
            return b""
        before, connection.peer = connection.peer, peer
        self._by_peer.pop(before, None)
        self._by_peer[peer] = connection
        return before if before != peer else b""

    def number(self, peer: bytes) -> int:
        """Which connection this is, counted as they were accepted; 0 if nobody knows."""
        connection = self._by_peer.get(peer)
        return connection.number if connection else 0

    def took(self, peer: bytes, size: int) -> None:
        """So many bytes were taken from it."""
        connection = self._by_peer.get(peer)
        if connection:
            connection.taken += size + WRAPPING_BYTES

    # -- strangers --

    def trust(self, peer: bytes, trusted: bool, tick: float) -> None:
        """A device has logged in over it; or is no longer."""
        connection = self._by_peer.get(peer)
        if connection is None:
            return
        self._strangers.pop(connection.descriptor, None)
        if not trusted:
            self._await(connection, tick)

    def _await(self, connection: Connection, tick: float) -> None:
        connection.due = tick + self._stranger_s
        self._strangers[connection.descriptor] = connection

    def hang_up(self, peer: bytes) -> None:
        """End this connection."""
        connection = self._by_peer.get(peer)
        if connection:
            self._hang_up(connection)

    def _hang_up(self, connection: Connection) -> None:
        with contextlib.suppress(OSError), _opened(connection.descriptor) as line:
            if line.getpeername() == connection.peername:
                _shut(line)

    # -- looked at from time to time --

    def due(self) -> float | None:
        """The tick at which to call look(); None: there is nobody to look at."""
        first = next(iter(self._strangers.values()), None)
        if first is not None:
            return min(first.due, self._watch_at)
        return self._watch_at if self._by_descriptor else None

    def look(self, tick: float) -> None:
        """Hang up on strangers whose time is over, and on whoever fills the memory."""
        for connection in list(self._strangers.values()):
            if connection.due > tick:
                break
            self._await(connection, tick)  # until the monitor says that it has ended
            self._hang_up(connection)
        if tick >= self._watch_at:
            self._watch_at = tick + WATCH_S
            self._watch()

    def _watch(self) -> None:
        """Parts of an endless message, and whatever else is not taken, lie in memory that no other limit counts."""
        now = resident()
        self._resident = min(self._resident or now, now)
        if now - self._resident < GROWTH_BYTES or _TCP_INFO is None:
            return
        self._resident = now
        for connection in list(self._by_descriptor.values()):
            received = _received(connection)
            # Kept from one look to the next: many together may each send too little at a time to stand out.
            unread = connection.unread + received - connection.received - connection.taken
            connection.received, connection.taken, connection.unread = received, 0, max(0, unread)
            if unread > UNREAD_BYTES:
                self._hang_up(connection)


@contextlib.contextmanager
def _opened(descriptor: int) -> Iterator[socket.socket]:
    """The same connection under a descriptor of our own: ZeroMQ may close its one at any moment."""
    line = socket.socket(fileno=os.dup(descriptor))
    try:
        yield line
    finally:
        line.close()


def _shut(line: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the peer was faster
        line.shutdown(socket.SHUT_RDWR)


def _received(connection: Connection) -> int:
    """How many bytes have come over a connection; 0 if it is no more."""
    assert _TCP_INFO is not None
    with contextlib.suppress(OSError, struct.error), _opened(connection.descriptor) as line:
        info = line.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _RECEIVED_OFFSET + 8)
        return int(struct.unpack_from("=Q", info, _RECEIVED_OFFSET)[0])
    return 0


def resident() -> int:
    """The process's memory, in bytes; 0 where nobody can tell."""
    try:
        return int(_STATM.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
