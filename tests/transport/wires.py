"""What the tests of the sockets share: waiting for what a socket brings, within a bound."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TypeVar

import zmq

from core.events import Gone, Heard
from core.received import Event, Received
from protocol.frames import AskWho, encode
from transport.dealer import Dealer
from transport.poller import Poller, Source
from transport.router import Router

HOST = "127.0.0.1"
# Only what hangs takes so long, however slow the machine is.
BOUND_S = 60.0
# So often a socket is looked at although it says nothing, as what it says may have been seen already.
LOOK_S = 0.01

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


class House:
    """The broker's end: a Router, read as the broker's loop reads it."""

    def __init__(self, router: Router) -> None:
        self.router = router
        self.port = router.port

    def take(self) -> list[Event]:
        """One look: what has come, then who has gone."""
        return [*self.router.drain(1000, 1 << 20), *self.router.flush(), *self.router.disconnections()]

    def hear(self, count: int) -> list[Event]:
        """Wait for so many things that happen."""
        return gather(self.take, lambda events: len(events) >= count, self.router.socket, self.router.monitor)

    def meet(self, socket: zmq.Socket[bytes], number: int = 1) -> bytes:
        """Let somebody say a first word; the return address."""
        socket.send(asks([number])[0])
        (word,) = self.hear(1)
        assert isinstance(word, Received)
        return word.peer

    def lose(self, peer: bytes) -> list[Event]:
        """Wait until this one has gone; all that happened meanwhile."""
        return gather(self.take, lambda events: Gone(peer) in events, self.router.socket, self.router.monitor)


def connected(dealer: Dealer) -> Dealer:
    """Wait for the connection to stand."""
    assert gather(dealer.happened, len, dealer.monitor)
    return dealer


def read(socket: zmq.Socket[bytes]) -> list[bytes]:
    """Wait for one message; an empty one only asks whether we are here."""
    while socket.poll(int(BOUND_S * 1000)):
        message = socket.recv_multipart()
        if message != [b""]:
            return message
    raise AssertionError("in vain")
