"""What happened in a story, in order: for reading when a law was broken, and for comparing two runs of a seed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

WIDE = 180  # characters of one line


class Trace:
    """Lines are kept as they come, and written only when somebody wants to read them."""

    def __init__(self) -> None:
        self._lines: list[tuple[float, str, str, Any]] = []

    def note(self, tick: float, who: str, what: str, thing: Any = "") -> None:
        self._lines.append((tick, who, what, thing))

    def __len__(self) -> int:
        return len(self._lines)

    def lines(self, last: int | None = None) -> Iterator[str]:
        """The last so many lines, or all."""
        for tick, who, what, thing in self._lines[-last if last else 0 :]:
            text = f"{tick - 1000:9.3f}  {who:12} {what:14} {thing}"
            yield text if len(text) <= WIDE else text[: WIDE - 2] + " …"

    def digest(self) -> str:
        """A fingerprint of everything."""
        whole = hashlib.sha256()
        for line in self._lines:
            whole.update(repr(line).encode())
        return whole.hexdigest()
