"""The second port, which tells the broker's public key to whoever asks, and nothing else."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import msgspec
import pytest
import zmq

from core.events import NotOffered, Offered
from core.received import Event
from protocol import keys
from tests.transport.wires import BOUND_S, HOST, LOOK_S, PAIR, Context, House, gather, read, until
from transport.connections import GROWTH_BYTES
from transport.keyrecord import ASKER_S, KeyQuestion

Ask = Callable[[int], KeyQuestion]
Speak = Callable[[int], zmq.Socket[bytes]]


@pytest.fixture
def ask(context: Context) -> Iterator[Ask]:
    """Asks the port behind this one."""
    with ExitStack() as stack:

        def ask(port: int) -> KeyQuestion:
            question = KeyQuestion(context, HOST, port, False)
            stack.callback(question.close)
            return question

        yield ask


@pytest.fixture
def speak(context: Context) -> Iterator[Speak]:
    """A socket of this kind that does not encrypt."""
    with ExitStack() as stack:

        def speak(kind: int) -> zmq.Socket[bytes]:
            plain = context.socket(kind)
            stack.callback(plain.close, 0)
            return plain

        yield speak


def answer_to(question: KeyQuestion, meanwhile: Callable[[], object] = bool) -> list[Event]:
    """Wait for the answer, or for the news that there is none."""

    def take() -> list[Event]:
        meanwhile()
        return [*question.drain(1), *question.happened()]

    return gather(take, len, question.socket, question.monitor)


def listening(plain: zmq.Socket[bytes]) -> int:
    """Listen; the port before it, where a broker would be."""
    return plain.bind_to_random_port(f"tcp://{HOST}") - 1


def test_the_key_is_told(house: House, ask: Ask) -> None:
    assert answer_to(ask(house.port), house.router.record.answer) == [Offered(PAIR.public)]


def test_everybody_is_told_in_turn(house: House, ask: Ask) -> None:
    questions = [ask(house.port) for _ in range(5)]
    for question in questions:
        assert answer_to(question, house.router.record.answer) == [Offered(PAIR.public)]


@pytest.mark.parametrize("said", [[b""], [b"key", b"and", b"more"], [b"\xc1" * 64]], ids=["empty", "parts", "other"])
def test_whatever_is_asked_the_answer_is_the_same(house: House, speak: Speak, said: list[bytes]) -> None:
    asker = speak(zmq.REQ)
    asker.connect(f"tcp://{HOST}:{house.port + 1}")
    asker.send_multipart(said)

    def answered() -> int:
        house.router.record.answer()
        return asker.poll(0)

    until(answered, house.router.record.socket)
    assert keys.unpack_record(read(asker)[0]) == PAIR.public


def test_a_long_question_has_no_answer_and_others_have(house: House, speak: Speak, ask: Ask) -> None:
    asker = speak(zmq.REQ)
    asker.connect(f"tcp://{HOST}:{house.port + 1}")
    asker.send(bytes(keys.RECORD_BYTES + 1))
    assert answer_to(ask(house.port), house.router.record.answer) == [Offered(PAIR.public)]
    assert not asker.poll(0)


KEY = bytes(range(32))
RECORD = {"v": 1, "key": KEY}


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\xc1",
        b"HTTP/1.1 200 OK",
        keys.written(KEY).encode(),
        msgspec.msgpack.encode(RECORD | {"v": 2}),
        msgspec.msgpack.encode(RECORD | {"key": bytes(31)}),
        msgspec.msgpack.encode({"v": 1}),
        msgspec.msgpack.encode(RECORD)[:-1],
    ],
    ids=["empty", "none", "web", "letters", "later", "short", "nothing", "torn"],
)
def test_what_is_no_record(speak: Speak, ask: Ask, said: bytes) -> None:
    other = speak(zmq.REP)
    question = ask(listening(other))
    assert read(other) == [b"key"]
    other.send(said)
    assert answer_to(question) == [NotOffered("no-restante")]


def test_a_long_answer_is_not_even_read(speak: Speak, ask: Ask) -> None:
    other = speak(zmq.REP)
    question = ask(listening(other))
    read(other)
    other.send(bytes(keys.RECORD_BYTES + 1))
    assert answer_to(question) == [NotOffered("cut")]


def test_nobody_there(ask: Ask) -> None:
    with closing(socket.create_server((HOST, 0))) as listener:
        port = int(listener.getsockname()[1])
    assert answer_to(ask(port - 1)) == [NotOffered("refused")]


@pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(100)], ids=["", "web", "zeros"])
def test_somebody_else_listens(ask: Ask, greeting: bytes) -> None:
    with socket.create_server((HOST, 0)) as listener:
        listener.settimeout(BOUND_S)
        question = ask(listener.getsockname()[1] - 1)
        connection, _ = listener.accept()
        with connection:
            connection.sendall(greeting)
        events = answer_to(question)
    assert all(isinstance(event, NotOffered) for event in events)


def test_a_port_whose_neighbour_is_taken_is_not_had(house: House) -> None:
    """Without a number any free pair will do; both belong to the broker then."""
    for port in (house.port, house.port + 1):
        with pytest.raises(OSError, match="in use"), closing(socket.create_server((HOST, port))):
            pass


# ---- memory --------------------------------------------------------------------------------------------


FLOOD_PARTS = 600_000  # of RECORD_BYTES each, and as much again around them in ZeroMQ's memory
# A process that asks over and over, each time in a question that does not end, and stays until it is killed.
FLOOD = """
import sys, zmq
host, port, count, parts, size = sys.argv[1], *map(int, sys.argv[2:])
context, part, askers = zmq.Context(), bytes(size), []
for _ in range(count):
    asker = context.socket(zmq.DEALER)
    asker.reconnect_ivl, asker.sndhwm = -1, 0
    asker.connect(f"tcp://{host}:{port}")
    asker.send(b"", zmq.SNDMORE)
    askers.append(asker)
for asker in askers:
    for _ in range(parts):
        asker.send(part, zmq.SNDMORE)
for asker in askers:
    asker.send(part)
print("begun", flush=True)
sys.stdin.read()
"""


def resident() -> int:
    """This process's memory, in bytes."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def flood(port: int, count: int) -> Iterator[None]:
    """So many connections whose questions have no end, until this is over."""
    numbers = [str(number) for number in (port, count, FLOOD_PARTS, keys.RECORD_BYTES)]
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", FLOOD, HOST, *numbers], stdin=pipe, stdout=pipe) as process:
        try:
            assert process.stdout and process.stdout.readline() == b"begun\n"
            yield
        finally:
            process.kill()


@pytest.mark.parametrize("count", [1, 4])
def test_questions_without_end_are_hung_up_on_and_memory_stays_bounded(house: House, ask: Ask, count: int) -> None:
    """By the watch: their time is not over, for the clock that is told here hardly moves between two looks."""
    record = house.router.record
    begun = tick = time.monotonic()
    record.look(tick)
    before = most = resident()
    met: set[object] = set()
    with flood(house.port + 1, count):

        def over() -> bool:
            nonlocal tick, most
            record.answer()
            record.connections._watch_at = tick = tick + ASKER_S / 1e6
            record.look(tick)
            most = max(most, resident())
            here = record.connections._by_descriptor
            met.update(connection.peername for connection in here.values())
            return len(met) == count and not here

        until(over, record.monitor)
    assert tick < begun + ASKER_S
    assert most - before < 8 * GROWTH_BYTES
    assert answer_to(ask(house.port), record.answer) == [Offered(PAIR.public)]


# How somebody without encryption begins in ZMTP 3, a REQ here.
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(16 + 1 + 31)
READY = b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03REQ"


@contextmanager
def introduced(port: int) -> Iterator[socket.socket]:
    """A plain connection on which the handshake is done, in step."""
    with socket.create_connection((HOST, port), BOUND_S) as line, line.makefile("rb") as heard:
        for said in (GREETING, READY):
            line.sendall(said)
            assert len(heard.read(len(said))) == len(said)
        yield line


def test_a_question_that_is_written_by_hand_is_answered(house: House) -> None:
    with introduced(house.port + 1) as line:
        line.sendall(b"\x01\x00" + b"\x00\x03key")
        line.settimeout(LOOK_S)
        heard = bytearray()

        def answered() -> bool:
            house.router.record.answer()
            with suppress(TimeoutError):
                heard.extend(line.recv(1024))
            return heard.endswith(keys.pack_record(PAIR.public))

        until(answered, house.router.record.socket)


@pytest.mark.parametrize("size", [keys.RECORD_BYTES + 1, 1 << 16, 1 << 31, 1 << 62])
def test_a_question_that_claims_to_be_large_is_cut_off_at_once(house: House, ask: Ask, size: int) -> None:
    """Before any of it has come, and its memory is not even asked for."""
    before = resident()
    with introduced(house.port + 1) as line, suppress(ConnectionError):
        line.sendall(b"\x01\x00" + b"\x02" + size.to_bytes(8))
        while line.recv(1024):
            pass
    assert resident() - before < GROWTH_BYTES
    assert answer_to(ask(house.port), house.router.record.answer) == [Offered(PAIR.public)]
