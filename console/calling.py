"""How the terminal is told to call: bells, notifications, the window's title. Pure: bytes for the terminal, no more.

Terminals that don't know such a command ignore it. Each ends with ST (ESC and a backslash): a BEL would be heard.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from console import words
from console.conversations import Conversations
from console.sanitise import osc_text
from console.spoken import spoken_text
from protocol.frames import Envelope

# Not for each of many: time between two calls.
CALL_S = 2.0

WAYS = ("bell", "osc9", "osc777", "osc99", "title", "text")
"""A bell, three kinds of notification, and the number in the window's title; ``text``: a notification says not only who
has written, but also what."""

_OSC, _ST = "\x1b]", "\x1b\\"
_KEEP_TITLE, _GIVE_BACK_TITLE = "\x1b[22;2t", "\x1b[23;2t"


class Caller:
    """Calls at most every CALL_S. In tmux a notification is wrapped, to be handed on to the terminal around it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._in_tmux = bool(environment.get("TMUX"))
        self._quiet_until = 0.0
        self._title = ""  # that we have set; "": the title is not ours

    def call(self, envelope: Envelope | None, ways: Collection[str], tick: float) -> str:
        """For a mention or a private message."""
        if envelope is None or tick < self._quiet_until:
            return ""
        self._quiet_until = tick + CALL_S
        said = f": {spoken_text(envelope)}" if "text" in ways else ""
        text = osc_text(envelope.author + said)
        forms = {
            "osc9": f"9;{words.PROGRAM}: {text}",
            "osc777": f"777;notify;{words.PROGRAM};{text}",
            "osc99": f"99;;{words.PROGRAM}: {text}",
        }
        notices = [self._wrapped(f"{_OSC}{form}{_ST}") for way, form in forms.items() if way in ways]
        return ("\a" if "bell" in ways else "") + "".join(notices)

    def _wrapped(self, command: str) -> str:
        return f"\x1bPtmux;{command.replace(chr(27), chr(27) * 2)}{_ST}" if self._in_tmux else command

    def title(self, talks: Conversations, ways: Collection[str]) -> str:
        """What is unread, before the program's name; the title that was there comes back when that is not wanted."""
        count = talks.messages
        title = "" if "title" not in ways else f"({count}) {words.PROGRAM}" if count else words.PROGRAM
        before, self._title = self._title, title
        if title == before:
            return ""
        if not title:
            return _GIVE_BACK_TITLE
        return ("" if before else _KEEP_TITLE) + f"{_OSC}2;{title}{_ST}"

    def leave(self) -> str:
        """The terminal as it was found."""
        ours, self._title = self._title, ""
        return _GIVE_BACK_TITLE if ours else ""
