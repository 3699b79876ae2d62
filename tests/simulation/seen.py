"""One folder as the checker's own book has it: what was numbered there, what was read, and what was shown."""

from __future__ import annotations

from collections import deque

from core.commands import GoBack
from protocol.frames import Envelope
from protocol.remarks import Receipt
from tests.simulation.changes import Changes
from tests.simulation.said import Broken, Id, Said


class Flight:
    """What of one log was sent to a device and is not acknowledged."""

    def __init__(self, sent: int) -> None:
        self.sent = sent
        self.seqs: deque[int] = deque()

    def leaves(self, first: int, count: int) -> None:
        """The broker sends this; what it leaves out is forgotten, and not on the way."""
        self.seqs.extend(range(first, first + count))
        self.sent = first + count - 1

    def lands(self, pos: int) -> None:
        """The device says that it has all up to here."""
        while self.seqs and self.seqs[0] <= pos:
            self.seqs.popleft()


class Seen:
    """One device as its journal and its reader know it."""

    def __init__(self) -> None:
        self.last = 0  # the highest number that it gave
        self.settled = 0  # the highest number that was settled
        self.numbers: dict[int, Said] = {}
        self.told: dict[Said, str] = {}  # what its person was shown: accepted, or a code
        self.cursors: dict[str, int] = {}
        self.reached: dict[str, int] = {}  # the highest that each cursor ever was
        self.shown: dict[Id, None] = {}  # what its person has before their eyes
        self.have: dict[str, dict[Id, None]] = {}  # log → what is in the journal, of all epochs
        self.kept: dict[str, list[Envelope]] = {}  # log → the same, in the order in which it was written
        self.changes: dict[str, Changes] = {}  # log → what of it is about messages
        self.lines: dict[str, list[Id | None]] = {}  # log → what is below the cursor, None: skipped
        self.acked: dict[str, int] = {}  # log → the last seq that was read in this epoch, as this device
        self.owed: dict[str, deque[tuple[int, Envelope]]] = {}  # log → in the journal, not shown yet

    def copy(self) -> Seen:
        """As the copy of a folder begins."""
        other = Seen()
        other.last, other.settled = self.last, self.settled
        other.numbers, other.told = dict(self.numbers), dict(self.told)
        other.cursors, other.reached, other.acked = dict(self.cursors), dict(self.reached), dict(self.acked)
        other.shown = dict(self.shown)
        other.have = {log: dict(ids) for log, ids in self.have.items()}
        other.kept = {log: list(envelopes) for log, envelopes in self.kept.items()}
        other.changes = {log: changes.copy() for log, changes in self.changes.items()}
        other.lines = {log: list(ids) for log, ids in self.lines.items()}
        other.owed = {log: deque(places) for log, places in self.owed.items()}
        return other

    @property
    def waiting(self) -> list[Said]:
        """What is not settled."""
        return [self.numbers[n] for n in range(self.settled + 1, self.last + 1)]

    def moves(self, log: str, pos: int) -> None:
        """A cursor."""
        self.cursors[log] = pos
        self.reached[log] = max(pos, self.reached.get(log, 0))

    def records(self, label: str, log: str, first: int, envelopes: list[Envelope]) -> None:
        """This was written."""
        have = self.have.setdefault(log, {})
        for seq, envelope in enumerate(envelopes, first):
            send_id = envelope.device, envelope.n
            if send_id in have and not log.startswith("+"):  # a receipt that is told again says no more than before
                raise Broken("I2", f"{label} gets {envelope} a second time, as {log} {seq}")
            if envelope.enc != "void":  # there is nothing left of it to be known again, once the broker was put back
                have[send_id] = None
            self.lines.setdefault(log, []).append(send_id)
            self.kept.setdefault(log, []).append(envelope)
            self.changes.setdefault(log, Changes()).add(envelope)
            if not log.startswith("+"):
                self.owed.setdefault(log, deque()).append((seq, envelope))
        self.moves(log, first + len(envelopes) - 1)
        self.acked[log] = self.cursors[log]

    def renews(self, device: str, cursors: dict[str, int]) -> None:
        """It is another device now, with what was waiting numbered from 1 on."""
        waiting = self.waiting
        self.numbers = dict(enumerate(waiting, 1))
        self.last, self.settled, self.acked = len(waiting), 0, {}
        for n, said in self.numbers.items():
            said.ids[(device, n)] = None
            self.told.pop(said, None)
        self._goes_to(cursors)

    def goes_back(self, back: GoBack, cursors: dict[str, int]) -> None:
        """What the broker has lost waits again."""
        for n in range(back.last + 1, self.settled + 1):
            self.told.pop(self.numbers[n], None)
        self.settled, self.acked = back.last, {}
        self._goes_to(cursors)

    def _goes_to(self, cursors: dict[str, int]) -> None:
        self.cursors = dict(cursors)
        for log, line in self.lines.items():
            del line[cursors.get(log, 0) :]

    def text_of(self, log: str, message: Envelope) -> bytes | None:
        """What a message says after all that was written of its log; None if it was taken back."""
        return self.changes[log].text(message)

    def early(self, receipt: Receipt) -> list[Id]:
        """What a receipt says of messages that did not come, or were not shown."""
        have = {send_id: None for log, ids in self.have.items() if log.startswith("@") for send_id in ids}
        early = [each for each in receipt.read.items() if each not in self.shown]
        return early + [each for each in receipt.delivered.items() if each not in have]
