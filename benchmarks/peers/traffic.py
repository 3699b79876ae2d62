"""Load for a peer: the same shapes as Restante's, over plain TCP, in one loop."""

from __future__ import annotations

import contextlib
import selectors
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks import seed
from benchmarks.gauge import Figure, Span
from benchmarks.load import Silence
from benchmarks.peers.tongue import PATIENCE_S, ROOM, Line, Tongue, connect, free_port
from benchmarks.running import end
from benchmarks.shapes import SIZE_BYTES

# What is handed to the system at once, at most, and taken from it.
_CHUNK_BYTES = 262_144
# What may wait to be handed over before more is packed.
_WAITING_BYTES = 65_536
SENDERS = 8
_LOGINS = 50


class Server:
    """A peer that runs, and those who are connected to it."""

    def __init__(self, tongue: Tongue, pid: int, port: int) -> None:
        self.tongue, self.pid, self._port = tongue, pid, port
        self._lines: list[Line] = []
        self._selector = selectors.DefaultSelector()

    def enter(self, accounts: Sequence[str], reads: bool) -> list[Line]:
        """Log in with each of these, many at once: InspIRCd lets people in once a second."""
        with ThreadPoolExecutor(_LOGINS) as pool:
            lines = list(pool.map(partial(self._enter, reads), accounts))
        for line in lines:
            line.sock.setblocking(False)
            self._selector.register(line.sock, selectors.EVENT_READ, line)
        self._lines += lines
        return lines

    def _enter(self, reads: bool, account: str) -> Line:
        line = connect(self._port, account)
        self.tongue.enter(line, reads)
        return line

    def leave(self, lines: Sequence[Line]) -> None:
        """Hang up."""
        for line in lines:
            self._selector.unregister(line.sock)
            line.sock.close()
            self._lines.remove(line)

    def close(self) -> None:
        """Hang up on everybody."""
        self.leave(list(self._lines))
        self._selector.close()

    def run(self, senders: Sequence[Line], readers: Sequence[Line], seconds: float, deliveries: int) -> int:
        """Send for so long, then wait until all is taken and delivered so many times each; how many were sent."""
        until, sent = time.perf_counter() + seconds, 0
        while True:
            if time.perf_counter() < until:
                for sender in senders:
                    self._fill(sender, senders, readers)
            sent = sum(line.sent for line in senders)
            taken = not self.tongue.acknowledges or sum(line.accepted for line in senders) >= sent
            if time.perf_counter() >= until and taken and sum(line.got for line in readers) >= sent * deliveries:
                return sent
            self.turn(min(PATIENCE_S, max(until - time.perf_counter(), 1.0)))

    def drain(self, readers: Sequence[Line], messages: int) -> None:
        """Read until so many messages have come."""
        while sum(line.got for line in readers) < messages:
            self.turn(PATIENCE_S)

    def _fill(self, sender: Line, senders: Sequence[Line], readers: Sequence[Line]) -> None:
        """Pack what fits the window: of what was taken where that is told, and of what has come to the readers."""
        if len(sender.out) > _WAITING_BYTES:
            return
        room = self.tongue.window
        if self.tongue.acknowledges:
            room -= sender.sent - sender.accepted
        if readers:
            late = sum(line.sent for line in senders) - sum(line.got for line in readers) // len(readers)
            room = min(room, self.tongue.window - late)
        count = room // self.tongue.batch * self.tongue.batch
        if count > 0:
            sender.out += self.tongue.publish(sender, count, SIZE_BYTES)
            sender.sent += count
            self._flush(sender)

    def turn(self, patience_s: float) -> None:
        """Hand over what waits, and take what has come."""
        writes = selectors.EVENT_READ | selectors.EVENT_WRITE
        for line in self._lines:
            wanted = writes if line.out else selectors.EVENT_READ
            if self._selector.get_key(line.sock).events != wanted:
                self._selector.modify(line.sock, wanted, line)
        events = self._selector.select(patience_s)
        if not events and patience_s >= PATIENCE_S:
            raise Silence(f"{self.tongue.name} said nothing for {PATIENCE_S:.0f} s")
        for key, _ in events:
            self._take(key.data)

    def _take(self, line: Line) -> None:
        with contextlib.suppress(BlockingIOError):
            data = line.sock.recv(_CHUNK_BYTES)
            if not data:
                raise Silence(f"{self.tongue.name} hung up")
            self.tongue.take(line, data)
        self._flush(line)

    def _flush(self, line: Line) -> None:
        if line.out:
            with contextlib.suppress(BlockingIOError):
                line.out = line.out[line.sock.send(line.out[:_CHUNK_BYTES]) :]


@contextmanager
def served(tongue: Tongue, accounts: Sequence[str], disk: str | None) -> Iterator[Server]:
    """A peer with an empty store, until the end of the block."""
    with tempfile.TemporaryDirectory(dir=disk, prefix="restante-bench-") as folder:
        port = free_port()
        log = (Path(folder) / "said").open("w")
        command = tongue.command(Path(folder), port, accounts)
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, text=True)
        server = Server(tongue, process.pid, port)
        try:
            _await(process, port)
            yield server
        finally:
            server.close()
            end(process)
            log.close()


def _await(process: subprocess.Popen[str], port: int) -> None:
    """Until it listens."""
    until = time.perf_counter() + PATIENCE_S
    while process.poll() is None and time.perf_counter() < until:
        try:
            connect(port, "").sock.close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise Silence(f"{process.args!r} did not start to listen")


def one_to_one(tongue: Tongue, seconds: float, disk: str | None) -> Figure:
    """One sender, one reader."""
    with served(tongue, ["sender", "reader"], disk) as server:
        senders, readers = server.enter(["sender"], False), server.enter(["reader"], True)
        senders[0].to = "reader"
        span = Span(server.pid)
        return span.figure(f"{tongue.name}: 1:1", server.run(senders, readers, seconds, 1))


def fan(tongue: Tongue, count: int, seconds: float, disk: str | None) -> Figure:
    """One sender, very many readers; the figures are for a delivery."""
    accounts = seed.people("reader", count)
    with served(tongue, ["sender", *accounts], disk) as server:
        senders, readers = server.enter(["sender"], False), server.enter(accounts, True)
        senders[0].to = ROOM
        span = Span(server.pid)
        sent = server.run(senders, readers, seconds, count)
        return span.figure(f"{tongue.name}: 1→{count}", sent * count)


def offline(tongue: Tongue, seconds: float, disk: str | None) -> list[Figure]:
    """What is sent to one who is away, by eight, and what this one gets on coming back."""
    accounts = seed.people("sender", SENDERS)
    with served(tongue, ["reader", *accounts], disk) as server:
        server.leave(server.enter(["reader"], True))
        senders = server.enter(accounts, False)
        for sender in senders:
            sender.to = "reader"
        span = Span(server.pid)
        sent = server.run(senders, [], seconds, 0)
        stored = span.figure(f"{tongue.name}: store, 1 away", sent)
        span = Span(server.pid)
        server.drain(server.enter(["reader"], True), sent)
        return [stored, span.figure(f"{tongue.name}: drain, 1 back", sent)]
