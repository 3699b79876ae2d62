"""The proxy does what it is told: else a run that survives it shows nothing."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.torture.lines import ProxyLine
from tests.torture.proxy import DOWN, UP
from tests.torture.stage import HOST, PATIENCE_S, wait

SENT = bytes(range(256)) * 100
Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def far() -> Iterator[socket.socket]:
    """Where the proxy leads to."""
    with socket.create_server((HOST, 0)) as listener:
        listener.settimeout(PATIENCE_S)
        yield listener


@pytest.fixture
def proxy(tmp_path: Path, far: socket.socket) -> Iterator[ProxyLine]:
    proxy = ProxyLine(tmp_path, far.getsockname()[1])
    proxy.start()
    yield proxy
    proxy.clear()


@pytest.fixture
def ends(proxy: ProxyLine, far: socket.socket) -> Iterator[Ends]:
    """A connection through the proxy: the client's end, and the broker's."""
    with socket.create_connection((HOST, proxy.port)) as near:
        other, _ = far.accept()
        with other:
            for each in (near, other):
                each.settimeout(PATIENCE_S)
            near.sendall(b"!")
            assert other.recv(1) == b"!"  # from now on the proxy can be told to mistreat it
            yield near, other


def receive(end: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size:
        chunk = end.recv(size - len(got))
        assert chunk, f"it ended after {len(got)} bytes"
        got += chunk
    return got


def test_everything_passes_as_long_as_nothing_is_ordered(ends: Ends) -> None:
    near, other = ends
    for source, target in ((near, other), (other, near)):
        source.sendall(SENT)
        assert receive(target, len(SENT)) == SENT
    near.close()
    assert other.recv(1) == b""


@pytest.mark.parametrize("way", [UP, DOWN])
def test_a_cut_lets_a_part_pass_and_resets_both_ends(proxy: ProxyLine, ends: Ends, way: str) -> None:
    near, other = ends
    source, target = (near, other) if way == UP else (other, near)
    proxy.tell({"do": "cut", "which": 0.0, "way": way, "share": 0.5, "wait_s": 3600.0})
    wait(lambda: proxy.done("aim") == 1, "it is going to cut")
    source.sendall(b"x" * 100)
    assert receive(target, 50) == b"x" * 50
    for end in ends:
        with pytest.raises(ConnectionResetError):
            end.recv(1)
    wait(lambda: proxy.done("cut", inside=True) == 1, "the cut is counted")


def test_a_cut_of_an_idle_connection_comes_all_the_same(proxy: ProxyLine, ends: Ends, seed: int) -> None:
    proxy.cut(random.Random(seed))
    for end in ends:
        with pytest.raises(ConnectionResetError):
            end.recv(1)
    wait(lambda: proxy.done("cut", inside=False) == 1, "the cut is counted")


def test_a_stall_holds_one_way_and_not_the_other_until_it_is_over(proxy: ProxyLine, ends: Ends) -> None:
    near, other = ends
    proxy.tell({"do": "stall", "which": 0.0, "way": UP, "seconds": 3600.0})
    wait(lambda: proxy.done("stall") == 1, "the stall has begun")
    near.sendall(SENT)
    other.sendall(SENT)
    assert receive(near, len(SENT)) == SENT
    other.setblocking(False)
    with pytest.raises(BlockingIOError):
        other.recv(1)
    other.settimeout(PATIENCE_S)
    proxy.calm()
    assert receive(other, len(SENT)) == SENT


def test_a_byte_rate_is_kept(proxy: ProxyLine, ends: Ends) -> None:
    near, other = ends
    proxy.tell({"do": "slow", "which": 0.0, "way": DOWN, "seconds": 3600.0, "rate": len(SENT)})
    wait(lambda: proxy.done("slow") == 1, "the line is slow")
    began = time.monotonic()
    other.sendall(SENT)
    assert receive(near, len(SENT)) == SENT
    assert time.monotonic() - began > 0.8  # never less than a second, but for the last slice


def test_a_delay_holds_each_chunk(proxy: ProxyLine, ends: Ends) -> None:
    near, other = ends
    proxy.tell({"do": "delay", "which": 0.0, "way": UP, "seconds": 3600.0, "delay_s": 0.3})
    wait(lambda: proxy.done("delay") == 1, "the line is delayed")
    began = time.monotonic()
    near.sendall(b"x")
    assert receive(other, 1) == b"x"
    assert time.monotonic() - began > 0.25


def test_a_broker_that_is_away_takes_no_connection(proxy: ProxyLine, far: socket.socket) -> None:
    far.close()
    with socket.create_connection((HOST, proxy.port)) as near:
        near.settimeout(PATIENCE_S)
        assert near.recv(1) == b""
