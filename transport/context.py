"""The ZeroMQ context, and what both sides' sockets have in common."""

from __future__ import annotations

import ctypes
import os

import zmq

from protocol import limits

# A connection that does not finish its handshake in this time is cut.
HANDSHAKE_MS = 5_000
# Messages per pipe and side. More than a window, so that ZeroMQ never has to drop or to block.
HIGH_WATER_MESSAGES = 512
# What may still leave when a socket is closed on purpose: a good-bye.
LINGER_MS = 500

# As plain numbers: an enumeration's member costs as much as the question.
_EVENTS, _READABLE = int(zmq.EVENTS), int(zmq.POLLIN)


def make_context() -> zmq.Context[zmq.Socket[bytes]]:
    """A context with one I/O thread, made after any child process and before any socket."""
    # libzmq draws the ids of anonymous peers from rand() and never seeds it (libzmq issue 4633): without this
    # every broker would give out the same return addresses in the same order.
    ctypes.CDLL(None).srand(int.from_bytes(os.urandom(4), "little"))
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context(1)
    context.linger = 0
    return context


def endpoint(host: str, port: int | str) -> str:
    """An address as ZeroMQ and people write it; port "*" is any free one."""
    return f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}"


def plain_address(address: str) -> str:
    """A peer's address as people write it: an IPv4 one that came over an IPv6 socket is an IPv4 one."""
    return address.removeprefix("::ffff:")


def set_up(socket: zmq.Socket[bytes]) -> None:
    """What is set on every socket that speaks our protocol, before it binds or connects."""
    socket.linger = 0
    socket.maxmsgsize = limits.PART_BYTES
    socket.sndhwm = socket.rcvhwm = HIGH_WATER_MESSAGES
    # No heartbeat of ZMTP's: our own Ping finds a dead link, and libzmq ends the process when one is due while a
    # flood has filled the queue (libzmq issues 3937, 4229).
    socket.handshake_ivl = HANDSHAKE_MS


def readable(socket: zmq.Socket[bytes]) -> bool:
    """Whether something has come. To receive in vain costs twice as much: pyzmq raises then."""
    return bool(int(socket.getsockopt(_EVENTS)) & _READABLE)


def open_monitor(context: zmq.Context[zmq.Socket[bytes]], socket: zmq.Socket[bytes], events: int) -> zmq.Socket[bytes]:
    """A socket's events. Its queue has no bound: libzmq's I/O thread would block on a full one."""
    endpoint = f"inproc://monitor-{socket.underlying:x}"
    socket.monitor(endpoint, events)
    monitor = context.socket(zmq.PAIR)
    monitor.linger = 0
    monitor.rcvhwm = 0
    monitor.connect(endpoint)
    return monitor
