"""What a terminal is written on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator


class Paper:
    """What prompt_toolkit writes to: one write a frame, and no complaint when the terminal is gone."""

    encoding = "utf-8"

    def __init__(self, write: Callable[[bytes], object], number: int = 1) -> None:
        self._write = write
        self._number = number
        self._parts: list[str] = []
        self._held = False

    def write(self, text: str) -> int:
        """Gather."""
        self._parts.append(text)
        return len(text)

    def flush(self) -> None:
        """Write what has gathered, unless more of the same frame comes."""
        if self._parts and not self._held:
            text, self._parts = "".join(self._parts), []
            with contextlib.suppress(OSError):  # the keyboard's end says that it is gone
                self._write(text.encode("utf-8", "replace"))

    @contextlib.contextmanager
    def frame(self) -> Iterator[None]:
        """One write for all of this."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
            self.flush()

    def isatty(self) -> bool:
        """It stands in for one."""
        return True

    def fileno(self) -> int:
        """The descriptor behind it."""
        return self._number
