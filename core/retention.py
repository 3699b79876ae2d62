"""What is kept, and for how long: messages beyond an age or a size are forgotten, the oldest first, a few at a time.

A log is only ever cut at its beginning. The time in an envelope is the broker's clock of then, and a clock may be
wrong: nothing is forgotten before it has agreed with the monotonic one for a while.
"""

from __future__ import annotations

import msgspec

from core import records
from core.clock import Instant
from core.commands import Browse, Command, Fetch, Look, Trim
from core.events import Fetched
from core.received import Swept
from protocol import frames, limits, names

# One step at a time: so many logs, and of each so many messages at most.
STEP_LOGS = 20
STEP_MESSAGES = 64
# The next step: soon while there is something to forget, else without any hurry.
BUSY_S, IDLE_S = 0.05, 1.0
# So long the wall clock must have gone with the monotonic one, and so far they may part meanwhile.
STEADY_S, PARTED_MS = 600.0, 60_000
# How much of the time that is kept goes at once while the store is too large.
SQUEEZE = 16

ACCOUNTS, ROOMS = records.account(""), records.room("")


class Keep(msgspec.Struct, frozen=True):
    """What an operator wants to be kept; None: all of it."""

    age_ms: int | None = None
    size: int | None = None  # bytes of the store


class Retention:
    """Goes through all logs, again and again."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._due = 0.0 if keep != Keep() else None
        self._parted: float | None = None  # how far the clocks were apart, in ms
        self._steady_since = 0.0
        self._place = Swept(ACCOUNTS, "")
        self._met: Swept | None = None  # the logs of the last step
        self._oldest: int | None = None  # Unix time in ms of the oldest message met in this round
        self._squeezed = 0  # what is older goes, because the store is too large
        self._more = False  # the step met more than it may take

    def due(self) -> float | None:
        """The tick of the next step; None: there is none."""
        return self._due

    def step(self, now: Instant) -> list[Command]:
        """Go on with the next few logs."""
        if self._due is None or self._due > now.tick:
            return []
        self._due = now.tick + (BUSY_S if self._more else IDLE_S)
        if not self._is_steady(now):
            return []
        if self._met and not self._more:
            self._move_on(self._met, now)
        self._more, self._met = False, None
        prefix, after = self._place.prefix, self._place.after
        return [Browse(Swept(prefix, after), prefix, STEP_LOGS, after)]

    def _is_steady(self, now: Instant) -> bool:
        parted = now.at - now.tick * 1000
        if self._parted is None or abs(parted - self._parted) > PARTED_MS:
            self._parted, self._steady_since = parted, now.tick
        return now.tick - self._steady_since >= STEADY_S

    def found(self, swept: Swept, now: Instant) -> list[Command]:
        """Some logs, and then how far they go: read the beginning of each."""
        logs = tuple(log for key in _keys(swept) for log in _logs(key))
        if swept.prefix == ROOMS and not swept.after:
            logs = (names.LOBBY, *logs)  # nobody has made it, so there is no record of it
        if "size" not in swept.found:
            return [Look(swept, logs=logs, size=True)]
        self._met = swept
        extents = {log: swept.found["head/" + log] for log in logs}
        size = STEP_MESSAGES * 2 * limits.BODY_BYTES
        held = (log for log, (first, head) in extents.items() if first <= head)
        return [Fetch(b"", log, extents[log][0] - 1, STEP_MESSAGES, size, swept) for log in held]

    def read(self, fetched: Fetched, now: Instant) -> list[Command]:
        """The beginning of a log: what of it is to be forgotten."""
        times = [frames.decode_envelope(packed).at for packed in fetched.envelopes]
        limit = max(self._squeezed, now.at - self._keep.age_ms if self._keep.age_ms is not None else 0)
        old = next((place for place, at in enumerate(times) if at >= limit), len(times))
        if old < len(times):
            self._oldest = min(times[old], self._oldest if self._oldest is not None else times[old])
        elif not fetched.complete:
            self._more = True
        return [Trim(fetched.command.log, fetched.first + old)] if old else []

    def _move_on(self, swept: Swept, now: Instant) -> None:
        """To the next logs; at the end of a round, to the first ones."""
        keys = _keys(swept)
        if len(keys) == STEP_LOGS:
            self._place = Swept(swept.prefix, keys[-1])
        elif swept.prefix != ROOMS:
            self._place = Swept(ROOMS, "")
        else:
            self._place = Swept(ACCOUNTS, "")
            self._squeeze(swept.found["size"], now)

    def _squeeze(self, size: int, now: Instant) -> None:
        oldest, self._oldest = self._oldest, None
        if self._keep.size is None or size <= self._keep.size or oldest is None:
            self._squeezed = 0
        else:
            self._squeezed = oldest + max(1, (now.at - oldest) // SQUEEZE)


def _keys(swept: Swept) -> list[str]:
    keys: list[str] = swept.found["browse/" + swept.prefix]
    return keys


def _logs(key: str) -> tuple[str, ...]:
    kind, _, name = key.partition("/")
    return (names.mailbox(name), names.receipts(name)) if kind + "/" == ACCOUNTS else (name,)
