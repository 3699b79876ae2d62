"""The broker's key and the devices' keys, with real programs: who is believed, and who is told to go away."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from protocol import keys
from tests.programs.peers import Middle
from tests.programs.programs import HOST, Broker, Clients, Ended, Program, Terminal
from tests.programs.wires import Wire
from transport import curve

StartBroker = Callable[..., Broker]
NEW = "tulips for breakfast"
# None of these carries a password.
UNGIVEN = {"RESTANTE_PASSWORD": ""}


@pytest.fixture
def strangers(broker: Broker, tmp_path: Path) -> Iterator[Clients]:
    """Clients that have not been given the broker's key."""
    with Clients(broker.port, tmp_path / "strangers") as clients:
        yield clients


def with_another_key(start_broker: StartBroker, first: Broker) -> Broker:
    """The same broker on the same port, its key replaced."""
    first.end(signal.SIGTERM)
    (first.folder / "broker.key").unlink()
    return start_broker(port=first.port)


def other(clients: Clients, name: str) -> Clients:
    """Another machine's folder: the same people, other devices."""
    return Clients(clients.port, clients.folder / name, clients.key)


# ---- the broker's key ----------------------------------------------------------------------------------


def test_a_changed_key_stops_the_client_until_it_is_accepted(
    start_broker: StartBroker, tmp_path: Path, alice: str
) -> None:
    first = start_broker()
    with Clients(first.port, tmp_path / "clients") as clients:
        assert keys.grouped(first.key) in clients.run(alice, "-m", "one").err
        second = with_another_key(start_broker, first)
        refused = clients.run(alice, "-m", "two")
        assert (refused.code, refused.out) == (77, "")
        for told in (keys.grouped(first.key), keys.grouped(second.key), "Nothing was sent", "--accept-key KEY"):
            assert told in refused.err
        wrong = clients.run(alice, "-m", "two", "--accept-key", curve.make_pair().public)
        assert wrong.code == 77
        right = clients.run(alice, "--accept-key", second.key, "-m", "three")
        assert (right.code, right.err) == (0, "")
        assert clients.run(alice, "-m", "four").code == 0


def test_a_man_in_the_middle_hears_nothing_from_who_has_been_here(
    start_broker: StartBroker, tmp_path: Path, alice: str
) -> None:
    broker = start_broker()
    with Clients(broker.port, tmp_path / "clients") as clients:
        clients.register(alice)
        port = broker.port
        broker.end(signal.SIGTERM)
        behind = start_broker()
        with Middle(behind, port) as middle:
            refused = clients.run(alice, "-m", "secret")
            assert (refused.code, middle.heard) == (77, [])
        assert keys.grouped(middle.pair.public) in refused.err


def test_a_man_in_the_middle_shows_another_key_at_a_first_meeting(broker: Broker, tmp_path: Path, alice: str) -> None:
    with Middle(broker) as middle, Clients(middle.port, tmp_path / "deceived") as clients:
        ended = clients.run(alice, "-m", "hello")
        assert (ended.code, bool(middle.heard)) == (0, True)
        assert keys.grouped(middle.pair.public) in ended.err
        assert keys.grouped(broker.key) not in ended.err
        told = Clients(middle.port, tmp_path / "told", broker.key).run(alice, "-m", "hello")
        assert told.code == 77


def without_key_port(tmp_path: Path, name: str, *options: str, **env: str) -> Ended:
    """Run a client that can't have asked for a key: it reaches the broker through a port with none behind it."""
    at = ["--data", str(tmp_path / "told"), "-m", "hello", "--wait", "5"]
    with Program("client", name, *at, *options, stdin=subprocess.DEVNULL, **env) as client:
        return client.end()


def test_who_has_been_given_the_key_does_not_ask_for_it(broker: Broker, tmp_path: Path, alice: str, bob: str) -> None:
    with Wire(broker.port) as wire:
        env = {"RESTANTE_PASSWORD": NEW}
        place = "-a", HOST, "-p", str(wire.port)
        assert without_key_port(tmp_path, alice, *place, "--key", broker.key, **env).code == 0
        env["RESTANTE_BROKER"] = f"tcp://{HOST}:{wire.port}#{broker.key}"
        assert without_key_port(tmp_path / "other", bob, **env).code == 0
        assert without_key_port(tmp_path / "third", bob, *place, **env | {"RESTANTE_BROKER": ""}).code == 69


def test_a_wrong_key_was_given(strangers: Clients, alice: str) -> None:
    wrong = curve.make_pair().public
    ended = strangers.run(alice, "-m", "hello", "--key", wrong)
    assert (ended.code, ended.out) == (77, "")
    assert "given" in ended.err
    assert keys.grouped(wrong) in ended.err


def test_others_can_read_the_broker_s_key(start_broker: StartBroker, tmp_path: Path) -> None:
    start_broker().end(signal.SIGTERM)
    (tmp_path / "broker" / "broker.key").chmod(0o644)
    ended = fails(tmp_path / "broker")
    assert ended.code == 73
    assert re.fullmatch(r"restante: others can read \S+broker\.key, .* chmod 600 .*\n", ended.err)


@pytest.mark.parametrize("text", ["", "garbage", f"public {'a' * 52}\nsecret {'a' * 52}\n"])
def test_the_broker_s_key_is_damaged(start_broker: StartBroker, tmp_path: Path, text: str) -> None:
    start_broker().end(signal.SIGTERM)
    (tmp_path / "broker" / "broker.key").write_text(text)
    ended = fails(tmp_path / "broker")
    assert ended.code == 65
    assert "broker.key is no pair of keys; restore it from a backup" in ended.err


def fails(folder: Path) -> Ended:
    """Start a broker that does not come up."""
    with Program("broker", "-a", HOST, "-p", "0", "--data", folder, stdin=subprocess.DEVNULL) as broker:
        return broker.end()


# ---- devices' keys -------------------------------------------------------------------------------------


def test_a_device_that_was_let_in_needs_no_password(clients: Clients, alice: str) -> None:
    clients.register(alice)
    assert clients.run(alice, "-m", "hello", **UNGIVEN).code == 0
    assert clients.run(alice, "wrong", "-m", "hello").code == 77
    assert clients.run(alice, "-m", "hello", **UNGIVEN).code == 0
    with other(clients, "elsewhere") as elsewhere:
        assert elsewhere.run(alice, "-m", "hello", **UNGIVEN).code == 77


def test_a_revoked_device_stays_out(clients: Clients, alice: str) -> None:
    stolen = clients.start(alice, "--json", "--follow")
    device = stolen.hear("online")["device"]
    with other(clients, "elsewhere") as elsewhere:
        mine = elsewhere.start(alice, "--json", "--follow")
        mine.hear("online")
        mine.type("/devices\n")
        listed = mine.hear("devices")["devices"]
        assert device in [each["device"] for each in listed]
        mine.type(f"/devices revoke {device}\n")
        assert stolen.end().code == 77
        assert mine.end(signal.SIGTERM).code == 0
    again = clients.run(alice, "-m", "hello")
    assert (again.code, "revoked" in again.err) == (77, True)


def change_password(screen: Terminal, alice: str, old: str) -> None:
    """Answer what /passwd asks."""
    screen.see(f"welcome, {alice}")
    screen.type("/passwd\n")
    for asked, typed in (("Old password: ", old), ("New password: ", NEW), ("Once more: ", NEW)):
        screen.see(asked)
        screen.type(f"{typed}\n")


def test_a_changed_password(clients: Clients, alice: str) -> None:
    old = "the old one"
    assert clients.run(alice, old, "--fetch").code == 0
    screen = clients.at_terminal(alice)
    change_password(screen, alice, old)
    screen.see("the password is changed")
    screen.type("exit\n")
    ended = screen.end()
    assert (ended.code, old in ended.out, NEW in ended.out) == (0, False, False)
    with other(clients, "elsewhere") as elsewhere:
        assert elsewhere.run(alice, old, "--fetch").code == 77
        assert elsewhere.run(alice, NEW, "--fetch").code == 0
