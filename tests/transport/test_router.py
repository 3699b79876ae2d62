"""The broker's socket: who may speak, what is kept for whom, and how the end of a connection shows."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import zmq

from core.events import Garbled, Gone
from core.received import Event, Received
from protocol import keys, limits
from protocol.frames import Quit, encode
from tests.transport.wires import BOUND_S, HOST, PAIR, Context, House, asked, asks, read, roomy, until
from transport.context import LINGER_MS
from transport.dealer import Dealer
from transport.router import KEPT_FRAMES, NoAddress, Router

Raw = Callable[..., zmq.Socket[bytes]]
Open = Callable[..., House]

ROOT = Path(__file__).resolve().parents[2]
# A process that says one word to a port, and stays until it is killed.
GUEST = """
import sys, zmq
guest = zmq.Context().socket(zmq.DEALER)
guest.curve_publickey, guest.curve_secretkey = zmq.curve_keypair()
guest.curve_serverkey = bytes.fromhex(sys.argv[3])
guest.connect(f"tcp://{sys.argv[1]}:{sys.argv[2]}")
guest.send(bytes.fromhex(sys.argv[4]))
sys.stdin.read()
"""
# A process that prints the first return address it gives out.
HOST_PROCESS = """
import zmq
from transport import curve
from transport.connections import Connections
from transport.context import make_context
from transport.router import Router
from transport.zap import Zap
context, pair = make_context(), curve.make_pair()
zap = Zap(context)
router = Router(context, "127.0.0.1", 0, pair, Connections(9, 9, False, 99))
guest = context.socket(zmq.DEALER)
curve.speak(guest, curve.make_pair(), pair.public)
guest.connect(f"tcp://127.0.0.1:{router.port}")
guest.send(b"")
zap.socket.poll()
(knock,) = zap.drain(9)
zap.answer(knock.ticket, knock.key, 200)
print(router.socket.recv_multipart()[0].hex())
router.close(0)
guest.close(0)
zap.close()
context.term()
"""

# ---- who speaks ----------------------------------------------------------------------------------------


def test_a_frame_comes_with_its_speaker_and_from_where(house: House, raw: Raw) -> None:
    one, other = raw(zmq.DEALER, house.port), raw(zmq.DEALER, house.port)
    addresses = {house.meet(one), house.meet(other)}
    assert len(addresses) == 2
    one.send(asks([7])[0])
    (word,) = house.hear(1)
    assert isinstance(word, Received)
    assert (word.peer in addresses, word.frame.ask, word.address) == (True, 7, HOST)


def test_on_all_addresses_an_old_address_looks_old(open_house: Open, raw: Raw) -> None:
    house = open_house("*")
    raw(zmq.DEALER, house.port).send(asks([1])[0])
    (word,) = house.hear(1)
    assert isinstance(word, Received)
    assert word.address == HOST


def test_fresh_processes_give_out_different_first_addresses() -> None:
    command = [sys.executable, "-c", HOST_PROCESS]
    started = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    addresses = [process.communicate(timeout=BOUND_S)[0].strip() for process in started]
    assert [process.returncode for process in started] == [0] * 3
    assert all(addresses)
    assert len(set(addresses)) == 3


def test_who_chose_an_identity_is_not_heard(house: House, raw: Raw) -> None:
    raw(zmq.DEALER, house.port, identity=b"chosen").send_multipart([asks([1])[0]])
    until(house.holds, house.zap.socket)  # it is there
    assert house.take() == []
    raw(zmq.DEALER, house.port).send(asks([2])[0])
    assert asked(house.hear(1)) == [2]


def test_who_speaks_an_older_zmtp_is_hung_up_on(house: House) -> None:
    """It could have chosen an identity, and there is no telling; and it can't encrypt."""
    signature, dealer, identity, ask = b"\xff" + bytes(8) + b"\x7f", b"\x01\x05", b"\0\0", asks([1])[0]
    with socket.create_connection((HOST, house.port), BOUND_S) as old, suppress(ConnectionError):
        old.sendall(signature + dealer + identity + bytes([0, len(ask)]) + ask)
        while old.recv(1024):
            pass
    assert house.take() == []
    assert not house.holds()


# ---- what is said --------------------------------------------------------------------------------------


def test_what_is_no_frame(house: House, raw: Raw) -> None:
    guest = raw(zmq.DEALER, house.port)
    foreign = encode((1, 2, 5, "from the future"))
    for said in (b"", b"\xff", asks([1])[0][:-1], foreign):
        guest.send(said)
    words = house.hear(4)
    assert all(isinstance(word, Garbled) and word.why and word.address == HOST for word in words)
    assert [word.version for word in words if isinstance(word, Garbled)] == [None, None, None, (2, 5)]


@pytest.mark.parametrize("parts", [2, 3, 100])
def test_a_message_of_more_parts_is_dropped_whole(house: House, raw: Raw, parts: int) -> None:
    guest = raw(zmq.DEALER, house.port)
    first, second = asks([1, 2])
    guest.send(first)
    guest.send_multipart(asks(range(10, 10 + parts)))
    guest.send(second)
    assert asked(house.hear(2)) == [1, 2]


def say(house: House, raw: Raw, messages: list[list[bytes]]) -> None:
    """Somebody says all this, and it begins to arrive."""
    guest = raw(zmq.DEALER, house.port)
    for message in messages:
        guest.send_multipart(message)
    until(house.holds, house.zap.socket)


def test_no_more_messages_at_once_than_wanted(house: House, raw: Raw) -> None:
    say(house, raw, [[ask] for ask in asks(range(1, 8))])
    taken: list[int] = []

    def all_seven() -> bool:
        events = house.router.drain(2, 1 << 20)
        assert len(events) <= 2
        taken.extend(asked(events))
        return len(taken) == 7

    until(all_seven, house.router.socket)
    assert taken == list(range(1, 8))


@pytest.mark.parametrize("dropped", [[bytes(10_000)], [b"", bytes(5_000), bytes(5_000)]], ids=["garbled", "parts"])
def test_no_more_bytes_at_once_than_wanted(house: House, raw: Raw, dropped: list[bytes]) -> None:
    say(house, raw, [message for ask in asks(range(1, 6)) for message in (dropped, [ask])])
    taken: list[int] = []

    def all_five() -> bool:
        words = asked(house.router.drain(1000, 15_000))
        assert len(words) <= 2  # two large messages pass the limit
        taken.extend(words)
        return len(taken) == 5

    until(all_five, house.router.socket)
    assert taken == list(range(1, 6))
    assert house.router.drain(1000, 0) == []


def test_nonsense_counts_as_much_as_sense(house: House, raw: Raw) -> None:
    say(house, raw, [[b"x", b"y"] for _ in range(5)] + [asks([1])])
    looks = 0

    def sense() -> list[int]:
        nonlocal looks
        looks += 1
        return asked(house.router.drain(1, 1 << 20))

    until(sense, house.router.socket)
    assert looks > 5


# ---- what is kept --------------------------------------------------------------------------------------


def stuffed(house: House, peer: bytes) -> int:
    """Send to one who does not read until something has to be kept; how many were sent."""
    frame, sent = bytes(16_384), 0
    while house.router.retry_s is None:
        house.router.send(peer, frame)
        sent += 1
        assert sent < 50_000, "the connection takes everything"
    return sent


def test_what_a_connection_does_not_take_is_kept_and_comes_in_order(house: House, raw: Raw) -> None:
    guest = raw(zmq.DEALER, house.port, high_water=1)
    peer = house.meet(guest)
    sent = stuffed(house, peer)
    kept = asks(range(1, 20))
    for frame in kept:
        house.router.send(peer, frame)
    came: list[bytes] = []

    def everything() -> bool:
        assert house.router.flush() == []
        while guest.poll(0):
            came.extend(guest.recv_multipart())
        return len(came) == sent + len(kept)

    until(everything, guest)
    assert came[sent:] == kept
    assert house.router.flush() == []
    assert house.router.retry_s is None


def test_who_takes_nothing_at_all_is_given_up_and_nobody_else(house: House, raw: Raw) -> None:
    guest, other = raw(zmq.DEALER, house.port, high_water=1), raw(zmq.DEALER, house.port)
    peer, reader = house.meet(guest), house.meet(other)
    stuffed(house, peer)
    for _ in range(KEPT_FRAMES - 1):
        house.router.send(peer, b"x")
    assert house.router.flush() == []
    house.router.send(peer, b"one too many")
    assert house.router.flush() == [Gone(peer)]
    assert house.router.flush() == []
    house.router.send(reader, b"you read")
    assert read(other) == [b"you read"]


# ---- the end -------------------------------------------------------------------------------------------


def test_a_killed_process_is_noticed(house: House) -> None:
    command = [sys.executable, "-c", GUEST, HOST, str(house.port), keys.raw(PAIR.public).hex(), asks([1])[0].hex()]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as guest:
        (word,) = house.hear(1)
        assert isinstance(word, Received)
        guest.kill()
        assert house.lose(word.peer) == [Gone(word.peer)]


def test_a_word_to_nobody_says_that_nobody_is_there(house: House) -> None:
    house.router.send(b"nobody", b"hello?")
    assert house.router.flush() == [Gone(b"nobody")]


def test_last_words_come_before_the_end(house: House, raw: Raw) -> None:
    guest = raw(zmq.DEALER, house.port)
    peer = house.meet(guest)
    guest.send(encode(Quit()))
    guest.close(int(BOUND_S * 1000))
    until(lambda: house.router.monitor.poll(0), house.router.monitor)  # it has gone, and nobody has looked yet
    last, gone = house.lose(peer)
    assert isinstance(last, Received)
    assert (last.frame, gone) == (Quit(), Gone(peer))


def settled(house: House, peer: bytes) -> list[Event]:
    """Wait until one has gone and nobody else is suspected, and a newcomer was heard; all that happened."""
    events = house.lose(peer)
    while house.router.retry_s is not None or not asked(events):
        events += house.hear(0)
    return events


@pytest.mark.parametrize("number", range(10))
def test_who_comes_after_has_not_gone(house: House, raw: Raw, number: int) -> None:
    """The newcomer may have the descriptor of the one who left, and the monitor speaks of descriptors."""
    guest = raw(zmq.DEALER, house.port)
    peer = house.meet(guest)
    guest.close(0)
    newcomer = raw(zmq.DEALER, house.port)
    newcomer.send(asks([number + 1])[0])
    events = settled(house, peer)
    assert [event for event in events if isinstance(event, Gone)] == [Gone(peer)]
    (word,) = (event for event in events if isinstance(event, Received))
    house.router.send(word.peer, b"welcome")
    assert read(newcomer) == [b"welcome"]


def test_a_good_bye_still_leaves(house: House, raw: Raw) -> None:
    guest = raw(zmq.DEALER, house.port)
    house.router.send(house.meet(guest), b"good-bye")
    house.close(LINGER_MS)
    assert read(guest) == [b"good-bye"]


def test_the_context_ends_though_somebody_does_not_read(house: House, raw: Raw) -> None:
    stuffed(house, house.meet(raw(zmq.DEALER, house.port, high_water=1)))
    house.close(LINGER_MS)


# ---- where it listens ----------------------------------------------------------------------------------


def test_an_address_that_is_taken(context: Context, house: House) -> None:
    with pytest.raises(NoAddress, match=rf"can't listen on {HOST} port {house.port}: .*; is another broker there\?"):
        Router(context, HOST, house.port, PAIR, roomy())


@pytest.mark.parametrize("address", ["192.0.2.1", "no host", ""])
def test_an_address_that_is_none(context: Context, address: str) -> None:
    with pytest.raises(NoAddress):
        Router(context, address, 0, PAIR, roomy())


@pytest.mark.parametrize("address", ["*", "::", "::1", "localhost"])
def test_all_ways_to_say_where(context: Context, address: str) -> None:
    if ":" in address and not socket.has_dualstack_ipv6():
        address = HOST
    router = Router(context, address, 0, PAIR, roomy())
    with socket.create_connection(("::1" if address == "::1" else HOST, router.port)):
        pass
    router.close(0)


def test_a_window_fits_below_the_high_water_marks(house: House, dial: Callable[..., Dealer]) -> None:
    for socket_ in (house.router.socket, dial(house.port).socket):
        assert min(socket_.sndhwm, socket_.rcvhwm) > limits.WINDOW_MESSAGES
