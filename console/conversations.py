"""Where one talks: conversations with their numbers, and what has come in those where one is not. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from console.sanitise import clean_line
from protocol import names

NUMBERED = 9
"""So many have a number: as many as there are digits to press."""


class Unread(msgspec.Struct):
    """What came elsewhere than where one is."""

    messages: int = 0
    mentions: int = 0


class Conversations:
    """Numbered as they are met, 1 is the lobby; a number stays the same for as long as the program runs."""

    def __init__(self) -> None:
        self.places: dict[str, str] = {names.LOBBY: names.LOBBY}  # folded → as it is written
        self.unread: dict[str, Unread] = {}  # by place as it is written, the first to come first
        self.mutes: Callable[[str], bool] = lambda place: False

    def meet(self, places: Iterable[str]) -> None:
        """These are there."""
        for place in places:
            self.places.setdefault(place.casefold(), place)

    def at(self, number: int) -> str:
        """The place with this number; "" if there is none."""
        return list(self.places.values())[number - 1] if number <= len(self.places) else ""

    def number(self, place: str) -> int:
        """The number of a place that was met."""
        return list(self.places).index(place.casefold()) + 1

    def numbered(self, place: str) -> str:
        """A place that was met, behind its number if there is a digit for it."""
        number = self.number(place)
        return f"{number} {clean_line(place)}" if number <= NUMBERED else clean_line(place)

    def came(self, place: str, mentions: bool) -> None:
        """Something has come there, and nobody looks."""
        self.meet([place])
        unread = self.unread.setdefault(self.places[place.casefold()], Unread())
        unread.messages += 1
        unread.mentions += mentions

    def look(self, place: str) -> None:
        """What came there is read."""
        self.meet([place])
        self.unread.pop(self.places[place.casefold()], None)

    @property
    def loud(self) -> dict[str, Unread]:
        """What is unread where it is not muted."""
        return {place: each for place, each in self.unread.items() if not self.mutes(place)}

    @property
    def messages(self) -> int:
        """How many they are."""
        return sum(each.messages for each in self.loud.values())

    def next(self) -> str:
        """Where to look next: where one is mentioned, else where something came first; "" if nowhere."""
        return min(self.loud, key=lambda place: not self.loud[place].mentions, default="")
