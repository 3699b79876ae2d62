"""The store as dictionaries: the executable specification of the port, and the simulator's store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from core.clock import Instant
from core.commands import Append, Move, Operation, Put, Trim
from core.events import Arrived, Conflict, DeviceState, Done, Gap, Result, Stored
from store import Outcome, Record

ORDER = (Append, Move, Put, Trim)


class Log:
    """One log: the first seq that is kept, and the envelopes from there."""

    def __init__(self) -> None:
        self.first = 1
        self.envelopes: list[bytes] = []

    @property
    def head(self) -> int:
        """The highest seq."""
        return self.first + len(self.envelopes) - 1


class MemoryStore:
    """Everything in memory, nothing durable: it is lost with the process."""

    def __init__(self, epoch: str, broker: bytes) -> None:
        self.epoch = epoch
        self.broker = broker
        self._logs: dict[str, Log] = {}
        self._devices: dict[str, DeviceState] = {}
        self._records: dict[str, Record] = {}
        self._arrived: dict[str, Arrived] = {}
        self._outcomes: list[Outcome] = []
        self._carry_out: dict[type, Callable[[Any], Result]] = {
            Append: self._append,
            Move: self._move,
            Put: self._put,
            Trim: self._trim,
        }

    # ---- a group ---------------------------------------------------------------------------------------

    def submit(self, group: Sequence[Operation], now: Instant) -> None:
        """Carry out a group at once; the next poll tells."""
        results: dict[int, Result] = {}
        for place in sorted(range(len(group)), key=lambda place: ORDER.index(type(group[place]))):
            results[place] = self._carry_out[type(group[place])](group[place])
        in_order = [results[place] for place in range(len(group))]
        self._outcomes.append(Stored(list(group), in_order, list(self._arrived.values())))
        self._arrived = {}

    def poll(self) -> list[Outcome]:
        """What was stored since the last call."""
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    def fileno(self) -> None:
        """None: results are ready at the next poll."""

    def _append(self, append: Append) -> Result:
        last = self._device(append.device).last
        if append.n > last + 1:
            return Gap(last + 1)
        for n, (logs, envelope) in enumerate(zip(append.logs, append.envelopes, strict=True), append.n):
            if n > last:
                last = n
                self._enter(logs, envelope)
        if last > 0:
            self._devices.setdefault(append.device, DeviceState(0, {})).last = last
        return Done(last)

    def _enter(self, logs: tuple[str, ...], envelope: bytes | None) -> None:
        if envelope is None:
            return
        for name in logs:
            log = self._logs.setdefault(name, Log())
            log.envelopes.append(envelope)
            self._arrived.setdefault(name, Arrived(name, log.head, [])).envelopes.append(envelope)

    def _move(self, move: Move) -> Result:
        cursors = self._device(move.device).cursors
        pos = max(cursors.get(move.log, 0), min(move.pos, self._log(move.log).head))
        if pos > 0:
            self._devices.setdefault(move.device, DeviceState(0, {})).cursors[move.log] = pos
        return Done(pos)

    def _put(self, put: Put) -> Result:
        version, held = self._records.get(put.key, (0, None))
        if put.value == held and version in (0, put.expect + 1):  # so it is already: this Put was made before
            return Done(version)
        if version != put.expect:
            return Conflict(version)
        if put.value is None:
            del self._records[put.key]
            return Done(0)
        self._records[put.key] = (version + 1, put.value)
        return Done(version + 1)

    def _trim(self, trim: Trim) -> Result:
        log = self._log(trim.log)
        first = max(log.first, min(trim.below, log.head + 1))
        del log.envelopes[: first - log.first]
        log.first = first
        return Done(first)

    # ---- questions -------------------------------------------------------------------------------------

    def read(self, log: str, after: int, messages: int, size: int) -> Arrived:
        """Envelopes with seq > after: at most ``messages``, and ``size`` bytes but at least one."""
        kept = self._log(log)
        first = max(after + 1, kept.first)
        some: list[bytes] = []
        for envelope in kept.envelopes[first - kept.first :][:messages]:
            size -= len(envelope)
            if some and size < 0:
                break
            some.append(envelope)
        return Arrived(log, first, some)

    def get(self, keys: Sequence[str]) -> dict[str, Record | None]:
        """Records by key, None where there is none."""
        return {key: self._records.get(key) for key in keys}

    def heads(self, logs: Sequence[str]) -> dict[str, tuple[int, int]]:
        """(first kept seq, highest seq) of each log."""
        return {name: (self._log(name).first, self._log(name).head) for name in logs}

    def devices(self, names: Sequence[str]) -> dict[str, DeviceState]:
        """Last number and cursors of each device."""
        return {name: DeviceState(self._device(name).last, dict(self._device(name).cursors)) for name in names}

    def browse(self, prefix: str, limit: int) -> list[str]:
        """Keys that begin with prefix, ascending by code point, at most ``limit``."""
        return sorted(key for key in self._records if key.startswith(prefix))[:limit]

    def dump(self) -> Iterator[tuple[Any, ...]]:
        """Everything, in a fixed order."""
        yield ("store", self.broker, self.epoch)
        for key, (version, value) in sorted(self._records.items()):
            yield ("record", key, version, value)
        for name, log in sorted(self._logs.items()):
            yield ("log", name, log.first, log.head)
            for seq, envelope in enumerate(log.envelopes, log.first):
                yield ("envelope", name, seq, envelope)
        for name, device in sorted(self._devices.items()):
            yield ("device", name, device.last)
            for log_name, pos in sorted(device.cursors.items()):
                yield ("cursor", name, log_name, pos)

    def close(self) -> None:
        """Nothing is held open."""

    def _log(self, name: str) -> Log:
        return self._logs.get(name) or Log()

    def _device(self, name: str) -> DeviceState:
        return self._devices.get(name) or DeviceState(0, {})
