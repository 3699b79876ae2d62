"""The client's socket: one connection, and what became of it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import pytest
import zmq

from core.events import Connected, Heard, Lost
from core.received import Event, Received
from protocol import limits
from protocol.frames import AskWho, Quit, encode
from tests.transport.wires import BOUND_S, HOST, PAIR, Context, House, asked, asks, connected, gather, read, until
from transport import curve
from transport.dealer import Dealer

Dial = Callable[..., Dealer]
Open = Callable[..., House]
Raw = Callable[..., zmq.Socket[bytes]]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port that takes connections and knows nothing of ZeroMQ."""
    with socket.create_server((HOST, 0)) as listener:
        listener.settimeout(BOUND_S)
        yield listener


def free_port() -> int:
    """A port on which nobody listens."""
    with closing(socket.create_server((HOST, 0))) as listener:
        return int(listener.getsockname()[1])


def port_of(router: zmq.Socket[bytes]) -> int:
    return int(router.get_string(zmq.LAST_ENDPOINT).rpartition(":")[2])


def what_became(dealer: Dealer) -> list[Event]:
    """Wait until the connection is lost; all that was said of it."""
    return gather(dealer.happened, lambda events: any(isinstance(event, Lost) for event in events), dealer.monitor)


def met(dealer: Dealer, router: zmq.Socket[bytes]) -> bytes:
    """Let the broker know where to write to."""
    assert connected(dealer).send(asks([1])[0])
    return read(router)[0]


# ---- the connection ------------------------------------------------------------------------------------


def test_both_hear_one_another(house: House, dial: Dial) -> None:
    dealer = house.connected(dial(house.port))
    assert dealer.send(asks([5])[0])
    (word,) = house.hear(1)
    assert isinstance(word, Received)
    assert asked([word]) == [5]
    house.router.send(word.peer, asks([6])[0])
    assert asked(gather(lambda: dealer.drain(10), len, dealer.socket)) == [6]
    assert dealer.happened() == []


def test_a_handshake_is_all_it_takes(house: House, dial: Dial) -> None:
    house.connected(dial(house.port))  # which shows what happened, and nothing else


def test_nobody_there(dial: Dial) -> None:
    dealer = dial(free_port())
    assert what_became(dealer) == [Lost("refused")]
    assert not dealer.send(b"nothing queues for a broker that is not there")


def test_the_broker_goes(house: House, dial: Dial) -> None:
    dealer = house.connected(dial(house.port))
    house.close()
    house.zap.close()  # ZeroMQ ends a connection only when its question for admission has ended too
    assert Lost("cut") in what_became(dealer)
    until(lambda: not dealer.send(b"x"))  # the monitor hears of the end before the socket does


@pytest.mark.parametrize(
    "greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n" * 10, bytes(100)], ids=["web", "shell", "zeros"]
)
def test_somebody_else_listens(listener: socket.socket, dial: Dial, greeting: bytes) -> None:
    dealer = dial(listener.getsockname()[1])
    connection, _ = listener.accept()
    with connection, suppress(OSError):  # it may have hung up on us already
        connection.sendall(greeting)
        connection.shutdown(socket.SHUT_WR)
    events = what_became(dealer)
    assert Connected() not in events


def test_somebody_who_hangs_up_at_once(listener: socket.socket, dial: Dial) -> None:
    dealer = dial(listener.getsockname()[1])
    listener.accept()[0].close()
    assert Connected() not in what_became(dealer)


def test_a_host_that_is_none(context: Context) -> None:
    with pytest.raises(zmq.ZMQError):
        Dealer(context, "no host", 7777, False, PAIR, PAIR.public)


def test_the_newer_family(context: Context, open_house: Open) -> None:
    host = "::1" if socket.has_dualstack_ipv6() else HOST
    house = open_house(host)
    dealer = house.connected(Dealer(context, host, house.port, True, curve.make_pair(), PAIR.public))
    assert dealer.send(asks([1])[0])
    (word,) = house.hear(1)
    assert isinstance(word, Received)
    assert word.address == host
    dealer.close(0)


def test_only_the_core_makes_it_come_back_and_under_no_name_of_its_own(dial: Dial, house: House) -> None:
    dealer = dial(house.port)
    assert (dealer.socket.reconnect_ivl, dealer.socket.routing_id) == (-1, b"")


def test_a_good_bye_still_leaves(house: House, context: Context) -> None:
    dealer = house.connected(Dealer(context, HOST, house.port, False, curve.make_pair(), PAIR.public))
    assert dealer.send(encode(Quit()))
    dealer.close()
    word, *_ = gather(house.take, len, house.router.socket)
    assert isinstance(word, Received)
    assert word.frame == Quit()


def test_the_context_ends_though_the_broker_does_not_read(context: Context, raw: Raw) -> None:
    deaf = raw(zmq.ROUTER, high_water=1)
    dealer = connected(Dealer(context, HOST, port_of(deaf), False, curve.make_pair(), PAIR.public))
    while dealer.send(bytes(16_384)):
        pass
    dealer.close()


# ---- what is heard -------------------------------------------------------------------------------------


def heard_after(dealer: Dealer, router: zmq.Socket[bytes], *messages: list[bytes]) -> list[Event]:
    """Let the broker say all this, and a last word; what was heard."""
    peer = met(dealer, router)
    for message in [*messages, [asks([99])[0]]]:
        router.send_multipart([peer, *message])
    last = Heard(AskWho(99))
    return gather(lambda: dealer.drain(10), lambda events: last in events, dealer.socket)[:-1]


@pytest.mark.parametrize(
    "message", [[b""], asks([1, 2]), [b"", b"", b""], asks(range(1, 101))], ids=["hello", "2", "empty", "100"]
)
def test_what_is_passed_over(raw: Raw, dial: Dial, message: list[bytes]) -> None:
    router = raw(zmq.ROUTER)
    assert heard_after(dial(port_of(router)), router, message) == []


def test_what_is_no_frame(raw: Raw, dial: Dial) -> None:
    router = raw(zmq.ROUTER)
    assert heard_after(dial(port_of(router)), router, [b"\xc1"]) == [Lost("no-restante")]


def test_no_more_messages_at_once_than_wanted(raw: Raw, dial: Dial) -> None:
    router = raw(zmq.ROUTER)
    dealer = dial(port_of(router))
    peer = met(dealer, router)
    for ask in asks(range(1, 8)):
        router.send_multipart([peer, ask])
    events: list[Event] = []

    def everything() -> bool:
        some = dealer.drain(2)
        events.extend(some)
        assert len(some) <= 2
        return len(events) == 7

    until(everything, dealer.socket)
    assert asked(events) == list(range(1, 8))


def test_a_part_too_large_cuts_the_connection(raw: Raw, dial: Dial) -> None:
    router = raw(zmq.ROUTER)
    dealer = dial(port_of(router))
    router.send_multipart([met(dealer, router), bytes(limits.PART_BYTES + 1)])
    assert what_became(dealer) == [Lost("cut")]
    assert dealer.drain(10) == []
