"""Restante beside others, in one run, over the same loopback TCP: ``make bench-peers``.

Each is measured with the settings that suit it best and with those that come nearest to Restante's promise. Who is not
installed is left out, and named; benchmarks/install-peers installs them on Debian.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial

from benchmarks import limit, shapes
from benchmarks.bench import LIMIT_MESSAGES, finish
from benchmarks.gauge import Figure
from benchmarks.peers.irc import Irc
from benchmarks.peers.mqtt import Mosquitto
from benchmarks.peers.nats import Core, JetStream
from benchmarks.peers.tongue import Tongue, found
from benchmarks.peers.traffic import fan, offline, one_to_one
from benchmarks.peers.xmpp import Prosody
from benchmarks.report import HEADER, Shape, run
from benchmarks.running import ROOT

READERS = 100
PEERS: Sequence[Tongue] = (
    Mosquitto(1),
    Mosquitto(0),
    Core(),
    JetStream("always"),
    JetStream("2m"),
    Irc("ngIRCd", "ngircd", 200),
    Irc("InspIRCd", "inspircd", 128),
    Prosody(),
)
# What tells a program's version. Nobody is started by it.
_VERSION = {
    "mosquitto": ("mosquitto", "-h"),
    "ngircd": ("ngircd", "--version"),
    "inspircd": ("inspircd", "--version"),
    "nats-server": ("nats-server", "--version"),
    "prosody": ("prosodyctl", "about"),
}
_VERSION_S = 10.0


def ours(seconds: float, disk: str | None) -> list[Shape]:
    """The shapes in which Restante is compared."""
    measured: list[Shape] = [
        Shape("pairs", partial(shapes.pairs, 1, seconds, 1, disk)),
        Shape("fan", partial(shapes.fan, READERS, seconds, 1, disk)),
        Shape("offline", partial(shapes.offline, 1, seconds, disk)),
    ]
    return [Shape(f"Restante: {name}", partial(_named, measure)) for name, measure in measured]


def _named(measure: Callable[[], Figure | list[Figure]]) -> list[Figure]:
    """Say whose figures these are."""
    measured = measure()
    figures = measured if isinstance(measured, list) else [measured]
    for each in figures:
        each.name = f"Restante: {each.name}"
    return figures


def theirs(tongue: Tongue, seconds: float, disk: str | None) -> list[Shape]:
    """The shapes that a peer knows."""
    measured = [Shape(f"{tongue.name}: 1:1", partial(one_to_one, tongue, seconds, disk))]
    if tongue.fans:
        measured.append(Shape(f"{tongue.name}: fan", partial(fan, tongue, READERS, seconds, disk)))
    if tongue.stores:
        measured.append(Shape(f"{tongue.name}: offline", partial(offline, tongue, seconds, disk)))
    return measured


def _version(program: str) -> str:
    """The version of a program, as it says itself; "?" if it does not."""
    teller, option = _VERSION[program]
    try:
        run = subprocess.run(
            [str(found(teller)), option], capture_output=True, text=True, check=False, timeout=_VERSION_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return "?"
    said = re.search(rf"^\W*{program}\D*([\d.]+)", run.stdout + run.stderr, re.IGNORECASE | re.MULTILINE)
    return said[1] if said else "?"


def main() -> int:
    """Measure, print a table, and write JSON."""
    parser = argparse.ArgumentParser(prog="make bench-peers", description="Measure Restante beside others.")
    parser.add_argument("--seconds", type=float, default=4.0, help="time for each shape (4)")
    parser.add_argument("--only", default="", metavar="NAME", help="only the peers whose name has this")
    parser.add_argument("--disk", metavar="DIR", help="folder on the disk to measure (the temporary one)")
    given = parser.parse_args()
    # A wheel of requirements-bench.txt puts its program beside Python.
    os.environ["PATH"] += os.pathsep + str(ROOT / ".venv" / "bin")
    chosen = [peer for peer in PEERS if given.only.lower() in peer.name.lower()]
    here = [peer for peer in chosen if found(peer.program)]
    print(f"{shapes.SIZE_BYTES}-byte bodies over loopback TCP; the ratio is to zmq.proxy's CPU.\n\n{HEADER}")
    wanted = [*ours(given.seconds, given.disk)]
    for peer in here:
        wanted += theirs(peer, given.seconds, given.disk)
    report = run("peers", limit.measure(LIMIT_MESSAGES, shapes.SIZE_BYTES), wanted)
    for peer in here:
        report.versions[peer.name] = f"{_version(peer.program)}; promise: {peer.promise}"
    failed = finish(report, not given.only)
    for peer in chosen:
        if peer not in here:
            print(f"{peer.name} is not here: {peer.program} was not found; see benchmarks/install-peers")
    return failed


if __name__ == "__main__":
    sys.exit(main())
