"""What is remembered: the port. It speaks of appending, reading and cursors, never of SQL.

``memory`` is the executable specification, ``sqlite`` the embedded store, ``journal`` the client's own file.
What every store guarantees (each has a test that bears its number):

G1   Once Stored is reported, the group survives ``kill -9`` and a power cut; after a crash it is there whole
     or not at all.
G2   A send is stored if and only if its n is the device's last + 1. The check, the records and the new last
     are one transaction. There is no time window; copies inside one group count too.
G3   n must be exactly last + 1, not merely larger: that keeps a sender's order and shows a lost frame.
G4   A send enters all its logs or none, under one n.
G5   A refused send uses up its number, durably; the reasons of a device's last REFUSALS_KEPT numbers are kept.
G6   In a log seq is 1, 2, 3 … without holes; who has seen k never later finds a new record at or below k.
G7   A group is atomic in durability, not in acceptance: Gap or Conflict of one operation leaves the others. Only a
     Put and what is put with it (``also``) are made together or not at all.
G8   In a group all Appends come first, in group order, then Moves, Puts and Trims.
G9   Move gives max(old, min(pos, head)).
G10  Submitting a group again is always safe; a Put repeated with the same value and expect is Done again.
G11  read, look and browse see every group reported Stored.
G12  What was stored before is answered by the device's last alone, so old records may be pruned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from core.clock import Instant
from core.commands import Operation
from core.events import Arrived, DeviceState, Rescanned, Stored, StoreFailed, Uncertain, Woken
from protocol.errors import Told

Outcome = Stored | StoreFailed | Uncertain | Woken | Rescanned
Record = tuple[int, bytes]
"""A record as ``get`` gives it: version and value."""


class StoreError(Told):
    """A store can't be opened or can't go on."""


class StoreDamaged(StoreError):
    """The file is no store of ours, or is damaged."""


class StoreNewer(StoreError):
    """The file was written by a newer version of this program."""


class StoreUnwritable(StoreError):
    """The folder or the file can't be written."""


class StoreExposed(StoreError):
    """A secret key may have been read by others."""


class StoreBroken(StoreError):
    """A write or a sync failed: nothing cached may be believed, the process must end and start again."""


class Store(Protocol):
    """One store, used from one thread."""

    @property
    def epoch(self) -> str:
        """A random name of this store's line of time; another one after a restore."""

    @property
    def broker(self) -> bytes:
        """16 random bytes made with the store: the broker's id."""

    def submit(self, group: Sequence[Operation], now: Instant) -> None:
        """Start one durable, atomic group. StoreBroken if the process must end."""

    def poll(self) -> list[Outcome]:
        """What has happened since the last call; never waits."""

    def fileno(self) -> int | None:
        """A descriptor for the poller; None: results are ready at the next poll."""

    def read(self, log: str, after: int, messages: int, size: int) -> Arrived:
        """Envelopes with seq > after, ascending: at most ``messages``, and at most ``size`` bytes but at least
        one. Below the log's first kept seq it begins there. A damaged record comes as an empty envelope."""

    def get(self, keys: Sequence[str]) -> dict[str, Record | None]:
        """Records by key, None where there is none."""

    def heads(self, logs: Sequence[str]) -> dict[str, tuple[int, int]]:
        """(first kept seq, highest seq) of each log; (1, 0) for a log that never had one."""

    def bases(self, epoch: str, logs: Sequence[str]) -> dict[str, int]:
        """Up to which seq each log is the same as it was in that epoch; 0 if nothing is known of it."""

    def devices(self, names: Sequence[str]) -> dict[str, DeviceState]:
        """Last number, cursors and refusals of each device; DeviceState(0, {}) for an unknown one."""

    def browse(self, prefix: str, limit: int, after: str = "") -> list[str]:
        """Keys of records that begin with prefix and come after a key, ascending by code point, at most ``limit``."""

    def size(self) -> int:
        """How many bytes it holds, about."""

    def dump(self) -> Iterator[tuple[Any, ...]]:
        """Everything, in a fixed order: for export, verify, and equality in tests."""

    def close(self) -> None:
        """Finish; afterwards one file holds everything."""
