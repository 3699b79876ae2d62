"""Who may stay connected: how many, how long without a login, and with how much that is not taken."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
import zmq

from core.received import Received
from protocol import keys
from tests.transport.wires import BOUND_S, HOST, PAIR, House, asked, asks, read, until
from transport import connections, context
from transport.connections import GROWTH_BYTES, WATCH_S, Connections

Raw = Callable[..., zmq.Socket[bytes]]
Open = Callable[..., House]
Call = Callable[[], socket.socket]

STRANGER_S = 1000.0
PART_BYTES = 40_000
FLOOD_PARTS = 12_000
# A process that sends messages of many parts, each over a connection of its own and all at the same pace, and then
# stays until it is killed. ZeroMQ begins to send only when the last part is known; but until that has come, a message
# is endless to whoever receives it.
FLOOD = """
import sys, zmq
host, port, key, word, count, parts, size = sys.argv[1:]
context, part, guests = zmq.Context(), bytes(int(size)), []
for _ in range(int(count)):
    guest = context.socket(zmq.DEALER)
    guest.reconnect_ivl, guest.copy_threshold = -1, 0
    guest.curve_publickey, guest.curve_secretkey = zmq.curve_keypair()
    guest.curve_serverkey = bytes.fromhex(key)
    guest.connect(f"tcp://{host}:{port}")
    guest.send(bytes.fromhex(word))
    guests.append(guest)
sys.stdin.read(1)
for guest in guests:
    for _ in range(int(parts)):
        guest.send(part, zmq.SNDMORE, copy=False)
for guest in guests:
    guest.send(part)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """ZeroMQ itself hangs up on nobody who is slow to shake hands: only what is tested here does."""
    monkeypatch.setattr(context, "HANDSHAKE_MS", 0)


@pytest.fixture
def call(house: House) -> Iterator[Call]:
    """Connects without a word of ZeroMQ."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(socket.create_connection((HOST, house.port), BOUND_S))


@pytest.fixture
def table() -> Connections:
    """The table of the house."""
    return Connections(100, 100, False, STRANGER_S)


@pytest.fixture
def house(open_house: Open, table: Connections) -> House:
    """A house with this table."""
    return open_house(connections=table)


def over(line: socket.socket) -> bool:
    """Whether the other side has hung up."""
    line.setblocking(False)
    try:
        while line.recv(1024):
            pass
    except BlockingIOError:
        return False
    except ConnectionError:
        pass
    return True


def counted(house: House) -> int:
    """How many connections the table has now."""
    house.take()
    return len(house.router.connections._by_descriptor)


def await_count(house: House, count: int) -> None:
    """Wait until the table has so many."""
    until(lambda: counted(house) == count, house.router.monitor, house.zap.socket)


def await_end(house: House, line: socket.socket) -> None:
    """Wait until the broker has hung up."""
    until(lambda: (house.take() and False) or over(line), house.router.monitor)


# ---- strangers -----------------------------------------------------------------------------------------


def test_who_says_nothing_is_hung_up_on_after_its_time(house: House, table: Connections, call: Call) -> None:
    begun = time.monotonic()
    line = call()
    await_count(house, 1)
    table.look(begun + STRANGER_S - 1)
    assert not over(line)
    table.look(time.monotonic() + STRANGER_S)
    await_end(house, line)
    await_count(house, 0)
    assert table.due() is None


def test_who_shakes_hands_and_does_not_log_in_too(house: House, table: Connections, raw: Raw) -> None:
    house.meet(raw(zmq.DEALER, house.port))
    assert counted(house) == 1
    table.look(time.monotonic() + STRANGER_S)
    await_count(house, 0)


def test_who_has_logged_in_stays_until_it_is_nobody_again(house: House, table: Connections, raw: Raw) -> None:
    guest, other = raw(zmq.DEALER, house.port), raw(zmq.DEALER, house.port)
    peer, stranger = house.meet(guest), house.meet(other)
    table.trust(peer, True, time.monotonic())
    now = time.monotonic() + STRANGER_S
    table.look(now)
    house.lose(stranger)
    assert counted(house) == 1
    guest.send(asks([2])[0])
    assert asked(house.hear(1)) == [2]
    table.trust(peer, False, now)
    table.look(now + STRANGER_S - 1)
    house.router.send(peer, b"you have time again")
    assert read(guest) == [b"you have time again"]
    table.look(now + STRANGER_S)
    house.lose(peer)
    assert counted(house) == 0


def test_hung_up_on_by_name(house: House, table: Connections, raw: Raw) -> None:
    one, other = raw(zmq.DEALER, house.port), raw(zmq.DEALER, house.port)
    peer, reader = house.meet(one), house.meet(other)
    table.hang_up(peer)
    table.hang_up(b"nobody")
    house.lose(peer)
    assert counted(house) == 1
    house.router.send(reader, b"you stay")
    assert read(other) == [b"you stay"]


# ---- too many ------------------------------------------------------------------------------------------


@contextmanager
def callers(port: int, count: int) -> Iterator[list[socket.socket]]:
    """So many connections, one after the other."""
    with ExitStack() as stack:
        yield [stack.enter_context(socket.create_connection((HOST, port), BOUND_S)) for _ in range(count)]


@pytest.mark.parametrize(
    "table", [Connections(3, 100, False, STRANGER_S), Connections(100, 3, True, STRANGER_S)], ids=["all", "address"]
)
def test_one_too_many_is_hung_up_on_at_once(house: House, table: Connections) -> None:
    with callers(house.port, 4) as lines:
        await_end(house, lines[3])
        await_count(house, 3)
        assert [over(line) for line in lines] == [False, False, False, True]
    await_count(house, 0)
    with callers(house.port, 3) as lines:  # there is room again
        await_count(house, 3)
        assert not any(over(line) for line in lines)


@pytest.mark.parametrize("table", [Connections(100, 3, False, STRANGER_S)])
def test_this_machines_own_are_not_counted(house: House, table: Connections) -> None:
    with callers(house.port, 6) as lines:
        await_count(house, 6)
        assert not any(over(line) for line in lines)


# ---- ended ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [b"", b"x", b"GET / HTTP/1.1\r\n\r\n", bytes(100), b"\xff" + bytes(8) + b"\x7f\x03\x00CURVE" + bytes(200)],
    ids=["nothing", "a letter", "web", "zeros", "half"],
)
def test_an_end_leaves_nothing_behind(house: House, table: Connections, call: Call, said: bytes) -> None:
    line = call()
    with suppress(OSError):  # it has hung up on nonsense already
        line.sendall(said)
        line.shutdown(socket.SHUT_WR)
    await_end(house, line)
    await_count(house, 0)
    assert table.due() is None


def test_whoever_was_there_leaves_nothing_behind(house: House, table: Connections, raw: Raw) -> None:
    guests = [raw(zmq.DEALER, house.port) for _ in range(5)]
    for guest in guests:
        house.meet(guest)
    assert counted(house) == 5
    for guest in guests:
        guest.close(0)
    await_count(house, 0)
    assert table.due() is None


# ---- memory --------------------------------------------------------------------------------------------


def resident() -> int:
    """This process's memory, in bytes."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def flooder(house: House, count: int) -> Iterator[tuple[list[bytes], Callable[[], None]]]:
    """A process that has said a word over so many connections; their addresses, and what makes it begin."""
    numbers = [str(count), str(FLOOD_PARTS), str(PART_BYTES)]
    word = asks([1])[0].hex()
    command = [sys.executable, "-c", FLOOD, HOST, str(house.port), keys.raw(PAIR.public).hex(), word, *numbers]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:

        def begin() -> None:
            assert process.stdin
            process.stdin.write(b"x")
            process.stdin.flush()

        try:
            yield [event.peer for event in house.hear(count) if isinstance(event, Received)], begin
        finally:
            process.kill()


@pytest.mark.parametrize("count", [1, 16])
def test_endless_messages_are_hung_up_on_and_memory_stays_bounded(
    house: House, table: Connections, raw: Raw, count: int
) -> None:
    """Although their senders have logged in. Nobody else is."""
    guest = raw(zmq.DEALER, house.port)
    reader = house.meet(guest)
    with flooder(house, count) as (peers, begin):
        tick = time.monotonic()
        for trusted in (*peers, reader):
            table.trust(trusted, True, tick)
        table.look(tick)
        before = most = resident()
        begin()

        def one_left() -> bool:
            nonlocal tick, most
            tick += WATCH_S
            table.look(tick)
            most = max(most, resident())
            return counted(house) == 1

        until(one_left, house.router.monitor)
    assert most - before < 12 * GROWTH_BYTES  # each of them would fill more
    house.router.send(reader, b"you stay")
    assert read(guest) == [b"you stay"]


def test_who_says_much_that_is_taken_is_not_hung_up_on(house: House, table: Connections, raw: Raw) -> None:
    """Although the memory grows meanwhile, for another reason."""
    guest = raw(zmq.DEALER, house.port)
    peer = house.meet(guest)
    table.look(tick := time.monotonic() + WATCH_S)
    for _ in range(2 * connections.UNREAD_BYTES // PART_BYTES):
        guest.send(bytes(PART_BYTES))
        house.hear(1)  # no frame, but it is taken
    ballast = b"x" * (2 * GROWTH_BYTES)
    table.look(tick + WATCH_S)
    del ballast
    house.router.send(peer, b"you stay")
    assert read(guest) == [b"you stay"]
    assert counted(house) == 1
