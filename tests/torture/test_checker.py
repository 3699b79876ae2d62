"""The checker finds what it is there to find: one real run, whose files are doctored in one place each."""

from __future__ import annotations

import json
import re
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest

from tests.torture.checker import DONE, KEPT, LOBBY, Fault, faults, main, unsettled
from tests.torture.evidence import read
from tests.torture.stage import Device, Stage, wait
from tests.torture.table import DISORDER, DOUBLED, LOST, OTHER, Tally, write_tally

pytestmark = pytest.mark.timeout(900)  # for machines that are slow: each wait has a bound of its own

NAMES = ("alice-1", "alice-2", "bob-1", "carol-1")
# Bob's other device only sends, carol's fetches what waits.
SENDER, VISITOR = "bob-2", "carol-2"
Place = tuple[int, ...]
Row = tuple[Any, ...]


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is left of a run in which nothing went wrong: everybody spoke to everybody, and carol was there twice."""
    with Stage(tmp_path_factory.mktemp("quiet")) as stage:
        devices = [stage.device(name) for name in NAMES]
        for device in devices:
            device.start()
        for device in devices:
            device.wait(device.is_online, "is let in")
        pass_by(stage, devices)
        wait(lambda: not unsettled(read(stage.folder)), "all is quiet")
        devices[-1].stop()
        devices[-1].come()
        for program in (*devices, stage.broker):
            assert program.stop() == DONE
        write_tally(stage.folder, Tally(seed=1, minutes=0.1))
        return stage.folder


def pass_by(stage: Stage, devices: list[Device]) -> None:
    """Everybody speaks; one comes and sends, another comes and fetches, before that and afterwards."""
    sender, visitor = stage.device(SENDER, "--wait", "60"), stage.device(VISITOR, "--json", "--fetch")
    fetch(visitor)
    for to in (LOBBY, "alice", "bob", "carol", LOBBY):
        texts = [device.type(to) for device in devices if device.account != to]
    texts.append(sender.send("alice"))
    wait(lambda: sender.ended() == DONE, "one message is sent")
    for device in devices:
        device.wait_for(*texts[:-1])
    devices[0].wait_for(texts[-1])
    fetch(visitor)


def fetch(visitor: Device) -> None:
    visitor.start()
    visitor.hang_up()
    wait(lambda: visitor.ended() == DONE, "what waits is fetched")


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
        "INSERT INTO history SELECT era, log, seq + 1, author, recipient, envelope, crc, device, n FROM history"
        " WHERE log = '@carol' ORDER BY seq DESC LIMIT 1"
    )


def turned_round(folder: Path) -> None:
    database = journal(folder, "alice-2")
    (last,) = row(database, "SELECT max(seq) FROM history WHERE log = ?", LOBBY)
    database.execute("UPDATE history SET seq = seq - ? - 1 WHERE log = ?", (last, LOBBY))
    database.execute("UPDATE history SET seq = -seq WHERE log = ?", (LOBBY,))


def leaked(folder: Path) -> None:
    """What alice and bob have said to each other stands in carol's mailbox."""
    source, target = journal(folder, "bob-1"), journal(folder, "carol-1")
    others = "SELECT author, recipient, envelope, crc FROM history WHERE log = '@bob'"
    message = row(source, others + " AND 'carol' NOT IN (author, recipient)")
    (last,) = row(target, "SELECT max(seq) FROM history WHERE log = '@carol'")
    target.execute("INSERT INTO history VALUES (1, '@carol', ?, ?, ?, ?, ?, '', 0)", (last + 1, *message))


def leaked_in_print(folder: Path) -> None:
    private = next(event for event in printed(folder, "bob-1") if {event["from"], event["to"]} == {"alice", "bob"})
    add_print(folder, "carol-1", private | {"log": "@carol", "seq": 99})


def never_typed(folder: Path) -> None:
    database = journal(folder, "bob-1")
    (packed,) = row(database, "SELECT envelope FROM history WHERE log = ? AND seq = 1", LOBBY)
    envelope = msgspec.msgpack.decode(packed)
    envelope[6] = b"I never said that"
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
    leave_out(folder / "bob-1.printed")


def not_printed_by_a_visitor(folder: Path) -> None:
    leave_out(folder / f"{VISITOR}.printed")


def printed_again_by_a_visitor(folder: Path) -> None:
    """A third visit, and nothing was new."""
    *_, last = printed(folder, VISITOR)
    add_print(folder, VISITOR, {"event": "run", "run": 3})
    add_print(folder, VISITOR, last)


def printed_by_who_only_sends(folder: Path) -> None:
    *_, last = printed(folder, "bob-1")
    add_print(folder, SENDER, last)


def printed_as_somebody_elses(folder: Path) -> None:
    """All is as it was, but for the id."""
    change_line(folder / "bob-1.printed", b'"event":"message"', rb'"id":"\w+:', b'"id":"aaaaaaaaaaaaaaaa:')


def torn(folder: Path) -> None:
    """Only a killed client may leave half a line, as its last."""
    change_line(folder / "bob-1.printed", b'"event":"message"', rb'"seq".*', b"")


def sent_away(folder: Path) -> None:
    add_print(folder, "bob-1", {"event": "bye", "reason": "replaced"})


def sent_and_lost(folder: Path) -> None:
    """What one message was sent with said that it is on the broker's disk."""
    visit = {"run": 2, "line": 1, "to": LOBBY, "text": f"{SENDER} 2/1"}
    add_print(folder, SENDER, {"event": "run", "run": 2})
    add_line(folder / f"{SENDER}.typed", visit)
    add_line(folder / f"{SENDER}.typed", {"run": 2, "killed": False, "code": DONE, "left": 0})


def done_with_something_left(folder: Path) -> None:
    add_line(folder / f"{SENDER}.typed", {"run": 1, "killed": False, "code": DONE, "left": 2})


def kept_with_nothing_left(folder: Path) -> None:
    add_line(folder / f"{SENDER}.typed", {"run": 1, "killed": False, "code": KEPT, "left": 0})


def unreached_with_something_to_send(folder: Path) -> None:
    add_line(folder / f"{SENDER}.typed", {"run": 1, "killed": False, "code": 69, "left": 0})


def broken_off(folder: Path) -> None:
    """An exception ends a program with 1."""
    add_line(folder / f"{VISITOR}.typed", {"run": 1, "killed": False, "code": 1, "left": 0})


def unsent_by_who_only_sends(folder: Path) -> None:
    journal(folder, SENDER).execute("INSERT INTO outbox VALUES (99, '#lobby', 'none', CAST('hello' AS BLOB), 0)")


DOCTORED: list[tuple[Callable[[Path], None], str, str]] = [
    (missing, LOST, "is 0 times in #lobby"),
    (missing, LOST, "bob-1: #lobby has holes"),
    (missing_at_the_end, LOST, "is 0 times in @bob"),
    (doubled, DOUBLED, "is 2 times in @carol"),
    (turned_round, OTHER, "alice-2: #lobby 1 is"),
    (turned_round, DISORDER, " stands before "),
    (leaked, OTHER, "is not meant to be there"),
    (leaked_in_print, OTHER, "carol-1: run 2 has printed"),
    (never_typed, OTHER, "was never said so"),
    (unsent, LOST, "1 in the outbox"),
    (missing_at_the_broker, LOST, " is 0 times in #lobby"),
    (doubled_at_the_broker, DOUBLED, " is 2 times in #lobby"),
    (turned_round_at_the_broker, DISORDER, " stands before "),
    (number_skipped, LOST, "are there"),
    (accepted_and_lost, LOST, "was accepted and is lost"),
    (accepted_twice, DOUBLED, "was accepted twice"),
    (refused, OTHER, "no-such-account"),
    (typed_and_lost, LOST, "was not killed, and lost line"),
    (a_hole_in_what_was_typed, LOST, "has a hole at line 1"),
    (printed_twice, DOUBLED, "bob-1: run 1 has printed"),
    (printed_again_though_nobody_was_killed, DOUBLED, "carol-1: run 2 has printed"),
    (another_device, OTHER, "bob-1 was 2 devices"),
    (not_printed, LOST, "bob-1: run 1 has printed"),
    (not_printed_by_a_visitor, LOST, f"{VISITOR}: run 2 has printed"),
    (printed_again_by_a_visitor, DOUBLED, f"{VISITOR}: run 3 has printed"),
    (printed_by_who_only_sends, OTHER, f"{SENDER}: run 1 has printed"),
    (printed_as_somebody_elses, OTHER, "bob-1: run 1 has printed"),
    (torn, OTHER, "torn"),
    (sent_away, OTHER, "bye"),
    (sent_and_lost, LOST, f"{SENDER}: run 2 was not killed, and lost line 1"),
    (done_with_something_left, OTHER, "ended with 0 and 2 messages in the outbox"),
    (kept_with_nothing_left, OTHER, "ended with 75 and 0 messages in the outbox"),
    (unreached_with_something_to_send, OTHER, "ended with 69"),
    (broken_off, OTHER, f"{VISITOR}: run 1 ended with 1"),
    (unsent_by_who_only_sends, LOST, f"{SENDER}: 1 in the outbox"),
]


def test_a_run_in_which_nothing_went_wrong_has_no_faults(quiet: Path) -> None:
    assert faults(read(quiet)) == []


@pytest.mark.parametrize(
    ("doctor", "kind", "sentence"), DOCTORED, ids=[f"{doctor.__name__}: {sentence}" for doctor, _, sentence in DOCTORED]
)
def test_what_was_doctored_is_found(folder: Path, doctor: Callable[[Path], None], kind: str, sentence: str) -> None:
    doctor(folder)
    found = faults(read(folder))
    assert any(kind == each.kind and sentence in each.sentence for each in found), found


def test_half_a_line_of_a_killed_client_is_no_fault(folder: Path) -> None:
    path = folder / "carol-1.printed"
    head, mark, rest = path.read_bytes().partition(b'\n{"event": "run", "run": 2')
    path.write_bytes(head + b'{"event":"mess' + mark + rest)
    assert faults(read(folder)) == []


def test_the_verdict_is_told_in_numbers_and_by_the_exit_code(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(folder) == 0
    assert told(capsys) == {"lost": "0", "doubled": "0", "out of order": "0", "other faults": "0"}
    doubled(folder)
    refused(folder)
    assert main(folder) == 1
    numbers = told(capsys)
    assert numbers["doubled"] != "0"
    assert numbers["other faults"] != "0"


def test_nothing_at_all_is_no_success(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run in which nothing was accepted shows nothing."""
    for path in folder.glob("*.typed"):
        path.unlink()
    database = store(folder)
    for table in ("slice", "segment", "cursor", "device", "log"):
        database.execute(f"DELETE FROM {table}")
    assert faults(read(folder)) == list[Fault]()
    assert main(folder) == 1


# ---- how it is done ----------------------------------------------------------------------------------------


def row(database: apsw.Connection, question: str, *values: str) -> Row:
    found: Row | None = database.execute(question, values).fetchone()
    assert found
    return found


def store(folder: Path) -> apsw.Connection:
    return apsw.Connection(str(folder / "broker" / "restante.sqlite"))


def lay_again(folder: Path, change: Callable[[list[Place]], list[Place]]) -> None:
    """Say something else about where the lobby's messages lie."""
    database = store(folder)
    (log,) = row(database, "SELECT id FROM log WHERE name = ?", LOBBY)
    slices: list[Row] = list(database.execute("SELECT segment, places FROM slice WHERE log = ? ORDER BY first", (log,)))
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


def change_line(path: Path, mark: bytes, pattern: bytes, instead: bytes) -> None:
    """Change the first line that has this mark."""
    lines = path.read_bytes().split(b"\n")
    first = next(index for index, line in enumerate(lines) if mark in line)
    lines[first] = re.sub(pattern, instead, lines[first])
    path.write_bytes(b"\n".join(lines))


def leave_out(path: Path) -> None:
    """Its first message was not printed."""
    lines = path.read_bytes().splitlines(keepends=True)
    first = next(index for index, line in enumerate(lines) if b'"event":"message"' in line)
    path.write_bytes(b"".join(lines[:first] + lines[first + 1 :]))


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """The faults' columns of the table."""
    head, _, row = (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("|")
    )
    return dict(zip(head[-4:], row[-4:], strict=True))
