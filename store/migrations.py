"""The steps from each older schema to the next. Each is one transaction, which the caller makes (database.py)."""

from __future__ import annotations

from typing import Any

import apsw
import msgspec

from protocol.frames import ProtocolError, decode_envelope
from store.known import Device, Log
from store.segments import record_crc, sealed

# Messages of a history that are read at a time.
STEP_MESSAGES = 1000
# The columns of schema 3 that a row's CRC counts; the first two tell the row from others.
SHORT_ROWS = {
    "refusal": "device, n, code, sentence",
    "cursor": "device, log, pos",
    "epoch": "number, name",
    "base": "epoch, log, head",
}


def broker_1_to_2(database: apsw.Connection) -> None:
    """Refusals stand beside their device and no longer among the records; epochs and visits are kept."""
    database.execute(
        """
        ALTER TABLE device ADD COLUMN visits BLOB NOT NULL DEFAULT x'';
        CREATE TABLE refusal (
            device INTEGER NOT NULL, n INTEGER NOT NULL, code TEXT NOT NULL, sentence TEXT NOT NULL,
            PRIMARY KEY (device, n)
        ) WITHOUT ROWID;
        CREATE TABLE epoch (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
        CREATE TABLE base (
            epoch INTEGER NOT NULL, log INTEGER NOT NULL, head INTEGER NOT NULL, PRIMARY KEY (epoch, log)
        ) WITHOUT ROWID;
        INSERT INTO epoch (number, name) SELECT 1, value FROM setting WHERE name = 'epoch';
        DELETE FROM setting WHERE name = 'epoch';
        """
    )
    rows: list[Any] = database.execute(
        "SELECT device.id, value FROM record JOIN device ON record.key = 'refused/' || device.name"
    ).fetchall()
    for device, value in rows:
        lines = [(device, n, *why) for n, why in _refusals(value).items()]
        database.executemany("INSERT INTO refusal (device, n, code, sentence) VALUES (?, ?, ?, ?)", lines)
    database.execute("DELETE FROM record WHERE key >= 'refused/' AND key < 'refused0'")
    database.execute("ALTER TABLE record ADD COLUMN crc INTEGER NOT NULL DEFAULT 0")
    records: list[Any] = database.execute("SELECT key, value FROM record").fetchall()
    _add_crcs(database, "log", "first, head", Log)
    _add_crcs(database, "device", "last, visits", Device)
    crcs = [(record_crc(key, value), key) for key, value in records]
    database.executemany("UPDATE record SET crc = ? WHERE key = ?", crcs)


def _refusals(value: bytes) -> dict[int, tuple[str, str]]:
    try:
        return msgspec.msgpack.decode(value, type=dict[int, tuple[str, str]])
    except (msgspec.MsgspecError, ValueError, TypeError) as error:
        raise apsw.CorruptError(f"refusals: {error}") from error


def _add_crcs(database: apsw.Connection, table: str, fields: str, kind: type[Log] | type[Device]) -> None:
    database.execute(f"ALTER TABLE {table} ADD COLUMN crc INTEGER NOT NULL DEFAULT 0")
    rows: list[Any] = database.execute(f"SELECT name, id, {fields} FROM {table}").fetchall()
    crcs = [(kind(*row).crc(name), row[0]) for name, *row in rows]
    database.executemany(f"UPDATE {table} SET crc = ? WHERE id = ?", crcs)


def broker_2_to_3(database: apsw.Connection) -> None:
    """Refusals, cursors, epochs and where logs were then have CRCs of their own."""
    for table, columns in SHORT_ROWS.items():
        database.execute(f"ALTER TABLE {table} ADD COLUMN crc INTEGER NOT NULL DEFAULT 0")
        rows: list[Any] = database.execute(f"SELECT {columns} FROM {table}").fetchall()
        keys = columns.split(", ")[:2]
        crcs = [(sealed(*row)[-1], *row[:2]) for row in rows]
        database.executemany(f"UPDATE {table} SET crc = ? WHERE {keys[0]} = ? AND {keys[1]} = ?", crcs)


def journal_1_to_2(database: apsw.Connection) -> None:
    """What is settled stays in the outbox for a while; where each era began is kept."""
    database.execute(
        """
        CREATE TABLE base (
            era INTEGER NOT NULL, log TEXT NOT NULL, pos INTEGER NOT NULL, PRIMARY KEY (era, log)
        ) WITHOUT ROWID;
        INSERT OR IGNORE INTO fact VALUES ('settled', x'30');
        UPDATE fact SET value = CAST(CAST((SELECT min(n) - 1 FROM outbox) AS TEXT) AS BLOB)
            WHERE key = 'settled' AND EXISTS (SELECT 1 FROM outbox);
        """
    )


def journal_3_to_4(database: apsw.Connection) -> None:
    """Messages can be found by device and number; remarks and receipts are kept."""
    database.execute(
        """
        ALTER TABLE history ADD COLUMN device TEXT NOT NULL DEFAULT '';
        ALTER TABLE history ADD COLUMN n INTEGER NOT NULL DEFAULT 0;
        CREATE TABLE remark (
            era INTEGER NOT NULL, log TEXT NOT NULL, seq INTEGER NOT NULL, device TEXT NOT NULL, n INTEGER NOT NULL,
            envelope BLOB NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY (log, era, seq)
        ) WITHOUT ROWID;
        CREATE INDEX remark_about ON remark (device, n);
        CREATE VIEW entry AS
            SELECT era, log, seq, envelope, crc FROM history UNION ALL SELECT era, log, seq, envelope, crc FROM remark;
        CREATE TABLE receipt (
            account TEXT NOT NULL, device TEXT NOT NULL, delivered INTEGER NOT NULL, read INTEGER NOT NULL,
            PRIMARY KEY (account, device)
        ) WITHOUT ROWID;
        """
    )
    place = ("", 0, 0)
    while rows := _history_behind(database, place):
        ids = [(*_send_id(packed), *each) for *each, packed in rows]
        database.executemany("UPDATE history SET device = ?, n = ? WHERE log = ? AND era = ? AND seq = ?", ids)
        place = (rows[-1][0], rows[-1][1], rows[-1][2])
    database.execute("CREATE INDEX history_id ON history (device, n)")


def _history_behind(database: apsw.Connection, place: tuple[str, int, int]) -> list[Any]:
    ask = "SELECT log, era, seq, envelope FROM history WHERE (log, era, seq) > (?, ?, ?) ORDER BY log, era, seq LIMIT ?"
    return database.execute(ask, (*place, STEP_MESSAGES)).fetchall()


def _send_id(packed: bytes) -> tuple[str, int]:
    """What names a message; nothing of one that is damaged."""
    try:
        envelope = decode_envelope(packed)
    except (ProtocolError, TypeError):
        return "", 0
    return envelope.device, envelope.n


def journal_2_to_3(database: apsw.Connection) -> None:
    """A history can be searched: the words are taken in when somebody does. What is there counts as looked at."""
    database.execute(
        """
        CREATE TABLE looked (
            log TEXT NOT NULL, account TEXT NOT NULL, era INTEGER NOT NULL, seq INTEGER NOT NULL,
            PRIMARY KEY (log, account)
        ) WITHOUT ROWID;
        CREATE TABLE indexed (
            id INTEGER PRIMARY KEY, log TEXT NOT NULL, era INTEGER NOT NULL,
            low INTEGER NOT NULL, high INTEGER NOT NULL, UNIQUE (log, era)
        );
        CREATE VIRTUAL TABLE word USING fts5 (body, content = '', tokenize = 'unicode61 remove_diacritics 2');
        INSERT INTO looked SELECT log, '', coalesce((SELECT CAST(value AS INTEGER) FROM fact WHERE key = 'era'), 1), pos
            FROM cursor;
        """
    )
