"""What can be asked for: the one table of commands, and the numbered pages over it.

The parser, the help and the menus all read these tables; nothing is listed twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from core import typed

HISTORY_MESSAGES = 20
"""What /history shows unless told otherwise: a screenful."""


class BeganMessage(typed.Typed):
    """A message, asked for step by step. It never leaves the front end: only the finished message does."""


BACK = "[N]"
"""An argument that stands first and may be left out: the last one, or the N-th last."""
REST = ("TEXT", "NEW-TEXT", "ACTION", "WORDS", "[TOPIC]", "[HOW]", "[VALUE]")


@dataclass(frozen=True)
class Command:
    """One command: how it is typed, what it does, and the intent that comes of it.

    ``takes`` is the usage that people read and the pattern that the parser follows, one word an argument; one in
    brackets may be left out, and one of ``REST`` takes the rest of the line. ``build`` gets the arguments in that
    order.
    """

    name: str
    takes: str
    does: str
    build: Callable[..., typed.Intent]
    bare: str = ""  # this word alone on a line means the command
    whole: bool = False  # it can't be taken back, so the first letters alone are not enough
    asks: tuple[str, ...] = ()  # one question an argument, for being led through it
    alone: Callable[[], BeganMessage] | None = None  # what it means without its arguments, if that is no mistake

    @property
    def usage(self) -> str:
        """How it is typed."""
        return f"/{self.name} {self.takes}".rstrip()


def _wrote_to(to: str, text: str) -> typed.Intent:
    return typed.Wrote(to=to, text=text)


def _wrote(text: str) -> typed.Intent:
    return typed.Wrote(text=text)


def _chose(to: str) -> typed.Intent:
    return typed.Chose(to=to)


def _added(account: str) -> typed.Intent:
    return typed.AddedContact(account=account)


def _removed(account: str) -> typed.Intent:
    return typed.RemovedContact(account=account)


def _acted(text: str) -> typed.Intent:
    return typed.Wrote(text=text)


def _asked_account(account: str) -> typed.Intent:
    return typed.AskedAccount(account=account)


def _joined(room: str, private: str = "") -> typed.Intent:
    return typed.JoinedRoom(room=room, private=bool(private))


def _left_room(room: str = "") -> typed.Intent:
    return typed.LeftRoom(room=room)


def _asked_rooms(after: str = "") -> typed.Intent:
    return typed.AskedRooms(after=after)


def _asked_members(room: str = "") -> typed.Intent:
    return typed.AskedMembers(room=room)


def _topic(topic: str = "") -> typed.Intent:
    if not topic:
        return typed.AskedTopic()
    return typed.ChangedTopic(topic="" if topic == "-" else topic)


def _invited(account: str, room: str = "") -> typed.Intent:
    return typed.InvitedAccount(account=account, room=room)


def _expelled(account: str, room: str = "") -> typed.Intent:
    return typed.ExpelledAccount(account=account, room=room)


def _banned(account: str, room: str = "") -> typed.Intent:
    return typed.ExpelledAccount(account=account, room=room, bans=True)


def _unbanned(account: str, room: str = "") -> typed.Intent:
    return typed.UnbannedAccount(account=account, room=room)


def _edited(back: int, text: str) -> typed.Intent:
    return typed.Edited(back=back, text=text)


def _deleted(back: int) -> typed.Intent:
    return typed.Deleted(back=back)


def _reacted(back: int, sign: str) -> typed.Intent:
    return typed.Reacted(back=back, sign=sign)


def _receipts(on: bool | None = None) -> typed.Intent:
    return typed.AskedReceipts() if on is None else typed.SwitchedReceipts(on=on)


def _asked_history(which: int | timedelta | str = HISTORY_MESSAGES) -> typed.Intent:
    if isinstance(which, timedelta):
        return typed.AskedHistory(count=HISTORY_MESSAGES, seconds=int(which.total_seconds()))
    if isinstance(which, str):
        return typed.AskedHistory(count=HISTORY_MESSAGES, place=which)
    return typed.AskedHistory(count=which)


def _asked_search(words: str) -> typed.Intent:
    return typed.AskedSearch(words=words)


def _ignored(account: str = "") -> typed.Intent:
    return typed.IgnoredAccount(account=account) if account else typed.AskedIgnored()


def _unignored(account: str) -> typed.Intent:
    return typed.UnignoredAccount(account=account)


def _muted(place: str = "") -> typed.Intent:
    return typed.MutedPlace(place=place) if place else typed.AskedMuted()


def _unmuted(place: str) -> typed.Intent:
    return typed.UnmutedPlace(place=place)


def _asked_devices(revoke: str = "", device: str = "") -> typed.Intent:
    if revoke and not device:
        raise ValueError("revoke which?")
    return typed.RevokedDevice(device=device) if revoke else typed.AskedDevices()


def _asked_help(command: str = "") -> typed.Intent:
    return typed.AskedHelp(command=command)


def _set(name: str = "", value: str = "") -> typed.Intent:
    return typed.ChangedSetting(name=name, value=value) if value else typed.AskedSettings(name=name)


def _notify(how: str = "") -> typed.Intent:
    return _set("notify", how)


def _unset(name: str) -> typed.Intent:
    return typed.ChangedSetting(name=name, value=None)


COMMANDS = (
    Command(
        "msg",
        "NAME|#ROOM TEXT",
        "a message to one account or room; alone, it asks for both",
        _wrote_to,
        bare="message",
        asks=("To: ", "Message: "),
        alone=BeganMessage,
    ),
    Command("to", "NAME|#ROOM", "plain lines go there from now on", _chose),
    Command("say", "TEXT", "send the text just as it stands", _wrote),
    Command("me", "ACTION", "a message that tells what you do: /me waves", _acted),
    Command("who", "", "who is here now", typed.AskedWho, bare="ls"),
    Command("whois", "NAME", "who somebody is, and in which rooms you both are", _asked_account),
    Command("contacts", "", "your contacts, and whom you could add", typed.AskedContacts),
    Command("add", "NAME", "put someone on your contacts", _added, asks=("Add: ",)),
    Command("remove", "NAME", "take someone off your contacts", _removed, whole=True, asks=("Remove: ",)),
    Command("ignore", "[NAME]", "show nothing of someone any more, here; alone, whom you ignore", _ignored),
    Command("unignore", "NAME", "show it again", _unignored),
    Command("mute", "[NAME|#ROOM]", "nothing there calls you any more; alone, where it is quiet", _muted),
    Command("unmute", "NAME|#ROOM", "it may call you again", _unmuted),
    Command("notify", "[HOW]", "what calls you, the same as /set notify", _notify),
    Command("join", "#ROOM [private]", "go into a room, or make it; private: only by invitation", _joined),
    Command("leave", "[#ROOM]", "leave a room, this one if not told", _left_room),
    Command("rooms", "[#ROOM]", "the rooms that there are, behind this one if told", _asked_rooms),
    Command("names", "[#ROOM]", "who is in a room", _asked_members),
    Command("topic", "[TOPIC]", "what this room is about; with a text: say so; - takes it away", _topic),
    Command("invite", "NAME [#ROOM]", "let someone join a private room, and tell them", _invited),
    Command("expel", "NAME [#ROOM]", "remove someone from a room that you made", _expelled, whole=True),
    Command("ban", "NAME [#ROOM]", "remove them, and don't let them come back", _banned, whole=True),
    Command("unban", "NAME [#ROOM]", "let them come back", _unbanned),
    Command("edit", "[N] NEW-TEXT", "say your last message anew, or your N-th last there", _edited),
    Command("delete", "[N]", "take back your last message, or your N-th last there", _deleted, whole=True),
    Command("react", "[N] SIGN", "put a sign to the last message of another; once more takes it away", _reacted),
    Command("receipts", "[on|off]", "whether others are told that you read their private messages", _receipts),
    Command("history", "[N|1h|NAME]", "the last N messages, those of an hour, or another place's", _asked_history),
    Command("search", "WORDS", "the last messages of all that have these words", _asked_search),
    Command("unread", "", "where something came that you have not looked at", typed.AskedUnread),
    Command(
        "devices",
        "[revoke] [ID]",
        "your devices; revoke ends one, by the beginning of its id",
        _asked_devices,
        whole=True,
    ),
    Command("passwd", "", "change your password", typed.AskedPassword, whole=True),
    Command("status", "", "who you are, where your lines go, whether the broker is there", typed.AskedStatus),
    Command("outbox", "", "what the broker has not accepted yet", typed.AskedOutbox),
    Command("set", "[SETTING] [VALUE]", "your settings, one of them, or a new value for it", _set),
    Command("unset", "SETTING", "the setting as if you had never set it", _unset),
    Command("menu", "", "choose by number; once more: back to plain lines", typed.OpenedMenu),
    Command("help", "[COMMAND]", "these lines, or one command", _asked_help, bare="help"),
    Command("quit", "", "leave", typed.Left, bare="exit", whole=True),
)

BY_NAME = {command.name: command for command in COMMANDS}
BY_WORD = {command.bare: command for command in COMMANDS if command.bare}


def meant(word: str) -> list[Command]:
    """The commands that a word, in small letters and without its slash, or the beginning of one can mean."""
    if word in BY_NAME:
        return [BY_NAME[word]]
    return [command for command in COMMANDS if word and not command.whole and command.name.startswith(word)]


@dataclass(frozen=True)
class Choice:
    """One line of a page: it leads to a command or to another page."""

    word: str
    command: str = ""
    page: str = ""


PAGES = {
    "menu": (
        Choice("message", command="msg"),
        Choice("help", command="help"),
        Choice("exit", command="quit"),
        Choice("contacts", page="contacts"),
        Choice("who", command="who"),
    ),
    "contacts": (
        Choice("list", command="contacts"),
        Choice("add", command="add"),
        Choice("remove", command="remove"),
        Choice("back", page="menu"),
    ),
}
FIRST_PAGE = "menu"


def prompt(page: str) -> str:
    """A page as one line: it is shown again after every answer, so it has to be short."""
    return ", ".join(f"{number} {choice.word}" for number, choice in enumerate(PAGES[page], 1)) + ": "


def chosen(page: str, answer: str) -> Choice | None:
    """The choice that a number or a word means; None if there is none."""
    for number, choice in enumerate(PAGES[page], 1):
        if answer.strip().casefold() in (str(number), choice.word):
            return choice
    return None
