"""What a socket's monitor tells: two frames of libzmq's. Read here, since zmq.utils.monitor brings asyncio along."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import zmq

from transport.context import readable

_HAPPENED = struct.Struct("=hi")


def happened(monitor: zmq.Socket[bytes]) -> tuple[int, int]:
    """The next event (zmq.EVENT_…) and its value; zmq.Again if there is none yet."""
    event, value = _HAPPENED.unpack(monitor.recv_multipart(zmq.NOBLOCK)[0])
    return event, value


def told(monitor: zmq.Socket[bytes]) -> Iterator[tuple[int, int]]:
    """All events that there are."""
    while readable(monitor):
        yield happened(monitor)
