"""Prints what happens on the stage as it happens: when, who, what."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import TextIO

from demos.reader import BROKER, EVERYONE

# Six of the terminal's own colours, which can be told apart on dark and on light ground; in order of appearance.
_PEOPLE = ("36", "35", "32", "33", "34", "91")
_BOLD, _FAINT, _ITALIC, _RED, _GREEN = "1", "2", "3", "31", "32"
# Wider rules look empty.
_WIDTH_COLUMNS = 96
_TIME_COLUMNS = 8
_WHO_COLUMNS = 18  # three short names


class Transcript:
    """Writes to ``out``; ``clock`` gives the seconds since the curtain rose."""

    def __init__(self, out: TextIO, clock: Callable[[], float]) -> None:
        self._out, self._clock = out, clock
        self._coloured = out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._width = min(_WIDTH_COLUMNS, shutil.get_terminal_size().columns)
        self._colours: dict[str, str] = {}
        self._present: set[str] = set()
        self._ranks: dict[str, int] = {}  # in order of appearance
        self._received: dict[str, tuple[float, list[str]]] = {}  # a line → when it came first, and to whom

    def title(self, name: str, title: str) -> None:
        """The play begins."""
        self._print(f"\n{self._paint(name, _BOLD)}: {title}\n")

    def told(self, text: str) -> None:
        """A remark for whoever reads along."""
        self._settle()
        self._print(f"\n{'':{_TIME_COLUMNS}}{self._paint(text, _ITALIC)}")

    def broker(self, what: str) -> None:
        """Something befell the broker: a rule across the page."""
        self._settle()
        words = f"── the broker {what} "
        rule = words + "─" * (self._width - _TIME_COLUMNS - len(words))
        self._print(f"{self._time(self._clock())}{self._paint(rule, _BOLD)}")

    def came(self, who: str, how: str) -> None:
        """Somebody has started a client."""
        self._row(who, self._paint(how, _ITALIC))
        self._present.add(who)
        self._ranks.setdefault(who, len(self._ranks))

    def went(self, who: str, how: str) -> None:
        """Somebody's client has ended."""
        self._row(who, self._paint(how, _ITALIC))
        self._present.discard(who)

    def typed(self, who: str, text: str) -> None:
        """Somebody typed a line."""
        self._row(who, self._paint(f"› {text}", _BOLD))

    def received(self, who: str, line: str) -> None:
        """A line came onto somebody's screen. It is printed no later than the next step."""
        self._received.setdefault(line, (self._clock(), []))[1].append(who)

    def ended(self, name: str, steps: int) -> None:
        """The play is over, and went as it is written."""
        self._settle()
        self._print(
            self._paint(f"\n✓ {name}: {steps} steps in {self._clock():.1f} s, nothing lost, nothing twice", _GREEN)
        )

    def failed(self, reason: str) -> None:
        """The play is over, and did not go as it is written."""
        self._settle()
        self._print(self._paint(f"\n✗ {reason}", _RED))

    def _settle(self) -> None:
        """Print what was received: one row for all to whom the same came, if their names fit."""
        for line, (seconds, people) in self._received.items():
            people.sort(key=lambda who: self._ranks.get(who, -1))
            together = len(people) > 1 and sorted(people) == sorted(self._present)
            for row in [[EVERYONE]] if together else _rows(people):
                self._print_row(seconds, row, self._paint(line, _FAINT) if line.startswith("* ") else line)
        self._received.clear()

    def _row(self, who: str, what: str) -> None:
        self._settle()
        self._print_row(self._clock(), [who], what)

    def _print_row(self, seconds: float, people: list[str], what: str) -> None:
        names = ", ".join(self._paint(who, self._colour(who)) for who in people)
        blanks = " " * (_WHO_COLUMNS - len(", ".join(people)))
        self._print(f"{self._time(seconds)}{names}{blanks} {what}")

    def _colour(self, who: str) -> str:
        """A person's colour, the same on all their devices."""
        person = who.partition("'s ")[0]
        if person in (EVERYONE, BROKER):
            return _BOLD
        return self._colours.setdefault(person, _PEOPLE[len(self._colours) % len(_PEOPLE)])

    def _time(self, seconds: float) -> str:
        return self._paint(f"{seconds:6.2f}", _FAINT) + "  "

    def _paint(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._coloured else text

    def _print(self, line: str) -> None:
        print(line, file=self._out, flush=True)


def _rows(people: list[str]) -> list[list[str]]:
    """The same people in rows, as many in each as there is room for."""
    rows: list[list[str]] = []
    for who in people:
        if rows and len(", ".join([*rows[-1], who])) <= _WHO_COLUMNS:
            rows[-1].append(who)
        else:
            rows.append([who])
    return rows
