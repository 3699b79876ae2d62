"""Closed stores, looked at and changed from outside; and disks that fail or are full when told to."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from core.commands import Append
from store.sqlite import SqliteStore
from tests.store.contract import results


@contextmanager
def reopened(path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore.open(path)
    try:
        yield opened
    finally:
        opened.close()


def change(path: Path, *statements: str) -> None:
    """Do something to a closed store's tables that no store does."""
    database = apsw.Connection(os.fspath(path))
    for statement in statements:
        database.execute(statement)
    database.close()


def ask(path: Path, question: str) -> object:
    """Read only: else the log of a killed program would be taken away with the last connection, and be missed."""
    database = apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READONLY)
    answer = database.execute(question).get
    database.close()
    return answer


def filled(path: Path, turns: int = 3) -> None:
    """A store with two messages a turn, in one segment each turn, for two logs; closed."""
    with reopened(path) as store:
        for n in range(1, 2 * turns, 2):
            results(store, Append("anna/a", n, [("@bob", "@anna")] * 2, [b"text %03d" % n, b"text %03d" % (n + 1)]))


def overwrite(path: Path, offset: int, content: bytes) -> None:
    """Put other bytes into a file, as a failing disk does."""
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)


def flip(path: Path, near: bytes) -> None:
    """Flip a bit of the first byte of something that stands in a file, wherever it stands."""
    content = path.read_bytes()
    assert near in content
    while (offset := content.find(near)) >= 0:
        overwrite(path, offset, bytes([content[offset] ^ 1]))
        content = path.read_bytes()


class BadDisk(apsw.VFS):
    """The operating system's files, of which some calls fail when ``fails`` names them: full, write, sync or read."""

    def __init__(self) -> None:
        self.system = apsw.vfs_names()[0]
        self.fails = ""
        super().__init__("bad-disk", self.system)
        apsw.set_default_vfs("bad-disk")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> BadFile:  # noqa: N802  SQLite's word
        return BadFile(self, name, flags)

    def told(self) -> str:
        """The call that fails just now."""
        return self.fails

    def unregister(self) -> None:
        apsw.set_default_vfs(self.system)
        super().unregister()


class BadFile(apsw.VFSFile):
    def __init__(self, disk: BadDisk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__(disk.system, name, flags)
        self._disk = disk

    def _maybe_fail(self, call: str, why: type[Exception]) -> None:
        if self._disk.told() == call:
            raise why

    def xWrite(self, content: bytes, offset: int) -> None:  # noqa: N802
        self._maybe_fail("full", apsw.FullError)
        self._maybe_fail("write", apsw.IOError)
        super().xWrite(content, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._maybe_fail("sync", apsw.IOError)
        super().xSync(flags)

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        self._maybe_fail("read", apsw.IOError)
        return super().xRead(amount, offset)


class Disk:
    """A disk of 3 MiB that is one test's own."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def mount(self) -> None:
        self._mount("-t", "tmpfs", "-o", "size=3m,mode=700", "tmpfs", str(self.place))

    def _mount(self, *options: str) -> None:
        mounted = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
        if mounted.returncode:
            pytest.skip(f"nothing can be mounted here: {mounted.stderr.strip()}")

    def fill(self) -> None:
        """Not one page is left, nor any room in the last page of the broker's log file."""
        for name in ("filler", *(str(path.relative_to(self.place)) for path in self.place.rglob("*.log"))):
            descriptor = os.open(self.place / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                while True:
                    os.write(descriptor, b"\n" * 4096)
            except OSError:
                pass
            finally:
                os.close(descriptor)

    def make_room(self) -> None:
        (self.place / "filler").unlink()

    def forbid_writing(self) -> None:
        self._mount("-o", "remount,ro", str(self.place))

    def forbid_writing_to(self, path: Path) -> None:
        self._mount("--bind", str(path), str(path))
        self._mount("-o", "remount,bind,ro", str(path))

    def unmount(self) -> None:
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text("utf-8").splitlines()]
        for place in reversed([each for each in mounts if Path(each).is_relative_to(self.place)]):
            subprocess.run(["umount", "--lazy", place], check=True)
