"""Standard input, output and error, and their traps."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transport.wires import BOUND_S, until
from transport import standard
from transport.standard import Lines

ROOT = Path(__file__).resolve().parents[2]
# Says by its exit code, as there may be nothing to write to, which of 0, 1 and 2 are nobody's.
GUARDED = """
import os
from transport import standard
standard.guard()
nobody = os.stat(os.devnull)
raise SystemExit(sum(1 << each for each in range(3) if os.path.samestat(os.fstat(each), nobody)))
"""


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe: where one reads and where one writes. A test may close either."""
    reading, writing = os.pipe()
    yield reading, writing
    for descriptor in (reading, writing):
        if is_open(descriptor):
            os.close(descriptor)


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


# ---- closed from the start -----------------------------------------------------------------------------


@pytest.mark.parametrize("closed", range(8))
def test_what_is_closed_becomes_nobody_s(closed: int) -> None:
    """The others stay the pipes that they are."""
    closings = [shut for each, shut in enumerate(("<&-", ">&-", "2>&-")) if closed & 1 << each]
    command = ["sh", "-c", 'exec "$@" ' + " ".join(closings), "sh", sys.executable, "-c", GUARDED]
    ended = subprocess.run(command, cwd=ROOT, input=b"x", capture_output=True, timeout=BOUND_S, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (closed, b"", b"")


# ---- reading -------------------------------------------------------------------------------------------


def test_what_can_be_read_now_and_then_the_end(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    assert not standard.readable(reading)
    os.write(writing, b"one\ntw")
    assert standard.readable(reading)
    assert standard.read(reading) == b"one\ntw"
    assert not standard.readable(reading)
    os.close(writing)
    assert standard.readable(reading)
    assert standard.read(reading) == b""


def test_a_terminal_that_hung_up_is_at_its_end() -> None:
    screen, inner = pty.openpty()
    assert standard.is_terminal(inner)
    os.close(screen)
    assert standard.readable(inner)
    assert standard.read(inner) == b""
    os.close(inner)


def test_what_is_no_terminal(pipe: tuple[int, int]) -> None:
    assert not standard.is_terminal(pipe[0])


def test_any_other_failure_is_our_own(pipe: tuple[int, int]) -> None:
    reading, _ = pipe
    os.close(reading)
    with pytest.raises(OSError, match="Bad file descriptor"):
        standard.read(reading)


# ---- writing -------------------------------------------------------------------------------------------


def fill(writing: int) -> int:
    """Write until it takes no more; how many bytes it took."""
    os.set_blocking(writing, False)
    size = 0
    try:
        while True:
            size += os.write(writing, bytes(4096))
    except BlockingIOError:
        return size


def test_a_full_pipe_is_not_writable(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    assert standard.writable(writing)
    held = fill(writing)
    assert not standard.writable(writing)
    while held:
        held -= len(os.read(reading, held))
    assert standard.writable(writing)


@pytest.mark.parametrize("blocking", [True, False])
def test_all_of_it_is_written_however_slowly_it_is_read(pipe: tuple[int, int], blocking: bool) -> None:
    """Somebody else may have made a shared terminal non-blocking."""
    reading, writing = pipe
    os.set_blocking(writing, blocking)
    what = os.urandom(1_000_000)
    writer = threading.Thread(target=standard.write, args=(writing, what))
    writer.start()
    came = bytearray()
    while len(came) < len(what):
        came += os.read(reading, 10_000)
    writer.join(BOUND_S)
    assert came == what


def test_a_reader_that_is_gone(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    os.close(reading)
    with pytest.raises(BrokenPipeError):
        standard.write(writing, b"x")


def test_a_reader_that_goes_while_much_is_written(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    raised: list[BaseException] = []

    def write() -> None:
        try:
            standard.write(writing, bytes(1_000_000))
        except BrokenPipeError as error:
            raised.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    until(lambda: standard.readable(reading), reading)
    os.close(reading)
    writer.join(BOUND_S)
    assert len(raised) == 1


# ---- lines ---------------------------------------------------------------------------------------------


def lines_of(pieces: list[bytes]) -> list[str]:
    lines = Lines()
    return [line for piece in [*pieces, b""] for line in lines.feed(piece)]


@pytest.mark.parametrize(
    ("said", "lines"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"one\ntwo", ["one", "two"]),
        (b"one\n\ntwo\n", ["one", "", "two"]),
        (b"\r\n", ["\r"]),
        ("caf\u00e9 \U0001f4a1\n".encode(), ["caf\u00e9 \U0001f4a1"]),
        (b"\xff\xfe\n\xe2\x82", ["\ufffd\ufffd", "\ufffd"]),
        (b"a\x0bb\x1cc\x85\xe2\x80\xa8d\n", ["a\x0bb\x1cc\ufffd\u2028d"]),
    ],
)
def test_lines(said: bytes, lines: list[str]) -> None:
    assert lines_of([said]) == lines
    assert lines_of([said[each : each + 1] for each in range(len(said))]) == lines


@given(st.lists(st.binary(min_size=1, max_size=6)))
def test_where_the_pieces_part_does_not_matter(pieces: list[bytes]) -> None:
    assert lines_of(pieces) == lines_of([b"".join(pieces)] if pieces else [])


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n"))))
def test_every_line_comes_as_it_was_written(written: list[str]) -> None:
    assert lines_of([f"{line}\n".encode() for line in written]) == written


def test_a_line_is_there_as_soon_as_it_is_complete() -> None:
    lines = Lines()
    assert lines.feed(b"one\ntw") == ["one"]
    assert lines.feed(b"o") == []
    assert lines.feed(b"\nthree") == ["two"]
    assert lines.feed(b"") == ["three"]
    assert lines.feed(b"") == []


def test_nothing_to_read_is_no_end() -> None:
    """A terminal that somebody else made non-blocking, and of which somebody else has read."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    try:
        assert standard.read(reading) is None
        os.write(writing, b"more")
        assert standard.read(reading) == b"more"
    finally:
        os.close(reading)
        os.close(writing)
