"""Commands of one's own: a word that stands for the beginning of a line. Each is put in once, and never in itself."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping

from console import menu, words
from console.sanitise import clean_line

_WORD = re.compile(r"[a-z0-9_-]+")


class BadAlias(ValueError):
    """An alias that could never be used; its text says why, as the end of a sentence."""


def read(name: str, text: str, others: Container[str]) -> str:
    """What an alias stands for; BadAlias if it could never be used. ``others``: the names of all aliases."""
    if not _WORD.fullmatch(name):
        raise BadAlias(words.ALIAS_WORD())
    if name in menu.BY_NAME:
        raise BadAlias(words.ALIAS_OF_COMMAND(name=name))
    first = text.split(maxsplit=1)[0] if text.strip() else ""
    if not first:
        raise BadAlias(words.ALIAS_EMPTY())
    if first.startswith("/") and not first.startswith("//"):
        _check(first.removeprefix("/").casefold(), others)
    return text.strip()


def _check(command: str, others: Container[str]) -> None:
    if command in others and command not in menu.BY_NAME:
        raise BadAlias(words.ALIAS_OF_ALIAS(name=clean_line(command)))
    if len(menu.meant(command)) != 1:
        raise BadAlias(words.ALIAS_OF_NOTHING(command=clean_line(command)))


def expanded(line: str, aliases: Mapping[str, str]) -> str:
    """A line in which an alias at its beginning has been replaced by what it stands for."""
    word, blank, rest = line.partition(" ")
    name = word.removeprefix("/").rstrip("\r\n").casefold()
    if not word.startswith("/") or name in menu.BY_NAME or name not in aliases:
        return line
    return aliases[name] + (blank + rest if rest.strip() else "")
