"""The journal in memory: what a journal does, in as few words as possible. Simulations and core's tests use it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile
from typing import Any

from core.arrangement import ARRANGED
from core.commands import (
    Backfill,
    Begin,
    Command,
    Drop,
    GoBack,
    Keep,
    Point,
    Read,
    Recall,
    Record,
    Remember,
    Review,
    Search,
    Tally,
)
from core.events import Pointed, Recalled, Reviewed, Searched, Tallied
from core.marks import Marks, is_remark, marks, present
from core.outbox import NOBODY, NOTHING, Memory, SendId, Waiting
from core.receipts import reached
from core.typed import Reacted
from protocol import limits, names, remarks
from protocol.frames import Envelope, Item
from protocol.remarks import Delete, Edit, React, Receipt


class Notebook:
    """One device's outbox, history, cursors and facts. ``new_id`` makes device ids."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self.device = new_id()
        self.facts: dict[str, bytes] = {}
        self.outbox: dict[int, Item] = {}  # and what was settled
        self.settled = 0
        self.bases: dict[tuple[int, str], int] = {}  # era, log → where the era began
        self.cursors: dict[str, int] = {}
        self.history: dict[tuple[int, str, int], Envelope] = {}  # era, log, seq
        self.remarks: dict[tuple[int, str, int], Envelope] = {}  # what is about messages, in the same way
        self.about: dict[SendId, tuple[tuple[int, str, int], ...]] = {}  # where a message is, and what is about it
        self.receipts: dict[tuple[str, str], tuple[int, int]] = {}  # account, device → up to which n delivered, read
        self.looked: dict[tuple[str, str], tuple[int, int]] = {}  # log, account → era, seq
        self.era = 1
        self._write: dict[type[Command], Callable[[Any], None]] = {
            Keep: self._keep,
            Drop: self._drop,
            Record: self._record,
            Begin: self._begin,
            Remember: self._remember,
            Backfill: self._backfill,
            Read: self._read,
        }

    def memory(self) -> Memory:
        """What the core starts from."""
        outbox = [Waiting(n, item) for n, item in sorted(self.outbox.items()) if n > self.settled]
        return Memory(
            device=self.device,
            last=self.settled + len(outbox),
            outbox=outbox,
            cursors=dict(self.cursors),
            epoch=self.facts.get("epoch", b"").decode(),
            broker=self.facts.get("broker", b""),
            visits=[int(visit) for visit in self.facts.get("visits", b"").split()],
            contacts=self.facts.get("contacts", b"").decode().split(),
            ignored=self.facts.get("ignored", b"").decode().split(),
            arranged={key: self.facts[key] for key in ARRANGED if key in self.facts},
            known=self._known(),
            receipts=dict(self.receipts),
            reached=self.facts.get("reached", b""),
            tells_read=self.facts.get("tells-read") != b"0",
            offered=int(self.facts["offered"]) if self.facts.get("offered") else None,
        )

    def _known(self) -> set[SendId]:
        """What is in the history from eras that are over, above where they ended."""
        known = set()
        for (era, log, seq), envelope in (self.history | self.remarks).items() if self.bases else ():
            ends = (pos for (later, of), pos in self.bases.items() if of == log and later > era)
            if seq > min(ends, default=seq):
                known.add((envelope.device, envelope.n))
        return known

    def commit(self, commands: Sequence[Command]) -> None:
        """Carry out what must be kept before anything is posted or acknowledged."""
        for command in commands:
            self._write[type(command)](command)

    def renew(self, epoch: str) -> Memory:
        """Become another device; in another epoch, with no cursors."""
        self.device = self._new_id()
        if epoch != self.facts.get("epoch", b"").decode():
            self._begin_era(epoch)
            self.cursors, self.looked = {}, {}
        waiting = [item for n, item in sorted(self.outbox.items()) if n > self.settled]
        self.outbox, self.settled = dict(enumerate(waiting, 1)), 0
        self.facts = {key: fact for key, fact in self.facts.items() if key not in ("visits", "offered")}
        return self.memory()

    def go_back(self, back: GoBack) -> tuple[Memory, int]:
        """Be where a broker is that was put back; nothing of ours is ever lost here."""
        self._begin_era(back.epoch)
        for log, pos in self.cursors.items():
            self.cursors[log] = self.bases[(self.era, log)] = min(pos, back.bases.get(log, 0))
        self.settled = back.last
        return self.memory(), 0

    # -- what is found again --

    def recall(self, recall: Recall) -> Recalled:
        """The last messages of a conversation."""
        known = [(seq, self.history[(era, recall.log, seq)]) for era, seq in self._places(recall.log)]
        talk = [place for place in known if self._is_of(recall, place[1])]
        last = list(takewhile(lambda place: place[1].at >= recall.since, talk[: -recall.count - 1 : -1]))
        era, oldest = self.oldest(recall.log)
        first = (self.history | self.remarks).get((era, recall.log, oldest))
        marks = self._marks(envelope for _, envelope in last[::-1])
        return Recalled(recall, last[::-1], oldest, first.at if first else 0, marks)

    def _is_of(self, recall: Recall, envelope: Envelope) -> bool:
        author, to = names.key(envelope.author), envelope.to
        if author in recall.hidden:
            return False
        others = {author, names.key(to)} - {recall.log[1:]} if recall.account else set()
        return not recall.account or (others or {recall.log[1:]}) == {recall.account}

    def oldest(self, log: str) -> tuple[int, int]:
        """The first place of a log that is in the history, and in which era it stands there."""
        era = self.era
        place = (era, self.cursors[log] + 1 if log in self.cursors else 0)
        below = limits.NUMBER_MAX
        while True:
            entries = (*self.history, *self.remarks)
            seqs = [seq for of, name, seq in entries if (of, name) == (era, log) and seq <= below]
            place = (era, min(seqs)) if seqs else place
            if (era, log) not in self.bases:
                return place
            era, below = era - 1, min(below, self.bases[(era, log)])

    def search(self, search: Search) -> Searched:
        """The last messages with some words: of each log the last that fit, and of all these the last by time."""
        wanted, lines = _words(search.words), dict[tuple[int, str], list[tuple[str, int, Envelope]]]()
        for (era, log, seq), envelope in sorted(self.history.items(), key=lambda entry: entry[0]):
            hidden = names.key(envelope.author) in search.hidden or envelope.enc != "none"
            if wanted and not hidden and _has(envelope, wanted):
                lines.setdefault((era, log), []).append((log, seq, envelope))
        found = [each for line in lines.values() for each in line[-search.count - 1 :]]
        found.sort(key=lambda each: (each[2].at, each[0], each[1]))
        last = found[-search.count :]
        return Searched(search, last, len(found) > search.count, self._marks(envelope for *_, envelope in last))

    def tally(self, tally: Tally) -> Tallied:
        """How much of each conversation nobody has looked at."""
        unread: dict[str, int] = {}
        for (era, log, seq), envelope in sorted(self.history.items(), key=lambda entry: (entry[0][1], entry[0])):
            author = names.key(envelope.author)
            account = "" if log.startswith("#") else author
            marks = [self.looked[key] for key in ((log, ""), (log, account)) if key in self.looked]
            if (log, "") not in self.looked or author in (tally.own, *tally.hidden) or (era, seq) <= max(marks):
                continue
            place = log if log.startswith("#") else author
            unread[place] = unread.pop(place, 0) + 1
        return Tallied(list(unread.items()))

    # -- messages and what is about them --

    def _marks(self, found: Iterable[Envelope]) -> dict[SendId, Marks]:
        said = ((each, self._said(each)) for each in found)
        return {(each.device, each.n): marks(each, some) for each, some in said if some}

    def review(self, review: Review) -> Reviewed:
        """The messages that remarks are about."""
        known = {(each.device, each.n): each for each in self.history.values()}
        read = (remarks.read(each.enc, each.body) for each in review.messages.envelopes)
        about = {remarks.target(each) for each in read if isinstance(each, Edit | Delete | React)}
        return Reviewed(review, {send_id: known[send_id] for send_id in sorted(about) if send_id in known})

    def point(self, point: Point) -> Pointed:
        """The message that somebody means."""
        own = not isinstance(point.question, Reacted)
        placed = [(seq, self.history[(era, point.log, seq)]) for era, seq in self._places(point.log)]
        recall = Recall(point.log, point.account, 0)
        meant = [
            (seq, each)
            for seq, each in placed
            if each.enc == "none" and self._is_of(recall, each) and (names.key(each.author) == point.own) is own
        ]
        if len(meant) < point.question.back:
            return Pointed(point, None, [], Marks())
        seq, message = meant[-point.question.back]
        said = self._said(message)
        here = [(at, each) for (_, of, at), each in sorted(self.remarks.items()) if of == point.log]
        edits = [at for at, each in here if each in said and each.enc == remarks.EDIT]
        return Pointed(point, message, [seq, *edits][-limits.REMARK_MESSAGES :], marks(message, said))

    def _places(self, log: str) -> list[tuple[int, int]]:
        """Era and seq of all that is in the history of a log, in order."""
        return sorted((era, seq) for era, of, seq in self.history if of == log)

    def _begin_era(self, epoch: str) -> None:
        self.era += 1
        self.facts["epoch"] = epoch.encode()

    def _keep(self, keep: Keep) -> None:
        self.outbox[keep.n] = Item(keep.to, keep.enc, keep.body)

    def _drop(self, drop: Drop) -> None:
        self.settled = drop.n
        for n in drop.refused:
            self.outbox[n] = Item(NOBODY, "none", NOTHING)

    def _record(self, record: Record) -> None:
        for seq, envelope in enumerate(record.envelopes, record.first):
            if record.log.startswith("+"):
                self._note_receipt(envelope)
            else:
                self._enter((self.era, record.log, seq), envelope)
        self.cursors[record.log] = record.first + len(record.envelopes) - 1

    def _enter(self, place: tuple[int, str, int], envelope: Envelope) -> None:
        """Every message stands as it is now, whatever came first: itself, or what is about it."""
        remark, meant = remarks.read(envelope.enc, envelope.body), (envelope.device, envelope.n)
        if not is_remark(envelope):
            self.history.setdefault(place, envelope)
        elif isinstance(remark, Edit | Delete | React):
            self.remarks.setdefault(place, envelope)
            meant = remarks.target(remark)
        else:
            return
        self.about[meant] = tuple(sorted({*self.about.get(meant, ()), place}))
        for of in self.about[meant]:
            if message := self.history.get(of):
                self.history[of] = present(message, self._said(message))

    def _said(self, message: Envelope) -> list[Envelope]:
        """The remarks about a message, in the order of their log."""
        places = self.about.get((message.device, message.n), ())
        return [self.remarks[place] for place in places if place in self.remarks]

    def _note_receipt(self, envelope: Envelope) -> None:
        receipt = remarks.read(envelope.enc, envelope.body)
        if not isinstance(receipt, Receipt):
            return
        for device in {**receipt.delivered, **receipt.read}:
            key = names.key(envelope.author), device
            self.receipts[key] = reached(self.receipts.get(key, (0, 0)), receipt, device)

    def _begin(self, begin: Begin) -> None:
        self.cursors[begin.log] = begin.pos
        self.looked.setdefault((begin.log, ""), (self.era, begin.pos))

    def _backfill(self, page: Backfill) -> None:
        era, oldest = self.oldest(page.log)
        for seq, envelope in enumerate(page.envelopes, page.first):
            if seq < oldest:
                self._enter((era, page.log, seq), envelope)

    def _read(self, read: Read) -> None:
        places = self._places(read.log)
        if places:
            self.looked[(read.log, read.account)] = places[-1]

    def _remember(self, remember: Remember) -> None:
        self.facts[remember.key] = remember.value


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def _has(envelope: Envelope, wanted: list[str]) -> bool:
    """Whether each of these words, or a longer one that begins with it, is in a message."""
    words = _words(envelope.body.decode(errors="replace"))
    return all(any(word.startswith(each) for word in words) for each in wanted)
