"""The command lines of both programs, as argparse knows them, with a help that fits a screen.

A help that is short is shown whole. A longer one is shown by topics, which are the groups of its options, each with
the names of what is in it; ``--help TOPIC`` tells the rest. The manual pages and what shells complete are made from
the same parsers.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from console.language import LANGUAGES, Sentence, reworded, worded
from console.options import MISTAKES, REASONS
from console.release import VERSION

SCREEN_COLUMNS = 80
# A screen has 24, and the prompt needs one.
SCREEN_ROWS = 23
# What --help can be told beside a topic.
EVERYTHING = "all"
# Where argparse puts a command.
WORDS = "words"

HELP = Sentence("what there is to say; TOPIC is one of the words on the left, or all")
NO_HELP = Sentence("there is no help on {topic!r}; there is on {topics}, and all")
MORE = Sentence("--help TOPIC tells more about one of these, --help all about everything.")


class Parser(argparse.ArgumentParser):
    """A command line, or a command of one, with --help."""

    def __init__(self, **how: Any) -> None:
        ours: dict[str, Any] = {"formatter_class": _Formatter, "allow_abbrev": False, "add_help": False}
        super().__init__(**ours | how)
        self.forms: Mapping[str, str] = {}
        self.add_argument("-h", "--help", nargs="?", metavar="TOPIC", action=_Help, help=HELP())
        self.add_argument("--lang", choices=LANGUAGES, help=worded("language of all texts (the locale's)"))

    def add_commands(self, forms: Mapping[str, str], told: str) -> argparse._ArgumentGroup:
        """Take a command: words of one of these forms, capitals standing for what is named. The group, for options."""
        self.forms = forms
        group = self.add_topic("commands", told)
        group.add_argument(WORDS, nargs="*", metavar="COMMAND")
        return group

    def add_topic(self, title: str, description: str | None = None) -> argparse._ArgumentGroup:
        """A group of options; its title is a word that is typed, and the same in every language."""
        return self.add_argument_group(title, description)

    def add_version(self) -> None:
        """Tell by --version which release this is."""
        self.add_argument(
            "--version", action="version", version=f"restante {VERSION}", help=worded("which release this is")
        )

    def format_usage(self) -> str:
        """One line, however many options there are."""
        return f"{worded('usage: ')}{synopsis(self)}\n"

    def error(self, message: str) -> NoReturn:
        """End with code 2, and how it goes."""
        said = worded("{program}: error: {why}", program=self.prog, why=reworded(message, MISTAKES, REASONS))
        self.exit(2, f"{self.format_usage()}{said}\n")

    def format_help(self) -> str:
        """What --help shows: everything, if a screen has room for it."""
        whole = self.format_whole()
        return whole if len(whole.splitlines()) <= SCREEN_ROWS else self._around(self._outline())

    def format_whole(self) -> str:
        """Everything."""
        return self._around("\n".join(map(self.format_topic, topics(self))))

    def format_topic(self, topic: Topic) -> str:
        """A topic with all that is in it."""
        formatter = self._get_formatter()
        formatter.start_section(topic.title)
        formatter.add_text(topic.description)
        formatter.add_arguments(topic.actions)
        formatter.end_section()
        return formatter.format_help()

    def _outline(self) -> str:
        width = max(len(topic.title) for topic in topics(self)) + 4
        rows = [
            textwrap.fill(
                ", ".join(_members(topic)),
                SCREEN_COLUMNS - 1,
                initial_indent=f"  {topic.title}".ljust(width),
                subsequent_indent=" " * width,
                break_on_hyphens=False,
            )
            for topic in topics(self)
        ]
        return "\n".join([*rows, "", MORE(), ""])

    def _around(self, text: str) -> str:
        parts = [self.format_usage(), f"{self.description}\n" if self.description else "", text, self.epilog or ""]
        return "\n".join(part for part in parts if part)


class Topic(NamedTuple):
    """A group of options and arguments, with its one-word title."""

    title: str
    description: str | None
    actions: list[argparse.Action]


def topics(parser: Parser) -> list[Topic]:
    """All groups that aren't empty, in order; what was put into none comes last."""
    loose, groups = parser._action_groups[:2], parser._action_groups[2:]
    found = [Topic(group.title or "", group.description, _rows(parser, group._group_actions)) for group in groups]
    found.append(Topic("general", None, [each for group in loose for each in _rows(parser, group._group_actions)]))
    return [topic for topic in found if topic.actions]


def titles(parser: Parser) -> dict[str, Topic]:
    """What help can be asked for: topics by their titles, and commands by their first words."""
    forms = [row for topic in topics(parser) for row in topic.actions if isinstance(row, _Form)]
    words = {_first(form): [each for each in forms if _first(each) == _first(form)] for form in forms}
    by_word = {word: Topic(word, None, list(rows)) for word, rows in words.items()}
    return by_word | {topic.title: topic for topic in topics(parser)}


def label(action: argparse.Action) -> str:
    """An option or an argument as one writes it: ``-a HOST``."""
    if action.option_strings:
        return f"{action.option_strings[0]} {value(action)}".rstrip()
    return str(action.metavar or action.dest.upper())


def value(action: argparse.Action) -> str:
    """What an option is followed by; empty if it stands alone."""
    if action.nargs == 0:
        return ""
    named = str(action.metavar or "|".join(map(str, action.choices or ())) or action.dest.upper())
    return f"[{named}]" if action.nargs == "?" else named


def synopsis(parser: argparse.ArgumentParser) -> str:
    """How it is called."""
    return " ".join([parser.prog, "[OPTION ...]", *map(_place, parser._get_positional_actions())])


def _members(topic: Topic) -> list[str]:
    """What stands for a topic in the outline: options with their values, of commands the first words only."""
    return list(dict.fromkeys(_first(each) if isinstance(each, _Form) else label(each) for each in topic.actions))


def _first(form: argparse.Action) -> str:
    return str(form.metavar).partition(" ")[0]


def _place(action: argparse.Action) -> str:
    return str(action.metavar) if action.nargs is None else f"[{action.metavar}]"


def _rows(parser: Parser, actions: Sequence[argparse.Action]) -> list[argparse.Action]:
    """What there is to tell of a group: its actions, but in place of a command's words all their forms."""
    forms = [_Form(form, told) for form, told in parser.forms.items()]
    rows = [forms if action.dest == WORDS else [action] for action in actions if action.help != argparse.SUPPRESS]
    return [row for each in rows for row in each]


class _Form(argparse.Action):
    """A form of a command, as a row of the help; nothing is read by it."""

    def __init__(self, form: str, told: str) -> None:
        super().__init__([], form, metavar=form, help=told)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """The same page under every Python: an option's value is said once, behind its forms."""

    def _format_action_invocation(self, action: argparse.Action) -> str:
        forms = ", ".join(action.option_strings)
        return f"{forms} {value(action)}".rstrip() if forms else label(action)


class _Help(argparse.Action):
    """Shows the help, or a topic of it, and ends the program."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, given: Any, option: str | None = None
    ) -> NoReturn:
        assert isinstance(parser, Parser)
        titled = titles(parser)
        if given not in (None, EVERYTHING, *titled):
            parser.error(NO_HELP(topic=given, topics=", ".join(titled)))
        if given in titled:
            text = parser.format_topic(titled[given])
        else:
            text = parser.format_whole() if given else parser.format_help()
        with contextlib.suppress(OSError):  # nobody reads it
            os.write(1, text.encode(getattr(sys.stdout, "encoding", "utf-8"), "replace"))
        parser.exit()
