"""Editing, deleting, reacting: which message is meant, whether it may be, and what is sent about it.

The journal knows which messages there are. What comes from others is shown only if it holds: a remark about a message
that is not here, or about one that its sender may not change, is kept and not shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

import msgspec

from core import marks, shown, typed
from core.clock import Instant
from core.commands import Point, Review
from core.events import Pointed, Reviewed
from core.outbox import Outbox, Waiting
from core.places import Places, conversation
from core.receipts import Receipts
from protocol import limits, names, remarks
from protocol.frames import Envelope, Item, Run, encode
from protocol.remarks import Delete, Edit, React


class Remarking:
    """What one says oneself, and what others say."""

    def __init__(self, places: Places, receipts: Receipts) -> None:
        self._places = places
        self._receipts = receipts
        self._last: dict[bool, tuple[int, str]] = {}  # own or another's → after so many moves, and where it was said
        self.awaited: dict[int, str] = {}  # our sends that were accepted, and have not come back from the log → to whom
        self._early: set[int] = set()  # those that have come back, and were not accepted: they had to be sent again

    def clear(self, caught_up: bool) -> bool:
        """Whether all that we have said stands in the history, so that it is clear which message is the last."""
        self.awaited = {n: to for n, to in self.awaited.items() if self._comes_back(to)}
        return caught_up and not self.awaited

    def accepted(self, sends: Iterable[Waiting]) -> None:
        """The broker has these; each comes back to us, but for receipts."""
        said = {each.n: each.item.to for each in sends if not each.is_receipt}
        self.awaited |= {n: to for n, to in said.items() if n not in self._early and self._comes_back(to)}
        self._early -= said.keys()

    def come_back(self, runs: Iterable[Run], device: str, outbox: Outbox) -> None:
        """What comes to us of our own stands in the history from now on."""
        if self.awaited or len(outbox):
            own = {each.n for run in runs for each in run.envelopes if each.device == device}
            self.awaited = {n: to for n, to in self.awaited.items() if n not in own}
            self._early |= {n for n in own if n > outbox.settled}

    def renumber(self) -> None:
        """What comes back from now on are other numbers, or stands in other places."""
        self._early.clear()

    def _comes_back(self, to: str) -> bool:
        """A room that one has left sends nothing back."""
        return not to.startswith("#") or names.room_key(to) in self._places.rooms

    def spoke(self, to: str) -> None:
        """We have said something there, which need not be the current place."""
        self._last[True] = self._places.moves, to

    def _heard(self, messages: shown.Messages, account: str) -> None:
        others = [each for each in messages.envelopes if each.author != account and not marks.is_remark(each)]
        if others and not messages.mine:
            last = others[-1]
            self._last[False] = self._places.moves, last.to if last.to.startswith("#") else last.author

    def point(self, question: typed.OfMessage, account: str) -> Point:
        """Find the message that is meant: where it was said last since somebody went to the current place, else there.

        A correction of what was for one person must not go to everybody.
        """
        moves, place = self._last.get(not isinstance(question, typed.Reacted), (-1, ""))
        if moves != self._places.moves:
            place = self._places.place
        log, other = conversation(place, account)
        return Point(place, log, other, names.key(account), question)

    def remark(self, event: Pointed, account: str, now: Instant) -> Item | str:
        """What to send; or the code of why not."""
        message, question = event.message, event.point.question
        if message is None:
            return "no-message"
        remark: Edit | Delete | React
        if isinstance(question, typed.Reacted):
            mine = account in event.marks.reactions.get(question.sign, [])
            remark = React(message.device, message.n, question.sign, mine)
        elif now.at - message.at > limits.REMARK_MS:
            return "too-late"
        elif isinstance(question, typed.Edited):
            remark = Edit(message.device, message.n, event.seqs, question.text)
        else:
            remark = Delete(message.device, message.n, event.seqs)
        return Item(event.point.place, remarks.enc(remark), encode(remark))

    # -- what is shown --

    def shows(self, messages: shown.Messages, account: str) -> shown.Messages | Review:
        """Messages with their receipts; if there are remarks among them, they must be looked at first."""
        self._heard(messages, account)
        if messages.log.startswith("@"):
            messages.marks = self.marked(messages.envelopes, messages.marks, account)
        return Review(messages) if any(map(marks.is_remark, messages.envelopes)) else messages

    def marked(
        self, envelopes: list[Envelope], known: dict[remarks.SendId, marks.Marks], account: str
    ) -> dict[remarks.SendId, marks.Marks]:
        """The marks of messages, with the receipts of one's own."""
        said = {(each.device, each.n): self._receipts.mark(each, account) for each in envelopes}
        found = {
            send_id: msgspec.structs.replace(known.get(send_id, marks.Marks()), receipt=receipt)
            for send_id, receipt in said.items()
            if receipt
        }
        return known | found

    def reviewed(self, event: Reviewed) -> list[shown.Messages]:
        """Messages and the remarks that hold, in runs."""
        messages, targets = event.review.messages, event.targets
        placed = enumerate(messages.envelopes, messages.first)
        groups = groupby(placed, key=lambda place: _is_shown(place[1], targets))
        runs = [list(run) for heeded, run in groups if heeded]
        return [
            msgspec.structs.replace(
                messages, first=run[0][0], envelopes=[envelope for _, envelope in run], targets=targets
            )
            for run in runs
        ]


def _is_shown(envelope: Envelope, targets: dict[remarks.SendId, Envelope]) -> bool:
    if not marks.is_remark(envelope):
        return True
    remark = remarks.read(envelope.enc, envelope.body)
    if not isinstance(remark, Edit | Delete | React):
        return False
    message = targets.get(remarks.target(remark))
    return message is not None and remarks.holds(envelope, message)
