"""What a journal keeps of remarks: edits, deletions and reactions beside its history, receipts as how far they go.

A message of the history stands as it is now: its row is written anew when an edit or a deletion comes, or when it comes
itself after them. So whoever reads or searches the history needs to know nothing of remarks.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from typing import Any

import apsw

from core.commands import Point, Review
from core.events import Pointed, Reviewed
from core.marks import Marks, is_remark, marks, present
from core.receipts import reached
from protocol import limits, names, remarks
from protocol.frames import Envelope, encode
from protocol.remarks import Delete, Edit, React, Receipt, SendId
from store.index import Index

_Open = Callable[[bytes, int], Envelope]
_Line = tuple[str, int]  # log and era

_ROWS = "SELECT log, era, seq, envelope, crc FROM history WHERE device = ? AND n = ?"


class Remarked:
    """Of one database. ``opened`` makes an envelope of what is stored."""

    def __init__(self, database: apsw.Connection, index: Index, opened: _Open) -> None:
        self._database = database
        self._index = index
        self._open = opened

    # -- within the caller's transaction --

    def keep(self, log: str, era: int, placed: list[tuple[int, Envelope]], new: Iterable[SendId]) -> None:
        """Keep remarks, and let messages stand as they are now: those that the remarks are about, and new ones."""
        about = set()
        if not placed and not self._database.execute("SELECT 1 FROM remark LIMIT 1").get:
            return
        for seq, envelope in placed:
            remark = remarks.read(envelope.enc, envelope.body)
            if isinstance(remark, Edit | Delete | React):
                packed = encode(envelope)
                row = (era, log, seq, *remarks.target(remark), packed, zlib.crc32(packed))
                self._database.execute("INSERT OR IGNORE INTO remark VALUES (?, ?, ?, ?, ?, ?, ?)", row)
                about.add(remarks.target(remark))
        self._refresh(about.union(new))

    def _refresh(self, messages: Iterable[SendId]) -> None:
        for send_id in messages:
            said = self._said(send_id)
            rows: list[Any] = self._database.execute(_ROWS, send_id).fetchall() if said else []
            for log, era, seq, packed, crc in rows:
                before = self._open(packed, crc)
                after = present(before, said)
                if after != before:
                    self._rewrite((log, era), seq, before, after)

    def _rewrite(self, line: _Line, seq: int, before: Envelope, after: Envelope) -> None:
        packed = encode(after)
        self._database.execute(
            "UPDATE history SET envelope = ?, crc = ? WHERE log = ? AND era = ? AND seq = ?",
            (packed, zlib.crc32(packed), *line, seq),
        )
        self._index.change(*line, seq, before, after)

    def note_receipts(self, envelopes: Iterable[Envelope]) -> None:
        """What others say of messages that were sent to them."""
        for each in envelopes:
            receipt = remarks.read(each.enc, each.body)
            if isinstance(receipt, Receipt):
                for device in {**receipt.delivered, **receipt.read}:
                    self._note_receipt(names.key(each.author), device, receipt)

    def _note_receipt(self, account: str, device: str, receipt: Receipt) -> None:
        ask = "SELECT delivered, read FROM receipt WHERE account = ? AND device = ?"
        before: Any = self._database.execute(ask, (account, device)).fetchone() or (0, 0)
        row = (account, device, *reached(before, receipt, device))
        self._database.execute("INSERT OR REPLACE INTO receipt VALUES (?, ?, ?, ?)", row)

    # -- reading --

    def receipts(self) -> dict[tuple[str, str], tuple[int, int]]:
        """By account and device, up to which number messages are delivered, and read."""
        rows: list[Any] = self._database.execute("SELECT * FROM receipt").fetchall()
        return {(account, device): (delivered, read) for account, device, delivered, read in rows}

    def marks(self, found: Iterable[Envelope]) -> dict[SendId, Marks]:
        """What has become of these messages, of which something has."""
        said = ((each, self._said((each.device, each.n))) for each in found)
        return {(each.device, each.n): marks(each, some) for each, some in said if some}

    def review(self, review: Review) -> Reviewed:
        """The messages that remarks are about, as far as they are here."""
        read = (remarks.read(each.enc, each.body) for each in review.messages.envelopes if is_remark(each))
        about = {remarks.target(each) for each in read if isinstance(each, Edit | Delete | React)}
        found = {send_id: self._message(send_id) for send_id in sorted(about)}
        return Reviewed(review, {send_id: message for send_id, message in found.items() if message})

    def _message(self, send_id: SendId) -> Envelope | None:
        rows: list[Any] = self._database.execute(_ROWS, send_id).fetchall()
        return self._open(*rows[-1][3:]) if rows else None

    def pointed(self, point: Point, found: tuple[int, Envelope] | None) -> Pointed:
        """A message that was found for somebody, with where its texts stand: there they are to be withheld."""
        if found is None:
            return Pointed(point, None, [], Marks())
        seq, message = found
        ask = "SELECT seq, envelope, crc FROM remark WHERE log = ? AND device = ? AND n = ? ORDER BY era, seq"
        rows: list[Any] = self._database.execute(ask, (point.log, message.device, message.n)).fetchall()
        edits = [at for at, *row in rows if self._open(*row).enc == remarks.EDIT]
        said = self.marks([message]).get((message.device, message.n), Marks())
        return Pointed(point, message, [seq, *edits][-limits.REMARK_MESSAGES :], said)

    def _said(self, send_id: SendId) -> list[Envelope]:
        ask = "SELECT envelope, crc FROM remark WHERE device = ? AND n = ? ORDER BY era, seq"
        rows: list[Any] = self._database.execute(ask, send_id).fetchall()
        return [self._open(*row) for row in rows]
