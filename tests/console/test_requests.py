"""One object a line: it asks for what a typed line asks for, and whatever else comes is refused in words."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from console import menu
from console.input import parse
from console.requests import COMMANDS, Requests, fields, read, usage
from core import typed
from protocol import limits

Thing = dict[str, Any]

SAME: tuple[tuple[str, Thing], ...] = (
    ("hello", {"do": "send", "text": "hello"}),
    ("bob: psst", {"do": "send", "to": "bob", "text": "psst"}),
    ("/msg #tea hello", {"do": "msg", "to": "#tea", "text": "hello"}),
    ("/to #tea", {"do": "to", "to": "#tea"}),
    ("/say /quit", {"do": "say", "text": "/quit"}),
    ("/me waves", {"do": "me", "action": "waves"}),
    ("/who", {"do": "who"}),
    ("/whois bob", {"do": "whois", "account": "bob"}),
    ("/contacts", {"do": "contacts"}),
    ("/add bob", {"do": "add", "account": "bob"}),
    ("/remove bob", {"do": "remove", "account": "bob"}),
    ("/ignore", {"do": "ignore"}),
    ("/ignore bob", {"do": "ignore", "account": "bob"}),
    ("/unignore bob", {"do": "unignore", "account": "bob"}),
    ("/join #tea", {"do": "join", "room": "#tea", "private": False}),
    ("/join #tea private", {"do": "join", "room": "#tea", "private": True}),
    ("/leave", {"do": "leave"}),
    ("/rooms #tea", {"do": "rooms", "room": "#tea"}),
    ("/names #tea", {"do": "names", "room": "#tea"}),
    ("/topic", {"do": "topic"}),
    ("/topic leaves", {"do": "topic", "topic": "leaves"}),
    ("/invite bob #tea", {"do": "invite", "account": "bob", "room": "#tea"}),
    ("/expel bob", {"do": "expel", "account": "bob"}),
    ("/ban bob #tea", {"do": "ban", "account": "bob", "room": "#tea"}),
    ("/unban bob #tea", {"do": "unban", "account": "bob", "room": "#tea"}),
    ("/history 5", {"do": "history", "which": 5}),
    ("/history 2h", {"do": "history", "which": "2h"}),
    ("/search tea leaves", {"do": "search", "words": "tea leaves"}),
    ("/unread", {"do": "unread"}),
    ("/devices", {"do": "devices"}),
    ("/devices revoke abc", {"do": "devices", "revoke": True, "id": "abc"}),
    ("/passwd", {"do": "passwd"}),
    ("/status", {"do": "status"}),
    ("/outbox", {"do": "outbox"}),
    ("/set bell never", {"do": "set", "setting": "bell", "value": "never"}),
    ("/unset bell", {"do": "unset", "setting": "bell"}),
    ("/help who", {"do": "help", "command": "who"}),
    ("/quit", {"do": "quit"}),
)


@pytest.mark.parametrize(("line", "thing"), SAME, ids=[line for line, _ in SAME])
def test_an_object_asks_for_the_same_as_a_line(line: str, thing: Thing) -> None:
    assert read(json.dumps(thing)) == parse(line)


def test_every_command_but_the_menu_can_be_asked_for() -> None:
    assert set(COMMANDS) == {*menu.BY_NAME, "send", "ack"} - {"menu"}
    assert all(len(fields(command)) == len(command.takes.split()) for command in COMMANDS.values())


def test_an_ack() -> None:
    assert read('{"do": "ack", "log": "@Alice", "seq": 7}') == typed.Confirmed(log="@alice", seq=7)
    assert read('{"do": "ack", "log": "#Tea", "seq": 7}') == typed.Confirmed(log="#tea", seq=7)


def test_a_tag_comes_back_from_whatever_becomes_of_it() -> None:
    good = read('{"do": "send", "text": "hi", "tag": "t1"}')
    bad = read('{"do": "shrug", "tag": "t2"}')
    assert (good.tag, bad.tag) == ("t1", "t2")
    assert isinstance(read('{"do": "send", "text": "hi", "tag": 1}'), typed.Mistook)


def test_a_text_may_have_several_lines_and_look_like_a_command() -> None:
    assert read('{"do": "send", "text": " /quit\\nbob: hi\\n"}') == typed.Wrote(text=" /quit\nbob: hi\n")


def test_lines_are_numbered_and_empty_ones_ask_for_nothing() -> None:
    requests = Requests()
    found = [requests.feed(line) for line in ('{"do": "who"}', "", "nonsense")]
    assert [[intent.line for intent in intents] for intents in found] == [[1], [], [3]]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("hello", "bad-json"),
        ('{"do": "who"', "bad-json"),
        ('["who"]', "bad-json"),
        ("[" * 100_000, "bad-json"),
        ("{}", "unknown-do"),
        ('{"do": "shrug"}', "unknown-do"),
        ('{"do": ["who"]}', "unknown-do"),
        ('{"do": "menu"}', "unknown-do"),
        ('{"do": "send"}', "usage"),
        ('{"do": "send", "text": ""}', "usage"),
        ('{"do": "send", "text": ["hi"]}', "usage"),
        ('{"do": "send", "text": "hi", "two": "bob"}', "usage"),
        ('{"do": "history", "which": 1e9}', "usage"),
        ('{"do": "history", "which": 100000}', "usage"),
        ('{"do": "devices", "id": "abc"}', "usage"),
        ('{"do": "join", "room": "#tea", "private": "public"}', "usage"),
        ('{"do": "join", "room": "tea"}', "bad-name"),
        ('{"do": "whois", "account": "#tea"}', "bad-name"),
        ('{"do": "ack", "log": "tea", "seq": 7}', "bad-name"),
        ('{"do": "ack", "log": "#tea", "seq": "last"}', "usage"),
    ],
)
def test_what_is_refused(line: str, code: str) -> None:
    intent = read(line)
    assert isinstance(intent, typed.Mistook)
    assert intent.code == code
    assert "nothing was" in intent.text or code == "bad-name"


def test_half_a_surrogate_pair_is_replaced() -> None:
    assert read('{"do": "send", "text": "\udcff"}') == typed.Wrote(text="?")


def test_too_long_a_text_is_refused_with_its_size() -> None:
    intent = read(json.dumps({"do": "send", "text": "é" * limits.BODY_BYTES}))
    assert isinstance(intent, typed.Mistook)
    assert (intent.code, str(2 * limits.BODY_BYTES) in intent.text) == ("too-long", True)


def test_usage_is_an_object_that_is_understood_once_it_is_filled_in() -> None:
    assert usage(COMMANDS["invite"]) == '{"do":"invite","account":"NAME","room":"#ROOM"}'


def test_whatever_comes_is_an_intent(seed: int) -> None:
    """Objects whose fields are of any kind, and lines that were cut anywhere."""
    chance = random.Random(seed)
    values = (None, True, False, 0, -1, 2**70, 1.5, "", " ", "#tea", "bob", "\x00", "é" * 70_000, [], {}, [[{}]])
    for _ in range(3000):
        command = COMMANDS[chance.choice(list(COMMANDS))]
        thing = {"do": command.name} | {name: chance.choice(values) for name in (*fields(command), "tag", "x")}
        chosen = chance.sample(list(thing), chance.randrange(len(thing)) + 1)
        line = json.dumps({name: thing[name] for name in chosen})
        for piece in (line, line[: chance.randrange(len(line))]):
            assert all(isinstance(intent, typed.Typed) for intent in Requests().feed(piece))
