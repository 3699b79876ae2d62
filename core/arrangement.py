"""How somebody has arranged this device: what is half typed, and where it is quiet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from core import shown, typed
from core.clock import Instant
from core.commands import Command, Remember, Show
from core.places import place_key

# Half-typed lines, one a place, that are kept: more than anybody remembers having begun.
DRAFTS_KEPT = 100


class Arrangement:
    """``arranged`` is what the journal knows: name of a fact → its value."""

    def __init__(self, arranged: dict[str, bytes]) -> None:
        self._muted = {place_key(place): place for place in arranged.get("muted", b"").decode(errors="replace").split()}
        self.drafts = _read(arranged.get("drafts", b"{}"))
        self.table: dict[type[typed.Typed], Callable[[Any, Instant], list[Command]]] = {
            typed.Drafted: self._draft,
            typed.AskedMuted: self._asked_muted,
            typed.MutedPlace: self._mute,
            typed.UnmutedPlace: self._unmute,
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

    def _asked_muted(self, event: typed.AskedMuted, now: Instant) -> list[Command]:
        """Say where it is quiet."""
        return [self._show()]

    def _mute(self, event: typed.MutedPlace, now: Instant) -> list[Command]:
        """One more quiet place."""
        self._muted.setdefault(place_key(event.place), event.place)
        return self._keep_muted()

    def _unmute(self, event: typed.UnmutedPlace, now: Instant) -> list[Command]:
        """One less."""
        self._muted.pop(place_key(event.place), None)
        return self._keep_muted()

    def _keep_muted(self) -> list[Command]:
        return [Remember("muted", "\n".join(self._muted.values()).encode()), self._show()]

    def _show(self) -> Show:
        return Show(shown.Muted(places=list(self._muted.values())))


ARRANGED = ("muted", "drafts")
"""The facts in which it is kept."""


def _read(packed: bytes) -> dict[str, str]:
    try:
        return msgspec.json.decode(packed, type=dict[str, str])
    except msgspec.DecodeError:  # damaged: a lost draft is no reason not to start
        return {}
