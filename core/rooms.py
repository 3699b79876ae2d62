"""Rooms: how accounts come in and go, and what there is to see of a room.

A question whose answer needs the store is handled again with what was found, until nothing is missing; each step
is safe to repeat. What lets an account read is its own record; the record of its membership is for lists.
"""

from __future__ import annotations

from core import records
from core.clock import Instant
from core.commands import Browse, Command, Put, Send
from core.door import refuse
from core.presence import Comings
from core.received import Received
from core.records import Account, DamagedRecord, Room
from core.registered import Registered, answer, look, own, record, room_key
from core.session import Session
from core.sessions import Sessions
from protocol import frames, limits, names

# The value of a record whose key says it all.
PRESENT = b"\xc0"


class Rooms:
    """Answers."""

    def __init__(self, sessions: Sessions, registered: Registered, comings: Comings) -> None:
        self._sessions = sessions
        self._registered = registered
        self._comings = comings

    # -- coming --

    def join(self, event: Received, ask: frames.Join, session: Session, now: Instant) -> list[Command]:
        """Make the room if there is none, then the membership, then read: one step a commit."""
        log = room_key(event, ask.room)
        if log == names.LOBBY:
            return refuse(event, "already-member", room=log)
        member, ban = records.member(log, session.account), records.ban(log, session.account)
        missing = look(event, records.room(log), member, ban, records.account(session.account), logs=(log,))
        if missing:
            return missing
        if log in session.rooms and event.found[member] and "done" not in event.found:
            return refuse(event, "already-member", room=session.rooms[log])
        return self._refusal(event, ask, session, log) or self._join(event, ask, session, log, now)

    def _refusal(self, event: Received, ask: frames.Join, session: Session, log: str) -> list[Command]:
        """Why this account may not join this room; nothing if it may, or is in it already."""
        room: Room | None = record(event, records.room(log), Room)
        _, account = own(event, session)
        if log in account.rooms:
            return []
        if len(account.rooms) >= limits.ACCOUNT_ROOMS:
            return refuse(event, "too-many-rooms", limit=limits.ACCOUNT_ROOMS)
        return self._closed(event, ask, session, log, room) if room else []

    def _closed(self, event: Received, ask: frames.Join, session: Session, log: str, room: Room) -> list[Command]:
        if event.found[records.ban(log, session.account)]:
            return refuse(event, "banned", name=session.name, room=room.name)
        if room.closed:
            return refuse(event, "room-closed", room=room.name)
        if ask.private and not room.private:
            return refuse(event, "not-private", room=room.name)
        _, account = own(event, session)
        if room.private and room.owner != session.account and log not in account.invited:
            return refuse(event, "not-invited", room=room.name)
        return []

    def _join(self, event: Received, ask: frames.Join, session: Session, log: str, now: Instant) -> list[Command]:
        held, account = own(event, session)
        member = records.member(log, session.account)
        room: Room | None = record(event, records.room(log), Room)
        if room is None:
            made = Room(names.shown(ask.room), session.account, now.at, private=ask.private)
            return [Put(records.room(log), records.pack(made), 0, event)]
        if log not in account.rooms:
            _, account.rooms[log] = event.found["head/" + log]
            account.invited.pop(log, None)
            # If this has to be tried again: whoever is banned meanwhile, and a room that is closed, is seen then.
            del event.found[records.ban(log, session.account)], event.found[records.room(log)]
            also = () if event.found[member] else (Put(member, PRESENT, 0),)
            return [Put(records.account(session.account), records.pack(account), held, event, also)]
        if event.found[member] is None:
            event.found.pop(records.account(session.account))  # and whoever is removed
            return [Put(member, PRESENT, 0, event)]
        if log not in session.rooms:
            self._comings.change(log, room.name, session.name, True)
        return self._joined(session, ask.ask, log, room, account.rooms[log])

    def _joined(self, session: Session, ask: int, log: str, room: Room, since: int) -> list[Command]:
        commands: list[Command] = []
        extent = frames.Extent(since, since, since, since)
        for each in self._sessions.of(session.account):
            each.rooms[log] = room.name
            each.routes.clear()
            if each.reads and log not in each.readings:  # one that came a moment ago reads it already
                self._sessions.read(each, log, since, since + 1)  # perhaps more has come meanwhile: fetch, and see
            frame = frames.Joined(ask if each is session else 0, room.name, log, extent, room.topic)
            commands += answer(each, frame)
        return commands

    # -- going --

    def leave(self, event: Received, ask: frames.Leave, session: Session, now: Instant) -> list[Command]:
        """End the membership, both records of it in one, then the reading; or turn an invitation down."""
        log = room_key(event, ask.room)
        if log == names.LOBBY:
            return refuse(event, "lobby")
        missing = look(event, records.member(log, session.account), records.account(session.account))
        return missing or self._leave(event, ask, session, log)

    def _leave(self, event: Received, ask: frames.Leave, session: Session, log: str) -> list[Command]:
        held, account = own(event, session)
        if log not in session.rooms and log not in account.invited and "done" not in event.found:
            return refuse(event, "not-a-member", room=ask.room)
        member = records.member(log, session.account)
        there = event.found[member]
        if there or log in account.rooms or log in account.invited:
            account.rooms.pop(log, None)
            account.invited.pop(log, None)
            also = (Put(member, None, there[0]),) if there else ()
            return [Put(records.account(session.account), records.pack(account), held, event, also)]
        if log in session.rooms:
            self._comings.change(log, session.rooms[log], session.name, False)
        leavers = self._sessions.leave(session.account, log)
        return [Send(frames.encode(frames.Left(ask.ask if each is session else 0, log)), each.peer) for each in leavers]

    # -- lists --

    def rooms(self, event: Received, ask: frames.AskRooms, session: Session, now: Instant) -> list[Command]:
        """The rooms that this account may know of, by name, a page of them."""
        if missing := look(event, records.account(session.account)):
            return missing
        prefix = records.room("")
        if "browse/" + prefix not in event.found:
            return [Browse(event, prefix, limits.LISTED_ROOMS + 1, prefix + ask.after)]
        logs = [key.removeprefix(prefix) for key in event.found["browse/" + prefix]]
        some = logs[: limits.LISTED_ROOMS]
        if missing := look(event, *map(records.room, some)):
            return missing
        _, account = own(event, session)
        seen = [log for log in some if self._is_seen(event, log, account, session)]
        for log in seen:
            if "browse/" + records.member(log, "") not in event.found:
                return [Browse(event, records.member(log, ""), limits.COUNTED_NAMES)]
        listed = [_listed(event, log, account) for log in seen]
        return answer(session, frames.Rooms(ask.ask, listed, some[-1] if len(logs) > len(some) else ""))

    def _is_seen(self, event: Received, log: str, account: Account, session: Session) -> bool:
        try:
            room: Room | None = record(event, records.room(log), Room)
        except DamagedRecord:  # the others are listed without it
            return False
        if room is None or room.closed:
            return False
        return not room.private or log in account.rooms or log in account.invited or room.owner == session.account

    def members(self, event: Received, ask: frames.AskMembers, session: Session, now: Instant) -> list[Command]:
        """Who is in a room: in the lobby, all accounts."""
        log = room_key(event, ask.room)
        if missing := look(event, records.room(log)):
            return missing
        room: Room | None = record(event, records.room(log), Room)
        if log == names.LOBBY:
            room = Room(log, "", 0)
        if room is None:
            return refuse(event, "unknown-room", room=ask.room)
        if room.private and log not in session.rooms:
            return refuse(event, "not-a-member", room=ask.room)
        return self._members(event, ask.ask, session, log, room)

    def _members(self, event: Received, ask: int, session: Session, log: str, room: Room) -> list[Command]:
        prefix = records.account("") if log == names.LOBBY else records.member(log, "")
        if "browse/" + prefix not in event.found:
            return [Browse(event, prefix, limits.COUNTED_NAMES)]
        accounts = [key.removeprefix(prefix) for key in event.found["browse/" + prefix]]
        accounts.sort(key=lambda account: not self._sessions.present(account))
        some = accounts[: limits.LISTED_NAMES]
        if missing := self._registered.missing(event, [*some, *([room.owner] if room.owner else [])]):
            return missing
        here: list[str] = []
        away: list[str] = []
        for account in some:
            (here if self._sessions.present(account) else away).append(self._registered.name(account))
        owner = self._registered.name(room.owner)
        more = len(accounts) - len(some)
        return answer(session, frames.Members(ask, room.name, room.topic, owner, room.private, here, away, more))


def _listed(event: Received, log: str, account: Account) -> frames.Listed:
    room: Room = record(event, records.room(log), Room)
    members = len(event.found["browse/" + records.member(log, "")])
    return frames.Listed(room.name, room.topic, members, log in account.rooms, log in account.invited, room.private)
