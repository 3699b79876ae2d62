"""What is known of logs and devices by name, so that a turn need not ask the file for each."""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar
from zlib import crc32

import apsw

from core.commands import Reason
from store.segments import PLACE, SLICE, is_sealed, is_slice

# About 20 MB when full; a broker with more active devices or logs asks the file now and then.
KNOWN_NAMES = 100_000

# The last number of a device whose row is damaged: nobody can tell what was stored of it.
DAMAGED = -1

_ONE, _TWO = struct.Struct("<q"), struct.Struct("<qq")
_K = TypeVar("_K")
_V = TypeVar("_V")


class Recent(Generic[_K, _V]):
    """A dictionary of limited weight: what was not used for longest is forgotten first."""

    def __init__(self, limit: int, weigh: Callable[[_V], int] = lambda value: 1) -> None:
        self._limit = limit
        self._weigh = weigh
        self._weight = 0
        self._items: OrderedDict[_K, _V] = OrderedDict()

    def get(self, key: _K) -> _V | None:
        """What is remembered under this key, None if nothing is."""
        value = self._items.get(key)
        if value is not None:
            self._items.move_to_end(key)
        return value

    def keep(self, key: _K, value: _V) -> None:
        """Remember this, and forget others if need be."""
        old = self._items.pop(key, None)
        if old is not None:
            self._weight -= self._weigh(old)
        self._items[key] = value
        self._weight += self._weigh(value)
        while self._weight > self._limit:
            self._weight -= self._weigh(self._items.popitem(last=False)[1])


class Log(NamedTuple):
    """A log's row; id 0: it has none yet."""

    id: int = 0
    first: int = 1
    head: int = 0

    def crc(self, name: str) -> int:
        """The CRC32 of its row."""
        return crc32(_TWO.pack(self.first, self.head), crc32(name.encode()))


class Device(NamedTuple):
    """A device's row; id 0: it has none yet."""

    id: int = 0
    last: int = 0
    visits: bytes = b""

    def crc(self, name: str) -> int:
        """The CRC32 of its row."""
        return crc32(self.visits, crc32(_ONE.pack(self.last), crc32(name.encode())))


def is_whole(row: Log | Device, name: str, crc: int) -> bool:
    """Whether a row is as it was written."""
    try:
        return row.crc(name) == crc
    except (struct.error, TypeError, AttributeError):  # not even of the right kind
        return False


class Known:
    """Rows of logs and devices as they are committed."""

    def __init__(self, database: apsw.Connection) -> None:
        self._database = database
        self._logs: Recent[str, Log] = Recent(KNOWN_NAMES)
        self._devices: Recent[str, Device] = Recent(KNOWN_NAMES)

    def log(self, name: str) -> Log:
        """A log's row; an empty one with id 0 if there is none."""
        log = self._logs.get(name)
        if log is None:
            row = self._database.execute("SELECT id, first, head, crc FROM log WHERE name = ?", (name,)).fetchone()
            if row is None:
                return Log()
            log = Log(*row[:3])
            if not is_whole(log, name, row[3]):
                log = self._mended(log)
            self._logs.keep(name, log)
        return log

    def _mended(self, log: Log) -> Log:
        """A log whose row is damaged, as its first and its last slice have it: each of them has a CRC of its own."""
        ends = [self._slice(log, order) for order in ("ASC", "DESC")]
        if not all(ends):
            raise apsw.CorruptError("a log's row and its slices")
        return Log(log.id, ends[0][0], ends[1][1])

    def _slice(self, log: Log, order: str) -> tuple[int, ...]:
        """First and last seq of the first or last slice; nothing if there is none, or it is damaged."""
        ask = f"SELECT {SLICE} FROM slice WHERE log = ? ORDER BY first {order} LIMIT 1"
        for first, segment, places, crc in self._database.execute(ask, (log.id,)):
            if is_slice(log.id, first, segment, places, crc):
                return first, first + len(places) // PLACE.size - 1
        return ()

    def device(self, name: str) -> Device:
        """A device's row; an empty one with id 0 if there is none."""
        device = self._devices.get(name)
        if device is None:
            ask = "SELECT id, last, CAST(visits AS BLOB), crc FROM device WHERE name = ?"
            row = self._database.execute(ask, (name,)).fetchone()
            if row is None:
                return Device()
            device = Device(*row[:3])
            if not is_whole(device, name, row[3]):
                return Device(device.id, DAMAGED)
            self._devices.keep(name, device)
        return device

    def refused(self, device: int, n: int) -> dict[int, Reason] | None:
        """Why a device's sends from n on were refused; None if what is kept of that is damaged."""
        ask = "SELECT device, n, code, sentence, crc FROM refusal WHERE device = ? AND n >= ?"
        rows: list[Any] = self._database.execute(ask, (device, n)).fetchall()
        return {row[1]: row[2:4] for row in rows} if all(map(is_sealed, rows)) else None

    def learn(self, logs: Mapping[str, Log], devices: Mapping[str, Device]) -> None:
        """Take over what a commit has changed."""
        for name, log in logs.items():
            self._logs.keep(name, log)
        for name, device in devices.items():
            self._devices.keep(name, device)
