"""What is known of logs and devices by name, so that a turn need not ask the file for each."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Generic, NamedTuple, TypeVar

import apsw

# About 20 MB when full; a broker with more active devices or logs asks the file now and then.
KNOWN_NAMES = 100_000

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


class Device(NamedTuple):
    """A device's row; id 0: it has none yet."""

    id: int = 0
    last: int = 0


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
            row = self._database.execute("SELECT id, first, head FROM log WHERE name = ?", (name,)).fetchone()
            if row is None:
                return Log()
            log = Log(*row)
            self._logs.keep(name, log)
        return log

    def device(self, name: str) -> Device:
        """A device's row; an empty one with id 0 if there is none."""
        device = self._devices.get(name)
        if device is None:
            row = self._database.execute("SELECT id, last FROM device WHERE name = ?", (name,)).fetchone()
            if row is None:
                return Device()
            device = Device(*row)
            self._devices.keep(name, device)
        return device

    def learn(self, logs: Mapping[str, Log], devices: Mapping[str, Device]) -> None:
        """Take over what a commit has changed."""
        for name, log in logs.items():
            self._logs.keep(name, log)
        for name, device in devices.items():
            self._devices.keep(name, device)
