"""Whether a store's file is whole: every CRC, every log without a hole, everything that is named there.

A sentence for each thing that is wrong; where it is a message, with its log and seq. The file is only read, also while
a broker works on it: what is found is as it was at one moment.
"""

from __future__ import annotations

import os
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import msgspec

from core import records
from protocol import frames, names
from store import StoreDamaged, StoreNewer, segments
from store.database import failures
from store.known import DAMAGED, Device, Log, is_whole
from store.segments import PLACE
from store.sqlite import BROKER, KIND

_SLICES = f"SELECT {segments.SLICE} FROM slice WHERE log = ? ORDER BY first"

# Short rows with a CRC of their own behind the names of two things, and what is said of one that is damaged.
_DEVICE, _LOG = "(SELECT name FROM device WHERE id = device)", "(SELECT name FROM log WHERE id = log)"
_SHORT = {
    f"SELECT {_DEVICE}, n, device, n, code, sentence, crc FROM refusal": "device {}: why its number {} was refused",
    f"SELECT {_DEVICE}, {_LOG}, device, log, pos, crc FROM cursor": "device {}: how far it has read {}",
    "SELECT number, name, number, name, crc FROM epoch": "epoch {}: its name, {},",
    f"SELECT epoch, {_LOG}, epoch, log, head, crc FROM base": "epoch {}: where {} was when it began",
}

KINDS = {"account/": records.Account, "key/": records.Key, "room/": records.Room, "permit/": records.Permit}


class _Slice(NamedTuple):
    """A slice's row."""

    log: int
    first: int
    segment: int
    places: bytes
    crc: int

    @property
    def end(self) -> int:
        return self.first + len(self.places) // PLACE.size

    @property
    def whole(self) -> bool:
        return segments.is_slice(*self)


class Summary(msgspec.Struct):
    """What was looked at."""

    logs: int = 0
    messages: int = 0
    accounts: int = 0
    devices: int = 0


def read_only(path: Path) -> apsw.Connection:
    """A store's file for reading, as it is now: nobody waits for it, and it waits for nobody. StoreDamaged or
    StoreNewer if it is none that this program can read.
    """
    with failures(path, KIND):
        try:
            database = _opened(path)
        except apsw.ReadOnlyError:
            _roll_back(path)
            database = _opened(path)
        application, version = database.pragma("application_id"), database.pragma("user_version")
    if application != KIND.application:
        raise StoreDamaged("{path} is no store of this program", path=path)
    if version > KIND.version:
        raise StoreNewer("{path} was written by a newer version of this program; upgrade the program", path=path)
    if version < KIND.version:
        raise StoreDamaged(
            "{path} was written by an older version of this program; start the broker on it once", path=path
        )
    database.execute("BEGIN")
    return database


def _opened(path: Path) -> apsw.Connection:
    database = apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READONLY)
    database.pragma("user_version")
    return database


def _roll_back(path: Path) -> None:
    """Undo the half transaction of a program that was killed before its file was in WAL, which only a writer can."""
    database = apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READWRITE)
    database.pragma("user_version")
    database.close()


class Verifier:
    """One look at one file. ``findings`` says what is wrong, and fills the summary on its way."""

    def __init__(self, database: apsw.Connection) -> None:
        self._database = database
        self.summary = Summary()
        self._refs: Counter[int] = Counter()
        self._last: dict[str, int] = {}  # device → the highest n seen of it

    def findings(self) -> Iterator[str]:
        """A sentence for each thing that is wrong."""
        for look in (self._file, self._logs, self._segments, self._devices, self._records, self._references):
            try:
                yield from look()
            except apsw.IOError:
                raise
            except (apsw.Error, ValueError, TypeError, struct.error) as error:  # not even of the right kind
                yield f"the file: {error}"

    def _file(self) -> Iterator[str]:
        for (said,) in self._ask("PRAGMA integrity_check(100)"):
            if said != "ok":
                yield f"the file: {said}"
        if not self._ask(BROKER) or not self._ask("SELECT 1 FROM epoch"):
            yield "the broker's id or its epoch is missing"

    def _ask(self, question: str, *values: Any) -> list[Any]:
        return self._database.execute(question, values).fetchall()

    # -- logs --

    def _logs(self) -> Iterator[str]:
        for log_id, name, first, head, crc in self._ask("SELECT id, name, first, head, crc FROM log ORDER BY name"):
            self.summary.logs += 1
            slices = [_Slice(log_id, *row) for row in self._ask(_SLICES, log_id)]
            if is_whole(Log(log_id, first, head), name, crc):
                yield from self._log(name, first, head, slices)
                continue
            yield f"{name}: its row is damaged"
            if whole := [each for each in slices if each.whole]:  # which say where it begins and ends
                yield from self._log(name, whole[0].first, whole[-1].end - 1, slices)

    def _log(self, name: str, first: int, head: int, slices: list[_Slice]) -> Iterator[str]:
        seq = first
        for each in slices:
            if not each.whole:
                continue  # the messages that it told of are missing
            if each.first > seq:
                yield _missing(name, seq, each.first - 1)
            self._refs.update(segments.count_refs([(each.segment, each.places)]))
            yield from self._envelopes(name, first, each)
            seq = max(seq, each.end)
        if seq <= head:
            yield _missing(name, seq, head)
        elif seq > head + 1:
            yield f"{name}: it holds messages up to {seq - 1}, and says {head}"

    def _envelopes(self, name: str, kept: int, some: _Slice) -> Iterator[str]:
        segment = some.segment
        for seq, (home, start, size) in enumerate(segments.unpack_places(some.places), some.first):
            if seq < kept:
                continue  # forgotten; its slice goes with the last of them
            self.summary.messages += 1
            body = self._database.execute(segments.BODY, (segment + home,)).get or b""
            packed = segments.envelope_at(body, segment + home, start, size)
            if packed is None:
                yield f"message {seq} of {name} is damaged"
                continue
            try:
                envelope = frames.decode_envelope(packed)
            except frames.ProtocolError as error:
                yield f"message {seq} of {name} can't be read ({error})"
                continue
            if envelope.enc == "damaged":
                continue  # so it was exported from a store that was damaged: it says nothing of a device
            device = records.device(_key(envelope.author), envelope.device)
            self._last[device] = max(self._last.get(device, 0), envelope.n)

    def _segments(self) -> Iterator[str]:
        for number, refs in self._ask("SELECT id, refs FROM segment ORDER BY id"):
            if refs < self._refs.get(number, 0):
                yield f"segment {number}: it is counted {refs} times, and named {self._refs[number]} times"

    # -- devices and records --

    def _devices(self) -> Iterator[str]:
        known = {}
        for device_id, name, last, visits, crc in self._ask(
            "SELECT id, name, last, CAST(visits AS BLOB), crc FROM device"
        ):
            self.summary.devices += 1
            known[name] = last
            if not is_whole(Device(device_id, last, visits), name, crc):
                known[name] = DAMAGED
                yield f"device {name}: its row is damaged"
        for name, n in self._last.items():
            if name not in known:
                yield f"device {name}: it has sent, and is not known"
            elif DAMAGED < known[name] < n:
                yield f"device {name}: its number {n} is stored, and {known[name]} is said to be its last"

    def _records(self) -> Iterator[str]:
        ask = "SELECT key, version, CAST(value AS BLOB), crc FROM record ORDER BY key"
        for key, version, value, crc in self._ask(ask):
            is_record = isinstance(key, str) and isinstance(version, int) and isinstance(value, bytes)
            if not is_record or version < 1 or segments.record_crc(key, value) != crc:
                yield f"record {key} is damaged"
            elif kind := next((kind for prefix, kind in KINDS.items() if key.startswith(prefix)), None):
                self.summary.accounts += kind is records.Account
                yield from self._record(key, kind, value)

    def _record(self, key: str, kind: type[Any], value: bytes) -> Iterator[str]:
        try:
            record = records.unpack(kind, value)
        except records.DamagedRecord as error:
            yield f"record {key} can't be read ({error})"
            return
        # An account's key and its membership are written after it, in commits of their own: they may still be missing.
        if isinstance(record, records.Account):
            yield from self._named(key, *(records.room(log) for log in record.rooms if log != names.LOBBY))
        elif isinstance(record, records.Key):
            yield from self._named(key, records.account(record.account))

    def _named(self, key: str, *others: str) -> Iterator[str]:
        for other in others:
            if not self._ask("SELECT 1 FROM record WHERE key = ?", other):
                yield f"record {key} names {other}, which is not there"

    def _references(self) -> Iterator[str]:
        self._ask("SELECT name, value FROM setting")  # whether they can be read at all
        for ask, sentence in _SHORT.items():
            for one, other, *row in self._ask(ask):
                if not segments.is_sealed(tuple(row)):
                    yield f"{sentence.format(one, other)} is damaged"
        for table, column, target in (
            ("cursor", "device", "device"),
            ("cursor", "log", "log"),
            ("refusal", "device", "device"),
            ("slice", "log", "log"),
            ("base", "log", "log"),
        ):
            ask = f"SELECT DISTINCT {column} FROM {table} WHERE {column} NOT IN (SELECT id FROM {target})"
            for (number,) in self._ask(ask):
                yield f"{table}: {target} {number} is not there"


def _missing(log: str, first: int, last: int) -> str:
    if first == last:
        return f"message {first} of {log} is missing"
    return f"messages {first} to {last} of {log} are missing"


def _key(author: str) -> str:
    try:
        return names.key(author)
    except names.BadName:
        return author
