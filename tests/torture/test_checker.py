"""The checker finds what it is there to find: one real run, whose files are doctored in one place each."""

from __future__ import annotations

import json
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest

from tests.torture.checker import LOBBY, faults, unsettled
from tests.torture.evidence import read
from tests.torture.stage import Stage, wait

pytestmark = pytest.mark.timeout(900)  # for machines that are slow: each wait has a bound of its own

NAMES = ("alice-1", "alice-2", "bob-1", "carol-1")
Place = tuple[int, ...]


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is left of a run in which nothing went wrong: everybody spoke to everybody, and carol was there twice."""
    with Stage(tmp_path_factory.mktemp("quiet")) as stage:
        devices = [stage.device(name) for name in NAMES]
        for device in devices:
            device.start()
        for device in devices:
            device.wait(device.is_online, "is let in")
        for to in (LOBBY, "alice", "bob", "carol", LOBBY):
            texts = [device.type(to) for device in devices if device.account != to]
        for device in devices:
            device.wait_for(*texts)
        wait(lambda: not unsettled(read(stage.folder)), "all is quiet")
        devices[-1].stop()
        devices[-1].come()
        for program in (*devices, stage.broker):
            assert program.stop() == 0
        return stage.folder


@pytest.fixture
def folder(quiet: Path, tmp_path: Path) -> Path:
    """A copy to be doctored."""
    return Path(shutil.copytree(quiet, tmp_path / "copy"))


# ---- one thing that is wrong, each -------------------------------------------------------------------------


def journal(folder: Path, name: str) -> apsw.Connection:
    (path,) = (folder / name).glob("**/journal.sqlite")
    return apsw.Connection(str(path))


def missing(folder: Path) -> None:
    journal(folder, "bob-1").execute("DELETE FROM history WHERE log = ? AND seq = 2", (LOBBY,))


def missing_at_the_end(folder: Path) -> None:
    database = journal(folder, "bob-1")
    database.execute("DELETE FROM history WHERE log = '@bob' AND seq = (SELECT pos FROM cursor WHERE log = '@bob')")
    database.execute("UPDATE cursor SET pos = pos - 1 WHERE log = '@bob'")


def doubled(folder: Path) -> None:
    """The last message of a log once more, as if it had been taken for a new one."""
    journal(folder, "carol-1").execute(
        "INSERT INTO history SELECT era, log, seq + 1, author, recipient, envelope, crc FROM history"
        " WHERE log = '@carol' ORDER BY seq DESC LIMIT 1"
    )


def turned_round(folder: Path) -> None:
    database = journal(folder, "alice-2")
    (last,) = database.execute("SELECT max(seq) FROM history WHERE log = ?", (LOBBY,)).fetchone()
    database.execute("UPDATE history SET seq = seq - ? - 1 WHERE log = ?", (last, LOBBY))
    database.execute("UPDATE history SET seq = -seq WHERE log = ?", (LOBBY,))


def leaked(folder: Path) -> None:
    """What alice and bob have said to each other stands in carol's mailbox."""
    source, target = journal(folder, "bob-1"), journal(folder, "carol-1")
    row = source.execute(
        "SELECT author, recipient, envelope, crc FROM history WHERE log = '@bob' AND 'carol' NOT IN (author, recipient)"
    ).fetchone()
    (last,) = target.execute("SELECT max(seq) FROM history WHERE log = '@carol'").fetchone()
    target.execute("INSERT INTO history VALUES (1, '@carol', ?, ?, ?, ?, ?)", (last + 1, *row))


def leaked_in_print(folder: Path) -> None:
    private = next(event for event in printed(folder, "bob-1") if {event["from"], event["to"]} == {"alice", "bob"})
    add_print(folder, "carol-1", private | {"log": "@carol", "seq": 99})


def never_typed(folder: Path) -> None:
    database = journal(folder, "bob-1")
    (packed,) = database.execute("SELECT envelope FROM history WHERE log = ? AND seq = 1", (LOBBY,)).fetchone()
    envelope = msgspec.msgpack.decode(packed)
    envelope[-1] = b"I never said that"
    packed = msgspec.msgpack.encode(envelope)
    change = "UPDATE history SET envelope = ?, crc = ? WHERE log = ? AND seq = 1"
    database.execute(change, (packed, zlib.crc32(packed), LOBBY))


def unsent(folder: Path) -> None:
    journal(folder, "bob-1").execute("INSERT INTO outbox VALUES (99, '#lobby', 'none', CAST('hello' AS BLOB), 0)")


def missing_at_the_broker(folder: Path) -> None:
    lay_again(folder, lambda places: places[:-1])


def doubled_at_the_broker(folder: Path) -> None:
    lay_again(folder, lambda places: [*places, places[-1]])


def turned_round_at_the_broker(folder: Path) -> None:
    lay_again(folder, lambda places: places[::-1])


def number_skipped(folder: Path) -> None:
    store(folder).execute("UPDATE device SET last = last + 1 WHERE name LIKE 'bob/%'")


def accepted_and_lost(folder: Path) -> None:
    add_print(folder, "bob-1", {"event": "accepted", "id": read(folder).actors[2].journal.device + ":99"})


def accepted_twice(folder: Path) -> None:
    (first, *_) = printed(folder, "bob-1", "accepted")
    add_print(folder, "bob-1", first)


def refused(folder: Path) -> None:
    add_print(folder, "bob-1", {"event": "refused", "code": "no-such-account", "text": "", "line": 1})


def typed_and_lost(folder: Path) -> None:
    add_line(folder / "bob-1.typed", {"run": 1, "line": 99, "to": LOBBY, "text": "bob-1 1/99"})


def a_hole_in_what_was_typed(folder: Path) -> None:
    """Of a killed run the end may be missing, but nothing before it."""
    path = folder / "bob-1.typed"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    never = {"run": 1, "line": 1, "to": LOBBY, "text": "bob-1 never taken"}
    killed = [*lines[:-1], {"run": 1, "killed": True}]
    path.write_text("".join(json.dumps(line) + "\n" for line in [never, *killed]))


def printed_twice(folder: Path) -> None:
    *_, last = printed(folder, "bob-1")
    add_print(folder, "bob-1", last)


def printed_again_though_nobody_was_killed(folder: Path) -> None:
    """Carol's second run, which began after a good-bye, repeats the last message of the first."""
    *_, last = printed(folder, "carol-1")
    add_print(folder, "carol-1", last)


def another_device(folder: Path) -> None:
    (online,) = printed(folder, "bob-1", "online")
    add_print(folder, "bob-1", online | {"device": "a" * len(online["device"])})


def not_printed(folder: Path) -> None:
    path = folder / "bob-1.printed"
    lines = path.read_bytes().splitlines(keepends=True)
    first = next(index for index, line in enumerate(lines) if b'"event":"message"' in line)
    path.write_bytes(b"".join(lines[:first] + lines[first + 1 :]))


DOCTORED: list[tuple[Callable[[Path], None], str]] = [
    (missing, "is 0 times in #lobby"),
    (missing, "bob-1: #lobby has holes"),
    (missing_at_the_end, "is 0 times in @bob"),
    (doubled, "is 2 times in @carol"),
    (turned_round, "alice-2: #lobby 1 is"),
    (turned_round, " stands before "),
    (leaked, "is not meant to be there"),
    (leaked_in_print, "carol-1: run 2 has printed"),
    (never_typed, "was never said so"),
    (unsent, "1 in the outbox"),
    (missing_at_the_broker, " is 0 times in #lobby"),
    (doubled_at_the_broker, " is 2 times in #lobby"),
    (turned_round_at_the_broker, " stands before "),
    (number_skipped, "has said 5 messages, 4 are there"),
    (accepted_and_lost, "was accepted and is lost"),
    (accepted_twice, "was accepted twice"),
    (refused, "no-such-account"),
    (typed_and_lost, "was not killed, and lost line"),
    (a_hole_in_what_was_typed, "has a hole at line 1"),
    (printed_twice, "bob-1: run 1 has printed"),
    (printed_again_though_nobody_was_killed, "carol-1: run 2 has printed"),
    (another_device, "bob-1 was 2 devices"),
    (not_printed, "bob-1: run 1 has printed"),
]


def test_a_run_in_which_nothing_went_wrong_has_no_faults(quiet: Path) -> None:
    assert faults(read(quiet)) == []


@pytest.mark.parametrize(
    ("doctor", "fault"), DOCTORED, ids=[f"{doctor.__name__}: {fault}" for doctor, fault in DOCTORED]
)
def test_what_was_doctored_is_found(folder: Path, doctor: Callable[[Path], None], fault: str) -> None:
    doctor(folder)
    found = faults(read(folder))
    assert any(fault in each for each in found), found


# ---- how it is done ----------------------------------------------------------------------------------------


def store(folder: Path) -> apsw.Connection:
    return apsw.Connection(str(folder / "broker" / "restante.sqlite"))


def lay_again(folder: Path, change: Callable[[list[Place]], list[Place]]) -> None:
    """Say something else about where the lobby's messages lie."""
    database = store(folder)
    (log,) = database.execute("SELECT id FROM log WHERE name = ?", (LOBBY,)).fetchone()
    slices = database.execute("SELECT segment, places FROM slice WHERE log = ? ORDER BY first", (log,)).fetchall()
    places = [(base + home, *rest) for base, packed in slices for home, *rest in struct.iter_unpack("<HHH", packed)]
    packed = b"".join(struct.pack("<HHH", *place) for place in change(places))
    database.execute("DELETE FROM slice WHERE log = ?", (log,))
    database.execute("INSERT INTO slice VALUES (?, 1, 0, ?, 0)", (log, packed))


def printed(folder: Path, name: str, kind: str = "message") -> list[dict[str, Any]]:
    lines = (json.loads(line) for line in (folder / f"{name}.printed").read_bytes().splitlines() if line)
    return [event for event in lines if event["event"] == kind]


def add_print(folder: Path, name: str, event: dict[str, Any]) -> None:
    add_line(folder / f"{name}.printed", event)


def add_line(path: Path, thing: dict[str, Any]) -> None:
    with path.open("a") as file:
        file.write(json.dumps(thing) + "\n")
