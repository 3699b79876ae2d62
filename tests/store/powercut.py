"""Power cuts: what is done to a store's files is recorded, and for any moment the disk is put together as a cut
of the power may have left it.

What a disk may do here is as bad as SQLite expects of one:

- What was written since a file's last sync has arrived or not, sector by sector, in no order. A sector that was
  being written may hold rubbish where it was written; what stands beside it in the same sector is unharmed.
- A file's size is its last synced one, or any that it had since. What the size has and no write has reached is
  zeros or rubbish.
- A name in the folder stands for what it stood for at the folder's last sync, or for anything since: a file may be
  missing, be there again after its deletion, or be the one of the same name from before.
- What shared memory leaves behind (``-shm``) is rubbish.

Assumed: what was synced stays, a sync keeps a file's size too, and SQLite syncs the folder when it first syncs a
journal or a write-ahead log that it has opened to create it, as its source says.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from itertools import chain
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import apsw

# POWERCUT_IMAGES=100000 makes it a long run, of some ten minutes.
IMAGES = int(os.environ.get("POWERCUT_IMAGES", "3000"))
# How often a file lives on after a cut, to be cut again, and how many images are made of each life.
LIVES = 3
IMAGES_A_LIFE = 40
# A life's first steps are few and delicate: making the file, and getting over the last cut.
FIRST_STEPS = 80
SECTOR_BYTES = 512
RUBBISH_CHANCE = 0.1

Files = dict[str, bytes]
M = TypeVar("M")


# ---- what is recorded ------------------------------------------------------------------------------------


class Create(NamedTuple):
    name: str
    file: int  # files are numbered: another one may have had the same name before


class Write(NamedTuple):
    file: int
    offset: int
    content: bytes


class Truncate(NamedTuple):
    file: int
    size: int


class Sync(NamedTuple):
    file: int
    folder: bool  # and what names there are in it


class Delete(NamedTuple):
    name: str
    synced: bool  # the folder was


class Reported(NamedTuple):
    floor: int  # the state that is promised
    done: int  # the last state reached; the next one may be under way


Step = Create | Write | Truncate | Sync | Delete | Reported


class Recorder(apsw.VFS):
    """The operating system's files in one folder; what is done to them is written down."""

    KINDS = apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_WAL

    def __init__(self, steps: list[Step], files: Files) -> None:
        self.system = apsw.vfs_names()[0]
        self.steps = steps
        self._numbers = {name: number for number, name in enumerate(files)}
        self._next = len(files)
        super().__init__("recorder", self.system)
        apsw.set_default_vfs("recorder")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802  SQLite's word
        if not flags[0] & self.KINDS:
            return apsw.VFSFile(self.system, name, flags)  # for the moment only, such as a statement's own journal
        asked = flags[0]
        file = RecordedFile(self, name, flags)
        short = Path(name.filename() if isinstance(name, apsw.URIFilename) else name or "").name
        if short not in self._numbers:
            self._numbers[short] = self._next
            self.steps.append(Create(short, self._next))
            self._next += 1
        file.number = self._numbers[short]
        file.syncs_folder = bool(asked & apsw.SQLITE_OPEN_CREATE and not asked & apsw.SQLITE_OPEN_MAIN_DB)
        return file

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        super().xDelete(filename, syncdir)
        del self._numbers[Path(filename).name]
        self.steps.append(Delete(Path(filename).name, syncdir))

    def unregister(self) -> None:
        apsw.set_default_vfs(self.system)
        super().unregister()


class RecordedFile(apsw.VFSFile):
    def __init__(self, recorder: Recorder, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__(recorder.system, name, flags)
        self._steps = recorder.steps
        self.number = 0
        self.syncs_folder = False

    def xWrite(self, content: bytes, offset: int) -> None:  # noqa: N802
        self._steps.append(Write(self.number, offset, bytes(content)))
        super().xWrite(content, offset)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._steps.append(Truncate(self.number, size))
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:  # noqa: N802
        super().xSync(flags)
        self._steps.append(Sync(self.number, self.syncs_folder))
        self.syncs_folder = False


# ---- what a cut leaves -----------------------------------------------------------------------------------


class File:
    """What is synced of one file, and what was done to it since."""

    def __init__(self, content: bytes = b"") -> None:
        self._synced = bytearray(content)
        self._since: list[Write | Truncate] = []

    def change(self, step: Write | Truncate) -> None:
        self._since.append(step)

    def sync(self) -> None:
        for step in self._since:
            if isinstance(step, Truncate):
                del self._synced[step.size :]
            else:
                put(self._synced, step.offset, step.content, bytes)
        self._since.clear()

    def after_a_cut(self, rng: random.Random) -> bytes:
        filler: Callable[[int], bytes] = rng.choice((bytes, rng.randbytes))
        content, size = bytearray(self._synced), len(self._synced)
        sizes = [size]
        # A sector arrives as it is at that moment, with all that was written to it by then.
        waiting: defaultdict[int, list[Write]] = defaultdict(list)
        for step in self._since:
            if isinstance(step, Write):
                size = max(size, step.offset + len(step.content))
                write(content, step, waiting, filler, rng)
            else:
                size = step.size
                for sector in [sector for sector in waiting if sector * SECTOR_BYTES >= size]:
                    del waiting[sector]
                if rng.random() < 0.5:
                    del content[size:]
                    sizes.clear()
            sizes.append(size)
        size = rng.choice((sizes[0], sizes[-1], rng.choice(sizes)))
        content.extend(filler(max(0, size - len(content))))
        return bytes(content[:size])


def put(content: bytearray, offset: int, piece: bytes, filler: Callable[[int], bytes]) -> None:
    """Write into a file, perhaps behind its end."""
    content.extend(filler(max(0, offset - len(content))))
    content[offset : offset + len(piece)] = piece


def write(
    content: bytearray,
    step: Write,
    waiting: defaultdict[int, list[Write]],
    filler: Callable[[int], bytes],
    rng: random.Random,
) -> None:
    """Let some of a write's sectors arrive, as a whole or as rubbish; the others wait for a later write to them."""
    chance = rng.choice((0.0, 0.5, 1.0))
    rubbish = rng.choice((0.0, 0.0, 0.0, 0.3))
    start, end = step.offset, step.offset + len(step.content)
    while start < end:
        sector = start // SECTOR_BYTES
        stop = min(end, (sector + 1) * SECTOR_BYTES)
        waiting[sector].append(Write(step.file, start, step.content[start - step.offset : stop - step.offset]))
        if rng.random() < chance:
            for piece in waiting.pop(sector):
                spoilt = rng.random() < rubbish
                put(content, piece.offset, rng.randbytes(len(piece.content)) if spoilt else piece.content, filler)
        start = stop


class Disk:
    """One folder's files, and what their names stood for since the folder was synced."""

    def __init__(self, files: Files) -> None:
        self._files = {number: File(content) for number, content in enumerate(files.values())}
        self._names: dict[str, list[int | None]] = {name: [number] for number, name in enumerate(files)}

    def do(self, step: Step) -> None:
        """Take the next recorded step."""
        if isinstance(step, Write | Truncate):
            self._files[step.file].change(step)
        elif isinstance(step, Create):
            self._files[step.file] = File()
            self._names.setdefault(step.name, [None]).append(step.file)
        elif isinstance(step, Delete):
            self._names[step.name].append(None)
            self._sync_names(step.synced)
        elif isinstance(step, Sync):
            self._files[step.file].sync()
            self._sync_names(step.folder)

    def _sync_names(self, synced: bool) -> None:
        if synced:
            self._names = {name: stood_for[-1:] for name, stood_for in self._names.items()}

    def after_a_cut(self, rng: random.Random) -> Files:
        """The files as a power cut may leave them now."""
        files: Files = {}
        for name, stood_for in self._names.items():
            number = rng.choice(stood_for)
            if number is not None:
                files[name] = self._files[number].after_a_cut(rng)
        for name in [name for name in files if name.endswith(".sqlite") and rng.random() < RUBBISH_CHANCE]:
            files[f"{name}-shm"] = rng.randbytes(32_768)
        return files


# ---- lives and cuts --------------------------------------------------------------------------------------


class State(NamedTuple):
    """What a file holds, apart from the random name that it got when it was made."""

    name: object
    content: object


class Life(Generic[M]):
    """What was done to a file from one start, and what it held each time; ``show`` makes a model a state."""

    def __init__(self, show: Callable[[M], State]) -> None:
        self.steps: list[Step] = []
        self.models: list[M] = []
        self.states: list[State] = []
        self._show = show
        self._floor = 0

    def holds(self, model: M, promised: bool = True) -> None:
        """The file now holds this, and will do so after a power cut if that is promised.

        What changes nothing promises nothing either: there is nothing to sync.
        """
        self.models.append(deepcopy(model))
        self.states.append(self._show(model))
        done = len(self.states) - 1
        if promised and self.states[-1:] != self.states[-2:-1]:
            self._floor = done
        self.steps.append(Reported(self._floor, done))


class Cut(NamedTuple):
    step: int
    files: Files
    reported: Reported


def cuts(life: Life[M], disk: Disk, count: int, rng: random.Random, made: bool) -> Iterator[Cut]:
    """So many cuts at random moments, in order; ``made``: the file was there when this life began."""
    lasts = (len(life.steps), len(life.steps), min(FIRST_STEPS, len(life.steps)))
    moments = Counter(rng.randint(0, rng.choice(lasts)) for _ in range(count))
    reported = Reported(0 if made else -1, -1)
    for step in range(len(life.steps) + 1):
        for _ in range(moments[step]):
            yield Cut(step, disk.after_a_cut(rng), reported)
        for taken in life.steps[step : step + 1]:
            disk.do(taken)
            reported = taken if isinstance(taken, Reported) else reported


class Story(NamedTuple, Generic[M]):
    """What one kind of file goes through.

    ``live(folder, life, model, rng)`` works with the file, which holds this model (None: it isn't made yet);
    ``look(folder)`` opens it after a cut and returns what it holds, ``show`` what a model holds.
    """

    live: Callable[[Path, Life[M], M | None, random.Random], None]
    look: Callable[[Path], State]
    show: Callable[[M], State]
    disk: type[Disk] = Disk

    def losses(
        self, folder: Path, rng: random.Random, born: Files | None = None, held: M | None = None
    ) -> Iterator[int]:
        """For one image after the other, for ever: how many promised states are lost. The rest must be whole.

        All begins with an empty folder, or with the files that it was ``born`` with, which ``held`` this.
        """
        while True:
            files, model = born or {}, held
            for _ in range(LIVES):
                life = self.lived(folder, files, model, rng)
                found: list[tuple[Files, M | None]] = []
                for cut in cuts(life, self.disk(files), IMAGES_A_LIFE, rng, model is not None):
                    index = self._found(folder, life, cut)
                    found.append((cut.files, life.models[index] if index >= 0 else None))
                    yield max(0, cut.reported.floor - index)
                files, model = rng.choice(found)

    def lived(self, folder: Path, files: Files, model: M | None, rng: random.Random) -> Life[M]:
        life = Life(self.show)
        with laid_out(folder, files) as place:
            recorder = Recorder(life.steps, files)
            try:
                self.live(place, life, deepcopy(model), rng)
            finally:
                recorder.unregister()
        return life

    def _found(self, folder: Path, life: Life[M], cut: Cut) -> int:
        """Which state was found; -1: the file had not been made yet, and was made anew."""
        with laid_out(folder, cut.files) as place:
            state = self.look(place)
        floor, done = cut.reported
        # From the last one that was promised to the one under way, then those that it would be a loss to find.
        for index in chain(range(max(floor, 0), done + 2), range(floor)):
            if life.states[index : index + 1] == [state]:
                return index
        assert floor < 0, f"a state that never was, cut before step {cut.step}"
        assert state.content == life.states[0].content, f"made anew, and not empty, cut before step {cut.step}"
        return -1


@contextmanager
def laid_out(folder: Path, files: Files) -> Iterator[Path]:
    """These files in a folder, for a while."""
    place = folder / "cut"
    place.mkdir()
    try:
        for name, content in files.items():
            (place / name).write_bytes(content)
        yield place
    finally:
        shutil.rmtree(place)


@contextmanager
def quick_folder(otherwise: Path) -> Iterator[Path]:
    """A folder in memory if there is one: it is we who cut, so that no real disk need sync anything."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else otherwise) as folder:
        yield Path(folder)


def report(what: str, losses: list[int], began: float, seed: int) -> int:
    """Say how it went; how many images had losses."""
    lost = sum(map(bool, losses))
    print(f"{what}: {len(losses)} images, {lost} with losses, {time.monotonic() - began:.1f} s, seed {seed}")
    return lost
