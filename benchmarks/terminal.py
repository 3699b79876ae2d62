"""How soon a key is seen at a terminal while messages arrive, and how soon the prompt is there.

    python -m benchmarks.terminal [MESSAGES A SECOND] [SECONDS]

A real broker, a real client at a pseudo-terminal, and a sender that keeps its rate, all on this machine: where it has
two cores, three programs share them. From a key to its echo: p50, p95, and what p95 is of that at rest.
"""

from __future__ import annotations

import os
import pty
import select
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.running import PASSWORD, ROOT, broker, environment

PAUSE_S = 0.05


def main() -> int:
    """Measure, and print one line each."""
    rate = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 5.0
    with broker() as running, tempfile.TemporaryDirectory() as folder:
        options = ["-a", "127.0.0.1", "-p", str(running.port), "--key", running.key, "--data", folder]
        _measure(options, environment(folder) | {"TERM": "xterm-256color"}, rate, seconds)
    return 0


def _measure(options: list[str], environment: dict[str, str], rate: int, seconds: float) -> None:
    client = [sys.executable, str(ROOT / "client.py")]
    for name in ("typist", "sender"):
        first = [*client, name, *options, "--fetch"]
        subprocess.run(first, env=environment | PASSWORD, check=True, stdin=subprocess.DEVNULL)
    starts = [_start(client, options, environment) for _ in range(3)]
    print(f"start to prompt: {min(starts):.2f} s (the best of 3)")
    master, process, _ = _open(client, options, environment)
    at_rest = 0.0
    for each in (0, rate):
        times, sent = _echoes(master, [*client, "sender", *options], environment, each, seconds)
        p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
        at_rest = at_rest or p95
        print(
            f"{sent:.0f} messages/s: key to echo p50 {p50:.1f} ms, p95 {p95:.1f} ms ({p95 / at_rest:.1f} times),"
            f" {len(times)} keys"
        )
    _end(master, process)


def _open(
    client: list[str], options: list[str], environment: dict[str, str]
) -> tuple[int, subprocess.Popen[bytes], float]:
    master, inner = pty.openpty()
    began = time.monotonic()
    process = subprocess.Popen([*client, "typist", *options], stdin=inner, stdout=inner, stderr=inner, env=environment)
    os.close(inner)
    _until(master, b"lobby>")
    return master, process, time.monotonic() - began


def _start(client: list[str], options: list[str], environment: dict[str, str]) -> float:
    master, process, took = _open(client, options, environment)
    _end(master, process)
    return took


def _end(master: int, process: subprocess.Popen[bytes]) -> None:
    """What is still to be drawn is read: nobody ends who waits for a reader."""
    process.terminate()
    while process.poll() is None:
        _drain(master, PAUSE_S)
    os.close(master)


def _until(master: int, text: bytes) -> None:
    seen = b""
    while text not in seen:
        seen = seen[-200:] + os.read(master, 65536)


def _drain(master: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([master], [], [], left)[0]:
            try:
                os.read(master, 65536)
            except OSError:
                return


def _echoes(
    master: int, sender: list[str], environment: dict[str, str], rate: int, seconds: float
) -> tuple[list[float], float]:
    """Press a key that occurs in nothing else, wait until it is drawn, take it back. Times (ms), and the rate (1/s)."""
    process = subprocess.Popen(sender, stdin=subprocess.PIPE, env=environment)
    assert process.stdin
    over = threading.Event()
    with ThreadPoolExecutor() as feeder:
        fed = feeder.submit(_feed, process.stdin, rate, over)
        _drain(master, 1.0)
        times = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            times.append(_echo(master))
        over.set()
    process.stdin.close()
    process.wait()
    _drain(master, 1.0)
    return times, fed.result()


def _echo(master: int) -> float:
    began = time.monotonic()
    os.write(master, "Ж".encode())
    _until(master, "Ж".encode())
    took = (time.monotonic() - began) * 1000
    os.write(master, b"\x7f")
    _drain(master, PAUSE_S)
    return took


def _feed(pipe: object, rate: int, over: threading.Event) -> float:
    """Write lines until it is over; how many a second the sender has taken."""
    began, sent = time.monotonic(), 0
    while not over.wait(0.01):
        due = int((time.monotonic() - began) * rate) - sent
        pipe.write(b"a message of a usual length, as people write them\n" * due)  # type: ignore[attr-defined]
        pipe.flush()  # type: ignore[attr-defined]
        sent += due
    return sent / (time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
