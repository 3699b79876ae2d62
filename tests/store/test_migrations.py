"""Files of every released schema, as the programs of their time wrote them, and what today's programs make of them."""

from __future__ import annotations

import os
import random
import resource
import signal
import stat
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest
from msgspec.structs import replace

from core.commands import REFUSALS_KEPT, Append, Drop, GoBack, Keep, Record
from core.events import Done
from core.outbox import Waiting
from protocol import remarks
from protocol.frames import Envelope, Item, encode
from store import StoreBroken, StoreDamaged, StoreError, StoreNewer, StoreUnwritable, segments
from store.journal import Journal
from store.lock import Lock
from store.sqlite import SqliteStore
from store.verify import Verifier, read_only
from tests.store.contract import results
from tests.store.files import ask, change, reopened

ROOT = Path(__file__).resolve().parents[2]
BOUND_S = 100

BROKER_1 = """
    CREATE TABLE setting (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
    CREATE TABLE log (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, first INTEGER NOT NULL, head INTEGER NOT NULL
    );
    CREATE TABLE device (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, last INTEGER NOT NULL);
    CREATE TABLE segment (id INTEGER PRIMARY KEY, refs INTEGER NOT NULL, body BLOB NOT NULL);
    CREATE TABLE slice (
        log INTEGER NOT NULL, first INTEGER NOT NULL, segment INTEGER NOT NULL, places BLOB NOT NULL,
        crc INTEGER NOT NULL, PRIMARY KEY (log, first)
    ) WITHOUT ROWID;
    CREATE TABLE cursor (
        device INTEGER NOT NULL, log INTEGER NOT NULL, pos INTEGER NOT NULL, PRIMARY KEY (device, log)
    ) WITHOUT ROWID;
    CREATE TABLE record (key TEXT PRIMARY KEY, version INTEGER NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;
"""
JOURNAL_1 = """
    CREATE TABLE fact (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE outbox (
        n INTEGER PRIMARY KEY, recipient TEXT NOT NULL, enc TEXT NOT NULL, body BLOB NOT NULL, crc INTEGER NOT NULL
    );
    CREATE TABLE cursor (log TEXT PRIMARY KEY, pos INTEGER NOT NULL, shown INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE history (
        era INTEGER NOT NULL, log TEXT NOT NULL, seq INTEGER NOT NULL, author TEXT NOT NULL,
        recipient TEXT NOT NULL, envelope BLOB NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY (log, era, seq)
    ) WITHOUT ROWID;
"""
ANNA, BOB = "anna/" + "a" * 16, "bob/" + "b" * 16
BROKER = bytes(range(16))
REFUSED = {n: ("no-such-account", f"there is no account {n}") for n in (7, 9)}


def old_file(path: Path, schema: str, application: int) -> apsw.Connection:
    """A new file of schema 1, within a transaction; settings as the old programs made them."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o644))  # some umask, once
    database = apsw.Connection(os.fspath(path))
    database.pragma("auto_vacuum", "INCREMENTAL")
    database.pragma("journal_mode", "WAL")
    database.execute("BEGIN")
    database.execute(schema)
    database.pragma("application_id", application)
    database.pragma("user_version", 1)
    return database


def message(n: int) -> bytes:
    return encode(Envelope("a" * 16, n, "anna", "bob", n, "none", b"text %d" % n))


def write_turn(database: apsw.Connection, number: int, seq: int, numbers: list[int]) -> None:
    """These sends of anna's to bob's mailbox and her own, as one turn was written."""
    layout = segments.lay([message(n) for n in numbers], [list(range(len(numbers)))] * 2, number)
    for home, body in enumerate(layout.segments):
        database.execute("INSERT INTO segment VALUES (?, ?, ?)", (number + home, layout.refs[home], body))
    for log, places in enumerate(layout.places, 1):
        crc = segments.slice_crc(log, seq, number, places)
        database.execute("INSERT INTO slice VALUES (?, ?, ?, ?, ?)", (log, seq, number, places, crc))


def old_store(path: Path, more: Callable[[apsw.Connection], None] | None = None) -> None:
    """Two mailboxes with messages 1 to 6, one of which forgot the first two; two sends that were refused."""
    database = old_file(path, BROKER_1, 0x52535442)
    database.execute("INSERT INTO setting VALUES ('broker', ?), ('epoch', 'old-epoch')", (BROKER,))
    database.execute("INSERT INTO log VALUES (1, '@bob', 3, 6), (2, '@anna', 1, 6), (3, '#tea', 1, 0)")
    database.execute("INSERT INTO device VALUES (1, ?, 9), (2, ?, 0)", (ANNA, BOB))
    database.execute("INSERT INTO cursor VALUES (1, 2, 5), (2, 1, 4)")
    for number, (seq, numbers) in enumerate(((1, [1, 2]), (3, [3, 4, 5]), (6, [8])), 1):
        write_turn(database, number, seq, numbers)
    database.execute("DELETE FROM slice WHERE log = 1 AND first = 1")
    database.execute("UPDATE segment SET refs = 2 WHERE id = 1")
    put = "INSERT INTO record VALUES (?, ?, ?)"
    for key, value in (("account/anna", b"A"), ("member/#tea/anna", b"\xc0"), ("refusedness", b"r")):
        database.execute(put, (key, 2, value))
    database.execute(put, ("refused/" + ANNA, 5, msgspec.msgpack.encode(REFUSED)))
    database.execute(put, ("refused/nobody/" + "c" * 16, 1, msgspec.msgpack.encode(REFUSED)))
    if more:
        more(database)
    database.execute("COMMIT")
    database.close()


EXPECTED: list[Any] = [
    ("store", BROKER, "old-epoch"),
    ("epoch", 1, "old-epoch"),
    ("record", "account/anna", 2, b"A"),
    ("record", "member/#tea/anna", 2, b"\xc0"),
    ("record", "refusedness", 2, b"r"),
    ("log", "#tea", 1, 0),
    ("log", "@anna", 1, 6),
    *(("envelope", "@anna", seq, message(n)) for seq, n in enumerate((1, 2, 3, 4, 5, 8), 1)),
    ("log", "@bob", 3, 6),
    *(("envelope", "@bob", seq, message(n)) for seq, n in enumerate((3, 4, 5, 8), 3)),
    ("device", ANNA, 9, b""),
    *(("refusal", ANNA, n, *why) for n, why in REFUSED.items()),
    ("cursor", ANNA, "@anna", 5),
    ("device", BOB, 0, b""),
    ("cursor", BOB, "@bob", 4),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "restante.sqlite"


@pytest.fixture
def bak(tmp_path: Path) -> Path:
    return tmp_path / "restante.v1.bak"


def dump(path: Path) -> list[Any]:
    with reopened(path) as store:
        return list(store.dump())


def old_rows(path: Path) -> list[Any]:
    """All that stands in an old broker's file, but for how it lies there."""
    database = apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READONLY)
    names = ("setting", "log", "device", "segment", "slice", "cursor", "record")
    rows: list[Any] = [(name, *row) for name in names for row in database.execute(f"SELECT * FROM {name}")]
    rows.append((database.pragma("application_id"), database.pragma("user_version")))
    rows.append(database.pragma("integrity_check"))
    database.close()
    return rows


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# ---- the broker's store ---------------------------------------------------------------------------------


def test_an_old_store_is_the_same_in_today_s_words(path: Path) -> None:
    old_store(path)
    assert dump(path) == EXPECTED
    assert dump(path) == EXPECTED  # once is enough
    assert ask(path, "PRAGMA user_version") == 3


def test_nothing_is_wrong_with_it_but_what_was(path: Path) -> None:
    old_store(path)
    with reopened(path):
        pass
    database = read_only(path)
    said = list(Verifier(database).findings())
    database.close()
    assert len(said) == 1
    assert said[0].startswith("record account/anna can't be read")  # which is no account in this test


def test_it_has_today_s_tables(path: Path, tmp_path: Path) -> None:
    old_store(path)
    with reopened(path), reopened(tmp_path / "new.sqlite"):
        pass
    columns = "SELECT group_concat(m.name || '.' || c.name, ' ' ORDER BY m.name, c.name)"
    question = columns + " FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'"
    assert ask(path, question) == ask(tmp_path / "new.sqlite", question)


def test_numbers_of_its_clients_go_on(path: Path) -> None:
    old_store(path)
    with reopened(path) as store:
        again = Append(ANNA, 5, [("@bob",)] * 6, [message(n) for n in range(5, 11)], b"visits")
        assert results(store, again) == [Done(10, REFUSED)]
        assert [store.devices([ANNA])[ANNA].last, *store.heads(["@bob", "@anna"]).values()] == [10, (3, 7), (1, 6)]
        assert store.bases("old-epoch", ["@bob"]) == {"@bob": 7}
        over = [("code", "text")] * REFUSALS_KEPT
        results(store, Append(ANNA, 11, [()] * len(over), list(over)))
        assert min(store.devices([ANNA])[ANNA].refused) == 11


def test_an_empty_old_store(path: Path) -> None:
    database = old_file(path, BROKER_1, 0x52535442)
    database.execute("INSERT INTO setting VALUES ('broker', ?), ('epoch', 'old-epoch')", (BROKER,))
    database.execute("COMMIT")
    database.close()
    assert dump(path) == EXPECTED[:2]


def test_a_copy_of_the_old_file_stays_for_its_owner_only(path: Path, bak: Path) -> None:
    old_store(path)
    before = old_rows(path)
    with reopened(path) as store:
        results(store, Append(ANNA, 10, [("@bob",)], [message(10)]))
    assert old_rows(bak) == before
    assert before[-1] == "ok"
    assert (mode(bak), mode(path)) == (0o600, 0o600)
    assert {each.name for each in path.parent.iterdir()} == {path.name, bak.name}
    bak.rename(path)  # whoever goes back to the old program, and comes again
    assert dump(path) == EXPECTED


def test_what_is_only_in_the_write_ahead_log_is_in_the_copy_too(path: Path, bak: Path, tmp_path: Path) -> None:
    old_store(path)
    writer = apsw.Connection(os.fspath(path))
    writer.execute("INSERT INTO record VALUES ('account/late', 1, x'4c')")
    killed = tmp_path / "killed.sqlite"
    for ending in ("", "-wal"):
        Path(f"{killed}{ending}").write_bytes(Path(f"{path}{ending}").read_bytes())
    writer.close()
    assert ("record", "account/late", 1, b"L") in dump(killed)
    assert ("record", "account/late", 1, b"L") in old_rows(killed.with_name("killed.v1.bak"))


@pytest.mark.parametrize("version", [4, 99])
def test_a_file_of_a_newer_program_is_left_as_it_is(path: Path, version: int) -> None:
    old_store(path)
    change(path, f"PRAGMA user_version = {version}")
    before = path.read_bytes()
    with pytest.raises(StoreNewer, match="upgrade the program"):
        SqliteStore.open(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("value", [b"\xc1", b"\xc0", b"", b"\x81\x01\x92\xa1\xff\xa0"])
def test_refusals_that_can_not_be_read_are_damage(path: Path, value: bytes) -> None:
    old_store(path)
    change(path, f"UPDATE record SET value = x'{value.hex()}' WHERE key = 'refused/{ANNA}'")
    before = old_rows(path)
    with pytest.raises(StoreDamaged, match=r"is damaged .* restore a backup"):
        SqliteStore.open(path)
    assert old_rows(path) == before


# ---- death and want on the way --------------------------------------------------------------------------

ROWS = 25_000
_OPEN = "import sys; from pathlib import Path; from store.sqlite import SqliteStore;"
_OPEN += " SqliteStore.open(Path(sys.argv[1])).close(); print('done')"


def large(database: apsw.Connection) -> None:
    """Devices, and records with refusals of each."""
    some = msgspec.msgpack.encode({1: ("code", "a sentence of some length")})
    rows = [(n, f"x{n}/{'c' * 16}") for n in range(10, 10 + ROWS)]
    database.executemany("INSERT INTO device VALUES (?, ?, 1)", rows)
    database.executemany("INSERT INTO record VALUES (?, 1, ?)", [("refused/" + name, some) for _, name in rows])


def opening(path: Path, **options: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", _OPEN, os.fspath(path)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def finished(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    out, err = process.communicate(timeout=BOUND_S)
    return process.returncode, (out + err).decode()


def _size(path: Path) -> int:
    """0 if there is none, or no more: it is given its name at any moment."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _sees(path: Path) -> set[str]:
    return {each.name for each in path.parent.iterdir()}


def test_whoever_is_killed_on_the_way_goes_on(path: Path, bak: Path, tmp_path: Path, seed: int) -> None:
    """Killed again and again, first within the copy and then within the step, at random places."""
    drawn = random.Random(seed)
    old_store(path, large)
    before = old_rows(path)
    other = tmp_path / "unkilled" / "restante.sqlite"
    other.parent.mkdir()
    old_store(other, large)
    expected = dump(other)
    part = bak.with_name(bak.name + ".part")
    killed = 0
    for attempt in range(10):
        process = opening(path)
        wait_for = drawn.choice([part, bak, Path(f"{path}-wal")]) if attempt else part
        size = drawn.randrange(1 << 20)
        while process.poll() is None and _size(wait_for) < size:
            pass
        process.send_signal(signal.SIGKILL)
        code, _ = finished(process)
        killed += code == -signal.SIGKILL
        version = ask(path, "PRAGMA user_version")
        if version == 1:
            assert old_rows(path) == before, f"seed {seed}"
        if bak.exists():
            assert old_rows(bak) == before, f"seed {seed}"
    assert killed, "nobody was killed in time"
    assert finished(opening(path)) == (0, "done\n")
    assert dump(path) == expected
    assert old_rows(bak) == before
    assert mode(bak) == 0o600
    assert _sees(path) == {path.name, bak.name, "unkilled"}


@pytest.mark.parametrize("part", [0.3, 0.9, 1.0, 1.2])
def test_a_disk_on_which_files_may_not_grow(path: Path, bak: Path, part: float) -> None:
    """Too small for the copy, for the step, or for what follows: the old file is as it was, or the new one is whole."""
    old_store(path, large)
    before = old_rows(path)
    size = int(path.stat().st_size * part)
    process = opening(path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))
    code, said = finished(process)
    assert code == 1
    assert "StoreBroken" in said or "StoreUnwritable" in said, said
    if part < 1.2:
        assert ask(path, "PRAGMA user_version") == 1
    if ask(path, "PRAGMA user_version") == 1:
        assert old_rows(path) == before
    if bak.exists():
        assert old_rows(bak) == before
    assert finished(opening(path)) == (0, "done\n")
    assert _sees(path) - {"restante.v2.bak"} == {path.name, bak.name}  # the second step may have failed alone
    with reopened(path) as store:
        devices = store.devices([ANNA, "x10/" + "c" * 16])
    assert devices[ANNA].refused == REFUSED
    assert list(devices["x10/" + "c" * 16].refused) == [1]


def test_a_store_that_may_not_grow_is_left_as_it_was(path: Path, bak: Path) -> None:
    old_store(path, large)
    before = old_rows(path)
    pages = ask(path, "PRAGMA page_count")
    assert isinstance(pages, int)
    with pytest.raises(StoreUnwritable, match="the disk is full"):
        SqliteStore.open(path, max_pages=pages + 1)
    assert old_rows(path) == before
    with reopened(path) as store:
        assert store.devices([ANNA])[ANNA].refused == REFUSED


def test_a_place_where_no_copy_can_be_made(path: Path, bak: Path) -> None:
    old_store(path)
    before = old_rows(path)
    (bak.with_name(bak.name + ".part")).mkdir()
    with pytest.raises((StoreUnwritable, StoreBroken)):
        SqliteStore.open(path)
    assert old_rows(path) == before


# ---- the client's journal -------------------------------------------------------------------------------


def old_journal(folder: Path, first: int, waiting: int, settled: bytes | None) -> None:
    """A journal of schema 1 with so many messages that wait, from this number on, and some history."""
    folder.mkdir()
    database = old_file(folder / "journal.sqlite", JOURNAL_1, 0x5253544A)
    facts = {"device": b"a" * 16, "epoch": b"old-epoch", "era": b"1", "account": b"Anna", "contacts": b"bob"}
    if settled is not None:
        facts["settled"] = settled
    database.executemany("INSERT INTO fact VALUES (?, ?)", list(facts.items()))
    for n in range(first, first + waiting):
        crc = zlib.crc32(encode(Item("bob", "none", b"text %d" % n)))
        database.execute("INSERT INTO outbox VALUES (?, 'bob', 'none', ?, ?)", (n, b"text %d" % n, crc))
    database.execute("INSERT INTO cursor VALUES ('@anna', 3, 2), ('#lobby', 7, 7)")
    for seq in (1, 2, 3):
        row = ("@anna", seq, "anna", "bob", message(seq), zlib.crc32(message(seq)))
        database.execute("INSERT INTO history VALUES (1, ?, ?, ?, ?, ?, ?)", row)
    database.execute("COMMIT")
    database.close()


@pytest.fixture
def open_journal(tmp_path: Path) -> Iterator[Callable[[], Journal]]:
    opened: list[Journal] = []

    def open_journal() -> Journal:
        opened.append(Journal(tmp_path / "1", Lock(tmp_path / "1")))
        return opened[-1]

    yield open_journal
    for journal in opened:
        journal.close()


@pytest.mark.parametrize(
    ("first", "waiting", "fact", "settled"),
    [
        (1, 0, None, 0),  # nothing was ever sent
        (1, 3, None, 0),  # nothing was ever settled
        (9, 3, b"8", 8),
        (9, 0, b"8", 8),
        (9, 3, b"6", 8),  # its last mark was not synced, but the outbox was
    ],
)
def test_an_old_journal_goes_on(
    tmp_path: Path,
    open_journal: Callable[[], Journal],
    first: int,
    waiting: int,
    fact: bytes | None,
    settled: int,
) -> None:
    old_journal(tmp_path / "1", first, waiting, fact)
    journal = open_journal()
    memory = journal.memory()
    assert (memory.device, memory.epoch, memory.broker, memory.visits) == ("a" * 16, "old-epoch", b"", [])
    assert memory.last == settled + waiting
    items = [(n, b"text %d" % n) for n in range(first, first + waiting)]
    assert [(each.n, each.item.body) for each in memory.outbox] == items
    assert memory.cursors == {"@anna": 3, "#lobby": 7}
    assert [seq for seq, _ in journal.replay("@anna", 9)] == [3]
    assert len(journal.history("@anna", "", 9)[1]) == 3
    journal.commit([Keep(memory.last + 1, "bob", "none", b"new"), Drop(memory.last + 1, [])])
    assert journal.memory().last == memory.last + 1
    assert journal.memory().outbox == []


def test_the_messages_of_an_old_journal_can_be_changed(tmp_path: Path, open_journal: Callable[[], Journal]) -> None:
    old_journal(tmp_path / "1", 1, 0, None)
    journal = open_journal()
    old = journal.history("@anna", "", 9)[1][-1]
    edit = remarks.Edit(old.device, old.n, [3], "new words")
    journal.commit([Record("@anna", 4, [replace(old, n=9, enc="edit", body=encode(edit))])])
    assert [each.body for each in journal.history("@anna", "", 9)[1]][-1] == b"new words"
    assert ask(tmp_path / "1" / "journal.sqlite", "SELECT count(*) FROM history WHERE n = 0") == 0


def test_an_old_journal_can_go_back_with_its_broker(tmp_path: Path, open_journal: Callable[[], Journal]) -> None:
    old_journal(tmp_path / "1", 4, 1, b"3")
    journal = open_journal()
    memory, gone = journal.go_back(GoBack("new-epoch", 1, {"@anna": 1, "#lobby": 7}))
    assert gone == 0
    assert memory.outbox == [
        Waiting(2, Item("bob", "none", b"text 2")),  # from the history: the old program kept nothing else
        Waiting(3, Item("bob", "none", b"text 3")),
        Waiting(4, Item("bob", "none", b"text 4")),
    ]
    assert memory.cursors == {"@anna": 1, "#lobby": 7}


def test_a_copy_of_the_old_journal_stays(tmp_path: Path, open_journal: Callable[[], Journal]) -> None:
    old_journal(tmp_path / "1", 9, 3, b"8")
    open_journal()
    bak = tmp_path / "1" / "journal.v1.bak"
    assert mode(bak) == 0o600
    assert [ask(bak, question) for question in ("PRAGMA user_version", "SELECT sum(n) FROM outbox")] == [1, 30]
    assert ask(bak, "PRAGMA integrity_check") == "ok"


def test_a_damaged_old_journal_is_told(tmp_path: Path, open_journal: Callable[[], Journal]) -> None:
    old_journal(tmp_path / "1", 9, 3, b"no number")
    path = tmp_path / "1" / "journal.sqlite"
    change(path, "UPDATE outbox SET body = x'00' WHERE n = 10")
    with pytest.raises(StoreError, match="message 10 of the outbox"):
        open_journal().memory()
