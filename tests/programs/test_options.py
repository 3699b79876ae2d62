"""client.py: each option, each form of it, and what stands in for it."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from console import client_options
from protocol import names
from tests.programs.programs import HOST, PASSWORD, Broker, Clients, Program

FORMS: dict[str, Callable[[str], list[str]]] = {
    "NAME PASSWORD": lambda name: [name, PASSWORD],
    "-n -pw": lambda name: ["-n", name, "-pw", PASSWORD],
    "--name --password": lambda name: ["--name", name, "--password", PASSWORD],
    "-un -pw": lambda name: ["-un", name, "-pw", PASSWORD],
}


def test_what_it_does_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("RESTANTE_BROKER", "RESTANTE_PASSWORD", "RESTANTE_DATA"):
        monkeypatch.delenv(variable, raising=False)
    settings = client_options.read(["alice"], lambda path: "")
    assert (settings.host, settings.port, settings.to, settings.wait_s) == ("localhost", 7777, names.LOBBY, 10)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_who_one_is(clients: Clients, alice: str, form: Callable[[str], list[str]]) -> None:
    ended = clients.run(*form(alice), "--fetch", "--json", RESTANTE_PASSWORD="")
    assert ended.code == 0
    assert (ended.events[0]["account"], ended.events[0]["registered"]) == (alice, True)


def test_the_environment_stands_in(broker: Broker, alice: str, tmp_path: Path) -> None:
    env = {
        "RESTANTE_BROKER": f"tcp://{HOST}:{broker.port}",
        "RESTANTE_PASSWORD": PASSWORD,
        "RESTANTE_DATA": str(tmp_path / "here"),
    }
    with Program("client", alice, "-m", "hi", stdin=subprocess.DEVNULL, **env) as client:
        assert client.end().code == 0
    assert [*(tmp_path / "here").rglob("journal.sqlite")]


def test_options_come_before_the_environment(clients: Clients, alice: str, tmp_path: Path) -> None:
    env = {"RESTANTE_BROKER": "tcp://192.0.2.1:1", "RESTANTE_DATA": str(tmp_path / "b")}
    clients.register(alice)
    assert clients.run(alice, "wrong", "--fetch", **env).code == 77
    assert clients.run(alice, PASSWORD, "--fetch", RESTANTE_PASSWORD="wrong", **env).code == 0
    assert not (tmp_path / "b").exists()


def test_where_it_keeps_things_without_data(broker: Broker, alice: str, tmp_path: Path) -> None:
    options = alice, PASSWORD, "-a", HOST, "-p", str(broker.port), "--fetch"
    with Program("client", *options, stdin=subprocess.DEVNULL, XDG_DATA_HOME=str(tmp_path)) as client:
        assert client.end().code == 0
    assert list((tmp_path / "restante" / "client").rglob("journal.sqlite"))


SENT = [  # options, what is typed, where it goes, what it says
    (["-m", "reader: typed"], "", "reader", "typed"),
    (["--to", "reader", "-m", "alice: to an account"], "", "reader", "alice: to an account"),
    (["--to", "#lobby", "-m", "reader: to a room"], "", "#lobby", "reader: to a room"),
    (["--raw", "-m", "/quit"], "", "#lobby", "/quit"),
    (["--to", "reader"], "a line to the chosen place\n", "reader", "a line to the chosen place"),
    (["--to", "#lobby"], "reader: a line with an address\n", "reader", "a line with an address"),
    (["--raw", "--to", "reader"], "help\n", "reader", "help"),
    (["--to", "reader", "-m", "two\nlines"], "", "reader", "two\nlines"),
]


def test_what_is_sent_where(clients: Clients, reader: Program, alice: str) -> None:
    for options, typed, to, text in SENT:
        sent = clients.run(alice, *options, typed=typed)
        assert (sent.code, sent.out) == (0, "")
        reader.hear("message", **{"from": alice, "to": to, "text": text})
    assert len(reader.hear_from(alice, len(SENT))) == len(SENT)


def test_plain_lines(clients: Clients, bob: str, alice: str) -> None:
    clients.register(bob)
    assert clients.run(alice, typed=f"hello\n{bob}: psst\none \x1b[31mred\n").code == 0
    assert clients.run(alice, "--to", bob, "-m", "one\ntwo").code == 0
    ended = clients.run(bob, "--fetch")
    shown = re.sub(r"(?m)^\d\d:\d\d ", "HH:MM ", ended.out)
    for line in (f"{alice}: hello", f"{alice} -> {bob}: psst", f"{alice}: one ^[[31mred", f"{alice} -> {bob}: one"):
        assert f"HH:MM {line}\n" in shown
    assert f"{bob}: one\n      │ two\n" in shown
    assert shown.count("\n") == 5
    assert re.search(r"^\d\d:\d\d \* 4 messages came while you were away$", ended.err, re.MULTILINE)


def test_a_run_that_only_sends_takes_nothing_and_is_seen_by_nobody(
    clients: Clients, reader: Program, alice: str
) -> None:
    assert clients.run(alice, "-m", "zero").code == 0
    reader.type(f"{alice}: for you\n")
    reader.hear("message", to=alice, text="for you")
    for options, typed in (((), "one\n"), ((), ""), (("-m", "two"), "")):
        sent = clients.run(alice, *options, typed=typed)
        assert (sent.code, sent.out, sent.err) == (0, "", "")
    assert reader.hear_from(alice, 3) == ["zero", "one", "two"]
    assert not [event for event in reader.events if event.get("account") == alice]
    assert sorted(clients.fetch(alice).texts) == ["for you", "one", "two", "zero"]
    assert clients.fetch(alice).texts == []


def test_count(clients: Clients, reader: Program, alice: str) -> None:
    clients.register(alice)
    reader.type("".join(f"{alice}: {number}\n" for number in range(1, 6)))
    reader.hear("message", to=alice, text="5")
    assert clients.run(alice, "--count", "2", "--json").texts == ["1", "2"]
    assert clients.run(alice, "--count", "1", "--json").texts == ["3"]
    waiting = clients.start(alice, "--count", "3", "--json")
    waiting.hear("message", text="5")
    reader.type(f"{alice}: 6\n")
    ended = waiting.end()
    assert (ended.code, ended.texts) == (0, ["4", "5", "6"])


def test_for_some_seconds(clients: Clients, alice: str) -> None:
    ended = clients.start(alice, "--for", "1.5", "--json").end()
    assert ended.code == (0 if ended.events else 69)  # a slow machine may not get there in time


def test_json_alone_stays_until_its_input_ends(clients: Clients, reader: Program, alice: str) -> None:
    client = clients.start(alice, "--json")
    client.hear("online")
    reader.type("are you there?\n")
    client.hear("message", text="are you there?")
    client.type("bye")
    client.end_input()
    ended = client.end()
    assert ended.code == 0
    assert [event["event"] for event in ended.events].count("accepted") == 1


def test_follow_stays_when_its_input_has_ended(clients: Clients, reader: Program, alice: str) -> None:
    client = clients.start(alice, "--follow", "--json")
    client.type("hi\n")
    client.end_input()
    client.hear("accepted")
    reader.type("still there?\n")
    client.hear("message", text="still there?")
    assert client.end(signal.SIGTERM).code == 0


def test_fetch_sends_what_it_is_given_too(clients: Clients, alice: str) -> None:
    clients.register(alice)
    ended = clients.run(alice, "--fetch", "--json", typed="one\ntwo\n")
    assert ended.code == 0
    assert [event["event"] for event in ended.events].count("accepted") == 2


def test_led_by_numbers(clients: Clients, reader: Program, alice: str) -> None:
    client = clients.start(alice, "--menu")
    for asked, answer in (
        ("1 message, 2 help, 3 exit", "1"),
        ("To:", "reader"),
        ("Message:", "hello"),
        ("3 exit", "3"),
    ):
        client.see(asked, "err")
        client.type(answer + "\n")
    client.type("not read any more\n")
    assert client.end().code == 0
    assert reader.hear("message", to="reader", text="hello")["from"] == alice


def test_the_guided_message(clients: Clients, reader: Program, alice: str) -> None:
    assert clients.run(alice, typed="message\nreader\nhelp\n").code == 0
    assert reader.hear_from(alice, 1) == ["help"]


ASKED = {
    "help": "what you can type:",
    "/help to": "/to NAME|#ROOM: plain lines go there from now on",
    "/status": r"connected to tcp://127\.0\.0\.1:\d+$",
    "/outbox": "the outbox is empty",
    "/who": "here now: ",
    "ls": "here now: ",
    "/contacts": "contacts: nobody$",
    "/add reader": "contacts: reader$",
    "/remove reader": "contacts: nobody$",
    "/to reader": "plain lines go to reader now",
}


def test_questions(clients: Clients, reader: Program, alice: str) -> None:
    client = clients.start(alice)
    for line, answer in ASKED.items():
        client.type(f"{line}\n")
        client.see(answer, "err")
    client.end_input()
    ended = client.end()
    assert (ended.code, ended.out) == (0, "")


@pytest.mark.parametrize(("line", "answer"), [("/who", "here now: "), ("/contacts", "contacts: nobody\n")])
def test_a_question_is_answered_before_the_end(clients: Clients, alice: str, line: str, answer: str) -> None:
    ended = clients.run(alice, typed=line)
    assert ended.code == 0
    assert answer in ended.err


def test_exit_leaves_the_rest_unread(clients: Clients, reader: Program, alice: str) -> None:
    assert clients.run(alice, typed="one\nexit\ntwo\n").code == 0
    assert clients.run(alice, "-m", "three").code == 0
    assert reader.hear_from(alice, 2) == ["one", "three"]


def test_history_is_the_client_s_own(clients: Clients, alice: str) -> None:
    client = clients.start(alice, "--json")
    client.type("one\ntwo\nthree\n")
    assert client.hear_from(alice, 3) == ["one", "two", "three"]
    client.type("/history 2\n")
    client.end_input()
    assert [event["text"] for event in client.end().events if event.get("history")] == ["two", "three"]
