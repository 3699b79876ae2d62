"""Verify names whatever is wrong with a store's file, and says nothing of one that is whole."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import apsw
import pytest

from core import records
from core.commands import Append, Move, Put, Trim
from protocol.frames import Envelope, encode
from store import StoreDamaged, StoreError, StoreNewer
from store.sqlite import SqliteStore
from store.verify import Verifier, read_only
from tests.store.contract import TURNED_AWAY, results
from tests.store.files import change, flip, overwrite, reopened

ANNA, BOB = "anna/" + "a" * 16, "bob/" + "b" * 16
KEY = "k" * 52
HARMS = 150


def message(n: int) -> bytes:
    return encode(Envelope("a" * 16, n, "Anna", "bob", n, "none", b"text %03d" % n))


def account(*rooms: str) -> bytes:
    return records.pack(records.Account("Anna", "x", "y", 0, dict.fromkeys(("#lobby", *rooms), 0), [], {"a" * 16: KEY}))


def furnished(path: Path) -> None:
    """A store with some of everything: each turn two messages for two mailboxes, in a segment of its own."""
    key = records.Key("anna", "a" * 16, "", 0, 0, "")
    room = records.Room("#tea", "anna", 0)
    with reopened(path) as store:
        for n in (1, 3, 5):
            results(store, Append(ANNA, n, [("@bob", "@anna")] * 2, [message(n), message(n + 1)]))
        results(store, Append(ANNA, 7, [()], [TURNED_AWAY]), Move(BOB, "@bob", 4))
        results(store, Put("account/anna", account("#tea"), 0), Put("room/#tea", records.pack(room), 0))
        results(store, Put("key/" + KEY, records.pack(key), 0), Put("member/#tea/anna", b"\xc0", 0))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "store.sqlite"
    furnished(path)
    return path


def findings(path: Path) -> list[str]:
    database = read_only(path)
    try:
        return list(Verifier(database).findings())
    finally:
        database.close()


def test_a_whole_file_gives_no_finding_and_is_summed_up(path: Path) -> None:
    verifier = Verifier(read_only(path))
    assert list(verifier.findings()) == []
    seen = verifier.summary
    assert (seen.logs, seen.messages, seen.accounts, seen.devices) == (2, 12, 1, 2)


def test_what_was_forgotten_is_not_missed(path: Path) -> None:
    with reopened(path) as store:
        results(store, Trim("@bob", 4))
    assert findings(path) == []


def test_a_file_may_be_looked_at_beside_a_writer(path: Path) -> None:
    with reopened(path) as store:
        verifier = Verifier(read_only(path))
        found = verifier.findings()
        results(store, Append(ANNA, 8, [("@bob",)], [message(8)]))
        assert next(found, None) is None
        results(store, Append(ANNA, 9, [("@bob",)], [message(9)]))
        assert findings(path) == []


def test_a_byte_of_a_message_is_named_in_each_log_that_it_entered(path: Path) -> None:
    flip(path, b"text 004")
    assert findings(path) == ["message 4 of @anna is damaged", "message 4 of @bob is damaged"]


def test_two_messages_that_were_exchanged_are_both_named(path: Path) -> None:
    content = path.read_bytes()
    size = len(message(1)) + 4
    at = content.index(message(1))
    overwrite(path, at, content[at + size : at + 2 * size] + content[at : at + size])
    assert findings(path) == [f"message {seq} of {log} is damaged" for log in ("@anna", "@bob") for seq in (1, 2)]


LOG = "(SELECT id FROM log WHERE name = '@bob')"
SENTENCES: dict[str, tuple[str, list[str]]] = {
    "a slice in the middle": (
        f"DELETE FROM slice WHERE log = {LOG} AND first = 3",
        ["messages 3 to 4 of @bob are missing"],
    ),
    "the last slice": (f"DELETE FROM slice WHERE log = {LOG} AND first = 5", ["messages 5 to 6 of @bob are missing"]),
    "all slices": (f"DELETE FROM slice WHERE log = {LOG}", ["messages 1 to 6 of @bob are missing"]),
    "a slice's places": (
        f"UPDATE slice SET places = zeroblob(12) WHERE log = {LOG} AND first = 3",
        ["messages 3 to 4 of @bob are missing"],
    ),
    "a slice that is none": (
        f"UPDATE slice SET places = 'text' WHERE log = {LOG} AND first = 3",
        ["messages 3 to 4 of @bob are missing"],
    ),
    "a segment": (
        "DELETE FROM segment WHERE id = 2",
        [f"message {seq} of {log} is damaged" for log in ("@anna", "@bob") for seq in (3, 4)],
    ),
    "a segment's count": (
        "UPDATE segment SET refs = 1 WHERE id = 2",
        ["segment 2: it is counted 1 times, and named 4 times"],
    ),
    "a log's head": ("UPDATE log SET head = 5 WHERE name = '@bob'", ["@bob: its row is damaged"]),
    "a log's head beyond everything": (
        "UPDATE log SET head = 1 << 62 WHERE name = '@bob'",
        ["@bob: its row is damaged"],
    ),
    "a log's beginning": ("UPDATE log SET first = -7 WHERE name = '@bob'", ["@bob: its row is damaged"]),
    "a log's beginning that is no number": (
        "UPDATE log SET first = 'text' WHERE name = '@bob'",
        ["@bob: its row is damaged"],
    ),
    "a log's name": ("UPDATE log SET name = '@rob' WHERE name = '@bob'", ["@rob: its row is damaged"]),
    "a device's number": ("UPDATE device SET last = 3 WHERE name LIKE 'anna%'", [f"device {ANNA}: its row is damaged"]),
    "a device's visits": ("UPDATE device SET visits = 'x' WHERE id = 1", [f"device {ANNA}: its row is damaged"]),
    "a device": (
        "DELETE FROM device WHERE name LIKE 'anna%'",
        [f"device {ANNA}: it has sent, and is not known", "refusal: device 1 is not there"],
    ),
    "a device that others name": ("DELETE FROM device WHERE name LIKE 'bob%'", ["cursor: device 2 is not there"]),
    "a record's value": ("UPDATE record SET value = x'c1' WHERE key = 'room/#tea'", ["record room/#tea is damaged"]),
    "a record's value that is no bytes": (
        "UPDATE record SET value = 'x' WHERE key = 'room/#tea'",
        ["record room/#tea is damaged"],
    ),
    "a record's version": (
        "UPDATE record SET version = 'text' WHERE key = 'room/#tea'",
        ["record room/#tea is damaged"],
    ),
    "a record's version that was never given": (
        "UPDATE record SET version = 0 WHERE key = 'room/#tea'",
        ["record room/#tea is damaged"],
    ),
    "a record's key": (
        "UPDATE record SET key = 'room/#tee' WHERE key = 'room/#tea'",
        ["record account/anna names room/#tea, which is not there", "record room/#tee is damaged"],
    ),
    "a room": (
        "DELETE FROM record WHERE key = 'room/#tea'",
        ["record account/anna names room/#tea, which is not there"],
    ),
    "an account": (
        "DELETE FROM record WHERE key = 'account/anna'",
        [f"record key/{KEY} names account/anna, which is not there"],
    ),
    "a log that others name": (
        "DELETE FROM log WHERE name = '@bob'",
        ["cursor: log 1 is not there", "slice: log 1 is not there"],
    ),
    "a refusal's reason": (
        "UPDATE refusal SET sentence = 'another' WHERE n = 7",
        [f"device {ANNA}: why its number 7 was refused is damaged"],
    ),
    "a refusal that is another's": (
        "UPDATE refusal SET device = 2 WHERE n = 7",
        [f"device {BOB}: why its number 7 was refused is damaged"],
    ),
    "a cursor": (
        "UPDATE cursor SET pos = pos + 1 WHERE device = 2",
        [f"device {BOB}: how far it has read @bob is damaged"],
    ),
    "a cursor that is no number": (
        "UPDATE cursor SET pos = 'far' WHERE device = 2",
        [f"device {BOB}: how far it has read @bob is damaged"],
    ),
    "an epoch's name": ("UPDATE epoch SET name = 'another'", ["epoch 1: its name, another, is damaged"]),
    "the id": ("DELETE FROM setting", ["the broker's id or its epoch is missing"]),
    "an id that is too short": (
        "UPDATE setting SET value = x'00' WHERE name = 'broker'",
        ["the broker's id or its epoch is missing"],
    ),
    "an id that is no bytes": (
        "UPDATE setting SET value = 16 WHERE name = 'broker'",
        ["the broker's id or its epoch is missing"],
    ),
    "the epoch": ("DELETE FROM epoch", ["the broker's id or its epoch is missing"]),
}


@pytest.mark.parametrize(("harm", "said"), SENTENCES.values(), ids=SENTENCES)
def test_what_is_wrong_is_named(path: Path, harm: str, said: list[str]) -> None:
    change(path, harm)
    assert findings(path) == said


def test_where_a_log_was_when_an_epoch_began_is_named(path: Path) -> None:
    change(path, "INSERT INTO setting VALUES ('copied', 1)")
    with reopened(path):
        pass
    assert findings(path) == []
    change(path, f"UPDATE base SET head = head - 1 WHERE log = {LOG}")
    assert findings(path) == ["epoch 2: where @bob was when it began is damaged"]


def test_a_record_that_was_never_right_is_named(path: Path) -> None:
    with reopened(path) as store:
        results(store, Put("account/bob", b"\xc1", 0))
    (finding,) = findings(path)
    assert finding.startswith("record account/bob can't be read (")


def test_a_message_that_was_never_right_is_named(path: Path) -> None:
    with reopened(path) as store:
        results(store, Append(ANNA, 8, [("@bob",)], [b"no envelope"]))
    (finding,) = findings(path)
    assert finding.startswith("message 7 of @bob can't be read (")


def test_a_number_that_a_device_can_not_have_is_named(path: Path) -> None:
    with reopened(path) as store:
        results(store, Append(ANNA, 8, [("@bob",)], [message(9)]))
    assert findings(path) == [f"device {ANNA}: its number 9 is stored, and 8 is said to be its last"]


@pytest.mark.parametrize("application", [0, 1, 0x5253544A])
def test_another_programs_file_is_none_to_look_at(path: Path, application: int) -> None:
    change(path, f"PRAGMA application_id = {application}")
    with pytest.raises(StoreDamaged, match="is no store of this program"):
        read_only(path)


def test_a_file_of_a_newer_program_is_left_to_it(path: Path) -> None:
    change(path, "PRAGMA user_version = 99")
    with pytest.raises(StoreNewer, match="upgrade the program"):
        read_only(path)


def test_a_write_that_was_killed_before_its_end_is_undone(path: Path, tmp_path: Path) -> None:
    """As of a restore, whose copy is not in WAL yet."""
    killed = tmp_path / "killed.sqlite"
    database = apsw.Connection(str(path))
    database.pragma("journal_mode", "DELETE")
    database.pragma("cache_size", 1)  # so that changed pages reach the file before the end
    database.execute("BEGIN; DELETE FROM setting; CREATE TABLE filler AS SELECT zeroblob(100000)")
    for end in ("", "-journal"):
        shutil.copy(f"{path}{end}", f"{killed}{end}")
    database.close()
    assert findings(killed) == []


def test_nothing_is_made_where_nothing_is(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        read_only(tmp_path / "nothing")
    assert list(tmp_path.iterdir()) == []


def test_whatever_byte_is_harmed_what_a_reader_would_miss_is_found(path: Path, seed: int) -> None:
    """Verify never fails itself; and if it finds nothing, everything is served as it was written."""
    drawn = random.Random(seed)
    whole = path.read_bytes()
    written = served(path)
    used = [offset for offset, byte in enumerate(whole) if byte]  # most of each page is empty
    found = 0
    for _ in range(HARMS):
        path.write_bytes(whole)
        offset, size = drawn.choice(used), drawn.choice([1, 1, 2, 16, 512])
        what = f"{size} bytes at {offset}, seed {seed}"
        overwrite(path, offset, drawn.randbytes(len(whole[offset : offset + size])))
        try:
            said = findings(path)
        except StoreError:
            said = ["it can't be opened"]
        found += bool(said)
        if not said:
            assert served(path) == written, what
    assert found > HARMS // 20, "no harm was ever found: is anything harmed at all?"


def served(path: Path) -> list[object]:
    """What a reader gets of all that has a CRC; nothing is written."""
    database = read_only(path)
    try:
        store = SqliteStore(path, database)
        some = [store.read(log, 0, 100, 1 << 20) for log in ("@anna", "@bob")]
        devices = [(each.last, each.visits) for each in store.devices([ANNA, BOB]).values()]
        return [*some, store.get(["account/anna", "room/#tea"]), devices]
    finally:
        database.close()
