"""The journal's file: what it keeps, when it is synced, and what damage does to it."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from core.commands import Begin, Command, Drop, GoBack, Keep, Record, Remember, Renew
from protocol.frames import Envelope
from store import StoreBroken, StoreDamaged, StoreNewer
from store.journal import Journal, open_journal
from store.lock import Lock, private_folder
from tests.store.files import change
from tests.store.notes import both, drawn

ROOT = Path(__file__).resolve().parents[2]

BOX = "@anna"
LOBBY = "#lobby"


def said(text: str, author: str = "Bob", to: str = "anna") -> Envelope:
    """One message."""
    return Envelope("b" * 16, 1, author, to, 1_750_000_000_000, "none", text.encode())


def keep(n: int, text: str = "hello") -> Keep:
    """One message of our own."""
    return Keep(n, LOBBY, "none", text.encode())


def bodies(envelopes: list[Envelope]) -> list[str]:
    """What they say."""
    return [envelope.body.decode() for envelope in envelopes]


def replayed(journal: Journal, log: str, messages: int = 100) -> list[tuple[int, list[str]]]:
    """What was not handed out of a log, run by run."""
    return [(first, bodies(envelopes)) for first, envelopes in journal.replay(log, messages)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return private_folder(tmp_path / "1")


class Reopening:
    """One folder's journal, again and again; the one before is closed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._journal: Journal | None = None

    def __call__(self) -> Journal:
        self.shut()
        self._journal = Journal(self.folder, Lock(self.folder))
        return self._journal

    def shut(self) -> Path:
        """The closed file."""
        if self._journal:
            self._journal.close()
            self._journal = None
        return self.folder / "journal.sqlite"


@pytest.fixture
def opened(folder: Path) -> Iterator[Reopening]:
    reopening = Reopening(folder)
    yield reopening
    reopening.shut()


# ---- the same as the notebook ---------------------------------------------------------------------------


@pytest.mark.parametrize("run", range(12))
def test_journal_and_notebook_remember_the_same(folder: Path, seed: int, run: int) -> None:
    rng = random.Random(seed + run)
    journal, notebook = both(folder, rng.randbytes(8))
    for _ in range(rng.randrange(1, 60)):
        act = drawn(rng, notebook)
        if isinstance(act, Renew):
            assert journal.renew(act.epoch) == notebook.renew(act.epoch), (seed, run)
        elif isinstance(act, GoBack):
            assert journal.go_back(act) == notebook.go_back(act), (seed, run)
        else:
            journal.commit(act)
            notebook.commit(act)
        if rng.random() < 0.2:
            journal.close()
            journal = Journal(folder, Lock(folder), journal._random)
        assert journal.memory() == notebook.memory(), (seed, run)
    for log in (BOX, LOBBY):
        expected = [envelope for (_, name, _), envelope in sorted(notebook.history.items()) if name == log]
        assert journal.history(log, "", 100_000)[1] == expected, (seed, run)
    journal.close()


def test_a_number_is_never_given_twice_even_after_the_outbox_was_empty(opened: Reopening) -> None:
    journal = opened()
    journal.commit([keep(1), keep(2)])
    journal.commit([Drop(2)])
    assert (opened().memory().last, opened().waiting()) == (2, 0)


# ---- durable --------------------------------------------------------------------------------------------


class Watched(apsw.VFS):
    """The operating system's files; every sync is counted."""

    def __init__(self) -> None:
        self.system = apsw.vfs_names()[0]
        self.syncs = 0
        super().__init__("watched", self.system)
        apsw.set_default_vfs("watched")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> WatchedFile:  # noqa: N802  SQLite's word
        return WatchedFile(self, name, flags)

    def unregister(self) -> None:
        apsw.set_default_vfs(self.system)
        super().unregister()


class WatchedFile(apsw.VFSFile):
    def __init__(self, disk: Watched, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__(disk.system, name, flags)
        self._disk = disk

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.syncs += 1
        super().xSync(flags)


@pytest.fixture
def disk() -> Iterator[Watched]:
    watched = Watched()
    yield watched
    watched.unregister()


def test_what_must_not_be_lost_is_synced_and_what_may_be_is_not(disk: Watched, folder: Path) -> None:
    """After Drop or mark nothing depends on the disk: settled messages are settled again, lines are shown again."""
    journal = Journal(folder, Lock(folder))

    def syncs(act: Callable[[], None]) -> int:
        before = disk.syncs
        act()
        return disk.syncs - before

    synced: list[list[Command]] = [
        [keep(1), keep(2), keep(3)],
        [Begin(BOX, 0)],
        [Record(BOX, 1, [said("one")])],
        [Remember("epoch", b"first")],
        [Drop(1), Remember("epoch", b"first")],
    ]
    for commands in synced:
        assert syncs(lambda commands=commands: journal.commit(commands)) == 1, commands
    assert syncs(lambda: journal.commit([Drop(2)])) == 0
    assert syncs(lambda: journal.mark({BOX: 1})) == 0
    assert syncs(lambda: journal.commit([keep(4)])) == 1, "the next commit is synced again"
    journal.close()


WRITER = """
import sys
from pathlib import Path
from core.commands import Begin, Keep, Record
from protocol.frames import Envelope
from store.journal import open_journal

journal = open_journal(Path(sys.argv[1]), "anna", sends_only=False)
journal.commit([Begin("#lobby", 0)])
for n in range(1, 1_000_000):
    heard = Envelope("b" * 16, n, "bob", "#lobby", 0, "none", b"heard %d" % n)
    journal.commit([Keep(n, "#lobby", "none", b"typed %d" % n), Record("#lobby", n, [heard])])
    print(n, flush=True)
"""


def test_a_killed_client_has_kept_all_it_could_have_posted_or_acknowledged(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, tmp_path], cwd=ROOT, stdout=subprocess.PIPE) as writer:
        assert writer.stdout
        some = [int(writer.stdout.readline()) for _ in range(40)]
        writer.kill()
        last = [*some, *(int(line) for line in writer.stdout if line.endswith(b"\n"))][-1]
    journal = open_journal(tmp_path, "anna", sends_only=False)
    assert journal.folder == tmp_path / "anna" / "1", "the lock ended with its process"
    memory, (first, heard) = journal.memory(), journal.history(LOBBY, "", 1_000_000)
    assert memory.last in (last, last + 1)
    assert [each.item.body for each in memory.outbox] == [b"typed %d" % n for n in range(1, memory.last + 1)]
    assert (first, bodies(heard)) == (1, [f"heard {n}" for n in range(1, memory.last + 1)])
    assert memory.cursors == {LOBBY: memory.last}
    journal.close()


def test_a_commit_that_fails_keeps_nothing_of_it(opened: Reopening) -> None:
    journal = opened()
    journal.commit([keep(1)])
    with pytest.raises(apsw.ConstraintError):
        journal.commit([keep(2), keep(1)])
    journal.commit([keep(2, "later")])
    assert [each.item.body for each in opened().memory().outbox] == [b"hello", b"later"]


# ---- what was handed out --------------------------------------------------------------------------------


def test_what_was_not_handed_out_is_found_by_the_next_run(opened: Reopening) -> None:
    journal = opened()
    journal.commit([Begin(BOX, 4), Begin(LOBBY, 0), Record(BOX, 5, [said(f"{n}") for n in range(5, 10)])])
    assert journal.unshown() == [BOX]
    journal.mark({BOX: 6})
    journal = opened()
    assert journal.unshown() == [BOX]
    assert replayed(journal, BOX, messages=2) == [(7, ["7", "8"]), (9, ["9"])]
    journal.mark({BOX: 9})
    assert (opened().unshown(), replayed(opened(), BOX)) == ([], [])


def test_what_comes_while_older_lines_are_handed_out_is_not_among_them(opened: Reopening) -> None:
    journal = opened()
    journal.commit([Begin(BOX, 0), Record(BOX, 1, [said("one"), said("two"), said("three")])])
    runs = journal.replay(BOX, 2)
    next(runs)
    journal.commit([Record(BOX, 4, [said("four")])])
    assert [(first, bodies(envelopes)) for first, envelopes in runs] == [(3, ["three"])]


def test_a_mark_never_goes_back(opened: Reopening) -> None:
    journal = opened()
    journal.commit([Begin(BOX, 0), Record(BOX, 1, [said("one"), said("two")])])
    journal.mark({BOX: 2})
    journal.mark({BOX: 1})
    assert journal.unshown() == []


def test_where_reading_begins_later_nothing_is_missing_before_it(opened: Reopening) -> None:
    journal = opened()
    journal.commit([Begin(LOBBY, 7)])
    assert (journal.unshown(), journal.memory().cursors) == ([], {LOBBY: 7})
    journal.commit([Begin(LOBBY, 20), Record(LOBBY, 21, [said("late", to=LOBBY)])])
    assert replayed(journal, LOBBY) == [(21, ["late"])]


# ---- history --------------------------------------------------------------------------------------------


def test_a_conversation_is_what_two_have_said_to_each_other(opened: Reopening) -> None:
    journal = opened()
    letters = [
        said("from Bob"),
        said("to Bob", "anna", "BOB"),
        said("from Clara", "clara", "Anna"),
        said("to Clara", "anna", "clara"),
        said("a note", "anna", "anna"),
        said("Bob again"),
    ]
    journal.commit([Begin(BOX, 0), Record(BOX, 1, letters)])

    def heard(account: str, count: int = 100) -> tuple[int, list[str]]:
        first, envelopes = journal.history(BOX, account, count)
        return first, bodies(envelopes)

    assert heard("bob") == (1, ["from Bob", "to Bob", "Bob again"])
    assert heard("bob", 2) == (2, ["to Bob", "Bob again"])
    assert heard("clara") == (3, ["from Clara", "to Clara"])
    assert heard("anna") == (5, ["a note"]), "notes to oneself are a conversation too"
    assert heard("nobody") == (1, [])


def test_a_rooms_history_is_what_everyone_has_said_even_if_nobody_knows_who(opened: Reopening) -> None:
    journal = opened()
    heard = [said("one", to=LOBBY), said("two", "anna", LOBBY), said("three", "?", LOBBY)]
    journal.commit([Begin(LOBBY, 0), Begin(BOX, 0), Record(LOBBY, 1, heard), Record(BOX, 1, [said("psst")])])
    assert journal.history(LOBBY, "", 10) == (1, heard)
    assert journal.history(LOBBY, "", 2) == (2, heard[1:])


def test_what_another_store_has_said_stays_in_the_history_and_is_not_mixed_up(opened: Reopening) -> None:
    journal = opened()
    journal.commit([Remember("epoch", b"first"), Begin(LOBBY, 0)])
    journal.commit([keep(1), keep(2), Drop(1), Record(LOBBY, 1, [said("old one"), said("old two")])])
    device = journal.memory().device
    memory = journal.renew("second")
    assert memory.device != device
    assert (memory.cursors, memory.last, [each.n for each in memory.outbox]) == ({}, 1, [1])
    journal.commit([Begin(LOBBY, 0), Record(LOBBY, 1, [said("new one")])])
    assert replayed(opened(), LOBBY) == [(1, ["new one"])]
    assert bodies(opened().history(LOBBY, "", 10)[1]) == ["old one", "old two", "new one"]


def test_a_new_device_of_the_same_store_reads_on_where_it_was(opened: Reopening) -> None:
    journal = opened()
    journal.commit([Remember("epoch", b"first"), Remember("offered", b"1"), Begin(LOBBY, 3), keep(1), Drop(1)])
    memory = journal.renew("first")
    assert (memory.cursors, memory.last, memory.offered) == ({LOBBY: 3}, 0, None)
    assert opened().memory() == memory


# ---- damage ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("harm", ["body = x'00'", "body = 'text'", "body = 7", "enc = 7"])
def test_a_waiting_message_that_has_changed_is_not_sent(opened: Reopening, harm: str) -> None:
    opened().commit([keep(1), keep(2)])
    change(opened.shut(), f"UPDATE outbox SET {harm} WHERE n = 2")
    with pytest.raises(StoreDamaged, match=r"message 2 of the outbox.*move its folder away"):
        opened().memory()


@pytest.mark.parametrize("key", ["settled", "visits", "offered"])
@pytest.mark.parametrize("harm", ["x'ff'", "'text'", "1.5"])
def test_a_fact_that_is_no_number_is_named(opened: Reopening, key: str, harm: str) -> None:
    opened()
    change(opened.shut(), f"INSERT OR REPLACE INTO fact VALUES ('{key}', {harm})")
    with pytest.raises(StoreDamaged, match=rf"\({key}\).*move its folder away"):
        opened().memory()


def test_a_cursor_that_is_no_number_is_named(opened: Reopening) -> None:
    opened().commit([Begin(BOX, 5)])
    change(opened.shut(), "UPDATE cursor SET pos = 'text'")
    with pytest.raises(StoreDamaged, match=r"\(cursor\).*move its folder away"):
        opened().memory()


@pytest.mark.parametrize(
    "harm",
    [
        "envelope = zeroblob(length(envelope))",
        "crc = crc + 1",
        "envelope = x''",
        "envelope = 'text'",
        "envelope = 7",
        "envelope = 1 << 62",
    ],
)
def test_a_message_of_the_history_that_has_changed_is_marked(opened: Reopening, harm: str) -> None:
    opened().commit([Begin(BOX, 0), Record(BOX, 1, [said("one"), said("two"), said("three")])])
    change(opened.shut(), f"UPDATE history SET {harm} WHERE seq = 2")
    one, two, three = opened().history(BOX, "", 10)[1]
    assert bodies([one, three]) == ["one", "three"]
    assert (two.enc, two.author, two.body) == ("damaged", "?", b"")
    assert replayed(opened(), BOX) == [(1, ["one", "", "three"])]


def test_a_page_that_has_changed_is_named_whatever_is_asked(opened: Reopening) -> None:
    letters = [said(f"{n} " + "x" * 5000) for n in range(50)]
    opened().commit([Begin(BOX, 0), Record(BOX, 1, letters)])
    path = opened.shut()
    pages = path.stat().st_size // 4096
    with path.open("r+b") as file:
        file.seek(12 * 4096)
        file.write(b"\xee" * (pages - 12) * 4096)
    with pytest.raises((StoreDamaged, StoreBroken), match=r"journal\.sqlite"):
        opened().history(BOX, "", 100)
    with pytest.raises((StoreDamaged, StoreBroken), match=r"journal\.sqlite"):
        replayed(opened(), BOX)


def test_a_newer_journal_is_refused(opened: Reopening) -> None:
    opened()
    change(opened.shut(), "PRAGMA user_version = 99")
    with pytest.raises(StoreNewer, match=r"schema 99.*upgrade"):
        opened()
