"""Power cuts: whatever of the unsynced writes reached the disk, all that was reported as stored is there.

Every write and sync of a real workload is recorded. For a random moment an image is made: all that was synced,
and of the rest a random part, torn between sectors. The image, opened, must be the store as it was after some
group, and not before the last one reported. Assumed: a sector is written whole or not at all, and a synced one
stays.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import pytest

from core.commands import Append, Operation, Trim
from store import database
from store.memory import MemoryStore
from store.sqlite import SqliteStore
from tests.store.contract import stored

IMAGES = 400
GROUPS = 60
SECTOR_BYTES = 512
# Pages after which the write-ahead log is copied into the file: so low that it happens often.
CHECKPOINT_PAGES = 40


class Write(NamedTuple):
    file: str
    offset: int
    content: bytes


class Truncate(NamedTuple):
    file: str
    size: int


class Delete(NamedTuple):
    file: str
    synced: bool  # the folder was, so that the file can't come back


class Sync(NamedTuple):
    file: str


class Reported(NamedTuple):
    groups: int


Step = Write | Truncate | Delete | Sync | Reported


class Recorder(apsw.VFS):
    """The operating system's files; what is done to them is written down."""

    def __init__(self) -> None:
        self.system = apsw.vfs_names()[0]
        self.steps: list[Step] = []
        super().__init__("recorder", self.system)
        apsw.set_default_vfs("recorder")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> RecordedFile:  # noqa: N802  SQLite's word
        return RecordedFile(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        super().xDelete(filename, syncdir)
        self.steps.append(Delete(Path(filename).name, syncdir))

    def unregister(self) -> None:
        apsw.set_default_vfs(self.system)
        super().unregister()


class RecordedFile(apsw.VFSFile):
    def __init__(self, recorder: Recorder, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__(recorder.system, name, flags)
        self._steps = recorder.steps
        self._file = Path(name.filename() if isinstance(name, apsw.URIFilename) else name or "").name

    def xWrite(self, content: bytes, offset: int) -> None:  # noqa: N802
        self._steps.append(Write(self._file, offset, bytes(content)))
        super().xWrite(content, offset)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._steps.append(Truncate(self._file, size))
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:  # noqa: N802
        super().xSync(flags)
        self._steps.append(Sync(self._file))


class Workload(NamedTuple):
    steps: list[Step]
    start: int  # the first step after the store was opened
    states: list[list[tuple[Any, ...]]]  # by number of groups stored: the dump


def groups(rng: random.Random) -> Iterator[list[Operation]]:
    """Runs of sends from two devices, and mail forgotten now and then."""
    n = 1
    for number in range(1, GROUPS + 1):
        count = rng.choice((1, 3, 20))
        logs = [rng.choice((("@bob", "@anna"), ("#tea",))) for _ in range(count)]
        group: list[Operation] = [Append("anna/a", n, logs, [rng.randbytes(rng.randint(1, 900)) for _ in logs])]
        group.append(Append("bob/a", number, [("@anna",)], [b"%d" % number]))
        if rng.random() < 0.2:
            group.append(Trim("@anna", rng.randint(1, n)))
        yield group
        n += count


def record(path: Path, rng: random.Random, synchronous: str) -> Workload:
    """Let a store do its work on recorded files."""
    recorder = Recorder()
    try:
        store = SqliteStore.open(path)
        # The only way to weaken a store, which itself refuses to be weak.
        store._database.pragma("synchronous", synchronous)
        model = MemoryStore(store.epoch, store.broker)
        workload = Workload(recorder.steps, len(recorder.steps), [list(model.dump())])
        for number, group in enumerate(groups(rng), 1):
            assert stored(store, *group) == stored(model, *group)
            recorder.steps.append(Reported(number))
            workload.states.append(list(model.dump()))
        store.close()
    finally:
        recorder.unregister()
    return workload


def survivors(steps: list[Step], rng: random.Random) -> dict[str, bytearray]:
    """The files after a power cut behind these steps."""
    last_sync = {step.file: index for index, step in enumerate(steps) if isinstance(step, Sync)}
    files: dict[str, bytearray] = {}
    for index, step in enumerate(steps):
        if isinstance(step, Sync | Reported):
            continue
        file = files.setdefault(step.file, bytearray())
        synced = index < last_sync.get(step.file, 0)
        if isinstance(step, Write):
            write(file, step, rng, synced)
        elif isinstance(step, Truncate):
            del file[step.size if synced or rng.random() < 0.5 else len(file) :]
        elif step.synced or rng.random() < 0.5:
            del files[step.file]
    return files


def write(file: bytearray, step: Write, rng: random.Random, synced: bool) -> None:
    """A synced write as a whole, another one as its sectors happen to have arrived."""
    arrives = 1.0 if synced else rng.choice((0.0, 0.5, 1.0))
    start, end = step.offset, step.offset + len(step.content)
    while start < end:
        stop = min(end, start - start % SECTOR_BYTES + SECTOR_BYTES)
        if rng.random() < arrives:
            file.extend(bytes(max(0, start - len(file))))
            file[start:stop] = step.content[start - step.offset : stop - step.offset]
        start = stop


def lost(folder: Path, workload: Workload, rng: random.Random) -> int:
    """Cut the power once, at random: how many groups that were reported are lost. The rest must be whole."""
    cut = rng.randint(0, len(workload.steps))
    steps = workload.steps[:cut]
    reported = max((step.groups for step in steps if isinstance(step, Reported)), default=0)
    folder.mkdir()
    for name, content in survivors(steps, rng).items():
        (folder / name).write_bytes(content)
    store = SqliteStore.open(folder / "store.sqlite")
    state = list(store.dump())
    assert store.damaged == []
    store.close()
    if cut < workload.start and len(state) == 1:  # it had not been made yet, and now was made anew
        return 0
    assert state in workload.states, f"a state that never was, cut before step {cut}"
    return max(0, reported - workload.states.index(state))


@pytest.fixture(autouse=True)
def frequent_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "CHECKPOINT_PAGES", CHECKPOINT_PAGES)


def test_nothing_that_was_reported_is_lost(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    (tmp_path / "recorded").mkdir()
    workload = record(tmp_path / "recorded" / "store.sqlite", rng, "FULL")
    losses = [lost(tmp_path / str(image), workload, rng) for image in range(IMAGES)]
    assert losses == [0] * IMAGES, f"seed {seed}"


def test_a_store_that_does_not_sync_each_group_is_found_out(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    (tmp_path / "recorded").mkdir()
    workload = record(tmp_path / "recorded" / "store.sqlite", rng, "NORMAL")
    losses = (lost(tmp_path / str(image), workload, rng) for image in range(IMAGES))
    assert any(losses), f"seed {seed}"
