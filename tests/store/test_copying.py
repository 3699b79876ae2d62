"""Copies of a store that goes on working: whatever was written up to the end is in them, and they are whole."""

from __future__ import annotations

import os
import random
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.commands import Append, Trim
from protocol.frames import Envelope, encode
from store import StoreBroken, StoreError, StoreUnwritable
from store.copies import copy, part_of, restore, seal
from store.copying import STEP_PAGES, Copying
from store.sqlite import SqliteStore
from tests.store.contract import results
from tests.store.files import BadDisk, ask, change, flip, overwrite, reopened

ANNA = "anna/" + "a" * 16
# Each turn writes some pages, and the whole takes several steps.
TURNS, TURN_MESSAGES = 20, 20
BODY_BYTES = 12_000
# Where SQLite's tables begin.
PAGE_BYTES, PAGES = 4096, range(2, 15)


def write(store: SqliteStore, drawn: random.Random, first: int, count: int = TURN_MESSAGES) -> int:
    """A turn of one device; the number that comes next."""
    bodies = [drawn.randbytes(BODY_BYTES) for _ in range(count)]
    envelopes = [encode(Envelope("a" * 16, n, "anna", "bob", n, "x", body)) for n, body in enumerate(bodies, first)]
    results(store, Append(ANNA, first, [("@bob", "@anna")] * count, list(envelopes)))
    return first + count


@pytest.fixture
def drawn(seed: int) -> random.Random:
    return random.Random(seed)


@pytest.fixture
def path(tmp_path: Path, drawn: random.Random) -> Path:
    """A store of several steps, in a folder of its own; closed."""
    path = tmp_path / "b" / "restante.sqlite"
    path.parent.mkdir()
    with reopened(path) as store:
        n = 1
        for _ in range(TURNS):
            n = write(store, drawn, n)
    assert path.stat().st_size > 3 * STEP_PAGES * 4096
    return path


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with reopened(path) as store:
        yield store


def take(copying: Copying) -> None:
    while not copying.step():
        pass
    copying.close()


def test_what_is_written_between_two_steps_is_in_it(store: SqliteStore, tmp_path: Path, drawn: random.Random) -> None:
    part, target = tmp_path / "copy.part", tmp_path / "copy"
    copying, n, steps = store.copying(part), TURNS * TURN_MESSAGES + 1, 0
    while not copying.step():
        n, steps = write(store, drawn, n, 3), steps + 1
        if steps == 2:
            results(store, Trim("@anna", 100))
    copying.close()
    assert steps > 2
    assert seal(part, target) == []
    with reopened(target) as other:
        assert without_epochs(other) == without_epochs(store)
        assert other.epoch != store.epoch


def without_epochs(store: SqliteStore) -> list[object]:
    return [row for row in store.dump() if row[0] not in ("store", "epoch", "base")]


def test_it_is_one_file_for_its_owner_only(store: SqliteStore, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    with part_of(folder / "copy") as part:
        copying = store.copying(part)
        assert stat.S_IMODE(part.stat().st_mode) == 0o600
        take(copying)
        assert seal(part, folder / "copy") == []
    assert {each.name: stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {"copy": 0o600}


def test_of_one_that_is_given_up_the_store_knows_nothing(
    store: SqliteStore, tmp_path: Path, drawn: random.Random
) -> None:
    copying = store.copying(tmp_path / "part")
    assert not copying.step()
    copying.close()
    write(store, drawn, TURNS * TURN_MESSAGES + 1)
    take(store.copying(tmp_path / "another"))
    assert seal(tmp_path / "another", tmp_path / "copy") == []


def test_a_store_that_is_closed_meanwhile_is_whole(path: Path, tmp_path: Path) -> None:
    store = SqliteStore.open(path)
    copying = store.copying(tmp_path / "part")
    assert not copying.step()
    store.close()
    del copying
    take_again = SqliteStore.open(path)
    assert take_again.devices([ANNA])[ANNA].last == TURNS * TURN_MESSAGES
    take_again.close()


def test_nothing_is_written_over(store: SqliteStore, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(b"mine")
    with pytest.raises(StoreUnwritable, match="File exists"):
        store.copying(tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == b"mine"


@pytest.mark.parametrize("name", ["nowhere/part", "a\0b"])
def test_a_place_where_nothing_can_be_made(store: SqliteStore, tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreUnwritable):
        store.copying(tmp_path / name)


@pytest.mark.parametrize(("fails", "kind"), [("full", StoreUnwritable), ("write", StoreBroken)])
def test_a_disk_that_fails_ends_the_copy_and_not_the_store(
    path: Path, tmp_path: Path, drawn: random.Random, fails: str, kind: type[StoreError]
) -> None:
    store = SqliteStore.open(path)
    disk = BadDisk()
    try:
        copying = store.copying(tmp_path / "part")
        disk.fails = fails
        with pytest.raises(kind) as raised:
            take(copying)
        del copying
    finally:
        disk.unregister()
    assert "last turn" not in str(raised.value)
    assert not (tmp_path / "part").exists()
    write(store, drawn, TURNS * TURN_MESSAGES + 1)
    store.close()


# ---- the commands' own copies ---------------------------------------------------------------------------


def backed_up(folder: Path, target: Path) -> list[str]:
    with part_of(target) as part:
        copy(folder, part)
        return seal(part, target)


def test_a_copy_of_a_store_that_nobody_works_on(path: Path, tmp_path: Path) -> None:
    assert backed_up(path.parent, tmp_path / "copy") == []
    with reopened(path) as store, reopened(tmp_path / "copy") as other:
        assert without_epochs(other) == without_epochs(store)
        assert other.epoch != store.epoch


def test_a_damaged_store_gives_no_copy(path: Path, tmp_path: Path) -> None:
    with reopened(path) as store:
        marked = encode(Envelope("a" * 16, TURNS * TURN_MESSAGES + 1, "anna", "bob", 0, "none", b"here it is"))
        results(store, Append(ANNA, TURNS * TURN_MESSAGES + 1, [("@bob",)], [marked]))
    flip(path, b"here it is")
    assert backed_up(path.parent, tmp_path / "copy") == [f"message {TURNS * TURN_MESSAGES + 1} of @bob is damaged"]
    assert [each.name for each in tmp_path.iterdir()] == ["b"]


def test_a_store_with_a_damaged_page_gives_no_copy_and_it_is_said_what_is_damaged(path: Path, tmp_path: Path) -> None:
    """Not the copy, which nobody has named and which is gone."""
    whole = path.read_bytes()
    named = 0
    for page in PAGES:
        path.write_bytes(whole)
        overwrite(path, page * PAGE_BYTES, bytes(PAGE_BYTES))
        found = backed_up(path.parent, tmp_path / "copy")
        assert not any("copy" in each for each in found)
        assert (tmp_path / "copy").exists() is not bool(found)
        (tmp_path / "copy").unlink(missing_ok=True)
        named += bool(found)
    assert named > 0


def test_what_an_attempt_that_was_killed_has_left_is_removed(path: Path, tmp_path: Path) -> None:
    for ending in ("", "-wal", "-journal"):
        (tmp_path / f"copy.part{ending}").write_bytes(b"half")
    assert backed_up(path.parent, tmp_path / "copy") == []
    assert {each.name for each in tmp_path.iterdir()} == {"b", "copy"}


def test_a_copy_with_something_beside_it_is_put_in_place_whole(
    path: Path, tmp_path: Path, drawn: random.Random
) -> None:
    """Not every copy was made by us: what is only in the write-ahead log belongs to it."""
    store = SqliteStore.open(path)
    write(store, drawn, TURNS * TURN_MESSAGES + 1)
    for ending in ("", "-wal"):
        (tmp_path / f"raw{ending}").write_bytes(Path(f"{path}{ending}").read_bytes())
    store.close()
    target = tmp_path / "new"
    target.mkdir()
    assert restore(tmp_path / "raw", target) == ([], None)
    with reopened(path) as store, reopened(target / path.name) as other:
        assert without_epochs(other) == without_epochs(store)


def test_what_was_there_before_is_kept_with_all_that_belongs_to_it(path: Path, tmp_path: Path) -> None:
    assert backed_up(path.parent, tmp_path / "copy") == []
    living = SqliteStore.open(path)  # as a killed broker leaves it: with a write-ahead log
    write(living, random.Random(1), TURNS * TURN_MESSAGES + 1, 5)
    for ending in ("", "-wal"):
        (tmp_path / f"keep{ending}").write_bytes(Path(f"{path}{ending}").read_bytes())
    living.close()
    for ending in ("", "-wal"):
        Path(f"{path}{ending}").write_bytes((tmp_path / f"keep{ending}").read_bytes())
    formers = [restore(tmp_path / "copy", path.parent)[1] for _ in range(3)]  # within one second, too
    assert len(set(formers)) == 3
    lasts = []
    for former in formers:
        assert former
        with reopened(former) as store:
            lasts.append(store.devices([ANNA])[ANNA].last)
    assert lasts == [TURNS * TURN_MESSAGES + 5, TURNS * TURN_MESSAGES, TURNS * TURN_MESSAGES]


def test_a_copy_that_was_put_in_place_begins_one_epoch(path: Path, tmp_path: Path) -> None:
    assert backed_up(path.parent, tmp_path / "copy") == []
    restore(tmp_path / "copy", path.parent)
    assert ask(path, "SELECT count(*) FROM epoch") == 2
    assert ask(path, "SELECT count(*) FROM setting WHERE name = 'copied'") == 0
    assert ask(tmp_path / "copy", "SELECT count(*) FROM epoch") == 1


def test_a_damaged_copy_is_not_put_in_place(path: Path, tmp_path: Path) -> None:
    assert backed_up(path.parent, tmp_path / "copy") == []
    change(tmp_path / "copy", "DELETE FROM segment WHERE id = 3")
    before = path.read_bytes()
    found, former = restore(tmp_path / "copy", path.parent)
    assert found
    assert former is None
    assert path.read_bytes() == before
    assert {each.name for each in path.parent.iterdir()} == {os.fspath(path.name)}
