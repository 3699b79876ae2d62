"""What was handed out in this run, and how much of it need not be handed out again."""

from __future__ import annotations

import msgspec

from protocol.frames import Envelope


class Handed:
    """``confirms``: what was handed out is done with once that is confirmed; else as soon as it has left."""

    def __init__(self, confirms: bool) -> None:
        self.confirms = confirms
        self._out: dict[str, int] = {}  # log → the last seq that was handed out
        self._owed: set[str] = set()  # logs of which some of that is not confirmed
        self._private: list[tuple[str, int, Envelope]] = []  # log, seq; without their texts
        self._done: dict[str, int] = {}  # log → up to this seq nothing is handed out again; what is not marked yet

    def out(self, log: str, last: int, private: list[Envelope]) -> None:
        """A log has been handed out up to here. ``private``: the last ones, if others are told of them."""
        self._out[log] = last
        bare = [msgspec.structs.replace(each, body=b"") for each in private]
        self._private += [(log, seq, each) for seq, each in enumerate(bare, last + 1 - len(bare))]
        if self.confirms:
            self._owed.add(log)
        else:
            self._done[log] = last

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

    def take(self) -> tuple[dict[str, int], list[Envelope]]:
        """What is to be marked in the journal now, and the private messages that are dealt with thereby."""
        done, self._done = self._done, {}
        if not done:
            return {}, []
        read = [each for log, seq, each in self._private if seq <= done.get(log, 0)]
        self._private = [(log, seq, each) for log, seq, each in self._private if seq > done.get(log, 0)]
        return done, read
