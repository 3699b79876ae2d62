"""The words of a journal's history. The index is brought up to date before a search, never while messages come.

So it costs nobody anything who does not search. Words are taken as they are typed: nothing in them is an operator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import apsw

from core.commands import Search
from core.events import Searched
from protocol.frames import Envelope

_Open = Callable[[bytes, int], Envelope]

# Messages that one step adds to the index: a few tenths of a second, after which the network has its turn.
STEP_MESSAGES = 10_000

# A word's row number in the index is its line's (log and era) number and its seq, in one.
SEQ_BITS = 40


class Index:
    """Of one database. ``opened`` makes an envelope of what is stored."""

    def __init__(self, database: apsw.Connection, opened: _Open) -> None:
        self._database = database
        self._open = opened

    def update(self) -> bool:
        """Take in what is new, at most one step; whether that was all. Within the caller's transaction."""
        self._meet()
        left = STEP_MESSAGES
        for line, log, era, low, high in self._lines():
            rows = self._new(log, era, high, 2**62, "ASC", left) + self._new(log, era, 0, low, "DESC", left)
            rows = rows[:left]
            if not rows:
                continue
            self._take(line, rows)
            seqs = [seq for seq, _, _ in rows]
            self._database.execute(
                "UPDATE indexed SET low = min(low, ?), high = max(high, ?) WHERE id = ?", (min(seqs), max(seqs), line)
            )
            left -= len(rows)
            if not left:
                return False
        return True

    def _lines(self) -> list[Any]:
        """All logs and eras that have been met, with what has been taken in of them."""
        return self._database.execute("SELECT id, log, era, low, high FROM indexed").fetchall()

    def _meet(self) -> None:
        """Logs and eras that are new: nothing of them has been taken in. From each to the next is one step."""
        log, era = "", 0
        while rows := self._first("log = ? AND era > ?", log, era) or self._first("log > ?", log):
            log, era, seq = rows[0]
            new = (log, era, seq, seq - 1)
            self._database.execute("INSERT OR IGNORE INTO indexed (log, era, low, high) VALUES (?, ?, ?, ?)", new)

    def _first(self, where: str, *values: str | int) -> list[Any]:
        ask = f"SELECT log, era, seq FROM history WHERE {where} ORDER BY log, era, seq LIMIT 1"
        return self._database.execute(ask, values).fetchall()

    def _new(self, log: str, era: int, above: int, below: int, order: str, most: int) -> list[Any]:
        return self._database.execute(
            "SELECT seq, envelope, crc FROM history WHERE log = ? AND era = ? AND seq > ? AND seq < ?"
            f" ORDER BY seq {order} LIMIT ?",
            (log, era, above, below, most),
        ).fetchall()

    def _take(self, line: int, rows: list[Any]) -> None:
        opened = ((seq, self._open(packed, crc)) for seq, packed, crc in rows)
        self._database.executemany(
            "INSERT INTO word (rowid, body) VALUES (?, ?)",
            [
                (line << SEQ_BITS | seq, each.body.decode("utf-8", "replace"))
                for seq, each in opened
                if each.enc == "none" and seq < 1 << SEQ_BITS
            ],
        )

    def change(self, log: str, era: int, seq: int, before: Envelope, after: Envelope) -> None:
        """A message says something else now. What was not taken in yet is taken in as it is then."""
        ask = "SELECT id FROM indexed WHERE log = ? AND era = ? AND ? BETWEEN low AND high"
        line: Any = self._database.execute(ask, (log, era, seq)).get
        if line is None or seq >= 1 << SEQ_BITS:
            return
        row = line << SEQ_BITS | seq
        if before.enc == "none":
            forget = "INSERT INTO word (word, rowid, body) VALUES ('delete', ?, ?)"
            self._database.execute(forget, (row, before.body.decode("utf-8", "replace")))
        if after.enc == "none":
            self._database.execute("INSERT INTO word (rowid, body) VALUES (?, ?)", (row, after.body.decode()))

    def search(self, search: Search) -> Searched:
        """The answer to Search: of each log the last that fit, and of all these the last by time."""
        found = [each for line in self._lines() for each in self._found(search, *line[:3])]
        found.sort(key=lambda each: (each[2].at, each[0], each[1]))
        return Searched(search, found[-search.count :], more=len(found) > search.count)

    def _found(self, search: Search, line: int, log: str, era: int) -> Iterator[tuple[str, int, Envelope]]:
        wanted = phrases(search.words)
        if not wanted:
            return
        rows = self._database.execute(
            "SELECT rowid FROM word WHERE word MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid DESC",
            (wanted, line << SEQ_BITS, (line + 1 << SEQ_BITS) - 1),
        )
        count = 0
        for (row,) in rows:
            seq = row & (1 << SEQ_BITS) - 1
            envelope = self._envelope(log, era, seq, search.hidden)
            if envelope is None:
                continue
            yield log, seq, envelope
            count += 1
            if count > search.count:  # one more, so that we know that there is more
                return

    def _envelope(self, log: str, era: int, seq: int, hidden: tuple[str, ...]) -> Envelope | None:
        rows: list[Any] = self._database.execute(
            "SELECT author, envelope, crc FROM history WHERE log = ? AND era = ? AND seq = ?", (log, era, seq)
        ).fetchall()
        if not rows or rows[0][0] in hidden:
            return None
        envelope = self._open(*rows[0][1:])
        return envelope if envelope.enc == "none" else None


def phrases(words: str) -> str:
    """A question to the index: all these words, each as it stands or as the beginning of a longer one."""
    typed = words.replace("\0", " ").replace('"', " ").split()
    return " ".join(f'"{word}"*' for word in typed if any(sign.isalnum() for sign in word))
