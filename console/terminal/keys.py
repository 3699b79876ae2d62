"""Which key does what; all others do what they do in readline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from prompt_toolkit.filters import is_searching
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys

from console.completion import Around
from console.conversations import NUMBERED
from console.terminal.line import Line


class Meant(Protocol):
    """What keys mean beyond the line itself."""

    @property
    def asked(self) -> bool:
        """Whether a question stands before the line."""

    def enter(self, text: str) -> None:
        """A line was typed."""

    def leave(self) -> None:
        """Nothing more will be."""

    def suspend(self) -> None:
        """The shell is wanted."""

    def go_to(self, number: int) -> None:
        """The conversation with this number."""

    def go_on(self) -> None:
        """Where something is unread."""

    def around(self) -> Around:
        """What can be named."""


def bindings(line: Line, meant: Meant) -> KeyBindings:
    """The table of keys; while Ctrl-R looks for something, Enter and all others are the search's."""

    def entered(event: KeyPressEvent) -> None:
        ends = (Keys.ControlM, Keys.ControlJ)
        text = line.enter(sum(press.key in ends for press in event.app.key_processor.input_queue), meant.asked)
        if text is not None:
            meant.enter(text)

    def deleted(event: KeyPressEvent) -> None:
        if line.text:
            line.buffer.delete()
        else:
            meant.leave()

    table: dict[tuple[str, ...], Callable[[KeyPressEvent], None]] = {
        ("enter",): entered,
        ("escape", "enter"): lambda event: line.buffer.insert_text("\n"),
        ("tab",): lambda event: line.complete(1, meant.around),
        ("s-tab",): lambda event: line.complete(-1, meant.around),
        ("c-c",): lambda event: line.clear(),
        ("c-d",): deleted,
        ("c-z",): lambda event: meant.suspend(),
        ("escape", "a"): lambda event: meant.go_on(),
        ("escape", "A"): lambda event: meant.go_on(),
        (Keys.BracketedPaste,): lambda event: line.paste(event.data),
    }
    for number in range(1, NUMBERED + 1):
        table["escape", str(number)] = lambda event: meant.go_to(int(event.key_sequence[-1].key))
    keys = KeyBindings()
    for pressed, does in table.items():
        keys.add(*pressed, filter=~is_searching)(does)
    return keys
