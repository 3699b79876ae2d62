"""A command line as shells complete it: what argparse knows of it, without argparse."""

from __future__ import annotations

import argparse
from typing import NamedTuple

from console.arguments import EVERYTHING, commands, topics, value

# A value is completed by the name that it has in the help.
FOLDERS, FILES, HOSTS = "DIR", "FILE", "HOST"


class Place(NamedTuple):
    """What can be typed in one place: one of these words, or what its name says."""

    name: str
    words: tuple[str, ...] = ()


class Option(NamedTuple):
    """An option with its forms, what it does, and the value that it wants, if it wants one."""

    forms: tuple[str, ...]
    told: str
    value: Place | None
    needed: bool  # whether the value can't be left out


class Line(NamedTuple):
    """A command line: the program's own, or that of a command."""

    path: tuple[str, ...]  # the words that lead to it; none for the program's own
    purpose: str
    options: tuple[Option, ...]
    arguments: tuple[Place, ...]  # none where a command is wanted
    commands: tuple[str, ...]  # those that have lines of their own


def lines(parser: argparse.ArgumentParser, path: tuple[str, ...] = ()) -> list[Line]:
    """The program's own line first, then its commands'."""
    actions = [action for topic in topics(parser) for action in topic.actions]
    below = commands(parser)
    own = Line(
        path,
        parser.description or "",
        tuple(_option(parser, action) for action in actions if action.option_strings),
        tuple(_place(parser, action) for action in actions if not action.option_strings and not below),
        tuple(below),
    )
    return [own, *(line for word, each in below.items() for line in lines(each, (*path, word)))]


def _option(parser: argparse.ArgumentParser, action: argparse.Action) -> Option:
    told = " ".join((action.help or "").split())
    place = _place(parser, action) if value(action) else None
    return Option(tuple(action.option_strings), told, place, action.nargs != "?")


def _place(parser: argparse.ArgumentParser, action: argparse.Action) -> Place:
    words = [topic.title for topic in topics(parser)] + [EVERYTHING] if action.dest == "help" else action.choices or ()
    return Place(str(action.metavar or action.dest.upper()), tuple(map(str, words)))
