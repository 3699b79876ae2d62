"""Every kind of standard input that a client may be given: nothing is lost, and nothing spins."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, NamedTuple

import pytest

from protocol import limits
from tests.programs.programs import BOUND_S, CLOSED, PASSWORD, ROOT, Broker, Clients, Program, running_cpu_s

HUGE = 2_000_000
# Who spins uses all of a processor that it gets; who waits uses a hundredth of that, on the slowest machine a tenth.
SPINNING_S = 0.5
WRITTEN = {
    "lines": (b"one\ntwo\n", ["one", "two"]),
    "no last newline": (b"one\ntwo", ["one", "two"]),
    "another system's newlines": (b"one\r\ntwo\r\n", ["one", "two"]),
    "empty lines": (b"\n\none\n \n\ntwo\n\n", ["one", "two"]),
    "letters of many bytes": ("«одна» 🎉\n".encode() * 3, ["«одна» 🎉"] * 3),
    "no UTF-8": (b"one\xff\n\xc3\ntwo\xe2\x82", ["one\ufffd", "\ufffd", "two\ufffd"]),
    "control characters": (b"one\0\x1b[2J\n", ["one\0\x1b[2J"]),
    "more than a pipe holds": ((b"x" * 99 + b"\n") * 1000, ["x" * 99] * 1000),
}
Stdin = int | IO[bytes]


@pytest.mark.parametrize(("written", "lines"), WRITTEN.values(), ids=WRITTEN)
def test_what_is_written_arrives(
    clients: Clients, reader: Program, alice: str, written: bytes, lines: list[str]
) -> None:
    ended = clients.run(alice, typed=written)
    assert (ended.code, ended.out) == (0, "")
    assert reader.hear_from(alice, len(lines)) == lines


def test_a_file(clients: Clients, reader: Program, alice: str, tmp_path: Path) -> None:
    lines = [str(number) for number in range(3000)]
    (tmp_path / "file").write_text("\n".join(lines), "ascii")
    with (tmp_path / "file").open("rb") as file:
        assert clients.start(alice, stdin=file).end().code == 0
    assert reader.hear_from(alice, len(lines)) == lines


@pytest.mark.parametrize("end", [b"\nafter\n", b""], ids=["ended", "never ended"])
def test_a_huge_line(clients: Clients, reader: Program, alice: str, end: bytes) -> None:
    ended = clients.run(alice, typed=b"before\n" + b"x" * HUGE + end)
    assert (ended.code, ended.out) == (65, "")
    assert f"line 2: the message has {HUGE} bytes, {HUGE - limits.BODY_BYTES} more than the" in ended.err
    lines = ["before", *end.decode().split()]
    assert reader.hear_from(alice, len(lines)) == lines


def test_a_slow_writer(clients: Clients, reader: Program, alice: str) -> None:
    """Each line goes out when it is whole, and no letter is torn."""
    client = clients.start(alice)
    for count, piece in enumerate((b"one\ntw", b"o\n\xc3", b"\xa9t\xc3\xa9\nla"), 1):
        client.type(piece)
        reader.hear_from(alice, count)
    client.type(b"st")
    client.end_input()
    assert client.end().code == 0
    assert reader.hear_from(alice, 4) == ["one", "two", "été", "last"]


class Pipe(NamedTuple):
    reader: IO[bytes]
    writer: IO[bytes]


def pipe(stack: ExitStack) -> Pipe:
    return Pipe(*(stack.enter_context(os.fdopen(end, mode)) for end, mode in zip(os.pipe(), ("rb", "wb"), strict=True)))


@pytest.fixture
def kinds(tmp_path: Path) -> Iterator[dict[str, Stdin]]:
    """Inputs with little or nothing in them. The silent one stays open, and nobody writes into it."""
    (tmp_path / "empty").touch()
    (tmp_path / "lines").write_text("one\ntwo\n", "ascii")
    with ExitStack() as stack:
        silent, over = pipe(stack), pipe(stack)
        over.writer.close()
        yield {
            "/dev/null": subprocess.DEVNULL,
            "closed": CLOSED,
            "an empty file": stack.enter_context((tmp_path / "empty").open("rb")),
            "a file": stack.enter_context((tmp_path / "lines").open("rb")),
            "a pipe that is over": over.reader,
            "a silent pipe": silent.reader,
        }


def test_nothing_to_read(clients: Clients, alice: str, kinds: dict[str, Stdin]) -> None:
    clients.register(alice)
    del kinds["a silent pipe"]
    for kind, stdin in kinds.items():
        ended = clients.start(alice, stdin=stdin).end()
        assert (kind, ended.code, ended.out, ended.err) == (kind, 0, "", "")


def test_all_is_closed(clients: Clients, reader: Program, alice: str) -> None:
    """What is written to nowhere must not end up in the first file that was opened instead."""
    clients.register(alice)
    reader.type(f"{alice}: into the void\n")
    reader.hear("message", to=alice, text="into the void")
    command = [sys.executable, ROOT / "client.py", alice, PASSWORD, *clients.place, "--fetch", "--json"]
    closed = subprocess.run(["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command], timeout=BOUND_S, check=False)
    assert closed.returncode == 0
    assert not [path for path in clients.home(alice).iterdir() if b'"event"' in path.read_bytes()]
    assert clients.fetch(alice).code == 0


def test_a_silent_pipe(clients: Clients, reader: Program, alice: str, kinds: dict[str, Stdin]) -> None:
    """Who waits for it, waits; who waits for something else does not wait for it."""
    silent = kinds["a silent pipe"]
    patient = clients.start(alice, stdin=silent)
    patient.see("was made just now", "err")
    assert clients.start(alice, "--fetch", stdin=silent).end().code == 0
    one = clients.start(alice, "--count", "1", "--json", stdin=silent)
    one.hear("online")
    reader.type("hi\n")
    assert one.end().texts == ["hi"]
    assert patient.end(signal.SIGTERM).code == 0


def spent_s(clients: Clients, programs: list[Program]) -> list[float]:
    """How much of a processor each of these uses while a second passes."""
    before = [running_cpu_s(program) for program in programs]
    clients.run("clock", "--for", "1", "--wait", "1")
    return [running_cpu_s(program) - used for program, used in zip(programs, before, strict=True)]


def test_nothing_spins(broker: Broker, clients: Clients, alice: str, kinds: dict[str, Stdin]) -> None:
    followers = [clients.start(alice, "--follow", "--json", stdin=stdin) for stdin in kinds.values()]
    for follower in followers:
        follower.hear("who")
    spent = spent_s(clients, [broker, *followers])
    assert max(spent) < SPINNING_S, dict(zip(["broker", *kinds], spent, strict=True))
    assert [follower.end(signal.SIGTERM).code for follower in followers] == [0] * len(followers)


def test_nothing_spins_while_the_broker_is_away(
    start_broker: Callable[..., Broker], clients_of: Callable[[Broker], Clients], kinds: dict[str, Stdin]
) -> None:
    """Nor at a first start, which leaves unread what is there."""
    broker = start_broker()
    clients = clients_of(broker)
    clients.register("silent", "over", "eager")
    broker.end(signal.SIGTERM)
    waiting = [
        clients.start("silent", "--follow", "--json", stdin=kinds["a silent pipe"]),
        clients.start("over", "--follow", "--json", stdin=kinds["a pipe that is over"]),
        clients.start("eager", "--wait", "60", "--json"),
        clients.start("newcomer", "--wait", "60", "--json"),
    ]
    for each in waiting:
        each.hear("offline")
    for each in waiting[2:]:
        each.type("hello\n" * 10_000)
    waiting[2].type("/outbox\n")
    waiting[2].hear("outbox")
    spent = spent_s(clients, waiting)
    assert max(spent) < SPINNING_S, spent
