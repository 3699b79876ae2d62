"""Copies that an operator makes, beside a broker that works and of one that stands still."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import zmq

from store.lock import Lock
from tests.programs.programs import BOUND_S, Broker, Clients, Program
from tests.programs.upkeep_commands import command, mode, said, stop
from tests.store.files import Disk, ask
from transport.control import NAME

StartBroker = Callable[..., Broker]
ClientsOf = Callable[[Broker], Clients]


@pytest.fixture
def broker(start_broker: StartBroker) -> Broker:
    """A broker of one's own, to be ended and killed."""
    return start_broker()


Begin = Callable[..., Program]


# ---- copies ---------------------------------------------------------------------------------------------


def test_a_copy_beside_a_running_broker(broker: Broker, clients_of: ClientsOf, tmp_path: Path) -> None:
    clients = clients_of(broker)
    clients.register("bob")
    assert clients.run("alice", typed="bob: hello\nto all\n").code == 0
    copy = tmp_path / "copy"
    told = command(broker.folder, "backup", copy)
    assert told.out == f"{copy} holds everything up to now; whoever restores it begins another epoch\n"
    assert mode(copy) == "-rw-------"
    assert {each.name for each in tmp_path.iterdir()} == {"broker", "clients", "copy"}
    whole = " is whole: 3 messages (logs: 3, accounts: 2)\n"
    assert command(broker.folder, "verify", copy).out == f"{copy}{whole}"
    assert command(broker.folder, "verify").out == f"{broker.folder}/restante.sqlite{whole}"
    assert clients.fetch("bob").texts == ["hello", "to all"]
    stop(broker)
    assert {mode(each) for each in broker.folder.iterdir()} == {"-rw-------"}


def test_a_copy_of_a_broker_that_stands_still(broker: Broker, clients_of: ClientsOf, tmp_path: Path) -> None:
    assert clients_of(broker).run("alice", "-m", "hello").code == 0
    stop(broker)
    command(broker.folder, "backup", tmp_path / "copy")
    assert mode(tmp_path / "copy") == "-rw-------"
    told = command(broker.folder, "verify", tmp_path / "copy")
    assert told.out.endswith("is whole: 1 message (logs: 1, accounts: 1)\n")


def test_sends_are_accepted_while_a_copy_is_made(
    filled: Broker, clients_of: ClientsOf, begin: Begin, tmp_path: Path
) -> None:
    """One send after the other, each when the last one was accepted, as long as the copy takes."""
    copy, part = tmp_path / "copy", tmp_path / "copy.part"
    alice = clients_of(filled).start("alice", "--json")
    alice.hear("online")
    backup = begin("backup", copy, "--data", filled.folder)
    sent, during = 0, []
    while backup.process.poll() is None:
        began, sent = part.exists(), sent + 1
        alice.type(f"{sent}\n")
        accept(alice, sent)
        if began and not is_answered(filled):
            during.append(sent)
    assert backup.end().code == 0
    assert during, "the copy was made before anything was sent"
    alice.end_input()
    assert alice.end().code == 0
    assert command(filled.folder, "verify", copy).out.startswith(f"{copy} is whole: ")
    copied = ask(copy, "SELECT head FROM log WHERE name = '#lobby'")
    assert isinstance(copied, int)
    assert copied >= during[-1], "what was written during the copy is in it"


def accept(client: Program, count: int) -> None:
    """Wait until so many sends were accepted."""
    client.wait(lambda: sum(each["event"] == "accepted" for each in client.events) >= count, f"{count} sends")


def is_answered(broker: Broker) -> bool:
    """Whether the broker has finished the copy that it was asked for."""
    return re.search(r"\basked\b", broker.log) is not None


@pytest.mark.parametrize("running", [True, False])
def test_what_is_there_already_is_left_as_it_is(broker: Broker, tmp_path: Path, running: bool) -> None:
    if not running:
        stop(broker)
    for name in ("copy", "folder", "link"):
        target = tmp_path / name
        if name == "copy":
            target.write_bytes(b"mine")
        elif name == "folder":
            target.mkdir()
        else:
            target.symlink_to("nowhere")
        told = command(broker.folder, "backup", target, code=73)
        assert said(told, tmp_path) == f"DIR/{name} is there already, and was left as it is; choose another name"
    assert (tmp_path / "copy").read_bytes() == b"mine"


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("place", ["nowhere/copy", "file/copy", "x" * 300])
def test_a_place_where_nothing_can_be_made(broker: Broker, tmp_path: Path, running: bool, place: str) -> None:
    if not running:
        stop(broker)
    (tmp_path / "file").write_bytes(b"")
    told = command(broker.folder, "backup", tmp_path / place, code=73)
    assert "can't be written" in told.err


def test_a_name_that_is_no_text(broker: Broker, tmp_path: Path) -> None:
    strange = tmp_path / os.fsdecode(b"\xff")
    for code in (75, 73):
        assert "choose another one" in command(broker.folder, "backup", strange, code=code).err
        stop(broker)
    assert {each.name for each in tmp_path.iterdir()} == {"broker"}


@pytest.mark.parametrize("command_line", ["backup", "export"])
def test_the_root_is_no_name_for_a_file(broker: Broker, command_line: str) -> None:
    assert "choose another one" in command(broker.folder, command_line, Path("/"), code=73).err


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    place = tmp_path / "disk"
    place.mkdir()
    disk = Disk(place)
    disk.mount()
    yield disk
    disk.unmount()


@pytest.mark.parametrize("running", [True, False])
def test_a_target_that_is_full(filled: Broker, clients_of: ClientsOf, disk: Disk, running: bool) -> None:
    if not running:
        stop(filled)
    told = command(filled.folder, "backup", disk.place / "copy", code=73)
    assert said(told, disk.place) == "DIR/copy.part can't be written, the disk is full; make room, then try again"
    assert list(disk.place.iterdir()) == []
    if running:
        assert clients_of(filled).run("alice", "-m", "still here").code == 0


@pytest.mark.parametrize("running", [True, False])
def test_a_target_that_can_only_be_read(broker: Broker, disk: Disk, running: bool) -> None:
    if not running:
        stop(broker)
    disk.forbid_writing()
    told = command(broker.folder, "backup", disk.place / "copy", code=73)
    assert "Read-only file system" in told.err


def test_a_file_that_may_not_grow(filled: Broker, tmp_path: Path) -> None:
    stop(filled)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        command(filled.folder, "backup", tmp_path / "copy", code=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert {each.name for each in tmp_path.iterdir()} == {"broker"}


def begun(begin: Begin, folder: Path, target: Path) -> Program:
    """A copy that is being made."""
    backup = begin("backup", target, "--data", folder)
    part = target.with_name(target.name + ".part")
    end = time.monotonic() + BOUND_S
    while not (part.exists() and part.stat().st_size):
        assert time.monotonic() < end and backup.process.poll() is None, "in vain: the copy begins"
    return backup


def test_a_command_that_is_killed_leaves_no_copy_and_no_harm(
    filled: Broker, clients_of: ClientsOf, begin: Begin, tmp_path: Path
) -> None:
    begun(begin, filled.folder, tmp_path / "copy").kill()
    assert not (tmp_path / "copy").exists()
    assert clients_of(filled).run("alice", "-m", "still here").code == 0
    end = time.monotonic() + BOUND_S
    while not is_answered(filled):  # it goes on with the copy, for nobody
        assert time.monotonic() < end, filled.log
    command(filled.folder, "backup", tmp_path / "copy")
    assert {each.name for each in tmp_path.iterdir()} == {"broker", "clients", "copy"}
    stop(filled)


def test_a_command_that_is_killed_while_no_broker_runs(filled: Broker, begin: Begin, tmp_path: Path) -> None:
    stop(filled)
    begun(begin, filled.folder, tmp_path / "copy").kill()
    assert not (tmp_path / "copy").exists()
    command(filled.folder, "backup", tmp_path / "copy")
    assert {each.name for each in tmp_path.iterdir()} == {"broker", "copy"}


def test_ctrl_c_leaves_nothing(filled: Broker, begin: Begin, tmp_path: Path) -> None:
    ended = begun(begin, filled.folder, tmp_path / "copy").end(signal.SIGINT)
    assert (ended.code, ended.err) == (130, "")
    assert {each.name for each in tmp_path.iterdir()} == {"broker"}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_broker_that_ends_during_a_copy(
    filled: Broker, start_broker: StartBroker, begin: Begin, tmp_path: Path, number: signal.Signals
) -> None:
    backup = begun(begin, filled.folder, tmp_path / "copy")
    filled.process.send_signal(number)
    ended = backup.end()
    assert ended.code == 75
    assert said(ended, filled.folder) == "the broker that worked on DIR has ended meanwhile; try again"
    assert not (tmp_path / "copy").exists()
    if number == signal.SIGTERM:
        stop(filled)
    else:
        filled.process.wait()
    again = start_broker()
    command(again.folder, "backup", tmp_path / "copy")
    stop(again)


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("names", [("one", "one"), ("one", "two")])
def test_two_copies_at_once(
    filled: Broker, begin: Begin, tmp_path: Path, names: tuple[str, str], running: bool
) -> None:
    if not running:
        stop(filled)
    both = [begin("backup", tmp_path / name, "--data", filled.folder) for name in names]
    ended = [each.end() for each in both]
    if names[0] == names[1]:
        assert sorted(each.code for each in ended) == [0, 73]
        assert "is there already" in "".join(each.err for each in ended)
    else:
        assert [each.code for each in ended] == [0, 0]
    assert {each.name for each in tmp_path.iterdir()} == {"broker", *names}
    for name in set(names):
        assert "is whole" in command(filled.folder, "verify", tmp_path / name).out


def test_a_copy_that_is_asked_for_while_another_one_is_made(broker: Broker, tmp_path: Path) -> None:
    """A broker makes one at a time, and says so; asked as the command asks it, but twice in a breath."""
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.connect(f"ipc://{broker.folder / NAME}")
        for name in ("one", "two"):
            socket.send(json.dumps({"do": "copy", "to": str(tmp_path / name)}).encode())
        socket.send(b'{"do":"burn"}')
        answers: list[object] = []
        while len(answers) < 3:
            assert socket.poll(int(BOUND_S * 1000))
            answers.append(json.loads(socket.recv()))
    assert {"error": "another copy is being made; nothing was done"} in answers
    assert {"done": True} in answers
    assert not (tmp_path / "two").exists()


def test_a_folder_with_a_path_too_long_for_a_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 60) / ("e" * 60)
    with ExitStack() as stack:
        broker = Broker(folder)
        stack.callback(broker.close)
        assert "no-control" in broker.log
        told = command(folder, "backup", tmp_path / "copy", code=75)
        assert said(told, folder) == (
            "DIR/control is too long for a socket; with a shorter --data the running broker could be asked"
        )
        stop(broker)
    command(folder, "backup", tmp_path / "copy")


def test_whoever_holds_the_folder_and_is_no_broker(broker: Broker, tmp_path: Path) -> None:
    stop(broker)
    lock = Lock(broker.folder)
    told = command(broker.folder, "backup", tmp_path / "copy", code=75)
    assert "can't be asked; wait until that one has ended, then try again" in told.err
    for words in (["restore", tmp_path / "x"], ["import"]):
        (tmp_path / "x").write_bytes(b"")
        assert "a broker works on" in command(broker.folder, *words, code=75).err
    lock.close()
