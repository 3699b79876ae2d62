"""The client's socket: one connection, made anew after each loss, so that the core alone decides when to try."""

from __future__ import annotations

import zmq
from zmq.utils.monitor import parse_monitor_message

from core.events import Connected, Heard, Lost
from core.received import Event
from protocol.frames import ProtocolError, decode
from transport.context import LINGER_MS, endpoint, open_monitor, set_up

# A connection attempt that takes longer has failed.
CONNECT_MS = 5_000

_EVENTS: dict[int, str | None] = {
    zmq.EVENT_CONNECT_DELAYED: None,
    zmq.EVENT_HANDSHAKE_SUCCEEDED: None,
    zmq.EVENT_CLOSED: "refused",
    zmq.EVENT_DISCONNECTED: "cut",
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: "no-restante",
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: "no-restante",
    zmq.EVENT_HANDSHAKE_FAILED_AUTH: "no-restante",
}


class Dealer:
    """One DEALER on its way to a broker."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], host: str, port: int, ipv6: bool) -> None:
        self.socket = context.socket(zmq.DEALER)
        set_up(self.socket)
        self.socket.immediate = True  # nothing queues for a broker that is not there: the outbox does that
        self.socket.reconnect_ivl = -1
        self.socket.connect_timeout = CONNECT_MS
        self.socket.ipv6 = ipv6
        self.monitor = open_monitor(context, self.socket, sum(_EVENTS))
        try:
            self.socket.connect(endpoint(host, port))
        except zmq.ZMQError:
            self.close(0)
            raise

    def happened(self) -> list[Event]:
        """What became of the connection."""
        events: list[Event] = []
        try:
            while True:
                event = int(parse_monitor_message(self.monitor.recv_multipart(zmq.NOBLOCK))["event"])
                if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                    events.append(Connected())
                elif reason := _EVENTS.get(event):
                    events.append(Lost(reason))
        except zmq.Again:
            pass
        return events

    def drain(self, messages: int) -> list[Event]:
        """What the broker has said, at most so many frames; never waits."""
        events: list[Event] = []
        try:
            for _ in range(messages):
                body = self.socket.recv(zmq.NOBLOCK)
                if self.socket.getsockopt(zmq.RCVMORE):
                    while self.socket.getsockopt(zmq.RCVMORE):
                        self.socket.recv(zmq.NOBLOCK)
                elif body:  # an empty part only asks whether we are here
                    events.append(Heard(decode(body)))
        except zmq.Again:
            pass
        except ProtocolError:
            events.append(Lost("no-restante"))
        return events

    def send(self, frame: bytes) -> bool:
        """Whether it could be handed to the connection. That is no promise: only Accepted is."""
        try:
            self.socket.send(frame, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def close(self, linger_ms: int = LINGER_MS) -> None:
        """Let a good-bye leave, for a moment, and close."""
        self.socket.disable_monitor()
        self.monitor.close(0)
        self.socket.close(linger_ms)
