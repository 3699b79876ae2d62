"""What all commands share: how they speak, and whether a broker works on the folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from console import words
from console.language import reworded
from console.sanitise import clean_line
from store import StoreUnwritable
from store.lock import Lock, Locked
from transport import standard

EXIT_DAMAGED, EXIT_UNWRITABLE, EXIT_LOCKED = 65, 73, 75


UNKNOWN = "this broker does not know that command ({error}); nothing was done"
ONE_COPY = "another copy is being made; nothing was done"
ERRORS = UNKNOWN, ONE_COPY
"""What a broker's desk answers beside what the core and the store say; in English, like all that travels."""


class Refused(Exception):
    """A command can't be carried out: exit code and sentence."""


def why(answer: Mapping[str, Any]) -> str:
    """Why a broker did not do what it was asked, in the language that is spoken if the sentence is known here."""
    return reworded(words.said(str(answer.get("code", "")), str(answer["error"])), ERRORS)


def say(text: str) -> None:
    """A line of the answer."""
    standard.write(1, (clean_line(text) + "\n").encode())


def fail(code: int, sentence: str) -> int:
    """Say why not, on standard error; the exit code."""
    with contextlib.suppress(OSError):  # nobody reads it
        standard.write(2, f"restante: {clean_line(sentence)}\n".encode())
    return code


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[bool]:
    """Whether no broker works on a folder; then none can begin to."""
    if not folder.is_dir():
        raise StoreUnwritable(
            "there is no folder {folder}; nothing was done: name the broker's with --data", folder=folder
        )
    try:
        held = Lock(folder)
    except Locked:
        yield False
        return
    try:
        yield True
    finally:
        held.close()


def existing(name: str) -> Path:
    """A file that must be there."""
    path = Path(name)
    if not path.is_file():
        raise StoreUnwritable("there is no file {path}; nothing was done", path=path)
    return path
