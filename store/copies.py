"""What an operator does with a store's file: a copy of it, and a copy put in its place."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from store import StoreUnwritable
from store.copying import Copying, clear, made
from store.database import failures, open_database
from store.lock import sync
from store.sqlite import KIND, SqliteStore
from store.verify import Verifier, read_only

FILE = "restante.sqlite"


@contextmanager
def part_of(target: Path) -> Iterator[Path]:
    """Where a copy is made before it is whole. StoreUnwritable if there is something in its place already.

    Two that make a copy in one folder take turns; and whatever happens, nothing of a half made one stays.
    """
    with made(target, KIND):
        part = target.with_name(target.name + ".part")
        folder = os.open(target.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if os.path.lexists(target):
            raise StoreUnwritable(
                "{target} is there already, and was left as it is; choose another name", target=target
            )
        with made(target, KIND):
            clear(part)  # of an attempt that was killed
        try:
            yield part
        finally:
            clear(part)
    finally:
        os.close(folder)


def copy(folder: Path, part: Path) -> None:
    """A copy of the file in a folder where no broker works; the caller holds the lock."""
    path = folder / FILE
    if not path.exists():
        raise StoreUnwritable(
            "there is no store in {folder}; nothing was copied: name its folder with --data", folder=folder
        )
    with failures(path, KIND):
        database = open_database(path, KIND, _refuse_new)
    try:
        copying = Copying(database, part, KIND)  # page by page: what is damaged is then found in the copy, and named
        while not copying.step():
            pass
        copying.close()
    finally:
        database.close()


def seal(part: Path, target: Path) -> list[str]:
    """Look whether a copy is whole, mark it as one, and give it its name: it is there whole or not at all.

    What is wrong with it comes as sentences; then it is not given its name.
    """
    with made(part, KIND):
        database = read_only(part)
        findings = list(Verifier(database).findings())
        database.close()
        if not findings:
            mark(part)
            part.replace(target)
            sync(target.parent)
    return findings


def restore(source: Path, folder: Path) -> tuple[list[str], Path | None]:
    """Put a copy in the place of a folder's store, and begin another epoch; the caller holds the lock.

    What is wrong with the copy, and then nothing was changed; and where the former store is kept, if there was one.
    """
    path = folder / FILE
    part = path.with_name(FILE + ".part")
    database = read_only(source)
    try:
        with failures(source, KIND):
            findings = list(Verifier(database).findings())
        if findings:
            return findings, None
        clear(part)
        with made(part, KIND):
            _copy_whole(database, part)
            mark(part)
            former = _keep(path)
            part.replace(path)
            sync(folder)
    finally:
        database.close()
        clear(part)
    SqliteStore.open(path).close()  # which begins the epoch
    return [], former


def mark(path: Path) -> None:
    """From now on this file is a copy, one file with nothing beside it: whoever opens it begins another epoch."""
    database = apsw.Connection(os.fspath(path))
    database.pragma("journal_mode", "DELETE")
    database.execute("INSERT OR REPLACE INTO setting (name, value) VALUES ('copied', 1)")
    database.close()
    sync(path)


def _copy_whole(source: apsw.Connection, part: Path) -> None:
    """What this connection sees, that which stands beside its file included."""
    os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    database = apsw.Connection(os.fspath(part))
    with database.backup("main", source, "main") as backup:
        backup.step()
    database.close()


def _keep(path: Path) -> Path | None:
    """A store under another name, with all that belongs to it: it is complete there before it ends here."""
    if not path.exists():
        return None
    number, stamp = 1, time.strftime("%Y%m%d-%H%M%S")
    while (former := path.with_name(f"before-{stamp}-{number}-{path.name}")).exists():
        number += 1
    log, kept_log = (each.with_name(each.name + "-wal") for each in (path, former))
    if log.exists():
        os.link(log, kept_log)
    os.link(path, former)
    sync(path.parent)
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    return former


def _refuse_new(database: apsw.Connection) -> None:
    raise StoreUnwritable("the store is empty; nothing was copied")
