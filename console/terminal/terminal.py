"""The front end at a terminal, as the loop meets it: what happens scrolls by above, and the last rows stay."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from selectors import BaseSelector

from prompt_toolkit.input import Input as Keyboard

from console import rows, words
from console.calling import Caller
from console.completion import Around
from console.pipe import Input
from console.rows import Fragments
from console.screen import Page
from console.standing import Standing
from console.terminal.canvas import Canvas
from console.terminal.keys import bindings
from console.terminal.layout import layout
from console.terminal.line import Line
from console.terminal.turns import Turns
from console.typedlines import TypedLines
from core import shown, typed
from core.clock import Instant
from core.shown import Shown
from core.typed import Intent

# Frames a second in which arrivals are painted: more can't be read, and would slow the keys down.
FRAMES_PER_S = 30


class Terminal:
    """See front.Front, and keys.Meant. ``write`` and ``size`` (columns, rows) are the terminal's."""

    def __init__(
        self,
        page: Page,
        entered: Input,
        lines: TypedLines,
        selector: BaseSelector,
        environment: Mapping[str, str],
        write: Callable[[bytes], object],
        size: Callable[[], tuple[int, int]],
        keyboard: Keyboard,
    ) -> None:
        self.input = entered
        self.closed = False
        self.tell, self.note = page.tell, page.note
        self._page = page
        self._size = size
        self._standing: Standing | None = None
        self._paint_at = 0.0  # the tick at which arrivals may be painted again
        self._since: dict[int, float] = {}  # number of a message that waits → tick at which that was first seen
        self._pending: list[str] = []
        self._status = ""
        self._asked = ""  # the question that stands before the line
        self._line = line = Line(lines)
        self._caller = Caller(environment)
        rows_below = layout(line.buffer, lambda: self._pending, self._prompt, self._hint, self._status_line)
        self._canvas = Canvas(
            rows_below, bindings(line, self), keyboard, write, size, self._remeasure, environment, page.preferences
        )
        self.aside = self._canvas.aside
        self._turns = Turns(selector, self._canvas, self._gone)
        self.add, self.drop = self._turns.add, self._turns.drop

    # -- waiting --

    def run(self, turn: Callable[[], int | None], patience: Callable[[], float | None]) -> int:
        """Turns, and the keyboard, until a turn gives the exit code."""
        try:
            return self._turns.run(turn, lambda: self._wait(patience))
        finally:
            if call := self._caller.leave():
                self._canvas.print([], call)

    def _wait(self, patience: Callable[[], float | None]) -> float | None:
        """How long until there is something to do or to paint though nothing happens."""
        waits = [wait for wait in (patience(), self._until_paint(time.monotonic())) if wait is not None]
        return min(waits, default=None)

    def _until_paint(self, tick: float) -> float | None:
        dues = [] if self._page.empty else [self._paint_at]
        dues += [since + rows.PENDING_S for since in self._since.values() if since + rows.PENDING_S > tick]
        if self._standing and not self._standing.online and self._standing.due is not None:
            dues.append(tick + 1 if self._standing.due > tick else tick + 60)
        return max(0.0, min(dues) - tick) if dues else None

    def _gone(self) -> None:
        self.closed = True

    def listen(self, wanted: bool) -> None:
        """Keys are always read: a line that can't be taken yet waits."""

    def waits(self) -> bool:
        """Lines that were typed."""
        return not self.input.empty

    # -- showing --

    def show(self, event: Shown, at: int) -> None:
        """Gather it; a line that is refused comes back."""
        self._page.show(event, at)
        if isinstance(event, shown.Online) and not event.first:
            self.input.say(self._page.asks_heads())
        if isinstance(event, shown.Refused):
            self._line.refused(event.line, again=bool(event.body) or event.code in words.REFUSALS)

    def write(self, standing: Standing, now: Instant, last: bool = False) -> bool:
        """Paint what has gathered, at most so many times a second; and the rows below, if they have changed."""
        page = self._page
        self._stand(standing)
        if not page.empty and not last and now.tick < self._paint_at:
            return False
        if not page.empty:
            page.width = self._size()[0]
            self._paint_at = now.tick + 1 / FRAMES_PER_S
        lines = page.take()
        changed = self._measure(now.tick)
        if (call := self._call(now.tick)) or lines:
            self._canvas.print(lines, call)
        elif changed:
            self._canvas.invalidate()
        return True

    def _stand(self, standing: Standing) -> None:
        """How things stand now; going elsewhere means another history and another draft."""
        page, first, self._standing = self._page, self._standing is None, standing
        page.is_called(standing.account)
        page.talks.meet(sorted(standing.rooms))
        page.talks.mutes = standing.arrangement.mutes
        if first:
            self._line.begin(standing.arrangement.drafts)
        if first or standing.place != page.place:
            page.goes_to(standing.place)
            self._line.arrive(standing.place)
        if standing.typing:
            self._turns.begin()

    def _call(self, tick: float) -> str:
        """For a mention or a private line; and the number in the title."""
        envelope, self._page.caller = self._page.caller, None
        ways = self._page.preferences["notify"].split()
        return self._caller.call(envelope, ways, tick) + self._caller.title(self._page.talks, ways)

    def unsent(self) -> list[Intent]:
        """What is half typed is kept, wherever that is."""
        return [typed.Drafted(texts=self._line.drafts(self._standing.place))] if self._standing else []

    # -- the last rows --

    def _measure(self, tick: float) -> bool:
        """Work out the last rows; whether they have changed."""
        if self._standing is None:
            return False
        signs, width, page = self._page.signs, self._size()[0], self._page
        before = self._pending, self._status, self._asked
        self._pending = rows.pending(self._standing, self._since, tick, width, signs)
        self._status = rows.status(self._standing, page.heads, page.talks, tick, width, signs)
        self._asked = self.input.prompt
        return before != (self._pending, self._status, self._asked)

    def _remeasure(self) -> None:
        self._measure(time.monotonic())

    def _prompt(self) -> Fragments:
        if self._standing is None:
            return []
        known = self._page.known
        return rows.prompt(self._standing, self.input.prompt, self._line.text, known, self._page.signs)

    def _hint(self) -> str:
        hint = self._line.hint
        return "\n".join(rows.wrapped(f"  {hint}", self._size()[0], 2)) if hint else ""

    def _status_line(self) -> Fragments:
        offline = self._standing is not None and not self._standing.online
        return [("class:status.offline" if offline else "class:status", self._status)]

    # -- keys --

    @property
    def asked(self) -> bool:
        """Whether a question stands before the line."""
        return bool(self.input.prompt)

    def enter(self, text: str) -> None:
        """A line was typed."""
        self.input.add([text])
        self._turns.wake()

    def leave(self) -> None:
        """Ask once if something is still to go out; what was typed before is heeded all the same."""
        left = len(self._standing.waiting) if self._standing else 0
        if left and not self._line.leaving:
            self._line.leaving = True
            self._line.hint = words.leave_all_the_same(left)
            return
        self.closed = True
        self._turns.wake()

    def suspend(self) -> None:
        """Stop until the shell says go on; what came meanwhile is printed then."""
        with self.aside():
            os.kill(0, signal.SIGTSTP)

    def go_to(self, number: int) -> None:
        """The conversation with this number."""
        talks = self._page.talks
        place = talks.at(number)
        if place:
            self._go(place)
        else:
            self._line.hint = words.NO_CONVERSATION(places=", ".join(map(talks.numbered, talks.places.values())))

    def go_on(self) -> None:
        """Where something is unread."""
        place = self._page.talks.next()
        if place:
            self._go(place)
        else:
            self._line.hint = words.NOTHING_NEW()

    def _go(self, place: str) -> None:
        """What is half typed was meant for where one is, and stays there."""
        if self._standing is None or place.casefold() == self._standing.place.casefold():
            return
        self.input.say(typed.Drafted(texts=self._line.put_aside(self._standing.place)))
        self.input.say(typed.Chose(to=place))
        self._turns.wake()

    def around(self) -> Around:
        """What can be named."""
        return self._page.around(self.asked)
