"""People with an account who misbehave: they see nothing of the others, and cost them nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from protocol import limits
from protocol.frames import (
    Ack,
    AskPage,
    Deliver,
    Expected,
    Frame,
    Hello,
    Item,
    Post,
    Refused,
    Unproven,
    Welcome,
)
from protocol.passwords import SCHEME
from tests.programs.peers import Peer
from tests.programs.programs import Broker, Clients

DEVICE = "a" * limits.DEVICE_CHARS


@pytest.fixture(scope="module")
def victim(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An account with a password and with mail."""
    with Clients(broker.port, tmp_path_factory.mktemp("victim"), broker.key) as clients:
        clients.register("victim")
        assert clients.run("friend", "-m", "victim: for your eyes only").code == 0
    return "victim"


@pytest.fixture
def peer(broker: Broker) -> Iterator[Peer]:
    with Peer(broker) as peer:
        yield peer


def guess(name: str, credential: bytes) -> Hello:
    return Hello(limits.MAJOR_VERSION, 0, name, DEVICE, True, {}, SCHEME, credential)


@pytest.mark.parametrize("credential", [bytes(32), b"x" * limits.CREDENTIAL_BYTES], ids=["usual", "largest"])
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
    assert {refused.code for refused in refusals} == {"busy", "wrong-password", "too-many-hellos"}
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
    with Peer(broker) as peer:
        peer.say(Hello(limits.MAJOR_VERSION, 0, "trudy", DEVICE, True, cursors, SCHEME, bytes(32)))
        peer.hear(Welcome)
        peer.say(Post(1, [Item("trudy", "none", b"to myself")]))
        (run,) = peer.hear(Deliver).runs
    assert run.log == "@trudy"
    assert [envelope.body for envelope in run.envelopes] == [b"to myself"]


def test_numbers_that_skip(peer: Peer) -> None:
    last = peer.log_in("mallory").last
    for n in (last + 2, last + limits.WINDOW_MESSAGES):
        peer.say(Post(n, [Item("mallory", "none", b"too early")]))
        assert peer.hear(Expected).n == last + 1
    for n in (last + 10**6, limits.NUMBER_MAX):
        peer.say(Post(n, [Item("mallory", "none", b"far too early")]))
        assert peer.hear(Refused).code == "too-many-sends"


def test_nobody_writes_a_line_of_the_log(broker: Broker, peer: Peer) -> None:
    peer.say(guess("eve\n2000-01-01 INFO registered account=root", b""))
    assert peer.hear(Refused).code == "bad-name"
    assert not re.search("^2000", broker.log, re.MULTILINE)
