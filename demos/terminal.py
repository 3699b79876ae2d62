"""A shell at a terminal of its own, and what stands on it: keys go in, pyte draws what comes out."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from itertools import groupby
from typing import NamedTuple

import pyte

# Makes the terminal that it is given its own, so that keys such as Ctrl-C reach it, and becomes the shell.
_IN_TERMINAL = "import fcntl, os, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp('sh', ['sh'])"
_READ_BYTES = 65536
# pyte knows no faint text, and nothing here blinks: the one is kept as the other.
_FAINT, _NOT_FAINT, _BLINKS, _BLINKS_NOT = 2, 22, 5, 25


class Run(NamedTuple):
    """Signs in a row that look alike."""

    column: int
    text: str
    columns: int  # that they take
    colour: str  # as pyte calls it: "default", "cyan", or six hexadecimal digits
    bold: bool
    italic: bool
    faint: bool


class Still(NamedTuple):
    """A terminal at one moment."""

    rows: tuple[tuple[Run, ...], ...]
    cursor: tuple[int, int]  # column, row


class _Screen(pyte.Screen):
    def select_graphic_rendition(self, *attributes: int, private: bool = False) -> None:
        """See pyte.Screen."""
        plain = 38 not in attributes  # of a colour's numbers none is an attribute
        kept = [_BLINKS if each == _FAINT and plain else each for each in attributes]
        super().select_graphic_rendition(*kept, *[_BLINKS_NOT] * (_NOT_FAINT in attributes and plain))


class Terminal:
    """A shell, and its screen."""

    def __init__(self, columns: int, rows: int, environment: dict[str, str], folder: str) -> None:
        self._screen = _Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.descriptor, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-c", _IN_TERMINAL],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env=environment,
            cwd=folder,
            start_new_session=True,
        )
        os.close(inner)

    def read(self) -> None:
        """Draw what has come; OSError at the end."""
        self._stream.feed(os.read(self.descriptor, _READ_BYTES))

    def press(self, keys: str) -> None:
        """Press these keys."""
        os.write(self.descriptor, keys.encode())

    @property
    def text(self) -> str:
        """What can be seen, as text."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def still(self) -> Still:
        """What can be seen."""
        rows = tuple(self._row(row) for row in range(self._screen.lines))
        return Still(rows, (self._screen.cursor.x, self._screen.cursor.y))

    def close(self) -> None:
        """The window is closed: whoever is there is hung up on."""
        os.close(self.descriptor)
        self._process.wait()

    def _row(self, row: int) -> tuple[Run, ...]:
        line = self._screen.buffer[row]
        signs = [(column, line[column]) for column in range(self._screen.columns)]
        runs = []
        for look, group in groupby(signs, key=lambda sign: (sign[1].fg, sign[1].bold, sign[1].italics, sign[1].blink)):
            some = list(group)
            text = "".join(sign.data for _, sign in some)
            if text.strip():
                runs.append(Run(some[0][0], text.rstrip(), len(some) - len(text) + len(text.rstrip()), *look))
        return tuple(runs)
