"""Real programs to be mistreated: what they print goes to files that outlive them, and so does what was typed."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.torture.evidence import journal_book

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
PASSWORD = "tulip-and-teapot"
# Only what will never happen takes so long, however slow the machine is.
PATIENCE_S = 90.0
_LOOK_S = 0.02
_LISTENING = re.compile(r"^restante: listening on .+, key (\w+)\n", re.MULTILINE)


class TimedOut(AssertionError):
    """What was waited for did not happen."""


def wait(until: Callable[[], object], what: str) -> None:
    """Look until it is so; TimedOut, with what it was, if it never is."""
    end = time.monotonic() + PATIENCE_S
    while not until():
        if time.monotonic() > end:
            raise TimedOut(f"in vain: {what}")
        time.sleep(_LOOK_S)


def free_port() -> int:
    """A port for a broker that will be away for moments; the one behind it, for the broker's key, is free too.

    Not one of those that the kernel hands out (32768 and above): a client that knocks meanwhile might be given it.
    """
    for port in random.SystemRandom().sample(range(20_000, 32_768), 100):
        with socket.socket() as one, socket.socket() as other:
            try:
                one.bind((HOST, port))
                other.bind((HOST, port + 1))
            except OSError:
                continue
        return port
    raise TimedOut("no port is free")


class Program:
    """One of the programs, in a folder of its own; it may be run again and again, but once at a time."""

    def __init__(self, folder: Path, name: str, *command: str, before: tuple[str, ...] = ()) -> None:
        self.name = name
        self.shows_password = True
        self.printed_path = folder / f"{name}.printed"
        self._errors_path = folder / f"{name}.errors"
        self._command = [*before, sys.executable, str(ROOT / command[0]), *command[1:]]
        self._process: subprocess.Popen[bytes] | None = None
        self.printed_path.touch()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """What runs; an AssertionError if it ended by itself, which none of these may do."""
        assert self._process, f"{self.name} does not run"
        assert self._process.poll() is None, f"{self.name} ended with {self._process.returncode}: {self.errors()}"
        return self._process

    @property
    def is_running(self) -> bool:
        """Whether it was started and not ended by us."""
        return self._process is not None

    def errors(self) -> str:
        """What it said on stderr, in all its runs."""
        return self._errors_path.read_text(errors="replace")

    def start(self, *more: str) -> None:
        """Run it; ``more``: options for this run."""
        assert not self.is_running
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RESTANTE_")}
        password = {"RESTANTE_PASSWORD": PASSWORD} if self.shows_password else {}
        with self.printed_path.open("ab") as printed, self._errors_path.open("ab") as errors:
            self._process = subprocess.Popen(
                [*self._command, *more],
                env=environment | password | {"PYTHONUTF8": "1", "LC_ALL": "C.UTF-8", "RESTANTE_CONFIG": os.devnull},
                stdin=subprocess.PIPE,
                stdout=printed,
                stderr=errors,
                bufsize=0,
            )

    def kill(self) -> None:
        """End it as a power cut would, but that the kernel keeps what was written."""
        self.process.kill()
        self._bury()

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self.process.terminate()
        return self._bury()

    def ended(self) -> int | None:
        """The exit code, once it has ended by itself."""
        return None if self._process is None or self._process.poll() is None else self._bury()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def _bury(self) -> int:
        assert self._process
        assert self._process.stdin
        self._process.stdin.close()
        code = self._process.wait(PATIENCE_S)
        self._process = None
        return code

    def clear(self) -> None:
        """Nothing of it stays behind, whatever has happened."""
        if self._process:
            self._process.kill()
            self._bury()


class Broker(Program):
    """A broker on a port that it keeps through all its lives."""

    def __init__(self, folder: Path, address: str = HOST) -> None:
        self.port = free_port()
        self.folder = folder / "broker"
        command = ("broker.py", "-a", address, "-p", str(self.port), "--data", str(self.folder))
        super().__init__(folder, "broker", *command)

    def start(self, *more: str) -> None:
        """Run it, and wait until it listens."""
        before = self._listened()
        super().start(*more)
        wait(lambda: self.process and self._listened() > before, "the broker listens")

    @property
    def key(self) -> str:
        """Its public key, as it showed it last."""
        return str(_LISTENING.findall(self.printed_path.read_text())[-1])

    def _listened(self) -> int:
        return len(_LISTENING.findall(self.printed_path.read_text()))


class Device(Program):
    """A client named ``account-1`` or the like, whose lines say who wrote them, in which run, and which it is.

    ``NAME.typed`` has a JSON line for each line typed, and one for the end of each run. In ``NAME.printed``, between
    what the client prints, is a line for the beginning of each run. One whose options are no ``--json`` only sends.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        broker: tuple[str, int],
        *options: str,
        home: str = "",
        before: tuple[str, ...] = (),
    ) -> None:
        self.account = name.partition("-")[0]
        self.home = folder / (home or name)
        self.run = 0
        self.typed = 0  # lines in this run
        self.last_text = ""
        self._typed_path = folder / f"{name}.typed"
        self._read = 0  # bytes of what was printed
        self._events: list[dict[str, Any]] = []
        options = options or ("--json", "--follow")
        self.reads = "--json" in options
        command = ("client.py", self.account, "-a", broker[0], "-p", str(broker[1]), "--data", str(self.home))
        super().__init__(folder, name, *command, *options, before=before)

    def start(self, *more: str) -> None:
        """Run it."""
        self.run, self.typed = self.run + 1, 0
        # A killed writer may have left half a line.
        _append(self.printed_path, b"\n" + _line({"event": "run", "run": self.run, "reads": self.reads}))
        super().start(*more)
        assert self.process.stdin
        os.set_blocking(self.process.stdin.fileno(), False)

    def kill(self) -> None:
        """End it as a power cut would, but that the kernel keeps what was written."""
        super().kill()
        self._note({"run": self.run, "killed": True})

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        code = super().stop()
        self._note_end(code)
        return code

    def ended(self) -> int | None:
        """The exit code, once it has ended by itself."""
        code = super().ended()
        if code is not None:
            self._note_end(code)
        return code

    def _note_end(self, code: int) -> None:
        """What it said when it ended, and what it has left in its outbox."""
        left = sum(len(journal_book(path, self.name, messages=False).waiting) for path in self._journals())
        self._note({"run": self.run, "killed": False, "code": code, "left": left})

    def _journals(self) -> list[Path]:
        return list(self.home.glob("**/journal.sqlite"))

    def send(self, to: str, more: str = "", *options: str) -> str:
        """Run it to send one message, by ``-m``; its text."""
        text = f"{self.name} {self.run + 1}/1{more}"
        self.start("-m", f"{to}: {text}", *options)
        self._typed(to, text)
        return text

    def type(self, to: str, more: str = "") -> str:
        """Type a numbered line; its text, "" if the pipe is full just now."""
        text = f"{self.name} {self.run}/{self.typed + 1}{more}"
        assert self.process.stdin
        # Below PIPE_BUF: wholly or not at all.
        if self.process.stdin.write(f"{to}: {text}\n".encode()) is None:
            return ""
        self._typed(to, text)
        return text

    def hang_up(self) -> None:
        """Nothing more will be typed in this run."""
        assert self.process.stdin
        self.process.stdin.close()

    def _typed(self, to: str, text: str) -> None:
        self.typed += 1
        self.last_text = text
        self._note({"run": self.run, "line": self.typed, "to": to, "text": text})

    def _note(self, thing: dict[str, Any]) -> None:
        _append(self._typed_path, _line(thing))

    # -- what it has printed --

    def events(self, kind: str = "") -> list[dict[str, Any]]:
        """What it has printed in all its runs, by kind of event."""
        with self.printed_path.open("rb") as printed:
            printed.seek(self._read)
            news = printed.read()
        whole = news.rpartition(b"\n")[0]
        self._read += len(whole)
        self._events += [event for line in whole.split(b"\n") if (event := _object(line))]
        return [event for event in self._events if kind in ("", event["event"])]

    def texts(self) -> list[str]:
        """The messages that it has printed."""
        return [event["text"] for event in self.events("message")]

    def has_printed(self, text: str, start: int) -> bool:
        """Whether this stands in what it has printed, behind so many bytes."""
        with self.printed_path.open("rb") as printed:
            printed.seek(start)
            return text.encode() in printed.read()

    def is_online(self) -> bool:
        """Whether the broker has let it in, in this run."""
        known = [event["event"] for event in self.events() if event["event"] in ("run", "online", "offline")]
        return known[-1:] == ["online"]

    def come(self) -> None:
        """Run it, and wait until it is let in."""
        self.start()
        self.wait(self.is_online, "is let in")

    def wait(self, until: Callable[[], object], what: str) -> None:
        """Look until it is so, as long as the program runs."""
        wait(lambda: self.process and until(), f"{self.name} {what}")

    def wait_for(self, *texts: str) -> None:
        """Wait until these messages are printed."""
        self.wait(lambda: set(texts) <= set(self.texts()), f"prints {texts[-1]!r} and all before it")


class Stage:
    """A broker that is there, and whoever is put beside it. In the end all are gone, whatever has happened."""

    def __init__(self, folder: Path, address: str = HOST) -> None:
        self.folder = folder
        self.broker = Broker(folder, address)
        self.devices: list[Device] = []

    def __enter__(self) -> Stage:
        self.broker.start()
        return self

    def __exit__(self, *exception: object) -> None:
        for program in (*self.devices, self.broker):
            program.clear()

    def device(
        self,
        name: str,
        *options: str,
        home: str = "",
        broker: tuple[str, int] | None = None,
        before: tuple[str, ...] = (),
    ) -> Device:
        """A device that does not run yet; ``home``: whose folder it uses; ``broker``: where it looks for the broker;
        ``before``: a program that runs it.
        """
        broker = broker or (HOST, self.broker.port)
        self.devices.append(Device(self.folder, name, broker, *options, home=home, before=before))
        return self.devices[-1]


def _line(thing: dict[str, Any]) -> bytes:
    return json.dumps(thing).encode() + b"\n"


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def _object(line: bytes) -> dict[str, Any] | None:
    """A printed line; None for an empty one, and for the half one that a killed client has left."""
    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    return found
