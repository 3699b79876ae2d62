"""A copy of a store that goes on working."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw

from store import StoreUnwritable
from store.database import Kind, failures

# Pages of 4 KiB that are copied between two turns of a running broker: a millisecond of its time.
STEP_PAGES = 256
# What SQLite keeps beside a file.
BESIDE = ("", "-wal", "-shm", "-journal")


class Copying:
    """A running broker's own copy of its file, made in steps between its turns: what is written meanwhile is in it."""

    def __init__(self, source: apsw.Connection, target: Path, kind: Kind) -> None:
        self._path = target
        self._kind = kind
        with made(target, kind):
            os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            self._target = apsw.Connection(os.fspath(target))
            self._backup = self._target.backup("main", source, "main")

    def step(self) -> bool:
        """Copy some more; whether that was all. A StoreError if it can't be done: then it is given up."""
        try:
            with made(self._path, self._kind):
                self._backup.step(STEP_PAGES)
                return bool(self._backup.done)
        except BaseException:
            with suppress(apsw.Error):
                self.close()
            clear(self._path)
            raise

    def close(self) -> None:
        """Finish, or give up."""
        with made(self._path, self._kind):
            self._backup.close(True)
            self._target.close()


@contextmanager
def made(path: Path, kind: Kind) -> Iterator[None]:
    """The failures of a file that is being made, as the store's errors: no turn is lost by them."""
    try:
        with failures(path, kind):
            yield
    except StoreUnwritable as error:
        if not isinstance(error.__cause__, apsw.FullError):
            raise
        raise StoreUnwritable(
            "{path} can't be written, the disk is full; make room, then try again", path=path
        ) from error
    except ValueError as error:
        raise StoreUnwritable(
            "{path} is no name for a file ({error}); choose another one", path=path, error=error
        ) from error


def clear(part: Path) -> None:
    """Remove what an attempt that was cut short has left."""
    for ending in BESIDE:
        part.with_name(part.name + ending).unlink(missing_ok=True)
