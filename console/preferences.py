"""What a person may choose once and for all: the one table of settings, and what counts of each just now.

Reading the file, checking it, ``/set``, the help and the documentation all read this table; nothing is listed twice.
An option of the command line counts more than the environment, that more than the file, and that more than the
default. Whoever needs a setting asks for it when it is needed, so a change counts at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from console import address, aliases, statements, words
from console.aliases import BadAlias
from console.calling import WAYS
from console.language import Sentence
from console.sanitise import clean_line
from protocol import names

QUOTED_CHARS = 40  # of what was typed, within a sentence about it
ALIASES = "aliases"
"""The table of the file that holds them."""


class BadValue(ValueError):
    """Not a value of this setting; its text says why, as the end of a sentence."""


class UnknownName(ValueError):
    """No setting is called so; its text is the nearest name that there is, or nothing."""


def _broker(text: str) -> str:
    try:
        address.read(text)
    except ValueError as error:
        raise BadValue(str(error)) from None
    return text


def _account(text: str) -> str:
    try:
        names.key(text)
    except names.BadName as error:
        raise BadValue(str(error)) from None
    return text


def _ways(text: str) -> str:
    """Each once, in the order of the table; no way at all is "off"."""
    chosen = text.casefold().split()
    if chosen != ["off"] and (not chosen or not set(chosen) <= set(WAYS)):
        raise _not_offered(text, _CALLS)
    return " ".join(way for way in WAYS if way in chosen) or "off"


def _not_offered(text: str, takes: str) -> BadValue:
    return BadValue(words.NOT_OFFERED(value=clean_line(text, QUOTED_CHARS), takes=takes))


_CALLS = "|".join(("off", *WAYS))


@dataclass(frozen=True)
class Preference:
    """One setting. ``takes`` is what people read, and, without a ``check``, the values that there are."""

    name: str
    takes: str
    default: str
    does: Sentence
    variable: str = ""  # of the environment; it counts more than the file
    means: str = ""  # what that variable means if it is set at all; "": what it says
    check: Callable[[str], str] | None = None  # gives the value, or raises BadValue
    at_start: bool = False  # a change counts from the next start

    def read(self, text: str) -> str:
        """The value that this text means; BadValue if it means none."""
        if self.check:
            return self.check(text)
        if text not in self.choices:
            raise _not_offered(text, self.takes)
        return text

    @property
    def choices(self) -> list[str]:
        """The words that it takes; none if it takes what they can't list."""
        return self.takes.split("|") if "|" in self.takes else []


PREFERENCES = (
    Preference(
        "colours",
        "auto|none|16|truecolor",
        "auto",
        Sentence("for names; auto takes what the terminal says that it has"),
        variable="NO_COLOR",
        means="none",
    ),
    Preference("background", "auto|dark|light", "auto", Sentence("what the colours are seen on; auto asks COLORFGBG")),
    Preference(
        "notify",
        _CALLS,
        "bell",
        Sentence("how a mention or a private line calls you, by one of these or several"),
        check=_ways,
    ),
    Preference("time", "24h|12h", "24h", Sentence("how times are shown to people; scripts always get 24h")),
    Preference(
        "broker",
        address.FORM,
        f"tcp://localhost:{address.PORT}",
        Sentence("the broker to talk to"),
        variable="RESTANTE_BROKER",
        check=_broker,
        at_start=True,
    ),
    Preference("account", "NAME", "", Sentence("who you are, where no name is given"), check=_account, at_start=True),
)
BY_NAME = {preference.name: preference for preference in PREFERENCES}


def named(word: str) -> Preference:
    """The setting of this name; UnknownName if there is none."""
    found = BY_NAME.get(word.casefold())
    if found is None:
        raise UnknownName(*get_close_matches(word.casefold(), BY_NAME, 1))
    return found


class Held(NamedTuple):
    """A value that counts, and where it comes from, in words."""

    value: str
    origin: str


class Preferences:
    """What counts just now."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.aliases: dict[str, str] = {}
        self._mistakes: dict[str, str] = {}  # about values of the file that can't be
        said = [(each, environment.get(each.variable, "")) for each in PREFERENCES]
        self._above = {each.name: Held(each.means or text, each.variable) for each, text in said if text}
        self._file: dict[str, Held] = {}

    def give(self, name: str, value: str) -> None:
        """The command line says this."""
        self._above[name] = Held(value, words.FROM_COMMAND_LINE())

    def __getitem__(self, name: str) -> str:
        """The value that counts. KeyError if there is no such setting: our own bug."""
        return self.held(name).value

    def held(self, name: str) -> Held:
        """The value that counts, and its origin."""
        default = Held(BY_NAME[name].default, words.FROM_DEFAULT())
        return self._above.get(name) or self._file.get(name) or default

    def mistake(self, name: str) -> str:
        """What is wrong with this setting's value in the file, if that would count; "" if nothing is."""
        return "" if name in self._above else self._mistakes.get(name, "")

    def load(self, path: Path, text_of: Callable[[Path], str]) -> list[str]:
        """Take what the file says now; a sentence for each thing that can't be, and the rest holds."""
        self._file, self._mistakes = {}, {}
        self.aliases.clear()
        try:
            parts = statements.statements(text_of(path))
        except statements.NotToml as error:
            return [words.NO_TOML(line=error.line, file=path)]
        except (OSError, ValueError) as error:
            return [words.UNREADABLE(file=path, why=getattr(error, "strerror", None) or words.NO_SETTINGS())]
        said = [(part.line, key, value) for part in parts for key, value in part.values.items()]
        others = {key[1] for _, key, _ in said if len(key) == 2 and key[0] == ALIASES}
        told = []
        for line, key, value in said:
            if what := self._take(key, value, words.FROM_LINE(line=line, file=path), others):
                told.append(words.IN_FILE(line=line, file=path, what=what))
                self._mistakes[".".join(key)] = told[-1]
        return told

    def _take(self, key: statements.Key, value: object, origin: str, others: set[str]) -> str:
        """Take one value of the file; why not, if it can't be."""
        shown = clean_line(".".join(key))
        try:
            if len(key) == 2 and key[0] == ALIASES:
                self.aliases[key[1]] = aliases.read(key[1], _text(value), others)
            elif len(key) == 1 and not (key[0] == ALIASES and value == {}):
                self._file[named(key[0]).name] = Held(named(key[0]).read(_text(value)), origin)
            elif len(key) > 1:
                raise UnknownName(*get_close_matches(key[0], [ALIASES], 1))
        except UnknownName as nearest:
            return words.unknown_setting(shown, str(nearest))
        except (BadValue, BadAlias) as why:
            return words.PASSED_OVER(name=shown, why=why)
        return ""

    def told(self, name: str) -> str:
        """One setting in a sentence."""
        asked, held = BY_NAME[name], self.held(name)
        sentence = words.SETTING_AT_START if asked.at_start else words.SETTING
        value = clean_line(held.value) or words.NO_VALUE()
        return sentence(name=name, value=value, origin=held.origin, takes=asked.takes, does=asked.does())

    def listed(self, path: Path) -> str:
        """All settings and aliases, in lines."""
        rows = [(name, clean_line(self[name]) or words.NO_VALUE(), self.held(name).origin) for name in BY_NAME]
        widths = [max(len(row[column]) for row in rows) + 2 for column in range(2)]
        told = [f"{name:<{widths[0]}}{value:<{widths[1]}}{origin}" for name, value, origin in rows]
        told += [words.ALIAS_LINE(name=name, text=clean_line(text)) for name, text in self.aliases.items()]
        return "\n".join([words.SETTINGS(file=path), *told])


def _text(value: object) -> str:
    """A value as it would be typed: TOML's own yes and no, and numbers, are taken for what they say."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str | int):
        return str(value)
    raise BadValue(words.NO_PLAIN_TEXT())
