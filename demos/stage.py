"""The stage: a real broker and real clients, each a process of its own, all watched by one loop.

Everything lies in one temporary folder. Whatever happens, no process and no file outlives the stage.
"""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple

from demos.screen import Screen

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
# Long enough for a laptop that is busy with something else; nothing waits longer than it must.
PATIENCE_S = 15.0
_LISTENING = "restante: listening on tcp://…"
_PLACE = re.compile(r"restante: listening on tcp://\S+:(\d+), key (\w+)")
_READ_BYTES = 65536


class Place(NamedTuple):
    """Where a broker is, and which key it has."""

    port: str  # "0": any free one
    key: str = ""

    def options(self) -> list[str]:
        """What a client is told: with the key it need not believe, at first sight, whoever answers there."""
        return ["-a", HOST, "-p", self.port, "--key", self.key]


@dataclass(frozen=True)
class Running:
    """A process and our ends of its pipes. Both its outputs are one pipe, so that a screen keeps their order."""

    process: subprocess.Popen[bytes]
    keyboard: IO[bytes]
    output: IO[bytes]


class Actor:
    """A program that is run, perhaps again and again, in the same folder; and its screen, which stays."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.screen = Screen()
        self.running: Running | None = None
        self.code = 0  # of the process that ended last

    def here(self) -> Running:
        """What is running; Fallen if nothing is."""
        if self.running is None:
            raise Fallen(self, "is not here")
        return self.running

    def type(self, line: str) -> None:
        """Type a line and press Enter; Fallen if nobody is there to read it."""
        try:
            self.here().keyboard.write(f"{line}\n".encode())
        except BrokenPipeError:
            raise Fallen(self, "is not here any more") from None


class Fallen(Exception):
    """With this actor something did not go as the play has it; ``what`` begins behind the actor's name."""

    def __init__(self, actor: Actor, what: str) -> None:
        super().__init__(f"{actor.name} {what}")
        self.actor = actor


class Stage:
    """Runs actors. ``patience``: how long anything is waited for, in s. ``heard`` is told of each line printed."""

    def __init__(self, patience: float, heard: Callable[[Actor, str], None]) -> None:
        self._patience, self._heard = patience, heard
        self._selector = selectors.DefaultSelector()
        self._folder = tempfile.TemporaryDirectory(prefix="restante-")

    def __enter__(self) -> Stage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nobody stays behind, not even when the play has failed or was interrupted."""
        for key in list(self._selector.get_map().values()):
            key.data.here().process.kill()
            self._bury(key.data, within=None)
        self._selector.close()
        self._folder.cleanup()

    def folder(self, name: str) -> Path:
        """The folder in which the program of an actor of this name keeps what it keeps."""
        folder = Path(self._folder.name, name)
        folder.mkdir(exist_ok=True)
        return folder

    def start(self, actor: Actor, program: str, *options: str, password: str = "") -> None:
        """Run one of the two programs in a folder of the actor's own; Fallen if the actor is here already."""
        if actor.running is not None:
            raise Fallen(actor, "is here already")
        process = subprocess.Popen(
            [sys.executable, str(ROOT / program), *options, "--data", str(self.folder(actor.name))],
            env=_environment(password),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
        )
        assert process.stdin and process.stdout  # they were asked for just now
        actor.running = Running(process, process.stdin, process.stdout)
        self._selector.register(process.stdout, selectors.EVENT_READ, actor)

    def start_broker(self, broker: Actor, port: str = "0") -> Place:
        """Run the broker, and wait until it is ready; where it is then."""
        self.start(broker, "broker.py", "-a", HOST, "-p", port)
        if not self.wait(broker, lambda: broker.screen.see(_LISTENING)):
            raise Fallen(broker, "did not get ready")
        return [Place(*found.groups()) for line in broker.screen.lines if (found := _PLACE.match(line))][-1]

    def wait(self, actor: Actor, until: Callable[[], bool]) -> bool:
        """Watch everybody until something holds. False: it did not in time, or this actor's program has ended."""
        end = time.monotonic() + self._patience
        while not until():
            left = end - time.monotonic()
            if left <= 0 or actor.running is None:
                return False
            for key, _ in self._selector.select(left):
                self._read(key.data)
        return True

    def signal(self, actor: Actor, number: signal.Signals) -> None:
        """End an actor's program by a signal; Fallen if it doesn't end in time."""
        actor.here().process.send_signal(number)
        self.wait_for_end(actor)

    def wait_for_end(self, actor: Actor) -> None:
        """Wait for the end of an actor's program; Fallen if it doesn't end in time."""
        if not self.wait(actor, lambda: actor.running is None):
            raise Fallen(actor, f"did not end within {self._patience:g} s")

    def _read(self, actor: Actor) -> None:
        read = os.read(actor.here().output.fileno(), _READ_BYTES)
        for line in actor.screen.feed(read):
            self._heard(actor, line)
        if not read:
            self._bury(actor, self._patience)

    def _bury(self, actor: Actor, within: float | None) -> None:
        """The program has closed its output, as it does by ending; Fallen if it goes on without, longer than this."""
        running, actor.running = actor.here(), None
        self._selector.unregister(running.output)
        running.keyboard.close()
        running.output.close()
        try:
            actor.code = running.process.wait(within)
        except subprocess.TimeoutExpired:
            running.process.kill()
            running.process.wait()
            raise Fallen(actor, "closed its output, but did not end") from None


def _environment(password: str) -> dict[str, str]:
    """The caller's own, but for what would change a client's language or where it looks."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RESTANTE_")}
    said = {"RESTANTE_PASSWORD": password, "RESTANTE_CONFIG": os.devnull}
    return kept | {"LC_ALL": "C.UTF-8", "LANGUAGE": "en", "PYTHONUTF8": "1"} | said
