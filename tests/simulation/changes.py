"""What a message should look like after all that was said about it, reckoned apart from the program."""

from __future__ import annotations

from collections.abc import Iterable

from protocol import remarks
from protocol.frames import Envelope
from protocol.remarks import Delete, Edit, Receipt
from tests.simulation.said import Id

DAY_MS = 86_400_000


def is_remark(envelope: Envelope) -> bool:
    return envelope.enc in ("edit", "delete", "react", "void")


class Changes:
    """Edits and deletions of one log, found by the message that they are about."""

    def __init__(self) -> None:
        self._about: dict[Id, list[tuple[Envelope, Edit | Delete]]] = {}
        self._voids: list[Envelope] = []

    def copy(self) -> Changes:
        """As it is now."""
        other = Changes()
        other._about, other._voids = {of: list(some) for of, some in self._about.items()}, list(self._voids)
        return other

    def add(self, envelope: Envelope) -> None:
        """The next one of the log."""
        change = remarks.read(envelope.enc, envelope.body)
        if isinstance(change, Edit | Delete):
            self._about.setdefault((change.device, change.n), []).append((envelope, change))
        elif envelope.enc == "void":
            self._voids.append(envelope)

    def text(self, message: Envelope) -> bytes | None:
        """What it says after these; None if its author has taken it back."""
        text: bytes = message.body
        for change in self._of(message):
            if isinstance(change, Delete):
                return None
            text = change.text.encode()
        return text

    def may_change(self, message: Envelope) -> bool:
        """Whether one of these is about it: one that has lost its text may have been."""
        return bool(self._of(message)) or any(_is_in_time(each, message) for each in self._voids)

    def _of(self, message: Envelope) -> list[Edit | Delete]:
        about = self._about.get((message.device, message.n), [])
        return [change for each, change in about if _is_in_time(each, message)]


def _is_in_time(each: Envelope, message: Envelope) -> bool:
    """Whether this is by the author of that, in the same place, and not too late."""
    return (each.author, each.to) == (message.author, message.to) and each.at - message.at <= DAY_MS


def same(one: Envelope, other: Envelope) -> bool:
    """Whether these are the same, but that one of them may have lost its text."""
    heads = [(each.device, each.n, each.author, each.to, each.at) for each in (one, other)]
    return one == other or (heads[0] == heads[1] and bool({one.enc, other.enc} & {"gone", "void"}))


def agree(some: list[Envelope], stored: list[Envelope]) -> bool:
    """Whether envelopes are what was stored: who reads later may get one without its text."""
    return len(some) == len(stored) and all(same(each, was) for each, was in zip(some, stored, strict=True))


def receipts(log: Iterable[Envelope]) -> dict[tuple[str, str], tuple[int, int]]:
    """By account and device, up to which number messages are delivered, and read, after these."""
    reached: dict[tuple[str, str], tuple[int, int]] = {}
    for each in log:
        receipt = remarks.read(each.enc, each.body)
        if isinstance(receipt, Receipt):
            for device in sorted({*receipt.delivered, *receipt.read}):
                delivered, read = reached.get((each.author.lower(), device), (0, 0))
                came, seen = receipt.delivered.get(device, 0), receipt.read.get(device, 0)
                reached[(each.author.lower(), device)] = max(delivered, came, seen, read), max(read, seen)
    return reached
