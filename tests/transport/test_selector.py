"""asyncio on ZeroMQ's poll: sockets, pipes and files in one wait."""

from __future__ import annotations

import asyncio
import os
import selectors
from pathlib import Path

import pytest
import zmq

from transport.selector import ZmqSelector


def test_a_socket_and_a_pipe_in_one_poll() -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    left, right = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
    left.bind("inproc://here")
    right.connect("inproc://here")
    reading, writing = os.pipe()
    selector = ZmqSelector()
    selector.register(right, selectors.EVENT_READ, "socket")
    selector.register(reading, selectors.EVENT_READ, "pipe")
    assert selector.select(0) == []
    left.send(b"one")
    os.write(writing, b"two")
    assert {key.data for key, _ in selector.select(1)} == {"socket", "pipe"}
    assert {key.data for key, _ in selector.select(1)} == {"socket", "pipe"}  # level-triggered
    right.recv()
    os.read(reading, 9)
    assert selector.select(0) == []
    os.close(writing)  # an end is an error alone: it has to be read
    assert [(key.data, mask) for key, mask in selector.select(1)] == [("pipe", selectors.EVENT_READ)]
    selector.close()
    os.close(reading)
    context.destroy(0)


def test_a_file_is_always_ready(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", "utf-8")
    with (tmp_path / "file").open("rb") as file, ZmqSelector() as selector:
        selector.register(file.fileno(), selectors.EVENT_READ)
        assert len(selector.select(1)) == 1


def test_what_is_registered() -> None:
    reading, writing = os.pipe()
    with ZmqSelector() as selector:
        selector.register(reading, selectors.EVENT_READ, "a")
        with pytest.raises(KeyError):
            selector.register(reading, selectors.EVENT_READ)
        assert selector.modify(reading, selectors.EVENT_READ, "b").data == "b"
        assert selector.get_key(reading).data == "b"
        assert selector.unregister(reading).fd == reading
        with pytest.raises(KeyError):
            selector.unregister(reading)
        selector.register(writing, selectors.EVENT_WRITE, "w")
        assert [(key.data, mask) for key, mask in selector.select(0)] == [("w", selectors.EVENT_WRITE)]
    os.close(reading)
    os.close(writing)


def test_asyncio_runs_on_it() -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    left, right = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
    left.bind("inproc://here")
    right.connect("inproc://here")
    loop = asyncio.SelectorEventLoop(ZmqSelector())
    heard: asyncio.Future[bytes] = loop.create_future()

    def read() -> None:
        loop.remove_reader(right)
        heard.set_result(right.recv(zmq.NOBLOCK))

    loop.add_reader(right, read)
    loop.call_later(0.01, left.send, b"hello")
    assert loop.run_until_complete(heard) == b"hello"
    loop.close()
    context.destroy(0)
