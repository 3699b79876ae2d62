"""The front end for a person at a terminal: what happens scrolls by above, and the last rows stay.

The only file that knows prompt_toolkit, and the only one that touches its private parts (``_redraw``, ``_on_resize``,
``renderer._last_screen``, ``renderer._cursor_pos``). There is no alternate screen: the terminal's own scrollback,
selection and search go on working. One thread: the selector waits for the broker and for keys alike.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from selectors import BaseSelector
from typing import Any, cast

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.data_structures import Point, Size
from prompt_toolkit.filters import Condition
from prompt_toolkit.input import Input as Keyboard
from prompt_toolkit.input.posix_utils import PosixStdinReader
from prompt_toolkit.input.vt100 import Vt100Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import BufferControl, ConditionalContainer, FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.layout.processors import BeforeInput, Processor, Transformation, TransformationInput
from prompt_toolkit.layout.utils import explode_text_fragments
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.renderer import print_formatted_text
from prompt_toolkit.styles import Style
from prompt_toolkit.widgets import SearchToolbar

from console import rows, words
from console.colours import STYLE, palette, true_colours
from console.paper import Paper
from console.pipe import Input
from console.preferences import Preferences
from console.rows import Fragments
from console.screen import Page
from console.standing import Standing
from core import shown
from core.clock import Instant
from core.shown import Shown

# Frames a second in which arrivals are painted: more can't be read, and would slow the keys down.
FRAMES_PER_S = 30
BELL_S = 2.0
PROMPT_ROWS = 6
# So many lines at once are a paste; it is not sent before its person says so.
PASTED_LINES = 4
# What was typed is remembered so long, in lines, to be given back if it is refused.
REMEMBERED_LINES = 100

_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"  # a synchronised update; terminals that don't know it ignore it
# The toolkit adds up code points, terminals draw clusters: what has no width of its own is not drawn while it is typed.
_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0e\ufe0f\ufeff\U0001f3fb-\U0001f3ff]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_STYLE = Style.from_dict(STYLE)

Source = Any  # a ZeroMQ socket or a descriptor: whatever the selector takes


class _Keys(PosixStdinReader):
    """Reads keys. A terminal that is gone gives EIO for ever: that is the end, once."""

    def read(self, count: int = 65536) -> str:
        try:
            data = os.read(self.stdin_fd, count)
        except BlockingIOError:
            return ""
        except OSError:
            data = b""
        self.closed = not data
        return self._stdin_decoder.decode(data)


class _Unseen(Processor):
    """Joiners, selectors and skin tones are in the buffer, not on the screen."""

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        """See Processor."""
        fragments = explode_text_fragments(transformation_input.fragments)
        seen = [not _UNSEEN.match(fragment[1]) for fragment in fragments]
        if all(seen):
            return Transformation(transformation_input.fragments)
        there = list(accumulate(seen, initial=0))
        back = [*(at for at, is_seen in enumerate(seen) if is_seen), len(seen)]
        return Transformation(
            [fragment for fragment, is_seen in zip(fragments, seen, strict=True) if is_seen],
            source_to_display=lambda at: there[min(at, len(seen))],
            display_to_source=lambda at: back[min(at, len(back) - 1)],
        )


class Terminal:
    """See front.Front. ``write`` and ``size`` (columns, rows) are the terminal's; ``keyboard`` stands in for it."""

    def __init__(
        self,
        page: Page,
        entered: Input,
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
        self._reflows = environment.get("TERM") != "linux" and "XTERM_VERSION" not in environment
        self._loop = asyncio.SelectorEventLoop(selector)
        self._standing: Standing | None = None
        self._turn: Callable[[], int | None] = lambda: None
        self._patience: Callable[[], float | None] = lambda: None
        self._timer: asyncio.TimerHandle | None = None
        self._scheduled = False
        self._begun = asyncio.Event()
        self._ended: asyncio.Future[int] = self._loop.create_future()
        self._failure: BaseException | None = None
        self._paint_at = 0.0  # the tick at which arrivals may be painted again
        self._bell_at = 0.0
        self._since: dict[int, float] = {}  # number of a message that waits → tick at which that was first seen
        self._pending: list[str] = []
        self._status = ""
        self._asked = ""  # the question that stands before the line
        self._hint = ""
        self._leaving = False  # Ctrl-D was pressed once
        self._pasting = False  # lines are coming as fast as no hand types them
        self._lines = 0
        self._typed: dict[int, str] = {}  # number of a line → what was typed
        self._paper = Paper(write)
        self._keyboard = keyboard
        self._buffer = Buffer(multiline=True, on_text_changed=self._changed)
        self._app = self._application(environment)

    # -- waiting: one thread, one poll --

    def run(self, turn: Callable[[], int | None], patience: Callable[[], float | None]) -> int:
        """Turns, and the application, until a turn gives the exit code."""
        self._turn, self._patience = turn, patience
        self._loop.set_exception_handler(self._fail)
        try:
            return self._loop.run_until_complete(self._main())
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def _main(self) -> int:
        self._wake()
        await self._begun.wait()
        if not self._ended.done():
            with contextlib.suppress(EOFError):
                await self._app.run_async(set_exception_handler=False, handle_sigint=False)
            self.closed = True
            self._wake()
        code = await self._ended
        if self._failure:
            raise self._failure
        return code

    def _wake(self) -> None:
        """A turn, soon."""
        if not self._scheduled and not self._ended.done():
            self._scheduled = True
            self._loop.call_soon(self._take_turn)

    def _take_turn(self) -> None:
        self._scheduled = False
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._ended.done():
            return
        try:
            code = self._turn()
        except BaseException as failure:  # whatever it is: the terminal is to be left clean
            self._failure = failure
            code = 1
        if code is not None:
            self._end(code)
        elif (wait := self._wait()) is not None:
            self._timer = self._loop.call_later(wait, self._wake)

    def _wait(self) -> float | None:
        """How long until there is something to do or to paint though nothing happens."""
        waits = [wait for wait in (self._patience(), self._until_paint(time.monotonic())) if wait is not None]
        return min(waits, default=None)

    def _until_paint(self, tick: float) -> float | None:
        dues = [] if self._page.empty else [self._paint_at]
        dues += [since + rows.PENDING_S for since in self._since.values() if since + rows.PENDING_S > tick]
        if self._standing and not self._standing.online and self._standing.due is not None:
            dues.append(tick + 1 if self._standing.due > tick else tick + 60)
        return max(0.0, min(dues) - tick) if dues else None

    def _end(self, code: int) -> None:
        if not self._ended.done():
            self._ended.set_result(code)
            self._begun.set()
            self._leave_application()

    def _leave_application(self) -> None:
        if self._app.future and not self._app.future.done():
            self._app.exit()

    def _fail(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A bug in a key's binding or in the toolkit: end cleanly, then say it."""
        self._failure = context.get("exception") or RuntimeError(context["message"])
        self._end(1)

    def add(self, source: Source) -> None:
        """Wait on this too: asyncio hands it to the selector untouched."""
        self._loop.add_reader(source, self._wake)

    def drop(self, source: Source) -> None:
        """Wait on this no longer."""
        self._loop.remove_reader(source)

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
        if isinstance(event, shown.Refused) and event.line in self._typed:
            text = self._typed.pop(event.line)
            if not self._buffer.text and (event.body or event.code in words.REFUSALS):
                self._buffer.insert_text(text)

    def write(self, standing: Standing, now: Instant, last: bool = False) -> bool:
        """Paint what has gathered, at most so many times a second; and the rows below, if they have changed."""
        page = self._page
        page.is_called(standing.account)
        if standing.place != page.place:
            page.goes_to(standing.place)
        self._standing = standing
        if standing.typing:
            self._begun.set()
        if not page.empty and not last and now.tick < self._paint_at:
            return False
        if not page.empty:
            page.width = self._size()[0]
            lines = page.take()
            self._print(lines, now)
            self._paint_at = now.tick + 1 / FRAMES_PER_S
        elif self._measure(now.tick):
            self._app.invalidate()
        return True

    def _print(self, lines: list[Fragments], now: Instant) -> None:
        """Above the last rows: no change of the terminal's mode, and one write."""
        app, output = self._app, self._app.output
        fragments = [fragment for line in lines for fragment in (*line, ("", "\n"))]
        self._measure(now.tick)
        with self._paper.frame():
            output.write_raw(_BEGIN)
            if app.is_running:
                app.renderer.erase()
            if fragments:
                print_formatted_text(output, fragments, _STYLE, color_depth=app.color_depth)  # type: ignore[arg-type]
            if app.is_running:
                app.renderer.reset()
                app._redraw()
            self._ring(now.tick)
            output.write_raw(_END)
            output.flush()

    def _ring(self, tick: float) -> None:
        """For a mention or a private line; not for each of many."""
        rings, self._page.rings = self._page.rings, False
        if rings and tick >= self._bell_at and self._page.preferences["bell"] == "on":
            self._bell_at = tick + BELL_S
            self._app.output.write_raw("\a")

    def _measure(self, tick: float) -> bool:
        """Work out the last rows; whether they have changed."""
        if self._standing is None:
            return False
        signs, width, page = self._page.signs, self._size()[0], self._page
        before = self._pending, self._status, self._asked
        self._pending = rows.pending(self._standing, self._since, tick, width, signs)
        self._status = rows.status(self._standing, page.heads, page.unread, tick, width, signs)
        self._asked = self.input.prompt
        return before != (self._pending, self._status, self._asked)

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """The terminal as others expect it, for as long as they need it."""
        if not self._app.is_running:
            yield
            return
        self._app.renderer.erase()
        with self._app.input.cooked_mode():
            yield
        self._app.renderer.reset()
        self._app._redraw()

    # -- the last rows --

    def _application(self, environment: Mapping[str, str]) -> Application[None]:
        output = Vt100_Output(
            self._paper,  # type: ignore[arg-type] # as much of a file as is needed
            lambda: Size(rows=self._size()[1], columns=self._size()[0]),
            term=environment.get("TERM"),
            enable_cpr=False,  # an answer might land in somebody's line, and nothing here needs it
        )
        if isinstance(self._keyboard, Vt100Input):
            self._keyboard.stdin_reader = _Keys(self._keyboard.fileno())
        app: Application[None] = Application(
            layout=self._layout(),
            style=_STYLE,
            include_default_pygments_style=False,
            key_bindings=self._bindings(),
            color_depth=lambda: _depth(self._page.preferences, environment),
            erase_when_done=True,
            terminal_size_polling_interval=None,
            input=self._keyboard,
            output=output,
        )
        app._on_resize = self._resized  # type: ignore[method-assign]
        return app

    def _layout(self) -> Layout:
        search = SearchToolbar()
        prompt = BeforeInput(cast(Any, self._prompt))
        control = BufferControl(
            self._buffer, input_processors=[_Unseen(), prompt], search_buffer_control=search.control
        )
        pending = Window(
            FormattedTextControl(lambda: [("class:waits", "\n".join(self._pending))]),
            height=lambda: Dimension(min=0, preferred=len(self._pending), max=len(self._pending)),
        )
        hint = Window(FormattedTextControl(lambda: [("class:note", f"  {self._hint}")]), height=1)
        line = Window(control, wrap_lines=True, dont_extend_height=True, height=Dimension(min=1, max=PROMPT_ROWS))
        status = Window(FormattedTextControl(cast(Any, self._status_line)), height=1)
        parts: list[Any] = [
            ConditionalContainer(pending, Condition(lambda: bool(self._pending))),
            line,
            ConditionalContainer(hint, Condition(lambda: bool(self._hint))),
            search,
            status,
        ]
        return Layout(HSplit(parts), focused_element=line)

    def _prompt(self) -> Fragments:
        if self._standing is None:
            return []
        known = self._page.known
        return rows.prompt(self._standing, self.input.prompt, self._buffer.text, known, self._page.signs)

    def _status_line(self) -> Fragments:
        offline = self._standing is not None and not self._standing.online
        return [("class:status.offline" if offline else "class:status", self._status)]

    def _resized(self) -> None:
        """Terminals wrap our rows anew, while the toolkit would erase from the old row of its cursor."""
        renderer = self._app.renderer
        screen = renderer._last_screen
        with self._paper.frame():
            if screen and self._reflows:
                at, width = renderer._cursor_pos, max(1, self._size()[0])
                above = sum(_height(screen.data_buffer[row], width) for row in range(at.y))
                renderer._cursor_pos = Point(x=at.x, y=above + at.x // width)
            renderer.erase(leave_alternate_screen=False)
            self._measure(time.monotonic())
            self._app._redraw()

    # -- keys --

    def _bindings(self) -> KeyBindings:
        bindings = KeyBindings()
        for key, does in (
            ("enter", self._entered),
            ("c-c", self._cancelled),
            ("c-d", self._leave),
            ("c-z", self._suspended),
            (Keys.BracketedPaste, self._pasted),
        ):
            bindings.add(key)(does)
        bindings.add("escape", "enter")(lambda event: self._buffer.insert_text("\n"))
        return bindings

    def _changed(self, buffer: Buffer) -> None:
        self._hint = ""
        self._leaving = False

    def _entered(self, event: KeyPressEvent) -> None:
        text = self._buffer.text
        further = sum(press.key in (Keys.ControlM, Keys.ControlJ) for press in event.app.key_processor.input_queue)
        if further >= PASTED_LINES or self._pasting:
            # Pasted into a terminal that does not tell pastes from keys.
            self._pasting = bool(further)
            if further:
                self._buffer.insert_text("\n")
            self._hint = words.pasted(text.count("\n") + 1)
            return
        if text.strip():
            self._buffer.append_to_history()
        self._buffer.reset()
        self._changed(self._buffer)
        self._lines += 1
        if not self.input.prompt:  # an answer is asked for again, and not given back
            self._typed[self._lines] = text
        self._typed.pop(self._lines - REMEMBERED_LINES, None)
        self.input.add([text])
        self._wake()

    def _pasted(self, event: KeyPressEvent) -> None:
        text = _CONTROLS.sub("", event.data.replace("\r\n", "\n").replace("\r", "\n"))
        self._buffer.insert_text(text)
        lines = text.rstrip("\n").count("\n") + 1
        if lines >= PASTED_LINES:
            self._hint = words.pasted(lines)

    def _cancelled(self, event: KeyPressEvent) -> None:
        """Clear the line; it stays in the history. Nothing is ended: Ctrl-C is pressed too easily."""
        text = self._buffer.text
        if text.strip():
            self._buffer.append_to_history()
        self._buffer.reset()
        self._changed(self._buffer)
        self._hint = "" if text else words.EMPTY_LINE()

    def _leave(self, event: KeyPressEvent) -> None:
        if self._buffer.text:
            self._buffer.delete()
            return
        left = len(self._standing.waiting) if self._standing else 0
        if left and not self._leaving:
            self._leaving = True
            self._hint = words.leave_all_the_same(left)
            return
        self.closed = True  # what was typed before is still heeded
        self._wake()

    def _suspended(self, event: KeyPressEvent) -> None:
        """Stop until the shell says go on; what came meanwhile is printed then."""
        with self.aside():
            os.kill(0, signal.SIGTSTP)


def _depth(counted: Preferences, environment: Mapping[str, str]) -> ColorDepth:
    if not palette(counted, environment):
        return ColorDepth.DEPTH_1_BIT
    return ColorDepth.DEPTH_24_BIT if true_colours(counted, environment) else ColorDepth.DEPTH_4_BIT


def _height(row: Mapping[int, Any], width: int) -> int:
    """Rows that a painted row takes at another width."""
    last = max((column for column, char in row.items() if char.char.strip()), default=0)
    return last // width + 1


def keyboard() -> Keyboard:
    """The one that is there."""
    return Vt100Input(sys.stdin)
