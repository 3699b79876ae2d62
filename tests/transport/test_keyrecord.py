"""The second port, which tells the broker's public key to whoever asks, and nothing else."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import msgspec
import pytest
import zmq

from core.events import NotOffered, Offered
from core.received import Event
from protocol import keys
from tests.transport.wires import BOUND_S, HOST, PAIR, Context, House, gather, read, until
from transport.keyrecord import KeyQuestion

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
