"""The line that is typed, and what becomes of it: sent, kept for later, given back."""

from __future__ import annotations

import re
from collections.abc import Callable

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document

from console import words
from console.completion import Around, offers
from console.terminal.history import PlaceHistory
from console.typedlines import TypedLines

# So many lines at once are a paste; it is not sent before its person says so.
PASTED_LINES = 4
# What was typed is remembered so long, in lines, to be given back if it is refused.
REMEMBERED_LINES = 100

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class Line:
    """One line, maybe of several rows, with a hint below it that goes with the next key.

    Each place has a history of its own, and a draft: what was half typed when one went elsewhere.
    """

    def __init__(self, lines: TypedLines) -> None:
        self.hint = ""
        self.buffer = Buffer(multiline=True, on_text_changed=self._changed)
        self.leaving = False  # Ctrl-D was pressed once
        self._lines = lines
        self._histories: dict[str, PlaceHistory] = {}
        self._drafts: dict[str, str] = {}  # by place, folded
        self._offered: list[str] = []  # what Tab goes through
        self._chosen = 0
        self._pasting = False  # lines are coming as fast as no hand types them
        self._number = 0
        self._typed: dict[int, str] = {}  # number of a line → what was typed

    @property
    def text(self) -> str:
        """What stands there."""
        return self.buffer.text

    def _changed(self, buffer: Buffer) -> None:
        self.hint = ""
        self.leaving = False
        self._offered = []

    # -- places --

    def begin(self, drafts: dict[str, str]) -> None:
        """What was half typed when the program ended."""
        self._drafts = dict(drafts)

    def put_aside(self, place: str) -> dict[str, str]:
        """What is half typed stays in this place; all drafts."""
        drafts = self.drafts(place)
        self._drafts = drafts
        self.buffer.reset()
        return drafts

    def drafts(self, place: str) -> dict[str, str]:
        """All that is half typed, the line of this place included."""
        here = {place.casefold(): self.text} if self.text.strip() else {}
        return self._drafts | here

    def arrive(self, place: str) -> None:
        """The place's history and draft are here; but what was typed on the way there is not overwritten."""
        draft, text = self._drafts.pop(place.casefold(), ""), self.text
        history = self._histories.setdefault(place.casefold(), PlaceHistory(self._lines, place))
        self.buffer.history = history
        self.buffer.reset(Document(text or draft))
        if text and draft:
            history.append_string(draft)

    # -- keys --

    def enter(self, further: int, answers: bool) -> str | None:
        """The line, if it is sent now. ``further``: so many more line ends have come with the same keys.

        What ``answers`` a question is asked for again if it is refused, and not given back.
        """
        text = self.text
        if further >= PASTED_LINES or self._pasting:
            # Pasted into a terminal that does not tell pastes from keys.
            self._pasting = bool(further)
            if further:
                self.buffer.insert_text("\n")
            self.hint = words.pasted(text.count("\n") + 1)
            return None
        self._put_away()
        self._number += 1
        if not answers:
            self._typed[self._number] = text
        self._typed.pop(self._number - REMEMBERED_LINES, None)
        return text

    def paste(self, text: str) -> None:
        """Many lines are one text, and wait to be sent."""
        text = _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
        self.buffer.insert_text(text)
        lines = text.rstrip("\n").count("\n") + 1
        if lines >= PASTED_LINES:
            self.hint = words.pasted(lines)

    def complete(self, step: int, around: Callable[[], Around]) -> None:
        """The next offer for the word before the cursor, or with -1 the one before; the hint names them all."""
        offered, chosen = self._offered, self._chosen + step
        replaced = len(offered[self._chosen]) if offered else 0
        if not offered:
            replaced, offered = offers(self.buffer.document.text_before_cursor, around())
            chosen = 0 if step > 0 else -1
        if not offered:
            return
        chosen %= len(offered)
        self.buffer.delete_before_cursor(replaced)
        self.buffer.insert_text(offered[chosen])
        self._offered, self._chosen = offered, chosen
        self.hint = "  ".join(each.strip() for each in offered) if len(offered) > 1 else ""

    def clear(self) -> None:
        """Take the line away; it stays in the history."""
        text = self.text
        self._put_away()
        self.hint = "" if text else words.EMPTY_LINE()

    def _put_away(self) -> None:
        if self.text.strip():
            self.buffer.append_to_history()
        self.buffer.reset()
        self.buffer.load_history_if_not_yet_loaded()  # before the next key, which may be Up
        self._changed(self.buffer)

    def refused(self, number: int, again: bool) -> None:
        """A line was refused; it comes back, if it is to be typed again and nothing else has been begun."""
        text = self._typed.pop(number, "")
        if again and not self.text:
            self.buffer.insert_text(text)
