"""Power cuts and the client's journal: whatever a cut leaves on the disk, what was kept or recorded is there.

The journal opened after a cut must be as it was after some turn: the last one that was synced, one of the lazy ones
behind it (messages settled, lines handed out), or the one under way. Lazy ones may be lost, the last first. So every
message that was kept is in the outbox or was settled, no number is given twice, every envelope recorded is in the
history and its cursor with it, no cursor is ahead of the history, and nothing counts as handed out that was not.
"""

from __future__ import annotations

import random
import time
from base64 import b32encode
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.commands import Begin, Command, Drop, GoBack, Keep, Record, Renew
from core.outbox import Memory
from protocol.frames import Envelope
from store import database
from store.journal import Journal
from store.lock import Lock
from store.notebook import Notebook
from tests.store.notes import LOGS, drawn
from tests.store.powercut import IMAGES, Life, State, Story, quick_folder, report

pytestmark = pytest.mark.timeout(3600)  # for a long run

JOURNAL_IMAGES = IMAGES - IMAGES * 2 // 3
TURNS = 50
# Pages after which the write-ahead log is copied into the file: so low that it happens often.
CHECKPOINT_PAGES = 20
MARKING, LARGE, REOPENING = 0.4, 0.15, 0.05
ALL = 1_000_000


class Book(Notebook):
    """A notebook that also knows what was handed out; its ids are those that the journal drew."""

    def __init__(self, device: str) -> None:
        self.drawn = device
        self.shown: dict[str, int] = {}
        super().__init__(self.take_id)

    def take_id(self) -> str:
        return self.drawn

    def commit(self, commands: Sequence[Command]) -> None:
        for command in commands:
            if isinstance(command, Begin) and self.shown.get(command.log, 0) >= self.cursors.get(command.log, 0):
                self.shown[command.log] = command.pos  # nothing of it waits, and what is skipped never will
            super().commit([command])

    def mark(self, shown: dict[str, int]) -> None:
        self.shown.update({log: max(seq, self.shown[log]) for log, seq in shown.items()})

    def renew(self, epoch: str) -> Memory:
        memory = super().renew(epoch)
        self.shown = {log: seq for log, seq in self.shown.items() if log in self.cursors}
        return memory

    def go_back(self, back: GoBack) -> tuple[Memory, int]:
        self.shown = {log: min(seq, back.bases.get(log, 0)) for log, seq in self.shown.items()}
        return super().go_back(back)

    def unshown(self, log: str) -> list[tuple[int, Envelope]]:
        """What was not handed out of a log that is read."""
        places = range(self.shown[log] + 1, self.cursors[log] + 1)
        kept = self.history | self.remarks
        held = ((seq, kept.get((self.era, log, seq))) for seq in places)
        return [(seq, envelope) for seq, envelope in held if envelope]


def noted(book: Book) -> State:
    memory = book.memory()
    held = sorted(book.history.items(), key=lambda entry: entry[0])
    history = [[envelope for (_, of, _), envelope in held if of == log] for log in LOGS]
    return state(memory, history, [book.unshown(log) for log in sorted(book.cursors)])


def written(journal: Journal) -> State:
    memory = journal.memory()
    unshown = [
        [(seq, envelope) for first, run in journal.replay(log, 3) for seq, envelope in enumerate(run, first)]
        for log in sorted(memory.cursors)
    ]
    return state(memory, [journal.history(log, "", ALL)[1] for log in LOGS], unshown)


def state(memory: Memory, history: list[list[Envelope]], unshown: list[list[tuple[int, Envelope]]]) -> State:
    return State(memory.device, (replace(memory, device=""), history, unshown))


def look(folder: Path) -> State:
    journal = Journal(folder, Lock(folder))
    try:
        assert journal._database.pragma("integrity_check") == "ok"
        return written(journal)
    finally:
        journal.close()


class Sitting:
    """A journal and the book of what it must hold, side by side."""

    def __init__(self, folder: Path, life: Life[Book], book: Book | None, rng: random.Random, weak: bool) -> None:
        self._folder = folder
        self._life = life
        self._rng = rng
        self._weak = weak
        self._drawn = b""
        self.journal = Journal(folder, Lock(folder), self._draw)
        self.book = book or Book(self.journal.memory().device)
        life.holds(self.book)

    def _draw(self, size: int) -> bytes:
        self._drawn = self._rng.randbytes(size)
        return self._drawn

    def turn(self) -> None:
        turn = drawn_turn(self._rng, self.book)
        if self._weak:  # a journal makes itself strong again after each lazy turn
            self.journal._database.pragma("synchronous", "NORMAL")
        if isinstance(turn, Renew):
            self.journal.renew(turn.epoch)
            self.book.drawn = b32encode(self._drawn).lower().decode()
            self.book.renew(turn.epoch)
            self._life.holds(self.book)
        elif isinstance(turn, GoBack):
            self.journal.go_back(turn)
            self.book.go_back(turn)
            self._life.holds(self.book)
        elif turn:
            self.journal.commit(turn)
            self.book.commit(turn)
            self._life.holds(self.book, promised=not all(isinstance(command, Drop) for command in turn))

    def hand_out(self) -> None:
        """Some more of a log that is read, if there is one."""
        for log in self._rng.sample(sorted(self.book.cursors), min(1, len(self.book.cursors))):
            handed_out = {log: self._rng.randint(0, self.book.cursors[log])}
            self.journal.mark(handed_out)
            self.book.mark(handed_out)
            self._life.holds(self.book, promised=False)

    def reopen(self) -> None:
        self.journal.close()
        self.journal = Journal(self._folder, Lock(self._folder), self._draw)


def drawn_turn(rng: random.Random, book: Book) -> list[Command] | Renew | GoBack:
    """A turn as notes has it, and now and then a large one, or one that is only about what is settled."""
    memory = book.memory()
    if rng.random() < LARGE and book.cursors:
        log = rng.choice(sorted(book.cursors))
        said = [Envelope("b" * 16, 1, "Bob", "anna", 0, "none", rng.randbytes(700)) for _ in range(20)]
        long = [Keep(memory.last + more, "#lobby", "none", rng.randbytes(3_000)) for more in range(1, 5)]
        return [Record(log, book.cursors[log] + 1, said), *long]
    if rng.random() < LARGE and memory.outbox:
        return [Drop(rng.choice(memory.outbox).n)]
    return drawn(rng, book)


def live(folder: Path, life: Life[Book], book: Book | None, rng: random.Random, weak: bool = False) -> None:
    """Work with a journal; a weak one does not sync each turn."""
    sitting = Sitting(folder, life, book, rng, weak)
    for _ in range(TURNS):
        sitting.turn()
        if rng.random() < MARKING:
            sitting.hand_out()
        if rng.random() < REOPENING:
            sitting.reopen()
    sitting.journal.close()


STORY = Story(live, look, noted)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with quick_folder(tmp_path) as folder:
        yield folder


@pytest.fixture(autouse=True)
def frequent_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "CHECKPOINT_PAGES", CHECKPOINT_PAGES)


def test_nothing_that_was_kept_or_recorded_is_lost(folder: Path, seed: int) -> None:
    began = time.monotonic()
    losses = list(islice(STORY.losses(folder, random.Random(seed)), JOURNAL_IMAGES))
    assert report("journal", losses, began, seed) == 0, f"seed {seed}"


def test_a_journal_that_does_not_sync_each_turn_is_found_out(folder: Path, seed: int) -> None:
    weak = STORY._replace(live=partial(live, weak=True))
    assert any(islice(weak.losses(folder, random.Random(seed)), JOURNAL_IMAGES)), f"seed {seed}"
