"""What the client makes of the broker's answers, and of what the broker tells unasked about people and rooms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core import shown, typed
from core.clock import Instant
from core.commands import Command, Remember, Show
from core.company import Company
from core.inquiries import Inquiries
from core.lookback import Lookback
from core.outbox import Memory
from core.places import Places
from core.reader import Reader
from protocol import frames, names


class Answers:
    """One method a frame."""

    def __init__(
        self, inquiries: Inquiries, reader: Reader, places: Places, lookback: Lookback, memory: Memory
    ) -> None:
        self.account = lookback.account
        self.device = memory.device
        self.contacts = memory.contacts
        self._inquiries = inquiries
        self._reader = reader
        self._places = places
        self._lookback = lookback
        self._company = Company()
        self.table: dict[type[frames.Frame], Callable[[Any, Instant], list[Command]]] = {
            frames.Presence: self._presence,
            frames.Present: self._present,
            frames.Contacts: self._contacts,
            frames.Joined: self._joined,
            frames.Left: self._left,
            frames.Rooms: self._rooms,
            frames.Members: self._members,
            frames.News: self._news,
            frames.Profile: self._profile,
            frames.Page: lambda frame, now: self._lookback.page(frame),
            frames.Devices: self._devices,
            frames.Changed: self._changed,
        }

    def begin(self, account: str, device: str) -> None:
        """The broker has let us in."""
        self.account, self.device = account, device

    def alone(self) -> None:
        """Nobody knows who is here while the broker is away."""
        self._company = Company()

    # -- people --

    def _presence(self, frame: frames.Presence, now: Instant) -> list[Command]:
        return self._company.told(frame, self.account)

    def _present(self, frame: frames.Present, now: Instant) -> list[Command]:
        self._inquiries.answered(frame.ask)
        self._company.are(frame.accounts)
        return [Show(shown.Who(accounts=frame.accounts, more=frame.more))]

    def _contacts(self, frame: frames.Contacts, now: Instant) -> list[Command]:
        self._inquiries.answered(frame.ask)
        self.contacts = frame.contacts
        known = Remember("contacts", "\n".join(frame.contacts).encode())
        return [known, Show(shown.Contacts(contacts=frame.contacts, possible=frame.possible, more=frame.more))]

    def _profile(self, frame: frames.Profile, now: Instant) -> list[Command]:
        self._inquiries.answered(frame.ask)
        return [Show(shown.Profile(account=frame.account, made_at=frame.made_at, here=frame.here, rooms=frame.rooms))]

    # -- rooms --

    def _joined(self, frame: frames.Joined, now: Instant) -> list[Command]:
        """Whoever joins a room wants to talk there: what is typed next must not end up in the lobby."""
        asked = self._inquiries.answered(frame.ask)
        self._places.enter(frame.log, frame.room)
        inside = Show(shown.Inside(account=self.account, room=frame.room, topic=frame.topic))
        return [*self._reader.join(frame.log, frame.extent), inside, *(self.go(frame.room) if asked else [])]

    def inside(self, room: str) -> list[Command]:
        """Whoever joins a room that they are in wants to talk there, too."""
        return [Show(shown.Inside(account=self.account, room=room)), *self.go(room)]

    def _left(self, frame: frames.Left, now: Instant) -> list[Command]:
        """Whoever is removed stays where they are, and is refused there: the next line was not meant for the lobby."""
        asked = self._inquiries.answered(frame.ask)
        self._reader.leave(frame.log)
        room = self._places.leave(frame.log)
        outside = Show(shown.Outside(account=self.account, room=room, by=frame.by, banned=frame.banned))
        return [outside, *(self.go(names.LOBBY) if asked and self._places.is_in(frame.log) else [])]

    def go(self, place: str) -> list[Command]:
        """From now on plain lines go there; what was said in both places has been looked at."""
        before = self._lookback.read()
        self._places.go(place)
        return [before, self._lookback.read(), Show(shown.Place(to=place))]

    def _rooms(self, frame: frames.Rooms, now: Instant) -> list[Command]:
        self._inquiries.answered(frame.ask)
        return [Show(shown.Rooms(rooms=frame.rooms, after=frame.after))]

    def _members(self, frame: frames.Members, now: Instant) -> list[Command]:
        if isinstance(self._inquiries.answered(frame.ask), typed.AskedTopic):
            return [Show(shown.Topic(room=frame.room, topic=frame.topic))]
        members = shown.Members(
            room=frame.room,
            owner=frame.owner,
            private=frame.private,
            here=frame.here,
            away=frame.away,
            more=frame.more,
        )
        return [Show(members)]

    def _news(self, frame: frames.News, now: Instant) -> list[Command]:
        self._inquiries.answered(frame.ask)
        if frame.what == "topic":
            return [Show(shown.Topic(room=frame.room, topic=frame.topic, by=frame.by))]
        if frame.what not in ("invited", "removed", "banned", "unbanned"):
            return []  # of a newer broker
        mine = frame.account == self.account
        if mine and self._lookback.ignored.hides(frame.by):
            return []
        return [Show(shown.News(room=frame.room, what=frame.what, by=frame.by, account=frame.account, mine=mine))]

    # -- one's own account --

    def _devices(self, frame: frames.Devices, now: Instant) -> list[Command]:
        self._inquiries.answered(frame.ask)
        return [Show(shown.Devices(devices=frame.devices, this=self.device))]

    def _changed(self, frame: frames.Changed, now: Instant) -> list[Command]:
        self._inquiries.answered(frame.ask)
        return [Show(shown.Notice(text=shown.PASSWORD_CHANGED))]
