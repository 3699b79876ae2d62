"""The limit: what ZeroMQ itself costs when it forwards the same messages and does nothing else.

A C loop (zmq.proxy) between two sockets. It stores nothing, checks nothing, and forgets what it dropped.
"""

from __future__ import annotations

import sys
import time

import zmq

POLL_MS = 10_000


def proxy() -> None:
    """Forward from one port to another until killed; the ports are printed."""
    context = zmq.Context()
    front, back = context.socket(zmq.PULL), context.socket(zmq.PUSH)
    print(front.bind_to_random_port("tcp://127.0.0.1"), back.bind_to_random_port("tcp://127.0.0.1"), flush=True)
    zmq.proxy(front, back)


def send(port: int, messages: int, size: int) -> None:
    """So many messages as fast as they go."""
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.PUSH)
    socket.connect(f"tcp://127.0.0.1:{port}")
    body = b"x" * size
    for _ in range(messages):
        socket.send(body)
    socket.close(POLL_MS)
    zmq.Context.instance().term()


def receive(port: int, messages: int) -> float:
    """So many messages; the seconds from the first to the last."""
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.PULL)
    socket.connect(f"tcp://127.0.0.1:{port}")
    socket.recv()
    began = time.perf_counter()
    for _ in range(messages - 1):
        socket.recv()
    return time.perf_counter() - began


if __name__ == "__main__":
    if sys.argv[1] == "proxy":
        proxy()
    elif sys.argv[1] == "send":
        send(int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        print(receive(int(sys.argv[2]), int(sys.argv[3])))
