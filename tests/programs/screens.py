"""A client at a terminal as its person sees it: what it writes is drawn by pyte."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
from itertools import islice

import pyte

from tests.programs.programs import Clients, Terminal

COLUMNS, ROWS = 80, 24
_ENVIRONMENT = {"TERM": "xterm-256color", "NO_COLOR": "", "COLORTERM": ""}


class Screen:
    """What stands on a terminal, and what has scrolled off it."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self._screen = pyte.HistoryScreen(COLUMNS, ROWS, history=100_000, ratio=0.001)
        self._stream = pyte.ByteStream(self._screen)
        self._drawn = 0
        self._gone: list[str] = []  # what has scrolled by, as text: it is looked at often, and read once
        self.kept = -1

    @property
    def written(self) -> bytes:
        """Every byte that it has written."""
        return bytes(self.terminal._written["out"])

    def lines(self) -> list[str]:
        """What can be seen."""
        self._draw()
        return [line.rstrip() for line in self._screen.display]

    def all(self) -> list[str]:
        """What has scrolled by, and what can be seen."""
        self._draw()
        return self._gone + self.lines()

    def see(self, text: str) -> None:
        """Wait until this can be seen."""
        self.terminal.wait(lambda: text.rstrip() in "\n".join(self.lines()), text)

    def see_in_log(self, text: str) -> None:
        """Wait until this has been printed."""
        self.terminal.wait(lambda: text in "\n".join(self.all()), text)

    def type(self, keys: str) -> None:
        """Press these keys."""
        self.terminal.type(keys)

    def resize(self, columns: int, rows: int) -> None:
        """The window is another size now."""
        fcntl.ioctl(self.terminal._screen, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def mode(self) -> int:
        """How the terminal treats lines: its flags."""
        return int(termios.tcgetattr(self.kept if self.kept >= 0 else self.terminal._screen)[3])

    def keep(self) -> None:
        """Keep the terminal when its program ends."""
        self.kept = os.dup(self.terminal._screen)

    def is_clean(self) -> bool:
        """Whether nothing of ours stays behind: paste mode, a hidden cursor, raw keys, the last rows."""
        written = self.written
        modes = written.rfind(b"\x1b[?2004l") >= written.rfind(b"\x1b[?2004h")
        cursor = written.rfind(b"\x1b[?25h") >= written.rfind(b"\x1b[?25l")
        return modes and cursor and "│ /help" not in "\n".join(self.lines())

    def _draw(self) -> None:
        written = self.written
        self._stream.feed(written[self._drawn :])
        self._drawn = len(written)
        scrolled = islice(self._screen.history.top, len(self._gone), None)
        self._gone += ["".join(line[at].data for at in range(COLUMNS)).rstrip() for line in scrolled]


def at_screen(clients: Clients, *options: str, **env: str) -> Screen:
    """Start a client at a terminal, and look at it."""
    return Screen(clients.at_terminal(*options, **_ENVIRONMENT | env))


def talking(clients: Clients, account: str, password: str, *options: str, **env: str) -> Screen:
    """Somebody who is there already."""
    screen = at_screen(clients, account, password, *options, **env)
    screen.see_in_log("here now: ")
    screen.see("#lobby>")
    return screen
