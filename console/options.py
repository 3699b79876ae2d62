"""What the two command lines say themselves, in the language that is spoken; and which one that is."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from console.language import LANGUAGES, of_locale, speak, worded

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


def choose_language(arguments: Sequence[str] | None) -> None:
    """Speak what --lang or else the locale says; a mistake in --lang is the real parser's to tell."""
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--lang", nargs="?")
    wanted = first.parse_known_args(arguments)[0].lang
    speak(wanted if wanted in LANGUAGES else of_locale(os.environ))


def wrong(sentence: str, **places: object) -> argparse.ArgumentTypeError:
    """What to raise for an argument that can't be read."""
    return argparse.ArgumentTypeError(worded(sentence, **places))
