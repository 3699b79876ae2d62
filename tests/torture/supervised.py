"""A broker that is killed again and again, and started again as systemd would, while three bots work.

``python -m tests.torture.supervised --minutes 5 --every 20`` prints what was seen; the exit code is 1 if something was
lost, came twice, or came in another order than it was said.

The bots are two of the examples, feed and reminder, and one that answers everything. Somebody gives them work and
counts what comes back: lines of a log file, private messages, reminders.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from tests.torture.stage import HOST, PASSWORD, PATIENCE_S, ROOT, free_port, wait

UNIT = (ROOT / "install" / "systemd" / "restante-broker.service").read_text("utf-8")
RESTART_S, STOP_S = (
    float(re.findall(rf"^{name}=(\d+)$", UNIT, re.MULTILINE)[0]) for name in ("RestartSec", "TimeoutStopSec")
)
# The pause between two pieces of work; of so many one is a reminder, too.
PAUSE_S, REMINDER_EACH = 0.1, 10
MINUTE_S = 60.0
LOG, ROOM = "app.log", "#ops"
REMINDED = "you wanted to be reminded: "


class Supervisor:
    """Starts a broker whenever there is none, and hears from it when it is ready, as systemd does (Type=notify)."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.kills: list[float] = []
        self.ready_at: list[float] = []
        self.code: int | None = None
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._over = threading.Event()
        self._notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notified.settimeout(PATIENCE_S)
        self._notified.bind(str(folder / "notify"))
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        options = ["-a", HOST, "-p", str(self.port), "--data", str(self._folder / "broker")]
        environment = {**os.environ, "NOTIFY_SOCKET": str(self._folder / "notify")}
        while not self._over.is_set():
            with (self._folder / "broker.printed").open("ab") as printed:
                command = [sys.executable, str(ROOT / "broker.py"), *options]
                self._process = subprocess.Popen(command, env=environment, stdout=printed, stderr=printed)
            while self._notified.recv(4096) != b"READY=1":
                pass  # what a broker says when it stops
            self.ready_at.append(time.monotonic())
            self.code = self._process.wait()
            self._over.wait(RESTART_S)

    @property
    def up(self) -> bool:
        """Whether the last one has said that it is ready."""
        return len(self.ready_at) > len(self.kills)

    @property
    def key(self) -> str:
        """The broker's key."""
        return re.findall(r", key (\w+)\n", (self._folder / "broker.printed").read_text())[0]

    def kill(self) -> None:
        """End the broker as a power cut would."""
        wait(lambda: self.up, "the broker is ready again")
        assert self._process
        self._process.kill()
        self.kills.append(time.monotonic())

    def stop(self) -> int | None:
        """Ask the broker to end, and start no other; its exit code."""
        if self._process and self._thread.is_alive():
            wait(lambda: self.up, "the broker is ready again")
            self._over.set()
            self._process.terminate()
            self._thread.join(STOP_S)
        self._notified.close()
        return self.code

    @property
    def away_s(self) -> list[float]:
        """From each kill to the next broker that was ready."""
        return [ready - kill for kill, ready in zip(self.kills, self.ready_at[1:], strict=False)]


class Found(NamedTuple):
    """What was seen of one bot's work."""

    bot: str
    given: int
    lost: int
    doubled: int
    disordered: int


class Giver:
    """Gives work, and reads what comes back; a client that is never killed."""

    def __init__(self, folder: Path, supervisor: Supervisor) -> None:
        self._printed = folder / "giver.printed"
        self._log = folder / LOG
        place = ["-a", HOST, "-p", str(supervisor.port), "--key", supervisor.key, "--data", str(folder / "giver")]
        self.process = _start(folder, "giver", ["client.py", "giver", "--json", "--follow", *place], {})
        self.given = 0
        self._type(f"/join {ROOM}")
        wait(lambda: self._events("joined", room=ROOM), "the room is there")

    def give(self) -> None:
        """One piece of work for each, numbered; a reminder only now and then."""
        self.given += 1
        with self._log.open("a") as log:
            log.write(f"line {self.given}\n")
        self._type(f"parrot: word {self.given}")
        if self.given % REMINDER_EACH == 0:
            self._type(f"reminder: in 1s tea {self.given}")

    def sees(self, *bots: str) -> bool:
        """Whether these have come."""
        return {each["account"] for each in self._events("joined")} >= set(bots)

    def findings(self) -> list[Found]:
        """What has come of it so far."""
        reminders = [f"tea {number}" for number in range(REMINDER_EACH, self.given + 1, REMINDER_EACH)]
        reminded = [text.removeprefix(REMINDED) for text in self._texts("reminder") if text.startswith(REMINDED)]
        numbers = range(1, self.given + 1)
        return [
            _found("feed", [f"line {number}" for number in numbers], self._texts("feed")),
            _found("parrot", [f"word {number}" for number in numbers], self._texts("parrot")),
            _found("reminder", reminders, reminded),
        ]

    def _texts(self, author: str) -> list[str]:
        return [each["text"] for each in self._events("message") if each["from"] == author]

    def _events(self, kind: str, **fields: str) -> list[dict[str, Any]]:
        lines = self._printed.read_text().split("\n")[:-1]
        wanted = {"event": kind, **fields}
        return [each for each in map(json.loads, lines) if wanted.items() <= each.items()]

    def _type(self, text: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{text}\n".encode())


def _found(bot: str, wanted: list[str], seen: list[str]) -> Found:
    """How what came differs from what was to come."""
    times, place = Counter(seen), {text: number for number, text in enumerate(wanted)}
    places = [place[text] for text in dict.fromkeys(seen) if text in place]
    disordered = sum(later < earlier for earlier, later in pairwise(places))
    strange = sum(text not in place for text in times)
    doubled = sum(count - 1 for count in times.values())
    return Found(bot, len(wanted), len(place.keys() - times.keys()), doubled + strange, disordered)


def _start(folder: Path, name: str, command: list[str], more: dict[str, str]) -> subprocess.Popen[bytes]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("RESTANTE_")}
    environment |= {"RESTANTE_PASSWORD": PASSWORD, "RESTANTE_CONFIG": os.devnull, "PYTHONUTF8": "1", **more}
    with (folder / f"{name}.printed").open("ab") as printed, (folder / f"{name}.errors").open("ab") as errors:
        return subprocess.Popen(
            [sys.executable, str(ROOT / command[0]), *command[1:]],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=printed,
            stderr=errors,
            bufsize=0,
        )


@contextmanager
def _working(folder: Path, supervisor: Supervisor) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The three bots; in the end they are asked to go."""
    commands = {
        "feed": ["examples/feed.py", str(folder / LOG), ROOM],
        "reminder": ["examples/reminder.py", str(folder / "reminders.json")],
        "parrot": ["tests/torture/parrot.py"],
    }
    broker = f"tcp://{HOST}:{supervisor.port}#{supervisor.key}"
    bots = [
        _start(folder, name, command, {"RESTANTE_BROKER": broker, "RESTANTE_DATA": str(folder / name)})
        for name, command in commands.items()
    ]
    try:
        yield bots
    finally:
        for bot in bots:
            _end(bot)


def _end(process: subprocess.Popen[bytes]) -> int:
    if process.stdin:
        process.stdin.close()
    process.send_signal(signal.SIGTERM)
    try:
        return process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


class Seen(NamedTuple):
    """What a run has shown."""

    found: list[Found]
    kills: int
    away_s: list[float]
    code: int | None  # with which the last broker ended

    @property
    def kept(self) -> bool:
        """Whether every promise was."""
        return self.code == 0 and not any(each.lost or each.doubled or each.disordered for each in self.found)


def act(folder: Path, seconds: float, every_s: float, seed: int) -> Seen:
    """Work and kills for so long; then all that is owed must come."""
    chance = random.Random(seed)
    with ExitStack() as stack:
        supervisor = Supervisor(folder)
        stack.callback(supervisor.stop)
        wait(lambda: supervisor.up, "the broker is ready")
        giver = Giver(folder, supervisor)
        stack.callback(_end, giver.process)
        bots = stack.enter_context(_working(folder, supervisor))
        wait(lambda: giver.sees("reminder", "parrot"), "the bots are there")
        _go_on(giver, supervisor, chance, seconds, every_s)
        wait(lambda: not any(each.lost for each in giver.findings()), "all that is owed comes")
        assert all(each.poll() is None for each in (*bots, giver.process)), "nobody has given up"
        stack.pop_all().close()
        return Seen(giver.findings(), len(supervisor.kills), supervisor.away_s, supervisor.code)


def _go_on(giver: Giver, supervisor: Supervisor, chance: random.Random, seconds: float, every_s: float) -> None:
    """The kills come at moments of their own, one in each span of this length."""
    began = time.monotonic()
    due = [number * every_s + chance.uniform(0.5, 1.0) * every_s for number in range(int(seconds / every_s))]
    while (now := time.monotonic() - began) < seconds or due:
        giver.give()
        if due and now >= due[0]:
            supervisor.kill()
            due.pop(0)
        time.sleep(PAUSE_S)  # it makes the load, and nothing depends on it


def table(seen: Seen) -> str:
    """What was seen, for people."""
    lines = ["bot        given   lost  twice  out of order"]
    lines += [
        f"{each.bot:<10} {each.given:>5,} {each.lost:>6} {each.doubled:>6} {each.disordered:>13}" for each in seen.found
    ]
    away = f"{min(seen.away_s):.1f} to {max(seen.away_s):.1f} s" if seen.away_s else "never"
    return "\n".join(
        [*lines, f"broker killed {seen.kills} times, away for {away}; in the end it ended with {seen.code}"]
    )


def main() -> int:
    """Run, and tell; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.supervised", description="Kill a broker at work.")
    parser.add_argument("--minutes", type=float, default=5.0, help="how long (5)")
    parser.add_argument("--every", type=float, default=20.0, help="seconds from one kill to the next (20)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32), help="repeat the moments")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="restante-supervised-") as folder:
        seen = act(Path(folder), given.minutes * MINUTE_S, given.every, given.seed)
    print(table(seen))
    return 0 if seen.kept else 1


if __name__ == "__main__":
    sys.exit(main())
