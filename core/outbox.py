"""What the broker has not yet been heard to accept: numbered, kept on disk, sent again until it is settled."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

import msgspec

from core.shown import Refused, Sent, Shown
from protocol import limits, remarks
from protocol.frames import Item, Post, Refusal

# Lines read ahead of the broker while it is there: enough for a window, so that a pipe is slowed, not swallowed.
AHEAD_MESSAGES = 1000
# And while it is away: what a client keeps in memory and on disk before it stops reading.
KEPT_MESSAGES = 100_000
KEPT_BYTES = 64 * 1024 * 1024
# An address that is nobody's. A number without a text is sent to it, and so used up.
NOBODY, NOTHING = "-", b"-"


SendId = tuple[str, int]
"""What names a message everywhere: its author's device and that device's number."""


class Waiting(msgspec.Struct):
    """One message that is not settled."""

    n: int
    item: Item
    tag: str | None = None
    line: int = 0
    told: bool = False  # its author has been told that it was accepted: the broker has lost it since

    @property
    def is_receipt(self) -> bool:
        """Whether nobody has typed it."""
        return self.item.enc == remarks.RECEIPT

    @property
    def is_nothing(self) -> bool:
        """Whether only its number is left to be used up: its author was told that the broker has refused it."""
        return self.item.to == NOBODY

    @property
    def text(self) -> str:
        """What was typed; of a deletion or a reaction nothing."""
        if self.item.enc == "none":
            return self.item.body.decode("utf-8", "replace")
        remark = remarks.read(self.item.enc, self.item.body)
        return remark.text if isinstance(remark, remarks.Edit) else ""

    def outcome(self, device: str, refusal: Refusal | None) -> Shown | None:
        """What became of it, once it is settled; None if that is not news."""
        if self.is_receipt or self.is_nothing:
            return None
        send_id = f"{device}:{self.n}"
        if refusal is None:
            return None if self.told else Sent(id=send_id, tag=self.tag)
        return Refused(
            code=refusal.code,
            text=refusal.text,
            tag=self.tag,
            line=self.line,
            id=send_id,
            to=self.item.to,
            body=self.text,
        )


class Memory(msgspec.Struct):
    """What the journal knew when the client started."""

    device: str
    last: int  # the highest number ever given
    outbox: list[Waiting]
    cursors: dict[str, int]
    epoch: str = ""  # of the broker's store; "": none was met yet
    broker: bytes = b""  # the id of that broker
    visits: list[int] = []  # of this device, that the broker may name
    contacts: list[str] = []
    ignored: list[str] = []  # names of those whose messages are not shown
    arranged: dict[str, bytes] = {}  # facts of core.arrangement.ARRANGED, as far as they are known
    known: set[SendId] = set()  # what was read in another epoch and may come again
    receipts: dict[tuple[str, str], tuple[int, int]] = {}  # account, device → up to which n delivered, and read
    reached: bytes = b""  # what others are still to be told, as the core packs it
    tells_read: bool = True  # that we have read their messages, too
    offered: int | None = None  # numbers behind it were given while the broker was away; None: it may have them all


class Outbox:
    """Messages first, first + 1, … last; those up to ``posted`` are on their way."""

    def __init__(self, last: int, waiting: list[Waiting], offered: int | None = None) -> None:
        self.last = last  # the highest number ever given
        self.waiting = deque(waiting)
        self.size = sum(len(each.item.body) for each in waiting)
        self._receipts = sum(each.is_receipt for each in waiting)
        self.posted = last - len(waiting)
        self._flying = 0  # bytes on their way
        self._offered = offered  # as in Memory

    def __len__(self) -> int:
        """How many are not settled."""
        return len(self.waiting)

    @property
    def typed(self) -> Sequence[Waiting]:
        """Those of them that somebody has typed."""
        return [each for each in self.waiting if not each.is_receipt] if self._receipts else self.waiting

    @property
    def messages(self) -> int:
        """How many of them somebody has typed."""
        return len(self.waiting) - self._receipts

    @property
    def settled(self) -> int:
        """The highest number that is settled, with all before it."""
        return self.last - len(self.waiting)

    @property
    def offered(self) -> int:
        """The highest number under which the broker may know a message of ours.

        A copy of our folder gives the next numbers to words of its own. If the broker has them from there, they must
        not be taken for ours.
        """
        return self.last if self._offered is None else self._offered

    def hold(self) -> bool:
        """The broker is away: it can't know what comes from now on. False: nor what came before."""
        if self._offered is not None:
            return False
        self._offered = self.last
        return True

    def offer(self) -> None:
        """The broker is there: it may know everything from now on."""
        self._offered = None

    def add(self, item: Item, tag: str | None, line: int) -> Waiting:
        """Give a message the next number."""
        self.last += 1
        waiting = Waiting(self.last, item, tag, line)
        self.waiting.append(waiting)
        self.size += len(item.body)
        self._receipts += waiting.is_receipt
        return waiting

    def settle(self, n: int) -> list[Waiting]:
        """Everything up to n is settled; what that was."""
        done = []
        while self.waiting and self.waiting[0].n <= n:
            each = self.waiting.popleft()
            done.append(each)
            self.size -= len(each.item.body)
            self._receipts -= each.is_receipt
            if each.n <= self.posted:
                self._flying -= len(each.item.body)
        self.posted = max(self.posted, self.settled)
        return done

    def rewind(self, n: int) -> None:
        """Nothing behind n is on its way: it is to be sent again."""
        self.posted = max(self.settled, min(self.posted, n))
        self._flying = sum(len(each.item.body) for each in self.waiting if each.n <= self.posted)

    def renumber(self) -> None:
        """Begin with 1 again: this is another device now."""
        for n, each in enumerate(self.waiting, 1):
            each.n = n
            each.told = False
        self.last = len(self.waiting)
        self.offer()
        self.rewind(0)

    def take_back(self, again: list[Waiting]) -> None:
        """These had been settled, and are not any more: they are the numbers just before the first that waits."""
        self.waiting.extendleft(reversed(again))
        self.size += sum(len(each.item.body) for each in again)
        self._receipts += sum(each.is_receipt for each in again)
        self.rewind(0)

    def posts(self, messages: int, size: int, last: int | None = None) -> Iterator[Post]:
        """What may go out now, within a window of so many messages and bytes; nothing behind ``last``."""
        last = self.last if last is None else last
        while self.posted < last:
            room = min(limits.PACK_MESSAGES, messages - (self.posted - self.settled), last - self.posted)
            items = self._pack(room, size)
            if not items:
                return
            yield Post(self.posted + 1, items)
            self.posted += len(items)

    def _pack(self, room: int, size: int) -> list[Item]:
        items: list[Item] = []
        packed = 0
        start = self.posted - self.settled
        for index in range(start, min(start + room, len(self.waiting))):
            item = self.waiting[index].item
            over = packed + len(item.body) > limits.FRAME_BYTES // 2 or self._flying + len(item.body) > size
            if over and (items or self._flying):
                break
            items.append(item)
            packed += len(item.body)
            self._flying += len(item.body)
        return items
