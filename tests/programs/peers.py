"""The other side, spoken to without the programs' own sockets: a raw peer of the broker, and a broker that is none."""

from __future__ import annotations

import itertools
import threading
from base64 import b32encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import zmq

from protocol import frames
from protocol.passwords import AUTH_BYTES, SCHEME
from tests.programs.programs import BOUND_S, HOST

AnyFrame = TypeVar("AnyFrame", bound=frames.Frame)
_count = itertools.count(1)


class Peer:
    """A DEALER that says to the broker whatever it is told to."""

    def __init__(self, port: int, identity: bytes = b"") -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.socket = self._context.socket(zmq.DEALER)
        self.socket.linger = 0
        if identity:
            self.socket.routing_id = identity
        self.socket.connect(f"tcp://{HOST}:{port}")

    def send(self, *parts: bytes) -> None:
        """Send these parts as one message; if the broker does not take it in time, it is lost."""
        if self.socket.poll(int(BOUND_S * 1000), zmq.POLLOUT):
            self.socket.send_multipart(parts)

    def say(self, frame: frames.Frame) -> None:
        """Send a frame."""
        self.send(frames.encode(frame))

    def hear(self, kind: type[AnyFrame]) -> AnyFrame:
        """Wait for a frame of this kind, passing by all others."""
        while self.socket.poll(int(BOUND_S * 1000)):
            body = self.socket.recv()
            if body and isinstance(frame := frames.decode(body), kind):
                return frame
        raise AssertionError(f"in vain: {kind.__name__}")

    def log_in(self, account: str, reads: bool = False) -> frames.Welcome:
        """Make an account with a credential that comes from no password, and be let in."""
        device = b32encode(next(_count).to_bytes(10)).decode().lower()
        self.say(frames.Hello(1, 0, account, device, reads, {}, SCHEME, bytes(AUTH_BYTES)))
        return self.hear(frames.Welcome)

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()
        self._context.term()


@contextmanager
def pretend_broker(answer: Callable[[frames.AnyFrame], Sequence[bytes]]) -> Iterator[int]:
    """A broker that answers each frame with these parts; its port."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    router, stop, stopped = context.socket(zmq.ROUTER), context.socket(zmq.PAIR), context.socket(zmq.PAIR)
    stopped.bind("inproc://stop")
    stop.connect("inproc://stop")
    port = router.bind_to_random_port(f"tcp://{HOST}")

    def serve() -> None:
        while not stopped.poll(0):
            zmq.select([router, stopped], [], [], BOUND_S)
            while router.poll(0):
                sender, body = router.recv_multipart()
                if parts := answer(frames.decode(body)):
                    router.send_multipart([sender, *parts])
        router.close(0)
        stopped.close(0)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield port
    finally:
        stop.send(b"")
        thread.join()
        stop.close(0)
        context.term()
