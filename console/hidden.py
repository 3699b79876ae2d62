"""A question whose answer is typed unseen."""

from __future__ import annotations

import getpass
import os
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


def ask_hidden(question: str) -> str:
    """What was typed. EOFError if nothing can be; KeyboardInterrupt if the person would rather leave."""
    with _stoppable(question):
        return getpass.getpass(question)


@contextmanager
def _stoppable(question: str) -> Iterator[None]:
    """Ctrl-Z leaves a terminal that shows what is typed; who comes back finds the question again."""
    try:
        visible = termios.tcgetattr(0)
    except termios.error:  # it is asked elsewhere: there is no terminal to be left behind
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        unseen = termios.tcgetattr(0)
        termios.tcsetattr(0, termios.TCSADRAIN, visible)
        print(file=sys.stderr, flush=True)
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(0, signal.SIGTSTP)  # here it stands still, until fg
        signal.signal(signal.SIGTSTP, stop)
        termios.tcsetattr(0, termios.TCSADRAIN, unseen)
        print(question, end="", file=sys.stderr, flush=True)

    before = signal.signal(signal.SIGTSTP, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTSTP, before)
