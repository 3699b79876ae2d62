"""Which key does what; all others do what they do in readline."""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys

from console.terminal.line import Line


def bindings(
    line: Line, enter: Callable[[str], None], leave: Callable[[], None], suspend: Callable[[], None]
) -> KeyBindings:
    """The table of keys. ``enter`` takes a line; ``leave`` and ``suspend`` are what Ctrl-D and Ctrl-Z mean."""

    def entered(event: KeyPressEvent) -> None:
        ends = (Keys.ControlM, Keys.ControlJ)
        text = line.enter(sum(press.key in ends for press in event.app.key_processor.input_queue))
        if text is not None:
            enter(text)

    def deleted(event: KeyPressEvent) -> None:
        if line.text:
            line.buffer.delete()
        else:
            leave()

    table: dict[tuple[str, ...], Callable[[KeyPressEvent], None]] = {
        ("enter",): entered,
        ("escape", "enter"): lambda event: line.buffer.insert_text("\n"),
        ("c-c",): lambda event: line.clear(),
        ("c-d",): deleted,
        ("c-z",): lambda event: suspend(),
        (Keys.BracketedPaste,): lambda event: line.paste(event.data),
    }
    keys = KeyBindings()
    for pressed, does in table.items():
        keys.add(*pressed)(does)
    return keys
