"""What Tab offers: commands, their arguments, names and rooms. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from console import menu, preferences
from console.aliases import expanded
from console.menu import Command

_FIXED: dict[str, Iterable[str]] = {
    "[COMMAND]": menu.BY_NAME,
    "SETTING": preferences.BY_NAME,
    "[SETTING]": preferences.BY_NAME,
    "[HOW]": preferences.BY_NAME["notify"].choices,
    "[private]": ("private",),
    "[revoke]": ("revoke",),
    "[ID]": (),
}
_ROOMS = ("#ROOM", "[#ROOM]")


class Around(msgspec.Struct, frozen=True):
    """What can be named: people and rooms, as they are written, and commands of one's own.

    ``asked``: a question stands instead of the prompt.
    """

    names: Sequence[str]
    rooms: Sequence[str]
    asked: bool = False
    aliases: Mapping[str, str] = {}


def offers(typed: str, around: Around) -> tuple[int, list[str]]:
    """What the last word of what is typed could become, and how many of its signs give way to that."""
    first_line = "\n" not in typed
    head, word = _parted(typed)
    head = expanded(head, around.aliases)
    line = head or word
    if first_line and line.startswith("/") and not line.startswith("//"):
        own = [f"/{name}" for name in (*menu.BY_NAME, *around.aliases)]
        among = own if not head else _taken(head, around)
        found = [f"{each} " for each in _beginning(word, among)]
    elif first_line and not head and not around.asked:
        found = [f"{name}: " for name in _beginning(word, around.names)] + _beginning(word, around.rooms)
    else:
        found = _beginning(word, (*around.names, *around.rooms))
    return len(word), found if word or head.startswith("/") else []


def _parted(typed: str) -> tuple[str, str]:
    """What stands fast, and the last word."""
    at = max(typed.rfind(blank) for blank in " \t\n") + 1
    return typed[:at], typed[at:]


def _taken(head: str, around: Around) -> Iterable[str]:
    """What the command takes in this place."""
    name, *before = head.split()
    command = _meant(name)
    kinds = command.takes.split() if command else []
    if not kinds:
        return ()
    kind = kinds[min(len(before), len(kinds) - 1)]
    if len(before) >= len(kinds) and kind not in menu.REST:
        return ()
    if kind == "[VALUE]":
        return _values(before[0])
    if kind in _FIXED:
        return _FIXED[kind]
    return around.rooms if kind in _ROOMS else (*around.names, *around.rooms)


def _values(setting: str) -> Iterable[str]:
    found = preferences.BY_NAME.get(setting.casefold())
    return found.choices if found else ()


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
