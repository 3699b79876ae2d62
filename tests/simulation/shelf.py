"""Where the broker's store lies, and the copies that are made of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from copy import deepcopy
from itertools import count
from pathlib import Path

import apsw

from store.copies import mark
from store.copying import clear
from store.memory import MemoryStore
from store.sqlite import SqliteStore


class MemoryShelf:
    """A store in memory: it outlives the broker, which is not said to forget anything."""

    def __init__(self, epoch: str, broker: bytes) -> None:
        self._store = MemoryStore(epoch, broker)

    def open(self) -> MemoryStore:
        return self._store

    def copy(self) -> MemoryStore:
        """As it is now."""
        return deepcopy(self._store)

    def put_back(self, copy: MemoryStore, epoch: str) -> MemoryStore:
        """A copy in the place of the store. ``epoch``: the one that begins then; "": none does."""
        self._store = deepcopy(copy)
        if epoch:
            self._store.begin_epoch(epoch)
        return self._store


class FileShelf:
    """The real store, in this folder."""

    def __init__(self, folder: Path, random: Callable[[int], bytes]) -> None:
        self._folder = folder
        self._path = folder / "restante.sqlite"
        self._random = random
        self._copies = count(1)

    def open(self) -> SqliteStore:
        return SqliteStore.open(self._path, self._random)

    def copy(self) -> Path:
        """As it is now."""
        target = self._folder / f"copy-{next(self._copies)}.sqlite"
        database = apsw.Connection(str(self._path))
        database.execute("VACUUM INTO ?", (str(target),))
        database.close()
        mark(target)
        return target

    def put_back(self, copy: Path, epoch: str) -> SqliteStore:
        """A copy in the place of the store, which is closed; whoever opens it begins an epoch."""
        clear(self._path)
        shutil.copy2(copy, self._path)
        return self.open()


Shelf = MemoryShelf | FileShelf
