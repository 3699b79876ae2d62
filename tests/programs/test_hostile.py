"""A broker among enemies: whatever one connection says, the others go on talking, and memory stays bounded.

After each test two honest clients still hear one another; when all are over, the broker must end well, without a
word on stderr and without a traceback in its log (both in conftest.py).
"""

from __future__ import annotations

import itertools
import random
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import pytest
import zmq
from hypothesis import given, settings
from hypothesis import strategies as st

from core.gate import OFFENCES
from protocol import frames, limits
from protocol.frames import AskWho, Hello, Item, Post, Refused, Stranger, Welcome, encode
from protocol.passwords import AUTH_BYTES, SCHEME
from tests.programs.peers import Peer
from tests.programs.programs import BOUND_S, HOST, Broker, Clients, memory_kib
from tests.protocol.test_any_bytes import ATTACKS, mutated, spoken, strange
from tests.protocol.test_vectors import FRAMES
from transport import curve

ASK = encode(AskWho(1))
# What a flood may cost: what ZeroMQ holds for one connection (512 messages of 64 KiB), one turn, and Python's share.
FLOOD_KIB = 96 * 1024
FLOOD_MESSAGES = 4_000
# So often somebody comes just after another was hung up on; taken for that one it was in one case of eight.
REPLACED = 50
# How a connection begins in ZMTP 3: signature, version, mechanism, filler; without encryption then what it is.
SIGNATURE = b"\xff" + bytes(8) + b"\x7f\x03\x00"
GREETING = SIGNATURE + b"NULL" + bytes(16 + 1 + 31)
CURVE_GREETING = SIGNATURE + b"CURVE" + bytes(15 + 1 + 31)
READY = b"\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER"
# Older ones: in ZMTP 2 the signature is followed by revision, kind of socket, identity; in ZMTP 1 it is all identity.
OLD = {
    "ZMTP 2": b"\xff" + bytes(8) + b"\x7f\x01\x05\x00%b\x00" + bytes([len(ASK)]) + ASK,
    "ZMTP 1": b"%b" + bytes([len(ASK) + 1, 0]) + ASK,
}


def type_name(thing: object) -> str:
    return type(thing).__name__


class Friends:
    """Two clients who want no more than to talk."""

    def __init__(self, clients: Clients) -> None:
        self.alice, self.bob = (clients.start(name, "--json", "--follow") for name in ("alice", "bob"))
        self._count = itertools.count(1)
        for friend in (self.alice, self.bob):
            friend.hear("online")

    def talk(self) -> None:
        """One says something and the other answers."""
        said = f"still there? {next(self._count)}"
        for one, other, name in ((self.alice, self.bob, "bob"), (self.bob, self.alice, "alice")):
            one.type(f"{name}: {said}\n")
            other.hear("message", text=said, to=name)


@pytest.fixture(scope="module")
def friends(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Friends]:
    with Clients(broker.port, tmp_path_factory.mktemp("friends"), broker.key) as clients:
        friends = Friends(clients)
        yield friends
        for friend in (friends.alice, friends.bob):
            ended = friend.end(signal.SIGTERM)
            assert (ended.code, [event["event"] for event in ended.events].count("offline")) == (0, 0)


@pytest.fixture(autouse=True)
def others_go_on(friends: Friends) -> Iterator[None]:
    yield
    friends.talk()


@pytest.fixture
def peer(broker: Broker) -> Iterator[Peer]:
    with Peer(broker) as peer:
        yield peer


# ---- what is no frame ----------------------------------------------------------------------------------


def is_refused(peer: Peer, *codes: str) -> bool:
    """Whether the next that the broker says is a refusal for one of these reasons."""
    said = peer.hear(frames.Frame)
    return isinstance(said, Refused) and said.code in codes


def in_turn(broker: Broker, messages: Sequence[bytes]) -> Iterator[tuple[Peer, bytes]]:
    """Each message, and a peer that may say it yet: after some offences the broker hangs up."""
    for first in range(0, len(messages), OFFENCES - 1):
        with Peer(broker) as peer:
            for said in messages[first : first + OFFENCES - 1]:
                yield peer, said


def test_known_attacks(broker: Broker) -> None:
    for peer, said in in_turn(broker, list(ATTACKS.values())):
        peer.send(said)
        assert is_refused(peer, "malformed", "version"), said


def test_random_bytes(broker: Broker, seed: int) -> None:
    draw = random.Random(seed)
    for peer, said in in_turn(broker, [draw.randbytes(draw.randrange(300)) for _ in range(1000)]):
        peer.send(said)
        peer.send(ASK)
        peer.hear(Stranger)


def test_frames_that_are_cut_off(broker: Broker) -> None:
    packed = [encode(frame) for frame in FRAMES]
    for peer, said in in_turn(broker, [each[:size] for each in packed for size in range(len(each))]):
        peer.send(said)
        assert is_refused(peer, "malformed"), said


def test_who_goes_on_with_nonsense_is_hung_up_on(broker: Broker) -> None:
    with Peer(broker) as peer, peer.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED) as ends:
        for _ in range(OFFENCES - 1):
            peer.send(b"nonsense")
            assert is_refused(peer, "malformed")
        assert not ends.poll(0)
        peer.send(b"nonsense")
        assert ends.poll(int(BOUND_S * 1000))
        peer.socket.disable_monitor()


def test_who_comes_next_is_not_taken_for_who_was_hung_up_on(broker: Broker) -> None:
    """What the one said is still being read when the other is given its descriptor."""
    pair, hello = curve.make_pair(), Hello(1, 0, "mallory", "hostilehostile23", False, {}, SCHEME, bytes(AUTH_BYTES))
    for _ in range(REPLACED):
        with Peer(broker, pair=pair) as enemy:
            enemy.say(hello)
            enemy.hear(Welcome)
            talk_nonsense(enemy)
        hello = Hello(1, 0, "mallory", hello.device, False, {})
        with Peer(broker) as peer, peer.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED) as ends:
            peer.send(ASK)
            assert zmq.select([peer.socket, ends], [], [], BOUND_S)[0] == [peer.socket]
            peer.socket.disable_monitor()


def talk_nonsense(enemy: Peer) -> None:
    """Short and long, until the broker hangs up."""
    whole = encode(Post(1, [Item("bob", "none", bytes(500))] * limits.PACK_MESSAGES))
    nonsense = itertools.cycle([b"nonsense", whole[:-1], b"\x93" + whole[1:]])
    with enemy.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED) as ends:
        while not ends.poll(0):
            if enemy.socket.poll(10, zmq.POLLOUT):
                enemy.socket.send(next(nonsense))
        enemy.socket.disable_monitor()


def test_frames_of_many_parts(peer: Peer) -> None:
    """They are dropped without an answer, and the next is read from its beginning."""
    for parts in [*range(2, 101), 10_000]:
        peer.send(*[ASK] * parts)
        peer.send(ASK)
        assert peer.hear(frames.Frame) == Stranger(), parts


@pytest.mark.parametrize("size", [limits.PART_BYTES + 1, 1 << 20, 1 << 27])
def test_a_part_too_large(broker: Broker, peer: Peer, size: int) -> None:
    before = memory_kib(broker)
    peer.send(bytes(size))
    with Peer(broker) as other:
        other.send(ASK)
        other.hear(Stranger)
    assert memory_kib(broker) - before < FLOOD_KIB


def test_a_flood_by_somebody_who_does_not_read(broker: Broker, friends: Friends, peer: Peer) -> None:
    before = memory_kib(broker)
    largest = encode(Post(1, [Item("bob", "none", bytes(limits.BODY_BYTES))] * 3))
    for number in range(FLOOD_MESSAGES):
        peer.send(largest)
        if not number % 500:
            friends.talk()
    friends.talk()
    assert memory_kib(broker) - before < FLOOD_KIB < FLOOD_MESSAGES * len(largest) // 1024


# ---- frames at the wrong time, or from the wrong side ----------------------------------------------------


@pytest.mark.parametrize("frame", [each for each in FRAMES if type(each) in frames.FROM_CLIENT], ids=type_name)
def test_before_a_login_everybody_is_a_stranger(peer: Peer, frame: frames.AnyFrame) -> None:
    peer.say(frame)
    expected = "Refused" if isinstance(frame, frames.Hello) else "Stranger"
    assert type(peer.hear(frames.Frame)).__name__ == expected


@pytest.mark.parametrize("logged_in", [False, True])
def test_what_brokers_say_is_refused(broker: Broker, logged_in: bool) -> None:
    known: set[Peer] = set()
    for peer, said in in_turn(broker, [encode(frame) for frame in FRAMES if type(frame) in frames.FROM_BROKER]):
        if logged_in and peer not in known:
            peer.log_in("mallory")
        known.add(peer)
        peer.send(said)
        assert is_refused(peer, "wrong-direction"), said


def test_who_chose_an_identity_gets_no_answer(broker: Broker, peer: Peer) -> None:
    with Peer(broker, identity=b"alice") as chosen:
        chosen.send(ASK)
        peer.send(ASK)
        peer.hear(Stranger)
        chosen.send(ASK)
        peer.send(ASK)
        peer.hear(Stranger)
        assert not chosen.socket.poll(0)


said = st.one_of(st.binary(max_size=200), strange, mutated(), spoken.map(encode))
messages = st.lists(st.lists(said, min_size=1, max_size=3), max_size=20)


@settings(max_examples=40)
@given(messages, st.booleans())
def test_whatever_is_said_in_whatever_order(
    broker: Broker, friends: Friends, conversation: list[list[bytes]], logged_in: bool
) -> None:
    with Peer(broker) as peer:
        if logged_in:
            peer.log_in("mallory")
        for parts in conversation:
            peer.send(*parts)
        with Peer(broker) as other:
            other.send(ASK)
            other.hear(Stranger)
    friends.talk()


# ---- below our frames ----------------------------------------------------------------------------------


def is_cut_off(broker: Broker, said: bytes, more: bool = True) -> bool:
    """Say this over a plain connection; whether the broker hangs up within the bound."""
    try:
        with socket.create_connection((HOST, broker.port), timeout=BOUND_S) as plain:
            plain.sendall(said)
            if not more:
                plain.shutdown(socket.SHUT_WR)
            while plain.recv(4096):
                pass
    except TimeoutError:
        return False
    except OSError:
        pass  # it hung up before all was said
    return True


@pytest.mark.parametrize("size", [limits.PART_BYTES + 1, 1 << 31, 1 << 62, (1 << 64) - 1])
def test_a_part_that_claims_to_be_huge(broker: Broker, size: int) -> None:
    before = memory_kib(broker)
    assert is_cut_off(broker, CURVE_GREETING + b"\x06" + size.to_bytes(8))
    assert memory_kib(broker) - before < FLOOD_KIB


def test_greetings_that_are_cut_off(broker: Broker) -> None:
    whole = GREETING + READY + b"\0" + bytes([len(ASK)]) + ASK
    for size in range(len(whole)):
        assert is_cut_off(broker, whole[:size], more=False), size


def test_random_greetings(broker: Broker, seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(100):
        greeting = draw.choice([GREETING, CURVE_GREETING])
        head = greeting[: draw.choice([0, 10, 11, len(greeting)])]
        assert is_cut_off(broker, head + draw.randbytes(draw.randrange(200)), more=False)


@pytest.mark.parametrize("identity", [b"", b"alice"], ids=["anonymous", "chosen"])
@pytest.mark.parametrize("version", OLD)
def test_an_older_zmtp(broker: Broker, version: str, identity: bytes) -> None:
    length = len(identity) if version == "ZMTP 2" else len(identity) + 1
    opening = bytes([length]) + (b"" if version == "ZMTP 2" else b"\0") + identity
    assert is_cut_off(broker, OLD[version] % opening, more=False)


def test_connections_that_say_nothing(broker: Broker, friends: Friends) -> None:
    with ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(socket.create_connection((HOST, broker.port)))
        friends.talk()
        with Peer(broker) as peer:
            peer.send(ASK)
            peer.hear(Stranger)
