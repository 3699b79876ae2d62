"""Each test has a context of its own. It must end: a socket left open, or unsent frames, would hold it for ever."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import zmq

from protocol.keys import KeyPair
from tests.transport.wires import BOUND_S, HOST, PAIR, Context, House, roomy
from transport import curve
from transport.connections import Connections
from transport.context import make_context
from transport.dealer import Dealer
from transport.poller import Waker
from transport.router import Router
from transport.zap import Zap


@pytest.fixture
def context() -> Iterator[Context]:
    """A context, and a watch on its end."""
    context = make_context()
    yield context
    gc.collect()  # a socket that nobody closed complains now
    end = threading.Thread(target=context.term, daemon=True)
    end.start()
    end.join(BOUND_S)
    assert not end.is_alive(), "the context does not end"


@pytest.fixture
def zap(context: Context) -> Iterator[Zap]:
    """Who says which connections may stand."""
    zap = Zap(context)
    yield zap
    zap.close()


@pytest.fixture
def open_house(context: Context, zap: Zap) -> Iterator[Callable[..., House]]:
    """Makes the broker's socket, on a free port."""
    with ExitStack() as stack:

        def open_house(address: str = HOST, connections: Connections | None = None) -> House:
            house = House(Router(context, address, 0, PAIR, connections or roomy()), zap)
            stack.callback(house.close)
            return house

        yield open_house


@pytest.fixture
def house(open_house: Callable[..., House]) -> House:
    """The broker's socket."""
    return open_house()


@pytest.fixture
def waker() -> Iterator[Waker]:
    """A waker that has gone when the test is over, and signals are obeyed again."""
    waker = Waker()
    yield waker
    waker.close()


@pytest.fixture
def dial(context: Context) -> Iterator[Callable[..., Dealer]]:
    """Makes the client's socket, on its way to a port."""
    with ExitStack() as stack:

        def dial(port: int, pair: KeyPair | None = None, key: str = PAIR.public) -> Dealer:
            dealer = Dealer(context, HOST, port, False, pair or curve.make_pair(), key)
            stack.callback(dealer.close, 0)
            return dealer

        yield dial


@pytest.fixture
def raw(context: Context) -> Iterator[Callable[..., zmq.Socket[bytes]]]:
    """Makes a socket that connects to a port, or listens if there is none: encrypted, but without rules."""
    with ExitStack() as stack:

        def raw(kind: int, port: int = 0, identity: bytes = b"", high_water: int = 1000) -> zmq.Socket[bytes]:
            socket = context.socket(kind)
            stack.callback(socket.close, 0)
            socket.sndhwm = socket.rcvhwm = high_water
            socket.reconnect_ivl = -1  # an end is an end
            if identity:
                socket.routing_id = identity
            if port:
                curve.speak(socket, curve.make_pair(), PAIR.public)
                socket.connect(f"tcp://{HOST}:{port}")
            else:
                socket.curve_server = True
                socket.curve_secretkey = PAIR.secret
                socket.bind(f"tcp://{HOST}:*")
            return socket

        yield raw
