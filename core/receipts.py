"""Receipts: what others are told of their private messages, and what they tell of ours.

A receipt is cumulative, as an acknowledgement is: all that a device has sent to me up to n has come, or was read.
So it may be late, repeated or overtaken, and one makes up for all that were lost. What is still to be said is a fact of
the journal, written with the messages themselves; it survives the absence of either side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from core import shown
from core.clock import Instant
from core.commands import Command, Remember
from core.ignored import Ignored
from core.marks import DELIVERED, READ, is_remark
from core.outbox import Memory
from core.places import Places
from protocol import limits, names, remarks
from protocol.frames import Envelope, Item, encode
from protocol.remarks import Receipt

# What comes within so long is told together: a message that is read at once costs one receipt, not two.
RECEIPT_S = 0.1


class Reached(msgspec.Struct, array_like=True):
    """How far the messages of one device have come, by their numbers."""

    came: int = 0
    shown: int = 0
    read: int = 0
    told: int = 0  # that they came
    told_read: int = 0


_Table = dict[str, dict[str, Reached]]
_decoder = msgspec.msgpack.Decoder(_Table)


class Receipts:
    """Both directions. ``at_once``: what is shown was read, for no person looks at one place after the other."""

    def __init__(self, memory: Memory, places: Places, ignored: Ignored, at_once: bool) -> None:
        self.on = memory.tells_read
        self._table: _Table = _decoder.decode(memory.reached) if memory.reached else {}  # author → device
        self._theirs = memory.receipts  # (account, device), device → up to which n delivered, and read
        self._places = places
        self._ignored = ignored
        self._at_once = at_once
        self.due: float | None = None  # the tick at which the next ones go out

    # -- what we tell --

    def came(self, envelopes: Iterable[Envelope], account: str) -> list[Command]:
        """These are in the journal now, or will be with what is returned."""
        return self._raise(envelopes, account, _came)

    def seen(self, envelopes: Iterable[Envelope], account: str) -> list[Command]:
        """These were handed out to whoever reads."""
        return self._raise(envelopes, account, _shown)

    def _raise(
        self, envelopes: Iterable[Envelope], account: str, mark: Callable[[Reached, int], None]
    ) -> list[Command]:
        last: dict[tuple[str, str], int] = {}  # author, device → the highest n of what was for us alone
        for each in envelopes:
            if each.to == account != each.author and not is_remark(each):
                last[(each.author, each.device)] = max(each.n, last.get((each.author, each.device), 0))
        heeded = {who: n for who, n in last.items() if not self._ignored.hides(who[0])}
        for (author, device), n in heeded.items():
            mark(self._table.setdefault(author, {}).setdefault(device, Reached()), n)
        return [self.remember()] if heeded else []

    def remember(self) -> Remember:
        """What is still to be told."""
        return Remember("reached", encode(self._table))

    def switch(self, on: bool) -> Remember:
        """Whether others are told that their messages were read; of what was read before they are not told later."""
        self.on = on
        return Remember("tells-read", b"1" if on else b"0")

    def take(self, now: Instant) -> list[Item]:
        """What is to be told now, an item for each who is told."""
        self._look()
        owed = {author: some for author, some in self._table.items() if any(map(_is_owed, some.values()))}
        if not owed:
            self.due = None
            return []
        if self.due is None:
            self.due = now.tick + RECEIPT_S
        if self.due > now.tick:
            return []
        self.due = None
        return [Item(author, remarks.RECEIPT, encode(self._tell(author, some))) for author, some in owed.items()]

    def _look(self) -> None:
        """Whoever is in a place reads what is shown of it."""
        here = "" if self._places.place.startswith("#") else names.key(self._places.place)
        for author, some in self._table.items():
            if self._at_once or (here and names.key(author) == here):
                for each in some.values():
                    each.read = max(each.read, each.shown)
                    each.told_read = each.told_read if self.on else each.read

    def _tell(self, author: str, some: dict[str, Reached]) -> Receipt:
        told = dict([(device, each) for device, each in some.items() if _is_owed(each)][: limits.RECEIPT_DEVICES])
        receipt = Receipt(
            {device: each.came for device, each in told.items() if each.told < each.came},
            {device: each.read for device, each in told.items() if each.told_read < each.read},
        )
        for each in told.values():
            each.told, each.told_read = each.came, each.read
        left = {device: each for device, each in some.items() if each.read < each.came or _is_owed(each)}
        self._table[author] = left
        if not left:
            del self._table[author]
        return receipt

    # -- what we are told --

    def told(self, envelopes: Iterable[Envelope]) -> list[shown.Receipted]:
        """What others say of our messages, as far as it is news."""
        said = [(each, remarks.read(each.enc, each.body)) for each in envelopes]
        news = [self._learn(each.author, receipt) for each, receipt in said if isinstance(receipt, Receipt)]
        return [each for each in news if each.delivered or each.read]

    def _learn(self, by: str, receipt: Receipt) -> shown.Receipted:
        news = shown.Receipted(by=by, delivered={}, read={})
        for device in {**receipt.delivered, **receipt.read}:
            before = self._theirs.get((names.key(by), device), (0, 0))
            after = reached(before, receipt, device)
            self._theirs[(names.key(by), device)] = after
            if after[0] > before[0]:
                news.delivered[device] = after[0]
            if after[1] > before[1]:
                news.read[device] = after[1]
        return news

    def mark(self, envelope: Envelope, account: str) -> str:
        """How far a message has come, if it is a private one of ours: READ, DELIVERED or ""."""
        if envelope.author != account or envelope.to.startswith("#") or not self._theirs:
            return ""
        delivered, read = self._theirs.get((names.key(envelope.to), envelope.device), (0, 0))
        return READ if envelope.n <= read else DELIVERED if envelope.n <= delivered else ""


def reached(before: tuple[int, int], receipt: Receipt, device: str) -> tuple[int, int]:
    """Up to which n a device's messages are delivered, and read, after a receipt; what was read was delivered."""
    read = max(before[1], receipt.read.get(device, 0))
    return max(before[0], receipt.delivered.get(device, 0), read), read


def _came(reached: Reached, n: int) -> None:
    reached.came = max(reached.came, n)


def _shown(reached: Reached, n: int) -> None:
    reached.came, reached.shown = max(reached.came, n), max(reached.shown, n)


def _is_owed(reached: Reached) -> bool:
    return reached.told < reached.came or reached.told_read < reached.read
