"""Opening an SQLite file so that what is committed stays, and telling its failures apart."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import apsw

from store import StoreBroken, StoreDamaged, StoreError, StoreNewer, StoreUnwritable
from store.lock import sync

# Older libraries may corrupt a write-ahead log when two connections write or checkpoint at once.
OLDEST_SQLITE = (3, 51, 3)

# Another process that opens the file (a backup) may hold its lock for a moment.
BUSY_MS = 1_000

# Pages of tables with one entry per log are touched in no order: keep those that are touched often.
CACHE_KIB = 32 * 1024

# What the log may grow to before it is copied into the file: the same page then is copied once for many turns.
CHECKPOINT_PAGES = 4_000

# SQLite's own limit: 2^32 - 2 pages.
MOST_PAGES = 4_294_967_294


class Kind(NamedTuple):
    """What a file of ours must be."""

    application: int  # SQLite's application_id: whose file it is
    version: int  # SQLite's user_version: its schema
    cure: str  # what to do about a damaged file, as the end of a sentence
    steps: tuple[Callable[[apsw.Connection], None], ...] = ()  # the nth takes a file from schema n to the next


def open_database(
    path: Path, kind: Kind, create: Callable[[apsw.Connection], None], max_pages: int = MOST_PAGES
) -> apsw.Connection:
    """The file at ``path``, ready for use; a new one is filled by ``create``, within one transaction.

    StoreUnwritable, StoreDamaged, StoreNewer or StoreBroken if that can't be.
    """
    check_library(apsw.sqlite_lib_version())
    with failures(path, kind):
        _touch(path)
        database = apsw.Connection(os.fspath(path))
        try:
            _prepare(database, path, kind, create, max_pages)
        except BaseException:
            database.close()
            raise
    return database


def check_library(version: str) -> None:
    """StoreError if this SQLite is too old to be trusted with a write-ahead log."""
    if tuple(int(part) for part in version.split(".")) < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise StoreError(
            "SQLite {version} may damage the store, {oldest} is needed; install apsw as pinned",
            version=version,
            oldest=oldest,
        )


@contextmanager
def transaction(database: apsw.Connection) -> Iterator[None]:
    """Everything within is committed and synced, or nothing is kept."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    finally:
        # After some failures (a full disk) SQLite has rolled back by itself, and a ROLLBACK would fail.
        if database.in_transaction:
            database.execute("ROLLBACK")


@contextmanager
def failures(path: Path, kind: Kind) -> Iterator[None]:
    """Turn SQLite's failures that end the process into the store's errors."""
    try:
        yield
    except apsw.IOError as error:
        raise StoreBroken(
            "{path} can't be read or written ({error}); look at the disk, then start again", path=path, error=error
        ) from error
    except (apsw.NotADBError, apsw.CorruptError, UnicodeDecodeError) as error:
        raise StoreDamaged("{path} is damaged ({error}); {cure}", path=path, error=error, cure=kind.cure) from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise StoreUnwritable(
            "{path} is held by another program ({error}); end that one, then try again", path=path, error=error
        ) from error
    except apsw.FullError as error:
        raise StoreUnwritable(
            "{path} can't be written, the disk is full; the last turn was not kept: make room, then start again",
            path=path,
        ) from error
    except (OSError, apsw.CantOpenError, apsw.PermissionsError, apsw.ReadOnlyError) as error:
        raise StoreUnwritable(
            "{path} can't be written ({error}); check the rights of file and folder", path=path, error=error
        ) from error


def _touch(path: Path) -> None:
    """Only the owner may read the file, from its first moment: SQLite gives its other files the same rights."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    path.chmod(0o600)


def _prepare(
    database: apsw.Connection, path: Path, kind: Kind, create: Callable[[apsw.Connection], None], max_pages: int
) -> None:
    database.set_busy_timeout(BUSY_MS)
    new = _is_new(database, path, kind)
    if new:
        # Before journal_mode and before any table: set later it would silently not hold.
        database.pragma("auto_vacuum", "INCREMENTAL")
    _make_durable(database, path)
    database.pragma("cache_size", -CACHE_KIB)
    database.pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
    database.pragma("max_page_count", max_pages)
    if new:
        with transaction(database):
            create(database)
            database.pragma("application_id", kind.application)
            database.pragma("user_version", kind.version)
    _migrate(database, path, kind)


def _is_new(database: apsw.Connection, path: Path, kind: Kind) -> bool:
    """Whether the file is empty; StoreDamaged or StoreNewer if it is none that this program can use."""
    application, version = database.pragma("application_id"), database.pragma("user_version")
    tables = database.execute("SELECT count(*) FROM sqlite_schema").get
    if application == 0 and tables == 0:
        return True
    if application != kind.application:
        raise StoreDamaged("{path} is no file of this program; move it away, or {cure}", path=path, cure=kind.cure)
    if version > kind.version:
        raise StoreNewer(
            "{path} was written by a newer version of this program (schema {version}, this one knows {known});"
            " upgrade the program",
            path=path,
            version=version,
            known=kind.version,
        )
    return False


def _migrate(database: apsw.Connection, path: Path, kind: Kind) -> None:
    """Take an older file through every step that it has not seen. Who dies on the way goes on from the last one."""
    version = database.pragma("user_version")
    if version < kind.version:
        _keep_copy(database, path, version)
    for number in range(version, kind.version):
        with transaction(database):
            kind.steps[number - 1](database)
            database.pragma("user_version", number + 1)


def _keep_copy(database: apsw.Connection, path: Path, version: int) -> None:
    """``NAME.vN.bak`` beside the file, synced: whoever must go back to the older program has it."""
    copy_into(database, path.with_name(f"{path.stem}.v{version}.bak"))


def copy_into(database: apsw.Connection, target: Path) -> None:
    """All that is committed, as one file that only its owner can read; it is there whole or not at all."""
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)  # of an attempt that was cut short
    vacuum_into(database, part)
    sync(part)  # SQLite does not sync what VACUUM INTO has made
    part.replace(target)
    sync(target.parent)


def vacuum_into(database: apsw.Connection, part: Path) -> None:
    """All that is committed, in a new file that only its owner can read. Not synced."""
    os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    database.execute("VACUUM INTO ?", (os.fspath(part),))


def _make_durable(database: apsw.Connection, path: Path) -> None:
    """A commit must mean "on disk": believe the settings only when they are read back."""
    # A new file begins with a rollback journal. If its deletion were not synced, it could come back with a power cut
    # and undo what the write-ahead log holds by then: EXTRA syncs the deletion, whatever the library does later.
    database.pragma("synchronous", "EXTRA")
    database.pragma("journal_mode", "WAL")
    database.pragma("synchronous", "FULL")
    journal, synchronous = database.pragma("journal_mode"), database.pragma("synchronous")
    if (journal, synchronous) != ("wal", 2):
        raise StoreUnwritable(
            "{path} can't be kept durable (journal_mode {journal}, synchronous {synchronous});"
            " put it on a local disk, not on a network's",
            path=path,
            journal=journal,
            synchronous=synchronous,
        )
