"""One process a folder: a lock of the operating system, which ends with the process however that ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Locked(Exception):
    """Another process holds this folder."""


class Lock:
    """An exclusive lock on the file ``lock`` in a folder, held until close() or the end of the process.

    The file stays: deleting it would let two processes lock two files of the same name.
    """

    def __init__(self, folder: Path) -> None:
        self._descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise Locked(str(folder)) from None

    def close(self) -> None:
        """Let go."""
        os.close(self._descriptor)


def sync(path: Path) -> None:
    """Let a file's content, or what was made or renamed in a folder, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def private_folder(folder: Path) -> Path:
    """Make a folder that only its owner can enter, if there is none; OSError if that can't be done."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for made in missing:
        sync(made.parent)  # or a power cut might take it away, with all that is in it
    return folder
