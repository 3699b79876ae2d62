"""What was typed, as the Up key and Ctrl-R ask for it."""

from __future__ import annotations

from collections.abc import Iterable

from prompt_toolkit.history import History

from console.typedlines import TypedLines


class PlaceHistory(History):
    """The lines of one place; nothing is loaded in a thread."""

    def __init__(self, lines: TypedLines, place: str) -> None:
        super().__init__()
        self._typed = lines
        self._place = place

    def load_history_strings(self) -> Iterable[str]:
        """See History."""
        return self._typed.of(self._place)

    def store_string(self, string: str) -> None:
        """See History."""
        self._typed.add(self._place, string)
