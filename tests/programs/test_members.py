"""People with an account who misbehave: they see nothing of the others, and cost them nothing."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator

import pytest

from protocol import limits
from protocol.frames import Ack, AskContacts, AskPage, Deliver, Expected, Frame, Hello, Item, Post, Refused, Unproven
from protocol.passwords import SCHEME
from tests.programs.peers import Peer
from tests.programs.programs import Broker, Clients, memory_kib

DEVICE = "a" * limits.DEVICE_CHARS
# What the broker may hold for somebody who does not read: a window and some notices, far less than was said.
GROWTH_KIB = 32 * 1024


@pytest.fixture(scope="module")
def victim(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An account with a password and with mail."""
    with Clients(broker.port, tmp_path_factory.mktemp("victim")) as clients:
        clients.register("victim")
        assert clients.run("friend", "-m", "victim: for your eyes only").code == 0
    return "victim"


@pytest.fixture
def peer(broker: Broker) -> Iterator[Peer]:
    with Peer(broker.port) as peer:
        yield peer


def guess(name: str, credential: bytes) -> Hello:
    return Hello(limits.MAJOR_VERSION, 0, name, DEVICE, True, {}, SCHEME, credential)


@pytest.mark.parametrize("credential", [bytes(32), b"x" * limits.CREDENTIAL_BYTES])
def test_somebody_else_s_name_takes_their_password(peer: Peer, victim: str, credential: bytes) -> None:
    peer.say(guess(victim, credential))
    assert peer.hear(Refused).code == "wrong-password"
    peer.say(AskPage(1, f"@{victim}", 0, 10))
    assert type(peer.hear(Frame)).__name__ == "Stranger"


def test_who_shows_nothing_learns_only_what_to_show(peer: Peer, victim: str) -> None:
    peer.say(Hello(limits.MAJOR_VERSION, 0, victim, DEVICE, True, {}))
    assert peer.hear(Unproven).taken


def test_many_guesses_at_once(broker: Broker, clients: Clients, peer: Peer, victim: str) -> None:
    """Who guesses is told to wait, rather than queued for ever; and the others come in meanwhile."""
    for _ in range(200):
        peer.say(guess(victim, bytes(32)))
    assert clients.run(victim, "--wait", "60", "--fetch", "--json").texts[-1:] == ["for your eyes only"]
    refusals = [peer.hear(Refused) for _ in range(200)]
    assert {refused.code for refused in refusals} == {"busy", "wrong-password"}
    assert {refused.retry_s > 0 for refused in refusals if refused.code == "busy"} == {True}
    assert {refused.retry_s for refused in refusals if refused.code == "wrong-password"} == {0}


def test_nobody_reads_what_is_not_theirs_by_asking_for_it(peer: Peer, victim: str) -> None:
    peer.log_in("mallory", reads=True)
    peer.say(Ack({f"@{victim}": 0, "@nobody": 2**62}))
    for ask, log in enumerate((f"@{victim}", "@nobody", "#nowhere"), 1):
        peer.say(AskPage(ask, log, 0, 100))
        refused = peer.hear(Refused)
        assert (refused.code, refused.ask) == ("no-such-log", ask)


def test_nobody_reads_what_is_not_theirs_by_claiming_cursors(broker: Broker, victim: str) -> None:
    cursors = {f"@{victim}": 0, "#lobby": 0, "#nowhere": 0}
    with Peer(broker.port) as peer:
        peer.say(Hello(limits.MAJOR_VERSION, 0, "trudy", DEVICE, True, cursors, SCHEME, bytes(32)))
        peer.say(Post(1, [Item("trudy", "none", b"to myself")]))
        (run,) = peer.hear(Deliver).runs
    assert run.log == "@trudy"
    assert [envelope.body for envelope in run.envelopes] == [b"to myself"]


def test_numbers_that_skip(peer: Peer) -> None:
    last = peer.log_in("mallory").last
    for n in (last + 2, last + 10**6, limits.NUMBER_MAX):
        peer.say(Post(n, [Item("mallory", "none", b"too early")]))
        assert peer.hear(Expected).n == last + 1


def test_a_member_who_reads_nothing(broker: Broker, clients: Clients, peer: Peer, alice: str, bob: str) -> None:
    """It costs the broker a window, not all that is said; and the others nothing."""
    peer.log_in("mallory", reads=True)
    clients.register(bob)
    before = memory_kib(broker)
    lines = [f"{number} " + "x" * 10_000 for number in range(6000)]
    assert clients.run(alice, typed="\n".join(lines)).code == 0
    assert memory_kib(broker) < before + GROWTH_KIB
    assert clients.fetch(bob).texts == lines


def test_a_member_who_asks_and_does_not_listen(broker: Broker, clients: Clients, peer: Peer, alice: str) -> None:
    """The broker keeps a few answers, then gives the connection up."""
    before = memory_kib(broker)
    watch = clients.start(alice, "--json", "--follow")
    watch.hear("online")
    peer.log_in("mallory", reads=True)
    watch.hear("joined", account="mallory")
    for ask in range(1, 100_001):
        if any(event["event"] == "left" for event in watch.events):
            break
        peer.say(AskContacts(ask))
    assert memory_kib(broker) < before + GROWTH_KIB
    assert watch.end(signal.SIGTERM).code == 0


def test_nobody_writes_a_line_of_the_log(broker: Broker, peer: Peer) -> None:
    peer.say(
        Hello(limits.MAJOR_VERSION, 0, "eve\n2000-01-01T00:00:00.000 INFO registered account=root", DEVICE, True, {})
    )
    assert peer.hear(Refused).code == "bad-name"
    assert not re.search("^2000", broker.log, re.MULTILINE)
