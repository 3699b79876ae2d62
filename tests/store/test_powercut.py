"""Power cuts and the broker's file: whatever a cut leaves on the disk, all that was reported as stored is there.

The file opened after a cut must be the store as it was after the last group reported, or after the one that was
under way; never a mixture, never damaged.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from functools import partial
from itertools import islice, pairwise
from pathlib import Path

import apsw
import pytest

from core.commands import Append, Move, Operation, Put, Trim
from store import StoreError, database
from store.memory import MemoryStore
from store.sqlite import SqliteStore
from tests.store.contract import stored
from tests.store.powercut import IMAGES, Delete, Disk, Life, State, Step, Story, Sync, Truncate, quick_folder, report

pytestmark = pytest.mark.timeout(3600)  # for a long run

STORE_IMAGES = IMAGES * 2 // 3
GROUPS = 25
# Pages after which the write-ahead log is copied into the file: so low that it happens often.
CHECKPOINT_PAGES = 40
REOPENING = 0.08

DEVICES = ("anna/a", "anna/b", "bob/a")
LOGS = (("@anna", "@bob"), ("@bob",), ("#tea",))
REFUSED = ("no-room", "there is no such room")
KEYS = ("account/anna", "account/bob", "room/#tea")


def drawn(rng: random.Random, model: MemoryStore) -> list[Operation]:
    """One turn's group: sends of some devices, and now and then everything else."""
    group: list[Operation] = []
    for device, state in model.devices(rng.sample(DEVICES, rng.randint(1, 3))).items():
        logs = [rng.choice(LOGS) if rng.random() < 0.9 else () for _ in range(rng.choice((1, 1, 3, 12)))]
        envelopes = [rng.randbytes(rng.choice((10, 200, 900, 6_000))) if each else REFUSED for each in logs]
        group.append(Append(device, state.last + 1, list(logs), envelopes))
        if rng.random() < 0.5:
            group.append(Move(device, rng.choice(("@anna", "@bob", "#tea")), rng.randint(1, 200)))
    if rng.random() < 0.3:
        key = rng.choice(KEYS)
        held = model.get([key])[key]
        group.append(Put(key, rng.choice((None, b"one", b"two" * 500)), held[0] if held else 0))
    if rng.random() < 0.4:
        log = rng.choice(("@anna", "@bob", "#tea"))
        group.append(Trim(log, model.heads([log])[log][1] - rng.randint(-1, 8)))
    return group


def shown(model: MemoryStore | SqliteStore) -> State:
    """A store whose log was lost before anything in it was promised begins another epoch, and is otherwise the same."""
    rows = list(model.dump())
    return State(model.broker, [row for row in rows if row[0] not in ("store", "epoch", "base")])


def look(folder: Path) -> State:
    store = SqliteStore.open(folder / "store.sqlite")
    try:
        assert store._database.pragma("integrity_check") == "ok"
        state = shown(store)
        assert store.damaged == []
    finally:
        store.close()
    return state


def live(
    folder: Path, life: Life[MemoryStore], model: MemoryStore | None, rng: random.Random, synchronous: str = "FULL"
) -> None:
    """Work with a store that is closed and opened again now and then."""

    def opened() -> SqliteStore:
        store = SqliteStore.open(folder / "store.sqlite", rng.randbytes)
        store._database.pragma("synchronous", synchronous)  # a store refuses to be weak: there is no other way
        return store

    store = opened()
    model = model or MemoryStore(store.epoch, store.broker)
    life.holds(model)
    for _ in range(GROUPS):
        group = drawn(rng, model)
        assert stored(store, *group) == stored(model, *group)
        life.holds(model)
        if rng.random() < REOPENING:
            store.close()
            store = opened()
    store.close()


STORY = Story(live, look, shown)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with quick_folder(tmp_path) as folder:
        yield folder


@pytest.fixture(autouse=True)
def frequent_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "CHECKPOINT_PAGES", CHECKPOINT_PAGES)


def test_nothing_that_was_reported_is_lost(folder: Path, seed: int) -> None:
    began = time.monotonic()
    losses = list(islice(STORY.losses(folder, random.Random(seed)), STORE_IMAGES))
    assert report("broker", losses, began, seed) == 0, f"seed {seed}"


def test_a_store_that_does_not_sync_each_group_is_found_out(folder: Path, seed: int) -> None:
    weak = STORY._replace(live=partial(live, synchronous="NORMAL"))
    assert any(islice(weak.losses(folder, random.Random(seed)), STORE_IMAGES)), f"seed {seed}"


class Liar(Disk):
    """A disk that says it has synced one file, or the folder, and has not."""

    about = ""

    def do(self, step: Step) -> None:
        if isinstance(step, Sync | Delete) and self.about == "folder":
            super().do(step._replace(synced=False) if isinstance(step, Delete) else step._replace(folder=False))
        elif isinstance(step, Sync) and step.file in self._names.get(self.about, ()):
            self._sync_names(step.folder)
        else:
            super().do(step)


@pytest.mark.parametrize("about", ["store.sqlite", "store.sqlite-wal", "folder"])
def test_a_disk_that_lies_is_found_out(folder: Path, seed: int, about: str) -> None:
    lying = STORY._replace(disk=type("Liar", (Liar,), {"about": about}))
    # What it costs may be messages, or the whole file.
    try:
        lost = any(islice(lying.losses(folder, random.Random(seed)), STORE_IMAGES))
    except (AssertionError, StoreError, apsw.Error):
        lost = True
    assert lost, f"seed {seed}"


def test_what_is_cut_is_all_that_a_store_does(folder: Path, seed: int) -> None:
    rng = random.Random(seed)
    lives = [STORY.lived(folder, {}, None, rng).steps for _ in range(10)]
    steps = [step for life in lives for step in life]
    sizes = [step.size for step in steps if isinstance(step, Truncate) and step.file == 0]
    assert any(after < before for before, after in pairwise(sizes))  # a Trim gave pages back
    assert len([step for step in steps if isinstance(step, Sync) and step.file == 0]) > 5 * len(lives)  # checkpoints
    deleted = [step.name for step in steps if isinstance(step, Delete)]
    assert deleted.count("store.sqlite-wal") > len(lives)  # closed, also in the middle
    assert deleted.count("store.sqlite-journal") >= len(lives)  # made
