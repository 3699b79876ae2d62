"""A command line as shells complete it: what argparse knows of it, without argparse."""

from __future__ import annotations

import argparse
from typing import NamedTuple

from console.arguments import EVERYTHING, Parser, titles, topics, value

# A value is completed by the name that it has in the help.
FOLDERS, FILES, HOSTS = "DIR", "FILE", "HOST"


class Option(NamedTuple):
    """An option with its forms, what it does, and the value that it wants, if it wants one."""

    forms: tuple[str, ...]
    told: str
    value: str  # its name in the help; empty if there is none
    needed: bool  # whether the value can't be left out
    words: tuple[str, ...]  # what the value can be, if it can't be anything


class Step(NamedTuple):
    """What may come behind some words of a command: other words, each with what it does, or a value."""

    path: tuple[str, ...]  # the words before; none at the beginning
    words: dict[str, str]
    values: tuple[str, ...]  # their names in the help

    @property
    def pattern(self) -> str:
        """The path as scripts for bash and zsh gather it: a blank before each word; quoted."""
        return f"'{''.join(' ' + word for word in self.path)}'"


class Line(NamedTuple):
    """A program's command line. Options may stand anywhere in it."""

    program: str
    options: tuple[Option, ...]
    steps: tuple[Step, ...]


def line(parser: Parser) -> Line:
    """The command line of a program."""
    actions = [action for topic in topics(parser) for action in topic.actions]
    options = tuple(_option(parser, action) for action in actions if action.option_strings)
    values = tuple(str(action.metavar) for action in actions if not action.option_strings)
    return Line(parser.prog, options, _steps(parser) if parser.forms else (Step((), {}, values),))


def _option(parser: Parser, action: argparse.Action) -> Option:
    words = [*titles(parser), EVERYTHING] if action.dest == "help" else action.choices or ()
    told = " ".join((action.help or "").split())
    named = value(action).strip("[]")
    return Option(tuple(action.option_strings), told, named, action.nargs != "?", tuple(map(str, words)))


def _steps(parser: Parser) -> tuple[Step, ...]:
    """Forms such as ``rooms own #ROOM NAME``, put together by the words with which they begin."""
    steps: dict[tuple[str, ...], Step] = {}
    for form, told in parser.forms.items():
        fixed = [word for word in form.split() if word.islower()]
        for count in range(len(fixed) + 1):
            path = tuple(fixed[:count])
            step = steps.setdefault(path, Step(path, {}, ()))
            if count < len(fixed):
                step.words.setdefault(fixed[count], told if count + 1 == len(fixed) else "")
        values = tuple(word.strip("[]") for word in form.split()[len(fixed) :])
        steps[path] = steps[path]._replace(values=values)
    return tuple(steps.values())
