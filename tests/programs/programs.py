"""The real programs, each a process of its own: watched within a bound, and gone when its test is over."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import resource
import selectors
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
PASSWORD = "tulip-and-teapot"
# Only a program that hangs takes so long, however slow the machine is.
BOUND_S = 60.0
_READ_BYTES = 65536
# A standard input that is not even open.
CLOSED = -9
_WITHOUT_INPUT = ["/bin/sh", "-c", 'exec "$@" <&-', "sh"]
# Makes the terminal that it is given its own, so that Ctrl-C reaches it, and becomes the program.
_IN_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    " os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)

Event = dict[str, Any]


def until(holds: Callable[[], bool], what: str) -> None:
    """Look again and again until this holds; AssertionError if it takes too long."""
    end = time.monotonic() + BOUND_S
    while not holds():
        assert time.monotonic() < end, f"in vain: {what}"
        time.sleep(0.01)  # a pause between looks


@dataclass(frozen=True)
class Ended:
    """A program that is over."""

    code: int
    out: str
    err: str
    cpu_s: float  # of a processor, in all

    @property
    def events(self) -> list[Event]:
        """What it wrote, as JSON."""
        return events(self.out)

    @property
    def texts(self) -> list[str]:
        """What the messages say that it wrote as JSON."""
        return [event["text"] for event in self.events if event["event"] == "message"]


def events(written: str) -> list[Event]:
    """The whole lines, one JSON object each."""
    return [json.loads(line) for line in written.split("\n")[:-1]]


class Program:
    """``broker.py`` or ``client.py``, running. ``out`` and ``err`` are what it has written so far."""

    def __init__(self, name: str, *options: str | Path, stdin: int | IO[bytes] = subprocess.PIPE, **env: str) -> None:
        self.process = self._start([str(ROOT / f"{name}.py"), *map(str, options)], stdin, _environment(env))
        self._written = {"out": bytearray(), "err": bytearray()}
        self._seen = {"out": 0, "err": 0}
        self._events: list[Event] = []
        self._parsed = 0  # bytes of out that these are made of
        self._selector = selectors.DefaultSelector()
        for stream, source in self._sources().items():
            self._selector.register(source, selectors.EVENT_READ, stream)
        self.ended: Ended | None = None

    def _start(self, command: list[str], stdin: int | IO[bytes], env: dict[str, str]) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        if stdin == CLOSED:
            command, stdin = [*_WITHOUT_INPUT, sys.executable, *command], subprocess.DEVNULL
        else:
            command = [sys.executable, *command]
        return subprocess.Popen(command, stdin=stdin, stdout=pipe, stderr=pipe, env=env, bufsize=0)

    def _sources(self) -> dict[str, int]:
        assert self.process.stdout and self.process.stderr
        return {"out": self.process.stdout.fileno(), "err": self.process.stderr.fileno()}

    # -- what it writes --

    @property
    def out(self) -> str:
        return self._text("out")

    @property
    def err(self) -> str:
        return self._text("err")

    @property
    def events(self) -> list[Event]:
        """What it has written, as JSON."""
        whole = self._written["out"].rfind(b"\n") + 1
        self._events += events(self._written["out"][self._parsed : whole].decode())
        self._parsed = max(self._parsed, whole)
        return self._events

    def see(self, pattern: str, stream: str = "out") -> re.Match[str]:
        """Wait until this is written, behind what was seen before."""
        find = re.compile(pattern, re.MULTILINE)
        found = self.wait(lambda: find.search(self._text(stream), self._seen[stream]), f"{pattern!r} on std{stream}")
        self._seen[stream] = found.end()
        return found

    def hear(self, event: str, **fields: object) -> Event:
        """Wait for the first event of this kind with these fields."""
        wanted = {"event": event, **fields}
        return self.wait(lambda: next((each for each in self.events if wanted.items() <= each.items()), None), wanted)

    def hear_from(self, author: str, count: int) -> list[str]:
        """Wait for so many messages of one author; what all say that have come, in the order of their logs."""

        def heard() -> list[str]:
            return [each["text"] for each in self.events if each["event"] == "message" and each["from"] == author]

        self.wait(lambda: len(heard()) >= count, f"{count} messages from {author}")
        return heard()

    def wait(self, until: Callable[[], Any], what: object) -> Any:
        """Read what it writes until this holds; AssertionError if it ends before, or takes too long."""
        end = time.monotonic() + BOUND_S
        while not (found := until()):
            left = end - time.monotonic()
            assert left > 0 and self._selector.get_map(), f"in vain: {what}\n{self.out}\n{self.err}"
            self._read(left)
        return found

    def _text(self, stream: str) -> str:
        return self._written[stream].decode(errors="replace")

    def _read(self, wait_s: float) -> None:
        for key, _ in self._selector.select(wait_s):
            try:
                read = os.read(key.fd, _READ_BYTES)
            except OSError:  # the terminal's other side is gone
                read = b""
            self._written[key.data] += read
            if not read:
                self._selector.unregister(key.fd)

    # -- what it is told --

    def type(self, text: str | bytes) -> None:
        """Write to its standard input."""
        assert self.process.stdin
        self.process.stdin.write(text.encode() if isinstance(text, str) else text)

    def end_input(self) -> None:
        """Nothing more is typed."""
        assert self.process.stdin
        self.process.stdin.close()

    def stop_reading(self) -> None:
        """Whoever read its output is gone."""
        assert self.process.stdout
        self._selector.unregister(self.process.stdout.fileno())
        self.process.stdout.close()

    # -- its end --

    def end(self, number: int = 0) -> Ended:
        """Send a signal, if one is given, and wait for the end."""
        if self.ended is None:
            if number:
                self.process.send_signal(number)
            self.wait(lambda: not self._selector.get_map(), "its end")
            self.ended = self._bury()
            self.close()
        return self.ended

    def _bury(self) -> Ended:
        """It has closed its output, so it is about to end."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        code = self.process.wait(BOUND_S)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        ended = Ended(code, self.out, self.err, cpu_s)
        assert not re.search("Traceback|Exception ignored", ended.out + ended.err), ended.out + ended.err
        return ended

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """Whatever happened, nothing stays behind."""
        if self.process.poll() is None:
            self.kill()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()
        self._selector.close()

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Terminal(Program):
    """A program at a terminal of its own, 80 × 24. ``out`` is what the screen shows."""

    def _start(self, command: list[str], stdin: int | IO[bytes], env: dict[str, str]) -> subprocess.Popen[bytes]:
        self._screen, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
        command = [sys.executable, "-c", _IN_TERMINAL, *command]
        process = subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner, env=env, start_new_session=True)
        os.close(inner)
        return process

    def _sources(self) -> dict[str, int]:
        return {"out": self._screen}

    def type(self, text: str | bytes) -> None:
        """Press these keys."""
        os.write(self._screen, text.encode() if isinstance(text, str) else text)

    def hang_up(self) -> None:
        """The terminal is gone, as when a window is closed or a line is cut."""
        if self._screen >= 0:
            os.close(self._screen)
            self._screen = -1

    def close(self) -> None:
        """Whatever happened, nothing stays behind."""
        super().close()
        self.hang_up()


class Broker(Program):
    """A broker that is ready, on a free port unless one is given."""

    def __init__(self, folder: Path, *options: str, port: int = 0) -> None:
        super().__init__("broker", "-a", HOST, "-p", str(port), "--data", folder, *options, stdin=subprocess.DEVNULL)
        self.folder = folder
        ready = self.see(r"^restante: listening on tcp://127\.0\.0\.1:(\d+), key ([a-z2-7]{52})\n")
        self.port, self.key = int(ready[1]), ready[2]

    @property
    def log(self) -> str:
        """Its log file."""
        return (self.folder / "broker.log").read_text("utf-8")


class Clients:
    """Clients of one broker, in a data folder of their own; those that are still there in the end are ended.

    They are given the broker's key, if there is one; if not, they ask for it, and say so when they first meet it.
    """

    def __init__(self, port: int, folder: Path, key: str = "") -> None:
        self.port = port
        self.folder = folder
        self.key = key
        self._started: list[Program] = []

    def start(self, *options: str, stdin: int | IO[bytes] = subprocess.PIPE, **env: str) -> Program:
        """Start a client, the password in its environment."""
        return self._started_as(Program("client", *self.place, *options, stdin=stdin, **self._env(env)))

    def at_terminal(self, *options: str, **env: str) -> Terminal:
        """Start a client at a terminal, without a password."""
        terminal = Terminal("client", *self.place, *options, **env)
        self._started_as(terminal)
        return terminal

    def run(self, *options: str, typed: str | bytes = "", **env: str) -> Ended:
        """Run a client to its end, with this on its standard input."""
        program = self.start(*options, **env)
        with contextlib.suppress(BrokenPipeError):  # it may end without reading all of it
            program.type(typed)
        program.end_input()
        return program.end()

    def register(self, *accounts: str) -> None:
        """Make accounts, so that others can write to them. Their clients' folders exist afterwards."""
        started = [self.start(account, "--fetch", stdin=subprocess.DEVNULL) for account in accounts]
        assert [program.end().code for program in started] == [0] * len(accounts)

    def fetch(self, account: str) -> Ended:
        """All that waits for an account's first device, as JSON."""
        return self.run(account, "--fetch", "--json")

    def home(self, account: str, number: int = 1) -> Path:
        """The folder of one of an account's devices."""
        return self.folder / f"{HOST}_{self.port}" / account / str(number)

    @property
    def place(self) -> list[str]:
        """The options that say which broker and which folder."""
        place = ["-a", HOST, "-p", str(self.port), "--data", str(self.folder)]
        return [*place, "--key", self.key] if self.key else place

    def _env(self, env: dict[str, str]) -> dict[str, str]:
        return {"RESTANTE_PASSWORD": PASSWORD} | env

    def _started_as(self, program: Program) -> Program:
        self._started.append(program)
        return program

    def __enter__(self) -> Clients:
        return self

    def __exit__(self, *_: object) -> None:
        """Those that are still here are ended."""
        for program in self._started:
            program.close()


def _environment(env: dict[str, str]) -> dict[str, str]:
    """The caller's own, but for what would change a program's language, or where it looks; warnings are errors."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RESTANTE_")}
    return (
        kept
        | {
            "LC_ALL": "C.UTF-8",
            "LANGUAGE": "en",
            "TERM": "xterm",
            "PYTHONWARNINGS": "error",
            "RESTANTE_CONFIG": os.devnull,
        }
        | env
    )


def running_cpu_s(program: Program) -> float:
    """Seconds of a processor that a running program has used."""
    fields = Path(f"/proc/{program.process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_kib(program: Program) -> int:
    """The most memory that a running program has held."""
    status = Path(f"/proc/{program.process.pid}/status").read_text("ascii")
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    assert found
    return int(found[1])
