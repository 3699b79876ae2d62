"""Keys, read from a terminal that may vanish."""

from __future__ import annotations

import os
import sys
from codecs import getincrementaldecoder

from prompt_toolkit.input import Input as Keyboard
from prompt_toolkit.input.posix_utils import PosixStdinReader
from prompt_toolkit.input.vt100 import Vt100Input


class _Reader(PosixStdinReader):
    """A terminal that is gone gives EIO for ever: that is the end, once."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor)
        self._decode = getincrementaldecoder("utf-8")("surrogateescape").decode

    def read(self, count: int = 65536) -> str:
        try:
            data = os.read(self.stdin_fd, count)
        except BlockingIOError:
            return ""
        except OSError:
            data = b""
        self.closed = not data
        return self._decode(data)


def keyboard() -> Keyboard:
    """The one that is there."""
    keys = Vt100Input(sys.stdin)
    keys.stdin_reader = _Reader(keys.fileno())
    return keys
