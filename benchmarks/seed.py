"""Stores that are full before the broker starts: people with their devices' keys, rooms, and millions of messages.

They are written through the store itself, not around it, in groups that are larger than a broker's. A person's keys
follow from the name, so that a load generator needs nothing but names.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from core import records
from core.clock import Instant
from core.commands import Append, Operation, Put
from protocol import frames, limits, names
from protocol.keys import KeyPair
from protocol.passwords import SCHEME
from store.sqlite import SqliteStore
from transport import curve

AT_MS = 1_750_000_000_000
GROUP = 10_000
BODY = b"x" * 100


class Device(NamedTuple):
    """One installation of an account."""

    account: str
    id: str

    @property
    def pair(self) -> KeyPair:
        """Its keys."""
        secret = hashlib.blake2b(f"{self.account}/{self.id}".encode(), digest_size=32).digest()
        return KeyPair(curve.public_of(secret), secret)


def device(account: str, number: int = 0) -> Device:
    """An account's device of this number."""
    digest = hashlib.blake2b(f"{account} {number}".encode(), digest_size=10).digest()
    return Device(account, base64.b32encode(digest).decode().lower())


def people(word: str, count: int) -> list[str]:
    """So many names."""
    return [f"{word}{number:06}" for number in range(count)]


class Town:
    """What a store is to hold: accounts with their devices, and rooms with their members."""

    def __init__(
        self, accounts: Iterable[str], rooms: Mapping[str, Sequence[str]] | None = None, devices: int = 1
    ) -> None:
        self.rooms = rooms or {}
        self.of: dict[str, list[str]] = {account: [] for account in accounts}
        self.devices = devices
        for room, members in self.rooms.items():
            for member in members:
                self.of.setdefault(member, []).append(room)

    def records(self) -> Iterator[Operation]:
        """All of it."""
        for room, members in self.rooms.items():
            yield Put(records.room(room), records.pack(records.Room(room, members[0], AT_MS)), 0)
            for member in members:
                yield Put(records.member(room, member), member.encode(), 0)
        for account, rooms in self.of.items():
            devices = [device(account, number) for number in range(self.devices)]
            bound = {each.id: each.pair.public for each in devices}
            joined = dict.fromkeys([names.LOBBY, *rooms], 0)
            yield Put(
                records.account(account),
                records.pack(records.Account(account, SCHEME, "", AT_MS, joined, devices=bound)),
                0,
            )
            for each, key in bound.items():
                yield Put(records.key(key), records.pack(records.Key(account, each, "", AT_MS, AT_MS, "")), 0)


def settle(folder: Path, town: Town) -> None:
    """Write a town into the store of this folder."""
    _write(folder, town.records())


def fill(folder: Path, logs: Sequence[str], messages: int) -> None:
    """So many messages, to each log in turn, as 64 devices would have sent them."""
    _write(folder, _sends(logs, messages))


def _sends(logs: Sequence[str], messages: int) -> Iterator[Operation]:
    ids = [device("author", number).id for number in range(64)]
    numbers = [0] * len(ids)
    pack, sent, turn = limits.PACK_MESSAGES, 0, 0
    while sent < messages:
        writer, count = turn % len(ids), min(pack, messages - sent)
        first = numbers[writer] + 1
        places = [(logs[(sent + place) % len(logs)],) for place in range(count)]
        envelopes: list[bytes | tuple[str, str]] = [
            frames.encode(frames.Envelope(ids[writer], first + place, "author", log, AT_MS, "none", BODY))
            for place, (log,) in enumerate(places)
        ]
        yield Append(records.device("author", ids[writer]), first, list(places), envelopes)
        numbers[writer] += count
        sent += count
        turn += 1


def _write(folder: Path, operations: Iterator[Operation]) -> None:
    store = SqliteStore.open(folder / "restante.sqlite")
    while group := list(islice(operations, GROUP // limits.PACK_MESSAGES)):
        store.submit(group, Instant(time.monotonic(), AT_MS))
        store.poll()
    store.close()
