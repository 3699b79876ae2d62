"""The lines between clients and broker that can be mistreated: through a proxy, and through a network namespace."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.torture.proxy import DOWN, UP
from tests.torture.stage import HOST, Program, free_port, wait

# How much of a frame's chunk passes before a connection is cut in the middle of it.
LEAST_SHARE, MOST_SHARE = 0.05, 0.95
# If no frame comes for so long, it is cut between two.
CUT_WAIT_S = 0.5
LONGEST_DELAY_S = 0.3
LOWEST_RATE, HIGHEST_RATE = 2_000, 200_000  # bytes a second
# Addresses that are set aside for tests of networks (RFC 2544): nobody has them.
_NETWORK = "198.18"
_CONNECT_S = 10


class ProxyLine(Program):
    """The proxy's process, and the orders that it is given."""

    def __init__(self, folder: Path, broker_port: int) -> None:
        self.port = free_port()
        super().__init__(folder, "proxy", "tests/torture/proxy.py", str(self.port), HOST, str(broker_port))

    def start(self, *more: str) -> None:
        """Run it, and wait until it listens."""
        super().start(*more)
        wait(lambda: self.process and self.done("listen"), "the proxy listens")

    def done(self, what: str, **fields: object) -> int:
        """How many misdeeds of this kind it has done."""
        did = [json.loads(line) for line in self.printed_path.read_text().splitlines(keepends=True) if line[-1] == "\n"]
        return sum({"did": what, **fields}.items() <= each.items() for each in did)

    def cut(self, chance: random.Random) -> None:
        """End some connection with RST, inside of what is on its way."""
        self._order(chance, "cut", share=chance.uniform(LEAST_SHARE, MOST_SHARE), wait_s=CUT_WAIT_S)

    def stall(self, chance: random.Random, seconds: float) -> None:
        """Let nothing pass in one direction of some connection; the other goes on."""
        self._order(chance, "stall", seconds=seconds)

    def slow(self, chance: random.Random, seconds: float) -> None:
        """Let some connection be slow in one direction: each chunk is delayed, or so many bytes a second pass."""
        if chance.random() < 0.5:
            self._order(chance, "delay", seconds=seconds, delay_s=chance.uniform(0, LONGEST_DELAY_S))
        else:
            self._order(chance, "slow", seconds=seconds, rate=chance.randint(LOWEST_RATE, HIGHEST_RATE))

    def calm(self) -> None:
        """No misdeed goes on."""
        self.tell({"do": "calm"})

    def _order(self, chance: random.Random, what: str, **fields: object) -> None:
        self.tell({"do": what, "which": chance.random(), "way": chance.choice((UP, DOWN)), **fields})

    def tell(self, order: dict[str, Any]) -> None:
        """Give an order; it is carried out soon."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps(order).encode() + b"\n")


class Namespace:
    """A network namespace, joined to this one by a pair of virtual links; or the reason why there is none.

    Used within ``with``. Programs in it know this machine by ``host``.
    """

    def __init__(self) -> None:
        self._name = f"restante{os.getpid()}"
        # At most 15 characters, so that two runs at a time don't meet.
        self._ours, self._theirs = f"rst{os.getpid()}a", f"rst{os.getpid()}b"
        net = f"{_NETWORK}.{random.SystemRandom().randrange(256)}"
        self.host, self._guest = f"{net}.1", f"{net}.2"
        self.reason = ""

    @property
    def before(self) -> tuple[str, ...]:
        """What runs a program in it."""
        return "ip", "netns", "exec", self._name

    def __enter__(self) -> Namespace:
        if sys.platform != "linux" or not shutil.which("ip"):
            self.reason = "there is no command ip here"
        elif os.geteuid() != 0:
            self.reason = "only root may make a network namespace"
        else:
            self.reason = self._make() or self._probe()
        if self.reason:
            self._remove()
        return self

    def __exit__(self, *exception: object) -> None:
        self._remove()

    def down(self) -> None:
        """Nothing passes, and nobody is told."""
        self._ip("link", "set", self._ours, "down")

    def up(self) -> None:
        """Everything passes again."""
        self._ip("link", "set", self._ours, "up")

    def _make(self) -> str:
        inside = "-n", self._name
        try:
            self._ip("netns", "add", self._name)
            self._ip("link", "add", self._ours, "type", "veth", "peer", "name", self._theirs, "netns", self._name)
            self._ip("addr", "add", f"{self.host}/30", "dev", self._ours)
            self._ip(*inside, "addr", "add", f"{self._guest}/30", "dev", self._theirs)
            self._ip(*inside, "link", "set", "lo", "up")
            self._ip(*inside, "link", "set", self._theirs, "up")
            self.up()
        except subprocess.CalledProcessError as error:
            return f"ip said: {error.stderr.decode().strip()}"
        return ""

    def _probe(self) -> str:
        """Whether somebody in there reaches somebody here: a firewall may be between them."""
        with socket.create_server((self.host, 0)) as listener:
            place = self.host, listener.getsockname()[1]
            code = f"import socket; socket.create_connection({place!r}, {_CONNECT_S}).close()"
            tried = subprocess.run([*self.before, sys.executable, "-c", code], capture_output=True, check=False)
        return "the namespace can't reach this machine" if tried.returncode else ""

    def _remove(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError, FileNotFoundError):
            self._ip("netns", "del", self._name)

    def _ip(self, *command: str) -> None:
        subprocess.run(["ip", *command], capture_output=True, check=True)
