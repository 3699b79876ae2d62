"""What the operating system says of a process, and what follows from it: cost, memory, and who was at the limit."""

from __future__ import annotations

import os
import platform
import re
import time
from collections.abc import Sequence
from pathlib import Path

import apsw
import msgspec
import zmq

TICKS = os.sysconf("SC_CLK_TCK")
# A thread that ran for so much of the time had no time left: it was the limit.
BUSY = 0.85


class Figure(msgspec.Struct, omit_defaults=True):
    """One measured shape. ``messages`` are what its cost is divided by: sends, or deliveries in a fan-out."""

    name: str
    messages: int = 0
    seconds: float = 0.0
    rate: float = 0.0  # messages a second
    cpu_us: float = 0.0  # of the broker, all its threads, for one message
    saturated: str = ""  # broker, load, machine; nothing: it waited for the disk or for the clock
    busy: float = 0.0  # cores that the broker used
    load: float = 0.0  # cores that the load generator used
    others: float = 0.0  # cores that were used by programs that have nothing to do with it
    peak_mib: float = 0.0  # the most memory that the broker had
    ratio: float = 0.0  # cpu_us by the limit's or the peer's, as ``of`` says
    of: str = ""
    size: int = 0  # bytes of a body
    window: int = 0  # messages on their way at most, of each sender
    per_frame: int = 1
    ms: dict[str, float] = {}  # p50, p99, p99.9 of a wait
    more: dict[str, float] = {}  # what only this shape has, by a name that says its unit


class Span:
    """The time from here to ``figure``, as it was for a broker, for this process, and for the machine."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._broker, self._load, self._own = _threads(pid), _threads(os.getpid()), _own_s()
        self._machine = _machine_busy()
        self._began = time.perf_counter()

    def figure(self, name: str, messages: int) -> Figure:
        """What these messages took and cost."""
        seconds = time.perf_counter() - self._began
        broker, load = _grown(self._broker, _threads(self._pid)), _grown(self._load, _threads(os.getpid()))
        own, machine = _own_s() - self._own, _machine_busy() - self._machine
        return Figure(
            name,
            messages,
            seconds,
            messages / seconds,
            sum(broker) / max(1, messages) * 1e6,
            _saturated(max(broker) / seconds, max(load) / seconds, machine / seconds),
            sum(broker) / seconds,
            own / seconds,
            max(0.0, machine - sum(broker) - own) / seconds,
            peak_mib(self._pid),
        )


def _saturated(broker: float, load: float, machine: float) -> str:
    """Who had no time left: a thread of the broker, one of the load, or all cores together."""
    if max(broker, load) >= BUSY:
        return "broker" if broker >= load else "load"
    return "machine" if machine >= BUSY * (os.cpu_count() or 1) else ""


def _threads(pid: int) -> dict[str, float]:
    """Seconds of processor that each thread has used."""
    used = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            used[task.name] = int((task / "schedstat").read_text().split()[0]) / 1e9
        except FileNotFoundError:  # it has just ended
            continue
    return used


def _grown(before: dict[str, float], after: dict[str, float]) -> list[float]:
    return [used - before.get(thread, 0.0) for thread, used in after.items()]


def _own_s() -> float:
    """Seconds of processor of this process, threads that have ended and processes that it has waited for among them."""
    return sum(os.times()[:4])


def _machine_busy() -> float:
    """Seconds of processor that all programs of this machine have used together."""
    user, nice, system, _, _, irq, softirq, *_ = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    return sum(map(int, (user, nice, system, irq, softirq))) / TICKS


def peak_mib(pid: int) -> float:
    """The most memory that a process has had."""
    return _status(pid, "VmHWM")


def resident_mib(pid: int) -> float:
    """The memory that a process has."""
    return _status(pid, "VmRSS")


def _status(pid: int, field: str) -> float:
    found = re.search(rf"{field}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) / 1024


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p99 and p99.9 in ms."""
    ordered = sorted(seconds)
    at = {"p50": 0.50, "p99": 0.99, "p99.9": 0.999}
    return {name: ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000 for name, part in at.items()}


def versions() -> dict[str, str]:
    """What it was measured with, and on."""
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return {
        "python": platform.python_version(),
        "pyzmq": zmq.pyzmq_version(),
        "libzmq": zmq.zmq_version(),
        "sqlite": apsw.sqlite_lib_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": model[1] if model else platform.processor(),
        "cores": str(os.cpu_count()),
        "measured": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }
