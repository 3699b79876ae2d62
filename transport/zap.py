"""ZAP (ZeroMQ RFC 27): libzmq asks who may connect, and the broker's own loop answers.

The answer's User-Id, the client's public key, then stands on each part of each frame of that connection.
"""

from __future__ import annotations

import contextlib

import zmq

from core.gate import NEVER
from core.received import Event, Knocked
from protocol import keys
from transport.context import plain_address

DOMAIN = b"restante"
_ENDPOINT = "inproc://zeromq.zap.01"
_VERSION = b"1.0"
_TEXTS = {200: b"OK", 300: b"too many, try again later", 400: b"revoked"}


class Zap:
    """One handler, bound before any socket of its context is."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        self.socket = context.socket(zmq.ROUTER)
        self.socket.linger = 0
        self.socket.rcvhwm = 0  # libzmq's I/O thread must not wait for us
        self.socket.bind(_ENDPOINT)

    def drain(self, requests: int) -> list[Event]:
        """Connections that want to be let in, at most so many; never waits."""
        events: list[Event] = []
        with contextlib.suppress(zmq.Again):
            for _ in range(requests):
                peer, _empty, _version, request, _domain, address, _id, mechanism, *credentials = (
                    self.socket.recv_multipart(zmq.NOBLOCK)
                )
                key = keys.written(credentials[0]) if mechanism == b"CURVE" else ""
                if not key:  # no socket of ours speaks anything else
                    self.answer((peer, request), key, NEVER)
                    continue
                events.append(Knocked((peer, request), key, plain_address(address.decode())))
        return events

    def answer(self, ticket: tuple[bytes, bytes], key: str, code: int) -> None:
        """Let one in (200), tell it to come back (300), or never to (400)."""
        peer, request = ticket
        self.socket.send_multipart([peer, b"", _VERSION, request, b"%d" % code, _TEXTS[code], key.encode(), b""])

    def close(self) -> None:
        """After the sockets that ask."""
        self.socket.close(0)
