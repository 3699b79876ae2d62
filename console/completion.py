"""What Tab offers: commands, their arguments, names and rooms. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from console import menu
from console.menu import Command
from core.arrangement import WAYS

_SIGN = {"#ROOM": "#", "[#ROOM]": "#"}
_FIXED = {"[private]": ("private",), "[revoke]": ("revoke",), "[HOW]": (*WAYS, "off")}
_NO_NAMES = ("[ID]", "[N]")


class Around(msgspec.Struct, frozen=True):
    """What can be named: people and rooms, as they are written; ``asked``: a question stands instead of the prompt."""

    names: Sequence[str]
    rooms: Sequence[str]
    asked: bool = False


def offers(typed: str, around: Around) -> tuple[int, list[str]]:
    """What the last word of what is typed could become, and how many of its signs give way to that."""
    first_line = "\n" not in typed
    head, word = _parted(typed)
    if first_line and typed.startswith("/") and not typed.startswith("//"):
        found = _commands(word, "/") if not head else _arguments(head, word, around)
    elif first_line and not head and not around.asked:
        found = [f"{name}: " for name in _beginning(word, around.names)] + _beginning(word, around.rooms)
    else:
        found = _beginning(word, (*around.names, *around.rooms))
    return len(word), found if word or head.startswith("/") else []


def _parted(typed: str) -> tuple[str, str]:
    """What stands fast, and the last word."""
    at = max(typed.rfind(blank) for blank in " \t\n") + 1
    return typed[:at], typed[at:]


def _commands(word: str, sign: str) -> list[str]:
    return [f"{each} " for each in _beginning(word, (sign + command.name for command in menu.COMMANDS))]


def _arguments(head: str, word: str, around: Around) -> list[str]:
    """What the command takes in this place."""
    name, *before = head.split()
    command = _meant(name)
    kinds = command.takes.split() if command else []
    if not kinds:
        return []
    kind = kinds[min(len(before), len(kinds) - 1)]
    if len(before) >= len(kinds) and kind not in menu.REST:
        return []
    if kind == "[COMMAND]":
        return _commands(word, "")
    if kind in _FIXED:
        return [f"{each} " for each in _beginning(word, _FIXED[kind])]
    places = around.rooms if kind in _SIGN else [] if kind in _NO_NAMES else [*around.names, *around.rooms]
    return [f"{each} " for each in _beginning(word, places)]


def _meant(word: str) -> Command | None:
    """The command that a word means, or the only one that it can become."""
    found = _beginning(word, ("/" + command.name for command in menu.COMMANDS))
    exact = word.casefold().removeprefix("/")
    if exact in menu.BY_NAME:
        return menu.BY_NAME[exact]
    return menu.BY_NAME[found[0].removeprefix("/")] if len(found) == 1 else None


def _beginning(word: str, among: Iterable[str]) -> list[str]:
    """Those that begin so, each once, in the order of the alphabet."""
    wanted = word.casefold()
    return sorted({each for each in among if each.casefold().startswith(wanted)}, key=str.casefold)
