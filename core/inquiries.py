"""What the client has asked the broker and not been answered: numbered, so that a refusal finds its question."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core import typed
from core.commands import Recall
from protocol import frames, limits
from protocol.passwords import SCHEME


class WantedPage(typed.Typed, kw_only=True):
    """What is older than what the journal has of a log. Nobody types it: it answers another question."""

    recall: Recall
    before: int


_FRAMES: dict[type[typed.Typed], Callable[[int, Any], frames.Frame]] = {
    WantedPage: lambda ask, question: frames.AskPage(ask, question.recall.log, question.before, limits.PAGE_MESSAGES),
    typed.AskedWho: lambda ask, question: frames.AskWho(ask),
    typed.AskedContacts: lambda ask, question: frames.AskContacts(ask),
    typed.AddedContact: lambda ask, question: frames.AddContact(ask, question.account),
    typed.RemovedContact: lambda ask, question: frames.RemoveContact(ask, question.account),
    typed.AskedAccount: lambda ask, question: frames.AskAccount(ask, question.account),
    typed.JoinedRoom: lambda ask, question: frames.Join(ask, question.room, question.private),
    typed.LeftRoom: lambda ask, question: frames.Leave(ask, question.room),
    typed.AskedRooms: lambda ask, question: frames.AskRooms(ask, question.after),
    typed.AskedMembers: lambda ask, question: frames.AskMembers(ask, question.room),
    typed.AskedTopic: lambda ask, question: frames.AskMembers(ask, question.room),
    typed.ChangedTopic: lambda ask, question: frames.SetTopic(ask, question.room, question.topic),
    typed.InvitedAccount: lambda ask, question: frames.Invite(ask, question.room, question.account),
    typed.ExpelledAccount: lambda ask, question: frames.Expel(ask, question.room, question.account, question.bans),
    typed.UnbannedAccount: lambda ask, question: frames.Unban(ask, question.room, question.account),
    typed.AskedDevices: lambda ask, question: frames.AskDevices(ask),
    typed.RevokedDevice: lambda ask, question: frames.RevokeDevice(ask, question.device),
    typed.ChangedPassword: lambda ask, question: frames.ChangePassword(ask, SCHEME, question.old, question.new),
}

# Questions that wait for their answers; then no more input is read. Half of what a broker takes in one turn.
OPEN_QUESTIONS = 16

ASKED = tuple(_FRAMES)
"""The intents that only the broker can answer."""
ASKED_OF_ROOM = tuple(kind for kind in _FRAMES if issubclass(kind, typed.OfRoom))
"""Those of them that are about a room."""


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

    def holds(self, *kinds: type[typed.Typed]) -> bool:
        """Whether one of these kinds is not answered."""
        return any(isinstance(question, kinds) for question in self._open.values())

    def answered(self, ask: int) -> typed.Typed | None:
        """The question that this answers; None if it was not ours."""
        return self._open.pop(ask, None)

    def lost(self) -> list[typed.Typed]:
        """The questions that the broker can't answer any more."""
        questions, self._open = list(self._open.values()), {}
        return questions
