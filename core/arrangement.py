"""How somebody has arranged this device: what is half typed, where it is quiet, how one is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from core import shown, typed
from core.clock import Instant
from core.commands import Command, Remember, Show
from core.places import Places, place_key

WAYS = ("bell", "osc9", "osc777", "osc99", "title", "text")
"""How a mention or a private message calls: a bell, three kinds of notification, and the number in the window's title;
``text``: a notification says not only who has written, but also what."""
CALLED_BY = ("bell",)
# Half-typed lines, one a place, that are kept: more than anybody remembers having begun.
DRAFTS_KEPT = 100


class Arrangement:
    """``arranged`` is what the journal knows: name of a fact → its value."""

    def __init__(self, places: Places, arranged: dict[str, bytes]) -> None:
        self._places = places
        self._muted = {place_key(place): place for place in arranged.get("muted", b"").decode(errors="replace").split()}
        ways = arranged.get("called", " ".join(CALLED_BY).encode()).decode(errors="replace").split()
        self.ways = tuple(way for way in ways if way in WAYS)
        self.drafts = _read(arranged.get("drafts", b"{}"))
        self.table: dict[type[typed.Typed], Callable[[Any, Instant], list[Command]]] = {
            typed.Drafted: self._draft,
            typed.MutedPlace: self._mute,
            typed.UnmutedPlace: self._unmute,
            typed.ChoseCalling: self._choose,
            typed.AskedCalling: self._asked,
        }

    def mutes(self, place: str) -> bool:
        """Whether nothing in this place calls."""
        return bool(self._muted) and place_key(place) in self._muted

    def _draft(self, event: typed.Drafted, now: Instant) -> list[Command]:
        """Keep what is half typed, if that has changed."""
        drafts = dict(list(event.texts.items())[-DRAFTS_KEPT:])
        if drafts == self.drafts:
            return []
        self.drafts = drafts
        texts = {place: text.encode("utf-8", "replace").decode() for place, text in drafts.items()}
        return [Remember("drafts", msgspec.json.encode(texts))]

    def _mute(self, event: typed.MutedPlace, now: Instant) -> list[Command]:
        """One more quiet place."""
        place = event.place or self._places.place
        self._muted.setdefault(place_key(place), place)
        return self._keep_muted()

    def _unmute(self, event: typed.UnmutedPlace, now: Instant) -> list[Command]:
        """One less."""
        self._muted.pop(place_key(event.place or self._places.place), None)
        return self._keep_muted()

    def _keep_muted(self) -> list[Command]:
        return [Remember("muted", "\n".join(self._muted.values()).encode()), self._show()]

    def _choose(self, event: typed.ChoseCalling, now: Instant) -> list[Command]:
        """These ways and no others; none at all is a choice, too."""
        self.ways = event.ways
        return [Remember("called", " ".join(event.ways).encode()), self._show()]

    def _asked(self, event: typed.AskedCalling, now: Instant) -> list[Command]:
        """Say how it is."""
        return [self._show()]

    def _show(self) -> Show:
        return Show(shown.Calling(ways=list(self.ways), muted=list(self._muted.values())))


ARRANGED = ("muted", "called", "drafts")
"""The facts in which it is kept."""


def _read(packed: bytes) -> dict[str, str]:
    try:
        return msgspec.json.decode(packed, type=dict[str, str])
    except msgspec.DecodeError:  # damaged: a lost draft is no reason not to start
        return {}
