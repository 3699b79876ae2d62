"""What was handed out in this run, and how much of it need not be handed out again."""

from __future__ import annotations


class Handed:
    """``confirms``: what was handed out is done with once that is confirmed; else as soon as it has left."""

    def __init__(self, confirms: bool) -> None:
        self.confirms = confirms
        self._out: dict[str, int] = {}  # log → the last seq that was handed out
        self._owed: set[str] = set()  # logs of which some of that is not confirmed
        self._done: dict[str, int] = {}  # log → up to this seq nothing is handed out again; what is not marked yet

    def out(self, last: dict[str, int]) -> None:
        """These logs have been handed out up to here."""
        self._out |= last
        if self.confirms:
            self._owed.update(last)
        else:
            self._done |= last

    def passed(self, cursors: dict[str, int]) -> None:
        """Up to here nothing is left but what is shown to nobody. Who confirms passes over it with what follows."""
        if not self.confirms:
            self._done |= cursors

    def confirm(self, log: str, seq: int) -> bool:
        """All up to here is dealt with; False if it was not handed out."""
        last = self._out.get(log, 0)
        if not 0 < seq <= last:
            return False
        self._done[log] = max(seq, self._done.get(log, 0))
        if seq == last:
            self._owed.discard(log)
        return True

    @property
    def owed(self) -> bool:
        """Whether something was handed out that is still to be confirmed."""
        return bool(self._owed)

    def take(self) -> dict[str, int]:
        """What is to be marked in the journal now."""
        done, self._done = self._done, {}
        return done
