"""A TCP proxy that mistreats what goes through it, as it is told on standard input.

It decides nothing: whom, how and for how long stands in each order, a JSON line. On standard output a line says what
was done; an order that finds no connection does nothing, and says nothing. Run as
``python proxy.py PORT BROKER_HOST BROKER_PORT``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any

HOST = "127.0.0.1"
CHUNK_BYTES = 65_536
# Slices of a second in which a limited byte rate is kept.
SLICES = 20
# A timer may be that much early, by the event loop's own rounding.
TOLERANCE_S = 0.01
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER of 0 s: closing sends RST, and what was not sent yet is thrown away

UP, DOWN = "up", "down"


class Cut(Exception):
    """This connection is to end now, with RST."""


class Way:
    """One direction of a connection."""

    def __init__(self, source: socket.socket, target: socket.socket) -> None:
        self._source, self._target = source, target
        self.flowing = asyncio.Event()
        self.delay_s = 0.0
        self.rate = 0  # bytes a second; 0: as fast as it goes
        self.cut_at: float | None = None  # what share of the next chunk still passes
        self._bad_until = 0.0
        self.calm()

    def calm(self) -> None:
        """Be a good line again."""
        self.flowing.set()
        self.delay_s, self.rate = 0.0, 0

    def calm_in(self, seconds: float) -> None:
        """Be a good line again after so long, and after whatever else was ordered before."""
        loop = asyncio.get_running_loop()
        self._bad_until = max(self._bad_until, loop.time() + seconds)
        loop.call_at(self._bad_until, self._calm_if_due)

    def _calm_if_due(self) -> None:
        if asyncio.get_running_loop().time() > self._bad_until - TOLERANCE_S:
            self.calm()

    async def carry(self) -> None:
        """Hand on what comes, until nothing more does."""
        loop = asyncio.get_running_loop()
        while chunk := await loop.sock_recv(self._source, CHUNK_BYTES):
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            await self.flowing.wait()
            if self.cut_at is not None:
                await loop.sock_sendall(self._target, chunk[: int(self.cut_at * len(chunk))])
                raise Cut
            await self._send(chunk)

    async def _send(self, chunk: bytes) -> None:
        loop = asyncio.get_running_loop()
        while self.rate and chunk:
            size = max(1, self.rate // SLICES)
            await loop.sock_sendall(self._target, chunk[:size])
            chunk = chunk[size:]
            await asyncio.sleep(size / self.rate if self.rate else 0)
        await loop.sock_sendall(self._target, chunk)


class Pair:
    """A connection from a client, and ours to the broker."""

    def __init__(self, client: socket.socket, broker: socket.socket) -> None:
        self._sockets = client, broker
        self.ways = {UP: Way(client, broker), DOWN: Way(broker, client)}
        self.tasks: list[asyncio.Task[None]] = []
        self.cutting = False
        self.inside = False  # it was cut after a part of a chunk

    async def run(self) -> None:
        """Hand on, both ways, until one side ends it or it is cut."""
        self.tasks = [asyncio.ensure_future(way.carry()) for way in self.ways.values()]
        done, rest = await asyncio.wait(self.tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        self.inside = any(not task.cancelled() and isinstance(task.exception(), Cut) for task in done)
        self._close()

    def _close(self) -> None:
        for each in self._sockets:
            if self.cutting:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            each.close()

    def cut(self, way: str, share: float, wait_s: float) -> None:
        """End it inside of what comes next this way; if nothing comes, then after so long."""
        self.cutting = True
        self.ways[way].cut_at = share
        asyncio.get_running_loop().call_later(wait_s, self._cut_now)

    def _cut_now(self) -> None:
        for task in self.tasks:
            task.cancel()


class Proxy:
    """All connections, and the orders."""

    def __init__(self, port: int, broker: tuple[str, int]) -> None:
        self._broker = broker
        self._pairs: list[Pair] = []
        self._running: set[asyncio.Task[None]] = set()
        self._listener = socket.create_server((HOST, port), backlog=100)
        self._listener.setblocking(False)

    async def run(self) -> None:
        """Until standard input ends."""
        orders = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
        accepting = asyncio.ensure_future(self._accept())
        say({"did": "listen"})
        while line := await orders.readline():
            self._obey(json.loads(line))
        accepting.cancel()

    async def _accept(self) -> None:
        while True:
            client, _ = await asyncio.get_running_loop().sock_accept(self._listener)
            task = asyncio.ensure_future(self._connect(client))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _connect(self, client: socket.socket) -> None:
        broker = socket.socket()
        broker.setblocking(False)
        client.setblocking(False)
        with client, broker, contextlib.suppress(OSError):
            for each in (client, broker):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().sock_connect(broker, self._broker)
            pair = Pair(client, broker)
            self._pairs.append(pair)
            try:
                await pair.run()
            finally:
                self._pairs.remove(pair)
            if pair.cutting:
                say({"did": "cut", "inside": pair.inside})

    def _obey(self, order: dict[str, Any]) -> None:
        if order["do"] == "calm":
            for pair in self._pairs:
                for way in pair.ways.values():
                    way.calm()
            return
        pairs = [pair for pair in self._pairs if not pair.cutting]
        if pairs:
            self._mistreat(pairs[int(order["which"] * len(pairs))], order)

    def _mistreat(self, pair: Pair, order: dict[str, Any]) -> None:
        way = pair.ways[order["way"]]
        if order["do"] == "cut":
            pair.cut(order["way"], order["share"], order["wait_s"])
            say({"did": "aim"})
            return
        misdeeds: dict[str, Callable[[], object]] = {
            "stall": way.flowing.clear,
            "delay": lambda: setattr(way, "delay_s", order["delay_s"]),
            "slow": lambda: setattr(way, "rate", order["rate"]),
        }
        misdeeds[order["do"]]()
        way.calm_in(order["seconds"])
        say({"did": order["do"]})


def say(thing: dict[str, Any]) -> None:
    """A line of what was done."""
    os.write(1, json.dumps(thing).encode() + b"\n")


if __name__ == "__main__":
    asyncio.run(Proxy(int(sys.argv[1]), (sys.argv[2], int(sys.argv[3]))).run())
