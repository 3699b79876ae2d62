"""An operator's commands with the real programs: beside a running broker, and on its folder while none runs."""

from __future__ import annotations

import json
import re
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zmq

from broker import EXITS
from operating.orders import EXIT_USAGE
from store import StoreDamaged, StoreNewer
from tests.programs.programs import BOUND_S, PASSWORD, ROOT, Broker, Clients, Program, Terminal
from tests.programs.upkeep_commands import command, said, stop
from transport.control import NAME

StartBroker = Callable[..., Broker]
ClientsOf = Callable[[Broker], Clients]


@pytest.fixture
def house(start_broker: StartBroker) -> Broker:
    """A broker of one's own, to be ended."""
    return start_broker("--registration", "invite")


def facts(folder: Path, *words: str) -> list[dict[str, Any]]:
    """What a command answers."""
    return [json.loads(line) for line in command(folder, *words, "--json").out.splitlines()]


def accounts(folder: Path) -> list[str]:
    return [each["account"] for each in facts(folder, "accounts")]


def test_an_evening_of_an_operator(house: Broker, clients_of: ClientsOf) -> None:
    folder, clients = house.folder, clients_of(house)
    assert clients.run("alice", "-m", "hi").code == 77
    (invite,) = facts(folder, "invites", "new", "--uses", "2", "--for", "1h")
    for name in ("alice", "bob"):
        assert clients.run(name, "-m", "hi", "--invite", invite["code"]).code == 0
    assert clients.run("carol", "-m", "hi", "--invite", invite["code"]).code == 77
    assert accounts(folder) == ["alice", "bob"]
    bob = clients.start("bob", "--json", "--follow")
    bob.hear("online")
    (session,) = facts(folder, "sessions")
    assert (session["account"], session["address"], session["reads"]) == ("bob", "127.0.0.1", True)
    command(folder, "announce", "down at six")
    assert bob.hear("message", text="down at six")["from"] == "broker"
    bob.type("/join #tea\n")
    bob.hear("joined", account="bob", room="#tea")
    assert [(each["room"], each["members"]) for each in facts(folder, "rooms")] == [("#tea", ["bob"])]
    command(folder, "rooms", "close", "#tea")
    bob.hear("left", account="bob", room="#tea")
    command(folder, "accounts", "ban", "bob", "--for", "2h")
    assert bob.hear("bye")["reason"] == "account-barred"
    assert "is banned until 2" in bob.end().err
    assert "bob neither" not in command(folder, "accounts").out
    command(folder, "accounts", "unban", "bob")
    assert clients.run("bob", "-m", "back").code == 0


def test_the_same_on_a_folder_without_a_broker(house: Broker, start_broker: StartBroker, clients_of: ClientsOf) -> None:
    folder = house.folder
    stop(house)
    (added,) = facts(folder, "accounts", "add", "alice")
    command(folder, "accounts", "add", "bob")
    command(folder, "passwd", "bob", "--password", "-", typed=b"a new one\n")
    told = command(folder, "accounts", "add", "ALICE", code=65)
    assert said(told, folder) == "there is an account ALICE already; nothing was made: choose another name"
    for absent in ("sessions", "stats"):
        told = command(folder, absent, code=69)
        assert said(told, folder) == "no broker works on DIR; nothing was done: start it first"
    command(folder, "announce", "nobody runs", code=69)
    assert said(command(folder, "check", code=69), folder) == "no broker works on DIR"
    again = start_broker()
    clients = clients_of(again)
    command(folder, "check")
    assert clients.run("alice", "-m", "hi", "--invite", added["code"]).code == 0
    assert clients.run("bob", "-m", "hi", RESTANTE_PASSWORD="a new one").code == 0
    assert accounts(folder) == ["alice", "bob"]


def test_two_who_use_one_code_at_the_same_time(house: Broker, clients_of: ClientsOf) -> None:
    clients = clients_of(house)
    (invite,) = facts(house.folder, "invites", "new")
    both = [clients.start(name, "-m", "hi", "--invite", invite["code"]) for name in ("alice", "bob")]
    assert sorted(each.end().code for each in both) == [0, 77]
    assert len(accounts(house.folder)) == 1


def test_a_person_is_asked_for_the_code_and_chooses_a_password(house: Broker, clients_of: ClientsOf) -> None:
    (invite,) = facts(house.folder, "invites", "new")
    alice = clients_of(house).at_terminal("alice", "--plain")
    alice.see("makes new ones by invitation.*\n")
    alice.see("Code of the invitation: ")
    alice.type(f"{invite['code']}\n")
    for question in ("New password: ", "Once more: "):
        alice.see(question)
        alice.type(f"{PASSWORD}\n")
    alice.see("the account alice was made just now")
    alice.type("exit\n")
    assert alice.end().code == 0


def test_passwd_asks_unseen(house: Broker, clients_of: ClientsOf) -> None:
    (added,) = facts(house.folder, "accounts", "add", "alice")
    assert clients_of(house).run("alice", "-m", "hi", "--invite", added["code"]).code == 0
    with Terminal("broker", "passwd", "alice", "--data", house.folder) as terminal:
        for question in ("New password: ", "Once more: "):
            terminal.see(question)
            terminal.type("unseen by all\n")
        terminal.see("the password of alice is changed")
        assert "unseen by all" not in terminal.end().out
    assert clients_of(house).run("alice", "-m", "hi", RESTANTE_PASSWORD="unseen by all").code == 0
    assert clients_of(house).run("alice", "-m", "hi").code == 77


STRANGE = ("burn", 7, ["bar"], None, {"do": "bar"})


def test_whatever_is_asked_in_a_breath_is_answered_each_by_itself(broker: Broker) -> None:
    asked = [{"do": "tell-stats"}, {"do": "list-accounts"}, {"do": "bar"}, *({"do": each} for each in STRANGE)]
    with zmq.Context() as context, context.socket(zmq.DEALER) as wire:
        wire.connect(f"ipc://{broker.folder / NAME}")
        for each in asked:
            wire.send(json.dumps(each).encode())
        answers = []
        while len(answers) < len(asked):
            assert wire.poll(int(BOUND_S * 1000))
            answers.append(json.loads(wire.recv()))
    assert sorted("error" in each for each in answers) == [False] * 2 + [True] * (len(asked) - 2)
    assert [each["accounts"] for each in answers if "accounts" in each] == [[]]
    assert [each["sessions"] for each in answers if "sessions" in each] == [0]
    command(broker.folder, "check")


MISTAKES = {
    ("accounts", "ban", "alice"): "a ban wants its time, as in --for 2h; nothing was done",
    ("passwd", "alice"): "a password is asked for on a terminal, and there is none: --password - reads it",
    ("accounts", "add"): "it goes like this: accounts | accounts add NAME",
    ("frobnicate",): "--help lists the commands",
    ("invites", "new", "--uses", "0"): "is no number of accounts",
    ("announce", "x" * 5000): "that can't be asked",
}


@pytest.mark.parametrize("words", MISTAKES, ids=lambda words: " ".join(words)[:30])
def test_a_mistake_is_explained(broker: Broker, words: tuple[str, ...]) -> None:
    with Program("broker", *words, "--data", broker.folder) as program:
        program.end_input()
        ended = program.end()
    assert (ended.code, ended.out) == (2, "")
    assert MISTAKES[words] in ended.err


def test_systemd_gives_up_only_where_starting_again_is_of_no_use() -> None:
    unit = (ROOT / "install" / "systemd" / "restante-broker.service").read_text("utf-8")
    assert {"Restart=always", "StartLimitIntervalSec=0"} <= set(unit.splitlines())
    (codes,) = re.findall(r"^RestartPreventExitStatus=(.+)$", unit, re.MULTILINE)
    assert set(map(int, codes.split())) == {EXIT_USAGE, EXITS[StoreDamaged], EXITS[StoreNewer]}


def test_systemd_is_told_when_the_broker_is_ready_and_when_it_stops(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.settimeout(BOUND_S)
        systemd.bind(str(tmp_path / "notify"))
        options = ("-a", "127.0.0.1", "-p", "0", "--data", tmp_path / "broker", "--log-json")
        with Program("broker", *options, NOTIFY_SOCKET=str(tmp_path / "notify")) as program:
            assert systemd.recv(100) == b"READY=1"
            assert program.end(signal.SIGTERM).code == 0
            assert systemd.recv(100) == b"STOPPING=1"
    log = [json.loads(line) for line in (tmp_path / "broker" / "broker.log").read_text("utf-8").splitlines()]
    assert [each["what"] for each in log] == ["listening", "ended"]
