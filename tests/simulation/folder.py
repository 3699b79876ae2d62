"""A client's folder: a notebook, or one time in fifty the real journal, with what was shown of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from itertools import count
from pathlib import Path

import apsw

from core.commands import Begin, Command, GoBack, Point, Recall, Review, Search, Tally
from core.events import Pointed, Recalled, Reviewed, Searched, Tallied
from core.outbox import Memory
from protocol.frames import Envelope
from store.journal import Journal
from store.lock import Lock, private_folder
from store.notebook import Notebook

BOOK = (
    "device",
    "facts",
    "outbox",
    "settled",
    "bases",
    "cursors",
    "history",
    "remarks",
    "about",
    "receipts",
    "era",
    "shown",
)


class Book(Notebook):
    """A notebook that knows what was handed out, as the journal does."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        super().__init__(new_id)
        self.shown: dict[str, int] = {}

    def commit(self, commands: Sequence[Command]) -> None:
        for command in commands:
            pos = self.cursors.get(command.log, 0) if isinstance(command, Begin) else 0
            super().commit([command])
            if isinstance(command, Begin) and self.shown.get(command.log, 0) >= pos:
                self.shown[command.log] = command.pos

    def copy(self, folders: Folders) -> Book:
        """As it is now."""
        other = Book(self._new_id)
        for name in BOOK:
            setattr(other, name, copy(getattr(self, name)))
        return other

    def go_back(self, back: GoBack) -> tuple[Memory, int]:
        gone = super().go_back(back)
        self.shown = {log: min(seq, self.cursors.get(log, 0)) for log, seq in self.shown.items()}
        return gone

    def renew(self, epoch: str) -> Memory:
        memory = super().renew(epoch)
        self.shown = {log: seq for log, seq in self.shown.items() if log in self.cursors}
        return memory

    def close(self) -> None:
        """Nothing is held open."""

    def mark(self, log: str, seq: int) -> None:
        self.shown[log] = max(seq, self.shown.get(log, 0))

    def replay(self, log: str) -> Iterator[tuple[int, list[Envelope]]]:
        """What is there and was not handed out."""
        for seq in range(self.shown.get(log, 0) + 1, self.cursors[log] + 1):
            entry = self.history.get((self.era, log, seq)) or self.remarks.get((self.era, log, seq))
            if entry:
                yield seq, [entry]

    def fact(self, key: str) -> bytes | None:
        return self.facts.get(key)

    def whole(self, log: str) -> list[Envelope]:
        """All that is there of a log, in order."""
        return [self.history[place] for place in sorted(self.history) if place[1] == log]


class Ledger:
    """The real journal, in the same words."""

    def __init__(self, path: Path, random: Callable[[int], bytes]) -> None:
        self._path = private_folder(path)
        self._random = random
        self._journal = self._open()

    def _open(self) -> Journal:
        return Journal(self._path, Lock(self._path), self._random)

    def memory(self) -> Memory:
        """What a client starts from: it opens its journal."""
        self._journal.close()
        self._journal = self._open()
        return self._journal.memory()

    @property
    def device(self) -> str:
        return (self.fact("device") or b"").decode()

    @property
    def cursors(self) -> dict[str, int]:
        return self._journal.memory().cursors

    def commit(self, commands: Sequence[Command]) -> None:
        self._journal.commit(commands)

    def recall(self, recall: Recall) -> Recalled:
        return self._journal.recall(recall)

    def search(self, search: Search) -> Searched:
        return self._journal.search(search)

    def tally(self, tally: Tally) -> Tallied:
        return self._journal.tally(tally)

    def point(self, point: Point) -> Pointed:
        return self._journal.point(point)

    def review(self, review: Review) -> Reviewed:
        return self._journal.review(review)

    def renew(self, epoch: str) -> Memory:
        return self._journal.renew(epoch)

    def copy(self, folders: Folders) -> Ledger:
        """As it is now."""
        path = private_folder(folders.place())
        database = apsw.Connection(str(self._path / "journal.sqlite"))
        database.execute("VACUUM INTO ?", (str(path / "journal.sqlite"),))
        database.close()
        return Ledger(path, self._random)

    def go_back(self, back: GoBack) -> tuple[Memory, int]:
        return self._journal.go_back(back)

    def mark(self, log: str, seq: int) -> None:
        self._journal.mark({log: seq})

    def replay(self, log: str) -> Iterator[tuple[int, list[Envelope]]]:
        return self._journal.replay(log, 50) if log in self._journal.unshown() else iter(())

    def fact(self, key: str) -> bytes | None:
        return self._journal.fact(key)

    def whole(self, log: str) -> list[Envelope]:
        return self._journal.history(log, "", 10**6)[1]

    def close(self) -> None:
        self._journal.close()


Folder = Book | Ledger


class Folders:
    """Makes folders. ``root``: real ones, there."""

    def __init__(self, new_id: Callable[[], str], root: Path | None, chance: Callable[[int], bytes]) -> None:
        self._new_id = new_id
        self._root = root
        self._chance = chance
        self._numbers = count(1)

    def make(self) -> Folder:
        if self._root is None:
            return Book(self._new_id)
        return Ledger(self.place(), self._chance)

    def place(self) -> Path:
        """Where a real one may lie."""
        assert self._root is not None
        return self._root / str(next(self._numbers))

    def copy(self, folder: Folder) -> Folder:
        """A copy of one."""
        return folder.copy(self)
