"""Orders about rooms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core import records
from core.clock import Instant
from core.commands import Command, Send
from core.ordered import account, change, decline, need, page, put, reply, settled
from core.orders import CloseRoom, GiveRoom, ListRooms, OpenRoom, Order
from core.received import Ordered
from core.records import Account, DamagedRecord, Room
from core.registered import record
from core.sessions import Sessions
from protocol import frames, limits, names


class RoomsDesk:
    """Answers."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self.table: dict[type[Order], Callable[[Ordered, Any, Instant], list[Command]]] = {
            ListRooms: self._rooms,
            CloseRoom: self._close,
            OpenRoom: self._open,
            GiveRoom: self._give,
        }

    def _rooms(self, event: Ordered, order: ListRooms, now: Instant) -> list[Command]:
        keys, after = page(event, records.room(""), order.after, limits.LISTED_ROOMS)
        need(event, *keys)
        facts = [self._fact(event, key) for key in keys if event.found[key]]
        return reply(event, rooms=facts, after=after)

    def _fact(self, event: Ordered, key: str) -> dict[str, Any]:
        try:
            room: Room = record(event, key, Room)
        except DamagedRecord:
            return {"room": key.removeprefix(records.room("")), "damaged": True}
        members = records.member(key.removeprefix(records.room("")), "")
        inside, more = page(event, members, "", limits.COUNTED_NAMES)
        return {
            "room": room.name,
            "owner": room.owner,
            "topic": room.topic,
            "private": room.private,
            "closed": room.closed,
            "made_at": room.made_at,
            "members": [each.removeprefix(members) for each in inside],
            "more": bool(more),
        }

    def _close(self, event: Ordered, order: CloseRoom, now: Instant) -> list[Command]:
        """First nobody can come in, then one member after the other is out, then all who are there hear of it.

        Whoever comes in is a member in the same commit, so none is overlooked.
        """
        log, room = self._room(event, order.room)
        if not room.closed:
            room.closed = True
            return put(event, records.room(log), room)
        prefix = records.member(log, "")
        members, _ = page(event, prefix, "", 1)
        if not members:
            return [*self._send_away(log), *reply(event, room=room.name)]
        member, key = members[0], records.account(members[0].removeprefix(prefix))
        need(event, member, key)
        found: Account | None = record(event, key, Account)
        del event.found["browse/" + prefix]  # who is next is looked up when this one is out
        if found is None or log not in found.rooms:
            return put(event, member, None)
        del found.rooms[log]
        return put(event, key, found, change(event, member, None))

    def _send_away(self, log: str) -> list[Command]:
        left = frames.encode(frames.Left(0, log, "the operator"))
        inside = {each.account: None for each in self._sessions.by_peer.values() if log in each.rooms}
        gone = [each for account in inside for each in self._sessions.leave(account, log)]
        return [Send(left, each.peer) for each in gone]

    def _open(self, event: Ordered, order: OpenRoom, now: Instant) -> list[Command]:
        log, room = self._room(event, order.room)
        if "done" in event.found:
            return reply(event, room=room.name)
        if not room.closed:
            return decline(event, "room-not-closed", room=room.name)
        room.closed = False
        return put(event, records.room(log), room)

    def _give(self, event: Ordered, order: GiveRoom, now: Instant) -> list[Command]:
        log, room = self._room(event, order.room)
        key, owner = account(event, order.account)
        if "done" in event.found:
            return reply(event, room=room.name, owner=owner.name)
        room.owner = key
        return put(event, records.room(log), room)

    def _room(self, event: Ordered, name: str) -> tuple[str, Room]:
        try:
            log = names.room_key(name)
        except names.BadName as error:
            raise settled(event, "bad-name", name=name, why=error) from None
        if log == names.LOBBY:
            raise settled(event, "lobby")
        need(event, records.room(log))
        room: Room | None = record(event, records.room(log), Room)
        if room is None:
            raise settled(event, "unknown-room", room=name)
        return log, room
