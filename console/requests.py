"""What scripts ask for: one JSON object a line becomes an intent, by the table of commands that lines go by too.

``{"do": "invite", "account": "bob", "room": "#tea"}`` is ``/invite bob #tea``: an argument is named after its kind.
"""

from __future__ import annotations

from typing import Any

import msgspec

from console import menu, words
from console.input import build
from console.menu import Command
from console.sanitise import clean_line
from core import typed
from core.typed import Intent

_QUOTED_CHARS = 40  # of what was written, within a sentence about it
# Arguments that events call by another name than the line grammar does.
_FIELDS = {"NAME": "account", "NAME|#ROOM": "to", "N|1h|NAME": "which"}
_FIELDS |= {"N": "back", "NEW-TEXT": "text", "on|off": "switch"}


def _sent(text: str, to: str | None = None) -> Intent:
    return typed.Wrote(text=text, to=to)


def _confirmed(log: str, seq: int) -> Intent:
    return typed.Confirmed(log=log, seq=seq)


_OWN = (
    Command("send", "TEXT [NAME|#ROOM]", "a message; without to, to the current place", _sent),
    Command("ack", "LOG SEQ", "this message and all before it in its log are dealt with", _confirmed),
)
COMMANDS = {command.name: command for command in (*_OWN, *menu.COMMANDS) if command.name != "menu"}
"""All that can be done, by name; a numbered menu is for people."""


class Requests:
    """Lines that are objects, numbered 1, 2, 3 …; the counterpart of Typing."""

    prompt = ""  # nothing is ever asked

    def __init__(self) -> None:
        self._lines = 0

    def feed(self, line: str) -> list[Intent]:
        """What this line asks for: one intent, or none for an empty one. It never raises."""
        self._lines += 1
        if not line.strip():
            return []
        intent = read(line)
        intent.line = self._lines
        return [intent]

    def refused(self, to: str, body: str) -> None:
        """A message was refused. It bore a tag, and nobody is asked again."""


def read(line: str) -> Intent:
    """What an object asks for; Mistook if it is none, or can't be done."""
    try:
        thing = msgspec.json.decode(line.encode("utf-8", "replace"), type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        return _mistake("bad-json", why=error)
    word, tag = thing.pop("do", ""), thing.pop("tag", None)
    command = COMMANDS.get(word) if isinstance(word, str) else None
    if command is None:
        intent: Intent = _mistake("unknown-do", word=clean_line(str(word), _QUOTED_CHARS))
    else:
        parts = _parts(command, thing)
        well = parts is not None and isinstance(tag, str | None)
        intent = build(command, parts or []) if well else _mistake("usage", usage=usage(command))
        if isinstance(intent, typed.Mistook) and intent.code == "usage":
            intent = _mistake("usage", usage=usage(command))
    intent.tag = tag if isinstance(tag, str) else None
    return intent


def fields(command: Command) -> dict[str, str]:
    """What an object for this command has beside do and tag: each field's name, and its kind in the line grammar."""
    bare = {kind: kind.strip("[]") for kind in command.takes.split()}
    return {_FIELDS.get(name, name.strip("#").lower()): kind for kind, name in bare.items()}


def usage(command: Command) -> str:
    """How an object for this command looks."""
    shown = {name: kind.strip("[]") for name, kind in fields(command).items()}
    return msgspec.json.encode({"do": command.name} | shown).decode()


def _parts(command: Command, thing: dict[str, Any]) -> list[str] | None:
    """The arguments, in the order of the line grammar; None if one is unknown, missing in between, or no argument."""
    parts: list[str] = []
    complete = True
    for name, kind in fields(command).items():
        value = thing.pop(name, 1 if kind == menu.BACK else None)
        part = _part(kind, value)
        if part is None or (part and not complete):
            return None
        complete = bool(part)
        parts += [part] if part else []
    return None if thing else parts


def _part(kind: str, value: object) -> str | None:
    """An argument as it would be typed, "" if there is none; None if it can't be one. True stands for its own word."""
    if value is None or value is False:
        return ""
    if value is True:
        return kind.strip("[]")
    if isinstance(value, str):
        return value if value.strip() else ""
    return str(value) if isinstance(value, int) and abs(value) < 2**63 else None


def _mistake(code: str, **places: object) -> typed.Mistook:
    return typed.Mistook(code=code, text=words.refusal(code, **places))
