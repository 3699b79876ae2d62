"""Traffic that somebody has recorded and says again: nothing of it happens twice, and nobody else notices.

Below our frames CURVE drops it, for each connection has keys of its own; above them the numbers of sends do, whoever
says them, and whenever.
"""

from __future__ import annotations

import contextlib
import random
import signal
import socket
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest
import zmq

from protocol import frames
from protocol.frames import Accepted, Envelope, Expected, Hello, Item, Post, Stranger, Welcome, encode
from protocol.passwords import AUTH_BYTES, SCHEME
from store.sqlite import SqliteStore
from tests.programs.peers import Peer, new_device
from tests.programs.programs import BOUND_S, HOST, Broker, Clients
from tests.programs.wires import Wire
from transport.curve import make_pair

CUTS = 40
# ZMTP 3: what each side says first, then frames: a byte of flags, the size in one byte or in eight, the body.
GREETING_BYTES = 64
LONG = 2
# What a CURVE client says before its first message: HELLO and INITIATE.
HANDSHAKE_FRAMES = 2

StartBroker = Callable[..., Broker]
ClientsOf = Callable[[Broker], Clients]


class Tape(Wire):
    """A wire that keeps what each connection has said to the broker, and can say more over it."""

    def __init__(self, to: int) -> None:
        super().__init__(to)
        self.said: dict[socket.socket, bytearray] = {}  # in the order in which the connections came

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    def _join(self, near: socket.socket) -> None:
        super()._join(near)
        if near in self._over:
            self.said[near] = bytearray()

    def _pass_on(self, source: socket.socket) -> None:
        before = len(self.seen)
        super()._pass_on(source)
        if source in self.said:
            self.said[source] += self.seen[before:]

    @property
    def recording(self) -> bytes:
        """What the first connection has said."""
        return bytes(next(iter(self.said.values())))

    def inject(self, data: bytes) -> None:
        """Say this to the broker over the last connection, behind what has been said."""
        self._over[list(self.said)[-1]].sendall(data)


def pieces(recording: bytes) -> list[bytes]:
    """A recording's greeting and its frames, each whole."""
    found, place = [recording[:GREETING_BYTES]], GREETING_BYTES
    while place < len(recording):
        wide = 8 if recording[place] & LONG else 1
        body = place + 1 + wide
        size = int.from_bytes(recording[place + 1 : body])
        found.append(recording[place : body + size])
        place = body + size
    return found


class Friends:
    """An honest session beside all this, and a reader of its own."""

    def __init__(self, clients: Clients) -> None:
        self.alice, self.reader = (clients.start(name, "--json", "--follow") for name in ("alice", "reader"))
        self.texts: list[str] = []
        for friend in (self.alice, self.reader):
            friend.hear("online")

    def talk(self) -> None:
        """One says something, and the other reads it."""
        self.texts.append(f"still there {len(self.texts)}")
        self.alice.type(f"{self.texts[-1]}\n")
        self.reader.hear("message", text=self.texts[-1])

    def leave(self) -> None:
        """They were never interrupted, and have read each message once."""
        for friend in (self.alice, self.reader):
            ended = friend.end(signal.SIGTERM)
            assert (ended.code, [event["event"] for event in ended.events].count("offline")) == (0, 0)
            read = Counter((each["log"], each["id"]) for each in ended.events if each["event"] == "message")
            assert set(read.values()) == {1}


@pytest.fixture
def own_broker(start_broker: StartBroker) -> Broker:
    return start_broker()


@pytest.fixture
def friends(own_broker: Broker, clients_of: ClientsOf) -> Friends:
    return Friends(clients_of(own_broker))


def kept(broker: Broker) -> list[tuple[str, Envelope]]:
    """What a broker has on its disk, once it has ended well: each message with its log."""
    ended = broker.end(signal.SIGTERM)
    assert (ended.code, ended.err) == (0, "")
    store = SqliteStore.open(broker.folder / "restante.sqlite")
    with contextlib.closing(store):
        rows = [row for row in store.dump() if row[0] == "envelope"]
    return [(log, frames.decode_envelope(packed)) for _, log, _, packed in rows]


def bodies(broker: Broker, log: str = "#lobby") -> list[str]:
    """What the messages of a log say, in order."""
    return [envelope.body.decode() for place, envelope in kept(broker) if place == log]


# ---- below our frames ----------------------------------------------------------------------------------


SECRETS = [f"said while somebody listened {number}" for number in range(5)]


def record(broker: Broker, folder: Path) -> bytes:
    """A whole session of a real client, as its bytes to the broker."""
    with Tape(broker.port) as tape, Clients(tape.port, folder, broker.key) as clients:
        victim = clients.start("victim", "--json", "--follow")
        victim.hear("online")
        for text in SECRETS:
            victim.type(f"{text}\n")
            victim.hear("message", text=text)
        assert victim.end(signal.SIGTERM).code == 0
    assert len(pieces(tape.recording)) > HANDSHAKE_FRAMES + len(SECRETS)
    return tape.recording


def replay(broker: Broker, said: bytes) -> bytes:
    """Say this over a new connection, and that it is all; what the broker answered until it hung up."""
    heard = bytearray()
    line = socket.create_connection((HOST, broker.port), timeout=BOUND_S)
    with line, contextlib.suppress(ConnectionError):  # it may hang up before all was said
        line.sendall(said)
        line.shutdown(socket.SHUT_WR)
        while read := line.recv(4096):
            heard += read
    return bytes(heard)


def answers(heard: bytes) -> list[bytes]:
    """What the broker said behind its greeting: the names of its commands."""
    return [piece[3 : 3 + piece[2]] for piece in pieces(heard)[1:]]


def replay_in_step(broker: Broker, recording: bytes) -> bytes:
    """Say each part of the handshake once the broker has answered the one before; what follows that, to the end."""
    greeting, hello, *rest = pieces(recording)
    with socket.create_connection((HOST, broker.port), timeout=BOUND_S) as line, line.makefile("rb") as heard:
        line.sendall(greeting)
        heard.read(GREETING_BYTES)
        line.sendall(hello)
        flags, size = heard.read(2)
        assert (flags & LONG, heard.read(size)[1:8]) == (0, b"WELCOME")
        line.sendall(b"".join(rest))
        try:
            return heard.read()
        except ConnectionResetError:  # it did not even read all of it
            return b""


def recorded_parts(recording: bytes, draw: random.Random) -> Iterator[bytes]:
    """All of it, its handshake, one frame too few or too many, and random cuts."""
    greeting, *said = pieces(recording)
    opening = b"".join([greeting, *said[:HANDSHAKE_FRAMES]])
    yield recording
    yield opening
    yield recording + recording
    yield greeting + b"".join(said[HANDSHAKE_FRAMES:])  # no handshake at all
    yield opening + b"".join(reversed(said[HANDSHAKE_FRAMES:]))
    for _ in range(CUTS):
        yield recording[: draw.randrange(len(recording))]


def test_a_recording_is_worth_nothing(own_broker: Broker, friends: Friends, tmp_path: Path, seed: int) -> None:
    recording = record(own_broker, tmp_path / "victim")
    for said in recorded_parts(recording, random.Random(seed)):
        # The broker greets and offers a key for this connection only; nothing that was recorded fits that.
        assert set(answers(replay(own_broker, said))) <= {b"WELCOME"}
    friends.talk()
    friends.leave()
    assert sorted(bodies(own_broker)) == sorted(SECRETS + friends.texts)


def test_who_replays_a_recording_is_hung_up_on(own_broker: Broker, friends: Friends, tmp_path: Path) -> None:
    """However well it keeps the time: the broker's part of the handshake is another one now."""
    recording = record(own_broker, tmp_path / "victim")
    assert replay_in_step(own_broker, recording) == b""
    friends.talk()
    friends.leave()
    assert sorted(bodies(own_broker)) == sorted(SECRETS + friends.texts)


@dataclass
class Address:
    """Where a raw peer connects to, and to whom."""

    port: int
    key: str


def check_injected(broker: Broker, foreign: bytes, choose: Callable[[list[bytes], list[bytes]], bytes]) -> None:
    """Say something over a raw peer's standing connection, made of what that or ``foreign`` has said: it is cut."""
    with Tape(broker.port) as tape, Peer(Address(tape.port, broker.key)) as peer:
        peer.socket.reconnect_ivl = -1
        peer.log_in("mallory")
        peer.say(Post(1, [Item("#lobby", "none", b"once")]))
        peer.hear(Accepted)
        with peer.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED) as ends:
            own = pieces(tape.recording)[1 + HANDSHAKE_FRAMES :]
            tape.inject(choose(own, pieces(foreign)[1 + HANDSHAKE_FRAMES :]))
            assert ends.poll(int(BOUND_S * 1000)), "the connection stands"
            peer.socket.disable_monitor()


SPLICES: dict[str, Callable[[list[bytes], list[bytes]], bytes]] = {
    "its own last message": lambda own, foreign: own[-1],
    "all its own messages": lambda own, foreign: b"".join(own),
    "another session's first message": lambda own, foreign: foreign[0],
    "another session's messages": lambda own, foreign: b"".join(foreign),
}


@pytest.mark.parametrize("splice", SPLICES)
def test_messages_spliced_into_another_connection_end_it(
    own_broker: Broker, friends: Friends, tmp_path: Path, splice: str
) -> None:
    recording = record(own_broker, tmp_path / "victim")
    check_injected(own_broker, recording, SPLICES[splice])
    friends.talk()
    friends.leave()
    assert sorted(bodies(own_broker)) == sorted([*SECRETS, "once", *friends.texts])


# ---- our frames ----------------------------------------------------------------------------------------


POST = encode(Post(1, [Item("#lobby", "none", b"first"), Item("reader", "none", b"second")]))
LATER = encode(Post(3, [Item("#lobby", "none", b"third")]))


class Device:
    """A device that a raw peer speaks for, over as many connections as it likes."""

    def __init__(self, account: str) -> None:
        self._account = account
        self.id = new_device()
        self._pair = make_pair()

    @contextlib.contextmanager
    def connected(self, broker: Broker) -> Iterator[Peer]:
        """Over a new connection, and let in."""
        with Peer(broker, pair=self._pair) as peer:
            peer.say(Hello(1, 0, self._account, self.id, False, {}, SCHEME, bytes(AUTH_BYTES)))
            peer.hear(Welcome)
            yield peer


def told(peer: Peer, said: bytes) -> tuple[int, list[int]]:
    """What the broker answers to a Post: accepted up to where, and which of it is refused."""
    peer.send(said)
    accepted = peer.hear(Accepted)
    return accepted.n, [each.n for each in accepted.refused]


def by_author(rows: Iterable[tuple[str, Envelope]], author: str) -> list[tuple[str, str, int, str]]:
    """What an author has on disk: log, device, number, text."""
    found = [(log, each.device, each.n, each.body.decode()) for log, each in rows if each.author == author]
    return sorted(found, key=lambda row: (row[2], row[0]))


def stored(device: Device, account: str) -> list[tuple[str, str, int, str]]:
    """What POST and LATER leave on disk."""
    private = [(log, device.id, 2, "second") for log in sorted(["@reader", "@" + account])]
    return [("#lobby", device.id, 1, "first"), *private, ("#lobby", device.id, 3, "third")]


def test_a_post_said_again_is_accepted_again_and_stored_once(own_broker: Broker, friends: Friends) -> None:
    device = Device("mallory")
    with device.connected(own_broker) as peer:
        for said, n in ((POST, 2), (POST, 2), (LATER, 3), (POST, 3), (LATER, 3), (POST, 3)):
            assert told(peer, said) == (n, [])
    with device.connected(own_broker) as peer:  # another session of the same device
        for said in (LATER, POST, LATER):
            assert told(peer, said) == (3, [])
    friends.talk()
    friends.leave()
    assert by_author(kept(own_broker), "mallory") == stored(device, "mallory")


def test_a_post_said_again_to_a_broker_that_died(start_broker: StartBroker, clients_of: ClientsOf) -> None:
    broker, device = start_broker(), Device("mallory")
    clients = clients_of(broker)
    clients.register("reader")
    with device.connected(broker) as peer:
        assert told(peer, POST) == (2, [])
        broker.kill()
        broker = start_broker(port=broker.port)
        peer.send(POST)  # over the connection that comes by itself: nobody is logged in there
        peer.hear(Stranger)
    with device.connected(broker) as peer:
        for said, n in ((POST, 2), (LATER, 3), (POST, 3)):
            assert told(peer, said) == (n, [])
    assert sorted(clients.fetch("reader").texts) == ["first", "second", "third"]
    assert by_author(kept(broker), "mallory") == stored(device, "mallory")


def test_what_another_account_said_is_ones_own_or_out_of_turn(own_broker: Broker, friends: Friends) -> None:
    """A frame names no author: whoever says it is."""
    victim, thief = Device("victim"), Device("thief")
    with victim.connected(own_broker) as peer:
        assert [told(peer, said) for said in (POST, LATER)] == [(2, []), (3, [])]
        with thief.connected(own_broker) as other:
            other.send(LATER)
            assert other.hear(Expected) == Expected(1)
            assert [told(other, said) for said in (POST, LATER)] == [(2, []), (3, [])]
        assert told(peer, POST) == (3, [])
    friends.talk()
    friends.leave()
    rows = kept(own_broker)
    for device, account in ((victim, "victim"), (thief, "thief")):
        assert by_author(rows, account) == stored(device, account)


def test_another_accounts_hello_brings_nobody_in(own_broker: Broker, friends: Friends) -> None:
    """Said without its credential, as a device's later ones are: what lets it in is a key that only it has."""
    victim = Device("victim")
    with victim.connected(own_broker) as peer, Peer(own_broker) as thief:
        thief.say(Hello(1, 0, "victim", victim.id, True, {}))
        assert thief.hear(frames.Unproven).taken
        thief.send(POST)
        thief.hear(Stranger)
        assert told(peer, POST) == (2, [])
    friends.talk()
    friends.leave()
    assert len(by_author(kept(own_broker), "victim")) == 3
