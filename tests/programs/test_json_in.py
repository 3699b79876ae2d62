"""--json-in: objects in; and --ack: what was not acknowledged is handed out again."""

from __future__ import annotations

import json
import signal
import subprocess

import pytest

from tests.programs.programs import Clients, Ended, Event, Program


def say(program: Program, do: str, **fields: object) -> None:
    program.type(json.dumps({"do": do} | fields) + "\n")


def follow(clients: Clients, account: str, *options: str) -> Program:
    program = clients.start(account, "--json", "--json-in", "--follow", *options)
    program.hear("online")
    return program


def accepted(ended: Ended) -> list[str]:
    return [event["tag"] for event in ended.events if event["event"] == "accepted"]


def messages(events: list[Event]) -> list[Event]:
    return [event for event in events if event["event"] == "message"]


def test_a_conversation_of_objects(clients: Clients, reader: Program, alice: str) -> None:
    talk = follow(clients, alice)
    say(talk, "send", text="one\ntwo", tag="t1")
    assert talk.hear("accepted")["tag"] == "t1"
    say(talk, "send", to="reader", text="/quit", tag="t2")
    assert reader.hear_from(alice, 2) == ["one\ntwo", "/quit"]
    say(talk, "join", room=f"#of-{alice}", private=True)
    assert talk.hear("joined", room=f"#of-{alice}")["account"] == alice
    say(talk, "invite", account="reader")
    assert reader.hear("invited", room=f"#of-{alice}")["by"] == alice
    say(talk, "send", text="hello, nobody", tag="t3")
    assert talk.hear("message", text="hello, nobody")["to"] == f"#of-{alice}"
    say(talk, "names")
    assert talk.hear("members")["here"] == [alice]
    assert talk.end(signal.SIGTERM).code == 0


def test_what_can_not_be_done_is_named_by_its_line_and_tag(clients: Clients, alice: str) -> None:
    lines = [
        "hello",
        '{"do": "send", "to": "nobody-here", "text": "hi", "tag": "t1"}',
        '{"do": "send", "text": "ok", "tag": "t2"}',
    ]
    ended = clients.run(alice, "--json", "--json-in", typed="\n".join(lines))
    refused = [event for event in ended.events if event["event"] == "refused"]
    assert [(event["code"], event.get("tag"), event.get("line")) for event in refused] == [
        ("bad-json", None, 1),
        ("no-such-account", "t1", 2),
    ]
    assert (ended.code, accepted(ended)) == (65, ["t2"])


def test_objects_in_and_lines_out(clients: Clients, reader: Program, alice: str) -> None:
    """--json-in alone is a run that only sends, and says nothing when all is well."""
    clients.register(alice)
    ended = clients.run(alice, "--json-in", "--to", "reader", typed='{"do": "send", "text": "from a job"}\n')
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert reader.hear_from(alice, 1) == ["from a job"]


def test_strict_stops_at_the_first_object_that_is_refused(clients: Clients, alice: str) -> None:
    lines = ['{"do": "send", "text": "1", "tag": "1"}', '{"do": "shrug"}', '{"do": "send", "text": "2", "tag": "2"}']
    ended = clients.run(alice, "--json", "--json-in", "--strict", typed="\n".join(lines))
    assert (ended.code, accepted(ended)) == (65, ["1"])


def test_bytes_that_are_no_text(clients: Clients, reader: Program, alice: str) -> None:
    ended = clients.run(alice, "--json", "--json-in", typed=b'\xff\xfe\n{"do": "send", "text": "\xff"}\n\x00\n')
    codes = [event["code"] for event in ended.events if event["event"] == "refused"]
    assert (ended.code, codes) == (65, ["bad-json", "bad-json"])
    assert reader.hear_from(alice, 1) == ["\ufffd"]


@pytest.mark.parametrize("options", [["--ack"], ["--ack", "--json"], ["--ack", "--json-in"], ["--raw", "--json-in"]])
def test_options_that_do_not_go_together(clients: Clients, alice: str, options: list[str]) -> None:
    assert clients.run(alice, *options).code == 2


def test_a_killed_consumer_goes_on_where_it_was(clients: Clients, reader: Program, alice: str) -> None:
    """At least once: what it had not acknowledged comes again, under the same ids, and nothing before it."""
    clients.register(alice)
    for text in ("one", "two", "three"):
        reader.type(f"{alice}: {text}\n")
    consumer = follow(clients, alice, "--ack")
    first = [consumer.hear("message", text=text) for text in ("one", "two", "three")]
    say(consumer, "ack", log=first[1]["log"], seq=first[1]["seq"])
    say(consumer, "status")
    consumer.hear("status")
    consumer.kill()
    consumer = follow(clients, alice, "--ack")
    again = consumer.hear("message")
    assert (again["text"], again["id"], again["seq"]) == ("three", first[2]["id"], first[2]["seq"])
    say(consumer, "ack", log=again["log"], seq=again["seq"])
    say(consumer, "status")
    consumer.hear("status")
    assert consumer.end(signal.SIGTERM).code == 0
    assert messages(clients.fetch(alice).events) == []


def test_an_ack_of_what_was_not_handed_out(clients: Clients, reader: Program, alice: str) -> None:
    clients.register(alice)
    consumer = follow(clients, alice, "--ack")
    reader.type(f"{alice}: one\n")
    one = consumer.hear("message", text="one")
    say(consumer, "ack", log=one["log"], seq=one["seq"] + 1, tag="early")
    assert consumer.hear("refused")["tag"] == "early"
    consumer.kill()
    unasked = follow(clients, alice)
    unasked.hear("message", text="one")
    say(unasked, "ack", log=one["log"], seq=one["seq"])
    assert unasked.hear("refused")["code"] == "no-acks"
    assert unasked.end(signal.SIGTERM).code == 65


def test_a_fetch_waits_for_its_acks(clients: Clients, reader: Program, alice: str) -> None:
    clients.register(alice)
    reader.type(f"{alice}: one\n{alice}: two\n")
    reader.hear_from("reader", 2)
    fetch = clients.start(alice, "--json", "--json-in", "--ack", "--fetch")
    two = fetch.hear("message", text="two")
    say(fetch, "ack", log=two["log"], seq=two["seq"])
    assert fetch.end().code == 0
    assert messages(clients.fetch(alice).events) == []


def test_without_acks_everything_comes_again(clients: Clients, reader: Program, alice: str) -> None:
    """A fetch whose standard input is over waits for nobody."""
    clients.register(alice)
    reader.type(f"{alice}: one\n")
    once = ("--json", "--json-in", "--ack", "--fetch")
    runs = [clients.start(alice, *once, stdin=subprocess.DEVNULL).end() for _ in range(2)]
    assert [run.texts for run in runs] == [["one"], ["one"]]
    assert messages(runs[0].events)[0]["id"] == messages(runs[1].events)[0]["id"]


def test_a_count_waits_for_its_acks_too(clients: Clients, reader: Program, alice: str) -> None:
    clients.register(alice)
    reader.type("".join(f"{alice}: {number}\n" for number in range(5)))
    for number in (0, 2):
        consumer = clients.start(alice, "--json", "--json-in", "--ack", "--count", "2")
        last = [consumer.hear("message", text=str(number + step)) for step in (0, 1)][-1]
        say(consumer, "ack", log=last["log"], seq=last["seq"])
        assert consumer.end().texts == [str(number), str(number + 1)]
    assert clients.fetch(alice).texts == ["4"]
