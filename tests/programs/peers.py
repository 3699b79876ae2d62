"""The other side, spoken to without the programs' own sockets: a raw peer of the broker, and a broker that is none."""

from __future__ import annotations

import itertools
import threading
from base64 import b32encode
from collections.abc import Callable, Sequence
from typing import Protocol, Self, TypeVar

import zmq

from protocol import frames, keys
from protocol.keys import KeyPair
from protocol.passwords import AUTH_BYTES, SCHEME
from tests.programs.programs import BOUND_S, HOST, Broker
from transport import curve

AnyFrame = TypeVar("AnyFrame", bound=frames.Frame)
_count = itertools.count(1)
# Pairs of free ports that are tried.
_TRIES = 100


def new_device() -> str:
    """A device's id that nobody else in this process has."""
    return b32encode(next(_count).to_bytes(10)).decode().lower()


class Place(Protocol):
    """Where a broker is, and who: a Broker of this process, or what another process was told of it."""

    port: int
    key: str


class Peer:
    """A DEALER with a pair of keys of its own that says to the broker whatever it is told to.

    ``pair``: these keys instead; ``source``: the address of this machine that it comes from; ``context``: one that it
    shares with others, when there are many.
    """

    def __init__(
        self,
        broker: Place,
        identity: bytes = b"",
        *,
        pair: KeyPair | None = None,
        source: str = "",
        context: zmq.Context[zmq.Socket[bytes]] | None = None,
    ) -> None:
        self._context = context or zmq.Context()
        self._shared = context is not None
        self.socket = self._context.socket(zmq.DEALER)
        self.socket.linger = 0
        if identity:
            self.socket.routing_id = identity
        curve.speak(self.socket, pair or curve.make_pair(), broker.key)
        self.socket.connect(f"tcp://{source and source + ':0;'}{HOST}:{broker.port}")

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
        self.say(frames.Hello(1, 0, account, new_device(), reads, {}, SCHEME, bytes(AUTH_BYTES)))
        return self.hear(frames.Welcome)

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()
        if not self._shared:
            self._context.term()


class Stage:
    """A broker's two ports without the broker: a CURVE server, and the record of its key. ``context`` is its own."""

    def __init__(self, pair: KeyPair, port: int = 0) -> None:
        self.pair = pair
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.context.linger = 0
        self.router, self.record = self.context.socket(zmq.ROUTER), self.context.socket(zmq.REP)
        self.router.curve_server, self.router.curve_secretkey = True, pair.secret
        self.port = self._bind(port)
        self._stop, self._stopped = self.context.socket(zmq.PAIR), self.context.socket(zmq.PAIR)
        self._stopped.bind("inproc://stop")
        self._stop.connect("inproc://stop")
        self._thread = threading.Thread(target=self._run)

    def _bind(self, port: int) -> int:
        """This port and the next one, or any two that are free."""
        for _ in range(1 if port else _TRIES):
            self.router.bind(f"tcp://{HOST}:{port or '*'}")
            place = self.router.get_string(zmq.LAST_ENDPOINT)
            bound = int(place.rpartition(":")[2])
            try:
                self.record.bind(f"tcp://{HOST}:{bound + 1}")
                return bound
            except zmq.ZMQError:
                self.router.unbind(place)
        raise AssertionError("no two free ports side by side")

    def sources(self) -> list[zmq.Socket[bytes]]:
        """The sockets on which something may come."""
        return [self.router]

    def serve(self, source: zmq.Socket[bytes]) -> None:
        """Something has come here."""
        raise NotImplementedError

    def _run(self) -> None:
        while not self._stopped.poll(0):
            ready, _, _ = zmq.select([*self.sources(), self.record, self._stopped], [], [], BOUND_S)
            for source in ready:
                if source is self.record:
                    self.record.recv()
                    self.record.send(keys.pack_record(self.pair.public))
                elif source is not self._stopped:
                    self.serve(source)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.send(b"")
        self._thread.join()
        for source in (*self.sources(), self.record, self._stop, self._stopped):
            source.close(0)
        self.context.term()


class PretendBroker(Stage):
    """Answers each frame with these parts."""

    def __init__(self, answer: Callable[[frames.AnyFrame], Sequence[bytes]]) -> None:
        super().__init__(curve.make_pair())
        self._answer = answer

    def serve(self, source: zmq.Socket[bytes]) -> None:
        """One frame, and the answer to it."""
        sender, body = source.recv_multipart()
        if parts := self._answer(frames.decode(body)):
            source.send_multipart([sender, *parts])


class Middle(Stage):
    """A man in the middle: relays what each client says to a real broker, with keys of his own on both sides."""

    def __init__(self, broker: Broker, port: int = 0) -> None:
        super().__init__(curve.make_pair(), port)
        self._broker = broker
        self._dealers: dict[bytes, zmq.Socket[bytes]] = {}
        self.heard: list[bytes] = []  # what clients have said to him

    def sources(self) -> list[zmq.Socket[bytes]]:
        """Both sides."""
        return [self.router, *self._dealers.values()]

    def serve(self, source: zmq.Socket[bytes]) -> None:
        """Pass it on."""
        if source is self.router:
            client, body = source.recv_multipart()
            self.heard.append(body)
            self._dealer(client).send(body)
        else:
            client = next(each for each, dealer in self._dealers.items() if dealer is source)
            self.router.send_multipart([client, *source.recv_multipart()])

    def _dealer(self, client: bytes) -> zmq.Socket[bytes]:
        if client not in self._dealers:
            dealer = self._dealers[client] = self.context.socket(zmq.DEALER)
            curve.speak(dealer, curve.make_pair(), self._broker.key)
            dealer.connect(f"tcp://{HOST}:{self._broker.port}")
        return self._dealers[client]
