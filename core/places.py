"""Where one's account is, and where plain lines go."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from core import typed
from protocol import names


class Places:
    """The current place, and the rooms that the account is in: log → name, as far as it is known."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.moves = 0  # how often somebody has gone to a place, be it the same
        self.rooms: dict[str, str] = {}

    def go(self, place: str) -> None:
        """Plain lines go there from now on."""
        self.place = place
        self.moves += 1

    def are(self, logs: Iterable[str]) -> None:
        """All logs that the account reads."""
        self.rooms = {log: self.rooms.get(log, log) for log in logs if log.startswith("#")}

    def enter(self, log: str, name: str) -> None:
        """One room more."""
        self.rooms[log] = name

    def leave(self, log: str) -> str:
        """One room less; its name."""
        return self.rooms.pop(log, log)

    def is_in(self, log: str) -> bool:
        """Whether this is the current place."""
        return self.place.startswith("#") and names.room_key(self.place) == log

    def meant(self, question: typed.OfRoom) -> typed.OfRoom | None:
        """The same with its room, which is the current place if none was named; None if that is no room."""
        if question.room:
            return question
        return msgspec.structs.replace(question, room=self.place) if self.place.startswith("#") else None


def place_key(place: str) -> str:
    """A place in its compared form; as it stands if it is no name at all, as of a message that was damaged."""
    try:
        return names.room_key(place) if place.startswith("#") else names.key(place)
    except names.BadName:
        return place


def conversation(place: str, account: str) -> tuple[str, str]:
    """The log that holds what is said in a place, and with whom: "" in a room."""
    if place.startswith("#"):
        return names.room_key(place), ""
    return names.mailbox(names.key(account)), names.key(place)


def shown_log(log: str, account: str) -> str:
    """A log as people write it: their own mailbox by their name."""
    return "@" + account if log.startswith("@") else log
