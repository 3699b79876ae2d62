"""Whose messages are kept but not shown. Only this device knows."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

import msgspec

from core import shown
from core.commands import Remember
from protocol import names
from protocol.frames import Envelope


class Ignored:
    """Names, by their compared form."""

    def __init__(self, accounts: Iterable[str]) -> None:
        self._names = {names.key(account): account for account in accounts}

    @property
    def keys(self) -> tuple[str, ...]:
        """The accounts."""
        return tuple(self._names)

    @property
    def names(self) -> list[str]:
        """As they were typed."""
        return list(self._names.values())

    def add(self, account: str) -> Remember:
        """One more."""
        self._names.setdefault(names.key(account), account)
        return self._remember()

    def remove(self, account: str) -> Remember | None:
        """One less; None if it was not among them."""
        return self._remember() if self._names.pop(names.key(account), None) else None

    def _remember(self) -> Remember:
        return Remember("ignored", "\n".join(self._names.values()).encode())

    def hides(self, author: str) -> bool:
        """Whether what this one writes is not shown."""
        if not self._names:
            return False
        try:
            return names.key(author) in self._names
        except names.BadName:  # of a message that was damaged
            return False

    def sift(self, messages: shown.Messages) -> list[shown.Messages]:
        """What is left to be shown, in runs."""
        if not self._names:
            return [messages]
        placed = enumerate(messages.envelopes, messages.first)
        runs = [(hidden, list(run)) for hidden, run in groupby(placed, key=self._is_hidden)]
        return [_run(messages, run) for hidden, run in runs if not hidden]

    def _is_hidden(self, place: tuple[int, Envelope]) -> bool:
        return self.hides(place[1].author)


def _run(messages: shown.Messages, run: list[tuple[int, Envelope]]) -> shown.Messages:
    envelopes = [envelope for _, envelope in run]
    return msgspec.structs.replace(messages, first=run[0][0], envelopes=envelopes)
