"""What a device and its broker have in common: whether a session goes on where the last one ended.

Three things may have happened meanwhile. Behind the address may be another broker; the broker may have been put back
to an earlier state; and somebody else may have sent as this device, because its folder was copied. Each visit of a
device has a random number, so that the broker can say of whom the last sends were.
"""

from __future__ import annotations

from collections.abc import Iterable

from core.commands import Command, GoBack, Remember, Renew
from core.outbox import Memory, Outbox
from core.reader import Reader
from protocol.frames import Post, Welcome

# Logins in one run of a program, at most: one a second for a year.
RUN_VISITS = 2**25
# Visits whose sends the broker's store may take after the next one has begun.
RECENT_VISITS = 8


class Past:
    """What is remembered of the broker. ``run`` is a random number of this program's run."""

    def __init__(self, memory: Memory, run: int) -> None:
        self.epoch = memory.epoch
        self._broker = memory.broker
        self._visits = memory.visits
        self.visit = run * RUN_VISITS
        self._sure = 0  # up to which number the broker surely has what this device sent
        self._step: Renew | GoBack | None = None  # what must be done before a session can begin
        self._begun = False  # the session that the last Welcome spoke of has begun

    def new_visit(self) -> int:
        """The number of the login that begins now."""
        self.visit += 1
        return self.visit

    @property
    def parting(self) -> bool:
        """Whether something must be done before a session can begin."""
        return self._step is not None

    def judge(self, welcome: Welcome, outbox: Outbox, reader: Reader) -> bool:
        """Whether something must be done before this session can begin: it does not go on where the last one ended."""
        self._sure, self._step = self._judged(welcome, outbox, reader)
        self._begun = False
        outbox.rewind(outbox.settled)
        return self.parting

    def part(self, outbox: Outbox, messages: int, size: int) -> tuple[Renew | GoBack | None, Iterable[Post]]:
        """What must be done. Who becomes another device first hears what became of all that the broker has from it, to
        be told the truth: then these are to be posted once more.
        """
        if outbox.settled < self._sure:
            return None, outbox.posts(messages, size, self._sure)
        step, self._step, self._sure = self._step, None, 0  # what is still said of the old numbers is no news
        return step, ()

    def ours(self, n: int) -> int:
        """Which of the numbers up to n are surely this device's own: in a session that began, all of them."""
        return n if self._begun else min(n, self._sure)

    def _judged(self, welcome: Welcome, outbox: Outbox, reader: Reader) -> tuple[int, Renew | GoBack | None]:
        """Up to which number the broker surely has what this device sent; and what must be done, if anything."""
        moved, another = self.epoch not in ("", welcome.epoch), self._broker not in (b"", welcome.broker)
        unknown = moved and not self._broker
        self.epoch, self._broker = welcome.epoch, welcome.broker
        if another or unknown:
            return outbox.settled, Renew(welcome.epoch)
        if moved or welcome.last < outbox.settled or reader.ahead(welcome.logs):
            # Ours stay: it may be a newer copy that is put in place next time.
            named = (visit.id for visit in welcome.visits)
            self._visits = [*(each for each in named if each not in self._visits), *self._visits]
            bases = {log: extent.base for log, extent in welcome.logs.items()}
            return outbox.settled, GoBack(welcome.epoch, min(welcome.last, outbox.settled), bases)
        ours = self._ours(welcome, outbox)
        return ours, None if ours == welcome.last else Renew(welcome.epoch)

    def _ours(self, welcome: Welcome, outbox: Outbox) -> int:
        """The highest number that the broker has from us: from here on somebody else has sent as this device."""
        ours = 0 if welcome.visits else welcome.last
        ends = [*(visit.after for visit in welcome.visits[1:]), welcome.last]
        for visit, end in zip(welcome.visits, ends, strict=False):
            if visit.id in self._visits:
                ours = end
        return max(min(ours, outbox.offered), outbox.settled)

    def go_on(self, welcome: Welcome) -> list[Command]:
        """The session begins: remember with whom, and which visits of ours the broker may name from now on."""
        self._begun = True
        named = {visit.id for visit in welcome.visits}
        old, recent = self._visits[:-RECENT_VISITS], self._visits[-RECENT_VISITS:]
        self._visits = [*(visit for visit in old if visit in named), *recent, self.visit]
        facts = {
            "account": welcome.account.encode(),
            "epoch": welcome.epoch.encode(),
            "broker": welcome.broker,
            "offered": b"",
            "visits": " ".join(map(str, self._visits)).encode(),
        }
        return [Remember(key, value) for key, value in facts.items()]
