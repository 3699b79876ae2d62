"""What all peers have in common for the load generator: lines of TCP, and a way to count what comes over them.

Bodies hold one sign that occurs nowhere else, so that deliveries are counted without parsing them: the load must not be
the limit.
"""

from __future__ import annotations

import shutil
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

PATIENCE_S = 30.0
MARK = b"|"
ROOM = "room"


class Line:
    """One connection to a peer: what it has still to send, and what it has counted."""

    def __init__(self, sock: socket.socket, account: str) -> None:
        self.sock = sock
        self.account = account
        self.to = ""  # where its messages go
        self.sent = self.accepted = self.got = 0
        self.ready = False  # its subscription stands
        self.out = b""
        self.rest = b""  # of a packet that has not come whole

    def ask(self, data: bytes, answer: bytes) -> bytes:
        """Say something and wait until this comes; all that has come."""
        self.sock.sendall(data)
        return self.wait(answer)

    def wait(self, answer: bytes) -> bytes:
        """Wait until this comes; all that has come. ConnectionError if the peer hangs up."""
        heard = b""
        while not heard or answer not in heard:
            some = self.sock.recv(65536)
            if not some:
                raise ConnectionError(f"hung up after {heard[-200:]!r}")
            heard += some
        return heard


class Tongue(Protocol):
    """A peer with its settings: how it is started, and what is said to it."""

    name: str
    promise: str  # what these settings promise, for people
    program: str
    window: int  # messages on their way from one sender
    stores: bool  # it keeps messages for those who are away
    fans: bool  # one message to many
    acknowledges: bool  # the sender hears what was taken
    batch: int  # so many messages are published at once

    def command(self, folder: Path, port: int, accounts: Sequence[str]) -> list[str]:
        """How it is started, with a folder of its own."""

    def enter(self, line: Line, reads: bool) -> None:
        """Log in, and subscribe if this one reads."""

    def publish(self, line: Line, count: int, size: int) -> bytes:
        """So many messages, packed, to ``line.to``: an account, or the room."""

    def take(self, line: Line, data: bytes) -> None:
        """Count what came, and put into ``line.out`` what is to be answered."""


def body(size: int) -> bytes:
    """A text of so many bytes, with the sign in it."""
    return MARK + b"x" * (size - 1)


def connect(port: int, account: str) -> Line:
    """A new connection; it waits for answers until it is made not to."""
    sock = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Line(sock, account)


def found(program: str) -> str | None:
    """Where a program is; Debian keeps servers where not everybody looks."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin:/usr/bin")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
