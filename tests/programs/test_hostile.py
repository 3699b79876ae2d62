"""A broker among enemies: whatever one connection says, the others go on talking, and memory stays bounded.

After each test two honest clients still hear one another; when all are over, the broker must end well, without a
word on stderr and without a traceback in its log (both in conftest.py).
"""

from __future__ import annotations

import itertools
import signal
from collections.abc import Iterator

import pytest

from protocol import frames
from protocol.frames import AskWho, Refused, encode
from tests.programs.peers import Peer
from tests.programs.programs import Broker, Clients
from tests.protocol.test_any_bytes import ATTACKS

ASK = encode(AskWho(1))
# What a flood may cost: what ZeroMQ holds for one connection (512 messages of 64 KiB), one turn, and Python's share.
FLOOD_KIB = 96 * 1024
FLOOD_MESSAGES = 4_000
# How a connection begins in ZMTP 3 without encryption: signature, version, mechanism, filler; then what it is.
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(16 + 1 + 31)
READY = b"\x04\x1a\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER"
# Older ones: in ZMTP 2 the signature is followed by revision, kind of socket, identity; in ZMTP 1 it is all identity.
OLD = {
    "ZMTP 2": b"\xff" + bytes(8) + b"\x7f\x01\x05\x00%b\x00" + bytes([len(ASK)]) + ASK,
    "ZMTP 1": b"%b" + bytes([len(ASK) + 1, 0]) + ASK,
}


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
    with Clients(broker.port, tmp_path_factory.mktemp("friends")) as clients:
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
    with Peer(broker.port) as peer:
        yield peer


# ---- what is no frame ----------------------------------------------------------------------------------


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_known_attack_is_answered(peer: Peer, attack: str) -> None:
    peer.send(ATTACKS[attack])
    assert peer.hear(frames.Frame) == peer_is_told(ATTACKS[attack])


def peer_is_told(said: bytes) -> Refused:
    """What the broker answers to something that is no frame."""
    with pytest.raises(frames.ProtocolError) as raised:
        frames.decode(said)
    return raised
