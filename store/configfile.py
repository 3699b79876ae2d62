"""The file of a client's settings: written by people, and by /set in one line."""

from __future__ import annotations

import os
from pathlib import Path

from store.lock import private_folder, sync

FILE_BYTES = 65536
"""Nobody writes so many settings: it is another file."""


class TooLarge(ValueError):
    """This is no file of settings."""


def read(path: Path) -> str:
    """Its text; "" if there is none. OSError if it can't be read, ValueError if it is no text or too large."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return ""
    if len(data) > FILE_BYTES:
        raise TooLarge(str(path))
    return data.decode("utf-8")


def write(path: Path, text: str) -> None:
    """A new file takes the place of the old one: a power cut leaves one of them whole. OSError if that can't be.

    A link stays one, and what others may do with the file stays as it was.
    """
    path = path.resolve()
    private_folder(path.parent)
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    new = path.with_name(f"{path.name}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)
    sync(path.parent)
