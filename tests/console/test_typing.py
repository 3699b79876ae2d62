"""Conversations: what is typed, what comes of it, and what is asked afterwards."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console import menu
from console.input import Typing
from core import typed
from core.typed import Intent, Mistook, Wrote

MENU = "1 message, 2 help, 3 exit, 4 contacts, 5 who: "
CONTACTS = "1 list, 2 add, 3 remove, 4 back: "
HI_BOB = Wrote(to="bob", text="hi")

# Each turn: what is typed; the intent, the code of a refusal, or None; what is asked then.
Turn = tuple[str, Intent | str | None, str]

CONVERSATIONS: dict[str, tuple[bool, list[Turn]]] = {
    "plain lines ask nothing": (
        False,
        [("hi", Wrote(text="hi"), ""), ("", None, ""), ("/frob", "unknown-command", "")],
    ),
    "a message step by step": (False, [("message", None, "To: "), ("bob", None, "Message: "), ("hi", HI_BOB, "")]),
    "the same by its command": (False, [("/msg", None, "To: "), (" bob ", None, "Message: "), ("hi", HI_BOB, "")]),
    "an illegal name is asked for again": (
        False,
        [("message", None, "To: "), ("b/b", "bad-name", "To: "), ("bob", None, "Message: "), ("hi", HI_BOB, "")],
    ),
    "an empty line goes back": (
        False,
        [
            ("message", None, "To: "),
            ("bob", None, "Message: "),
            ("", None, "To: "),
            ("carol", None, "Message: "),
            ("  ", None, "To: "),
            ("", None, ""),
            ("hi", Wrote(text="hi"), ""),
        ],
    ),
    "an answer is no line": (
        False,
        [
            ("message", None, "To: "),
            ("exit", None, "Message: "),
            ("carol: exit", Wrote(to="exit", text="carol: exit"), ""),
        ],
    ),
    "commands work between the questions": (
        False,
        [
            ("message", None, "To: "),
            ("/who", typed.AskedWho(), "To: "),
            ("bob", None, "Message: "),
            ("/who", typed.AskedWho(), "Message: "),
            ("/password x", "unknown-command", "Message: "),
            (" /quit", "leading-blank", "Message: "),
            ("/msg carol hi", Wrote(to="carol", text="hi"), "Message: "),
            ("hi", HI_BOB, ""),
        ],
    ),
    "an escaped answer goes to the one that was chosen": (
        False,
        [
            ("message", None, "To: "),
            ("bob", None, "Message: "),
            ("//x", Wrote(to="bob", text="/x"), ""),
            ("message", None, "To: "),
            ("bob", None, "Message: "),
            ("/say help", Wrote(to="bob", text="help"), ""),
            ("//x", Wrote(text="/x"), ""),
        ],
    ),
    "a message that is too long is asked for again": (
        False,
        [
            ("/msg", None, "To: "),
            ("bob", None, "Message: "),
            ("x" * 20_000, "too-long", "Message: "),
            ("hi", HI_BOB, ""),
        ],
    ),
    "beginning anew forgets the addressee": (
        False,
        [("/msg", None, "To: "), ("bob", None, "Message: "), ("/msg", None, "To: "), ("//x", Wrote(text="/x"), "To: ")],
    ),
    "the menu by number": (
        True,
        [
            ("1", None, "To: "),
            ("bob", None, "Message: "),
            ("hi", HI_BOB, MENU),
            ("2", typed.AskedHelp(), MENU),
            ("4", None, CONTACTS),
            ("1", typed.AskedContacts(), CONTACTS),
            ("2", None, "Add: "),
            ("bob", typed.AddedContact(account="bob"), CONTACTS),
            ("3", None, "Remove: "),
            ("bob", typed.RemovedContact(account="bob"), CONTACTS),
            ("4", None, MENU),
            ("5", typed.AskedWho(), MENU),
            ("3", typed.Left(), MENU),
        ],
    ),
    "the menu by word": (
        True,
        [
            ("message", None, "To: "),
            ("", None, MENU),
            ("HELP", typed.AskedHelp(), MENU),
            (" contacts ", None, CONTACTS),
            ("list", typed.AskedContacts(), CONTACTS),
            ("add", None, "Add: "),
            ("#lobby", "bad-name", "Add: "),
            ("", None, CONTACTS),
            ("remove", None, "Remove: "),
            ("", None, CONTACTS),
            ("back", None, MENU),
            ("who", typed.AskedWho(), MENU),
            ("exit", typed.Left(), MENU),
        ],
    ),
    "the menu sends nothing by mistake": (
        True,
        [
            ("hello everyone", "no-such-choice", MENU),
            ("bob: secret", "no-such-choice", MENU),
            ("6", "no-such-choice", MENU),
            ("0", "no-such-choice", MENU),
            ("", None, MENU),
            ("/msg bob hi", HI_BOB, MENU),
        ],
    ),
    "an empty line leaves the contacts": (True, [("4", None, CONTACTS), ("", None, MENU)]),
    "the menu opens and closes": (
        False,
        [
            ("/menu", None, MENU),
            ("1", None, "To: "),
            ("bob", None, "Message: "),
            ("/menu", None, ""),
            ("//x", Wrote(text="/x"), ""),
            ("1", Wrote(text="1"), ""),
        ],
    ),
}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_a_conversation(name: str) -> None:
    by_menu, turns = CONVERSATIONS[name]
    typing = Typing(by_menu=by_menu, numbered=False)
    assert typing.prompt == (MENU if by_menu else "")
    for line, outcome, prompt in turns:
        (intent,) = typing.feed(line) or [None]
        assert (intent.code if isinstance(intent, Mistook) else intent) == outcome, line
        assert typing.prompt == prompt, line


def led(*lines: str) -> Typing:
    typing = Typing(by_menu=True, numbered=False)
    for line in lines:
        typing.feed(line)
    return typing


def test_a_message_that_is_refused_is_asked_for_again() -> None:
    for last, body in (("hi", "hi"), ("//x", "/x")):
        typing = led("1", "nobody", last)
        typing.refused("bob", body)
        typing.refused("nobody", "something else")
        assert typing.prompt == MENU
        typing.refused("nobody", body)
        assert typing.prompt == "To: "
        assert [typing.feed(line) for line in ("bob", "hi")] == [[], [HI_BOB]]
        assert typing.prompt == MENU


@pytest.mark.parametrize("last", ["5", "", "1", "/msg bob hi", "what"])
def test_whoever_has_gone_on_is_not_called_back(last: str) -> None:
    typing = led("1", "nobody", "hi", last)
    asked = typing.prompt
    typing.refused("nobody", "hi")
    assert typing.prompt == asked


def test_a_refused_line_that_nobody_was_led_to_asks_nothing() -> None:
    typing = Typing(numbered=False)
    typing.feed("bob: hi")
    typing.refused("bob", "hi")
    assert typing.prompt == ""


def test_lines_are_numbered_empty_ones_too() -> None:
    typing = Typing()
    heard = [intent for line in ("hi", "", "/frob", "bob: hi") for intent in typing.feed(line)]
    assert [intent.line for intent in heard] == [1, 3, 4]


def test_raw_lines_are_text_menu_or_not() -> None:
    typing = Typing(raw=True, by_menu=True)
    assert typing.prompt == ""
    for line in ("1", "/quit", "message", "/menu", "bob: hi", "  "):
        (intent,) = typing.feed(line)
        assert isinstance(intent, Wrote)
        assert (intent.text, intent.to) == (line, None)
        assert typing.prompt == ""


TYPED = st.sampled_from(["message", "/msg", "/menu", "bob", "1", "2", "3", "4", "5", "", "//x", "/say x", "b:", "back"])


@settings(max_examples=300)
@given(st.lists(TYPED | st.text(max_size=20), max_size=20), st.booleans())
def test_no_conversation_makes_it_raise(lines: list[str], by_menu: bool) -> None:
    typing = Typing(by_menu=by_menu)
    questions = {MENU, CONTACTS, *(question for command in menu.COMMANDS for question in command.asks), ""}
    for line in lines:
        asked = typing.prompt
        for intent in typing.feed(line):
            assert isinstance(intent, Intent)
            # What answers "Message:" goes where "To:" said, never to everyone.
            assert not (asked == "Message: " and isinstance(intent, Wrote) and intent.to is None)
        assert typing.prompt in questions


def test_every_choice_leads_somewhere() -> None:
    for page in menu.PAGES.values():
        for choice in page:
            assert (choice.command in menu.BY_NAME) != (choice.page in menu.PAGES)


def test_every_argument_of_a_command_that_asks_has_its_question() -> None:
    for command in menu.COMMANDS:
        assert len(command.asks) in (0, len(command.takes.split())), command.name
