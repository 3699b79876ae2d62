"""A store whose file was harmed: what is found is named, and what is not what was written is never served."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from core.commands import Append, Move, Put
from core.events import Arrived, Done
from protocol.frames import Envelope, decode_envelope, encode
from store import StoreDamaged, StoreError
from store.sqlite import SqliteStore
from tests.store.contract import NOW, results, send
from tests.store.files import change, overwrite, reopened

A, B = "anna/aaaaaaaaaaaaaaaa", "bob/bbbbbbbbbbbbbbbb"
PAGE_BYTES = 4096
# How often a random place is harmed; each time takes some milliseconds.
HARMS = 150
# More than there is, so that a head which was harmed does not make a reader ask for ever.
MOST = 40


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


def envelope(n: int) -> bytes:
    """A message of some length: some in one page, some in several."""
    return encode(Envelope("a" * 16, n, "anna", "bob", n, "none", b"text %03d " % n * (n * 40)))


def furnished(path: Path) -> dict[int, bytes]:
    """A store with some of everything, closed; the messages of its one mailbox by seq."""
    with reopened(path) as store:
        for n in range(1, 13):
            results(store, send(A, n, "@bob", text=envelope(n)))
        results(store, Move(B, "@bob", 4), Put("account/bob", b"value" * 20, 0), Put("room/#r", b"value", 0))
    return {n: envelope(n) for n in range(1, 13)}


def served(path: Path) -> dict[int, bytes]:
    """What a harmed store still gives of the mailbox, in two ways of asking, but for what it marks as damaged."""
    found: dict[int, bytes] = {}
    with reopened(path) as store:
        for after in (0, 5, 11):
            arrived = store.read("@bob", after, MOST, 10**7)
            whole = {seq: each for seq, each in enumerate(arrived.envelopes, arrived.first) if not _marked(each)}
            gaps = {seq for seq, each in enumerate(arrived.envelopes, arrived.first) if _marked(each)}
            assert gaps <= {seq for log, seq in store.damaged if log == "@bob"}
            found |= whole
        store.get(["account/bob", "room/#r"])
        store.devices([A, B])
        store.browse("account/", 9)
        store.submit([send(A, 13, "@bob", text=envelope(13)), Move(B, "@bob", 9)], NOW)
    return found


def _marked(packed: bytes) -> bool:
    return decode_envelope(packed).enc == "damaged"


def harmed(path: Path, whole: bytes, drawn: random.Random) -> str:
    """Put the file back as it was, and harm it somewhere; what was done."""
    path.write_bytes(whole)
    for beside in ("-wal", "-shm"):
        path.with_name(path.name + beside).unlink(missing_ok=True)
    offset, size = drawn.randrange(len(whole)), drawn.choice([1, 1, 1, 2, 16, 512, PAGE_BYTES])
    how: Callable[[bytes], bytes] = drawn.choice(
        [bytes.swapcase, lambda old: bytes(len(old)), lambda old: bytes([old[0] ^ 1 << drawn.randrange(8)]) + old[1:]]
    )
    overwrite(path, offset, how(whole[offset : offset + size]))
    return f"{how} of {size} at {offset}"


def test_whatever_byte_is_harmed_nothing_else_is_served_than_what_was_written(path: Path, seed: int) -> None:
    """Whether the harm is found at start, while reading, or not at all because it lies where it does no harm."""
    drawn = random.Random(seed)
    written = furnished(path)
    whole = path.read_bytes()
    found = 0
    for _ in range(HARMS):
        what = harmed(path, whole, drawn)
        try:
            left = served(path)
        except Exception as error:  # which one it should be, the tests below say
            assert not isinstance(error, AssertionError), what
            found += 1
            continue
        assert {seq: each for seq, each in left.items() if written.get(seq) != each} == {}, what
        found += left != written
    assert found > HARMS // 20, "no harm was ever found: is anything harmed at all?"


@pytest.mark.parametrize("left", [99, 100, 512, PAGE_BYTES, 0.3, 0.6, -PAGE_BYTES])
def test_a_file_that_was_cut_off_is_found_at_start(path: Path, left: float) -> None:
    furnished(path)
    size = path.stat().st_size
    os.truncate(path, int(left if left >= 1 else size * left if left > 0 else size + left))
    with pytest.raises(StoreDamaged, match=r"is damaged .* restore a backup"):
        SqliteStore.open(path)


@pytest.mark.parametrize("missing", [1, 100, PAGE_BYTES - 1])
def test_a_file_without_the_end_of_its_last_page_serves_nothing_wrong(path: Path, missing: int) -> None:
    written = furnished(path)
    os.truncate(path, path.stat().st_size - missing)
    with suppress(StoreDamaged):
        assert served(path).items() <= written.items()


@pytest.mark.parametrize("left", [0, 1])
def test_a_file_of_which_nothing_is_left_is_a_new_store_with_another_id(path: Path, left: int) -> None:
    """Nobody can tell it from a first start, but every client can."""
    furnished(path)
    with reopened(path) as store:
        before = store.broker, store.epoch
    os.truncate(path, left)
    with reopened(path) as store:
        assert store.broker != before[0]
        assert store.epoch != before[1]


def test_every_page_may_be_zeroed_and_nothing_wrong_is_served(path: Path) -> None:
    written = furnished(path)
    whole = path.read_bytes()
    found = 0
    for offset in range(0, len(whole), PAGE_BYTES):
        path.write_bytes(whole)
        overwrite(path, offset, bytes(PAGE_BYTES))
        try:
            left = served(path)
        except StoreError:
            found += 1
            continue
        assert left.items() <= written.items()
        found += left != written
    assert found > 0


def test_a_write_ahead_log_that_was_deleted_takes_the_store_back_whole(path: Path) -> None:
    """What was only in it is lost, but the rest is a state that there was: dense, and nothing of it damaged."""
    furnished(path)
    store = SqliteStore.open(path)
    results(store, send(A, 13, "@bob", text=envelope(13)), Put("room/#new", b"value", 0))
    copy = path.with_name("copy.sqlite")
    shutil.copyfile(path, copy)  # without what stands beside it
    store.close()
    with reopened(copy) as store:
        assert store.read("@bob", 0, MOST, 10**7) == Arrived("@bob", 1, [envelope(n) for n in range(1, 13)])
        assert store.damaged == []
        assert store.get(["room/#new"]) == {"room/#new": None}
        assert results(store, send(A, 13, "@bob", text=envelope(13))) == [Done(13)]


@pytest.mark.parametrize("cut", [0, 31, 32, 1000, 0.5, -1])
def test_a_write_ahead_log_that_was_cut_off_counts_up_to_its_last_whole_group(path: Path, cut: float) -> None:
    store = SqliteStore.open(path)
    for n in range(1, 9):
        results(store, send(A, n, "@bob", text=envelope(n)))
    copy = path.with_name("copy.sqlite")
    shutil.copyfile(path, copy)
    log = path.with_name(path.name + "-wal").read_bytes()
    copy.with_name(copy.name + "-wal").write_bytes(log[: int(len(log) * cut if 0 < cut < 1 else cut)])
    store.close()
    with reopened(copy) as store:
        texts = store.read("@bob", 0, MOST, 10**7).envelopes
        assert texts == [envelope(n) for n in range(1, len(texts) + 1)]
        assert len(texts) < 8
        assert store.devices([A])[A].last == len(texts)
        assert store.damaged == []


HARM_TO_ROWS = {
    "no id": "DELETE FROM setting WHERE name = 'broker'",
    "an id that is a text": "UPDATE setting SET value = 'text' WHERE name = 'broker'",
    "an id that is a number": "UPDATE setting SET value = 16 WHERE name = 'broker'",
    "no epoch": "DELETE FROM epoch",
    "no text in a record": "UPDATE record SET value = CAST(x'ff' AS TEXT)",
    "no text in a segment": "UPDATE segment SET body = CAST(x'ff' AS TEXT)",
    "a head too low": "UPDATE log SET head = 3 WHERE name = '@bob'",
}


@pytest.mark.parametrize("harm", HARM_TO_ROWS.values(), ids=HARM_TO_ROWS)
def test_a_row_that_can_not_be_what_was_written_is_damage_like_any_other(path: Path, harm: str) -> None:
    written = furnished(path)
    change(path, harm)
    with suppress(StoreDamaged):
        assert served(path).items() <= written.items()


@pytest.mark.parametrize("head", [13, 0, 1 << 40, "'text'", 1.5])
def test_a_head_that_was_harmed_hides_nothing_that_comes_after(path: Path, head: object) -> None:
    """Two messages to one mailbox in one turn: a head in their middle must not let the next one be skipped."""
    written = furnished(path)
    with reopened(path) as store:
        results(store, send(A, 13, "@bob", text=envelope(13)), send(A, 14, "@bob", text=envelope(14)))
    change(path, f"UPDATE log SET head = {head} WHERE name = '@bob'")
    with reopened(path) as store:
        results(store, send(A, 15, "@bob", text=envelope(15)))
        texts = store.read("@bob", 0, MOST, 10**7).envelopes
    assert texts == [*written.values(), envelope(13), envelope(14), envelope(15)]


@pytest.mark.parametrize("harm", ["an id that is a text", "an id that is a number"])
def test_a_broker_has_no_id_but_its_own(path: Path, harm: str) -> None:
    """It is what clients know their broker by: with another one they begin anew, or understand nothing."""
    furnished(path)
    change(path, HARM_TO_ROWS[harm])
    with pytest.raises(StoreDamaged, match="it has no id"):
        SqliteStore.open(path)


def test_a_name_that_can_not_be_read_is_damage_and_nobody_elses_doing(path: Path) -> None:
    """It is found in the middle of a question, which is still open when the broker closes its store."""
    furnished(path)
    change(path, "UPDATE record SET key = CAST(x'726f6f6d2fff' AS TEXT) WHERE key = 'room/#r'")
    with pytest.raises(StoreDamaged), reopened(path) as store:
        store.browse("room/", 9)


# ---- short rows --------------------------------------------------------------------------------------------


def test_a_cursor_that_was_harmed_counts_as_none_and_is_written_anew(path: Path) -> None:
    furnished(path)
    change(path, "UPDATE cursor SET pos = 9")
    with reopened(path) as store:
        assert store.devices([B])[B].cursors == {}
        assert results(store, Move(B, "@bob", 5)) == [Done(5)]
        assert store.devices([B])[B].cursors == {"@bob": 5}


def test_a_device_of_which_a_refusal_was_harmed_is_damaged(path: Path) -> None:
    """Else it would be told that what was refused had been accepted."""
    refused = Append(A, 13, [(), ()], [("code", "one"), ("code", "two")])
    furnished(path)
    with reopened(path) as store:
        assert results(store, refused) == [Done(14, {13: ("code", "one"), 14: ("code", "two")})]
    change(path, "UPDATE refusal SET sentence = 'another' WHERE n = 14")
    with reopened(path) as store:
        assert store.devices([A])[A].last < 0
        with pytest.raises(StoreDamaged):
            store.submit([refused], NOW)


@pytest.mark.parametrize("harm", ["last = 'text'", "last = 1.5", "visits = 'text'", "visits = 7"])
def test_a_device_whose_row_is_of_another_kind_is_damaged(path: Path, harm: str) -> None:
    furnished(path)
    change(path, f"UPDATE device SET {harm}")
    with reopened(path) as store:
        assert store.devices([A])[A].last < 0


def line_of_time(path: Path) -> str:
    """The one that a store is in."""
    with reopened(path) as store:
        return store.epoch


def test_a_line_of_time_that_was_harmed_is_followed_by_another(path: Path) -> None:
    furnished(path)
    before = line_of_time(path)
    change(path, "UPDATE epoch SET name = 'another'")
    with reopened(path) as store:
        after = store.epoch
        assert after not in (before, "another")
        assert store.bases(before, ["@bob"]) == store.bases("another", ["@bob"]) == {"@bob": 0}
    assert line_of_time(path) == after


def test_where_a_log_was_in_a_line_of_time_is_not_believed_if_it_was_harmed(path: Path) -> None:
    furnished(path)
    before = line_of_time(path)
    change(path, "INSERT INTO setting VALUES ('copied', 1)")
    with reopened(path) as store:
        assert store.bases(before, ["@bob"]) == {"@bob": 12}
    change(path, "UPDATE base SET head = head - 1")
    with reopened(path) as store:
        assert store.bases(before, ["@bob"]) == {"@bob": 0}
