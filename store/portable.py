"""A store as lines of JSON, and back: the way to another machine's store, and to one's own programs.

One object a line, in a fixed order: ``store``, its ``epoch``s and their ``base``s, ``record``s, ``log``s with their
``envelope``s, ``device``s with what belongs to them, and an ``end`` that counts the lines before it: what was cut short
is no store. A text is a text; what the broker does not look into is in base64. A store that is made of such lines
begins another epoch, as a restored backup does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import apsw
import msgspec
from msgspec import UNSET, Meta, UnsetType

from protocol import frames, limits
from protocol.errors import Told
from store import StoreUnwritable, segments
from store.copying import clear, made
from store.database import open_database
from store.known import DAMAGED, Device, Log
from store.lock import sync
from store.sqlite import KIND, SqliteStore

VERSION = 1
# Envelopes that are written together.
TOGETHER = 1000

Count = Annotated[int, Meta(ge=0, le=limits.NUMBER_MAX)]
Number = Annotated[int, Meta(ge=1, le=limits.NUMBER_MAX)]

_encoder = msgspec.json.Encoder()
_DEVICE, _LOG = "SELECT id FROM device WHERE name = ?", "SELECT id FROM log WHERE name = ?"
_EPOCH = "SELECT number FROM epoch WHERE number = ?"


class BadLine(Told):
    """A line is none that export has written."""


class Line(msgspec.Struct, tag_field="kind", forbid_unknown_fields=True):
    """What all lines have: their kind. The fields of each are those of ``Store.dump``, in its order."""


class StoreLine(Line, tag="store"):
    """The first line: whose store it is."""

    version: int
    broker: Annotated[bytes, Meta(min_length=16, max_length=16)]
    epoch: str


class EpochLine(Line, tag="epoch"):
    """A line of time."""

    number: Number
    name: str


class BaseLine(Line, tag="base"):
    """Where a log was when an epoch began."""

    epoch: Number
    log: str
    head: Count


class RecordLine(Line, tag="record"):
    """What the core keeps under a name."""

    key: str
    version: Number
    value: bytes


class LogLine(Line, tag="log"):
    """A log; its envelopes follow it, from ``first`` to ``head``."""

    name: str
    first: Number
    head: Count


class EnvelopeLine(Line, tag="envelope"):
    """``text`` or ``body``: what is no text, or is encoded in some way that the broker does not know."""

    log: str
    seq: Number
    device: str
    n: Number
    author: str
    to: str
    at: Count
    enc: str
    text: str | UnsetType = UNSET
    body: bytes | UnsetType = UNSET
    bot: bool | UnsetType = UNSET


class DeviceLine(Line, tag="device"):
    """A device, and its last send's number; of one that is damaged nobody knows it."""

    name: str
    last: Annotated[int, Meta(ge=DAMAGED, le=limits.NUMBER_MAX)]
    visits: bytes


class RefusalLine(Line, tag="refusal"):
    """Why a send was refused."""

    device: str
    n: Number
    code: str
    text: str


class CursorLine(Line, tag="cursor"):
    """How far a device has read a log."""

    device: str
    log: str
    pos: Number


class EndLine(Line, tag="end"):
    """The last line: how many there are before it."""

    lines: Count


_Any = (
    StoreLine
    | EpochLine
    | BaseLine
    | RecordLine
    | LogLine
    | EnvelopeLine
    | DeviceLine
    | RefusalLine
    | CursorLine
    | EndLine
)
_decoder = msgspec.json.Decoder(_Any)


# ---- writing --------------------------------------------------------------------------------------------


def export(store: SqliteStore) -> Iterator[bytes]:
    """All that a store holds, a line each."""
    lines = 0
    for kind, *fields in store.dump():
        yield _encoder.encode(_WRITE[kind](*fields)) + b"\n"
        lines += 1
    yield _encoder.encode(EndLine(lines)) + b"\n"


def _envelope(log: str, seq: int, packed: bytes) -> EnvelopeLine:
    each = frames.decode_envelope(packed)
    line = EnvelopeLine(log, seq, each.device, each.n, each.author, each.to, each.at, each.enc)
    with suppress(UnicodeDecodeError):
        line.text = each.body.decode() if each.enc == "none" else UNSET
    if line.text is UNSET:
        line.body = each.body
    if each.bot:
        line.bot = True
    return line


_WRITE: dict[str, Callable[..., Line]] = {
    "store": lambda broker, epoch: StoreLine(VERSION, broker, epoch),
    "epoch": EpochLine,
    "base": BaseLine,
    "record": RecordLine,
    "log": LogLine,
    "envelope": _envelope,
    "device": DeviceLine,
    "refusal": RefusalLine,
    "cursor": CursorLine,
}


# ---- reading --------------------------------------------------------------------------------------------


def load(path: Path, lines: Iterable[bytes]) -> int:
    """Make a store of exported lines where there is none; how many messages it has. BadLine, or a StoreError."""
    if path.exists():
        raise StoreUnwritable(
            "{path} is there already, and was left as it is; choose another folder with --data", path=path
        )
    part = path.with_name(path.name + ".part")
    loading = _Loading()
    with made(part, KIND):
        clear(part)
        try:
            open_database(part, KIND, lambda database: loading.load(database, lines)).close()
            part.replace(path)
        finally:
            clear(part)
        sync(path.parent)
    SqliteStore.open(path).close()  # which begins the epoch
    return loading.messages


class _Loading:
    """One store on its way in, within one transaction."""

    def __init__(self) -> None:
        self.messages = 0
        self._line = 0
        self._ended = False
        self._epochs = ["", ""]  # the store's, and the last that was told of
        self._bases: list[BaseLine] = []  # the logs come later
        self._name, self._log, self._head = "", Log(), 0  # the log that is being read, and where it ends
        self._gathered: list[bytes] = []
        self._table: dict[type[Line], Callable[[Any], None]] = {
            StoreLine: self._store,
            EpochLine: self._epoch,
            BaseLine: self._bases.append,
            RecordLine: self._record,
            LogLine: self._begin_log,
            EnvelopeLine: self._envelope,
            DeviceLine: self._device,
            RefusalLine: self._refusal,
            CursorLine: self._cursor,
            EndLine: self._end,
        }

    def load(self, database: apsw.Connection, lines: Iterable[bytes]) -> None:
        """Every line in turn; who opens the store then begins another epoch."""
        self._database = database
        database.execute(Path(__file__).with_name("schema.sql").read_text("utf-8"))
        for self._line, line in enumerate(lines, 1):
            self._take(line)
        if not self._ended:
            if not self._line:
                raise BadLine("there was nothing to import; nothing was imported")
            raise BadLine("the end is missing behind line {line}; nothing was imported", line=self._line)
        database.execute("INSERT INTO setting (name, value) VALUES ('copied', 1)")

    def _take(self, line: bytes) -> None:
        try:
            said = _decoder.decode(line)
            if isinstance(said, StoreLine) != (self._line == 1):
                raise BadLine("the first line, and no other, tells of the store")
            if self._ended:
                raise BadLine("it stands behind the end")
            if not isinstance(said, EnvelopeLine):
                self._end_log()
            self._table[type(said)](said)
        except apsw.ConstraintError as error:
            raise self._bad(BadLine("it contradicts another one")) from error
        except (msgspec.MsgspecError, ValueError, RecursionError, frames.ProtocolError, BadLine) as error:
            raise self._bad(error) from error

    def _bad(self, why: Exception) -> BadLine:
        return BadLine(
            "line {line} is none that export has written ({why}); nothing was imported", line=self._line, why=why
        )

    def _row(self, table: str, *values: Any) -> None:
        """Make one short row, with its CRC."""
        places = ", ".join("?" * (len(values) + 1))
        self._insert(f"INSERT INTO {table} VALUES ({places})", *segments.sealed(*values))

    def _found(self, ask: str, key: str | int) -> int:
        """The number of what a line names; BadLine if it is not there."""
        number: int | None = self._database.execute(ask, (key,)).get
        if number is None:
            raise BadLine("it names something that is not there")
        return number

    def _insert(self, statement: str, *values: Any) -> None:
        """Make one row."""
        self._database.execute(statement, values)

    def _store(self, line: StoreLine) -> None:
        if line.version != VERSION:
            raise BadLine(
                "its version is {version}, and this program reads {known}", version=line.version, known=VERSION
            )
        self._epochs[0] = line.epoch
        self._insert("INSERT INTO setting (name, value) VALUES ('broker', ?)", line.broker)

    def _epoch(self, line: EpochLine) -> None:
        self._epochs[1] = line.name
        self._row("epoch", line.number, line.name)

    def _record(self, line: RecordLine) -> None:
        row = (line.key, line.version, line.value, segments.record_crc(line.key, line.value))
        self._insert("INSERT INTO record (key, version, value, crc) VALUES (?, ?, ?, ?)", *row)

    def _device(self, line: DeviceLine) -> None:
        row = (line.name, line.last, line.visits, Device(0, line.last, line.visits).crc(line.name))
        self._insert("INSERT INTO device (name, last, visits, crc) VALUES (?, ?, ?, ?)", *row)

    def _refusal(self, line: RefusalLine) -> None:
        self._row("refusal", self._found(_DEVICE, line.device), line.n, line.code, line.text)

    def _cursor(self, line: CursorLine) -> None:
        self._row("cursor", self._found(_DEVICE, line.device), self._found(_LOG, line.log), line.pos)

    def _end(self, line: EndLine) -> None:
        if line.lines != self._line - 1 or self._epochs[0] != self._epochs[1]:
            raise BadLine("lines are missing before it")
        for base in self._bases:
            self._row("base", self._found(_EPOCH, base.epoch), self._found(_LOG, base.log), base.head)
        self._ended = True

    # -- logs: an envelope follows the one before it --

    def _begin_log(self, line: LogLine) -> None:
        row = (line.name, line.first, line.head, Log(0, line.first, line.head).crc(line.name))
        self._insert("INSERT INTO log (name, first, head, crc) VALUES (?, ?, ?, ?)", *row)
        self._name, self._head = line.name, line.head
        self._log = Log(self._database.last_insert_rowid(), line.first, line.first - 1)

    def _envelope(self, line: EnvelopeLine) -> None:
        if (line.log, line.seq) != (self._name, self._log.head + len(self._gathered) + 1):
            raise BadLine("message {seq} of {log} does not follow the one before it", seq=line.seq, log=line.log)
        data = line.text.encode() if line.text is not UNSET else line.body
        if data is UNSET or UNSET not in (line.text, line.body):
            raise BadLine("it needs a text or a body")
        envelope = frames.Envelope(line.device, line.n, line.author, line.to, line.at, line.enc, data, line.bot is True)
        packed = frames.encode(envelope)
        frames.decode_envelope(packed)
        self._gathered.append(packed)
        self.messages += 1
        if len(self._gathered) == TOGETHER:
            self._write()

    def _end_log(self) -> None:
        if self._gathered:
            self._write()
        if self._log.head != self._head:
            raise BadLine("{log} should have come up to message {head} before it", log=self._name, head=self._head)

    def _write(self) -> None:
        log, some = self._log, self._gathered
        base = self._database.execute("SELECT ifnull(max(id), 0) + 1 FROM segment").get
        layout = segments.lay(some, [list(range(len(some)))], base)
        rows = [(base + home, layout.refs[home], body) for home, body in enumerate(layout.segments)]
        self._database.executemany("INSERT INTO segment (id, refs, body) VALUES (?, ?, ?)", rows)
        (places,) = layout.places
        first = log.head + 1
        row = (log.id, first, base, places, segments.slice_crc(log.id, first, base, places))
        self._insert("INSERT INTO slice (log, first, segment, places, crc) VALUES (?, ?, ?, ?, ?)", *row)
        self._log, self._gathered = Log(log.id, log.first, log.head + len(some)), []
