"""One group on its way into the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, cast

import apsw

from core.commands import REFUSALS_KEPT, Append, Move, Operation, Put, Reason, Trim
from core.events import Arrived, Conflict, Done, Gap, Result
from protocol import frames, remarks
from store import segments
from store.known import Device, Known, Log

# What one Trim gives back to the disk at most: enough to keep pace, little enough not to stop the loop.
VACUUM_PAGES = 64


class Turn:
    """What one group changes. Nothing outside this object changes before the commit has succeeded."""

    def __init__(self, database: apsw.Connection, known: Known, next_segment: int) -> None:
        self._database = database
        self._known = known
        self._envelopes: list[bytes] = []  # that are new, each once
        self._indexes: dict[str, list[int]] = {}  # log → which of them enter it
        self.logs: dict[str, Log] = {}  # rows that are changed
        self.devices: dict[str, Device] = {}
        self.next_segment = next_segment
        self.arrived: list[Arrived] = []
        self.size = 0  # bytes of the segments in which that lies
        self._withholds: list[tuple[bytes, str, list[int]]] = []  # an envelope, and where what it withholds stands
        self.changed: dict[int, bytes] = {}  # segments whose bodies are others than before

    def carry_out(self, group: Sequence[Operation]) -> list[Result]:
        """Write a group, within a transaction of the caller's; a result for each operation, in its order."""
        results: dict[int, Result] = {}
        steps: tuple[tuple[type, Callable[[Any], Result]], ...] = (
            (Append, self._append),
            (Move, self._move),
            (Put, self._put),
            (Trim, self._trim),
        )
        for kind, carry_out in steps:
            for place, operation in enumerate(group):
                if type(operation) is kind:
                    results[place] = carry_out(operation)
            if kind is Append:
                self._write()
        return [results[place] for place in range(len(group))]

    # ---- sends -----------------------------------------------------------------------------------------

    def _append(self, append: Append) -> Result:
        device = self._device(append.device)
        stored = device.last + 1 - append.n
        if stored < 0:
            return Gap(device.last + 1)
        kept = self._refused(device, append) if stored else {}
        if stored < len(append.logs):
            refused = self._take(append.n + stored, append.logs[stored:], append.envelopes[stored:])
            last = append.n + len(append.logs) - 1
            if append.withholds:
                self._note_withholds(append, stored)
            if refused:
                kept |= refused
                self._refuse(self._registered_device(append.device), refused)
            device = Device(self._device(append.device).id, last, append.visits)
            self.devices[append.device] = device
        return Done(device.last, kept)

    def _take(self, n: int, logs: list[tuple[str, ...]], envelopes: list[bytes | Reason]) -> dict[int, Reason]:
        """Neighbours mostly go to the same logs, and are taken together. What was refused comes back."""
        taken, refused, place = self._envelopes, dict[int, Reason](), 0
        for names, same in groupby(logs):
            some = envelopes[place : place + len(list(same))]
            if names:
                indexes = range(len(taken), len(taken) + len(some))
                taken += cast("list[bytes]", some)
                for name in names:
                    self._indexes.setdefault(name, []).extend(indexes)
            else:
                refused |= enumerate(cast("list[Reason]", some), n + place)
            place += len(some)
        return refused

    def _note_withholds(self, append: Append, stored: int) -> None:
        for n, (log, seqs) in append.withholds.items():
            envelope = append.envelopes[n - append.n]
            if n >= append.n + stored and isinstance(envelope, bytes):
                self._withholds.append((envelope, log, seqs))

    def _refuse(self, device: int, refused: dict[int, Reason]) -> None:
        rows = [segments.sealed(device, n, *why) for n, why in refused.items()]
        ask = "INSERT INTO refusal (device, n, code, sentence, crc) VALUES (?, ?, ?, ?, ?)"
        self._database.executemany(ask, rows)
        oldest = max(refused) - REFUSALS_KEPT
        self._database.execute("DELETE FROM refusal WHERE device = ? AND n <= ?", (device, oldest))

    def _refused(self, device: Device, append: Append) -> dict[int, Reason]:
        """What was refused before, from its first send on: the answer settles all that is stored of the device."""
        refused = self._known.refused(device.id, append.n)
        if refused is None:
            raise apsw.CorruptError("a refusal")
        return refused

    def _write(self) -> None:
        if self._indexes:
            self._write_envelopes()
        for envelope, log, seqs in self._withholds:
            for seq in seqs:
                self._withhold(frames.decode_envelope(envelope), self._log(log), seq)
        self._write_devices()

    def _write_envelopes(self) -> None:
        base = self.next_segment
        layout = segments.lay(self._envelopes, self._indexes.values(), base)
        rows = ((base + home, layout.refs[home], body) for home, body in enumerate(layout.segments))
        self._database.executemany("INSERT INTO segment (id, refs, body) VALUES (?, ?, ?)", rows)
        self.next_segment, self.size = base + len(layout.segments), sum(map(len, layout.segments))
        slices = []
        for (name, indexes), places in zip(self._indexes.items(), layout.places, strict=True):
            log = self._registered_log(name)
            first = log.head + 1
            slices.append((log.id, first, base, places, segments.slice_crc(log.id, first, base, places)))
            self.logs[name] = Log(log.id, log.first, log.head + len(indexes))
            self.arrived.append(Arrived(name, first, [self._envelopes[index] for index in indexes]))
        self._database.executemany(
            "INSERT INTO slice (log, first, segment, places, crc) VALUES (?, ?, ?, ?, ?)", slices
        )
        heads = [(log.head, log.crc(name), log.id) for name, log in self.logs.items()]
        self._database.executemany("UPDATE log SET head = ?, crc = ? WHERE id = ?", heads)

    def _withhold(self, envelope: frames.Envelope, log: Log, seq: int) -> None:
        """Take the text from what stands in a log, where it stands: every log that names the place sees it."""
        ask = f"SELECT {segments.SLICE} FROM slice WHERE log = ? AND first <= ? ORDER BY first DESC LIMIT 1"
        rows: list[Any] = self._database.execute(ask, (log.id, seq)).fetchall()
        for first, base, places, crc in rows:
            place = next(segments.unpack_places(places, seq - first), None)
            if seq < log.first or place is None or not segments.is_slice(log.id, first, base, places, crc):
                return
            home, start, size = base + place[0], *place[1:]
            body: Any = self._database.execute(segments.BODY, (home,)).get or b""
            former = segments.envelope_at(body, home, start, size)
            bare = remarks.withheld(former, envelope) if former else None
            if bare:
                self.changed[home] = segments.put_at(body, home, start, bare)
                self._database.execute("UPDATE segment SET body = ? WHERE id = ?", (self.changed[home], home))

    def _write_devices(self) -> None:
        for name in self.devices:
            self._registered_device(name)
        rows = [(each.last, each.visits, each.crc(name), each.id) for name, each in self.devices.items()]
        self._database.executemany("UPDATE device SET last = ?, visits = ?, crc = ? WHERE id = ?", rows)

    # ---- the rest --------------------------------------------------------------------------------------

    def _move(self, move: Move) -> Result:
        log = self._log(move.log)
        pos = min(move.pos, log.head)
        if pos <= 0:
            return Done(self._cursor(move.device, log))
        key = (self._registered_device(move.device), log.id)
        before = self._cursor(move.device, log)
        if pos > before:
            row = segments.sealed(*key, pos)
            self._database.execute("INSERT OR REPLACE INTO cursor (device, log, pos, crc) VALUES (?, ?, ?, ?)", row)
        return Done(max(pos, before))

    def _cursor(self, device: str, log: Log) -> int:
        """How far a device has read a log; 0 if nobody knows."""
        key = (self._device(device).id, log.id)
        ask = "SELECT device, log, pos, crc FROM cursor WHERE device = ? AND log = ?"
        row = self._database.execute(ask, key).fetchone()
        return row[2] if row and segments.is_sealed(row) else 0

    def _put(self, put: Put) -> Result:
        due = []
        for each in (put, *put.also):
            version, held = self._record(each.key)
            if each.value == held and version in (0, each.expect + 1):  # so it is already: this Put was made before
                continue
            if version != each.expect:
                return Conflict(version)
            due.append(each)
        for each in due:
            self._set(each.key, each.expect + 1, each.value)
        return Done(self._record(put.key)[0])

    def _record(self, key: str) -> tuple[int, bytes | None]:
        ask = "SELECT version, CAST(value AS BLOB) FROM record WHERE key = ?"
        row = self._database.execute(ask, (key,)).fetchone()
        return row or (0, None)

    def _set(self, key: str, version: int, value: bytes | None) -> None:
        if value is None:
            self._database.execute("DELETE FROM record WHERE key = ?", (key,))
            return
        self._database.execute(
            "INSERT INTO record (key, version, value, crc) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET version = excluded.version, value = excluded.value, crc = excluded.crc",
            (key, version, value, segments.record_crc(key, value)),
        )

    def _trim(self, trim: Trim) -> Result:
        log = self._log(trim.log)
        first = max(log.first, min(trim.below, log.head + 1))
        if first > log.first:
            log = self.logs[trim.log] = Log(log.id, first, log.head)
            row = (first, log.crc(trim.log), log.id)
            self._database.execute("UPDATE log SET first = ?, crc = ? WHERE id = ?", row)
            self._drop_slices(log.id, first)
        return Done(first)

    def _drop_slices(self, log: int, below: int) -> None:
        """Drop the slices that lie wholly below a seq, and the segments that nobody names any more."""
        ask = f"SELECT {segments.SLICE} FROM slice WHERE log = ? AND first < ?"
        rows: list[tuple[int, int, bytes, int]] = list(self._database.execute(ask, (log, below)))
        gone = [row for row in rows if row[0] + len(row[2]) // segments.PLACE.size <= below]
        self._database.executemany("DELETE FROM slice WHERE log = ? AND first = ?", [(log, row[0]) for row in gone])
        # What a damaged slice says of its segments is not believed: better a segment too many than a message lost.
        refs = segments.count_refs(row[1:3] for row in gone if segments.is_slice(log, *row))
        # The same goes for a count that is none.
        ask = "UPDATE segment SET refs = refs - ? WHERE id = ? AND typeof(refs) = 'integer'"
        self._database.executemany(ask, [(count, segment) for segment, count in refs.items()])
        self._database.executemany("DELETE FROM segment WHERE id = ? AND refs <= 0", [(segment,) for segment in refs])
        self._database.execute(f"PRAGMA incremental_vacuum({VACUUM_PAGES})").fetchall()

    # ---- rows ------------------------------------------------------------------------------------------

    def _log(self, name: str) -> Log:
        return self.logs.get(name) or self._known.log(name)

    def _device(self, name: str) -> Device:
        return self.devices.get(name) or self._known.device(name)

    def _registered_log(self, name: str) -> Log:
        log = self._log(name)
        if log.id:
            return log
        row = (name, log.first, log.head, log.crc(name))
        self._database.execute("INSERT INTO log (name, first, head, crc) VALUES (?, ?, ?, ?)", row)
        self.logs[name] = Log(self._database.last_insert_rowid(), log.first, log.head)
        return self.logs[name]

    def _registered_device(self, name: str) -> int:
        device = self._device(name)
        if device.id:
            return device.id
        row = (name, device.last, device.visits, device.crc(name))
        self._database.execute("INSERT INTO device (name, last, visits, crc) VALUES (?, ?, ?, ?)", row)
        self.devices[name] = Device(self._database.last_insert_rowid(), device.last, device.visits)
        return self.devices[name].id
