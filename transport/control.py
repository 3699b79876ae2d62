"""Where the operator's commands reach a running broker: a socket in its data folder, for its owner only.

A request is one JSON object ``{"do": …}``, and so is the answer: ``{"done": true}``, or ``{"error": sentence}``.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import zmq

from protocol.errors import Told
from transport.monitor import happened

NAME = "control"
# Requests taken in one turn: operators are few.
TURN_REQUESTS = 8
REQUEST_BYTES = 16 * 1024
# A path that is longer can't be the name of such a socket; the terminating zero is one of 108.
PATH_BYTES = 107
# So long a program that holds the folder may take until it can be asked; it is on this machine.
CONNECT_MS = 5_000
# Between the end of a connection and its last words.
LAST_WORDS_MS = 100

_encoder = msgspec.json.Encoder()
_Socket = zmq.Socket[bytes]


class NoControl(Told):
    """The running broker can't be asked; its text is the sentence for the operator."""


class Request(NamedTuple):
    """What an operator asks, and whom to answer."""

    peer: bytes
    said: dict[str, Any]


class Control:
    """The broker's end."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], folder: Path) -> None:
        self._path = folder.absolute() / NAME
        self.socket = context.socket(zmq.ROUTER)
        self.socket.linger = 1000
        self.socket.maxmsgsize = REQUEST_BYTES
        before = os.umask(0o177)
        try:
            self.socket.bind(_address(folder))
        except (zmq.ZMQError, NoControl):
            self.socket.close(0)
            raise
        finally:
            os.umask(before)

    def drain(self) -> list[Request]:
        """What has come."""
        requests = []
        with contextlib.suppress(zmq.Again):
            for _ in range(TURN_REQUESTS):
                peer, *parts = self.socket.recv_multipart(zmq.NOBLOCK)
                with contextlib.suppress(msgspec.MsgspecError, ValueError, RecursionError):
                    requests.append(
                        Request(peer, msgspec.json.decode(parts[-1] if parts else b"", type=dict[str, Any]))
                    )
        return requests

    def answer(self, request: Request, **said: Any) -> None:
        """Say what has become of it; nobody waits for an operator who has gone."""
        with contextlib.suppress(zmq.Again):
            self.socket.send_multipart((request.peer, _encoder.encode(said)), zmq.NOBLOCK)

    def close(self) -> None:
        """Answer no more."""
        self.socket.close()
        self._path.unlink(missing_ok=True)  # libzmq leaves it


def open_control(context: zmq.Context[zmq.Socket[bytes]], folder: Path) -> Control | None:
    """Where operators ask; None if the folder can't hold such a socket: the broker does without."""
    try:
        return Control(context, folder)
    except (NoControl, zmq.ZMQError):
        return None


def ask(folder: Path, wait_ms: int, **said: Any) -> dict[str, Any]:
    """Ask the broker that works on a folder; NoControl if nobody answers in time, or it ends before it does."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.linger = 0
    monitor = socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED)
    try:
        socket.connect(_address(folder))
        socket.send(_encoder.encode(said))
        if not monitor.poll(CONNECT_MS):
            raise NoControl(
                "whoever works on {folder} can't be asked; wait until that one has ended, then try again", folder=folder
            )
        happened(monitor)
        return _answer(socket, monitor, folder, wait_ms)
    except UnicodeEncodeError:
        raise NoControl("the running broker can only be told a name that is UTF-8; choose another one") from None
    finally:
        socket.disable_monitor()
        monitor.close()
        socket.close()
        context.term()


def _answer(socket: _Socket, monitor: _Socket, folder: Path, wait_ms: int) -> dict[str, Any]:
    ready, _, _ = zmq.select([socket, monitor], [], [], wait_ms / 1000)
    if monitor in ready and not socket.poll(LAST_WORDS_MS):
        raise NoControl("the broker that worked on {folder} has ended meanwhile; try again", folder=folder)
    if not ready:
        raise NoControl("the broker that works on {folder} does not answer; stop it, then try again", folder=folder)
    return msgspec.json.decode(socket.recv(), type=dict[str, Any])


def _address(folder: Path) -> str:
    path = os.fspath(folder.absolute() / NAME)
    if len(os.fsencode(path)) > PATH_BYTES:
        raise NoControl(
            "{path} is too long for a socket; with a shorter --data the running broker could be asked", path=path
        )
    return "ipc://" + path
