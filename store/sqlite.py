"""The embedded store: one SQLite file, one connection, one thread."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

import apsw

from core.clock import Instant
from core.commands import Operation
from core.events import Arrived, DeviceState, Stored, StoreFailed
from protocol import frames, limits
from store import Outcome, Record, segments
from store.copying import Copying
from store.database import MOST_PAGES, Kind, failures, open_database, transaction
from store.fresh import Fresh
from store.known import DAMAGED, Known, Recent
from store.migrations import broker_1_to_2, broker_2_to_3
from store.turn import Turn

CURE = "restore a backup, with the broker's command restore FILE"
KIND = Kind(0x52535442, 3, CURE, (broker_1_to_2, broker_2_to_3))  # "RSTB"

# The last envelopes written: a reader whose window is full asks for them soon.
FRESH_BYTES = 4 * 1024 * 1024
# The last segments read: the mail of one turn is for many readers.
SEGMENTS_CACHED_BYTES = 4 * 1024 * 1024

# No log is as long.
MOST_SEQ = limits.NUMBER_MAX

# The slice that holds a seq is the last one that begins at or below it.
_SLICES = f"""
    SELECT {segments.SLICE} FROM slice
    WHERE log = ?1 AND first >= ifnull((SELECT max(first) FROM slice WHERE log = ?1 AND first <= ?2), 0)
    ORDER BY first
"""

# The broker's id, if that is what stands there.
BROKER = "SELECT CAST(value AS BLOB) FROM setting WHERE name = 'broker' AND length(CAST(value AS BLOB)) = 16"

_RECORD = "SELECT version, CAST(value AS BLOB), crc FROM record WHERE key = ?"


def begin_epoch(database: apsw.Connection, name: str) -> None:
    """Begin another line of time, within a transaction of the caller's: what comes now was in no earlier one."""
    number: int = database.execute("SELECT ifnull(max(number), 0) + 1 FROM epoch").get
    database.execute("INSERT INTO epoch (number, name, crc) VALUES (?, ?, ?)", segments.sealed(number, name))
    heads: list[Any] = database.execute("SELECT id, head FROM log WHERE head > 0").fetchall()
    rows = [segments.sealed(number, *row) for row in heads]
    database.executemany("INSERT INTO base (epoch, log, head, crc) VALUES (?, ?, ?, ?)", rows)
    database.execute("DELETE FROM setting WHERE name = 'copied'")


def _epoch(database: apsw.Connection) -> str:
    """The name of the line of time; "" if that is damaged."""
    row = database.execute("SELECT number, name, crc FROM epoch ORDER BY number DESC LIMIT 1").fetchone()
    if row is None:
        raise apsw.CorruptError("it has no epoch")
    return row[1] if segments.is_sealed(row) else ""


def _mark_open(database: apsw.Connection) -> None:
    """In the file itself and not only in its log: that is what may be taken away.

    A full disk does without, and while somebody reads the file (a verify, an export) it is in the log at first.
    """
    with suppress(apsw.FullError, apsw.BusyError):
        database.execute("INSERT INTO setting (name, value) VALUES ('open', 1)")
        database.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        database.execute("UPDATE setting SET value = 2 WHERE name = 'open'")  # so that the log is not empty


class SqliteStore:
    """A store in one file, opened by ``open``.

    ``damaged`` lists the (log, seq) that could not be read whole and went out as empty envelopes; the caller
    tells the operator, and empties it. ``emptied`` counts what else a dump gave without what it said.
    """

    def __init__(self, path: Path, database: apsw.Connection) -> None:
        self._path = path
        self._database = database
        self.broker: bytes = database.execute(BROKER).get
        self.epoch = _epoch(database)
        if self.broker is None:
            raise apsw.CorruptError("it has no id")
        self.damaged: list[tuple[str, int]] = []
        self.emptied = 0
        self._known = Known(database)
        self._fresh = Fresh(FRESH_BYTES)
        self._segments: Recent[int, bytes] = Recent(SEGMENTS_CACHED_BYTES, len)
        self._next_segment: int = database.execute("SELECT ifnull(max(id), 0) + 1 FROM segment").get
        self._outcomes: list[Outcome] = []

    @classmethod
    def open(cls, path: Path, rng: Callable[[int], bytes] = os.urandom, max_pages: int = MOST_PAGES) -> SqliteStore:
        """The store at ``path``, made if there is none; it takes at most ``max_pages`` pages of 4 KiB.

        StoreUnwritable, StoreDamaged, StoreNewer or StoreBroken. The caller holds the folder's lock.
        """

        def create(database: apsw.Connection) -> None:
            database.execute(Path(__file__).with_name("schema.sql").read_text("utf-8"))
            database.execute("INSERT INTO setting (name, value) VALUES ('broker', ?)", (rng(16),))
            begin_epoch(database, rng(16).hex())

        with failures(path, KIND):
            log = Path(os.path.realpath(path) + "-wal")  # beside the file itself, wherever a link to it lies
            complete = log.exists() and log.stat().st_size > 0
        database = open_database(path, KIND, create, max_pages)
        with failures(path, KIND):
            marks = {name for (name,) in database.execute("SELECT name FROM setting")}
            # A backup that was put in place, a file whose log somebody took away (what followed is lost here), or one
            # that can't tell any more which line of time it is in.
            if "copied" in marks or ("open" in marks and not complete) or not _epoch(database):
                with transaction(database):
                    begin_epoch(database, rng(16).hex())
            if "open" not in marks:
                _mark_open(database)
            return cls(path, database)

    # ---- a group ---------------------------------------------------------------------------------------

    def submit(self, group: Sequence[Operation], now: Instant) -> None:
        """Commit a group, synced; the next poll tells. A StoreError if the process must end."""
        with failures(self._path, KIND):
            self._outcomes.append(self._commit(list(group)))

    def poll(self) -> list[Outcome]:
        """What has become of the groups since the last call."""
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    def fileno(self) -> None:
        """None: results are ready at the next poll."""

    def _commit(self, group: list[Operation]) -> Stored | StoreFailed:
        turn = Turn(self._database, self._known, self._next_segment)
        try:
            with transaction(self._database):
                results = turn.carry_out(group)
        except apsw.FullError:
            return StoreFailed(group, "store-full")
        except (apsw.BusyError, apsw.LockedError):
            return StoreFailed(group, "store-down")
        self._known.learn(turn.logs, turn.devices)
        self._next_segment = turn.next_segment
        if turn.arrived:
            self._fresh.keep(turn.arrived, turn.size)
        if turn.changed:
            self._fresh.forget()
        for number, body in turn.changed.items():
            self._segments.keep(number, body)
        return Stored(group, results, turn.arrived)

    # ---- a log's envelopes -----------------------------------------------------------------------------

    def read(self, log: str, after: int, messages: int, size: int) -> Arrived:
        """Envelopes with seq > after: at most ``messages``, and ``size`` bytes but at least one."""
        some: list[bytes] = []
        with failures(self._path, KIND):
            first = max(after + 1, self._known.log(log).first)
            with closing(self._walk(log, first)) as walk:
                for envelope in islice(self._fresh.since(log, first) or walk, messages):
                    size -= len(envelope)
                    if some and size < 0:
                        break
                    some.append(envelope)
        return Arrived(log, first, some)

    def _walk(self, log: str, seq: int) -> Generator[bytes]:
        """A log's envelopes from this seq on, one for each seq: what can't be read whole comes empty."""
        row = self._known.log(log)
        with closing(self._database.execute(_SLICES, (row.id, seq))) as slices:
            for first, base, places, crc in slices:
                if not segments.is_slice(row.id, first, base, places, crc):
                    continue
                while seq < first:
                    yield self._damage(log, seq)
                    seq += 1
                for home, start, size in segments.unpack_places(places, seq - first):
                    envelope = segments.envelope_at(self._segment(base + home), base + home, start, size)
                    yield self._damage(log, seq) if envelope is None else envelope
                    seq += 1
        for missing in range(seq, row.head + 1):
            yield self._damage(log, missing)

    def _segment(self, number: int) -> bytes:
        body = self._segments.get(number)
        if body is None:
            body = self._database.execute(segments.BODY, (number,)).get
            if body is None:
                return b""  # somebody removed it: no record will be found in it
            self._segments.keep(number, body)
        return body

    def _damage(self, log: str, seq: int) -> bytes:
        """What stands in a log where a message can't be read: nobody may see a part of one, or a hole."""
        self.damaged.append((log, seq))
        return frames.encode(frames.Envelope("a" * limits.DEVICE_CHARS, 1, "?", log, 0, "damaged", b""))

    # ---- other questions -------------------------------------------------------------------------------

    def get(self, keys: Sequence[str]) -> dict[str, Record | None]:
        """Records by key, None where there is none. What is not as it was written comes empty."""
        with failures(self._path, KIND):
            return {key: self._record(key) for key in keys}

    def _record(self, key: str) -> Record | None:
        row = self._database.execute(_RECORD, (key,)).fetchone()
        if row is None:
            return None
        version, value, crc = row
        if not isinstance(version, int):
            return 0, b""
        whole = isinstance(value, bytes) and segments.record_crc(key, value) == crc
        return version, value if whole else b""

    def heads(self, logs: Sequence[str]) -> dict[str, tuple[int, int]]:
        """(first kept seq, highest seq) of each log."""
        with failures(self._path, KIND):
            return {name: self._known.log(name)[1:] for name in logs}

    def bases(self, epoch: str, logs: Sequence[str]) -> dict[str, int]:
        """Up to which seq each log is the same as it was in that epoch; 0 if nothing is known of it."""
        heads = self.heads(logs)
        with failures(self._path, KIND):
            row = self._database.execute("SELECT number, name, crc FROM epoch WHERE name = ?", (epoch,)).fetchone()
            if row is None or not segments.is_sealed(row):
                return dict.fromkeys(logs, 0)
            return {log: min(heads[log][1], self._base(row[0], log)) for log in logs}

    def _base(self, epoch: int, log: str) -> int:
        """The lowest head that a log had at the beginning of an epoch after this one."""
        ask = (
            "SELECT number, base.log, base.head, base.crc FROM epoch"
            " LEFT JOIN base ON base.epoch = number AND base.log = ? WHERE number > ?"
        )
        rows: list[Any] = self._database.execute(ask, (self._known.log(log).id, epoch)).fetchall()
        heads = (row[2] if segments.is_sealed(row) else 0 for row in rows)
        return min(heads, default=MOST_SEQ)

    def devices(self, names: Sequence[str]) -> dict[str, DeviceState]:
        """Last number, cursors and refusals of each device."""
        with failures(self._path, KIND):
            return {name: self._device(name) for name in names}

    def _device(self, name: str) -> DeviceState:
        row = self._known.device(name)
        ask = "SELECT name, device, log, pos, cursor.crc FROM cursor JOIN log ON log.id = cursor.log WHERE device = ?"
        places: list[Any] = self._database.execute(ask, (row.id,)).fetchall()
        cursors = {log: place[2] for log, *place in places if segments.is_sealed(tuple(place))}
        refused = self._known.refused(row.id, 0)
        return DeviceState(DAMAGED if refused is None else row.last, cursors, refused or {}, row.visits)

    def browse(self, prefix: str, limit: int, after: str = "") -> list[str]:
        """Keys that begin with prefix and come after a key, ascending by code point, at most ``limit``."""
        # SQLite compares the bytes of UTF-8, and their order is that of code points.
        ask = "SELECT key FROM record WHERE key >= ? AND key > ? ORDER BY key LIMIT ?"
        with failures(self._path, KIND):
            keys = [key for (key,) in self._database.execute(ask, (prefix, after, limit))]
        return list(takewhile(lambda key: key.startswith(prefix), keys))

    def size(self) -> int:
        """How many bytes of the file hold something."""
        with failures(self._path, KIND):
            pages: int = self._database.pragma("page_count") - self._database.pragma("freelist_count")
            return pages * int(self._database.pragma("page_size"))

    # ---- the whole -------------------------------------------------------------------------------------

    def dump(self) -> Iterator[tuple[Any, ...]]:
        """Everything, in a fixed order. What is not as it was written comes empty, or not at all."""
        with failures(self._path, KIND):
            yield from self._dump_epochs()
            for (key,) in self._database.execute("SELECT key FROM record WHERE typeof(key) = 'text' ORDER BY key"):
                version, value = self._record(key) or (0, b"")
                self.emptied += not value
                yield ("record", key, max(version, 1), value)
            for (name,) in self._database.execute("SELECT name FROM log WHERE typeof(name) = 'text' ORDER BY name"):
                first, head = self._known.log(name)[1:]
                yield ("log", name, first, head)
                for seq, envelope in enumerate(self._walk(name, first), first):
                    yield ("envelope", name, seq, envelope)
            for (name,) in self._database.execute("SELECT name FROM device WHERE typeof(name) = 'text' ORDER BY name"):
                yield from self._dump_device(name, self._device(name))

    def _dump_epochs(self) -> Iterator[tuple[Any, ...]]:
        rows: list[Any] = self._database.execute("SELECT number, name, crc FROM epoch ORDER BY number").fetchall()
        epochs = [(row[0], row[1] if self._is_told(row) else f"damaged-{row[0]}") for row in rows]
        yield ("store", self.broker, epochs[-1][1])
        for number, name in epochs:
            yield ("epoch", number, name)
            yield from self._dump_bases(number)

    def _dump_bases(self, epoch: int) -> Iterator[tuple[Any, ...]]:
        ask = (
            "SELECT name, epoch, base.log, base.head, base.crc FROM base JOIN log ON log.id = base.log"
            " WHERE epoch = ? ORDER BY name"
        )
        for name, *row in self._database.execute(ask, (epoch,)):
            if self._is_told(tuple(row)):
                yield ("base", epoch, name, row[2])

    def _dump_device(self, name: str, state: DeviceState) -> Iterator[tuple[Any, ...]]:
        self.emptied += state.last == DAMAGED
        yield ("device", name, state.last, state.visits)
        for n, why in sorted(state.refused.items()):
            yield ("refusal", name, n, *why)
        for log, pos in sorted(state.cursors.items()):
            yield ("cursor", name, log, pos)

    def _is_told(self, row: tuple[Any, ...]) -> bool:
        whole = segments.is_sealed(row)
        self.emptied += not whole
        return whole

    def copying(self, target: Path) -> Copying:
        """Begin a copy, which is to be taken on step by step. StoreUnwritable if it can't be made there."""
        return Copying(self._database, target, KIND)

    def close(self) -> None:
        """Copy what stands beside the file into it; afterwards the one file holds everything."""
        with failures(self._path, KIND):
            # What stands beside the file then stays there, and is whole; so while a question that failed is still open.
            with suppress(apsw.BusyError, apsw.LockedError, apsw.FullError):
                self._database.execute("DELETE FROM setting WHERE name = 'open'")
                self._database.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
            self._database.close()
