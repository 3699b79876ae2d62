"""What is painted: lines into the scrollback, and the last rows below them.

There is no alternate screen: the terminal's own scrollback, selection and search go on working. This file alone touches
private parts of prompt_toolkit: ``_redraw``, ``_on_resize``, ``renderer._last_screen``, ``renderer._cursor_pos``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.data_structures import Point, Size
from prompt_toolkit.input import Input as Keyboard
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.layout import Layout
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.styles import Style

from console.colours import STYLE, palette, true_colours
from console.paper import Paper
from console.preferences import Preferences
from console.rows import Fragments
from console.terminal.ink import Ink

_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"  # a synchronised update; terminals that don't know it ignore it
_STYLE = Style.from_dict(STYLE)


class Canvas:
    """``write`` and ``size`` (columns, rows) are the terminal's; ``measure`` works the last rows out anew."""

    def __init__(
        self,
        layout: Layout,
        bindings: KeyBindings,
        keyboard: Keyboard,
        write: Callable[[bytes], object],
        size: Callable[[], tuple[int, int]],
        measure: Callable[[], object],
        environment: Mapping[str, str],
        counted: Preferences,
    ) -> None:
        self._size = size
        self._measure = measure
        self._reflows = environment.get("TERM") != "linux" and "XTERM_VERSION" not in environment
        self._paper = Paper(write)
        self._app = self._application(layout, bindings, keyboard, environment, counted)
        self._ink = Ink(_STYLE, lambda: self._app.color_depth)

    def _application(
        self,
        layout: Layout,
        bindings: KeyBindings,
        keyboard: Keyboard,
        environment: Mapping[str, str],
        counted: Preferences,
    ) -> Application[None]:
        output = Vt100_Output(
            self._paper,  # type: ignore[arg-type] # as much of a file as is needed
            lambda: Size(rows=self._size()[1], columns=self._size()[0]),
            term=environment.get("TERM"),
            enable_cpr=False,  # an answer might land in somebody's line, and nothing here needs it
        )
        app: Application[None] = Application(
            layout=layout,
            style=_STYLE,
            include_default_pygments_style=False,
            key_bindings=bindings,
            color_depth=lambda: _depth(counted, environment),
            erase_when_done=True,
            max_render_postpone_time=None,  # a key is drawn at once, however much else there is to do
            terminal_size_polling_interval=None,
            input=keyboard,
            output=output,
        )
        app._on_resize = self.resized  # type: ignore[method-assign]
        return app

    async def run(self) -> None:
        """Read keys and paint, until leave() or until the keyboard is gone (EOFError)."""
        await self._app.run_async(set_exception_handler=False, handle_sigint=False)

    def leave(self) -> None:
        """Take the last rows away, and read no more."""
        if self._app.future and not self._app.future.done():
            self._app.exit()

    def invalidate(self) -> None:
        """The last rows are to be painted anew, soon."""
        self._app.invalidate()

    def print(self, lines: list[Fragments], call: str = "") -> None:
        """Above the last rows: no change of the terminal's mode, and one write. ``call``: what else it is told."""
        app, output = self._app, self._app.output
        drawn = self._ink.drawn(lines) if lines else ""
        with self._paper.frame():
            output.write_raw(_BEGIN)
            if app.is_running:
                app.renderer.erase()
            output.write_raw(drawn)
            if app.is_running:
                app.renderer.reset()
                app._redraw()
            output.write_raw(call + _END)
            output.flush()

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

    def resized(self) -> None:
        """Terminals wrap our rows anew, while the toolkit would erase from the old row of its cursor."""
        renderer = self._app.renderer
        screen = renderer._last_screen
        with self._paper.frame():
            if screen and self._reflows:
                at, width = renderer._cursor_pos, max(1, self._size()[0])
                above = sum(_height(screen.data_buffer[row], width) for row in range(at.y))
                renderer._cursor_pos = Point(x=at.x, y=above + at.x // width)
            renderer.erase(leave_alternate_screen=False)
            self._measure()
            self._app._redraw()


def _depth(counted: Preferences, environment: Mapping[str, str]) -> ColorDepth:
    """Asked for with each frame: a setting counts at once."""
    if not palette(counted, environment):
        return ColorDepth.DEPTH_1_BIT
    return ColorDepth.DEPTH_24_BIT if true_colours(counted, environment) else ColorDepth.DEPTH_4_BIT


def _height(row: Mapping[int, Any], width: int) -> int:
    """Rows that a painted row takes at another width."""
    last = max((column for column, char in row.items() if char.char.strip()), default=0)
    return last // width + 1
