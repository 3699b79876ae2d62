"""The broker's public key, told to whoever asks: a second port beside the broker's, the only one that is not encrypted.

What comes from there proves nothing. A client believes it once, on first use, and remembers it; or was given the key
and never asks.
"""

from __future__ import annotations

import contextlib

import zmq

from core.events import NotOffered, Offered
from core.received import Event
from protocol import keys
from transport.connections import Connections
from transport.context import HANDSHAKE_MS, endpoint, open_monitor
from transport.outgoing import Outgoing

# Questions answered in one turn: nobody may keep the loop busy with them.
TURN_QUESTIONS = 100
# Questions that wait: more are dropped, and asked again.
_HIGH_WATER = 64
_QUESTION = b"key"
# Connections that ask at the same time, and how long one may take: a question and its answer take two round trips.
ASKERS = 256
ASKER_S = 5.0


class KeyRecord:
    """One bound REP socket with one answer."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], key: str) -> None:
        self.socket = context.socket(zmq.REP)
        self.socket.linger = 0
        self.socket.maxmsgsize = keys.RECORD_BYTES
        self.socket.sndhwm = self.socket.rcvhwm = _HIGH_WATER
        self.socket.handshake_ivl = HANDSHAKE_MS
        self.monitor = open_monitor(context, self.socket, Connections.EVENTS)
        self.connections = Connections(ASKERS, ASKERS, local_limits=False, stranger_s=ASKER_S)
        self._record = keys.pack_record(key)

    def bind(self, address: str, port: int, ipv6: bool) -> None:
        """Listen; zmq.ZMQError if that can't be."""
        self.socket.ipv6 = ipv6
        self.socket.bind(endpoint(address, port))

    def answer(self) -> None:
        """Answer what was asked, whatever it was."""
        with contextlib.suppress(zmq.Again):
            for _ in range(TURN_QUESTIONS):
                self.socket.recv_multipart(zmq.NOBLOCK)
                self.socket.send(self._record, zmq.NOBLOCK)

    def look(self, tick: float) -> None:
        """Hang up on whoever stays longer than it takes to ask, or sends without end."""
        self.connections.hear(self.monitor, tick)
        self.connections.look(tick)

    def close(self) -> None:
        """Answer nobody any more."""
        self.socket.disable_monitor()
        self.monitor.close(0)
        self.socket.close(0)


class KeyQuestion(Outgoing):
    """A client's question for the key, to the port behind the broker's."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], host: str, port: int, ipv6: bool) -> None:
        super().__init__(context, zmq.REQ)
        self.socket.maxmsgsize = keys.RECORD_BYTES
        self.connect(host, port + 1, ipv6)
        self.socket.send(_QUESTION, zmq.NOBLOCK)

    def drain(self, messages: int) -> list[Event]:
        """The answer, once it has come."""
        try:
            return [Offered(keys.unpack_record(self.socket.recv_multipart(zmq.NOBLOCK)[0]))]
        except zmq.Again:
            return []
        except keys.BadKey:
            return [NotOffered("no-restante")]

    def happened(self) -> list[Event]:
        """That there will be no answer."""
        return [NotOffered(reason) for reason in self.reasons() if reason]
