"""The line front end: lines in, lines out; for pipes, scripts, and terminals that are no more than that."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from itertools import chain

from console import words
from console.input import Typing, parse
from console.menu import BeganMessage
from console.objects import encode_line, objects
from console.order import merged
from console.output import OUT, Plain
from console.requests import Requests
from core import shown, typed
from core.shown import Shown
from core.typed import Intent


class Input:
    """What is written: from standard input, or given beforehand. One intent at a time."""

    def __init__(self, typing: Typing | Requests, strict: bool) -> None:
        self._typing = typing
        self._strict = strict
        self._lines: deque[str] = deque()
        self._ready: deque[Intent] = deque()
        self.stopped = False  # no further line counts

    @property
    def prompt(self) -> str:
        """What is asked just now."""
        return self._typing.prompt

    @property
    def empty(self) -> bool:
        """Whether more lines are needed."""
        return not self._lines and not self._ready

    def add(self, lines: list[str]) -> None:
        """Lines have been read."""
        self._lines.extend(lines)

    def say(self, intent: Intent) -> None:
        """An intent that nobody typed."""
        self._ready.append(intent)

    def next(self, outbox_empty: bool) -> Intent | None:
        """The next intent. Strict: only once everything before it is settled."""
        while not self.stopped and (outbox_empty or not self._strict):
            if self._ready:
                return self._ready.popleft()
            if not self._lines:
                break
            self._ready.extend(self._typing.feed(self._lines.popleft()))
        return None

    def greet(self) -> None:
        """What everybody wants to know first: whom one could talk to, one's contacts, who is here."""
        self._ready.extend((typed.AskedContacts(), typed.AskedWho()))

    def stop(self) -> None:
        """No further line counts."""
        self.stopped = True
        self._lines.clear()
        self._ready.clear()

    def refused(self, to: str, body: str) -> None:
        """Something was refused; if it was a message, this one. Strict: that was the last line."""
        if self._strict:
            self.stop()
        self._typing.refused(to, body)


class Output:
    """What is shown, gathered until it is written: messages for stdout, the rest for stderr; or JSON for stdout.

    ``local`` writes a time (Unix, ms); ``place`` is where one is.
    """

    def __init__(self, json: bool, ascii_only: bool, quiet: bool, local: Callable[[int], str], place: str) -> None:
        self._plain = Plain(local, ascii_only, _date, place)
        self._json = json
        self._quiet = quiet  # a run that only sends says nothing unless there is something to say
        self._held: dict[str, list[shown.Messages]] = {}  # by log: what came in this turn
        self.out = bytearray()
        self.err = bytearray()

    def show(self, event: Shown, at: int) -> None:
        """Gather what there is to say about this."""
        if isinstance(event, shown.Messages):
            self._held.setdefault(event.log, []).append(event)
        else:
            self._say(event, at)

    def gather(self, at: int) -> None:
        """The turn is over: its messages, those of several logs in the order of their time."""
        held, self._held = self._held, {}
        runs = merged(held.values()) if len(held) > 1 else chain.from_iterable(held.values())
        for messages in runs:
            self._say(messages, at)

    def _say(self, event: Shown, at: int) -> None:
        if self._json:
            for thing in objects(event):
                self.out += encode_line(thing)
            if not isinstance(event, shown.Refused | shown.Met | shown.Bye):
                return
        elif self._quiet and _is_small_talk(event):
            return
        for stream, text in self._plain.lines(event, at):
            (self.out if stream == OUT and not self._json else self.err).extend(_encoded(text + "\n"))

    def take_err(self) -> bytes:
        """What has gathered for stderr."""
        err, self.err = bytes(self.err), bytearray()
        return err

    def prompt(self, text: str, terminal: bool) -> None:
        """Ask for the next line, if something is asked."""
        if text and not self._json:
            self.err += _encoded(text if terminal else text.rstrip() + "\n")

    def tell(self, text: str) -> None:
        """Lines of the program's own: what somebody has asked it for."""
        self.err += _encoded(f"{text}\n")

    def note(self, sentence: str) -> None:
        """A last word on stderr."""
        self.err += _encoded(f"restante: {sentence}\n")


def as_text(text: str) -> Intent:
    """A message whose text is taken literally."""
    return _given(parse(text, raw=True))


def as_typed(text: str) -> Intent:
    """A message as if it were typed."""
    return _given(parse(text))


def _given(intent: Intent | BeganMessage | None) -> Intent:
    if intent is None or isinstance(intent, BeganMessage):
        return typed.Mistook(code="empty-message", text=words.refusal("empty-message"))
    return intent


def _date(at: int) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(at / 1000))


def _is_small_talk(event: Shown) -> bool:
    return isinstance(event, shown.Offline) or (isinstance(event, shown.Online) and not event.registered)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")
