"""What the members of a room do with it and with one another: its topic, invitations, removals.

Any member names the topic and invites. Only the owner, who made the room, removes, bans and lifts a ban. Like other
questions these are handled again with what was found, until nothing is missing; each step is safe to repeat.
"""

from __future__ import annotations

from core import records
from core.clock import Instant
from core.commands import Command, Put, Send
from core.door import refuse
from core.received import Received
from core.records import Account, Room
from core.registered import Settled, account_key, answer, look, record, room_key, version
from core.session import Session
from core.sessions import Sessions
from protocol import frames, limits, names
from protocol.frames import Expel, Invite, News, SetTopic, Unban


class Hosts:
    """Answers. Each step ends with commands, or with Settled where something is missing or refused."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def topic(self, event: Received, ask: SetTopic, session: Session, now: Instant) -> list[Command]:
        """Any member of a room says what it is about."""
        log, room = self._room(event, ask.room, session)
        if "done" not in event.found:
            room.topic = ask.topic
            return [Put(records.room(log), records.pack(room), version(event, records.room(log)), event)]
        return self._tell(ask.ask, session, log, News(0, room.name, "topic", session.name, topic=ask.topic))

    def invite(self, event: Received, ask: Invite, session: Session, now: Instant) -> list[Command]:
        """A member lets somebody join. That stands in their own record, so that they hear it whenever they come."""
        log, room = self._room(event, ask.room, session)
        wanted = account_key(event, ask.account)
        key, ban = records.account(wanted), records.ban(log, wanted)
        other = self._account(event, ask.account, wanted, ban)
        if log in other.rooms:
            return refuse(event, "already-inside", name=other.name, room=room.name)
        if event.found[ban]:
            return refuse(event, "banned", name=other.name, room=room.name)
        if log not in other.invited:
            if len(other.invited) >= limits.INVITED_ROOMS:
                return refuse(event, "too-many-invitations", name=other.name, limit=limits.INVITED_ROOMS)
            other.invited[log] = session.name
            return [Put(key, records.pack(other), version(event, key), event)]
        news = News(0, room.name, "invited", session.name, other.name)
        told = [command for each in self._sessions.of(wanted) for command in answer(each, news)]
        return [*told, *self._tell(ask.ask, session, log, news)]

    def expel(self, event: Received, ask: Expel, session: Session, now: Instant) -> list[Command]:
        """Somebody reads no more, is no member and, if banned, can't come back: all of it in one commit, or nothing."""
        log, room = self._own_room(event, ask.room, session)
        wanted = account_key(event, ask.account)
        if wanted == session.account:
            return refuse(event, "own-name", name=session.name)
        other = self._account(event, ask.account, wanted, records.ban(log, wanted), records.member(log, wanted))
        if removal := _removal(event, ask, log, other, session):
            return removal
        if not ask.bans and "done" not in event.found:
            return refuse(event, "not-inside", name=other.name, room=room.name)
        left = frames.encode(frames.Left(0, log, session.name, ask.bans))
        gone: list[Command] = [Send(left, each.peer) for each in self._sessions.leave(wanted, log)]
        what = "banned" if ask.bans else "removed"
        return [*gone, *self._tell(ask.ask, session, log, News(0, room.name, what, session.name, other.name))]

    def unban(self, event: Received, ask: Unban, session: Session, now: Instant) -> list[Command]:
        """Somebody may join again: by themselves, or once they are invited."""
        log, room = self._own_room(event, ask.room, session)
        wanted = account_key(event, ask.account)
        ban = records.ban(log, wanted)
        other = self._account(event, ask.account, wanted, ban)
        if event.found[ban]:
            return [Put(ban, None, version(event, ban), event)]
        if "done" not in event.found:
            return refuse(event, "not-banned", name=other.name, room=room.name)
        return self._tell(ask.ask, session, log, News(0, room.name, "unbanned", session.name, other.name))

    # -- what they have in common --

    def _room(self, event: Received, name: str, session: Session) -> tuple[str, Room]:
        """A room, as one of its members sees it."""
        log, room = _room(event, name)
        if log not in session.rooms:
            raise Settled(refuse(event, "not-a-member", room=name))
        return log, room

    def _own_room(self, event: Received, name: str, session: Session) -> tuple[str, Room]:
        """A room, as its owner sees it."""
        log, room = _room(event, name)
        if room.owner != session.account:
            raise Settled(refuse(event, "not-the-owner", room=room.name))
        return log, room

    def _account(self, event: Received, name: str, wanted: str, *keys: str) -> Account:
        """Somebody, who is looked up together with other records."""
        if missing := look(event, records.account(wanted), *keys):
            raise Settled(missing)
        other: Account | None = record(event, records.account(wanted), Account)
        if other is None:
            raise Settled(refuse(event, "unknown-account", name=name))
        return other

    def _tell(self, ask: int, session: Session, log: str, news: News) -> list[Command]:
        """The answer to who asked; and the others who read this room hear it, too."""
        answered = answer(session, News(ask, news.room, news.what, news.by, news.account, news.topic))
        packed = frames.encode(news)
        readers = self._sessions.readers.get(log, {})
        return [*answered, *(Send(packed, peer) for peer in readers if peer != session.peer)]


def _room(event: Received, name: str) -> tuple[str, Room]:
    log = room_key(event, name)
    if log == names.LOBBY:
        raise Settled(refuse(event, "lobby"))
    if missing := look(event, records.room(log)):
        raise Settled(missing)
    room: Room | None = record(event, records.room(log), Room)
    if room is None:
        raise Settled(refuse(event, "unknown-room", room=name))
    return log, room


def _removal(event: Received, ask: Expel, log: str, other: Account, session: Session) -> list[Command]:
    """What is still to be written before this account is out, in one commit: nothing can be left half done."""
    wanted = names.key(other.name)
    key, member, ban = records.account(wanted), records.member(log, wanted), records.ban(log, wanted)
    also = [Put(member, None, version(event, member))] if event.found[member] else []
    if ask.bans and not event.found[ban]:
        also.append(Put(ban, session.name.encode(), 0))
    if not also and log not in other.rooms and log not in other.invited:
        return []
    other.rooms.pop(log, None)
    other.invited.pop(log, None)
    return [Put(key, records.pack(other), version(event, key), event, tuple(also))]
