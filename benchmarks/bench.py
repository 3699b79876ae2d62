"""How fast the broker is on this machine, and what a message costs it.

Every shape runs against a real broker in a process of its own, with a new store on the disk of ``--data``; CPU is
the operating system's own account of the broker, I/O thread included. Beside each figure stands the ratio to
zmq.proxy in the same run: compare ratios, not rates, between machines. Run it with ``make bench``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import load  # noqa: E402 - a checkout is run as it stands
from protocol import limits  # noqa: E402

SIZE_BYTES = 200
RATE = 1_000
TICKS = os.sysconf("SC_CLK_TCK")
_spawn = get_context("spawn")


@contextmanager
def broker(data: str | None) -> Iterator[tuple[subprocess.Popen[str], load.Place]]:
    """A real broker with an empty store."""
    with tempfile.TemporaryDirectory(dir=data) as folder:
        command = [sys.executable, str(ROOT / "broker.py"), "-a", "127.0.0.1", "-p", "0", "--data", folder]
        process = subprocess.Popen([*command, "--lang", "en"], stdout=subprocess.PIPE, text=True)
        assert process.stdout
        found = re.search(r":(\d+), key (\w+)", process.stdout.readline())
        assert found, "the broker did not start"
        try:
            yield process, load.Place(int(found[1]), found[2])
        finally:
            process.terminate()
            process.wait()


def cpu(pid: int) -> float:
    """Seconds of processor that a process has used, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_kib(pid: int) -> int:
    """The most memory that a process has had."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1])


def reader(place: load.Place, messages: int, ready: Any) -> None:
    """A process that receives."""
    peer = load.Peer(place, "reader", "r" * 16, reads=True)
    ready.set()
    for _ in load.receive(peer, messages):
        pass


def one_to_one(messages: int, pack: int, data: str | None) -> dict[str, Any]:
    """One sender with a full window to one receiver, privately: every message is stored in two mailboxes."""
    with broker(data) as (process, place):
        ready = _spawn.Event()
        receiver = _spawn.Process(target=reader, args=(place, messages, ready))
        receiver.start()
        ready.wait(30)
        before = cpu(process.pid)
        sent = load.send(place, "reader", messages, pack, SIZE_BYTES)
        receiver.join()
        used = cpu(process.pid) - before
        return {
            "shape": "1:1",
            "messages": messages,
            "per_frame": pack,
            "rate": sent.messages / sent.seconds,
            "cpu_us": used / messages * 1e6,
            "peak_mib": peak_kib(process.pid) / 1024,
        }


def latency(data: str | None) -> dict[str, Any]:
    """The time from "due" to "accepted and synced" at a fixed rate."""
    with broker(data) as (_, place):
        load.Peer(place, "reader", "r" * 16, reads=False)
        took = sorted(load.pace(place, "reader", RATE, 5.0))
        names = {"p50_ms": 0.50, "p99_ms": 0.99, "p999_ms": 0.999}
        return {"rate": RATE, **{name: took[int(len(took) * part)] * 1000 for name, part in names.items()}}


def limit(messages: int) -> dict[str, float]:
    """zmq.proxy, with the same bodies."""
    script = str(ROOT / "benchmarks" / "limit.py")
    with subprocess.Popen([sys.executable, script, "proxy"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        front, back = process.stdout.readline().split()
        before = cpu(process.pid)
        receive = subprocess.Popen(
            [sys.executable, script, "receive", back, str(messages)], stdout=subprocess.PIPE, text=True
        )
        subprocess.run([sys.executable, script, "send", front, str(messages), str(SIZE_BYTES)], check=True)
        seconds, _ = receive.communicate()
        used = cpu(process.pid) - before
        process.kill()
    return {"rate": messages / float(seconds), "cpu_us": used / messages * 1e6}


def main() -> int:
    """Measure, print a table, and write JSON where that is asked for."""
    parser = argparse.ArgumentParser(description="Measure the broker on this machine.")
    parser.add_argument("--messages", type=int, default=128_000, help="messages in each shape (128000)")
    parser.add_argument("--data", help="folder on the disk to measure (the temporary one)")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    given = parser.parse_args()
    proxy = limit(given.messages * 4)
    shapes = [one_to_one(given.messages, pack, given.data) for pack in (1, limits.PACK_MESSAGES)]
    accepted = latency(given.data)
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {SIZE_BYTES}-byte bodies,"
        f" window {limits.WINDOW_MESSAGES}; every message synced and in two mailboxes\n"
    )
    print(f"{'shape':<28}{'accepted/s':>12}{'broker CPU':>14}{'CPU / proxy':>13}{'peak MiB':>10}")
    for row in shapes:
        name = f"{row['shape']}, {row['per_frame']} a frame"
        ratio = row["cpu_us"] / proxy["cpu_us"]
        print(f"{name:<28}{row['rate']:>12,.0f}{row['cpu_us']:>11.1f} µs{ratio:>13.1f}{row['peak_mib']:>10.0f}")
    print(f"{'zmq.proxy (the limit)':<28}{proxy['rate']:>12,.0f}{proxy['cpu_us']:>11.1f} µs{1:>13.1f}")
    print(
        f"\nfrom due to accepted at {RATE:,}/s: p50 {accepted['p50_ms']:.2f} ms,"
        f" p99 {accepted['p99_ms']:.2f} ms, p99.9 {accepted['p999_ms']:.2f} ms"
    )
    if given.json:
        Path(given.json).write_text(json.dumps({"proxy": proxy, "shapes": shapes, "latency": accepted}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
