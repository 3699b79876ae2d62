"""Each test has a context of its own. It must end: a socket left open, or unsent frames, would hold it for ever."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import zmq

from tests.transport.wires import BOUND_S, HOST, Context, House
from transport.context import make_context
from transport.dealer import Dealer
from transport.poller import Waker
from transport.router import Router


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
def house(context: Context) -> Iterator[House]:
    """The broker's socket on a free port."""
    house = House(Router(context, HOST, 0))
    yield house
    house.router.close(0)


@pytest.fixture
def waker() -> Iterator[Waker]:
    """A waker that has gone when the test is over, and signals are obeyed again."""
    waker = Waker()
    yield waker
    waker.close()


@pytest.fixture
def dial(context: Context) -> Iterator[Callable[[int], Dealer]]:
    """Makes the client's socket, on its way to a port."""
    with ExitStack() as stack:

        def dial(port: int) -> Dealer:
            dealer = Dealer(context, HOST, port, ipv6=False)
            stack.callback(dealer.close, 0)
            return dealer

        yield dial


@pytest.fixture
def raw(context: Context) -> Iterator[Callable[..., zmq.Socket[bytes]]]:
    """Makes a plain socket that connects to a port, or listens if there is none."""
    with ExitStack() as stack:

        def raw(kind: int, port: int = 0, identity: bytes = b"", high_water: int = 1000) -> zmq.Socket[bytes]:
            socket = context.socket(kind)
            stack.callback(socket.close, 0)
            socket.sndhwm = socket.rcvhwm = high_water
            if identity:
                socket.routing_id = identity
            if port:
                socket.connect(f"tcp://{HOST}:{port}")
            else:
                socket.bind(f"tcp://{HOST}:*")
            return socket

        yield raw
