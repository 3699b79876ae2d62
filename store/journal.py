"""The client's journal: outbox, history, cursors and facts of one device, in one file of its own.

Text is in the outbox, synced, before it is posted; envelopes and the cursor that follows from them are one
transaction, synced, before they are acknowledged. What was handed to the reader is marked after it left, without
a sync: a killed client repeats nothing, a power cut may repeat a few lines, and neither loses one.
"""

from __future__ import annotations

import os
import zlib
from base64 import b32encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import groupby
from pathlib import Path
from typing import Any

import apsw

from core.arrangement import ARRANGED
from core.commands import (
    Backfill,
    Begin,
    Command,
    Drop,
    GoBack,
    Keep,
    Point,
    Read,
    Recall,
    Record,
    Remember,
    Review,
    Search,
    Tally,
)
from core.events import Pointed, Recalled, Reviewed, Searched, Tallied
from core.marks import is_remark
from core.outbox import NOBODY, NOTHING, Memory, SendId, Waiting
from protocol import limits, names
from protocol.frames import Envelope, Item, ProtocolError, decode_envelope, encode
from store import StoreDamaged
from store.database import Kind, failures, open_database, transaction
from store.index import Index
from store.lock import Lock, Locked, private_folder
from store.lookback import Lookback, write_read
from store.migrations import journal_1_to_2, journal_2_to_3, journal_3_to_4
from store.remarked import Remarked

CURE = "move its folder away; the broker still has what was accepted"
KIND = Kind(0x5253544A, 4, CURE, (journal_1_to_2, journal_2_to_3, journal_3_to_4))  # "RSTJ"

# Settled messages that stay: a broker restored from last week's backup gets back what it has lost.
SENT_KEPT = 10_000

# Devices of one account in one data folder: more at once than anybody's programs.
FOLDERS = limits.ACCOUNT_DEVICES


class Journal:
    """One device's journal, opened by open_journal."""

    def __init__(self, folder: Path, lock: Lock, random: Callable[[int], bytes] = os.urandom) -> None:
        self.folder = folder
        self._lock = lock
        self._random = random
        self._path = folder / "journal.sqlite"
        self._database = open_database(self._path, KIND, self._create)
        self._era = self._number("era", 1)
        self._lookback = Lookback(self._ask, _envelope)
        self._index = Index(self._database, _envelope)
        self._remarked = Remarked(self._database, self._index, _envelope)
        self._write: dict[type[Command], Callable[[Any], None]] = {
            Keep: self._keep,
            Drop: self._drop,
            Record: self._record,
            Begin: self._begin,
            Remember: self._remember,
            Backfill: self._backfill,
            Read: lambda read: write_read(self._database, read.log, read.account),
        }

    def _create(self, database: apsw.Connection) -> None:
        database.execute(Path(__file__).with_name("journal.sql").read_text("utf-8"))
        database.execute("INSERT INTO fact VALUES ('device', ?), ('settled', x'30')", (self._new_id(),))

    def _new_id(self) -> bytes:
        return b32encode(self._random(limits.DEVICE_CHARS * 5 // 8)).lower()

    # -- reading --

    def fact(self, key: str) -> bytes | None:
        """Something remembered about this device; None if it never was."""
        rows = self._ask("SELECT CAST(value AS BLOB) FROM fact WHERE key = ?", key)
        return rows[0][0] if rows else None

    def memory(self) -> Memory:
        """What the core starts from. StoreDamaged if a waiting message is not what was written."""
        ask = "SELECT * FROM outbox WHERE n > ? ORDER BY n"
        outbox = [self._waiting(*row) for row in self._ask(ask, self._settled)]
        return Memory(
            device=self._text("device"),
            last=self._settled + len(outbox),
            outbox=outbox,
            cursors=self._cursors(),
            epoch=self._text("epoch"),
            broker=self.fact("broker") or b"",
            visits=self._numbers("visits"),
            contacts=self._text("contacts").split(),
            ignored=self._text("ignored").split(),
            arranged={key: fact for key in ARRANGED if (fact := self.fact(key)) is not None},
            known=self._known(),
            receipts=self._remarked.receipts(),
            reached=self.fact("reached") or b"",
            tells_read=self.fact("tells-read") != b"0",
            offered=self._number("offered", 0) if self.fact("offered") else None,
        )

    @property
    def _settled(self) -> int:
        return self._number("settled", 0)

    def _known(self) -> set[SendId]:
        """What is in the history from eras that are over, above where they ended."""
        ask = "SELECT envelope, crc FROM entry WHERE log = ? AND era = ? AND seq > ?"
        bases = self._ask("SELECT era, log, pos FROM base")
        ends = [(log, earlier, pos) for era, log, pos in bases for earlier in range(1, era)]
        astray = (_envelope(*row) for end in ends for row in self._ask(ask, *end))
        return {(each.device, each.n) for each in astray}

    def _text(self, key: str) -> str:
        with failures(self._path, KIND):  # it may be no text any more
            return (self.fact(key) or b"").decode()

    def _number(self, key: str, default: int) -> int:
        return next(iter(self._numbers(key)), default)

    def _numbers(self, key: str) -> list[int]:
        try:
            return [int(each) for each in (self.fact(key) or b"").split()]
        except ValueError as error:
            raise self._damaged(key) from error

    def _cursors(self) -> dict[str, int]:
        cursors = dict(self._ask("SELECT log, pos FROM cursor ORDER BY log"))
        if not all(isinstance(pos, int) for pos in cursors.values()):
            raise self._damaged("cursor")
        return cursors

    def _damaged(self, key: str) -> StoreDamaged:
        return StoreDamaged("{path} is damaged ({key}); {cure}", path=self._path, key=key, cure=KIND.cure)

    def _waiting(self, n: int, recipient: str, enc: str, body: bytes, crc: int) -> Waiting:
        item = Item(recipient, enc, body)
        if zlib.crc32(encode(item)) != crc:
            raise StoreDamaged(
                "{path} is damaged (message {n} of the outbox); {cure}", path=self._path, n=n, cure=KIND.cure
            )
        return Waiting(n, item)

    def waiting(self) -> int:
        """How many messages wait in the outbox."""
        return int(self._ask("SELECT count(*) FROM outbox WHERE n > ?", self._settled)[0][0])

    def unshown(self) -> list[str]:
        """Logs of which something is in the history that was not handed out."""
        return [log for (log,) in self._ask("SELECT log FROM cursor WHERE shown < pos ORDER BY log")]

    def replay(self, log: str, messages: int) -> Iterator[tuple[int, list[Envelope]]]:
        """What was not handed out of a log, in runs of at most so many: first seq, envelopes."""
        ((shown, pos),) = self._ask("SELECT shown, pos FROM cursor WHERE log = ?", log)
        for first in range(shown + 1, pos + 1, messages):
            rows = self._ask(
                "SELECT seq, envelope, crc FROM entry WHERE log = ? AND era = ? AND seq BETWEEN ? AND ? ORDER BY seq",
                *(log, self._era, first, min(first + messages - 1, pos)),
            )
            # What was gone at the broker before it came here leaves a hole, and a run has none.
            for _, run in groupby(enumerate(rows), key=lambda placed: placed[1][0] - placed[0]):
                some = [row for _, row in run]
                yield some[0][0], [_envelope(*row[1:]) for row in some]

    def history(self, log: str, account: str, count: int) -> tuple[int, list[Envelope]]:
        """The last messages of a log, or of a conversation with one account in it; and the first one's seq."""
        found = self._lookback.conversation(log, account, count)
        return (found[0][0] if found else 1), [envelope for _, envelope in found]

    def recall(self, recall: Recall) -> Recalled:
        """The last messages of a conversation."""
        recalled = self._lookback.recall(recall, self._era)
        with failures(self._path, KIND):
            recalled.marks = self._remarked.marks(envelope for _, envelope in recalled.found)
        return recalled

    def point(self, point: Point) -> Pointed:
        """The message that somebody means."""
        with failures(self._path, KIND):
            return self._remarked.pointed(point, self._lookback.point(point))

    def review(self, review: Review) -> Reviewed:
        """The messages that remarks are about."""
        with failures(self._path, KIND):
            return self._remarked.review(review)

    def tally(self, tally: Tally) -> Tallied:
        """How much of each conversation nobody has looked at."""
        return self._lookback.tally(tally)

    def search(self, search: Search) -> Searched:
        """The last messages with some words. The index is brought up to date first, by one step at a time.

        Not synced: an index that a power cut has taken back goes on from there.
        """
        with failures(self._path, KIND):
            with self._unsynced(), transaction(self._database):
                complete = self._index.update()
            if not complete:
                return Searched(search, [], more=False, unfinished=True)
            searched = self._index.search(search)
            searched.marks = self._remarked.marks(envelope for *_, envelope in searched.found)
            return searched

    def _ask(self, question: str, *values: str | int) -> list[Any]:
        """All rows of the answer; the store's errors if the file can't be read."""
        with failures(self._path, KIND):
            return self._database.execute(question, values).fetchall()

    # -- writing --

    def commit(self, commands: Sequence[Command]) -> None:
        """Carry out, in one transaction, what must be on disk before anything is posted or acknowledged.

        Synced, unless all it says is that messages are settled, or what others may be told of: should that be lost in
        a power cut, they are settled again, and told with what comes next.
        """
        lazy = all(type(each) is Drop or (type(each) is Remember and each.key == "reached") for each in commands)
        with self._unsynced() if lazy else nullcontext(), failures(self._path, KIND), transaction(self._database):
            for command in commands:
                self._write[type(command)](command)

    def mark(self, shown: dict[str, int]) -> None:
        """These seqs were handed out. Not synced: the mark follows what left the process, at no cost."""
        with self._unsynced(), failures(self._path, KIND):
            self._database.executemany(
                "UPDATE cursor SET shown = max(shown, min(?, pos)) WHERE log = ?",
                [(seq, log) for log, seq in shown.items()],
            )

    @contextmanager
    def _unsynced(self) -> Iterator[None]:
        self._database.execute("PRAGMA synchronous = NORMAL")
        try:
            yield
        finally:
            self._database.execute("PRAGMA synchronous = FULL")

    def renew(self, epoch: str) -> Memory:
        """Become another device: a new id, the outbox numbered from 1 on; in another epoch, with no cursors."""
        with failures(self._path, KIND), transaction(self._database):
            device, settled = self._new_id(), self._settled
            if epoch != self._text("epoch"):
                self._begin_era(epoch)
                self._database.execute("DELETE FROM cursor")
                self._database.execute("DELETE FROM looked")
            self._database.execute("UPDATE fact SET value = ? WHERE key = 'device'", (device,))
            self._database.execute("DELETE FROM fact WHERE key IN ('visits', 'offered')")
            self._settle(0)
            rows: list[Any] = self._database.execute(
                "SELECT recipient, enc, body, crc FROM outbox WHERE n > ? ORDER BY n", (settled,)
            ).fetchall()
            self._database.execute("DELETE FROM outbox")
            self._fill_outbox((n, *row) for n, row in enumerate(rows, 1))
        return self.memory()

    def go_back(self, back: GoBack) -> tuple[Memory, int]:
        """Be where a broker is that was put back; and how many texts of ours that it has lost are lost here, too."""
        with failures(self._path, KIND), transaction(self._database):
            lost = range(back.last + 1, self._settled + 1)
            self._begin_era(back.epoch)
            cursors: list[Any] = self._database.execute("SELECT log, pos FROM cursor").fetchall()
            for log, pos in cursors:
                base = back.bases.get(log, 0)
                self._database.execute("INSERT INTO base VALUES (?, ?, ?)", (self._era, log, min(pos, base)))
                self._database.execute(
                    "UPDATE cursor SET pos = min(pos, ?1), shown = min(shown, ?1) WHERE log = ?2", (base, log)
                )
            kept = {n for (n,) in self._database.execute("SELECT n FROM outbox WHERE n > ?", (back.last,))}
            missing = [n for n in lost if n not in kept]
            found = self._own(set(missing)) if missing else {}
            nothing = Item(NOBODY, "none", NOTHING)
            items = [(n, found.get(n, nothing)) for n in missing]
            self._fill_outbox((n, item.to, item.enc, item.body, zlib.crc32(encode(item))) for n, item in items)
            self._settle(back.last)
        return self.memory(), len(missing) - len(found)

    def _own(self, numbers: set[int]) -> dict[int, Item]:
        """What this device has sent under these numbers, as far as it came back to it."""
        device = self._text("device")
        rows = self._database.execute("SELECT envelope, crc FROM entry WHERE era < ?", (self._era,))
        own = (each for each in (_envelope(*row) for row in rows) if each.device == device and each.n in numbers)
        return {each.n: Item(each.to, each.enc, each.body) for each in own if each.body}  # what was deleted stays so

    def _begin_era(self, epoch: str) -> None:
        self._era += 1
        self._remember(Remember("epoch", epoch.encode()))
        self._remember(Remember("era", str(self._era).encode()))

    def _fill_outbox(self, rows: Iterable[tuple[int, str, str, bytes, int]]) -> None:
        self._database.executemany("INSERT INTO outbox VALUES (?, ?, ?, ?, ?)", rows)

    # -- commands --

    def _keep(self, keep: Keep) -> None:
        crc = zlib.crc32(encode(Item(keep.to, keep.enc, keep.body)))
        self._database.execute("INSERT INTO outbox VALUES (?, ?, ?, ?, ?)", (keep.n, keep.to, keep.enc, keep.body, crc))

    def _drop(self, drop: Drop) -> None:
        """What was refused must not turn up again, should the broker be put back: its number alone is kept."""
        nothing = Item(NOBODY, "none", NOTHING)
        void = (nothing.to, nothing.enc, nothing.body, zlib.crc32(encode(nothing)))
        self._database.executemany(
            "UPDATE outbox SET recipient = ?, enc = ?, body = ?, crc = ? WHERE n = ?",
            [(*void, n) for n in drop.refused],
        )
        self._database.execute("DELETE FROM outbox WHERE n <= ?", (drop.n - SENT_KEPT,))
        self._settle(drop.n)

    def _settle(self, n: int) -> None:
        """The number stays known when the outbox is empty: it must never be given again."""
        self._remember(Remember("settled", str(n).encode()))

    def _record(self, record: Record) -> None:
        if record.log.startswith("+"):
            self._remarked.note_receipts(record.envelopes)
        else:
            self._insert(record.log, self._era, enumerate(record.envelopes, record.first))
        last = record.first + len(record.envelopes) - 1
        self._database.execute("UPDATE cursor SET pos = ? WHERE log = ?", (last, record.log))

    def _insert(self, log: str, era: int, placed: Iterable[tuple[int, Envelope]]) -> None:
        """Put messages into the history, and remarks beside it, whichever of both comes first."""
        rows, said = [], []
        for seq, envelope in placed:
            if is_remark(envelope):
                said.append((seq, envelope))
                continue
            packed = encode(envelope)
            author, recipient = _compared(envelope.author), _compared(envelope.to)
            row = (era, log, seq, author, recipient, packed, zlib.crc32(packed), envelope.device, envelope.n)
            rows.append(row)
        self._database.executemany("INSERT OR IGNORE INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._remarked.keep(log, era, said, [row[-2:] for row in rows])

    def _backfill(self, page: Backfill) -> None:
        """Below all that is there: whoever asked twice is not given it twice."""
        era, oldest = self._lookback.oldest(page.log, self._era)
        placed = [place for place in enumerate(page.envelopes, page.first) if place[0] < oldest]
        self._insert(page.log, era, placed)

    def _begin(self, begin: Begin) -> None:
        """What is in the history and was not handed out yet will be, though what follows it is missing."""
        self._database.execute(
            "INSERT INTO cursor VALUES (?1, ?2, ?2) ON CONFLICT (log) DO UPDATE"
            " SET pos = ?2, shown = CASE WHEN shown < pos THEN shown ELSE ?2 END",
            (begin.log, begin.pos),
        )
        self._database.execute("INSERT OR IGNORE INTO looked VALUES (?, '', ?, ?)", (begin.log, self._era, begin.pos))

    def _remember(self, remember: Remember) -> None:
        self._database.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (remember.key, remember.value))

    def close(self) -> None:
        """One file afterwards, and the folder is free."""
        self._database.close()
        self._lock.close()


def open_journal(root: Path, account_key: str, sends_only: bool) -> Journal:
    """The journal of a free device in ``root/ACCOUNT/1``, ``2`` …; Locked if all are in use.

    The first free one; a run that only sends prefers one whose outbox still holds something, since nobody else
    may come and send it.
    """
    home = private_folder(root / account_key)
    free: list[Journal] = []
    for number in range(1, FOLDERS + 1):
        folder = home / str(number)
        if free and not folder.exists():
            break
        try:
            free.append(Journal(folder, Lock(private_folder(folder))))
        except Locked:
            continue
        if not sends_only or free[-1].waiting():
            break
    if not free:
        raise Locked(str(home))
    chosen = free[-1] if free[-1].waiting() else free[0]
    for journal in free:
        if journal is not chosen:
            journal.close()
    return chosen


def _compared(name: str) -> str:
    """An account's compared form; of a room, or of what is no name, something that no account can be.

    A room is known by its sign: that it is no account's name would otherwise be found out anew with each message.
    """
    try:
        return "#" if name.startswith("#") else names.key(name)
    except names.BadName:
        return "#"


def _envelope(packed: bytes, crc: int) -> Envelope:
    """An envelope of the history; one that is not what was written comes marked, never as text."""
    try:
        envelope = decode_envelope(packed)
    except (ProtocolError, TypeError):  # not even of the right kind
        envelope = None
    if envelope is None or zlib.crc32(packed) != crc:
        return Envelope("a" * limits.DEVICE_CHARS, 1, "?", "?", 0, "damaged", b"")
    return envelope
