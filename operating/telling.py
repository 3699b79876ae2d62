"""What all commands share: how they speak, and whether a broker works on the folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from console.sanitise import clean_line
from store import StoreUnwritable
from store.lock import Lock, Locked
from transport import standard

EXIT_LOCKED = 75


class Refused(Exception):
    """A command can't be carried out: exit code and sentence."""


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
        raise StoreUnwritable(f"there is no folder {folder}; nothing was done: name the broker's with --data")
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
        raise StoreUnwritable(f"there is no file {path}; nothing was done")
    return path
