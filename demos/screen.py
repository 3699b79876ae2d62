"""What stands on one person's screen: every line once printed, and which of them the play has already looked at."""

from __future__ import annotations

import re
from collections import Counter

_TIME = re.compile(r"^\d\d:\d\d ")
# What a message looks like without its time: who says it, perhaps to whom, and the text.
_MESSAGE = re.compile(r"^\S+?(?P<private> -> \S+?)?: (?P<text>.+)$")
# What the play's author writes for "anything".
_ANYTHING = "…"


class Screen:
    """Lines without their times, in the order in which they were printed."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._rest = b""
        self._seen: Counter[str] = Counter()  # kind of line → where to look on
        self._messages: Counter[str] = Counter()

    def feed(self, data: bytes) -> list[str]:
        """Take what was printed; gives the lines that are whole by now."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        lines = [_TIME.sub("", line.decode(errors="replace").rstrip("\r")) for line in whole]
        self.lines += lines
        self._messages.update(line for line in lines if message(line))
        return lines

    def see(self, wanted: str) -> bool:
        """Find this line and look at it: it will not be found again.

        What is said in the lobby, what is said privately and what the client itself tells have their own order
        each: a search starts behind the last line found of the same kind.
        """
        kind, pattern = _kind(wanted), _pattern(wanted)
        for place in range(self._seen[kind], len(self.lines)):
            if _kind(self.lines[place]) == kind and pattern.fullmatch(self.lines[place]):
                self._seen[kind] = place + 1
                return True
        return False

    def holds(self, text: str) -> bool:
        """Whether a text stands anywhere on the screen, looked at or not."""
        return any(text in line for line in self.lines)

    def doubles(self, typed: Counter[str]) -> list[str]:
        """Messages that were shown more often than anybody typed them."""
        return [line for line, times in self._messages.items() if times > max(1, typed[message(line)])]

    def begin_anew(self) -> None:
        """The client was killed: it may not have noted that the last lines were shown, and may show them again."""
        self._messages.clear()


def message(line: str) -> str:
    """What a message says; "" if the line is no message."""
    found = None if line.startswith("* ") else _MESSAGE.match(line)
    return found["text"] if found else ""


def _kind(line: str) -> str:
    if line.startswith("* "):
        return "notice"
    found = _MESSAGE.match(line)
    if not found:
        return "other"
    return "private" if found["private"] else "public"


def _pattern(wanted: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(piece) for piece in wanted.split(_ANYTHING)))
