from __future__ import annotations

import pytest

from console import menu, words
from console.sanitise import clean
from protocol import errors

HELP = """\
what you can type:
text                     goes to the current place: #lobby, until /to chooses another
name: text               is private, for that account alone
//text                   sends a text that begins with /
message                  alone on a line: /msg
ls                       alone on a line: /who
help                     alone on a line: /help
exit                     alone on a line: /quit
/msg NAME|#ROOM TEXT     a message to one account or room; alone, it asks for both
/to NAME|#ROOM           plain lines go there from now on
/say TEXT                send the text just as it stands
/me ACTION               a message that tells what you do: /me waves
/who                     who is here now
/whois NAME              who somebody is, and in which rooms you both are
/contacts                your contacts, and whom you could add
/add NAME                put someone on your contacts
/remove NAME             take someone off your contacts
/ignore [NAME]           show nothing of someone any more, here; alone, whom you ignore
/unignore NAME           show it again
/mute [NAME|#ROOM]       nothing there calls you any more; alone, where it is quiet
/unmute NAME|#ROOM       it may call you again
/notify [HOW]            what calls you, the same as /set notify
/join #ROOM [private]    go into a room, or make it; private: only by invitation
/leave [#ROOM]           leave a room, this one if not told
/rooms [#ROOM]           the rooms that there are, behind this one if told
/names [#ROOM]           who is in a room
/topic [TOPIC]           what this room is about; with a text: say so; - takes it away
/invite NAME [#ROOM]     let someone join a private room, and tell them
/expel NAME [#ROOM]      remove someone from a room that you made
/ban NAME [#ROOM]        remove them, and don't let them come back
/unban NAME [#ROOM]      let them come back
/edit [N] NEW-TEXT       say your last message anew, or your N-th last there
/delete [N]              take back your last message, or your N-th last there
/react [N] SIGN          put a sign to the last message of another; once more takes it away
/receipts [on|off]       whether others are told that you read their private messages
/history [N|1h|NAME]     the last N messages, those of an hour, or another place's
/search WORDS            the last messages of all that have these words
/unread                  where something came that you have not looked at
/devices [revoke] [ID]   your devices; revoke ends one, by the beginning of its id
/passwd                  change your password
/status                  who you are, where your lines go, whether the broker is there
/outbox                  what the broker has not accepted yet
/set [SETTING] [VALUE]   your settings, one of them, or a new value for it
/unset SETTING           the setting as if you had never set it
/menu                    choose by number; once more: back to plain lines
/help [COMMAND]          these lines, or one command
/quit                    leave"""


def test_help_shows_everything_that_can_be_typed() -> None:
    assert words.help_text() == HELP


@pytest.mark.parametrize("command", menu.COMMANDS, ids=lambda command: command.name)
def test_help_for_one_command(command: menu.Command) -> None:
    assert words.help_text(command.name) == f"{command.usage}: {command.does}"


def test_help_fits_a_narrow_terminal_and_needs_no_cleaning() -> None:
    assert clean(words.help_text()) == words.help_text()
    assert max(len(line) for line in words.help_text().split("\n")) + len("HH:MM * ") <= 100


def test_in_the_help_a_gap_stands_behind_every_usage() -> None:
    rows = words.help_text().split("\n")
    assert [command.name for command in menu.COMMANDS if not any(f"{command.usage} " in row for row in rows)] == []


def test_commands_are_told_apart() -> None:
    assert len(menu.BY_NAME) == len(menu.COMMANDS)
    assert set(menu.BY_WORD) == {"exit", "help", "ls", "message"}
    assert {command.name for command in menu.COMMANDS if command.whole} == {
        "quit",
        "delete",
        "remove",
        "devices",
        "passwd",
        "expel",
        "ban",
    }


def test_codes_are_kebab_case_and_only_one_is_shared_with_the_wire() -> None:
    assert all(code.replace("-", "").isalpha() and code == code.lower() for code in words.REFUSALS)
    assert set(words.REFUSALS) & set(errors.SENTENCES) == {"bad-name"}


def test_a_missing_place_is_noticed() -> None:
    with pytest.raises(KeyError):
        words.refusal("too-long", over=1)
    with pytest.raises(KeyError):
        words.refusal("no-such-code")


@pytest.mark.parametrize(
    ("code", "text", "shown"),
    [
        ("closing", "back at noon", "back at noon"),
        ("closing", "", errors.SENTENCES["closing"]),
        ("no-such-choice", "", "no-such-choice"),
        ("not-connected", "", errors.SENTENCES["not-connected"]),
        ("name-taken", "", "name-taken"),  # its sentence has places that nobody can fill here
        ("name-taken", "{bob} is taken", "{bob} is taken"),
        ("unheard-of", "", "unheard-of"),
    ],
)
def test_a_code_is_said_in_words(code: str, text: str, shown: str) -> None:
    assert words.said(code, text) == shown


@pytest.mark.parametrize(
    ("accounts", "more", "row"),
    [
        ([], 0, "nobody"),
        (["a"], 0, "a"),
        (["a", "b"], 0, "a, b"),
        (["a", "b"], 2, "a, b and 2 more"),
        ([], 2, "2 more"),
    ],
)
def test_names_in_a_row(accounts: list[str], more: int, row: str) -> None:
    assert words.listed(accounts, more) == row


def test_counts_are_said_in_whole_sentences() -> None:
    assert words.waiting(1) == "1 message came while you were away"
    assert words.waiting(2) == "2 messages came while you were away"
    assert words.outbox(0) == "the outbox is empty"
    assert words.outbox(1) == "1 message waits in the outbox"
    assert words.outbox(12) == "12 messages wait in the outbox"
    assert words.came(["a"], 0, "#ops") == ["a joined #ops"]
    assert words.came(["a"], 1, "#lobby") == ["2 people joined: a and 1 more"]
    assert words.went([], 3, "#lobby") == ["3 people left: 3 more"]
