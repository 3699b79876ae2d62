"""Honest people beside floods: what they say arrives once and in order, hardly later than on a quiet broker.

Nothing of this comes from an address that is counted: it is this machine's own, so only the limits of one connection
and of one key hold. Each flood is a process of its own (this file, run), so that it costs its own time and not the
honest side's.
"""

from __future__ import annotations

import itertools
import os
import resource
import select
import selectors
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import pytest
import zmq

from protocol import keys, limits
from protocol.frames import (
    Accepted,
    Ack,
    Deliver,
    Frame,
    Hello,
    Item,
    Ping,
    Pong,
    Post,
    decode,
    encode,
)
from protocol.passwords import AUTH_BYTES, SCHEME
from tests.programs.peers import Peer, new_device
from tests.programs.programs import BOUND_S, HOST, ROOT, Broker, Program, until
from transport import curve

# What is measured: so many round trips and so long, whichever takes longer.
ROUNDS = 100
QUIET_S, FLOOD_S = 1.0, 2.0
# A flood may make the median so many times as long, and so much longer: on one processor the flood's own process, the
# broker and this one take turns of some milliseconds, which are no matter of the broker's.
RATIO, FLOOR_S = 50, 0.05
# What the broker may grow by meanwhile: the store's caches (4 MiB of segments, 32 MiB of pages), what ZeroMQ holds for
# one connection (512 messages of 64 KiB), one turn, and Python's share; and what of it may stay, for the caches do.
GROWTH_KIB, LEFT_KIB = 96 * 1024, 64 * 1024
# Connections that say nothing, and what a process needs to hold them. A broker keeps a good quarter for itself.
SILENT = 1_000
NEEDED_FILES = 2 * SILENT
HARD_FILES = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
if HARD_FILES == resource.RLIM_INFINITY:
    HARD_FILES = sys.maxsize
# What the broker may open meanwhile: those thousand, and as many again that are over, which it may not know yet.
OPEN = 2 * SILENT

# Somebody who asks for the key in ZMTP 3: the greeting, what it is, and then questions.
ASKER = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(16 + 1 + 31) + b"\x04\x26\x05READY"
ASKER += b"\x0bSocket-Type" + struct.pack(">I", 3) + b"REQ" + b"\x08Identity" + struct.pack(">I", 0)
QUESTION = b"\x01\x00\x00\x03key"
ENDLESS = b"\x01\x00" + (b"\x01\x3c" + bytes(60)) * 100_000
NOISE = [b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 4, b"\xff" + bytes(8) + b"\x7f\x03\x00CURVE" + bytes(200)]


# ---- floods: the process that this file is when it is run ------------------------------------------------


@dataclass
class Target:
    """The broker, as the flood's process is told of it."""

    port: int
    key: str


def over() -> bool:
    """Whether the test has had enough: it closes our standard input."""
    return bool(select.select([0], [], [], 0)[0])


def noise(target: Target) -> Iterator[int]:
    """Connections that say what is no ZMTP and hang up, as fast as they can be made."""
    for number in itertools.count(1):
        with suppress(OSError), socket.create_connection((HOST, target.port), BOUND_S) as line:
            line.sendall(NOISE[number % len(NOISE)])
        yield number


def silent(target: Target, again: bool) -> Iterator[int]:
    """A thousand connections that say nothing; how many are open. Who is hung up on comes again, or does not."""
    with selectors.DefaultSelector() as selector, ExitStack() as stack:

        def call() -> None:
            line = stack.enter_context(socket.create_connection((HOST, target.port), BOUND_S))
            selector.register(line, selectors.EVENT_READ)

        for _ in range(SILENT):
            call()
        while selector.get_map():
            yield len(selector.get_map())
            for ready, _ in selector.select(0.1):
                if isinstance(line := ready.fileobj, socket.socket) and is_over(line):
                    selector.unregister(line)
                    line.close()
                    if again:
                        call()
        yield 0


def is_over(line: socket.socket) -> bool:
    """Whether this connection, of which there is something to read, has been hung up on."""
    try:
        return not line.recv(4096)
    except ConnectionError:
        return True


def silence(target: Target) -> Iterator[int]:
    """A thousand connections that say nothing, at any time."""
    return silent(target, again=True)


def thousand(target: Target) -> Iterator[int]:
    """A thousand connections that say nothing, once; it ends when all of them have been hung up on."""
    return silent(target, again=False)


def questions(target: Target) -> Iterator[int]:
    """On the key's port: noise, more questions than anybody waits for the answers to, and messages without an end."""
    said = [ASKER + QUESTION * 2000, ASKER + ENDLESS, *NOISE]
    for number in itertools.count(1):
        with suppress(OSError), socket.create_connection((HOST, target.port + 1), BOUND_S) as line:
            line.sendall(said[number % len(said)])
        yield number


def nonsense(target: Target) -> Iterator[int]:
    """A member whose frames are none; it is hung up on, and comes again by its key as soon as it may."""
    whole = encode(Post(1, [Item("mallory", "none", bytes(500))] * limits.PACK_MESSAGES))
    said, pair, device, number = [b"nonsense", whole[:-1], b"\x93" + whole[1:]], curve.make_pair(), new_device(), 0
    hello = Hello(1, 0, "mallory", device, True, {}, SCHEME, bytes(AUTH_BYTES))
    while True:
        with Peer(target, pair=pair) as peer, peer.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED) as ends:
            peer.say(hello)
            while not peer.socket.poll(10) and not ends.poll(0):
                yield number
            hello = Hello(1, 0, "mallory", device, True, {})
            while not ends.poll(0):
                if peer.socket.poll(10, zmq.POLLOUT):
                    peer.socket.send(said[number % len(said)])
                    number += 1
                yield number
            peer.socket.disable_monitor()


def messages(target: Target) -> Iterator[int]:
    """A member who writes to itself as fast as it may, and never acknowledges what it is sent."""
    with Peer(target) as peer:
        welcome = peer.log_in("mallory", reads=True)
        window, sent, accepted = welcome.window_messages, welcome.last, welcome.last
        items = [Item("mallory", "none", bytes(200))] * limits.PACK_MESSAGES
        while True:
            while room := max(0, accepted + window - sent):
                peer.say(Post(sent + 1, items[:room]))
                sent += min(room, len(items))
            if peer.socket.poll(100) and (body := peer.socket.recv()):
                frame = decode(body)
                if isinstance(frame, Accepted):
                    accepted, window = frame.n, frame.window_messages or window
            yield accepted


FLOODS: dict[str, Callable[[Target], Iterator[int]]] = {
    each.__name__: each for each in (noise, silence, questions, nonsense, messages)
}


def flood(name: str, port: str, key: str) -> None:
    """Say that it has begun; go on until it ends or the test has had enough; say how far it came."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(HARD_FILES, NEEDED_FILES), hard))
    steps = (FLOODS | {"thousand": thousand})[name](Target(int(port), key))
    came_to = next(steps)
    print("begun", flush=True)
    while not over() and (step := next(steps, None)) is not None:
        came_to = step
    print("came to", came_to, flush=True)


# ---- the honest side -------------------------------------------------------------------------------------


class Flood(Program):
    """One of these floods, running against a broker. Its process ends when its input does."""

    def __init__(self, broker: Broker, name: str) -> None:
        script = Path(__file__).resolve().relative_to(ROOT).with_suffix("")
        super().__init__(str(script), name, str(broker.port), broker.key, PYTHONPATH=str(ROOT))
        self.see("^begun$")

    def __enter__(self) -> Flood:
        return self

    def stop(self) -> int:
        """Enough; how far it came."""
        self.end_input()
        return self.came_to()

    def came_to(self) -> int:
        """How far it came; wait for its end."""
        ended = self.end()
        assert (ended.code, ended.err) == (0, "")
        return int(ended.out.rpartition(" ")[2])


class Pair:
    """Two honest members: one writes to the other whenever the last message has arrived, and each arrives once."""

    def __init__(self, broker: Broker, alice: str, bob: str) -> None:
        self._broker = broker
        self._alice, self._bob, self._name = Peer(broker), Peer(broker), bob
        self._alice.log_in(alice)
        self._bob.log_in(bob, reads=True)
        self.said = 0
        self.memory_kib = self.files = 0  # the most that the broker had, after each round trip

    def talk(self, least_s: float) -> list[float]:
        """The seconds of so many round trips as are wanted."""
        taken: list[float] = []
        end = time.monotonic() + least_s
        while len(taken) < ROUNDS or time.monotonic() < end:
            begun = time.perf_counter()
            self._round_trip()
            taken.append(time.perf_counter() - begun)
            self.memory_kib = max(self.memory_kib, resident_kib(self._broker))
            self.files = max(self.files, open_files(self._broker))
        return taken

    def _round_trip(self) -> None:
        """A message is accepted and comes: nothing is lost, doubled, or out of order."""
        self.said += 1
        text, log = b"%d" % self.said, f"@{self._name}"
        self._alice.say(Post(self.said, [Item(self._name, "none", text)]))
        (run,) = self._bob.hear(Deliver).runs
        assert (run.log, run.first, [each.body for each in run.envelopes]) == (log, self.said, [text])
        accepted = self._alice.hear(Accepted)
        assert (accepted.n, accepted.refused) == (self.said, [])
        self._bob.say(Ack({log: self.said}))

    def finish(self) -> None:
        """Nothing more has come, and nothing more is in the log."""
        self._bob.say(Ping({}))
        frames = iter(lambda: self._bob.hear(Frame), None)
        frame = next(each for each in frames if isinstance(each, Deliver | Pong))
        assert isinstance(frame, Pong), frame
        assert frame.sent[f"@{self._name}"] == self.said

    def __enter__(self) -> Pair:
        return self

    def __exit__(self, *_: object) -> None:
        for peer in (self._alice, self._bob):
            peer.__exit__()


def resident_kib(program: Program) -> int:
    """The memory that a running program holds."""
    pages = Path(f"/proc/{program.process.pid}/statm").read_text("ascii").split()[1]
    return int(pages) * resource.getpagesize() // 1024


def open_files(program: Program) -> int:
    """How many descriptors a running program has."""
    return len(os.listdir(f"/proc/{program.process.pid}/fd"))  # noqa: PTH208 # a count needs no paths


def ask_for_key(broker: Broker) -> bytes:
    """What the port behind the broker's answers."""
    with zmq.Context() as context, context.socket(zmq.REQ) as asker:
        asker.linger = 0
        asker.connect(f"tcp://{HOST}:{broker.port + 1}")
        asker.send(b"key")
        assert asker.poll(int(BOUND_S * 1000))
        return asker.recv()


def shown(taken: list[float]) -> str:
    """Median and 95th percentile, in ms."""
    return f"{median(taken) * 1000:.1f} ms (p95 {quantiles(taken, n=20)[-1] * 1000:.1f})"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory and descriptors are told by /proc")
@pytest.mark.skipif(HARD_FILES < NEEDED_FILES, reason=f"a process may have {HARD_FILES} descriptors here")
@pytest.mark.parametrize("name", FLOODS)
def test_an_honest_pair_beside(broker: Broker, name: str, alice: str, bob: str) -> None:
    with Pair(broker, alice, bob) as pair:
        quiet = pair.talk(QUIET_S)
        memory, files = resident_kib(broker), open_files(broker)
        with Flood(broker, name) as flood:
            beside = pair.talk(FLOOD_S)
            came_to = flood.stop()
        until(lambda: open_files(broker) <= files, f"{files} descriptors again")
        pair.talk(0)
        pair.finish()
        left = resident_kib(broker) - memory
    grown, opened = pair.memory_kib - memory, pair.files - files
    print(f"{name} ({came_to}): quiet {shown(quiet)}, beside {shown(beside)},", end=" ")
    print(f"{grown:+} KiB, {left:+} left, {opened:+} descriptors")
    assert median(beside) <= RATIO * median(quiet) + FLOOR_S
    assert (grown < GROWTH_KIB, left < LEFT_KIB, opened <= OPEN) == (True, True, True)
    assert ask_for_key(broker) == keys.pack_record(broker.key)


if __name__ == "__main__":
    flood(*sys.argv[1:])
