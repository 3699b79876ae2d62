"""What the two command lines have in common: --lang, and their own words in the language that is spoken."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Sequence
from typing import NoReturn

from console.language import LANGUAGES, of_locale, reworded, speak, worded

# What argparse says of a mistake, in whole; and of one argument.
MISTAKES = (
    "argument {argument}: {why}",
    "the following arguments are required: {arguments}",
    "unrecognized arguments: {arguments}",
)
REASONS = (
    "expected one argument",
    "ignored explicit argument {value}",
    "invalid choice: {value} (choose from {choices})",
    "invalid int value: {value}",
)


class Parser(argparse.ArgumentParser):
    """A command line. Arguments are added to ``places`` (by place) and ``options`` (by name)."""

    def __init__(self, program: str, description: str, epilog: str) -> None:
        super().__init__(
            prog=program,
            description=description,
            epilog=epilog,
            formatter_class=_Layout,
            add_help=False,
            allow_abbrev=False,
        )
        self.places = self.add_argument_group(worded("arguments"))
        self.options = self.add_argument_group(worded("options"))
        self.options.add_argument("-h", "--help", action="help", help=worded("show this and end"))
        self.options.add_argument("--lang", choices=LANGUAGES, help=worded("language of all texts (the locale's)"))

    def error(self, message: str) -> NoReturn:
        """End with code 2, and how it goes."""
        said = worded("{program}: error: {why}", program=self.prog, why=reworded(message, MISTAKES, REASONS))
        self.exit(2, f"{self.format_usage()}{said}\n")


class _Layout(argparse.RawDescriptionHelpFormatter):
    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[argparse._MutuallyExclusiveGroup],
        prefix: str | None = None,
    ) -> None:
        super().add_usage(usage, actions, groups, worded("usage: ") if prefix is None else prefix)


def choose_language(arguments: Sequence[str] | None) -> None:
    """Speak what --lang or else the locale says; a mistake in --lang is the real parser's to tell."""
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--lang", nargs="?")
    wanted = first.parse_known_args(arguments)[0].lang
    speak(wanted if wanted in LANGUAGES else of_locale(os.environ))


def wrong(sentence: str, **places: object) -> argparse.ArgumentTypeError:
    """What to raise for an argument that can't be read."""
    return argparse.ArgumentTypeError(worded(sentence, **places))
