"""The broker's socket.

A send is no promise (the promise is the log): what a connection does not take at once is kept and tried again,
a few frames only; a connection that is gone, or that takes nothing, is reported as Gone, and its session with it.
"""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import zmq

from core.events import Garbled, Gone
from core.received import Event, Received
from protocol.errors import Told
from protocol.frames import ProtocolError, decode
from protocol.keys import KeyPair
from transport import curve, zap
from transport.connections import Connections
from transport.context import LINGER_MS, endpoint, open_monitor, plain_address, set_up
from transport.keyrecord import KeyRecord

# New connections that the kernel holds until we take them: 10,000 clients came in 2 s with this, in 6 to 31 s with 100.
BACKLOG = 4096
# Frames kept for one connection. Its window bounds deliveries; this bounds notices to one that does not read.
KEPT_FRAMES = 64
# While something is kept it is tried again so often: ROUTER can't be asked when one peer has room.
KEPT_RETRY_S = 0.01
# So often a connection that seems to be over is asked once more: the monitor hears of the end before the socket does.
SUSPECT_TRIES = 100
# A frame from so many bytes on lies in memory once, however many it is sent to.
SHARED_BYTES = 1024
# Connections that took nothing any more, and of which frames may still lie in the socket: those are not theirs who come
# next, though they have the same descriptor.
LEFT_PEERS = 10_000
# What clients get to hang up by themselves when the broker ends: ZeroMQ drops what a peer has not read by then.
FAREWELL_S = 0.5
# Pairs of free ports that are tried when any will do.
PORT_TRIES = 100

# As plain numbers: to join an enumeration's members costs as much as to send a short frame.
_AT_ONCE, _AND_MORE = int(zmq.NOBLOCK), int(zmq.NOBLOCK | zmq.SNDMORE)


class NoAddress(Told):
    """The address can't be had."""


class Peer(NamedTuple):
    """Who is behind an identity."""

    key: str  # its public key, as people read it
    address: str
    connection: int  # its number


class Router:
    """One bound ROUTER, and beside it the port that tells its public key. The port of a Router is ``port``."""

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        address: str,
        port: int,
        pair: KeyPair,
        connections: Connections,
    ) -> None:
        self.socket = context.socket(zmq.ROUTER)
        set_up(self.socket)
        curve.serve(self.socket, pair, zap.DOMAIN)
        self.socket.router_mandatory = True
        self.socket.backlog = BACKLOG
        self.monitor = open_monitor(context, self.socket, Connections.EVENTS)
        self.record = KeyRecord(context, pair.public)
        self.connections = connections
        self._peers: dict[bytes, Peer] = {}
        self._kept: dict[bytes, deque[bytes]] = {}
        self._shared: dict[int, tuple[bytes, zmq.Frame]] = {}  # by id(): a frame of this turn, as ZeroMQ has it
        self._suspects: dict[bytes, int] = {}  # connections that may be over → how often to ask yet
        self._gone: dict[bytes, None] = {}
        self._left: dict[bytes, None] = {}  # connections that are over, the latest last
        try:
            self.port = self._bind(address, port)
        except BaseException:
            self.close(0)
            raise

    def _bind(self, address: str, port: int) -> int:
        """The port, and the one behind it for the key; any free pair if it is 0."""
        for tries in range(1 if port else PORT_TRIES, 0, -1):
            place = self._listen(address, port)
            bound = int(place.rpartition(":")[2])
            try:
                self.record.bind(address, bound + 1, ipv6=bool(self.socket.ipv6))
                return bound
            except zmq.ZMQError as error:
                self.socket.unbind(place)
                if tries == 1:
                    raise _no_address(address, bound + 1, error) from None
        raise AssertionError("the last try returns or raises")

    def _listen(self, address: str, port: int) -> str:
        """All addresses means both families, where the machine has both."""
        self.socket.ipv6 = address == "*" or ":" in address
        place = endpoint(address, port or "*")
        try:
            self.socket.bind(place)
        except zmq.ZMQError as error:
            if address != "*" or error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                raise _no_address(address, port, error) from None
            self.socket.ipv6 = False
            self.socket.bind(place)
        return self.socket.get_string(zmq.LAST_ENDPOINT)

    # -- receiving --

    def drain(self, messages: int, size: int) -> list[Event]:
        """What has come, at most so many messages or bytes; never waits."""
        events: list[Event] = []
        receive = self.socket.recv
        try:
            for _ in range(messages):  # whatever they are: nobody holds up the others by saying nonsense
                if size <= 0:
                    break
                peer = receive(_AT_ONCE)
                body = receive(_AT_ONCE, copy=False)  # it knows whose it is, and whether more follows
                length = len(body)
                size -= length
                if body.more:
                    size -= self._skip(peer)
                elif event := self._read(peer, body, length):
                    events.append(event)
        except zmq.Again:
            pass
        return events

    def _skip(self, peer: bytes) -> int:
        """A message of another shape is read to its end, or its rest would look like the next one; its bytes."""
        size = 0
        while self.socket.getsockopt(zmq.RCVMORE):
            size += len(self.socket.recv(_AT_ONCE))
        self.connections.took(peer, size)
        return size

    def _read(self, peer: bytes, body: zmq.Frame, size: int) -> Event | None:
        if peer in self._left:
            return None
        known = self._peers.get(peer)
        if known is None or known.key != body.get("User-Id"):
            known = self._meet(peer, body)
            if known is None:
                return None
        self.connections.took(peer, size)
        try:
            return Received(peer, decode(body.bytes), known.address, known.key, known.connection, size)
        except ProtocolError as error:
            return Garbled(peer, str(error), error.version, known.address, known.key)

    def _meet(self, peer: bytes, body: zmq.Frame) -> Peer | None:
        """Somebody speaks for the first time; None if it has chosen its identity, which could be somebody else's."""
        if body.get("Identity"):
            return None
        descriptor = int(body.get(zmq.SRCFD))
        self._suspect(self.connections.met(descriptor, peer))  # whoever had the descriptor before
        address = plain_address(str(body.get("Peer-Address")))
        self._peers[peer] = Peer(str(body.get("User-Id")), address, self.connections.number(peer))
        return self._peers[peer]

    # -- connections --

    @property
    def sources(self) -> tuple[zmq.Socket[bytes], ...]:
        """What to wait on."""
        return self.socket, self.monitor, self.record.socket, self.record.monitor

    def happened(self, tick: float) -> list[Event]:
        """Connections that are no more.

        The monitor is ahead of the socket, which may hold what was said before the end. So a send must show that a
        connection is gone, not necessarily the first one.
        """
        for peer in self.connections.hear(self.monitor, tick):
            self._suspect(peer)
        self.connections.look(tick)
        self.record.look(tick)
        for peer, tries in list(self._suspects.items()):
            self._suspects[peer] = tries - 1
            self._try(peer, b"")
            if tries <= 1:
                self._suspects.pop(peer, None)
        return self._take_gone()

    def due(self) -> float | None:
        """The tick at which to call happened() though nothing happens; None: there is nobody to look at."""
        dues = (self.connections.due(), self.record.connections.due())
        return min((due for due in dues if due is not None), default=None)

    def _suspect(self, peer: bytes) -> None:
        if peer in self._peers:
            self._suspects[peer] = SUSPECT_TRIES

    def part(self, clock: Callable[[], float]) -> None:
        """Let clients read what was said last and hang up by themselves: what they have not read dies with us."""
        end = clock() + FAREWELL_S
        while self._peers and (left := end - clock()) > 0:
            self.flush()
            self.monitor.poll(int(1000 * min(left, self.retry_s or left)))
            self.happened(clock())

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
        self._shared.clear()
        return self._take_gone()

    @property
    def retry_s(self) -> float | None:
        """How soon flush() and happened() should be called again; None: when something happens."""
        return KEPT_RETRY_S if self._kept or self._suspects else None

    def _try(self, peer: bytes, frame: bytes) -> bool:
        try:
            self.socket.send(peer, _AND_MORE)
            if len(frame) < SHARED_BYTES:
                self.socket.send(frame, _AT_ONCE)
            else:
                self.socket.send(self._share(frame), _AT_ONCE, copy=False)
        except zmq.Again:
            return False
        except zmq.ZMQError as error:
            if error.errno != errno.EHOSTUNREACH:
                raise
            self._lose(peer)
            self._left[peer] = None
            if len(self._left) > LEFT_PEERS:
                del self._left[next(iter(self._left))]
        return True

    def _share(self, frame: bytes) -> zmq.Frame:
        shared = self._shared.get(id(frame))
        if shared is None:
            shared = self._shared[id(frame)] = frame, zmq.Frame(frame, copy=True)
        return shared[1]

    def _lose(self, peer: bytes) -> None:
        self._kept.pop(peer, None)
        self._suspects.pop(peer, None)
        self._peers.pop(peer, None)
        self._gone[peer] = None

    def _take_gone(self) -> list[Event]:
        gone, self._gone = self._gone, {}
        return [Gone(peer) for peer in gone]

    def close(self, linger_ms: int = LINGER_MS) -> None:
        """Let what was sent leave, for a moment, and close."""
        self.record.close()
        self.socket.disable_monitor()
        self.monitor.close(0)
        self.socket.close(linger_ms)


def _no_address(address: str, port: int, error: zmq.ZMQError) -> NoAddress:
    why = zmq.strerror(error.errno or 0)
    return NoAddress(
        "can't listen on {address} port {port}: {why}; is another broker there? Choose with -a, -p",
        address=address,
        port=port,
        why=why,
    )
