"""Who may connect: libzmq asks, the broker's loop answers, and the client learns what became of it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress

import pytest
import zmq

from core.events import Connected, Lost
from core.received import Knocked, Received
from tests.transport.wires import BOUND_S, HOST, House, asks, gather, until
from transport import curve
from transport.dealer import Dealer

Dial = Callable[..., Dealer]


def knocks(house: House, count: int = 1) -> list[Knocked]:
    """Wait until so many want to be let in."""
    came = gather(lambda: house.zap.drain(10), lambda events: len(events) >= count, house.zap.socket)
    assert len(came) == count
    return [knock for knock in came if isinstance(knock, Knocked)]


def test_who_knocks_shows_a_key_and_an_address(house: House, dial: Dial) -> None:
    pair = curve.make_pair()
    dealer = dial(house.port, pair)
    (knock,) = knocks(house)
    assert (knock.key, knock.address) == (pair.public, HOST)
    assert dealer.happened() == []  # the connection waits for the answer


def test_the_key_stands_on_what_is_said(house: House, dial: Dial) -> None:
    for pair in (curve.make_pair(), curve.make_pair()):
        assert house.connected(dial(house.port, pair)).send(asks([1])[0])
        (word,) = house.hear(1)
        assert isinstance(word, Received)
        assert (word.key, word.address) == (pair.public, HOST)


@pytest.mark.parametrize(
    ("code", "said"),
    [(200, Connected()), (300, Lost("handshake")), (400, Lost("revoked"))],
    ids=["in", "later", "never"],
)
def test_what_the_client_learns(house: House, dial: Dial, code: int, said: Connected | Lost) -> None:
    """To come back later is not said: the handshake does not end, until its time is over."""
    dealer = dial(house.port)
    (knock,) = knocks(house)
    house.zap.answer(knock.ticket, knock.key, code)
    first, *_ = gather(dealer.happened, len, dealer.monitor)
    assert first == said
    assert dealer.send(asks([1])[0]) == (code == 200)


def test_each_knock_has_an_answer_of_its_own(house: House, dial: Dial) -> None:
    """In whichever order they are answered."""
    refused, welcome = curve.make_pair(), curve.make_pair()
    dealers = {pair.public: dial(house.port, pair) for pair in (refused, welcome)}
    for knock in reversed(knocks(house, 2)):
        house.zap.answer(knock.ticket, knock.key, 400 if knock.key == refused.public else 200)
    for pair, said in ((refused, Lost("revoked")), (welcome, Connected())):
        dealer = dealers[pair.public]
        assert gather(dealer.happened, len, dealer.monitor)[0] == said


def test_no_more_at_once_than_wanted(house: House, dial: Dial) -> None:
    pairs = [curve.make_pair() for _ in range(5)]
    for pair in pairs:
        dial(house.port, pair)
    came: list[str] = []

    def everybody() -> bool:
        some = house.zap.drain(2)
        assert len(some) <= 2
        came.extend(knock.key for knock in some if isinstance(knock, Knocked))
        return len(came) == len(pairs)

    until(everybody, house.zap.socket)
    assert sorted(came) == sorted(pair.public for pair in pairs)


def test_another_brokers_key(house: House, dial: Dial) -> None:
    """Neither side tells the other anything."""
    dealer = dial(house.port, key=curve.make_pair().public)
    first, *_ = gather(dealer.happened, len, dealer.monitor)
    assert first == Lost("handshake")
    assert house.zap.drain(10) == []
    assert not dealer.send(b"nothing leaves unencrypted")


def test_who_does_not_encrypt_does_not_even_knock(house: House) -> None:
    greeting = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
    with socket.create_connection((HOST, house.port), BOUND_S) as plain, suppress(ConnectionError):
        plain.sendall(greeting)
        while plain.recv(1024):
            pass
    assert house.zap.drain(10) == []


def test_who_claims_a_key_without_its_secret_does_not_even_knock(house: House, dial: Dial) -> None:
    claimed = curve.make_pair()._replace(secret=curve.make_pair().secret)
    dealer = dial(house.port, claimed)
    first, *_ = gather(dealer.happened, len, dealer.monitor)
    assert first == Lost("handshake")
    assert house.zap.drain(10) == []


def test_a_socket_has_no_port_without_its_rules(house: House) -> None:
    """Were there no handler, ZeroMQ would let nobody in, rather than everybody."""
    assert house.router.socket.getsockopt(zmq.ZAP_ENFORCE_DOMAIN) == 1
    assert house.router.socket.zap_domain
