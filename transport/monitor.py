"""What a socket's monitor tells: two frames of libzmq's. Read here, since zmq.utils.monitor brings asyncio along."""

from __future__ import annotations

import struct

import zmq

_HAPPENED = struct.Struct("=hi")


def happened(monitor: zmq.Socket[bytes]) -> tuple[int, int]:
    """The next event (zmq.EVENT_…) and its value; zmq.Again if there is none yet."""
    event, value = _HAPPENED.unpack(monitor.recv_multipart(zmq.NOBLOCK)[0])
    return event, value
