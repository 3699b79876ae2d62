"""What the tests of the sockets share: waiting for what a socket brings, within a bound."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TypeVar

import zmq

from core.events import Connected, Gone, Heard
from core.received import Event, Knocked, Received
from protocol.frames import AskWho, encode
from transport import curve
from transport.connections import Connections
from transport.dealer import Dealer
from transport.poller import Poller, Source
from transport.router import Router
from transport.zap import Zap

HOST = "127.0.0.1"
# Only what hangs takes so long, however slow the machine is.
BOUND_S = 60.0
# So often a socket is looked at although it says nothing, as what it says may have been seen already.
LOOK_S = 0.01
# The keys of whoever listens.
PAIR = curve.make_pair()

Context = zmq.Context[zmq.Socket[bytes]]
Thing = TypeVar("Thing")


def until(found: Callable[[], Thing], *sources: Source) -> Thing:
    """Look again whenever one of these can be read, until there is something."""
    poller = Poller()
    for source in sources:
        poller.add(source)
    end = time.monotonic() + BOUND_S
    while not (thing := found()):
        assert time.monotonic() < end, "in vain"
        poller.wait(LOOK_S)
    return thing


def gather(take: Callable[[], list[Event]], enough: Callable[[list[Event]], object], *sources: Source) -> list[Event]:
    """Take until it is enough; all that came."""
    events: list[Event] = []

    def found() -> bool:
        events.extend(take())
        return bool(enough(events))

    until(found, *sources)
    return events


def asks(numbers: Iterable[int]) -> list[bytes]:
    """Frames that can be told apart by their number."""
    return [encode(AskWho(number)) for number in numbers]


def asked(events: Iterable[Event]) -> list[int]:
    """The numbers of those that came, at either end."""
    return [event.frame.ask for event in events if isinstance(event, Received | Heard)]


def roomy() -> Connections:
    """A table that nobody is too many for."""
    return Connections(10_000, 10_000, False, 10 * BOUND_S)


class House:
    """The broker's end: a Router and who lets in, read as the broker's loop reads them."""

    def __init__(self, router: Router, zap: Zap) -> None:
        self.router = router
        self.zap = zap
        self.port = router.port
        self._closed = False

    def admit(self) -> list[Event]:
        """Let everybody in; only what has happened to connections."""
        knocks = self.zap.drain(1000)
        happened = self.router.happened(time.monotonic())  # who knocks has been accepted
        for knock in knocks:
            assert isinstance(knock, Knocked)
            self.zap.answer(knock.ticket, knock.key, 200)
        return happened

    def take(self) -> list[Event]:
        """One look: what has come, then who has gone; and whoever knocks comes in."""
        frames = self.router.drain(1000, 1 << 20)
        return [*frames, *self.router.flush(), *self.admit()]

    def holds(self) -> bool:
        """Whether something has come that nobody has taken."""
        self.admit()
        return bool(self.router.socket.poll(0))

    def close(self, linger_ms: int = 0) -> None:
        """End it, once."""
        if not self._closed:
            self._closed = True
            self.router.close(linger_ms)

    def hear(self, count: int) -> list[Event]:
        """Wait for so many things that happen."""
        return gather(self.take, lambda events: len(events) >= count, *self._sources())

    def meet(self, socket: zmq.Socket[bytes], number: int = 1) -> bytes:
        """Let somebody say a first word; the return address."""
        socket.send(asks([number])[0])
        (word,) = self.hear(1)
        assert isinstance(word, Received)
        return word.peer

    def lose(self, peer: bytes) -> list[Event]:
        """Wait until this one has gone; all that happened meanwhile."""
        return gather(self.take, lambda events: Gone(peer) in events, *self._sources())

    def _sources(self) -> list[Source]:
        return [self.router.socket, self.router.monitor, self.zap.socket]

    def connected(self, dealer: Dealer) -> Dealer:
        """Let this one in, and wait for its connection to stand."""
        return connected(dealer, self.admit)


def connected(dealer: Dealer, meanwhile: Callable[[], object] = bool) -> Dealer:
    """Wait for the connection to stand."""

    def happened() -> list[Event]:
        meanwhile()
        return dealer.happened()

    assert gather(happened, len, dealer.monitor) == [Connected()]
    return dealer


def read(socket: zmq.Socket[bytes]) -> list[bytes]:
    """Wait for one message; an empty one only asks whether we are here."""
    while socket.poll(int(BOUND_S * 1000)):
        message = socket.recv_multipart()
        if message != [b""]:
            return message
    raise AssertionError("in vain")
