"""The embedded store on a disk that is full, or fails, or is shared with another process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from core.commands import Append, Move, Operation, Put, Trim
from core.events import Arrived, DeviceState, Done, StoreFailed
from store import StoreBroken
from store.sqlite import SqliteStore
from store.verify import read_only
from tests.store.contract import NOW, read, results, send, stored, texts
from tests.store.files import BadDisk, ask, change, filled, reopened

ROOT = Path(__file__).resolve().parents[2]

A, B = "anna/a", "bob/a"
# A file of some 40 pages of 4 KiB is full soon, and yet has room for what every store has.
FEW_PAGES = 40


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore.open(path)
    yield opened
    opened.close()


def large(n: int, *logs: str) -> Append:
    return send(A, n, *(logs or ("@bob",)), text=b"%d" % n * 10_000)


def fill_up(store: SqliteStore) -> int:
    """Send until the store says that it is full; the last number that it took."""
    for n in range(1, 100):
        store.submit([large(n)], NOW)
        (outcome,) = store.poll()
        if isinstance(outcome, StoreFailed):
            assert outcome == StoreFailed([large(n)], "store-full")
            return n - 1
    raise AssertionError("it took everything")


def test_a_full_store_can_be_read_and_takes_mail_again_when_there_is_room(path: Path) -> None:
    store = SqliteStore.open(path, max_pages=FEW_PAGES)
    last = fill_up(store)
    assert last > 2
    assert read(store, "@bob").first == 1
    assert len(texts(store, "@bob")) == last
    assert store.devices([A]) == {A: DeviceState(last, {})}
    assert results(store, Move(B, "@bob", last)) == [Done(last)]
    assert results(store, Trim("@bob", last)) == [Done(last)]
    assert stored(store, large(last + 1)).arrived == [
        Arrived("@bob", last + 1, [b"%d" % (last + 1) * 10_000]),
    ]
    store.close()


def test_a_group_that_failed_leaves_no_trace(path: Path) -> None:
    """Names, numbers and heads that the group would have made are not believed afterwards."""
    store = SqliteStore.open(path, max_pages=FEW_PAGES)
    last = fill_up(store)
    before = list(store.dump())
    # The send finds room; what comes after it does not.
    group: list[Operation] = [
        Append("new/a", 1, [("@new", "@bob")], [b"x"]),
        Move(B, "@new", 1),
        Put("k", b"v" * 50_000, 0),
    ]
    store.submit(group, NOW)
    assert store.poll() == [StoreFailed(group, "store-full")]
    assert list(store.dump()) == before
    assert store.heads(["@new", "@bob"]) == {"@new": (1, 0), "@bob": (1, last)}
    results(store, Trim("@bob", last + 1))
    # Another log and other devices now get the ids that those of the failed group would have had.
    results(store, send("other/a", 1, "@other", text=b"text"), send("other/b", 1, "@another", text=b"text"))
    outcome = stored(store, *group)
    assert outcome.results == [Done(1), Done(1), Done(1)]
    assert outcome.arrived == [Arrived("@new", 1, [b"x"]), Arrived("@bob", last + 1, [b"x"])]
    after = list(store.dump())
    store.close()
    with reopened(path) as store:
        assert list(store.dump()) == after
        assert texts(store, "@other") == [b"text"]


def test_pruned_mail_gives_its_room_back(path: Path) -> None:
    with reopened(path) as store:
        for n in range(1, 30):
            results(store, large(n, "@bob", "@anna"))
        results(store, Trim("@bob", 30))
    assert ask(path, "SELECT count(*) FROM segment") == 29  # the other log still names them
    grown = path.stat().st_size
    with reopened(path) as store:
        results(store, Trim("@anna", 29))
        assert texts(store, "@anna") == [b"29" * 10_000]
    assert ask(path, "SELECT count(*) FROM segment") == 1
    assert path.stat().st_size < grown


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE slice SET segment = 2 WHERE first = 1 AND log = (SELECT id FROM log WHERE name = '@bob')",
        "UPDATE segment SET refs = 'text'",
    ],
)
def test_what_a_damaged_row_says_of_a_segment_is_not_believed(path: Path, damage: str) -> None:
    filled(path, turns=2)
    change(path, damage)
    with reopened(path) as store:
        results(store, Trim("@bob", 5))
        assert texts(store, "@anna") == [b"text 001", b"text 002", b"text 003", b"text 004"]


LIMITED = """
import resource, signal, sys
from pathlib import Path
from store import StoreBroken
from store.sqlite import SqliteStore
from tests.store.contract import send, stored

store = SqliteStore.open(Path(sys.argv[1]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
n = 0
try:
    while True:
        stored(store, send("anna/a", n + 1, "@bob", text=b"%d" % (n + 1) * 5_000))
        n += 1
except StoreBroken as error:
    print(n, error)
"""


def test_a_file_that_may_not_grow_stops_the_process(path: Path) -> None:
    command = [sys.executable, "-c", LIMITED, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=True)
    accepted, _, why = done.stdout.partition(" ")
    assert "can't be read or written" in why
    assert int(accepted) > 0
    with reopened(path) as store:
        assert texts(store, "@bob") == [b"%d" % n * 5_000 for n in range(1, int(accepted) + 1)]


@pytest.fixture
def disk() -> Iterator[BadDisk]:
    disk = BadDisk()
    yield disk
    disk.unregister()


@pytest.mark.parametrize("call", ["write", "sync"])
def test_a_write_or_sync_that_fails_stops_the_process(path: Path, disk: BadDisk, call: str) -> None:
    store = SqliteStore.open(path)
    results(store, send(A, 1, "@bob", text=b"text 001"))
    disk.fails = call
    with pytest.raises(StoreBroken, match="look at the disk"):
        store.submit([send(A, 2, "@bob", text=b"text 002")], NOW)
    assert store.poll() == []
    disk.fails = ""
    store.close()
    with reopened(path) as store:
        assert texts(store, "@bob")[0] == b"text 001"
        assert results(store, send(A, 2, "@bob", text=b"text 002")) == [Done(2)]
        assert texts(store, "@bob") == [b"text 001", b"text 002"]


def test_a_disk_without_room_is_full_and_not_broken(path: Path, disk: BadDisk) -> None:
    store = SqliteStore.open(path)
    results(store, send(A, 1, "@bob", text=b"1"))
    disk.fails = "full"
    store.submit([send(A, 2, "@bob", text=b"2")], NOW)
    assert store.poll() == [StoreFailed([send(A, 2, "@bob", text=b"2")], "store-full")]
    assert texts(store, "@bob") == [b"1"]
    disk.fails = ""
    assert results(store, send(A, 2, "@bob", text=b"2")) == [Done(2)]
    assert texts(store, "@bob") == [b"1", b"2"]
    store.close()


def test_a_file_locked_by_another_is_tried_again(path: Path, store: SqliteStore) -> None:
    other = apsw.Connection(os.fspath(path))
    other.execute("BEGIN IMMEDIATE")
    store.submit([send(A, 1, "@bob")], NOW)
    assert store.poll() == [StoreFailed([send(A, 1, "@bob")], "store-down")]
    other.execute("ROLLBACK")
    other.close()
    assert results(store, send(A, 1, "@bob")) == [Done(1)]


def test_a_reader_does_not_keep_the_store_from_closing(path: Path) -> None:
    store = SqliteStore.open(path)
    results(store, send(A, 1, "@bob", text=b"text"))
    reader = apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READONLY)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM log").fetchall()
    results(store, send(A, 2, "@bob", text=b"text"))
    store.close()
    reader.close()
    with reopened(path) as store:
        assert texts(store, "@bob") == [b"text"] * 2


def test_a_reader_does_not_keep_the_store_from_opening(path: Path) -> None:
    """An export may take hours, and a broker is started again meanwhile."""
    with reopened(path) as store:
        results(store, send(A, 1, "@bob", text=b"text"))
    reader = read_only(path)
    assert reader.execute("SELECT head FROM log").get == 1
    with reopened(path) as store:
        results(store, send(A, 2, "@bob", text=b"text"))
        assert texts(store, "@bob") == [b"text"] * 2
    assert reader.execute("SELECT head FROM log").get == 1
    reader.close()


def test_closing_leaves_nothing_beside_the_file_even_if_another_has_it_open(path: Path) -> None:
    store = SqliteStore.open(path)
    other = apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READONLY)
    other.execute("SELECT * FROM log").fetchall()
    results(store, send(A, 1, "@bob"))
    store.close()
    assert path.with_name(path.name + "-wal").stat().st_size == 0
    other.close()


def test_a_read_leaves_no_statement_open(path: Path, store: SqliteStore) -> None:
    """An open one would keep the write-ahead log from being emptied, and it would grow for ever."""
    for n in range(1, 9):
        results(store, send(A, n, "@bob"))
    store.read("@bob", 0, 2, 1000)
    other = apsw.Connection(os.fspath(path))
    assert other.execute("SELECT head FROM log").get == 8
    other.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    other.close()
    assert path.with_name(path.name + "-wal").stat().st_size == 0


OPENERS: list[Callable[[SqliteStore], object]] = [
    lambda store: store.read("@bob", 0, 9, 99),
    lambda store: store.get(["k"]),
    lambda store: store.heads(["@other"]),
    lambda store: store.devices(["other/a"]),
    lambda store: store.browse("k", 9),
    lambda store: list(store.dump()),
]


@pytest.mark.parametrize("question", OPENERS)
def test_a_question_that_can_not_be_read_stops_the_process(
    path: Path, disk: BadDisk, question: Callable[[SqliteStore], object]
) -> None:
    filled(path)
    store = SqliteStore.open(path)
    disk.fails = "read"
    with pytest.raises(StoreBroken):
        question(store)
    disk.fails = ""
    store.close()
