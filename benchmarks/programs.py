"""The client program as scripts use it: how soon one line is on the broker's disk, and how fast many go in and out.

The CPU of these figures is the client's, with Python's start in it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.gauge import Figure
from benchmarks.report import Shape
from benchmarks.running import PASSWORD, ROOT, Running, broker, environment

LINES = 100_000
LINE = b"a message of a usual length, as people write them to one another in a chat\n"
STARTS = 7
_NULL = subprocess.DEVNULL


class Run(NamedTuple):
    """One run of the program."""

    seconds: float
    cpu_s: float


class Client:
    """One account's client, with a folder of its own and the device's key bound already."""

    def __init__(self, running: Running, folder: str, account: str) -> None:
        place = ["-a", "127.0.0.1", "-p", str(running.port), "--key", running.key, "--data", folder]
        self._environment = environment(folder)
        self._command = [sys.executable, str(ROOT / "client.py"), account, *place]
        self.run("--fetch", more=PASSWORD)

    def run(self, *options: str, lines: Path | None = None, more: dict[str, str] | None = None) -> Run:
        """One run with these options, to its end; AssertionError if it fails."""
        with Path(lines or os.devnull).open("rb") as source:
            began = time.perf_counter()
            process = subprocess.Popen(
                [*self._command, *options],
                stdin=source,
                stdout=_NULL,
                stderr=_NULL,
                env=self._environment | (more or {}),
            )
            _, status, used = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, f"the client ended with {process.returncode}"
        return Run(seconds, used.ru_utime + used.ru_stime)


def _figure(name: str, run: Run, messages: int) -> Figure:
    cpu_us = run.cpu_s / messages * 1e6
    return Figure(name, messages, run.seconds, messages / run.seconds, cpu_us, size=len(LINE) - 1)


def one_line(disk: str | None = None) -> Figure:
    """From the start of the program to its end after "accepted", with a device key: the median."""
    with broker(disk=disk) as running, tempfile.TemporaryDirectory(dir=disk) as folder:
        client = Client(running, folder, "cron")
        runs = sorted(client.run("-m", "done") for _ in range(STARTS))
        figure = _figure("client.py: one line accepted", runs[len(runs) // 2], 1)
        figure.more = {"start_ms": figure.seconds * 1000, "fastest_ms": runs[0].seconds * 1000}
        return figure


def file_and_bot(disk: str | None = None, lines: int = LINES) -> list[Figure]:
    """A file of lines sent to a bot that is away; then the bot, which reads them as JSON."""
    with broker(disk=disk) as running, tempfile.TemporaryDirectory(dir=disk) as folder:
        file = Path(folder) / "lines"
        file.write_bytes(LINE * lines)
        bot, sender = Client(running, folder, "bot"), Client(running, folder, "sender")
        sent = sender.run("--to", "bot", "--raw", lines=file)
        read = bot.run("--json", "--follow", "--count", str(lines))
        return [
            _figure(f"client.py: {lines:,} lines from a file", sent, lines),
            _figure(f"client.py: a bot reads {lines:,}", read, lines),
        ]


def suite(disk: str | None) -> list[Shape]:
    """All of them."""
    return [Shape("client, one line", partial(one_line, disk)), Shape("client, many", partial(file_and_bot, disk))]
