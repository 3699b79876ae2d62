"""What is left when the processes are gone: what was typed, what was printed, and what stands in the databases.

Nothing of ours is imported here: the files are read with SQL and structures of this page's own, so that a mistake in
the programs can't hide itself.
"""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import msgspec

# The programs may hold their files for a moment when they open or close them.
BUSY_MS = 10_000
# How a line begins that says that a new run has begun.
_NEW_RUN = b'{"event": "run"'


class Message(NamedTuple):
    """One message where it was stored."""

    device: str
    n: int
    author: str
    to: str
    text: str


class Printed(msgspec.Struct):
    """One line that a client has printed: the fields that matter here."""

    event: str  # "torn": it was no line of JSON
    run: int = 0
    reads: bool = True
    id: str = ""
    log: str = ""
    seq: int = 0
    author: str = msgspec.field(name="from", default="")
    to: str = ""
    text: str = ""
    device: str = ""
    code: str = ""


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
    receipts: list[tuple[str, int]] = field(default_factory=list)  # the broker's: devices and numbers
    lasts: dict[str, int] = field(default_factory=dict)  # the broker's: by device the highest n


@dataclass
class Run:
    """One life of a client's process."""

    lines: list[Line] = field(default_factory=list)
    printed: list[Printed] = field(default_factory=list)
    killed: bool = False
    code: int | None = None  # with which it ended by itself, or by a signal that it heard
    left: int = 0  # messages in its outbox then


@dataclass
class Actor:
    """One device, in all its runs."""

    name: str
    account: str
    journal: Book
    reads: bool = False
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
    actors = []
    for actor in _actors(folder, messages=True):
        _read_printed(folder / f"{actor.name}.printed", actor)
        _read_typed(folder / f"{actor.name}.typed", actor)
        actors.append(actor)
    return Evidence(broker_book(folder / "broker"), actors)


def glance(folder: Path) -> Evidence:
    """Only how far everybody is: outboxes, cursors and heads. It costs little, however much was said."""
    return Evidence(broker_book(folder / "broker", messages=False), list(_actors(folder, messages=False)))


def _actors(folder: Path, messages: bool) -> Iterator[Actor]:
    for path in sorted(folder.glob("*.typed")):
        (journal,) = (folder / path.stem).glob("**/journal.sqlite")
        book = journal_book(journal, path.stem, messages)
        yield Actor(path.stem, path.stem.partition("-")[0], book, reads=_reads(path.with_suffix(".printed")))


def _reads(path: Path) -> bool:
    """Whether it wanted messages: its first run says so."""
    with path.open("rb") as printed:
        return next(msgspec.json.decode(line, type=Printed).reads for line in printed if line.strip())


def _read_printed(path: Path, actor: Actor) -> None:
    for thing in _printed(path):
        if thing.event == "run":
            actor.runs[thing.run] = Run()
        else:
            actor.runs[max(actor.runs)].printed.append(thing)


def _printed(path: Path) -> Iterator[Printed]:
    """The lines of a file; not the half one that a killed process may have left before a new run's first line."""
    lines = path.read_bytes().split(b"\n")[:-1]
    decode = msgspec.json.Decoder(Printed).decode
    for line, following in zip(lines, [*lines[1:], b""], strict=True):
        try:
            if line:
                yield decode(line)
        except msgspec.DecodeError:
            if not following.startswith(_NEW_RUN):
                yield Printed("torn", text=repr(line))


def _read_typed(path: Path, actor: Actor) -> None:
    for line in path.read_bytes().splitlines():
        thing: dict[str, Any] = json.loads(line)
        run = actor.runs[thing["run"]]
        if "text" in thing:
            run.lines.append(Line(actor.name, thing["run"], thing["line"], thing["to"], thing["text"]))
        else:
            run.killed, run.code, run.left = thing["killed"], thing.get("code"), thing.get("left", 0)


# ---- the databases -----------------------------------------------------------------------------------------


def _open(path: Path) -> apsw.Connection:
    """A database as it is at one moment, though its program may go on writing."""
    database = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    database.set_busy_timeout(BUSY_MS)
    database.execute("BEGIN")
    return database


def journal_book(path: Path, name: str, messages: bool = True) -> Book:
    """A device's journal; of several eras the last."""
    book = Book(name)
    database = _open(path)
    facts = dict(database.execute("SELECT key, value FROM fact"))
    book.device = facts["device"].decode()
    era = int(facts.get("era", b"1"))
    book.cursors = dict(database.execute("SELECT log, pos FROM cursor"))
    settled = int(facts.get("settled", b"0"))
    rows = database.execute("SELECT body FROM outbox WHERE n > ? AND enc <> 'receipt' ORDER BY n", (settled,))
    book.waiting = [body.decode() for (body,) in rows]
    if messages:
        for log, seq, packed in database.execute("SELECT log, seq, envelope FROM history WHERE era = ?", (era,)):
            book.logs.setdefault(log, {})[seq] = _message(packed)
    database.close()
    return book


def broker_book(folder: Path, messages: bool = True) -> Book:
    """The broker's store."""
    book = Book("the broker")
    database = _open(folder / "restante.sqlite")
    if messages:
        _read_slices(database, book)
    book.cursors = dict(database.execute("SELECT name, head FROM log"))
    book.lasts = {name.rpartition("/")[2]: last for name, last in database.execute("SELECT name, last FROM device")}
    database.close()
    return book


def _read_slices(database: apsw.Connection, book: Book) -> None:
    """What stands in the logs; receipts apart, for nobody has written them, but they have numbers."""
    names = dict(database.execute("SELECT id, name FROM log"))
    segments = dict(database.execute("SELECT id, body FROM segment"))
    for log, first, base, places in database.execute("SELECT log, first, segment, places FROM slice"):
        for seq, (home, start, size) in enumerate(struct.iter_unpack("<HHH", places), first):
            packed = segments[base + home][start : start + size][:-4]  # but for its CRC
            if names[log].startswith("+"):
                device, n, *_ = msgspec.msgpack.decode(packed)
                book.receipts.append((device, n))
            else:
                book.logs.setdefault(names[log], {})[seq] = _message(packed)


def _message(packed: bytes) -> Message:
    device, n, author, to, _at, _enc, body, *_ = msgspec.msgpack.decode(packed)
    return Message(sys.intern(device), n, sys.intern(author), sys.intern(to), body.decode())
