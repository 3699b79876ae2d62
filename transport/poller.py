"""One wait for everything: sockets, standard input, signals, the worker.

A signal handler that raises can strike between the parts of a message and tear it (pyzmq issue 2044). So
handlers only note the signal; the operating system's wake-up descriptor ends the wait, and the loop looks.
"""

from __future__ import annotations

import contextlib
import math
import signal
import socket
from collections.abc import Iterable, Iterator
from types import FrameType

import zmq

Source = zmq.Socket[bytes] | int


class Waker:
    """Ends a wait from a signal handler or from another thread."""

    def __init__(self) -> None:
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        self._signals: list[int] = []
        self._before: dict[int, object] = {}

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._read.fileno()

    def watch(self, numbers: Iterable[int]) -> None:
        """Note these signals from now on instead of obeying them. Main thread only."""
        signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        for number in numbers:
            self._before[number] = signal.signal(number, self._note)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._signals.append(number)
        self.wake()  # asyncio takes the wake-up descriptor for itself

    @contextlib.contextmanager
    def obeying(self) -> Iterator[None]:
        """For a moment signals do what they did before: while a person is asked something, Ctrl-C must interrupt."""
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type] # it is what signal.signal itself returned
        try:
            yield
        finally:
            for number in self._before:
                signal.signal(number, self._note)

    def wake(self) -> None:
        """End the wait; safe from any thread."""
        with contextlib.suppress(BlockingIOError):  # it is full of wake-ups already
            self._write.send(b"\0")

    def take(self) -> list[int]:
        """The signals that have come since the last call; and the descriptor is quiet again."""
        with contextlib.suppress(BlockingIOError):
            while self._read.recv(4096):
                pass
        signals, self._signals = self._signals, []
        return signals

    def close(self) -> None:
        """Obey signals again as before."""
        if self._before:
            signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type] # it is what signal.signal itself returned
        self._read.close()
        self._write.close()


class Poller:
    """Sockets and descriptors alike, level-triggered."""

    def __init__(self) -> None:
        self._poller = zmq.Poller()

    def add(self, source: Source) -> None:
        """Wait on this too."""
        self._poller.register(source, zmq.POLLIN)

    def drop(self, source: Source) -> None:
        """Wait on this no longer."""
        self._poller.unregister(source)

    def wait(self, seconds: float | None) -> list[Source]:
        """What can be read now; empty when the time is over. An error or an end can be read too."""
        limit = None if seconds is None else max(0, math.ceil(seconds * 1000))
        return [source for source, _ in self._poller.poll(limit)]
