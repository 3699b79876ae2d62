"""The embedded store's file: who may read it, which files are refused, and what damage does."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.commands import Put
from core.events import Arrived, Done
from protocol.frames import Envelope, decode_envelope
from store import StoreDamaged, StoreError, StoreNewer, StoreUnwritable
from store.database import check_library
from store.sqlite import SqliteStore
from tests.store.contract import read, results, send, stored, texts
from tests.store.files import ask, change, filled, reopened

ROOT = Path(__file__).resolve().parents[2]

A, B = "anna/a", "bob/a"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


def damaged(log: str) -> Envelope:
    """What stands where a message can't be read."""
    return Envelope("a" * 16, 1, "?", log, 0, "damaged", b"")


def readable(store: SqliteStore, log: str) -> list[bytes | None]:
    """A log's texts, None for those that come as damaged."""
    found: list[bytes | None] = []
    for envelope in texts(store, log):
        if envelope.startswith(b"text"):
            found.append(envelope)
        else:
            assert decode_envelope(envelope) == damaged(log)
            found.append(None)
    return found


ALL = [b"text %03d" % n for n in range(1, 7)]


# ---- the file -----------------------------------------------------------------------------------------


def test_only_the_owner_may_read_any_of_the_files(path: Path) -> None:
    old = os.umask(0)
    try:
        with reopened(path) as store:
            results(store, send(A, 1, "@bob"))
            files = sorted(path.parent.iterdir())
            assert [file.name for file in files] == ["store.sqlite", "store.sqlite-shm", "store.sqlite-wal"]
            assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    finally:
        os.umask(old)


def test_a_copy_put_back_with_wider_rights_is_closed_to_others(path: Path) -> None:
    filled(path)
    path.chmod(0o644)
    with reopened(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_closed_it_is_one_file_that_holds_everything(path: Path) -> None:
    filled(path)
    assert list(path.parent.iterdir()) == [path]
    with reopened(path) as store:
        assert texts(store, "@bob") == ALL


def test_the_settings_that_a_commit_relies_on(path: Path) -> None:
    filled(path)
    assert ask(path, "PRAGMA journal_mode") == "wal"
    assert ask(path, "PRAGMA auto_vacuum") == 2  # incremental


def test_ids_come_from_the_source_given_and_stay(path: Path) -> None:
    store = SqliteStore.open(path, rng=lambda count: bytes(range(count)))
    ids = (store.broker, store.epoch)
    store.close()
    assert ids == (bytes(range(16)), bytes(range(16)).hex())
    with reopened(path) as store:
        assert (store.broker, store.epoch) == ids


def test_two_stores_have_different_ids(tmp_path: Path) -> None:
    with reopened(tmp_path / "one") as one, reopened(tmp_path / "two") as two:
        assert one.broker != two.broker
        assert one.epoch != two.epoch


def test_a_start_that_was_cut_short_begins_again(path: Path) -> None:
    change(path, "PRAGMA auto_vacuum = INCREMENTAL", "PRAGMA journal_mode = WAL")
    assert path.stat().st_size > 0
    with reopened(path) as store:
        assert results(store, send(A, 1, "@bob")) == [Done(1)]


# ---- files that can't be used -------------------------------------------------------------------------


def test_another_programs_file_is_left_alone(path: Path) -> None:
    change(path, "CREATE TABLE theirs (x)")
    before = path.read_bytes()
    with pytest.raises(StoreDamaged, match="no file of this program"):
        SqliteStore.open(path)
    assert path.read_bytes() == before


def test_a_text_is_no_store(path: Path) -> None:
    path.write_text("Dear diary, " * 1000)
    with pytest.raises(StoreDamaged, match=r"restore a backup, with the broker's command restore FILE"):
        SqliteStore.open(path)


def test_a_damaged_header_is_named(path: Path) -> None:
    filled(path)
    with path.open("r+b") as file:
        file.write(b"\xff" * 16)
    with pytest.raises(StoreDamaged, match=r"restore a backup, with the broker's command restore FILE"):
        SqliteStore.open(path)


def test_a_newer_file_is_refused(path: Path) -> None:
    filled(path)
    change(path, "PRAGMA user_version = 99")
    with pytest.raises(StoreNewer, match=r"schema 99.*upgrade"):
        SqliteStore.open(path)


def test_an_old_library_is_refused() -> None:
    check_library("3.51.3")
    check_library("4.0")
    with pytest.raises(StoreError, match=r"3\.51\.2 .* 3\.51\.3"):
        check_library("3.51.2")


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in ("file", "nowhere"):
        with pytest.raises(StoreUnwritable, match="can't be written"):
            SqliteStore.open(tmp_path / folder / "store.sqlite")


@contextmanager
def as_nobody() -> Iterator[None]:
    """Rights don't bind root; so give them up for a while."""
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(mine)


@pytest.mark.parametrize("exists", [True, False])
def test_a_folder_without_the_right_to_write(path: Path, exists: bool) -> None:
    if exists:
        filled(path)
        path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        with as_nobody(), pytest.raises(StoreUnwritable, match="check the rights"):
            SqliteStore.open(path)
    finally:
        path.parent.chmod(0o700)


# ---- damage inside ------------------------------------------------------------------------------------


def test_a_flipped_byte_is_never_delivered(path: Path) -> None:
    filled(path)
    whole = path.read_bytes()
    at = whole.index(b"text 003")
    with path.open("r+b") as file:
        file.seek(at + 7)
        file.write(b"7")
    with reopened(path) as store:
        assert readable(store, "@bob") == [*ALL[:2], None, *ALL[3:]]
        assert store.damaged == [("@bob", 3)]
        store.damaged.clear()
        assert store.read("@bob", 3, 9, 1000) == Arrived("@bob", 4, ALL[3:])
        assert store.damaged == []


@pytest.mark.parametrize(
    ("what", "left"),
    [
        ("DELETE FROM slice WHERE first = 1", [None, None, *ALL[2:]]),
        ("DELETE FROM slice WHERE first = 3", [*ALL[:2], None, None, *ALL[4:]]),
        ("DELETE FROM slice WHERE first = 5", [*ALL[:4], None, None]),
        ("DELETE FROM slice", [None] * 6),
        ("DELETE FROM segment WHERE id = 2", [*ALL[:2], None, None, *ALL[4:]]),
        ("UPDATE segment SET body = x'' WHERE id = 2", [*ALL[:2], None, None, *ALL[4:]]),
        ("UPDATE slice SET segment = 1 WHERE first = 3", [*ALL[:2], None, None, *ALL[4:]]),
        ("UPDATE slice SET places = substr(places, 1, 6) WHERE first = 5", [*ALL[:4], None, None]),
        ("UPDATE slice SET places = substr(places, 2) WHERE first = 3", [*ALL[:2], None, None, *ALL[4:]]),
        ("UPDATE slice SET first = 6 WHERE first = 5", [*ALL[:4], None, None]),
        ("UPDATE slice SET first = 'text' WHERE first = 5", [*ALL[:4], None, None]),
        ("UPDATE slice SET segment = 'text' WHERE first = 3", [*ALL[:2], None, None, *ALL[4:]]),
        ("UPDATE slice SET places = 'text' WHERE first = 3", [*ALL[:2], None, None, *ALL[4:]]),
        ("UPDATE segment SET body = 'text' WHERE id = 2", [*ALL[:2], None, None, *ALL[4:]]),
        ("UPDATE segment SET body = 7 WHERE id = 2", [*ALL[:2], None, None, *ALL[4:]]),
    ],
)
def test_what_is_lost_leaves_its_place(path: Path, what: str, left: list[bytes | None]) -> None:
    filled(path)
    change(path, what)
    with reopened(path) as store:
        assert readable(store, "@bob") == left
        assert store.damaged == [("@bob", seq) for seq, text in enumerate(left, 1) if text is None]


def test_bytes_that_are_called_a_text_are_still_the_same(path: Path) -> None:
    """One bit tells SQLite which of both a value is."""
    with reopened(path) as store:
        results(store, send(A, 1, "@bob", text=b"\xff"), Put("room/#r", b"\xff", 0))
    change(path, "UPDATE segment SET body = CAST(body AS TEXT)", "UPDATE slice SET places = CAST(places AS TEXT)")
    change(path, "UPDATE device SET visits = CAST(visits AS TEXT)", "UPDATE record SET value = CAST(value AS TEXT)")
    with reopened(path) as store:
        assert texts(store, "@bob") == [b"\xff"]
        assert store.devices([A])[A].last == 1
        assert store.get(["room/#r"]) == {"room/#r": (1, b"\xff")}


def test_two_segments_exchanged(path: Path) -> None:
    filled(path)
    change(
        path,
        "CREATE TEMP TABLE before AS SELECT id, body FROM segment",
        "UPDATE segment SET body = (SELECT body FROM before WHERE before.id = 3 - segment.id) WHERE id IN (1, 2)",
    )
    with reopened(path) as store:
        assert readable(store, "@bob") == [None, None, None, None, *ALL[4:]]


def test_two_slices_exchanged(path: Path) -> None:
    filled(path)
    change(
        path,
        "CREATE TEMP TABLE before AS SELECT * FROM slice",
        "UPDATE slice SET (segment, crc) = (SELECT segment, crc FROM before WHERE before.log = slice.log"
        " AND before.first = 4 - slice.first) WHERE first IN (1, 3)",
    )
    with reopened(path) as store:
        assert readable(store, "@bob") == [None, None, None, None, *ALL[4:]]


def test_two_logs_exchanged(path: Path) -> None:
    with reopened(path) as store:
        results(store, send(A, 1, "@bob", text=b"text for bob"), send(A, 2, "@anna", text=b"text for anna"))
    change(path, "UPDATE slice SET log = 3 - log + 10", "UPDATE slice SET log = log - 10")
    with reopened(path) as store:
        assert readable(store, "@bob") == readable(store, "@anna") == [None]


def test_damage_does_not_stop_what_comes_after(path: Path) -> None:
    filled(path)
    change(path, "DELETE FROM slice WHERE first = 5", "DELETE FROM segment WHERE id = 1")
    with reopened(path) as store:
        outcome = stored(store, send(A, 7, "@bob", text=b"text 007"))
        assert outcome.arrived == [Arrived("@bob", 7, [b"text 007"])]
        assert readable(store, "@bob") == [None, None, *ALL[2:4], None, None, b"text 007"]


def test_a_zeroed_page_stops_the_process(path: Path) -> None:
    with reopened(path) as store:
        results(store, send(A, 1, "@bob"))
    pages = int(str(ask(path, "PRAGMA page_count")))
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(bytes(4096 * (pages - 1)))
    with pytest.raises(StoreDamaged, match="restore a backup"), reopened(path) as store:
        read(store, "@bob")
