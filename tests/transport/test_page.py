"""The port where one page lies: for honest scrapers, and for those who are slow, rude, or too many."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.transport.wires import BOUND_S, HOST
from transport.page import PLACES, REQUEST_BYTES, PagePort
from transport.poller import Poller
from transport.router import NoAddress

KIND = "text/plain; version=0.0.4"
ASKED = b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n"


class Serving:
    """A loop with nothing but the port in it, in a thread: what a test does itself may block."""

    def __init__(self, page: bytes) -> None:
        self.port = PagePort(HOST, 0, "/metrics")
        self.page = page
        self._over, self._end = socket.socketpair()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        poller = Poller()
        poller.add(self.port.source)
        poller.add(self._end.fileno())
        while self._end.fileno() not in poller.wait(None):
            for line in self.port.drain():
                self.port.answer(line, KIND, self.page)

    def close(self) -> None:
        self._over.close()
        self._thread.join(BOUND_S)
        self.port.close()
        self._end.close()


@pytest.fixture
def serving() -> Iterator[Serving]:
    serving = Serving(b"up 1\n")
    yield serving
    serving.close()


@pytest.fixture
def dial(serving: Serving) -> Iterator[Callable[[], socket.socket]]:
    """Connects to it."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(socket.create_connection((HOST, serving.port.port), BOUND_S))


def all_of(line: socket.socket) -> bytes:
    """What comes until it is over; an end without good manners is one, too."""
    got = b""
    try:
        while some := line.recv(65536):
            got += some
    except ConnectionResetError:
        pass
    return got


def status(line: socket.socket) -> int:
    return int(all_of(line).split(b" ", 2)[1])


def test_an_honest_client_gets_the_page(serving: Serving) -> None:
    for _ in range(3):
        client = http.client.HTTPConnection(HOST, serving.port.port, BOUND_S)
        client.request("GET", "/metrics?now")
        answer = client.getresponse()
        assert (answer.status, answer.getheader("Content-Type"), answer.read()) == (200, KIND, b"up 1\n")
        client.close()


def test_a_large_page_comes_whole(serving: Serving, dial: Callable[[], socket.socket]) -> None:
    """Far larger than a broker's: what the kernel takes at once is enough for it."""
    serving.page = b"x" * 100_000
    line = dial()
    line.sendall(ASKED)
    assert all_of(line).endswith(b"\r\n\r\n" + serving.page)


def test_a_request_may_come_in_pieces(dial: Callable[[], socket.socket]) -> None:
    line, other = dial(), dial()
    for sign in ASKED[:-1]:
        line.sendall(bytes([sign]))
    other.sendall(ASKED)
    assert status(other) == 200, "nobody waits for it"
    line.sendall(ASKED[-1:])
    assert status(line) == 200


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"POST /metrics HTTP/1.1\r\n\r\n", 405),
        (b"GET / HTTP/1.1\r\n\r\n", 404),
        (b"GET /metrics\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
        (b"\xff\x00 /metrics \xff\n\n", 400),
        (b"GET /metrics HTTP/1.0\n\n", 200),
        (b"x" * (REQUEST_BYTES + 1), 431),
    ],
)
def test_whatever_is_said_is_answered(dial: Callable[[], socket.socket], said: bytes, code: int) -> None:
    line = dial()
    line.sendall(said)
    assert status(line) == code


def test_who_says_nothing_keeps_nobody_out(dial: Callable[[], socket.socket]) -> None:
    """The longest there gives way: first the silent ones, each in its turn."""
    silent = [dial() for _ in range(PLACES)]
    for _ in range(2):
        line = dial()
        line.sendall(ASKED)
        assert status(line) == 200
    assert all_of(silent[0]) == b""


def test_who_goes_away_in_the_middle_is_forgotten(serving: Serving, dial: Callable[[], socket.socket]) -> None:
    for _ in range(2 * PLACES):
        line = dial()
        line.sendall(ASKED[:10])
        line.close()
    line = dial()
    line.sendall(ASKED)
    assert status(line) == 200


def test_a_place_that_is_taken(serving: Serving) -> None:
    with pytest.raises(NoAddress, match=r"can't serve /metrics on 127\.0\.0\.1 port"):
        PagePort(HOST, serving.port.port, "/metrics")


@pytest.mark.parametrize(("address", "place"), [(HOST, "127.0.0.1"), ("*", "*"), ("::1", "[::1]")])
def test_it_says_where_it_is(address: str, place: str) -> None:
    try:
        port = PagePort(address, 0, "/metrics")
    except NoAddress:
        assert address == "::1", "only this one may be missing"
        return
    assert port.place == f"http://{place}:{port.port}/metrics"
    port.close()
