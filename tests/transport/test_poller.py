"""One wait for everything, and what ends it."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import zmq

from tests.transport.wires import BOUND_S, House, asked, asks, until
from transport.poller import Poller, Source, Waker

Raw = Callable[..., zmq.Socket[bytes]]

NUMBERS = signal.SIGUSR1, signal.SIGUSR2
# Often enough to strike within many a message.
SIGNALS_S = 0.0005
MESSAGES = 5_000


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a wire."""
    with ExitStack() as stack:
        one, other = socket.socketpair()
        yield stack.enter_context(one), stack.enter_context(other)


def waiting(*sources: Source) -> Poller:
    poller = Poller()
    for source in sources:
        poller.add(source)
    return poller


def test_sockets_and_descriptors_alike(house: House, raw: Raw, pair: tuple[socket.socket, socket.socket]) -> None:
    one, other = pair
    poller = waiting(house.router.socket, one.fileno())
    assert poller.wait(0) == []
    other.send(b"x")
    assert poller.wait(BOUND_S) == [one.fileno()]
    raw(zmq.DEALER, house.port).send(b"x")
    until(house.holds, house.zap.socket)
    assert set(poller.wait(BOUND_S)) == {one.fileno(), house.router.socket}


def test_what_was_not_read_is_said_again(pair: tuple[socket.socket, socket.socket]) -> None:
    one, other = pair
    poller = waiting(one.fileno())
    other.send(b"xyz")
    for _ in range(3):
        assert poller.wait(BOUND_S) == [one.fileno()]
        one.recv(1)
    assert poller.wait(0) == []


def test_what_was_dropped_is_not_said(pair: tuple[socket.socket, socket.socket]) -> None:
    one, other = pair
    poller = waiting(one.fileno())
    other.send(b"x")
    poller.drop(one.fileno())
    assert poller.wait(0) == []


def test_an_end_can_be_read() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    assert waiting(reading).wait(BOUND_S) == [reading]
    os.close(reading)


@pytest.mark.parametrize("seconds", [-1.0, 0, 1e-9, 0.001])
def test_a_wait_ends_by_itself(waker: Waker, seconds: float) -> None:
    assert waiting(waker.fileno()).wait(seconds) == []


def test_another_thread_ends_a_wait_without_limit(waker: Waker) -> None:
    poller = waiting(waker.fileno())
    threading.Timer(0.01, waker.wake).start()
    assert poller.wait(None) == [waker.fileno()]
    assert waker.take() == []
    assert poller.wait(0) == []


def test_too_many_wake_ups_are_no_more_than_one(waker: Waker) -> None:
    poller = waiting(waker.fileno())
    for _ in range(10_000):  # more than the wire holds
        waker.wake()
    assert poller.wait(BOUND_S) == [waker.fileno()]
    waker.take()
    assert poller.wait(0) == []


@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_ends_a_wait_without_limit(waker: Waker, number: int) -> None:
    waker.watch(NUMBERS)
    poller = waiting(waker.fileno())
    threading.Timer(0.01, os.kill, (os.getpid(), number)).start()
    assert poller.wait(None) == [waker.fileno()]
    assert waker.take() == [number]
    assert waker.take() == []
    assert poller.wait(0) == []


def test_signals_are_noted_in_their_order(waker: Waker) -> None:
    waker.watch(NUMBERS)
    said = [signal.SIGUSR2, signal.SIGUSR1, signal.SIGUSR2]
    for number in said:
        signal.raise_signal(number)
    assert waker.take() == said


def test_while_somebody_is_asked_signals_are_obeyed(waker: Waker) -> None:
    obeyed: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: obeyed.append(number))
    try:
        waker.watch(NUMBERS)
        with pytest.raises(KeyboardInterrupt), waker.obeying():
            signal.raise_signal(signal.SIGUSR1)
            raise KeyboardInterrupt
        signal.raise_signal(signal.SIGUSR1)
    finally:
        waker.close()
        noted = signal.signal(signal.SIGUSR1, before)
    assert obeyed == [signal.SIGUSR1]
    assert noted is not before  # closed, it gave back what was there


def test_closed_it_notes_nothing_more() -> None:
    before = [signal.getsignal(number) for number in NUMBERS]
    waker = Waker()
    waker.watch(NUMBERS)
    assert [signal.getsignal(number) for number in NUMBERS] != before
    waker.close()
    assert [signal.getsignal(number) for number in NUMBERS] == before
    assert signal.set_wakeup_fd(-1) == -1


def test_signals_tear_no_message(house: House, raw: Raw, waker: Waker) -> None:
    """A handler that raises strikes between two parts of a message; one that notes does not."""
    waker.watch([signal.SIGPROF])
    guest = raw(zmq.DEALER, house.port, high_water=MESSAGES)
    signal.setitimer(signal.ITIMER_PROF, SIGNALS_S, SIGNALS_S)
    try:
        came: list[int] = []
        for number, frame in enumerate(asks(range(1, MESSAGES + 1)), 1):
            guest.send(frame)
            if not number % 100:
                came += asked(house.take())
        until(lambda: came.extend(asked(house.take())) or len(came) == MESSAGES, house.router.socket)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    assert waker.take()
    assert came == list(range(1, MESSAGES + 1))
