"""Programs with another clock.

The operating system's clock can't be turned for one test. So a program runs here behind a few lines that put another
one in its place; how far that is off stands in a file.
"""

from __future__ import annotations

import subprocess
import time
from datetime import datetime
from pathlib import Path
from typing import IO

from tests.programs.programs import PASSWORD, Broker, Clients, Program

# Says times that are off by the seconds that stand in a file, the wall clock's and the monotonic one's, and becomes
# the program.
TURNED = """
import os, runpy, sys, time
place, _, program = sys.argv[1:4]
del sys.argv[1:3]
del sys.argv[0]
time_ns, monotonic = time.time_ns, time.monotonic
def off_s(clock):
    with open(place, encoding="ascii") as file:
        return int(file.read().split()[clock])
time.time_ns = lambda: time_ns() + off_s(0) * 1_000_000_000
time.time = lambda: time.time_ns() / 1e9
time.monotonic = lambda: monotonic() + off_s(1)
sys.path[0] = os.path.dirname(program)
runpy.run_path(program, run_name="__main__")
"""
HOUR_S = 3600


def off_s(jump: int) -> int:
    """How far a clock is off by these hours, or in this year."""
    if abs(jump) < 24:
        return jump * HOUR_S
    return int(datetime.now().replace(year=jump, month=6, day=15).timestamp() - time.time())


class Clock:
    """A wall clock that can be turned while programs read it, and time that can pass at once."""

    def __init__(self, place: Path, jump: int = 0) -> None:
        self.place = place
        self.passed_s = 0
        self.turn(jump)

    def turn(self, jump: int) -> None:
        """The wall clock is so many hours off now, or in this year."""
        self._write(off_s(jump))

    def passes(self, seconds: int) -> None:
        """So much time is over, on every clock."""
        self.passed_s += seconds
        self._write(self.off_s + seconds)

    def _write(self, off: int) -> None:
        fresh = self.place.with_suffix(".new")
        fresh.write_text(f"{off} {self.passed_s}", "ascii")
        fresh.replace(self.place)
        self.off_s = off

    def is_about(self, at: str) -> bool:
        """Whether this is what it says, give or take what a slow machine needs."""
        return abs(datetime.fromisoformat(at).timestamp() - self.off_s - time.time()) < 20 * 60


class Turned(Program):
    """A program that lives by such a clock."""

    clock: Clock

    def _start(self, command: list[str], stdin: int | IO[bytes], env: dict[str, str]) -> subprocess.Popen[bytes]:
        return super()._start(["-c", TURNED, str(self.clock.place), "--", *command], stdin, env)


class TurnedBroker(Turned, Broker):
    """A broker that lives by such a clock."""

    def __init__(self, clock: Clock, folder: Path, *options: str, port: int = 0) -> None:
        self.clock = clock
        super().__init__(folder, *options, port=port)


class TurnedClient(Turned):
    """A client that does, in some part of the world."""

    def __init__(self, clock: Clock, clients: Clients, account: str, *options: str, zone: str = "UTC") -> None:
        self.clock, self.zone = clock, zone
        place = [*clients.place, account, *options]
        super().__init__("client", *place, RESTANTE_PASSWORD=PASSWORD, TZ=zone)
