"""What is left when the processes are gone: what was typed, what was printed, and what stands in the databases.

Nothing of ours is imported here: the files are read with SQL and structures of this page's own, so that a mistake in
the programs can't hide itself.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import msgspec

# The programs may hold their files for a moment when they open or close them.
BUSY_MS = 10_000


class Message(NamedTuple):
    """One message where it was stored."""

    device: str
    n: int
    author: str
    to: str
    text: str


class Line(NamedTuple):
    """One line that was typed."""

    actor: str
    run: int
    number: int  # 1, 2, 3 … in its run
    to: str
    text: str


@dataclass
class Book:
    """A database: the broker's, or a device's journal."""

    name: str
    logs: dict[str, dict[int, Message]] = field(default_factory=dict)  # by log and seq
    waiting: list[str] = field(default_factory=list)  # texts in the outbox
    cursors: dict[str, int] = field(default_factory=dict)  # the broker's: heads
    device: str = ""
    lasts: dict[str, int] = field(default_factory=dict)  # the broker's: by device the highest n


@dataclass
class Run:
    """One life of a client's process."""

    lines: list[Line] = field(default_factory=list)
    printed: list[dict[str, Any]] = field(default_factory=list)
    killed: bool = False


@dataclass
class Actor:
    """One device, in all its runs."""

    name: str
    account: str
    journal: Book
    runs: dict[int, Run] = field(default_factory=dict)


@dataclass
class Evidence:
    """Everything that is left."""

    broker: Book
    actors: list[Actor]

    def lines(self) -> dict[str, Line]:
        """Everything that was typed, by its text."""
        return {line.text: line for actor in self.actors for run in actor.runs.values() for line in run.lines}


def read(folder: Path) -> Evidence:
    """What the files say; the programs may still run."""
    names = sorted(path.stem for path in folder.glob("*.typed"))
    return Evidence(broker_book(folder / "broker"), [_actor(folder, name) for name in names])


def _actor(folder: Path, name: str) -> Actor:
    (journal,) = (folder / name).glob("**/journal.sqlite")
    actor = Actor(name, name.partition("-")[0], journal_book(journal, name))
    for thing in _objects(folder / f"{name}.printed"):
        if thing["event"] == "run":
            actor.runs[thing["run"]] = Run()
        else:
            actor.runs[max(actor.runs)].printed.append(thing)
    for thing in _objects(folder / f"{name}.typed"):
        run = actor.runs[thing["run"]]
        if "killed" in thing:
            run.killed = thing["killed"]
        else:
            run.lines.append(Line(name, thing["run"], thing["line"], thing["to"], thing["text"]))
    return actor


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of a file; not the half one that a killed process may have left before a new run's first line."""
    lines = path.read_bytes().split(b"\n")[:-1]
    for line, following in zip(lines, [*lines[1:], b""], strict=True):
        try:
            if line:
                yield json.loads(line)
        except ValueError:
            if not following.startswith(b'{"event": "run"'):
                raise


# ---- the databases -----------------------------------------------------------------------------------------


def _open(path: Path) -> apsw.Connection:
    """A database as it is at one moment, though its program may go on writing."""
    database = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    database.set_busy_timeout(BUSY_MS)
    database.execute("BEGIN")
    return database


def journal_book(path: Path, name: str) -> Book:
    """A device's journal; of several eras the last."""
    book = Book(name)
    database = _open(path)
    facts = dict(database.execute("SELECT key, value FROM fact"))
    book.device = facts["device"].decode()
    era = int(facts.get("era", b"1"))
    book.cursors = dict(database.execute("SELECT log, pos FROM cursor"))
    book.waiting = [body.decode() for (body,) in database.execute("SELECT body FROM outbox ORDER BY n")]
    for log, seq, packed in database.execute("SELECT log, seq, envelope FROM history WHERE era = ?", (era,)):
        book.logs.setdefault(log, {})[seq] = _message(packed)
    database.close()
    return book


def broker_book(folder: Path) -> Book:
    """The broker's store."""
    book = Book("the broker")
    database = _open(folder / "restante.sqlite")
    names = dict(database.execute("SELECT id, name FROM log"))
    segments = dict(database.execute("SELECT id, body FROM segment"))
    for log, first, base, places in database.execute("SELECT log, first, segment, places FROM slice"):
        for seq, (home, start, size) in enumerate(struct.iter_unpack("<HHH", places), first):
            record = segments[base + home][start : start + size]
            book.logs.setdefault(names[log], {})[seq] = _message(record[:-4])  # but for its CRC
    book.cursors = dict(database.execute("SELECT name, head FROM log"))
    book.lasts = {name.rpartition("/")[2]: last for name, last in database.execute("SELECT name, last FROM device")}
    database.close()
    return book


def _message(packed: bytes) -> Message:
    device, n, author, to, _at, _enc, body = msgspec.msgpack.decode(packed)
    return Message(device, n, author, to, body.decode())
