"""What a journal finds again in its history: conversations, and how much of them nobody has looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import apsw
import msgspec

from core.commands import Point, Recall, Tally
from core.events import Recalled, Tallied
from core.typed import Reacted
from protocol import names
from protocol.frames import Envelope

_Ask = Callable[..., list[Any]]
_Open = Callable[[bytes, int], Envelope]

# Messages of a time are read in steps of so many, until one is too old.
STEP_MESSAGES = 200
# So far back one message is looked for.
POINTED_MESSAGES = 1000

# Both ends are compared: one of them is oneself in all that a mailbox holds, and one may write to oneself.
CONVERSATION = """
SELECT era, seq, envelope, crc FROM history WHERE log = ?1
    AND (?2 = '' OR author = ?2 AND '@' || recipient = ?1 OR recipient = ?2 AND '@' || author = ?1)
    AND author NOT IN (SELECT value FROM json_each(?3))
    AND (era, seq) < (?4, ?5)
    ORDER BY era DESC, seq DESC LIMIT ?6
"""


class Lookback:
    """Reads the history. ``opened`` makes an envelope of what is stored."""

    def __init__(self, ask: _Ask, opened: _Open) -> None:
        self._ask = ask
        self._open = opened

    def conversation(
        self, log: str, account: str, count: int, since: int = 0, hidden: tuple[str, ...] = ()
    ) -> list[tuple[int, Envelope]]:
        """The last messages of a log, or of a conversation with one account in it: seqs and messages."""
        found: list[tuple[int, Envelope]] = []
        for placed in self._backwards(log, account, count, hidden):
            if placed[1].at < since:
                break
            found.append(placed)
        return found[::-1]

    def _backwards(self, log: str, account: str, count: int, hidden: tuple[str, ...]) -> Iterator[tuple[int, Envelope]]:
        end = (2**62, 2**62)
        while count > 0:
            step = min(count, STEP_MESSAGES)
            rows = self._ask(CONVERSATION, log, account, _listed(hidden), *end, step)
            for _, seq, envelope, crc in rows:
                yield seq, self._open(envelope, crc)
            if len(rows) < step:
                return
            end, count = (rows[-1][0], rows[-1][1]), count - step

    def point(self, point: Point) -> tuple[int, Envelope] | None:
        """The message that is meant: its seq, and itself. What was deleted is not counted."""
        own = not isinstance(point.question, Reacted)
        left = point.question.back
        for seq, envelope in self._backwards(point.log, point.account, POINTED_MESSAGES, ()):
            left -= envelope.enc == "none" and (names.key(envelope.author) == point.own) is own
            if not left:
                return seq, envelope
        return None

    def recall(self, recall: Recall, era: int) -> Recalled:
        """The answer to Recall."""
        found = self.conversation(recall.log, recall.account, recall.count, recall.since, recall.hidden)
        of, seq = self.oldest(recall.log, era)
        rows = self._ask("SELECT envelope, crc FROM entry WHERE log = ? AND era = ? AND seq = ?", recall.log, of, seq)
        return Recalled(recall, found, seq, self._open(*rows[0]).at if rows else 0)

    def oldest(self, log: str, era: int) -> tuple[int, int]:
        """The first place of a log that is in the history, and in which era it stands there.

        Eras hang together in a log where the later one knows its base; what is below that is the same in both.
        Without any message it is what comes first behind the cursor; (era, 0) if there is no cursor either.
        """
        rows = self._ask("SELECT pos + 1 FROM cursor WHERE log = ?", log)
        place = (era, rows[0][0] if rows else 0)
        below = 2**62
        while True:
            ((first,),) = self._ask(
                "SELECT min(seq) FROM entry WHERE log = ? AND era = ? AND seq <= ?", log, era, below
            )
            if first is not None:
                place = (era, first)
            base = self._ask("SELECT pos FROM base WHERE era = ? AND log = ?", era, log)
            if not base:
                return place
            era, below = era - 1, min(below, base[0][0])

    def tally(self, tally: Tally) -> Tallied:
        """The answer to Tally: the conversation in which something came last comes last."""
        unread: dict[str, int] = {}
        shown: dict[str, str] = {}
        for log, author, envelope, crc in self._unread(tally):
            place = log if log.startswith("#") else author
            unread[place] = unread.pop(place, 0) + 1
            if place not in shown:
                shown[place] = place if place.startswith("#") else self._open(envelope, crc).author
        return Tallied([(shown[place], count) for place, count in unread.items()])

    def _unread(self, tally: Tally) -> list[Any]:
        return self._ask(
            """
            SELECT history.log, author, envelope, crc FROM looked AS whole JOIN history ON history.log = whole.log
                AND (history.era, history.seq) > (whole.era, whole.seq)
            LEFT JOIN looked AS one ON one.log = history.log AND one.account = history.author
            WHERE whole.account = '' AND author <> ?1 AND author NOT IN (SELECT value FROM json_each(?2))
                AND (one.log IS NULL OR (history.era, history.seq) > (one.era, one.seq))
            ORDER BY history.log, history.era, history.seq
            """,
            tally.own,
            _listed(tally.hidden),
        )


def write_read(database: apsw.Connection, log: str, account: str) -> None:
    """All that the history has of a conversation was looked at."""
    database.execute(
        """
        INSERT OR REPLACE INTO looked SELECT ?1, ?2, era, seq FROM history WHERE log = ?1
            ORDER BY era DESC, seq DESC LIMIT 1
        """,
        (log, account),
    )


def _listed(accounts: tuple[str, ...]) -> str:
    return msgspec.json.encode(accounts).decode()
