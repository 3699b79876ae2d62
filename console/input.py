"""A typed line becomes an intent. The one parser: pure, and it never raises.

What could be a slip is refused rather than sent: a mistyped name or command must not end up in the lobby.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from console import menu, words
from console.aliases import expanded
from console.language import worded
from console.menu import BeganMessage, Command
from console.sanitise import clean_line
from core import typed
from core.typed import Intent
from protocol import errors, limits, names

HISTORY_MAX = 1000
"""Messages that /history shows at most: more is a search, not a look back."""

_QUOTED_CHARS = 40  # of what was typed, within a sentence about it
_BLANK = re.compile(r"\s")
_DEVICE = re.compile(f"[a-z2-7]{{1,{limits.DEVICE_CHARS}}}")
_BACK = re.compile(r"\s*[0-9]{1,2}(?:\s+(.*))?", re.DOTALL)
_SPAN = re.compile(r"([0-9]+)([mhdw])")
_SPANS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SPAN_MAX = 5000  # further back than any message
_SURROGATE = re.compile("[\ud800-\udfff]")
# These begin like an address and are none: https://…, and 12:30, 16:9, 10.0.0.1:80.
_NO_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|[0-9][0-9.]*:[0-9]")
# Signs that nobody's sentence begins with, but that slip into an address.
_ADDRESS_SIGNS = "@#._-"


class _Refusal(Exception):
    """This line is refused."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.mistake = typed.Mistook(code=code, text=text)


def parse(line: str, raw: bool = False) -> Intent | BeganMessage | None:
    """What one line means; None for an empty one, Mistook for one that is refused. ``raw``: every line is text."""
    line = _scrubbed(line)
    try:
        if raw:
            return typed.Wrote(text=_text(line)) if line else None
        return _parse(line)
    except _Refusal as refusal:
        return refusal.mistake


def build(command: Command, parts: list[str]) -> Intent:
    """What a command means with these arguments, which did not stand in one line; Mistook if it is refused."""
    try:
        return _built(command, [_SURROGATE.sub("\ufffd", part) for part in parts])
    except _Refusal as refusal:
        return refusal.mistake


class Typing:
    """A conversation with someone who types: lines, and where something is asked, the answers to it.

    ``by_menu``: begin with the numbered pages. ``numbered``: every intent bears its line's number, 1, 2, 3 …
    ``aliases``: commands of one's own, looked up when they are typed.
    """

    def __init__(
        self,
        raw: bool = False,
        by_menu: bool = False,
        numbered: bool = True,
        aliases: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._raw = raw
        self._numbered = numbered
        self._aliases = aliases
        self._lines = 0
        self._page = menu.FIRST_PAGE if by_menu and not raw else ""
        self._asked: Command | None = None
        self._answers: list[Any] = []
        self._sent: typed.Wrote | None = None  # the message that was asked for just now

    @property
    def prompt(self) -> str:
        """What is asked just now; empty if any line will do."""
        if self._asked:
            return worded(self._asked.asks[len(self._answers)])
        return menu.prompt(self._page) if self._page else ""

    def feed(self, line: str) -> list[Intent]:
        """What this line asks for: one intent, or none. It never raises."""
        self._lines += 1
        self._sent = None
        intent = self._heard(line)
        if intent is None:
            return []
        if self._numbered:
            intent.line = self._lines
        return [intent]

    def refused(self, to: str, body: str) -> None:
        """This message was refused: whoever was led to it, and has gone no further, is asked again."""
        if self._sent and (self._sent.to, self._sent.text) == (to, body):
            self._ask(menu.BY_NAME["msg"])

    def _heard(self, line: str) -> Intent | None:
        line = line if self._raw else expanded(line, self._aliases)
        questioned = self._asked or self._page
        if self._raw or not questioned or line.lstrip().startswith("/"):
            return self._follow(parse(line, self._raw))
        if not line.strip():
            self._go_back()
            return None
        return self._answered(self._asked, line) if self._asked else self._choose(line)

    def _follow(self, intent: Intent | BeganMessage | None) -> Intent | None:
        """Do what concerns the conversation itself; hand on the rest."""
        if isinstance(intent, BeganMessage):
            self._ask(menu.BY_NAME["msg"])
            return None
        if isinstance(intent, typed.OpenedMenu):
            self._finish()
            self._page = "" if self._page else menu.FIRST_PAGE
            return None
        if isinstance(intent, typed.Wrote) and intent.to is None and self._answers:
            # "//text" and "/say text" answer "Message:" too: they must not go anywhere else.
            intent.to = self._answers[0]
            self._finish()
            self._sent = intent
        return intent

    def _ask(self, command: Command) -> None:
        self._asked, self._answers = command, []

    def _finish(self) -> None:
        self._asked, self._answers = None, []

    def _go_back(self) -> None:
        """One question back; from the first one to the page that it came from."""
        if self._answers:
            self._answers.pop()
        elif self._asked:
            self._finish()
        else:
            self._page = menu.FIRST_PAGE

    def _answered(self, command: Command, line: str) -> Intent | None:
        kinds = command.takes.split()
        try:
            self._answers.append(_READ[kinds[len(self._answers)]](_scrubbed(line)))
        except _Refusal as refusal:
            return refusal.mistake
        if len(self._answers) < len(kinds):
            return None
        intent = command.build(*self._answers)
        self._finish()
        self._sent = intent if isinstance(intent, typed.Wrote) else None
        return intent

    def _choose(self, line: str) -> Intent | None:
        choice = menu.chosen(self._page, line)
        if choice is None:
            last = len(menu.PAGES[self._page])
            return _refused("no-such-choice", answer=_quoted(line), last=last).mistake
        if choice.page:
            self._page = choice.page
            return None
        command = menu.BY_NAME[choice.command]
        if not command.asks:
            return command.build()
        self._ask(command)
        return None


# ---- the grammar ---------------------------------------------------------------------------------------


def _scrubbed(line: str) -> str:
    """Without its end, and without what is no character: half a surrogate pair can't be sent as UTF-8."""
    return _SURROGATE.sub("\ufffd", line).rstrip("\r\n")


def _parse(line: str) -> Intent | BeganMessage | None:
    alone = line.strip()
    if not alone:
        return None
    if alone in menu.BY_WORD:
        return _run(menu.BY_WORD[alone], "")
    if not alone.startswith("/"):
        return _message(line)
    if not line.startswith("/"):
        raise _refused("leading-blank", command=_quoted(alone.split()[0]))
    if line.startswith("//"):
        return typed.Wrote(text=_text(line[1:]))
    word, *rest = _BLANK.split(line, maxsplit=1)
    return _run(_named(word), "".join(rest))


def _message(line: str) -> Intent:
    start = line.lstrip()
    head, colon, rest = start.partition(":")
    if not colon or not _is_address(head) or _NO_ADDRESS.match(start):
        return typed.Wrote(text=_text(line))
    try:
        to = _checked(head)
    except names.BadName as why:
        raise _refused("bad-name", name=_quoted(head), why=why) from None
    if not rest.strip():
        raise _refused("empty", name=_quoted(head))
    return typed.Wrote(to=to, text=_text(rest.lstrip(" \t")))


def _is_address(head: str) -> bool:
    """Whether what stands before the first colon was meant as one, rightly spelt or not."""
    if not head or _BLANK.search(head):
        return False
    return head[0] in _ADDRESS_SIGNS or unicodedata.category(head[0])[0] not in "PS"


def _named(word: str) -> Command:
    """The command that a word or the beginning of one means."""
    wanted = word.removeprefix("/").casefold()
    found = menu.meant(wanted)
    if not found:
        raise _refused("unknown-command", command=_quoted("/" + wanted))
    if len(found) > 1:
        choices = ", ".join("/" + command.name for command in found)
        raise _refused("ambiguous-command", command="/" + wanted, choices=choices)
    return found[0]


def _run(command: Command, rest: str) -> Intent | BeganMessage:
    if command.alone and not rest.strip():
        return command.alone()
    kinds = command.takes.split()
    if kinds[:1] == [menu.BACK] and not _names_one(rest, len(kinds) > 1):
        rest = f"1 {rest}"
    return _built(command, _parts(kinds, rest))


def _built(command: Command, parts: list[str]) -> Intent:
    kinds = command.takes.split()
    needed = sum(kind == menu.BACK or not kind.startswith("[") for kind in kinds)
    if not needed <= len(parts) <= len(kinds):
        raise _refused("usage", usage=command.usage)
    try:
        return command.build(*(_READ[kind](part) for kind, part in zip(kinds, parts, strict=False)))
    except (ValueError, KeyError):
        raise _refused("usage", usage=command.usage) from None


def _names_one(rest: str, and_more: bool) -> bool:
    """Whether what is typed begins with a number that says which message; "42" alone may be a text."""
    found = _BACK.fullmatch(rest)
    return found is not None and (not and_more or bool(found[1]))


def _parts(kinds: list[str], rest: str) -> list[str]:
    """The arguments as typed. The rest of a line keeps its blanks, but for the one before it."""
    if not kinds or kinds[-1] not in menu.REST:
        return rest.split()
    parts = _BLANK.split(rest.lstrip(), maxsplit=len(kinds) - 1) if kinds[1:] else [rest]
    return parts if parts[-1].strip() else parts[:-1]


# ---- arguments: a value, _Refusal, or ValueError for wrong use ------------------------------------------


def _place(name: str) -> str:
    name = name.strip()
    try:
        return _checked(name)
    except names.BadName as why:
        raise _Refusal("bad-name", errors.sentence("bad-name", name=_quoted(name), why=why)) from None


def _account(name: str) -> str:
    place = _place(name)
    if place.startswith("#"):
        raise _Refusal("bad-name", errors.sentence("bad-name", name=_quoted(place), why=names.A_ROOM))
    return place


def _text(text: str) -> str:
    return _within(text, limits.BODY_BYTES)


def _within(text: str, limit: int) -> str:
    size = len(text.encode())
    if size > limit:
        raise _refused("too-long", size=size, over=size - limit, limit=limit)
    return text


def _action(text: str) -> str:
    return _text(typed.ACTION + text)


def _words(text: str) -> str:
    return _text(text.strip())


def _topic(text: str) -> str:
    """One line."""
    topic = " ".join(text.split())
    if len(topic) > limits.TOPIC_CHARS:
        raise _refused("long-topic", size=len(topic), limit=limits.TOPIC_CHARS)
    return topic


def _room(name: str) -> str:
    place = _place(name)
    if not place.startswith("#"):
        raise _Refusal("bad-name", errors.sentence("bad-name", name=_quoted(place), why=names.NO_ROOM))
    return place


def _log(log: str) -> str:
    """As events name it, a room's or one's own mailbox, in compared form."""
    return names.mailbox(names.key(_account(log[1:]))) if log.startswith("@") else names.room_key(_room(log))


def _private(word: str) -> str:
    if word.casefold() != "private":
        raise ValueError("that is not private")
    return word


def _which(word: str) -> int | timedelta | str:
    """How many, how far back, or whose."""
    if found := _SPAN.fullmatch(word):
        return timedelta(**{_SPANS[found[2]]: min(int(found[1][:6]), _SPAN_MAX)})
    return _count(word) if word.lstrip("-").isdigit() else _place(word)


def _back(digits: str) -> int:
    if int(digits) < 1:
        raise ValueError("the last one is 1")
    return int(digits)


def _new_text(text: str) -> str:
    return _within(text, limits.EDIT_BYTES)


def _sign(sign: str) -> str:
    if len(sign) > limits.SIGN_CHARS:
        raise ValueError("a sign, or a short word")
    return sign


def _switch(word: str) -> bool:
    return {"on": True, "off": False}[word.casefold()]


def _count(digits: str) -> int:
    count = int(digits)
    if not 1 <= count <= HISTORY_MAX:
        raise ValueError(f"not a number from 1 to {HISTORY_MAX}")
    return count


def _command_name(word: str) -> str:
    return _named(word).name


def _revoke(word: str) -> str:
    if word.casefold() != "revoke":
        raise ValueError("that is not revoke")
    return word


def _device(device: str) -> str:
    """An id, or how it begins: letters of base32."""
    if not _DEVICE.fullmatch(device.casefold()):
        raise ValueError("that is no device's id")
    return device.casefold()


_READ: dict[str, Callable[[str], Any]] = {
    "NAME": _account,
    "NAME|#ROOM": _place,
    "TEXT": _text,
    "ACTION": _action,
    "WORDS": _words,
    "[TOPIC]": _topic,
    "[NAME]": _account,
    "[NAME|#ROOM]": _place,
    "[HOW]": str.strip,
    "#ROOM": _room,
    "[#ROOM]": _room,
    "[private]": _private,
    "[N|1h|NAME]": _which,
    "[COMMAND]": _command_name,
    "SETTING": str.casefold,
    "[SETTING]": str.casefold,
    "[VALUE]": str.strip,
    "[revoke]": _revoke,
    "[ID]": _device,
    "LOG": _log,
    "SEQ": int,
    "[N]": _back,
    "NEW-TEXT": _new_text,
    "SIGN": _sign,
    "[on|off]": _switch,
}


def _checked(name: str) -> str:
    """An account or a room, as it will be shown; BadName if it can be neither."""
    names.room_key(name) if name.startswith("#") else names.key(name)
    return names.shown(name)


def _refused(code: str, **places: object) -> _Refusal:
    return _Refusal(code, words.refusal(code, **places))


def _quoted(part: str) -> str:
    return clean_line(part.strip(), _QUOTED_CHARS)
