"""Limits for addresses, met by real connections: a broker that holds its own machine to them too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.gate import ADDRESS_LOGIN_S, ADDRESS_LOGINS
from protocol import frames
from protocol.passwords import AUTH_BYTES, SCHEME
from tests.programs.peers import Peer
from tests.programs.programs import Broker

DEVICE = "limitslimits2345"


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "strict", "--local-limits") as broker:
        yield broker


def hello(credential: bytes = b"") -> frames.Hello:
    return frames.Hello(1, 0, "alice", DEVICE, False, {}, SCHEME if credential else "", credential)


def test_passwords_tried_from_one_address_are_counted_and_a_bound_key_is_not(strict: Broker) -> None:
    with Peer(strict) as peer:
        for _ in range(ADDRESS_LOGINS):
            peer.say(hello(bytes(AUTH_BYTES)))
            peer.hear(frames.Welcome)
        peer.say(hello(bytes(AUTH_BYTES)))
        refused = peer.hear(frames.Refused)
        assert refused.code == "too-many-logins"
        assert 0 < refused.retry_s <= ADDRESS_LOGIN_S
        peer.say(hello())
        peer.hear(frames.Welcome)


def test_a_wrong_password_delays_the_next_one_and_not_another_account(strict: Broker) -> None:
    with Peer(strict) as alice, Peer(strict) as guesser:
        alice.say(hello(bytes(AUTH_BYTES)))
        alice.hear(frames.Welcome)
        for _ in range(2):
            guesser.say(hello(b"x" * AUTH_BYTES))
        codes = [guesser.hear(frames.Refused) for _ in range(2)]
        assert {refused.code for refused in codes} == {"wrong-password"}
        guesser.say(hello(b"x" * AUTH_BYTES))
        refused = guesser.hear(frames.Refused)
        assert (refused.code, refused.retry_s > 0) == ("too-many-logins", True)
        guesser.log_in("carol")
