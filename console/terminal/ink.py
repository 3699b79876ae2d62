"""Styled text as a terminal takes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.styles import BaseStyle

from console.paper import Paper
from console.rows import Fragments

_ESCAPE, _INSTEAD = "\x1b", "?"
_PLAIN = "\x1b[0m"  # no style
_WRAP = "\x1b[?7h"  # rows that are too long go on below


class Ink:
    """What begins each style, looked up once: hundreds of lines are drawn between two keys."""

    def __init__(self, style: BaseStyle, depth: Callable[[], ColorDepth]) -> None:
        self._style = style
        self._depth = depth
        self._codes: dict[tuple[ColorDepth, str], str] = {}

    def drawn(self, lines: Iterable[Fragments]) -> str:
        """Lines with their ends. What would command the terminal is shown instead, wherever it came from."""
        depth = self._depth()
        styled = [
            self._code(depth, style) + text.replace(_ESCAPE, _INSTEAD)
            for line in lines
            for style, text in (*line, ("", "\n"))
        ]
        return _PLAIN + _WRAP + "".join(styled).replace("\r", "").replace("\n", "\r\n") + _PLAIN

    def _code(self, depth: ColorDepth, style: str) -> str:
        if (depth, style) not in self._codes:
            self._codes[depth, style] = self._looked_up(depth, style)
        return self._codes[depth, style]

    def _looked_up(self, depth: ColorDepth, style: str) -> str:
        """As the toolkit itself would write it."""
        written: list[bytes] = []
        output = Vt100_Output(Paper(written.append), lambda: None)  # type: ignore[arg-type, return-value]
        output.set_attributes(self._style.get_attrs_for_style_str(style), depth)
        output.flush()
        return b"".join(written).decode()
