"""What the client has asked the broker and not been answered: numbered, so that a refusal finds its question."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core import typed
from protocol import frames
from protocol.passwords import SCHEME

_FRAMES: dict[type[typed.Typed], Callable[[int, Any], frames.Frame]] = {
    typed.AskedWho: lambda ask, question: frames.AskWho(ask),
    typed.AskedContacts: lambda ask, question: frames.AskContacts(ask),
    typed.AddedContact: lambda ask, question: frames.AddContact(ask, question.account),
    typed.RemovedContact: lambda ask, question: frames.RemoveContact(ask, question.account),
    typed.JoinedRoom: lambda ask, question: frames.Join(ask, question.room),
    typed.AskedDevices: lambda ask, question: frames.AskDevices(ask),
    typed.RevokedDevice: lambda ask, question: frames.RevokeDevice(ask, question.device),
    typed.ChangedPassword: lambda ask, question: frames.ChangePassword(ask, SCHEME, question.old, question.new),
    typed.LeftRoom: lambda ask, question: frames.Leave(ask, question.room),
}

# Questions that wait for their answers; then no more input is read. Half of what a broker takes in one turn.
OPEN_QUESTIONS = 16

ASKED = tuple(_FRAMES)
"""The intents that only the broker can answer."""


class Inquiries:
    """Questions 1, 2, 3 …"""

    def __init__(self) -> None:
        self._last = 0
        self._open: dict[int, typed.Typed] = {}

    def __len__(self) -> int:
        """How many are not answered."""
        return len(self._open)

    def ask(self, question: typed.Typed) -> frames.Frame:
        """The frame that asks it."""
        self._last += 1
        self._open[self._last] = question
        return _FRAMES[type(question)](self._last, question)

    def answered(self, ask: int) -> typed.Typed | None:
        """The question that this answers; None if it was not ours."""
        return self._open.pop(ask, None)

    def lost(self) -> list[typed.Typed]:
        """The questions that the broker can't answer any more."""
        questions, self._open = list(self._open.values()), {}
        return questions
