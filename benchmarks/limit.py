"""The limit: what ZeroMQ itself costs when it forwards the same messages and does nothing else.

A C loop (zmq.proxy) between two sockets. It stores nothing, checks nothing, and forgets what it dropped.
"""

from __future__ import annotations

import subprocess
import sys
import time

import zmq

from benchmarks.gauge import Figure, Span
from benchmarks.running import ROOT, end

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


def measure(messages: int, size: int) -> Figure:
    """What the proxy takes for a message, with a sender and a receiver in processes of their own."""
    command = [sys.executable, "-m", "benchmarks.limit"]
    with subprocess.Popen([*command, "proxy"], stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout
        front, back = process.stdout.readline().split()
        span = Span(process.pid)
        receiving = [*command, "receive", back, str(messages)]
        receive = subprocess.Popen(receiving, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        subprocess.run([*command, "send", front, str(messages), str(size)], check=True, cwd=ROOT)
        seconds, _ = receive.communicate()
        figure = span.figure("zmq.proxy", messages)
        end(process)
    figure.seconds = float(seconds)
    figure.rate, figure.size, figure.saturated = messages / float(seconds), size, ""
    return figure


if __name__ == "__main__":
    if sys.argv[1] == "proxy":
        proxy()
    elif sys.argv[1] == "send":
        send(int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        print(receive(int(sys.argv[2]), int(sys.argv[3])))
