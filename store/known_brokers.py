"""Which broker has which key: what a client has met, in one file for all its accounts, as ssh's known_hosts is.

One line a broker: its address, its public key, its id (``-``: not known yet), and the date of the first time.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from core.anchor import Known
from protocol import keys
from protocol.keys import BadKey
from store import StoreDamaged
from store.lock import private_folder, sync

_FIELDS = 4
_NO_ID = "-"


class KnownBroker(NamedTuple):
    """One line."""

    address: str  # tcp://HOST:PORT
    key: str  # 52 letters
    broker: bytes  # id, b"" if it is not known yet
    since: str  # YYYY-MM-DD


class KnownBrokers:
    """The file ``known_brokers`` in a folder that is there."""

    def __init__(self, folder: Path) -> None:
        self._path = private_folder(folder) / "known_brokers"

    def all(self) -> list[KnownBroker]:
        """What is remembered; StoreDamaged, by line, if that can't be read: to go on would mean to trust anybody."""
        try:
            text = self._path.read_text("utf-8", "replace")
        except FileNotFoundError:
            return []
        return [self._parse(number, line) for number, line in enumerate(text.splitlines(), 1)]

    def find(self, address: str) -> KnownBroker | None:
        """The broker that was met at this address."""
        return next((each for each in self.all() if each.address == address), None)

    def known(self, address: str, given: str, accepted: str) -> Known:
        """What is known of the broker at this address.

        ``given`` is its key as somebody says, ``accepted`` the one that takes the place of what is remembered; "" if
        nobody says anything.
        """
        others = {each.broker: each.key for each in self.all() if each.address != address and each.broker}
        met = self.find(address)
        if accepted and met:
            others.pop(met.broker, None)  # it is the same broker, with another key
        key = accepted or given
        if key and not (met and met.key == key):
            return Known(key, given=True, others=others)
        return Known(met.key, False, met.since, met.broker, others) if met else Known(others=others)

    def pin(self, met: KnownBroker, accept_key: str) -> None:
        """What is remembered gives way only to the key that was to be accepted, once the broker has shown it."""
        if met.key == accept_key:
            self.accept(met)
        else:
            self.remember(met)

    def remember(self, met: KnownBroker) -> KnownBroker:
        """Remember a broker, unless another key is remembered for its address; what is remembered now."""
        with self._locked():
            old = self.find(met.address)
            if old and (old.key != met.key or old.broker == met.broker or not met.broker):
                return old
            kept = met._replace(since=old.since) if old else met
            self._write([*(each for each in self.all() if each.address != met.address), kept])
            return kept

    def accept(self, met: KnownBroker) -> None:
        """From now on this key counts: for this address, and wherever the same broker is remembered."""
        with self._locked():
            old = self.find(met.address)
            same = old.broker if old and old.broker else None
            others = [each for each in self.all() if each.address != met.address]
            moved = [each._replace(key=met.key) if each.broker == same else each for each in others]
            self._write([*moved, met])

    def _parse(self, number: int, line: str) -> KnownBroker:
        fields = line.split(" ")
        try:
            if len(fields) == _FIELDS and fields[1] == keys.read(fields[1]):
                broker = b"" if fields[2] == _NO_ID else bytes.fromhex(fields[2])
                return KnownBroker(fields[0], fields[1], broker, fields[3])
        except (BadKey, ValueError):
            pass
        raise StoreDamaged(
            "line {number} of {path} is damaged; nothing was sent: mend or remove that line",
            number=number,
            path=self._path,
        )

    def _write(self, brokers: list[KnownBroker]) -> None:
        """A new file takes the place of the old one: a power cut leaves one of them whole."""
        lines = (f"{each.address} {each.key} {each.broker.hex() or _NO_ID} {each.since}\n" for each in sorted(brokers))
        new = self._path.with_suffix(".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        new.rename(self._path)
        sync(self._path.parent)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Several clients may start at once; each holds this for a moment only."""
        descriptor = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
