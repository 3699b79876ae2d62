"""The client's socket: one connection, made anew after each loss, so that the core alone decides when to try."""

from __future__ import annotations

import zmq

from core.events import Connected, Heard, Lost
from core.received import Event
from protocol.frames import ProtocolError, decode
from protocol.keys import KeyPair
from transport import curve
from transport.context import LINGER_MS, set_up
from transport.outgoing import Outgoing


class Dealer(Outgoing):
    """One DEALER on its way to the broker whose public key is ``key``; it can be nobody else."""

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], host: str, port: int, ipv6: bool, pair: KeyPair, key: str
    ) -> None:
        super().__init__(context, zmq.DEALER)
        set_up(self.socket)
        curve.speak(self.socket, pair, key)
        self.socket.immediate = True  # nothing queues for a broker that is not there: the outbox does that
        self.connect(host, port, ipv6)

    def happened(self) -> list[Event]:
        """What became of the connection."""
        return [Lost(reason) if reason else Connected() for reason in self.reasons()]

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
        super().close(linger_ms)
