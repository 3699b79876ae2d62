"""A party: a broker and several clients to type into, side by side in one terminal. It needs tmux.

    python demos/party.py                alice, bob, carol and dave
    python demos/party.py NAME NAME …    these

The first pane shows the broker's log. The party is over when the last guest has left, or at Ctrl-b d; then the
broker ends, and the temporary folder in which everything lies is taken away. Exit code 69: there is no tmux, or
no terminal to show it in.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # imports are absolute from the root

from demos.stage import PATIENCE_S, ROOT, Actor, Fallen, Place, Stage

GUESTS = ["alice", "bob", "carol", "dave"]
PASSWORD = "party"
EXIT_UNAVAILABLE = 69
# How often tmux is asked whether the last guest is gone.
GLANCE_S = 0.05
# Large enough to be divided; tmux fits it to the terminal as soon as it is shown there.
SIZE = ("-x", "200", "-y", "60")
LOOK = {
    "mouse": "on",
    "pane-border-status": "top",
    "pane-border-format": " #{@guest} ",
    "status-left-length": "120",
    "status-left": " click, or Ctrl-b and an arrow: another pane │ exit: leave │ Ctrl-b d: end the party ",
    "status-right": "",
    "window-status-format": "",
    "window-status-current-format": "",
}
# When only the broker's log is left, the party is over.
LAST_ONE_LEFT = "if-shell -F '#{==:#{window_panes},1}' kill-server"


class Room:
    """A tmux of our own, apart from any other that runs; ``folder`` is for its socket."""

    def __init__(self, folder: Path) -> None:
        self._tmux = ["tmux", "-S", str(folder / "socket"), "-f", os.devnull]
        # The panes inherit the password, so that no command line shows it.
        self._environment = {name: value for name, value in os.environ.items() if name != "TMUX"}
        self._environment["RESTANTE_PASSWORD"] = PASSWORD

    def furnish(self, log: Path) -> None:
        """Begin with the broker's log in the only pane."""
        self._do("new-session", "-d", *SIZE, "tail", "-n", "+1", "-F", str(log))
        self._do("set-option", "-p", "@guest", "the broker's log")
        for option, value in LOOK.items():
            self._do("set-option", "-g", option, value)
        self._do("set-hook", "-g", "pane-exited", LAST_ONE_LEFT)

    def welcome(self, guest: str, command: list[str]) -> None:
        """Give a guest a pane."""
        self._do("split-window", *command)
        self._do("set-option", "-p", "@guest", guest)
        self._do("select-layout", "tiled")

    def celebrate(self) -> None:
        """Show it until all are gone, or nobody looks any more."""
        subprocess.run([*self._tmux, "attach-session"], env=self._environment, check=False)

    def empty(self) -> None:
        """Ask whoever is still here to leave, and wait: their files can only be taken away when they are gone."""
        for pid in self._ask("list-panes", "-F", "#{pane_pid}").split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGTERM)
        end = time.monotonic() + PATIENCE_S
        while self._ask("list-panes") and time.monotonic() < end:
            time.sleep(GLANCE_S)
        self._ask("kill-server")

    def _do(self, *command: str) -> None:
        subprocess.run([*self._tmux, *command], env=self._environment, check=True)

    def _ask(self, *command: str) -> str:
        """What tmux answers; nothing if it has ended."""
        return subprocess.run([*self._tmux, *command], capture_output=True, text=True, check=False).stdout


def main(guests: list[str]) -> int:
    """The whole program; gives its exit code."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    if shutil.which("tmux") is None:
        return _fail("tmux shows the clients side by side, but there is none: install it, or use several terminals")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return _fail("a party is something to look at: start it in a terminal")
    broker = Actor("broker")
    try:
        with Stage(PATIENCE_S, heard=lambda actor, line: None) as stage:
            _hold(stage, stage.start_broker(broker), guests or GUESTS)
            stage.signal(broker, signal.SIGTERM)
    except Fallen as fallen:
        return _fail(" ".join([str(fallen), *broker.screen.lines[-1:]]))
    except subprocess.CalledProcessError:
        return _fail("this tmux is too old, or the terminal too small; try fewer guests")
    return 0


def _hold(stage: Stage, place: Place, guests: list[str]) -> None:
    room = Room(stage.folder("tmux"))
    try:
        room.furnish(stage.folder("broker") / "broker.log")
        for guest in guests:
            options = ["-n", guest, *place.options(), "--data", str(stage.folder(guest))]
            room.welcome(guest, [sys.executable, str(ROOT / "client.py"), *options])
        room.celebrate()
    finally:
        room.empty()


def _fail(sentence: str) -> int:
    print(f"party: {sentence}", file=sys.stderr)
    return EXIT_UNAVAILABLE


def _end(number: int, frame: FrameType | None) -> None:
    """Leave through every ``with``, so that nothing stays behind."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
