"""The store as dictionaries: the executable specification of the port, and the simulator's store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from core.clock import Instant
from core.commands import REFUSALS_KEPT, Append, Move, Operation, Put, Reason, Trim
from core.events import Arrived, Conflict, DeviceState, Done, Gap, Result, Stored
from protocol import frames, remarks
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
        self._withholds: list[tuple[bytes, str, list[int]]] = []  # an envelope, and where what it withholds stands
        self._outcomes: list[Outcome] = []
        self._begun: dict[str, dict[str, int]] = {epoch: {}}  # epoch → the heads of all logs when it began
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
            if type(group[place]) is not Append:
                self._withhold_texts()
            results[place] = self._carry_out[type(group[place])](group[place])
        self._withhold_texts()
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
        device = self._device(append.device)
        if append.n > device.last + 1:
            return Gap(device.last + 1)
        refused = {n: why for n, why in device.refused.items() if n >= append.n}
        for n, (logs, envelope) in enumerate(zip(append.logs, append.envelopes, strict=True), append.n):
            if n > device.last:
                device = self._devices[append.device] = self._enter(device, logs, envelope, append.visits)
                refused |= {n: envelope} if isinstance(envelope, tuple) else {}
                if isinstance(envelope, bytes) and n in append.withholds:
                    self._withholds.append((envelope, *append.withholds[n]))
        return Done(device.last, refused)

    def _enter(
        self, device: DeviceState, logs: tuple[str, ...], envelope: bytes | Reason, visits: bytes
    ) -> DeviceState:
        """One new send; the state of its device then."""
        last, refused = device.last + 1, device.refused
        if isinstance(envelope, tuple):
            refused = {n: why for n, why in refused.items() if n > last - REFUSALS_KEPT} | {last: envelope}
        else:
            for name in logs:
                log = self._logs.setdefault(name, Log())
                log.envelopes.append(envelope)
                self._arrived.setdefault(name, Arrived(name, log.head, [])).envelopes.append(envelope)
        return DeviceState(last, device.cursors, refused, visits)

    def _withhold_texts(self) -> None:
        """Take their text from the envelopes that this group's remarks are about, in all logs that they entered."""
        withholds, self._withholds = self._withholds, []
        for envelope, name, seqs in withholds:
            log = self._log(name)
            for seq in seqs:
                if log.first <= seq <= log.head:
                    self._withhold(log.envelopes[seq - log.first], envelope)

    def _withhold(self, former: bytes, envelope: bytes) -> None:
        bare = remarks.withheld(former, frames.decode_envelope(envelope))
        if bare is None:
            return
        for log in self._logs.values():
            log.envelopes = [bare if stored == former else stored for stored in log.envelopes]

    def _move(self, move: Move) -> Result:
        cursors = self._device(move.device).cursors
        pos = max(cursors.get(move.log, 0), min(move.pos, self._log(move.log).head))
        if pos > 0:
            self._devices.setdefault(move.device, DeviceState(0, {})).cursors[move.log] = pos
        return Done(pos)

    def _put(self, put: Put) -> Result:
        due = [each for each in (put, *put.also) if not self._is_made(each)]
        for each in due:
            version, _ = self._records.get(each.key, (0, None))
            if version != each.expect:
                return Conflict(version)
        for each in due:
            if each.value is None:
                del self._records[each.key]
            else:
                self._records[each.key] = (each.expect + 1, each.value)
        return Done(self._records.get(put.key, (0, None))[0])

    def _is_made(self, put: Put) -> bool:
        """Whether it is so already: this Put was made before."""
        version, held = self._records.get(put.key, (0, None))
        return put.value == held and version in (0, put.expect + 1)

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

    def bases(self, epoch: str, logs: Sequence[str]) -> dict[str, int]:
        """Up to which seq each log is the same as it was in that epoch."""
        if epoch not in self._begun:
            return dict.fromkeys(logs, 0)
        names = list(self._begun)
        since = [self._begun[each] for each in names[names.index(epoch) + 1 :]]
        return {log: min([self._log(log).head, *(heads.get(log, 0) for heads in since)]) for log in logs}

    def begin_epoch(self, epoch: str) -> None:
        """This is a copy that was put in place: its line of time is another one from here on."""
        self._begun[epoch] = {name: log.head for name, log in self._logs.items()}
        self.epoch = epoch

    def devices(self, names: Sequence[str]) -> dict[str, DeviceState]:
        """Last number, cursors and refusals of each device."""
        states = {name: self._device(name) for name in names}
        return {
            name: DeviceState(state.last, dict(state.cursors), dict(state.refused), state.visits)
            for name, state in states.items()
        }

    def browse(self, prefix: str, limit: int, after: str = "") -> list[str]:
        """Keys that begin with prefix and come after a key, ascending by code point, at most ``limit``."""
        return sorted(key for key in self._records if key.startswith(prefix) and key > after)[:limit]

    def size(self) -> int:
        """How many bytes of envelopes it holds."""
        return sum(len(envelope) for log in self._logs.values() for envelope in log.envelopes)

    def dump(self) -> Iterator[tuple[Any, ...]]:
        """Everything, in a fixed order."""
        yield ("store", self.broker, self.epoch)
        for number, (epoch, heads) in enumerate(self._begun.items(), 1):
            yield ("epoch", number, epoch)
            for name, head in sorted(heads.items()):
                yield ("base", number, name, head)
        for key, (version, value) in sorted(self._records.items()):
            yield ("record", key, version, value)
        for name, log in sorted(self._logs.items()):
            yield ("log", name, log.first, log.head)
            for seq, envelope in enumerate(log.envelopes, log.first):
                yield ("envelope", name, seq, envelope)
        for name, device in sorted(self._devices.items()):
            yield ("device", name, device.last, device.visits)
            for n, why in sorted(device.refused.items()):
                yield ("refusal", name, n, *why)
            for log_name, pos in sorted(device.cursors.items()):
                yield ("cursor", name, log_name, pos)

    def close(self) -> None:
        """Nothing is held open."""

    def _log(self, name: str) -> Log:
        return self._logs.get(name) or Log()

    def _device(self, name: str) -> DeviceState:
        return self._devices.get(name) or DeviceState(0, {})
