"""Limits for addresses, met by real connections: a broker that holds its own machine to them too."""

from __future__ import annotations

import math
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import pytest
import zmq

from core import records
from core.clock import Instant
from core.commands import Put
from core.door import CROWDED_S
from core.gate import (
    ADDRESS_ACCOUNT_S,
    ADDRESS_ACCOUNTS,
    ADDRESS_LOGIN_S,
    ADDRESS_LOGINS,
    ADDRESS_SESSIONS,
)
from protocol import frames, limits, names
from protocol.keys import KeyPair
from protocol.passwords import AUTH_BYTES, DUMMY, SCHEME
from store.sqlite import SqliteStore
from tests.programs.peers import Peer, new_device
from tests.programs.programs import HOST, Broker
from transport import curve

DEVICE = "limitslimits2345"
# Another address of this machine.
ELSEWHERE = "127.0.0.2"
# The broker with a clock that stands still, however slow the machine is, and is set forward by a signal; it says when.
TIMELESS = f"""
import os, pathlib, runpy, signal, sys, time
now = time.monotonic()
def later(*_):
    global now
    now += {ADDRESS_LOGIN_S}
    os.write(1, b"later\\n")
time.monotonic = lambda: now
signal.signal(signal.SIGUSR1, later)
del sys.argv[0]
sys.path.insert(0, str(pathlib.Path(sys.argv[0]).parent))
runpy.run_path(sys.argv[0], run_name="__main__")
"""


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


class Timeless(Broker):
    """A broker that holds its own machine to the limits too, and for whom no time passes unless it is told so."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "--local-limits")

    def _start(self, command: list[str], stdin: int | IO[bytes], env: dict[str, str]) -> subprocess.Popen[bytes]:
        return super()._start(["-c", TIMELESS, *command], stdin, env)

    def __enter__(self) -> Timeless:
        return self

    def wait_for_login(self) -> None:
        """So long that one more password may be tried from each address."""
        self.process.send_signal(signal.SIGUSR1)
        self.see("^later$")


def answered(peer: Peer, hello: frames.Hello) -> frames.Frame:
    """Say Hello; whether it is let in."""
    peer.say(hello)
    while not isinstance(answer := peer.hear(frames.Frame), frames.Welcome | frames.Refused):
        pass
    return answer


def make_account(broker: Broker, name: str, source: str = HOST) -> frames.Frame:
    """Try to, from this address; the answer."""
    with Peer(broker, source=source) as peer:
        return answered(peer, frames.Hello(1, 0, name, new_device(), False, {}, SCHEME, bytes(AUTH_BYTES)))


def test_accounts_made_from_one_address_are_counted(tmp_path: Path) -> None:
    with Timeless(tmp_path / "timeless") as broker:
        for number in range(ADDRESS_ACCOUNTS):
            if number >= ADDRESS_LOGINS:
                broker.wait_for_login()
            assert isinstance(make_account(broker, f"account{number}"), frames.Welcome)
        broker.wait_for_login()
        refused = make_account(broker, "another")
        assert isinstance(refused, frames.Refused)
        assert (refused.code, 0 < refused.retry_s <= ADDRESS_ACCOUNT_S) == ("too-many-accounts", True)
        assert f"{ADDRESS_ACCOUNTS} accounts were made from {HOST}" in refused.text
        assert f"try again in {math.ceil(refused.retry_s)} s" in refused.text
        assert isinstance(make_account(broker, "another", ELSEWHERE), frames.Welcome)
        for _ in range(math.ceil(refused.retry_s / ADDRESS_LOGIN_S)):
            broker.wait_for_login()
        assert isinstance(make_account(broker, "later"), frames.Welcome)


Device = tuple[str, str, KeyPair]


def make_devices(folder: Path, count: int) -> list[Device]:
    """So many devices that are let in by their keys, written down before the broker starts: by passwords it would
    take it ten seconds of Argon2. Account, id and keys of each.
    """
    folder.mkdir(mode=0o700)
    store = SqliteStore.open(folder / "restante.sqlite")
    devices = list[Device]()
    for number in range(0, count, limits.ACCOUNT_DEVICES):
        name = f"office{number}"
        own = [(name, new_device(), curve.make_pair()) for _ in range(min(count - number, limits.ACCOUNT_DEVICES))]
        bound = {device: pair.public for _, device, pair in own}
        account = records.Account(name=name, scheme=SCHEME, hash=DUMMY, made_at=0, devices=bound)
        account.rooms[names.LOBBY] = 0
        store.submit([Put(records.account(names.key(name)), records.pack(account), 0)], Instant(0.0, 0))
        devices += own
    store.poll()
    store.close()
    return devices


def test_sessions_from_one_address_are_counted(tmp_path: Path) -> None:
    *many, late, other = make_devices(tmp_path / "office", ADDRESS_SESSIONS + 2)
    with Timeless(tmp_path / "office") as broker, zmq.Context() as context, ExitStack() as stack:

        def come(device: Device, source: str = HOST) -> tuple[Peer, frames.Frame]:
            peer = stack.enter_context(Peer(broker, pair=device[2], source=source, context=context))
            return peer, answered(peer, frames.Hello(1, 0, device[0], device[1], False, {}))

        peers = [come(device) for device in many]
        assert {type(answer) for _, answer in peers} == {frames.Welcome}
        _, refused = come(late)
        assert isinstance(refused, frames.Refused)
        assert (refused.code, refused.retry_s) == ("too-many-sessions", CROWDED_S)
        assert f"{ADDRESS_SESSIONS} sessions from {HOST} are the most" in refused.text
        assert f"try again in {math.ceil(CROWDED_S)} s" in refused.text
        assert isinstance(come(other, ELSEWHERE)[1], frames.Welcome)
        first = peers[0][0]
        first.say(frames.Quit())
        first.say(frames.Ping({}))
        first.hear(frames.Stranger)
        assert isinstance(come(late)[1], frames.Welcome)
