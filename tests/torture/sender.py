"""A sender without a journal: it speaks the protocol, and posts as fast as its window lets it."""

from __future__ import annotations

from typing import Any

import zmq

from protocol import frames, limits, passwords
from tests.torture.stage import HOST, PASSWORD, PATIENCE_S
from transport import curve

DEVICE = "a" * limits.DEVICE_CHARS


class Sender:
    """One connection, logged in as a device of its own that reads nothing. Used within ``with``."""

    def __init__(self, port: int, key: str, account: str) -> None:
        self._context = zmq.Context()
        self._context.linger = 0
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.rcvtimeo = self._socket.sndtimeo = round(PATIENCE_S * 1000)
        curve.speak(self._socket, curve.make_pair(), key)
        self._socket.connect(f"tcp://{HOST}:{port}")
        self._n = self._accepted = 0
        self._log_in(account)

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *exception: object) -> None:
        self._context.destroy()

    def _log_in(self, account: str) -> None:
        hello = frames.Hello(limits.MAJOR_VERSION, limits.MINOR_VERSION, account, DEVICE, False, {})
        unproven = self._ask(hello)
        assert isinstance(unproven, frames.Unproven)
        hello.scheme = unproven.scheme
        hello.credential = passwords.derive(PASSWORD, account, unproven.broker)
        welcome = self._ask(hello)
        assert isinstance(welcome, frames.Welcome)

    def _ask(self, frame: frames.Frame) -> Any:
        self._socket.send(frames.encode(frame))
        return frames.decode(self._socket.recv())

    def send(self, to: str, texts: list[str]) -> None:
        """Send them all, and wait until all are accepted."""
        items = [frames.Item(to, "none", text.encode()) for text in texts]
        for start in range(0, len(items), limits.PACK_MESSAGES):
            pack = items[start : start + limits.PACK_MESSAGES]
            self._settle(limits.WINDOW_MESSAGES - len(pack))
            self._socket.send(frames.encode(frames.Post(self._n + 1, pack)))
            self._n += len(pack)
        self._settle(0)

    def _settle(self, in_flight: int) -> None:
        """Wait until no more than so many are on their way."""
        while self._n - self._accepted > in_flight:
            frame = frames.decode(self._socket.recv())
            if isinstance(frame, frames.Accepted):
                assert frame.refused == []
                self._accepted = frame.n
