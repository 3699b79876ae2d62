"""The client's two front ends, as the loop meets them; and the one for lines, with its descriptors.

A front end waits, reads and shows. What a turn does is the loop's, and the same for both.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Protocol

from console import words
from console.client_options import Settings
from console.faces import clock_12h, clock_24h
from console.input import Typing
from console.pipe import Input, Output
from console.preferences import Preferences
from console.requests import Requests
from console.standing import Standing
from core import typed
from core.clock import Instant
from core.errand import Wish
from core.shown import Shown
from transport import standard
from transport.poller import Poller, Source


class Front(Protocol):
    """Waits for everything, hands over what is typed, and shows what happened."""

    input: Input
    closed: bool  # nothing more can be typed

    def run(self, turn: Callable[[], int | None], patience: Callable[[], float | None]) -> int:
        """Turn after turn, whenever something has happened or patience (s) is over, until one gives the exit code."""

    def add(self, source: Source) -> None:
        """Wait on this too."""

    def drop(self, source: Source) -> None:
        """Wait on this no longer."""

    def listen(self, wanted: bool) -> None:
        """Whether lines are wanted just now."""

    def waits(self) -> bool:
        """Whether something was typed that the loop has not had yet."""

    def show(self, event: Shown, at: int) -> None:
        """Show this (Unix, ms), with the next write at the latest."""

    def tell(self, text: str) -> None:
        """Show lines of the program's own."""

    def note(self, sentence: str) -> None:
        """Show a sentence of the program's own."""

    def write(self, standing: Standing, now: Instant, last: bool = False) -> bool:
        """Show what has gathered; False if some of it comes later. ``last``: nothing comes later."""

    def unsent(self) -> list[typed.Intent]:
        """What is to be said for its person when the run ends."""

    def aside(self) -> AbstractContextManager[None]:
        """While somebody else asks something on the terminal."""


class LineFront:
    """Lines in, lines out: pipes, scripts, and terminals that are no more than that."""

    def __init__(self, entered: Input, output: Output, wake: int) -> None:
        self.input = entered
        self.closed = False
        self.show = output.show
        self.tell = output.tell
        self.note = output.note
        self._output = output
        self._lines = standard.Lines()
        self._wake = wake  # can be read once a signal has come
        self._stuck = False  # whoever reads did not, until a signal came: what is left comes with the next run
        self._watched = False  # standard input is in the poller
        self._asked = ""  # the question that stands on the screen and has no answer yet
        self._poller = Poller()
        self.add, self.drop = self._poller.add, self._poller.drop

    def run(self, turn: Callable[[], int | None], patience: Callable[[], float | None]) -> int:
        """See Front; so for all that follows."""
        while (code := turn()) is None:
            if 0 in self._poller.wait(patience()):
                self._read()
        return code

    def listen(self, wanted: bool) -> None:
        """Poll standard input only while its lines are wanted: a full outbox slows a pipe down."""
        if wanted and not self._watched:
            self.add(0)
        elif self._watched and not wanted:
            self.drop(0)
        self._watched = wanted

    def waits(self) -> bool:
        """Lines that were read, or could be."""
        return not self.input.empty or (self._watched and standard.readable(0))

    def write(self, standing: Standing, now: Instant, last: bool = False) -> bool:
        """Write what has gathered, at once; then ask what is to be asked."""
        output = self._output
        output.gather(now.at)
        terminal = standard.is_terminal(0)
        if self._asked and terminal and (output.out or output.err):
            self._asked = ""  # what came pushes the question up: it is asked again below
            _to_stderr(b"\n")
        _to_stderr(output.take_err())
        if output.out:
            self._stuck = self._stuck or not standard.write_unless(self._wake, 1, bytes(output.out))
            output.out.clear()
        if self.input.prompt != self._asked and standing.typing:
            self._asked = self.input.prompt
            output.prompt(self._asked, terminal)
            _to_stderr(output.take_err())
        return not self._stuck

    def unsent(self) -> list[typed.Intent]:
        """A line that has no end is no line."""
        return []

    def aside(self) -> AbstractContextManager[None]:
        """Nothing is in the way."""
        return contextlib.nullcontext()

    def _read(self) -> None:
        data = standard.read(0)
        if data is None:
            return
        if standard.maybe_cut(0, data):
            text = words.refusal("cut-line", limit=standard.TERMINAL_LINE_BYTES)
            self.input.say(typed.Mistook(code="cut-line", text=text))
        else:
            self.input.add(self._lines.feed(data))
        self._asked = ""
        self.closed = not data


def make_front(settings: Settings, wish: Wish, folder: Path, wake: int) -> Front:
    """Rows that stay below what happens, for a person at a terminal; lines for everybody else.

    ``folder`` is the device's: what its person has typed is kept there. ``wake`` can be read once a signal has come:
    nothing is waited for after that.
    """
    if wish.person and not settings.plain and standard.is_terminal(1) and os.environ.get("TERM", "dumb") != "dumb":
        return _terminal(settings, folder)
    counted = settings.preferences
    lines = Typing(settings.raw, settings.menu, not wish.person, counted.aliases)
    local = partial(_local, counted) if wish.person else clock_24h
    output = Output(settings.json, not standard.utf8(), not wish.reads, local, settings.to)
    return LineFront(Input(Requests() if settings.json_in else lines, settings.strict), output, wake)


def _terminal(settings: Settings, folder: Path) -> Front:
    # Imported only here: they take a while, and pipes are in a hurry.
    from console.colours import Names, palette
    from console.rows import ASCII, Signs
    from console.screen import Page
    from console.terminal.keyboard import keyboard
    from console.terminal.terminal import Terminal
    from console.typedlines import TypedLines
    from transport.selector import ZmqSelector

    counted = settings.preferences
    colours = Names(partial(palette, counted, os.environ))
    page = Page(partial(_local, counted), _day, colours, Signs() if standard.utf8() else ASCII, counted)
    entered = Input(Typing(settings.raw, settings.menu, aliases=counted.aliases), settings.strict)
    lines = TypedLines(folder / "typed")
    write = partial(standard.write, 1)
    return Terminal(page, entered, lines, ZmqSelector(), os.environ, write, standard.size, keyboard())


def _to_stderr(data: bytes) -> None:
    if data:
        with contextlib.suppress(OSError):  # nobody reads it
            standard.write(2, data)


def _local(counted: Preferences, at: int) -> str:
    """A time (Unix, ms) as this person wants to see it."""
    return clock_12h(at) if counted["time"] == "12h" else clock_24h(at)


def _day(at: int) -> str:
    """The day that it is then here."""
    then = time.localtime(at / 1000)
    return words.day(then.tm_year, then.tm_mon, then.tm_mday, then.tm_wday)
