"""broker.py as it is started and ended."""

from __future__ import annotations

import re
import signal
import socket
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from console import broker_options
from tests.programs.programs import HOST, PASSWORD, Broker, Clients, Program

DEMO_ACCOUNTS = ["Alex", "Girl", "Me", "Pavel", "Pavel_2", "Sveta"]


StartBroker = Callable[..., Broker]
ClientsOf = Callable[[Broker], Clients]


@pytest.fixture
def house(start_broker: StartBroker) -> Broker:
    """A broker of one's own, to be ended."""
    return start_broker()


def mode(path: Path) -> str:
    return stat.filemode(path.stat().st_mode)


def test_what_it_does_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RESTANTE_DATA", raising=False)
    settings = broker_options.read([])
    assert (settings.address, settings.port, settings.registration) == ("*", 7777, "open")
    assert not settings.demo_accounts


def test_it_says_in_one_line_where_it_listens(house: Broker) -> None:
    assert re.fullmatch(rf"restante: listening on tcp://127\.0\.0\.1:{house.port}(, key [a-z2-7]{{52}})?\n", house.out)
    with socket.create_connection((HOST, house.port)):
        pass


def test_all_addresses_of_both_families(tmp_path: Path) -> None:
    with Program("broker", "-p", "0", "--data", tmp_path) as broker:
        port = int(broker.see(r"^restante: listening on tcp://\*:(\d+)")[1])
        for host in (HOST, "::1") if socket.has_dualstack_ipv6() else (HOST,):
            with socket.create_connection((host, port)):
                pass
        assert broker.end(signal.SIGTERM).code == 0


@pytest.mark.parametrize("address", ["::1", "localhost"])
def test_an_address_of_either_family_and_a_name(tmp_path: Path, address: str) -> None:
    if address == "::1" and not socket.has_dualstack_ipv6():
        address = HOST
    with Program("broker", "-a", address, "-p", "0", "--data", tmp_path) as broker:
        port = int(broker.see(r"^restante: listening on tcp://\S+:(\d+)")[1])
        options = "-a", address, "-p", str(port), "--data", tmp_path / "clients"
        with Program("client", "alice", PASSWORD, *options, "-m", "hi", stdin=subprocess.DEVNULL) as client:
            assert client.end().code == 0
        assert broker.end(signal.SIGTERM).code == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_its_clients_are_told(house: Broker, clients_of: ClientsOf, number: int) -> None:
    clients = clients_of(house)
    crowd = [clients.start(name, "--json", "--follow") for name in ("alice", "bob", "carol")]
    for each in crowd:
        each.hear("online")
    ended = house.end(number)
    assert (ended.code, ended.err) == (0, "")
    for each in crowd:
        each.hear("offline")
        assert each.end(signal.SIGTERM).code == 0


def test_a_client_that_reads_nothing_does_not_hold_up_its_end(house: Broker, clients_of: ClientsOf) -> None:
    clients = clients_of(house)
    asleep = clients.start("alice", "--follow", "--json")
    asleep.hear("online")
    asleep.process.send_signal(signal.SIGSTOP)
    assert clients.run("bob", typed=("x" * 1000 + "\n") * 2000).code == 0
    assert house.end(signal.SIGTERM).code == 0


def test_accounts_passwords_and_mail_survive_it(start_broker: StartBroker, clients_of: ClientsOf) -> None:
    broker = start_broker()
    clients = clients_of(broker)
    clients.register("alice", "bob")
    assert clients.run("alice", "-m", "bob: still there?").code == 0
    assert broker.end(signal.SIGTERM).code == 0
    clients = clients_of(start_broker(port=broker.port))
    assert clients.run("bob", "wrong", "--fetch").code == 77
    assert clients.fetch("bob").texts == ["still there?"]


def test_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "down"
    with Broker(folder) as broker:
        assert broker.end(signal.SIGTERM).code == 0
    assert mode(folder) == "drwx------"
    assert {path.name: mode(path) for path in folder.iterdir()} == dict.fromkeys(
        ["restante.sqlite", "broker.key", "broker.log", "lock"], "-rw-------"
    )


def test_its_files_are_private_while_it_runs(house: Broker) -> None:
    assert {mode(path) for path in house.folder.iterdir()} == {"-rw-------", "srw-------"}


@pytest.mark.parametrize(
    ("variable", "below"), [("RESTANTE_DATA", ""), ("XDG_DATA_HOME", "restante/broker")], ids=["told", "platform's"]
)
def test_where_it_keeps_things_without_data(tmp_path: Path, variable: str, below: str) -> None:
    with Program("broker", "-a", HOST, "-p", "0", **{variable: str(tmp_path / "here")}) as broker:
        broker.see("^restante: listening on .*\n")
        assert broker.end(signal.SIGTERM).code == 0
    assert (tmp_path / "here" / below / "restante.sqlite").is_file()


def test_the_option_comes_before_the_environment(tmp_path: Path) -> None:
    with Program(
        "broker", "-a", HOST, "-p", "0", "--data", tmp_path / "a", RESTANTE_DATA=str(tmp_path / "b")
    ) as broker:
        broker.see("^restante: listening on .*\n")
        assert broker.end(signal.SIGTERM).code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_demo_accounts(start_broker: StartBroker, clients_of: ClientsOf) -> None:
    for _ in range(2):  # the second time they are there already
        broker = start_broker("--demo-accounts")
        assert "demo accounts Pavel, Pavel_2, Sveta, Girl, Me, Alex; their password is demo" in broker.out
        sveta = clients_of(broker).run("Sveta", "demo", "--json", typed="/contacts\n")
        assert sveta.code == 0
        assert sveta.events[0]["registered"] is False
        others = [name for name in DEMO_ACCOUNTS if name != "Sveta"]
        assert {"event": "contacts", "contacts": [], "possible": others} in sveta.events
        assert broker.end(signal.SIGTERM).code == 0


def test_a_closed_house(start_broker: StartBroker, clients_of: ClientsOf) -> None:
    broker = start_broker()
    clients_of(broker).register("alice")
    broker.end(signal.SIGTERM)
    clients = clients_of(start_broker("--registration", "closed"))
    stranger = clients.run("bob", "-m", "let me in")
    assert stranger.code == 77
    assert "this broker makes no new accounts" in stranger.err
    assert clients.run("alice", "-m", "hi").code == 0


@pytest.mark.parametrize(("level", "lines"), [("info", True), ("error", False)])
def test_what_goes_into_its_log(tmp_path: Path, level: str, lines: bool) -> None:
    with Broker(tmp_path, "--log-level", level) as broker:
        assert broker.end(signal.SIGTERM).code == 0
        assert bool(broker.log) == lines


def test_it_says_who_comes_and_goes_and_from_where(house: Broker, clients_of: ClientsOf) -> None:
    clients = clients_of(house)
    assert clients.run("alice", "--fetch").code == 0
    house.see(rf"^alice registered from {re.escape(HOST)}\n")
    house.see(rf"^alice left from {re.escape(HOST)}\n")
    assert clients.run("alice", "--fetch").code == 0
    house.see(rf"^alice joined from {re.escape(HOST)}\n")
    assert clients.run("alice", "-m", "nobody is told of a run that only sends").code == 0
    assert house.end(signal.SIGTERM).out.count("alice") == 4


def test_it_goes_on_when_nobody_watches_it(house: Broker, clients_of: ClientsOf) -> None:
    house.stop_reading()
    clients = clients_of(house)
    assert clients.run("alice", "--fetch").code == 0
    assert clients.run("alice", "-m", "hi").code == 0
    assert house.end(signal.SIGTERM).code == 0


def test_killed_clients_are_noticed_at_once(house: Broker, clients_of: ClientsOf) -> None:
    clients = clients_of(house)
    bob = clients.start("bob", "--json", "--follow")
    bob.hear("online")
    for name in ("alice", "carol"):
        victim = clients.start(name, "--json", "--follow")
        bob.hear("joined", account=name)
        victim.kill()
        bob.hear("left", account=name)
    assert bob.end(signal.SIGTERM).code == 0
