"""The door: how a connection becomes a session.

A Hello is handled again each time something it had to wait for has come, until nothing is missing. Logins move
only between two commits (``step``), so that what they read of a device is what the store really holds.

What lets a device in is its key, once a password has bound it to the account; a password that is given is checked all
the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec

from core import permits, records
from core.clock import Instant
from core.commands import Command, Look, Note, Prove, Put, Send, Trust
from core.events import DeviceState
from core.gate import ADDRESS_ACCOUNTS, ADDRESS_SESSIONS, Gate
from core.received import Proved, Received
from core.records import Account, DamagedRecord, Key, Room
from core.retention import Keep
from core.session import Session
from core.sessions import Sessions
from protocol import errors, frames, limits, names
from protocol.passwords import SCHEME

# A login that found the worker's queue full may come back after so long; it empties in half a second.
BUSY_S = 1.0
# Whoever is one session too many may look again after so long.
CROWDED_S = 60.0


class House(msgspec.Struct, frozen=True):
    """What a broker's core is told about itself when it is made."""

    broker: bytes  # the broker's id
    epoch: str
    open: bool  # new accounts may be made
    dummy: str  # a stored hash that no secret fits: checking it costs what checking a real one costs
    local_limits: bool = False  # this machine's own programs are held to the limits for addresses too
    keep: Keep = Keep()
    permits: bool = False  # new accounts may be made with a permit only
    began_at: int = 0  # Unix time in ms
    key: str = ""  # its public key, as people read it


class Door:
    """Lets devices in."""

    def __init__(self, house: House, gate: Gate, sessions: Sessions, under_way: Callable[[str], bool]) -> None:
        self._house = house
        self._under_way = under_way  # whether the store may yet take sends of a device
        self._gate = gate
        self._sessions = sessions
        self._here: set[bytes] = set()  # connections that have said Hello
        self._waiting: list[Received] = []

    @property
    def waits(self) -> bool:
        """Whether the next step has something to do."""
        return bool(self._waiting)

    def hello(self, event: Received) -> None:
        """Somebody said Hello."""
        self._here.add(event.peer)
        self._waiting.append(event)

    def knock(self, event: Received) -> None:
        """What a Hello waited for has come; nobody is let in over a connection that is no more."""
        if event.peer in self._here:
            self._waiting.append(event)

    def gone(self, peer: bytes) -> None:
        """A connection is no more."""
        if peer in self._here:
            self._here.remove(peer)
            self._waiting = [event for event in self._waiting if event.peer != peer]

    def proved(self, cause: Received, proof: Proved | None) -> list[Command]:
        """The worker answered. What was read before it is read again, for it may have changed meanwhile."""
        if proof is None:
            return refuse_for(BUSY_S, cause, "busy")
        self.knock(msgspec.structs.replace(cause, found={}, proof=proof))
        return []

    def step(self, now: Instant) -> list[Command]:
        """Go on with every login that waits; called between two commits."""
        waiting, self._waiting = self._waiting, []
        return [command for event in waiting for command in self._try(event, now)]

    # -- one login --

    def _try(self, event: Received, now: Instant) -> list[Command]:
        try:
            return self._hello(event, now)
        except DamagedRecord:
            return refuse(event, "damaged-account", name=getattr(event.frame, "account", ""))

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
            wait = 0.0 if event.proof else self._gate.hello(event.key, now.tick)
            if wait:
                return refuse_for(wait, event, "too-many-hellos")
            permit = (permits.key(hello),) if hello.permit else ()
            return [Look(event, keys=(records.account(key), records.key(event.key), *permit))]
        bound = _key(event)
        if bound and (bound.revoked or bound.account != key):
            return refuse(event, "revoked" if bound.revoked else "other-account", name=hello.account)
        return self._prove(event, key, now)

    def _prove(self, event: Received, key: str, now: Instant) -> list[Command]:
        """By credential if there is one, by key if that is bound; else say what a credential is made with."""
        hello = event.frame
        assert isinstance(hello, frames.Hello)
        version, account = _account(event, key)
        if hello.credential:
            return self._check(event, key, version, account, now)
        if account and not hello.scheme and account.is_bound(hello.device, event.key):
            return self._bind(event, key, version, account, now)
        taken = account is not None or not (self._house.open or self._house.permits)
        permit = self._house.permits and not taken
        return _send(event, frames.Unproven(self._house.broker, SCHEME, taken, permit))

    def _check(self, event: Received, key: str, version: int, account: Account | None, now: Instant) -> list[Command]:
        hello, proof = event.frame, event.proof
        assert isinstance(hello, frames.Hello)
        if hello.scheme != SCHEME:
            return refuse(event, "scheme", scheme=hello.scheme)
        permit = permits.held(event, account, key, now) if account or self._house.permits else None
        is_new = account is None and (self._house.open or permit is not None)
        stored = None if is_new or permit else (account and account.hash) or self._house.dummy
        if proof is None or stored not in (proof.stored, proof.fresh):
            return self._tried(event, key, is_new, now) or [Prove(event, hello.credential, stored)]
        if proof.damaged:
            return refuse(event, "damaged-account", name=hello.account)
        self._gate.judged(event.address, key, proof.right, now.tick)
        if not proof.right or stored == self._house.dummy:
            return refuse(event, self._wrong(hello, account), name=hello.account)
        also = permits.used(event, permit, key)
        if account is None:
            return self._register(event, key, now, also)
        return self._bind(event, key, version, account, now, also)

    def _wrong(self, hello: frames.Hello, account: Account | None) -> str:
        """Why a credential did not do."""
        if hello.permit:
            return "bad-permit"
        if self._house.permits and account is None:
            return "permit-needed"
        return "wrong-password" if self._house.open or self._house.permits else "registration-closed"

    def _tried(self, event: Received, key: str, is_new: bool, now: Instant) -> list[Command]:
        """A refusal, before any work is done, if this has been tried too often."""
        if event.proof:
            return []
        wait = self._gate.login(event.address, key, now.tick)
        if wait:
            return refuse_for(wait, event, "too-many-logins")
        if is_new:
            wait = self._gate.registration(event.address, now.tick)
        return (
            refuse_for(wait, event, "too-many-accounts", limit=ADDRESS_ACCOUNTS, address=event.address) if wait else []
        )

    def _register(self, event: Received, key: str, now: Instant, also: tuple[Put, ...]) -> list[Command]:
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
            devices={hello.device: event.key},
        )
        return [Put(records.account(key), records.pack(account), 0, event, also)]

    def _bind(
        self, event: Received, key: str, version: int, account: Account, now: Instant, also: tuple[Put, ...] = ()
    ) -> list[Command]:
        """Write down what this login changes of the account: a new device, another key, a hash made anew."""
        hello, proof = event.frame, event.proof
        assert isinstance(hello, frames.Hello)
        if account.is_barred(now.at):
            return refuse(event, account.bar, **account.bar_places)
        before = msgspec.structs.replace(account, devices=dict(account.devices))
        if account.devices.get(hello.device) != event.key:
            account.bind(hello.device, event.key, limits.ACCOUNT_DEVICES)
            if len(account.bound) > max(limits.ACCOUNT_DEVICES, len(before.bound)):
                return refuse(event, "too-many-devices", name=account.name, limit=limits.ACCOUNT_DEVICES)
        if proof and proof.fresh:
            account.scheme, account.hash = hello.scheme, proof.fresh
        if account == before:
            return self._look(event, key, account, now)
        return [Put(records.account(key), records.pack(account), version, event, also)]

    def _look(self, event: Received, key: str, account: Account, now: Instant) -> list[Command]:
        """All that a session begins with, read at one moment: the account and the key once more, for a commit may lie
        between.
        """
        hello = event.frame
        assert isinstance(hello, frames.Hello)
        device = records.device(key, hello.device)
        if self._under_way(device):  # nobody knows yet what is the last of them
            self._waiting.append(event)
            return []
        devices = tuple(records.device(key, each) for each in account.devices)
        logs = (names.mailbox(key), names.receipts(key), *account.rooms)
        known = {*("device/" + each for each in devices), *("head/" + log for log in logs)}
        if known <= event.found.keys():  # else it may be the account that has grown since
            return self._enter(event, key, account, now)
        rooms = [records.room(log) for log in account.rooms if log != names.LOBBY]
        keys = (records.account(key), records.key(event.key), *rooms)
        return [Look(event, keys, logs, devices, epoch=hello.epoch or self._house.epoch)]

    def _enter(self, event: Received, key: str, account: Account, now: Instant) -> list[Command]:
        hello = event.frame
        assert isinstance(hello, frames.Hello)
        where = self._gate.origin(event.address)
        device = records.device(key, hello.device)
        if where and self._beside(event.peer, device, where) >= ADDRESS_SESSIONS:
            return refuse_for(CROWDED_S, event, "too-many-sessions", limit=ADDRESS_SESSIONS, address=event.address)
        if self._is_late(event, device):
            return []
        session = Session(event.peer, key, account.name, hello.device, device, hello.reads)
        session.address, session.origin, session.heard_at = event.address, where, now.tick
        session.began_at = now.at
        session.key, session.connection, session.bot = event.key, event.connection, hello.bot
        session.rooms = _rooms(event, account)
        state: DeviceState = event.found["device/" + device]
        if state.last < 0:
            return refuse(event, "damaged-device", name=account.name)
        session.last = session.durable = session.told = state.last
        session.refused = state.refused
        session.visit, session.visits = hello.visit, records.unpack_visits(state.visits)
        extents = _extents(event, key, account, device)
        if hello.reads:
            for log, extent in extents.items():
                said = min(hello.cursors.get(log, extent.start), extent.base)
                session.read(log, max(said, extent.floor), extent.head)
        commands = self._replace(session)
        self._sessions.add(session)
        seen = _seen(event, session, now)
        welcome = self._welcome(event, session, extents)
        return [*commands, *seen, Trust(event.peer, True), *welcome, *_invitations(event, session, account)]

    def _beside(self, peer: bytes, device: str, where: str) -> int:
        """How many sessions there are from one address, without those in whose place this login comes."""
        former = {self._sessions.by_peer.get(peer), self._sessions.by_device.get(device)}
        return self._sessions.from_origin(where) - sum(each is not None and each.origin == where for each in former)

    def _is_late(self, event: Received, device: str) -> bool:
        """Whether this Hello comes late, over a connection that is older than the one whose session stands."""
        standing = self._sessions.by_device.get(device)
        return standing is not None and standing.key == event.key and 0 < event.connection < standing.connection

    def _replace(self, session: Session) -> list[Command]:
        """The newer login wins, of a device as of a connection: the old session may hang on a dead connection."""
        former = self._sessions.by_peer.get(session.peer)
        if former:
            self._sessions.remove(former)
        old = self._sessions.by_device.get(session.device)
        if old is None:
            return []
        self._sessions.remove(old)
        return [Send(frames.encode(frames.Bye("replaced")), old.peer), Trust(old.peer, False)]

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
            visits=session.visits,
        )
        fields = {"account": session.name, "from": event.address, "device": session.device_id}
        note = Note("registered" if registered else "joined", fields, loud=session.reads)
        return [*_send(event, welcome), note]


def _invitations(event: Received, session: Session, account: Account) -> list[Command]:
    """Those that nobody has answered yet, for somebody who may: whoever was invited while away hears it now."""
    invited = account.invited.items() if session.reads else ()
    told = (frames.News(0, log, "invited", by, account.name) for log, by in invited)
    return [command for news in told for command in _send(event, news)]


def refuse(event: Received, code: str, /, retry_s: float = 0.0, **places: Any) -> list[Command]:
    """Refuse what a connection asked, with a sentence, and note it."""
    ask = getattr(event.frame, "ask", 0)
    text = errors.sentence(code, **places)[: limits.TEXT_CHARS]
    refused = frames.Refused(code, text, ask, retry_s)
    return [*_send(event, refused), Note("refused", {"code": code, "from": event.address})]


def refuse_for(wait_s: float, event: Received, code: str, /, **places: Any) -> list[Command]:
    """Refuse for so many seconds: a client comes back by itself then."""
    retry_s = min(wait_s, limits.RETRY_S)
    return refuse(event, code, retry_s=retry_s, seconds=math.ceil(retry_s), **places)


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


def _key(event: Received) -> Key | None:
    record = event.found[records.key(event.key)]
    return records.unpack(Key, record[1]) if record else None


def _seen(event: Received, session: Session, now: Instant) -> list[Command]:
    """Write down that this key was here. Nobody waits for it: it is for people, and for telling keys apart."""
    hello, record = event.frame, event.found[records.key(event.key)]
    assert isinstance(hello, frames.Hello)
    bound = _key(event) or Key(session.account, session.device_id, "", now.at, now.at, "")
    session.seen = msgspec.structs.replace(
        bound, device=session.device_id, name=hello.name, seen_at=now.at, address=event.address[: limits.ADDRESS_CHARS]
    )
    session.seen_version = (record[0] if record else 0) + 1
    return [Put(records.key(event.key), records.pack(session.seen), session.seen_version - 1)]


def _rooms(event: Received, account: Account) -> dict[str, str]:
    """The rooms that an account is in, with their names as shown."""
    rooms = {names.LOBBY: names.LOBBY}
    for log in account.rooms:
        record = event.found.get(records.room(log))
        with suppress(DamagedRecord):  # its members go without it
            if record:
                rooms[log] = records.unpack(Room, record[1]).name
    return rooms


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
    for log, joined in {names.mailbox(key): 0, names.receipts(key): 0, **account.rooms}.items():
        first, head = event.found["head/" + log]
        floor = max(joined, first - 1)
        start = max([floor, *(state.cursors.get(log, 0) for state in known)])
        extents[log] = frames.Extent(floor, start, head, event.found["base/" + log], first - 1)
    return extents
