"""The real programs on a disk that is full, fails, may not be written or has lost something."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from tests.programs.programs import HOST, ROOT, Broker, Clients, Ended, Program
from tests.store.files import Disk, change, flip, overwrite

ClientsOf = Callable[[Broker], Clients]
StartBroker = Callable[..., Broker]

FULL = "the broker's disk is full; the message stays in your outbox and goes out when there is room"
# Each of several tries has failed by then: the broker asks for five seconds between them.
PAST_TWO_TRIES_S = "8"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    if os.getuid() or not shutil.which("mount"):
        pytest.skip("only root can mount a disk")
    disk = Disk(tmp_path / "disk")
    disk.place.mkdir()
    try:
        disk.mount()
        yield disk
    finally:
        disk.unmount()


@pytest.fixture
def cramped(disk: Disk) -> Iterator[Broker]:
    """A broker on that disk."""
    with Broker(disk.place / "broker") as broker:
        yield broker


# -- a full disk --


def test_a_full_disk_refuses_what_is_new_and_gives_what_is_there(
    disk: Disk, cramped: Broker, clients_of: ClientsOf
) -> None:
    clients = clients_of(cramped)
    clients.register("alice", "bob")
    assert clients.run("alice", "-m", "bob: before").code == 0
    disk.fill()
    assert clients.fetch("bob").texts == ["before"]
    kept = clients.run("alice", "-m", "bob: while full", "--wait", "2")
    assert kept.code == 75
    assert FULL in kept.err
    assert "1 message is not accepted yet; it is kept" in kept.err
    again = clients.fetch("bob")
    assert (again.code, again.texts) == (0, [])
    disk.make_room()
    assert clients.run("alice", "-m", "bob: after").code == 0
    assert clients.fetch("bob").texts == ["while full", "after"]


def test_what_waited_for_room_goes_out_by_itself_once(disk: Disk, cramped: Broker, clients_of: ClientsOf) -> None:
    clients = clients_of(cramped)
    alice = clients.start("alice", "--json", "--follow")
    bob = clients.start("bob", "--json", "--follow")
    for each in (alice, bob):
        each.hear("online")
    disk.fill()
    for n in range(20):
        alice.type(f"bob: text {n}\n")
    alice.hear("notice", text=FULL)
    cramped.see(r"^the store can't be written \(")
    bob.type("alice: bob's\n")
    bob.hear("notice", text=FULL)
    assert not [each for each in bob.events if each["event"] == "message"]
    disk.make_room()
    assert bob.hear_from("alice", 20) == [f"text {n}" for n in range(20)]
    assert alice.hear_from("bob", 1) == ["bob's"]
    for each in (alice, bob):
        assert not [event for event in each.events if event["event"] == "offline"]
        assert each.end(signal.SIGTERM).code == 0
    assert cramped.end(signal.SIGTERM).code == 0


def test_who_waits_for_room_is_told_so_once(disk: Disk, cramped: Broker, clients_of: ClientsOf) -> None:
    clients = clients_of(cramped)
    clients.register("alice", "bob")
    disk.fill()
    kept = clients.run("alice", "-m", "bob: while full", "--wait", PAST_TWO_TRIES_S)
    assert kept.err.count(FULL) == 1


@pytest.mark.parametrize("options", [("--fetch",), ("-m", "bob: hi")], ids=["reads", "sends"])
def test_nobody_registers_on_a_full_disk_and_is_told_why(
    disk: Disk, cramped: Broker, clients_of: ClientsOf, options: tuple[str, ...]
) -> None:
    clients = clients_of(cramped)
    clients.register("bob")
    disk.fill()
    dave = clients.run("dave", *options, "--wait", "2")
    assert dave.code == 69
    assert "disk is full" in dave.err
    assert "is it running?" not in dave.err


def test_who_could_not_register_does_so_when_there_is_room(disk: Disk, cramped: Broker, clients_of: ClientsOf) -> None:
    clients = clients_of(cramped)
    clients.register("bob")
    disk.fill()
    dave = clients.start("dave", "--json", "--follow", "--wait", "60")
    dave.hear("offline")
    disk.make_room()
    dave.hear("online", registered=True)
    assert dave.end(signal.SIGTERM).code == 0


def test_a_log_file_that_can_not_grow_costs_lines_and_not_the_broker(
    disk: Disk, cramped: Broker, clients_of: ClientsOf
) -> None:
    clients = clients_of(cramped)
    clients.register("alice")
    disk.fill()
    before = cramped.log
    assert clients.run("alice", "--fetch").code == 0
    assert cramped.log == before
    disk.make_room()
    assert clients.run("alice", "--fetch").code == 0
    assert len(cramped.log) > len(before)


def test_a_broker_on_a_full_disk_ends_as_any_other(disk: Disk, cramped: Broker, clients_of: ClientsOf) -> None:
    clients_of(cramped).register("alice")
    disk.fill()
    clients_of(cramped).run("alice", "--fetch")
    ended = cramped.end(signal.SIGTERM)
    assert (ended.code, ended.err) == (0, "")


def test_a_broker_killed_on_a_full_disk_has_all_that_it_accepted(
    disk: Disk, cramped: Broker, clients_of: ClientsOf
) -> None:
    clients = clients_of(cramped)
    clients.register("alice", "bob")
    assert clients.run("alice", "-m", "bob: accepted").code == 0
    disk.fill()
    assert clients.run("alice", "-m", "bob: kept", "--wait", "1").code == 75
    cramped.kill()
    with Broker(cramped.folder, port=cramped.port):  # while it is still full
        assert clients.fetch("bob").texts == ["accepted"]
        disk.make_room()
        assert clients.run("alice", "-m", "bob: new").code == 0
        assert clients.fetch("bob").texts == ["kept", "new"]


def test_a_broker_that_finds_no_room_at_its_first_start_says_so(disk: Disk) -> None:
    disk.fill()
    with Program("broker", "-a", HOST, "-p", "0", "--data", disk.place / "broker") as broker:
        ended = broker.end()
    assert (ended.code, ended.out) == (73, "")
    assert len(ended.err.splitlines()) == 1
    assert "disk is full" in ended.err or "No space left" in ended.err


# -- a disk that fails --

ON_A_BAD_DISK = """
import sys
from pathlib import Path
import broker
from tests.store.files import BadDisk

fault = Path(sys.argv.pop(1))

class ToldDisk(BadDisk):
    def told(self):
        return fault.read_text() if fault.exists() else ""

# The end of the process closes the file once more, and what fails then has nobody who could be told.
sys.unraisablehook = lambda unraisable: None
disk = ToldDisk()
sys.exit(broker.main())
"""


class OnBadDisk(Broker):
    """A broker whose disk fails in the call that the file ``fault`` names, from the moment that it is there."""

    def __init__(self, folder: Path, fault: Path) -> None:
        self._fault = fault
        super().__init__(folder)

    def _start(self, command: list[str], stdin: int | IO[bytes], env: dict[str, str]) -> subprocess.Popen[bytes]:
        command = ["-c", ON_A_BAD_DISK, str(self._fault), *command[1:]]
        return super()._start(command, stdin, env | {"PYTHONPATH": str(ROOT)})


@pytest.mark.parametrize("call", ["write", "sync"])
def test_a_disk_that_fails_ends_the_broker_and_nothing_that_was_accepted_is_lost(
    tmp_path: Path, clients_of: ClientsOf, call: str
) -> None:
    with OnBadDisk(tmp_path / "broker", tmp_path / "fault") as broker:
        clients = clients_of(broker)
        alice = clients.start("alice", "--json", "--follow")
        alice.hear("online")
        clients.register("bob")
        alice.type("bob: accepted\n")
        alice.wait(lambda: accepted(alice) == 1, "the first to be accepted")
        (tmp_path / "fault").write_text(call)
        alice.type("bob: on its way\n")
        ended = broker.end()
    assert ended.code == 1
    assert len(ended.err.splitlines()) == 1
    assert "can't be read or written" in ended.err
    assert "look at the disk, then start again" in ended.err
    alice.hear("offline")
    alice.type("bob: while it is away\n")
    assert accepted(alice) == 1
    with Broker(broker.folder, port=broker.port) as again:
        alice.wait(lambda: accepted(alice) == 3, "all to be accepted")
        assert clients.fetch("bob").texts == ["accepted", "on its way", "while it is away"]
        assert alice.end(signal.SIGTERM).code == 0
        assert again.end(signal.SIGTERM).code == 0


def accepted(program: Program) -> int:
    return sum(event["event"] == "accepted" for event in program.events)


def test_a_disk_that_can_not_be_read_ends_the_broker(tmp_path: Path, clients_of: ClientsOf) -> None:
    with OnBadDisk(tmp_path / "broker", tmp_path / "fault") as broker:
        clients = clients_of(broker)
        clients.register("alice", "bob")
        assert clients.run("alice", "-m", "bob: accepted").code == 0
        assert broker.end(signal.SIGTERM).code == 0
    fault = tmp_path / "fault"
    with OnBadDisk(broker.folder, fault) as broken:
        fault.write_text("read")
        clients = clients_of(broken)
        assert clients.run("bob", "--fetch", "--wait", "1").code == 69
        ended = broken.end()
    assert (ended.code, len(ended.err.splitlines())) == (1, 1)


# -- what may not be written --


def start(folder: Path) -> Ended:
    """Start a broker that can't; how it ended."""
    with Program("broker", "-a", HOST, "-p", "0", "--data", folder, stdin=subprocess.DEVNULL) as broker:
        return broker.end()


@pytest.mark.parametrize("used", [True, False])
def test_a_folder_that_may_only_be_read(disk: Disk, used: bool) -> None:
    folder = disk.place / "broker"
    if used:
        with Broker(folder) as broker:
            assert broker.end(signal.SIGTERM).code == 0
    disk.forbid_writing()
    ended = start(folder)
    assert (ended.code, ended.out) == (73, "")
    assert ended.err == (f"restante: can't write to {folder}: Read-only file system; choose a folder with --data\n")


def test_a_file_that_may_only_be_read(disk: Disk) -> None:
    folder = disk.place / "broker"
    with Broker(folder) as broker:
        assert broker.end(signal.SIGTERM).code == 0
    disk.forbid_writing_to(folder / "restante.sqlite")
    ended = start(folder)
    assert (ended.code, ended.out) == (73, "")
    assert "restante.sqlite can't be written" in ended.err
    assert len(ended.err.splitlines()) == 1


# -- a file that was harmed --


@pytest.fixture
def mail(tmp_path: Path, clients_of: ClientsOf) -> tuple[Broker, Clients]:
    """Three messages wait for bob, and one stands in the lobby; the broker is down."""
    with Broker(tmp_path / "broker") as broker:
        clients = clients_of(broker)
        clients.register("alice", "bob")
        assert clients.run("alice", typed="bob: the first\nin the lobby\n").code == 0
        for text in ("the second", "the third"):
            assert clients.run("alice", "-m", f"bob: {text}").code == 0
        assert broker.end(signal.SIGTERM).code == 0
    return broker, clients


HARMS: dict[str, Callable[[Path], object]] = {
    "cut off": lambda path: os.truncate(path, path.stat().st_size // 2),
    "no database": lambda path: path.write_text("no database\n" * 1000),
    "another program's": lambda path: change(path, "PRAGMA application_id = 1"),
    "newer": lambda path: change(path, "PRAGMA user_version = 1000"),
    "no header": lambda path: overwrite(path, 0, bytes(100)),
}


@pytest.mark.parametrize("harm", HARMS)
def test_a_broker_does_not_start_from_a_file_that_is_not_whole(mail: tuple[Broker, Clients], harm: str) -> None:
    broker, _ = mail
    path = broker.folder / "restante.sqlite"
    HARMS[harm](path)
    before = path.read_bytes()
    ended = start(broker.folder)
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (65, "", 1)
    assert str(path) in ended.err
    assert ("upgrade the program" if harm == "newer" else "restore a backup") in ended.err
    assert path.read_bytes() == before


ITS_PLACE = "UPDATE slice SET crc = crc + 1 WHERE first = 2 AND log = (SELECT id FROM log WHERE name = '@bob')"


@pytest.mark.parametrize(
    ("harm", "authors_own"),
    [
        (lambda path: flip(path, b"the second"), "[damaged at the broker]"),
        (lambda path: change(path, ITS_PLACE), "alice -> bob: the second"),  # it stands in her mailbox too, unharmed
    ],
    ids=["a message", "its place in one log"],
)
def test_a_message_that_was_harmed_is_named_and_an_empty_one_stands_in_its_place(
    mail: tuple[Broker, Clients], harm: Callable[[Path], None], authors_own: str
) -> None:
    broker, clients = mail
    harm(broker.folder / "restante.sqlite")
    with Broker(broker.folder, port=broker.port) as broker:
        bob = clients.fetch("bob")
        broker.see(r"^restante: message 2 of @bob is damaged on disk; an empty one stands in its place\n")
        assert "ERROR damaged log=@bob seq=2" in broker.log
        messages = {event["seq"]: event for event in bob.events if event.get("log") == "@bob"}
        assert [messages[seq].get("text") for seq in (1, 2, 3)] == ["the first", None, "the third"]
        assert (messages[2]["enc"], messages[2]["from"]) == ("damaged", "?")
        assert (bob.code, "second" in bob.out) == (0, False)
        assert authors_own in clients.run("alice", "--fetch").out
        assert clients.run("alice", "-m", "bob: the fourth").code == 0
        assert clients.fetch("bob").texts == ["the fourth"]
        assert broker.end(signal.SIGTERM).code == 0


@pytest.mark.parametrize("harm", ["UPDATE cursor SET pos = 999", "UPDATE device SET last = 1"])
def test_what_is_kept_of_a_device_may_be_wrong_and_nothing_is_lost(mail: tuple[Broker, Clients], harm: str) -> None:
    broker, clients = mail
    change(broker.folder / "restante.sqlite", harm)
    with Broker(broker.folder, port=broker.port) as broker:
        assert clients.run("alice", "-m", "bob: the fourth").code == 0
        texts = clients.fetch("bob").texts
        assert [text for text in texts if text != "in the lobby"] == [
            "the first", "the second", "the third", "the fourth"
        ]  # fmt: skip
        assert broker.end(signal.SIGTERM).code == 0


@pytest.mark.parametrize("key", ["account/bob", "key/"])
def test_a_damaged_record_is_its_owners_trouble_alone(mail: tuple[Broker, Clients], key: str) -> None:
    broker, clients = mail
    ours = "" if key == "account/bob" else " AND instr(value, 'bob') > 0"
    harm = f"UPDATE record SET value = substr(value, 1, 5) WHERE key LIKE '{key}%'{ours}"
    change(broker.folder / "restante.sqlite", harm)
    with Broker(broker.folder, port=broker.port) as broker:
        assert clients.run("bob", "--fetch", "--wait", "2").code in (69, 77)
        assert clients.run("alice", "-m", "to the lobby").code == 0
        assert broker.end(signal.SIGTERM).code == 0


def test_a_write_ahead_log_that_was_deleted_puts_the_broker_back_in_time(
    mail: tuple[Broker, Clients],
) -> None:
    """What was accepted since is lost there; the broker notices, and whoever said it gives it back."""
    broker, clients = mail
    with Broker(broker.folder, port=broker.port) as broker:
        alice = clients.start("alice", "--json", "--follow")
        alice.hear("online")
        alice.type("bob: lost\n")
        alice.wait(lambda: accepted(alice) == 1, "the first to be accepted")
        broker.kill()
    for beside in ("-wal", "-shm"):
        (broker.folder / f"restante.sqlite{beside}").unlink()
    alice.hear("offline")
    alice.type("bob: kept\n")
    with Broker(broker.folder, port=broker.port) as broker:
        alice.wait(lambda: accepted(alice) == 2, "the second to be accepted")
        texts = clients.fetch("bob").texts
        assert [text for text in texts if text != "in the lobby"] == [
            "the first",
            "the second",
            "the third",
            "lost",
            "kept",
        ]
        assert alice.end(signal.SIGTERM).code == 0
        ended = broker.end(signal.SIGTERM)
        assert (ended.code, "damaged" in broker.log) == (0, False)


# -- the client's own file --


def test_a_client_on_a_full_disk_says_so_and_sends_when_there_is_room(
    disk: Disk, start_broker: StartBroker, clients_of: ClientsOf
) -> None:
    broker = start_broker()
    clients_of(broker).register("bob")
    with Clients(broker.port, disk.place / "clients", broker.key) as clients:
        clients.register("alice")
        disk.fill()
        refused(clients.run("alice", "-m", "bob: hi"), 73)
        refused(clients.run("carol", "--fetch"), 73)
        disk.make_room()
        assert clients.run("alice", "-m", "bob: there is room").code == 0
    assert clients_of(broker).fetch("bob").texts == ["there is room"]


def refused(ended: Ended, code: int, says: str = "") -> None:
    """It ended with this code, having said why in one sentence and nothing else."""
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (code, "", 1), ended
    assert ended.err.startswith("restante: ")
    assert says in ended.err


def test_a_client_whose_folder_may_only_be_read(disk: Disk, start_broker: StartBroker) -> None:
    broker = start_broker()
    with Clients(broker.port, disk.place / "clients", broker.key) as clients:
        clients.register("alice")
        disk.forbid_writing_to(clients.home("alice") / "journal.sqlite")
        refused(clients.run("alice", "-m", "hi"), 73, "journal.sqlite can't be written")
        disk.forbid_writing()
        refused(clients.run("alice", "-m", "hi"), 73, "Read-only file system")


@pytest.mark.parametrize("harm", [each for each in HARMS if each != "newer"])
@pytest.mark.parametrize("options", [("-m", "hi"), ("--fetch",)], ids=["sends", "reads"])
def test_a_journal_that_is_not_whole(mail: tuple[Broker, Clients], harm: str, options: tuple[str, ...]) -> None:
    _, clients = mail
    HARMS[harm](clients.home("alice") / "journal.sqlite")
    refused(clients.run("alice", *options, "--wait", "1"), 65, "the broker still has what was accepted")


def test_a_newer_journal_is_refused_with_the_brokers_code(mail: tuple[Broker, Clients]) -> None:
    _, clients = mail
    HARMS["newer"](clients.home("alice") / "journal.sqlite")
    refused(clients.run("alice", "-m", "hi"), 65, "upgrade the program")


@pytest.mark.parametrize(
    "harm",
    [
        *(f"INSERT OR REPLACE INTO fact VALUES ('{key}', x'ff')" for key in ("era", "settled", "offered", "epoch")),
        "UPDATE cursor SET log = CAST(x'ff' AS TEXT) WHERE log = '#lobby'",
    ],
)
def test_a_journal_with_a_harmed_row(mail: tuple[Broker, Clients], harm: str) -> None:
    _, clients = mail
    change(clients.home("alice") / "journal.sqlite", harm)
    refused(clients.run("alice", "--fetch", "--wait", "1"), 65)


def test_a_waiting_message_that_was_harmed_is_not_sent(mail: tuple[Broker, Clients]) -> None:
    broker, clients = mail
    assert clients.run("alice", "-m", "bob: treasure", "--wait", "0").code == 75
    flip(clients.home("alice") / "journal.sqlite", b"treasure")
    with Broker(broker.folder, port=broker.port) as broker:
        refused(clients.run("alice", "-m", "bob: more"), 65, "is damaged (message ")
        assert "reasure" not in clients.fetch("bob").out
        assert broker.end(signal.SIGTERM).code == 0
