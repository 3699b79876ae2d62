"""What a broker's core counts: the one truth behind what operators are told, by ``stats`` and by metrics."""

from __future__ import annotations

from collections import Counter

from core.commands import Append
from core.events import Done, Result


class Counts:
    """Since the start, in sends (messages, and remarks about them) unless it says otherwise. They only grow."""

    def __init__(self) -> None:
        self.accepted = 0  # are on disk
        self.refused = Counter[str]()  # were refused for good, by code
        self.duplicates = 0  # came again, and were answered again
        self.gaps = 0  # times that a device's numbers had a hole
        self.store_failures = 0  # groups that the store did not take

    def stored(self, append: Append, result: Result) -> None:
        """The store has decided on some sends."""
        if not isinstance(result, Done):
            self.gaps += 1
            return
        self.accepted += len(append.logs) - len(result.refused)
        for code, _ in result.refused.values():
            self.refused[code] += 1
