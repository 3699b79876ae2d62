"""Standard input, output and error: their traps, each in one place."""

from __future__ import annotations

import codecs
import contextlib
import errno
import locale
import os
import select
import termios

READ_BYTES = 65536
# What Linux keeps of a line that is typed, without its end, where the terminal gives whole lines.
TERMINAL_LINE_BYTES = 4095


def guard() -> None:
    """Open /dev/null on each of 0, 1, 2 that is closed: else libzmq's own descriptor becomes "standard input".

    Called before anything else is opened.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != descriptor:
                os.dup2(opened, descriptor)
                os.close(opened)


def read(descriptor: int = 0) -> bytes | None:
    """What can be read now; b"" at the end, which a hung-up terminal is too; None if there is nothing after all.

    Called when the poller says so; but where others read from the same terminal, one of them may be faster.
    """
    try:
        return os.read(descriptor, READ_BYTES)
    except BlockingIOError:
        return None
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return b""


def write(descriptor: int, data: bytes) -> None:
    """All of it; BrokenPipeError if the reader is gone. Waits as long as the reader does."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:  # somebody else set O_NONBLOCK on a shared terminal
            select.select([], [descriptor], [])


def write_unless(wake: int, descriptor: int, data: bytes) -> bool:
    """The same, but no longer than until there is something to read at another descriptor; whether all was written.

    A pipe that can take anything can take PIPE_BUF bytes without waiting, and promises no more.
    """
    view = memoryview(data)
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    poll.register(wake, select.POLLIN)
    while view:
        ready = [number for number, _ in poll.poll()]
        if descriptor not in ready:
            return False
        with contextlib.suppress(BlockingIOError):
            view = view[os.write(descriptor, view[: select.PIPE_BUF]) :]
    return True


def writable(descriptor: int) -> bool:
    """Whether a short line can be written without waiting."""
    return any(event & select.POLLOUT for event in _events(descriptor, select.POLLOUT))


def readable(descriptor: int) -> bool:
    """Whether there is something to read, or the end, without waiting."""
    return bool(_events(descriptor, select.POLLIN))


def _events(descriptor: int, wanted: int) -> list[int]:
    poll = select.poll()
    poll.register(descriptor, wanted)
    return [event for _, event in poll.poll(0)]


def is_terminal(descriptor: int) -> bool:
    """Whether a person may sit behind it."""
    return os.isatty(descriptor)


def maybe_cut(descriptor: int, line: bytes) -> bool:
    """Whether a line that was read may lack its end: a terminal throws away what it can't keep, without a word."""
    if len(line) <= TERMINAL_LINE_BYTES or not is_terminal(descriptor):
        return False
    return bool(termios.tcgetattr(descriptor)[3] & termios.ICANON)


def size() -> tuple[int, int]:
    """Columns and rows of the terminal; the usual ones if it does not know, or is gone."""
    try:
        columns, rows = os.get_terminal_size(1)
    except OSError:
        columns = rows = 0
    return columns or 80, rows or 24


def utf8() -> bool:
    """Whether the locale can show more than ASCII."""
    return locale.getencoding().lower().replace("-", "") == "utf8"


class Lines:
    """Bytes to lines: incremental UTF-8, a last line without an end counts."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest: list[str] = []  # pieces of a line that has not ended: joined once, however many they are

    def feed(self, data: bytes) -> list[str]:
        """The lines that are complete now; b"" is the end of input."""
        piece, *further = self._decoder.decode(data, final=not data).split("\n")
        self._rest.append(piece)
        lines = []
        for piece in further:
            lines.append("".join(self._rest))
            self._rest = [piece]
        if not data and (last := "".join(self._rest)):
            lines, self._rest = [*lines, last], []
        return lines
