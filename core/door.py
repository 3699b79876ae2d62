"""The door: how a connection becomes a session.

A Hello is handled again each time something it had to wait for has come, until nothing is missing. Logins move
only between two commits (``step``), so that what they read of a device is what the store really holds.
"""

from __future__ import annotations

from typing import Any

import msgspec

from core import records
from core.clock import Instant
from core.commands import Command, Look, Note, Prove, Put, Send
from core.events import DeviceState
from core.received import Proved, Received
from core.records import Account, Room
from core.session import Session
from core.sessions import Sessions
from protocol import errors, frames, limits, names
from protocol.passwords import SCHEME

# A login that found the worker's queue full may come back after so long; it empties in half a second.
BUSY_S = 1.0


class House(msgspec.Struct, frozen=True):
    """What a broker's core is told about itself when it is made."""

    broker: bytes  # the broker's id
    epoch: str
    open: bool  # new accounts may be made
    dummy: str  # a stored hash that no secret fits: checking it costs what checking a real one costs


class Door:
    """Lets devices in."""

    def __init__(self, house: House, sessions: Sessions) -> None:
        self._house = house
        self._sessions = sessions
        self._waiting: list[Received] = []

    def knock(self, event: Received) -> None:
        """Somebody said Hello, or what a Hello waited for has come."""
        self._waiting.append(event)

    def proved(self, cause: Received, proof: Proved | None) -> list[Command]:
        """The worker answered. What was read before it is read again, for it may have changed meanwhile."""
        if proof is None:
            return refuse(cause, "busy", retry_s=BUSY_S, seconds=BUSY_S)
        self.knock(msgspec.structs.replace(cause, found={}, proof=proof))
        return []

    def step(self, now: Instant) -> list[Command]:
        """Go on with every login that waits; called between two commits."""
        waiting, self._waiting = self._waiting, []
        return [command for event in waiting for command in self._hello(event, now)]

    # -- one login --

    def _hello(self, event: Received, now: Instant) -> list[Command]:
        hello = event.frame
        assert isinstance(hello, frames.Hello)
        if hello.major != limits.MAJOR_VERSION:
            return refuse(event, "version", **versions(hello.major, hello.minor))
        try:
            key = names.key(hello.account)
        except names.BadName as error:
            return refuse(event, "bad-name", name=hello.account, why=error)
        if records.account(key) not in event.found:
            return [Look(event, keys=(records.account(key),))]
        version, account = _account(event, key)
        if not hello.credential:
            taken = account is not None or not self._house.open
            return _send(event, frames.Unproven(self._house.broker, SCHEME, taken))
        return self._check(event, key, version, account, now)

    def _check(self, event: Received, key: str, version: int, account: Account | None, now: Instant) -> list[Command]:
        hello, proof = event.frame, event.proof
        assert isinstance(hello, frames.Hello)
        if hello.scheme != SCHEME:
            return refuse(event, "scheme", scheme=hello.scheme)
        stored = account.hash if account else None if self._house.open else self._house.dummy
        if proof is None or stored not in (proof.stored, proof.fresh):
            return [Prove(event, hello.credential, stored)]
        if proof.damaged:
            return refuse(event, "damaged-account", name=hello.account)
        if not proof.right or (account is None and not self._house.open):
            return refuse(event, "wrong-password" if self._house.open else "registration-closed", name=hello.account)
        if account is None:
            return self._register(event, key, now)
        return self._bind(event, key, version, account, now)

    def _register(self, event: Received, key: str, now: Instant) -> list[Command]:
        hello, proof = event.frame, event.proof
        assert isinstance(hello, frames.Hello)
        assert proof is not None
        if "head/" + names.LOBBY not in event.found:
            return [Look(event, logs=(names.LOBBY,))]
        _, head = event.found["head/" + names.LOBBY]
        account = Account(
            name=names.shown(hello.account),
            scheme=hello.scheme,
            hash=proof.fresh or "",
            made_at=now.at,
            rooms={names.LOBBY: head},
            devices={hello.device: now.at},
        )
        return [Put(records.account(key), records.pack(account), 0, event)]

    def _bind(self, event: Received, key: str, version: int, account: Account, now: Instant) -> list[Command]:
        hello, proof = event.frame, event.proof
        assert isinstance(hello, frames.Hello)
        assert proof is not None
        fresh = proof.fresh if proof.fresh != account.hash else None
        if hello.device not in account.devices:
            if len(account.devices) >= limits.ACCOUNT_DEVICES:
                return refuse(event, "too-many-devices", name=account.name, limit=limits.ACCOUNT_DEVICES)
            account.devices[hello.device] = now.at
        elif not fresh:
            return self._look(event, key, account, now)
        account.hash = fresh or account.hash
        return [Put(records.account(key), records.pack(account), version, event)]

    def _look(self, event: Received, key: str, account: Account, now: Instant) -> list[Command]:
        hello = event.frame
        assert isinstance(hello, frames.Hello)
        device = records.device(key, hello.device)
        if "device/" + device not in event.found:
            rooms = [log for log in account.rooms if log != names.LOBBY]
            return [
                Look(
                    event,
                    keys=(records.refused(device), *(records.room(log) for log in rooms)),
                    logs=(names.mailbox(key), *account.rooms),
                    devices=tuple(records.device(key, each) for each in account.devices),
                )
            ]
        return self._enter(event, key, account, now)

    def _enter(self, event: Received, key: str, account: Account, now: Instant) -> list[Command]:
        hello = event.frame
        assert isinstance(hello, frames.Hello)
        device = records.device(key, hello.device)
        session = Session(event.peer, key, account.name, hello.device, device, hello.reads)
        session.address, session.heard_at = event.address, now.tick
        session.rooms = _rooms(event, account)
        session.last = session.durable = session.told = event.found["device/" + device].last
        session.refused_version, session.refused = _refused(event, device)
        session.refused_kept = session.refused_version
        extents = _extents(event, key, account, device)
        if hello.reads:
            for log, extent in extents.items():
                said = min(hello.cursors.get(log, extent.start), extent.head)
                session.read(log, max(said, extent.floor), extent.head)
        commands = self._replace(session)
        self._sessions.add(session)
        return [*commands, *self._welcome(event, session, extents)]

    def _replace(self, session: Session) -> list[Command]:
        """The newer login wins, of a device as of a connection: the old session may hang on a dead connection."""
        former = self._sessions.by_peer.get(session.peer)
        if former:
            self._sessions.remove(former)
        old = self._sessions.by_device.get(session.device)
        if old is None:
            return []
        self._sessions.remove(old)
        return [Send(frames.encode(frames.Bye("replaced")), old.peer)]

    def _welcome(self, event: Received, session: Session, extents: dict[str, frames.Extent]) -> list[Command]:
        version, _ = _account(event, session.account)
        registered = version == 1 and "done" in event.found
        welcome = frames.Welcome(
            major=limits.MAJOR_VERSION,
            minor=limits.MINOR_VERSION,
            account=session.name,
            broker=self._house.broker,
            epoch=self._house.epoch,
            last=session.last,
            logs=extents,
            registered=registered,
            window_messages=limits.WINDOW_MESSAGES,
            window_bytes=limits.WINDOW_BYTES,
        )
        fields = {"account": session.name, "from": event.address, "device": session.device_id}
        note = Note("registered" if registered else "joined", fields, loud=session.reads)
        return [*_send(event, welcome), note]


def refuse(event: Received, code: str, /, retry_s: float = 0.0, **places: Any) -> list[Command]:
    """Refuse what a connection asked, with a sentence, and note it."""
    ask = getattr(event.frame, "ask", 0)
    text = errors.sentence(code, **places)[: limits.TEXT_CHARS]
    refused = frames.Refused(code, text, ask, retry_s)
    return [*_send(event, refused), Note("refused", {"code": code, "from": event.address})]


def versions(major: int, minor: int) -> dict[str, Any]:
    """The places of the sentence about versions."""
    older = "client" if major < limits.MAJOR_VERSION else "broker"
    return {
        "client": f"{major}.{minor}",
        "broker": f"{limits.MAJOR_VERSION}.{limits.MINOR_VERSION}",
        "older": older,
    }


def _send(event: Received, frame: frames.AnyFrame) -> list[Command]:
    return [Send(frames.encode(frame), event.peer)]


def _account(event: Received, key: str) -> tuple[int, Account | None]:
    record = event.found[records.account(key)]
    return (record[0], records.unpack(Account, record[1])) if record else (0, None)


def _rooms(event: Received, account: Account) -> dict[str, str]:
    """The rooms that an account is in, with their names as shown."""
    rooms = {names.LOBBY: names.LOBBY}
    for log in account.rooms:
        record = event.found.get(records.room(log))
        if record:
            rooms[log] = records.unpack(Room, record[1]).name
    return rooms


def _refused(event: Received, device: str) -> tuple[int, dict[int, tuple[str, str]]]:
    record = event.found[records.refused(device)]
    return (record[0], records.unpack_refused(record[1])) if record else (0, {})


def _extents(event: Received, key: str, account: Account, device: str) -> dict[str, frames.Extent]:
    """Where this device's reading starts in each log, if its journal does not know better.

    A device that never read starts where the account has read up to: what waits, waits for whichever device
    comes first, and what was read elsewhere is history.
    """
    hello = event.frame
    assert isinstance(hello, frames.Hello)
    own: DeviceState = event.found["device/" + device]
    has_read = own.cursors or hello.cursors  # a journal that has only met empty logs has begun, too
    known = [own] if has_read else [event.found["device/" + records.device(key, each)] for each in account.devices]
    extents = {}
    for log, joined in {names.mailbox(key): 0, **account.rooms}.items():
        first, head = event.found["head/" + log]
        floor = max(joined, first - 1)
        start = max([floor, *(state.cursors.get(log, 0) for state in known)])
        extents[log] = frames.Extent(floor, start, head)
    return extents
