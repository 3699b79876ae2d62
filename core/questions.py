"""Questions that are answered to whom asked them: who is here, contacts, rooms, pages of history.

A question whose answer needs the store is handled again with what was found, until nothing is missing; each step
is safe to repeat, so a lost answer may simply be asked for again.
"""

from __future__ import annotations

from typing import Any

from core import records
from core.clock import Instant
from core.commands import Browse, Command, Fetch, Look, Put, Send
from core.door import refuse
from core.events import Fetched
from core.presence import listed
from core.received import Received
from core.records import Account, Room
from core.session import Session
from core.sessions import Sessions
from protocol import frames, limits, names

# Names of accounts that are remembered, so that listing them does not read every record each time.
NAMES = 100_000


class Questions:
    """Answers."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._names: dict[str, str] = {}  # record key of an account → its name as registered; names don't change

    def who(self, event: Received, ask: frames.AskWho, session: Session, now: Instant) -> list[Command]:
        """Everyone who reads."""
        here = [
            next(iter(several.values())).name
            for account, several in self._sessions.by_account.items()
            if self._sessions.present(account)
        ]
        return _answer(session, frames.Present(ask.ask, *listed(sorted(here, key=str.casefold))))

    # -- contacts --

    def contacts(self, event: Received, ask: frames.AskContacts, session: Session, now: Instant) -> list[Command]:
        """The account's contacts, and all others but itself."""
        missing = _look(event, records.account(session.account))
        return missing or self._contacts(event, ask.ask, session)

    def add(self, event: Received, ask: frames.AddContact, session: Session, now: Instant) -> list[Command]:
        """Put an account on the list."""
        try:
            wanted = names.key(ask.account)
        except names.BadName as error:
            return refuse(event, "bad-name", name=ask.account, why=error)
        if wanted == session.account:
            return refuse(event, "own-name", name=session.name)
        missing = _look(event, records.account(session.account), records.account(wanted))
        return missing or self._add(event, ask, session, wanted)

    def _add(self, event: Received, ask: frames.AddContact, session: Session, wanted: str) -> list[Command]:
        other = event.found[records.account(wanted)]
        if other is None:
            return refuse(event, "unknown-account", name=ask.account)
        name = records.unpack(Account, other[1]).name
        version, account = _own(event, session)
        if "done" in event.found:
            return self._contacts(event, ask.ask, session)
        if name in account.contacts:
            return refuse(event, "already-contact", name=name)
        if len(account.contacts) >= limits.ACCOUNT_CONTACTS:
            return refuse(event, "too-many-contacts", limit=limits.ACCOUNT_CONTACTS)
        account.contacts.append(name)
        return [Put(records.account(session.account), records.pack(account), version, event)]

    def remove(self, event: Received, ask: frames.RemoveContact, session: Session, now: Instant) -> list[Command]:
        """Take an account off the list."""
        missing = _look(event, records.account(session.account))
        if missing:
            return missing
        version, account = _own(event, session)
        if "done" in event.found:
            return self._contacts(event, ask.ask, session)
        kept = [name for name in account.contacts if not _same(name, ask.account)]
        if len(kept) == len(account.contacts):
            return refuse(event, "not-a-contact", name=ask.account)
        account.contacts = kept
        return [Put(records.account(session.account), records.pack(account), version, event)]

    def _contacts(self, event: Received, ask: int, session: Session) -> list[Command]:
        _, account = _own(event, session)
        prefix = records.account("")
        if "browse/" + prefix not in event.found:
            return [Browse(event, prefix, limits.LISTED_NAMES + len(account.contacts) + 2)]
        keys = event.found["browse/" + prefix]
        if len(self._names) > NAMES:
            self._names.clear()
        unknown = [key for key in keys if key not in self._names and key not in event.found]
        if unknown:
            return [Look(event, keys=tuple(unknown))]
        self._remember(keys, event.found)
        possible = [self._names[key] for key in keys if self._names[key] not in (*account.contacts, account.name)]
        some, more = listed(possible)
        return _answer(session, frames.Contacts(ask, account.contacts, some, more > 0))

    def _remember(self, keys: list[str], found: dict[str, Any]) -> None:
        for key in keys:
            if found.get(key):
                self._names[key] = records.unpack(Account, found[key][1]).name

    # -- rooms --

    def join(self, event: Received, ask: frames.Join, session: Session, now: Instant) -> list[Command]:
        """Make the room if there is none, then the membership, then read: one step a commit."""
        try:
            log = names.room_key(ask.room)
        except names.BadName as error:
            return refuse(event, "bad-name", name=ask.room, why=error)
        if log in session.rooms:
            return refuse(event, "already-member", room=session.rooms[log])
        keys = records.room(log), records.member(log, session.account), records.account(session.account)
        missing = _look(event, *keys, logs=(log,))
        return missing or self._join(event, ask, session, log, now)

    def _join(self, event: Received, ask: frames.Join, session: Session, log: str, now: Instant) -> list[Command]:
        version, account = _own(event, session)
        _, head = event.found["head/" + log]
        if event.found[records.room(log)] is None:
            room = Room(names.shown(ask.room), session.account, now.at)
            return [Put(records.room(log), records.pack(room), 0, event)]
        if log not in account.rooms:
            if len(account.rooms) >= limits.ACCOUNT_ROOMS:
                return refuse(event, "too-many-rooms", limit=limits.ACCOUNT_ROOMS)
            account.rooms[log] = head
            return [Put(records.account(session.account), records.pack(account), version, event)]
        if event.found[records.member(log, session.account)] is None:
            return [Put(records.member(log, session.account), b"\xc0", 0, event)]
        room = records.unpack(Room, event.found[records.room(log)][1])
        return self._joined(session, ask.ask, log, room.name, account.rooms[log])

    def _joined(self, session: Session, ask: int, log: str, name: str, since: int) -> list[Command]:
        commands: list[Command] = []
        for each in self._sessions.of(session.account):
            each.rooms[log] = name
            each.routes.clear()
            if each.reads and log not in each.readings:  # one that came a moment ago reads it already
                self._sessions.read(each, log, since, since + 1)  # perhaps more has come meanwhile: fetch, and see
            frame = frames.Joined(ask if each is session else 0, name, log, frames.Extent(since, since, since, since))
            commands += _answer(each, frame)
        return commands

    def leave(self, event: Received, ask: frames.Leave, session: Session, now: Instant) -> list[Command]:
        """End the membership, then the reading."""
        try:
            log = names.room_key(ask.room)
        except names.BadName as error:
            return refuse(event, "bad-name", name=ask.room, why=error)
        if log == names.LOBBY:
            return refuse(event, "lobby")
        if log not in session.rooms:
            return refuse(event, "not-a-member", room=ask.room)
        member = records.member(log, session.account)
        return _look(event, member, records.account(session.account)) or self._leave(event, ask, session, log)

    def _leave(self, event: Received, ask: frames.Leave, session: Session, log: str) -> list[Command]:
        member = records.member(log, session.account)
        if event.found[member]:
            return [Put(member, None, event.found[member][0], event)]
        version, account = _own(event, session)
        if account.rooms.pop(log, None) is not None:
            return [Put(records.account(session.account), records.pack(account), version, event)]
        commands: list[Command] = []
        for each in self._sessions.of(session.account):
            each.rooms.pop(log, None)
            each.routes.clear()
            self._sessions.forget(each, log)
            commands += _answer(each, frames.Left(ask.ask if each is session else 0, log))
        return commands

    # -- history --

    def page(self, event: Received, ask: frames.AskPage, session: Session, now: Instant) -> list[Command]:
        """What stands in a log below a seq, as far back as the account may read."""
        missing = _look(event, records.account(session.account), logs=(ask.log,))
        if missing:
            return missing
        floor = self._floor(event, session, ask.log)
        if floor is None:
            return refuse(event, "no-such-log", log=ask.log)
        _, head = event.found["head/" + ask.log]
        end = min(ask.before - 1, head) if ask.before else head
        after = max(floor, end - ask.limit)
        if after >= end:
            return _answer(session, frames.Page(ask.ask, frames.Run(ask.log, end + 1, []), False))
        size = (end - after) * 2 * limits.BODY_BYTES  # all of them: what is too much is left out at the far end
        return [Fetch(session.peer, ask.log, after, end - after, size, event)]

    def _floor(self, event: Received, session: Session, log: str) -> int | None:
        _, account = _own(event, session)
        first, _ = event.found["head/" + log]
        if log == names.mailbox(session.account):
            return int(first) - 1
        joined = account.rooms.get(log)
        return None if joined is None else max(joined, int(first) - 1)

    def fetched(self, event: Fetched, cause: Received) -> list[Command]:
        """The page that was asked for has been read."""
        ask = cause.frame
        assert isinstance(ask, frames.AskPage)
        first, envelopes = event.first, event.envelopes
        while sum(map(len, envelopes)) > limits.FRAME_BYTES:
            first, envelopes = first + 1, envelopes[1:]
        run = frames.pack_run(ask.log, first, envelopes)
        session = self._sessions.by_peer[cause.peer]
        more = first - 1 > (self._floor(cause, session, ask.log) or 0)
        return [Send(frames.pack_page(ask.ask, run, more), cause.peer)]


def _look(event: Received, *keys: str, logs: tuple[str, ...] = ()) -> list[Command]:
    """A Look at whatever of these has not been found yet; nothing if all is there."""
    keys = tuple(key for key in keys if key not in event.found)
    logs = tuple(log for log in logs if "head/" + log not in event.found)
    return [Look(event, keys=keys, logs=logs)] if keys or logs else []


def _own(event: Received, session: Session) -> tuple[int, Account]:
    version, value = event.found[records.account(session.account)]
    return version, records.unpack(Account, value)


def _same(name: str, typed: str) -> bool:
    try:
        return names.key(name) == names.key(typed)
    except names.BadName:
        return False


def _answer(session: Session, frame: frames.AnyFrame) -> list[Command]:
    return [Send(frames.encode(frame), session.peer)]
