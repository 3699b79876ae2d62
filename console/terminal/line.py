"""The line that is typed, and what becomes of it: sent, kept, given back."""

from __future__ import annotations

import re

from prompt_toolkit.buffer import Buffer

from console import words

# So many lines at once are a paste; it is not sent before its person says so.
PASTED_LINES = 4
# What was typed is remembered so long, in lines, to be given back if it is refused.
REMEMBERED_LINES = 100

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class Line:
    """One line, maybe of several rows, with a hint below it that goes with the next key."""

    def __init__(self) -> None:
        self.hint = ""
        self.buffer = Buffer(multiline=True, on_text_changed=self._changed)
        self.leaving = False  # Ctrl-D was pressed once
        self._pasting = False  # lines are coming as fast as no hand types them
        self._lines = 0
        self._typed: dict[int, str] = {}  # number of a line → what was typed

    @property
    def text(self) -> str:
        """What stands there."""
        return self.buffer.text

    def _changed(self, buffer: Buffer) -> None:
        self.hint = ""
        self.leaving = False

    def enter(self, further: int) -> str | None:
        """The line, if it is sent now. ``further``: so many more line ends have come with the same keys."""
        text = self.text
        if further >= PASTED_LINES or self._pasting:
            # Pasted into a terminal that does not tell pastes from keys.
            self._pasting = bool(further)
            if further:
                self.buffer.insert_text("\n")
            self.hint = words.pasted(text.count("\n") + 1)
            return None
        self._put_away()
        self._lines += 1
        self._typed[self._lines] = text
        self._typed.pop(self._lines - REMEMBERED_LINES, None)
        return text

    def paste(self, text: str) -> None:
        """Many lines are one text, and wait to be sent."""
        text = _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
        self.buffer.insert_text(text)
        lines = text.rstrip("\n").count("\n") + 1
        if lines >= PASTED_LINES:
            self.hint = words.pasted(lines)

    def clear(self) -> None:
        """Take the line away; it stays in the history."""
        text = self.text
        self._put_away()
        self.hint = "" if text else words.EMPTY_LINE

    def _put_away(self) -> None:
        if self.text.strip():
            self.buffer.append_to_history()
        self.buffer.reset()
        self._changed(self.buffer)

    def refused(self, number: int, again: bool) -> None:
        """A line was refused; it comes back, if it is to be typed again and nothing else has been begun."""
        text = self._typed.pop(number, "")
        if again and not self.text:
            self.buffer.insert_text(text)
