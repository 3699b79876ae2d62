"""What a journal finds again: conversations, pages from the broker, searches, and what nobody has looked at."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core import typed
from core.commands import Backfill, Begin, GoBack, Point, Read, Recall, Record, Renew, Search, Tally
from core.events import Searched
from protocol.frames import Envelope
from store import index
from store.journal import Journal
from store.lock import Lock, private_folder
from store.notebook import Notebook
from tests.store.notes import LOGS, WORDS, both, drawn

BOX, LOBBY = "@anna", "#lobby"
KEYS = ("anna", "bob", "дина")
OLD_SCHEMA = """
CREATE TABLE fact (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE outbox (n INTEGER PRIMARY KEY, recipient TEXT NOT NULL, enc TEXT NOT NULL, body BLOB NOT NULL,
    crc INTEGER NOT NULL);
CREATE TABLE cursor (log TEXT PRIMARY KEY, pos INTEGER NOT NULL, shown INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE base (era INTEGER NOT NULL, log TEXT NOT NULL, pos INTEGER NOT NULL, PRIMARY KEY (era, log)) WITHOUT ROWID;
CREATE TABLE history (era INTEGER NOT NULL, log TEXT NOT NULL, seq INTEGER NOT NULL, author TEXT NOT NULL,
    recipient TEXT NOT NULL, envelope BLOB NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY (log, era, seq)) WITHOUT ROWID;
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return private_folder(tmp_path / "1")


@pytest.fixture
def journal(folder: Path) -> Iterator[Journal]:
    journal = Journal(folder, Lock(folder))
    yield journal
    journal.close()


def said(text: str, author: str = "Bob", to: str = LOBBY, at: int = 0) -> Envelope:
    return Envelope("b" * 16, 1, author, to, at, "none", text.encode())


def kept(journal: Journal, *texts: str, log: str = LOBBY, first: int = 1) -> None:
    """These messages have come."""
    journal.commit([Begin(log, first - 1), Record(log, first, [said(text, to=log) for text in texts])])


def found(journal: Journal, words: str, count: int = 100, hidden: tuple[str, ...] = ()) -> list[str]:
    """What a search finds, however many steps it takes."""
    return [each[2].body.decode() for each in finished(journal, Search(words, count, hidden)).found]


def finished(journal: Journal, search: Search) -> Searched:
    while (answer := journal.search(search)).unfinished:
        assert answer.found == []
    return answer


# ---- the same as the notebook ---------------------------------------------------------------------------------


@pytest.mark.parametrize("run", range(12))
def test_journal_and_notebook_find_the_same(folder: Path, seed: int, run: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(seed + run)
    monkeypatch.setattr(index, "STEP_MESSAGES", rng.choice((1, 3, 10_000)))
    monkeypatch.setattr("store.lookback.STEP_MESSAGES", rng.choice((1, 3, 200)))
    journal, notebook = both(folder, rng.randbytes(8))
    for _ in range(rng.randrange(1, 60)):
        act = drawn(rng, notebook)
        if isinstance(act, Renew):
            assert journal.renew(act.epoch) == notebook.renew(act.epoch)
        elif isinstance(act, GoBack):
            assert journal.go_back(act) == notebook.go_back(act)
        else:
            journal.commit(act)
            notebook.commit(act)
        compare(rng, journal, notebook, (seed, run))
    journal.close()


def compare(rng: random.Random, journal: Journal, notebook: Notebook, name: object) -> None:
    log = rng.choice(LOGS)
    account = rng.choice(KEYS) if log == BOX else ""
    hidden = tuple(rng.sample(KEYS, rng.randrange(3)))
    recall = Recall(log, account, rng.randrange(1, 9), rng.randrange(4), hidden)
    assert journal.recall(recall) == notebook.recall(recall), name
    back = rng.randrange(1, 4)
    question = rng.choice((typed.Deleted(back=back), typed.Reacted(sign="+", back=back)))
    point = Point(account or "#tea", log, account, "anna", question)
    assert journal.point(point) == notebook.point(point), name
    tally = Tally("anna", hidden)
    shown = {place.casefold(): count for place, count in journal.tally(tally).unread}
    assert shown == dict(notebook.tally(tally).unread), name
    search = Search(" ".join(rng.choices(WORDS, k=rng.randrange(1, 3))), rng.randrange(1, 9), hidden)
    mine, theirs = finished(journal, search), notebook.search(search)
    assert (len(mine.found), mine.more) == (len(theirs.found), theirs.more), (name, search)
    assert [each[2].at for each in mine.found] == [each[2].at for each in theirs.found], (name, search)


# ---- pages from the broker ------------------------------------------------------------------------------------


def test_a_page_stands_below_what_is_there_and_moves_no_cursor(journal: Journal) -> None:
    kept(journal, "six", "seven", first=6)
    assert journal.recall(Recall(LOBBY, "", 9)).oldest == 6
    journal.commit([Backfill(LOBBY, 4, [said("four"), said("five"), said("another six")])])
    recalled = journal.recall(Recall(LOBBY, "", 9))
    assert [(seq, each.body.decode()) for seq, each in recalled.found] == [
        (4, "four"),
        (5, "five"),
        (6, "six"),
        (7, "seven"),
    ]
    assert (recalled.oldest, journal.memory().cursors) == (4, {LOBBY: 7})
    assert journal.tally(Tally("anna")).unread == [(LOBBY, 2)], "what is older than this device is no news"
    assert [first for first, _ in journal.replay(LOBBY, 100)] == [6]


def test_a_log_that_nobody_has_begun_has_no_oldest(journal: Journal) -> None:
    assert journal.recall(Recall("#club", "", 9)).oldest == 0
    journal.commit([Begin("#club", 12)])
    assert journal.recall(Recall("#club", "", 9)).oldest == 13


def test_after_the_broker_was_put_back_pages_go_on_below_what_was_there_before(journal: Journal) -> None:
    kept(journal, "six", "seven", first=6)
    journal.go_back(GoBack("second", 0, {LOBBY: 6}))
    journal.commit([Record(LOBBY, 7, [said("another seven")])])
    assert journal.recall(Recall(LOBBY, "", 9)).oldest == 6
    journal.commit([Backfill(LOBBY, 5, [said("five")])])
    texts = [each.body.decode() for _, each in journal.recall(Recall(LOBBY, "", 9)).found]
    assert texts == ["five", "six", "seven", "another seven"]


def test_after_another_broker_pages_do_not_mix_with_what_the_former_one_said(journal: Journal) -> None:
    kept(journal, "old one", "old two")
    journal.renew("another")
    kept(journal, "new six", first=6)
    assert journal.recall(Recall(LOBBY, "", 9)).oldest == 6


# ---- search ---------------------------------------------------------------------------------------------------


def test_words_are_found_however_they_are_written_and_as_beginnings(journal: Journal) -> None:
    kept(journal, "a Traceback, in the café", "nothing", "КЛЮЧ под ковриком", "key error: b'bob'")
    assert found(journal, "trace") == found(journal, "CAFE traceback") == ["a Traceback, in the café"]
    assert found(journal, "ключ") == ["КЛЮЧ под ковриком"]
    assert found(journal, "b'bob'") == found(journal, "error: key") == ["key error: b'bob'"]
    assert found(journal, "race") == found(journal, "nowhere") == []


def test_what_comes_and_what_is_fetched_later_is_found_too(journal: Journal) -> None:
    kept(journal, "tea six", first=6)
    assert found(journal, "tea") == ["tea six"]
    journal.commit([Record(LOBBY, 7, [said("tea seven")]), Backfill(LOBBY, 5, [said("tea five")])])
    assert found(journal, "tea") == ["tea five", "tea six", "tea seven"]
    assert found(journal, "tea", count=1) == ["tea seven"]


def test_the_newest_of_all_places_are_found_in_the_order_of_their_time(journal: Journal) -> None:
    journal.commit([Begin(LOBBY, 0), Record(LOBBY, 1, [said("tea 1", at=1), said("tea 4", at=4)])])
    journal.commit([Begin(BOX, 0), Record(BOX, 1, [said("tea 2", to="anna", at=2), said("tea 3", to="anna", at=3)])])
    assert found(journal, "tea") == ["tea 1", "tea 2", "tea 3", "tea 4"]
    assert found(journal, "tea", count=3) == ["tea 2", "tea 3", "tea 4"]
    assert finished(journal, Search("tea", 3)).more
    assert not finished(journal, Search("tea", 4)).more


def test_what_is_no_text_and_who_is_ignored_is_not_found(journal: Journal) -> None:
    secret = Envelope("b" * 16, 1, "Bob", LOBBY, 0, "x", b"tea")
    journal.commit([Begin(LOBBY, 0), Record(LOBBY, 1, [secret, said("tea", "Eve"), said("tea for two")])])
    assert found(journal, "tea") == ["tea", "tea for two"]
    assert found(journal, "tea", hidden=("eve",)) == ["tea for two"]


def test_a_message_that_has_changed_on_the_disk_is_not_shown_as_found(journal: Journal) -> None:
    kept(journal, "tea", "tea too")
    assert len(found(journal, "tea")) == 2
    journal._database.execute("UPDATE history SET crc = crc + 1 WHERE seq = 1")
    assert found(journal, "tea") == ["tea too"]


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(max_size=30) | st.text(st.sampled_from('"*()^:-+ \0ANDORNEARtea{}'), max_size=30))
@example('"')
@example('tea" OR "x')
@example("tea*)")
@example("body:tea")
@example("tea NEAR/2 pot")
@example("\0tea")
@example("NOT")
@example("*")
def test_whatever_is_searched_for_is_only_words(journal: Journal, words: str) -> None:
    """No operator, no error; and who repeats a whole message finds it."""
    text = words if words.strip() else "tea"
    seq = journal.memory().cursors.get(LOBBY, 0) + 1
    kept(journal, text.encode("utf-8", "replace").decode(), first=seq)
    assert found(journal, words, count=3) is not None
    letters = [word for word in text.split() if word.isascii() and word.isalnum()]
    if letters:
        assert text.encode("utf-8", "replace").decode() in found(journal, " ".join(letters), count=1000)


def test_a_long_history_is_taken_in_by_steps_in_bounded_memory(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "STEP_MESSAGES", 100)
    for first in range(1, 2001, 100):
        kept(journal, *(f"tea number {n} " + "x" * 1000 for n in range(first, first + 100)), first=first)
    tracemalloc.start()
    steps = 0
    while journal.search(Search("tea 1999", 3)).unfinished:
        steps += 1
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert steps == 20
    assert peak < 1_000_000, "a tenth of the history"
    assert found(journal, "1999")[0].startswith("tea number 1999 ")


# ---- what nobody has looked at --------------------------------------------------------------------------------


def test_what_others_have_said_since_one_looked_is_unread(journal: Journal) -> None:
    kept(journal, "one", "two")
    box = [said("psst", "Bob", "anna"), said("yes?", "anna", "Bob"), said("hey", "Eve", "anna")]
    journal.commit([Begin(BOX, 0), Record(BOX, 1, box)])
    assert journal.tally(Tally("anna")).unread == [(LOBBY, 2), ("Bob", 1), ("Eve", 1)]
    assert journal.tally(Tally("anna", ("eve",))).unread == [(LOBBY, 2), ("Bob", 1)]
    journal.commit([Read(LOBBY, ""), Read(BOX, "bob")])
    journal.commit([Record(LOBBY, 3, [said("three"), said("mine", "Anna")])])
    assert journal.tally(Tally("anna")).unread == [(LOBBY, 1), ("Eve", 1)]


# ---- older files ----------------------------------------------------------------------------------------------


def test_the_history_of_a_file_of_schema_2_can_be_searched_and_counts_as_looked_at(
    folder: Path, tmp_path: Path
) -> None:
    newer = Journal(private_folder(tmp_path / "2"), Lock(tmp_path / "2"))
    kept(newer, "tea", "water")
    columns = "era, log, seq, author, recipient, envelope, crc"
    rows = newer._database.execute(f"SELECT {columns} FROM history").fetchall()
    newer.close()
    database = apsw.Connection(str(folder / "journal.sqlite"))
    database.pragma("journal_mode", "WAL")
    database.execute(OLD_SCHEMA)
    database.execute("INSERT INTO fact VALUES ('device', ?), ('settled', x'30'), ('era', x'31')", (b"a" * 16,))
    database.execute("INSERT INTO cursor VALUES ('#lobby', 2, 2)")
    database.executemany("INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    database.pragma("application_id", 0x5253544A)
    database.pragma("user_version", 2)
    database.close()
    journal = Journal(folder, Lock(folder))
    assert found(journal, "tea") == ["tea"]
    assert journal.tally(Tally("anna")).unread == []
    journal.commit([Record(LOBBY, 3, [said("more tea")])])
    assert (found(journal, "tea"), journal.tally(Tally("anna")).unread) == (["tea", "more tea"], [(LOBBY, 1)])
    assert (folder / "journal.v2.bak").exists()
    journal.close()
