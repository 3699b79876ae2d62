"""Two people in tmux: what a terminal that wraps lines anew, scrolls and copies makes of it all."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.programs.programs import BOUND_S, PASSWORD, ROOT, Broker, Clients

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


class Window:
    """A client in a tmux of its own."""

    def __init__(
        self,
        folder: Path,
        clients: Clients,
        account: str,
        columns: int,
        rows: int,
        in_shell: bool = False,
        options: tuple[str, ...] = (),
    ) -> None:
        self._tmux = ["tmux", "-S", str(folder / account), "-f", os.devnull]
        command = [sys.executable, str(ROOT / "client.py"), account, *clients.place, *options]
        kept = {name: value for name, value in os.environ.items() if name not in ("TMUX", "NO_COLOR")}
        environment = kept | {"RESTANTE_PASSWORD": PASSWORD, "LC_ALL": "C.UTF-8", "RESTANTE_CONFIG": os.devnull}
        size = ["-x", str(columns), "-y", str(rows)]
        subprocess.run(
            [*self._tmux, "new-session", "-d", *size, *(["sh", "-i"] if in_shell else command)],
            env=environment,
            check=True,
        )
        self._do("set-option", "-g", "remain-on-exit", "on")
        self._written = folder / f"{account}-written"
        self._written.touch()
        self._do("pipe-pane", "-O", f"cat >> {shlex.quote(str(self._written))}")
        if in_shell:
            self.type(shlex.join(command), "Enter")

    def _do(self, *command: str) -> str:
        return subprocess.run([*self._tmux, *command], capture_output=True, text=True, check=True).stdout

    def type(self, *keys: str) -> None:
        self._do("send-keys", *keys)

    def resize(self, columns: int, rows: int) -> None:
        """And wait until the program has drawn anew: else the next one comes before it has seen this one."""
        before = self._written.stat().st_size
        self._do("resize-window", "-x", str(columns), "-y", str(rows))
        end = time.monotonic() + BOUND_S
        while self._written.stat().st_size == before:
            assert time.monotonic() < end, f"nothing was drawn\n{self.shown()}"
            time.sleep(0.02)  # a pause between looks, within a bound

    def shown(self) -> str:
        """Scrollback and screen; lines that the terminal wrapped are joined."""
        return self._do("capture-pane", "-p", "-J", "-S", "-")

    def see(self, text: str, times: int = 1) -> str:
        end = time.monotonic() + BOUND_S
        while (shown := self.shown()).count(text) < times:
            assert time.monotonic() < end, f"in vain, {times} times: {text}\n{shown}"
            time.sleep(0.02)  # a pause between looks, within a bound
        return shown

    def end(self) -> str:
        """What is shown once the program has ended; the words that tmux writes then do not always come."""
        end = time.monotonic() + BOUND_S
        while self._do("display-message", "-p", "#{pane_dead}").strip() != "1":
            assert time.monotonic() < end, f"it goes on\n{self.shown()}"
            time.sleep(0.02)  # a pause between looks, within a bound
        return self.shown()

    def close(self) -> None:
        subprocess.run([*self._tmux, "kill-server"], check=False, capture_output=True)


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Callable[..., Window]]:
    windows: list[Window] = []

    def start(
        clients: Clients,
        account: str,
        columns: int = 80,
        rows: int = 24,
        in_shell: bool = False,
        options: tuple[str, ...] = (),
    ) -> Window:
        windows.append(Window(tmp_path, clients, account, columns, rows, in_shell, options))
        return windows[-1]

    yield start
    for each in windows:
        each.close()


def prompts(shown: str) -> int:
    return sum("#lobby>" in line for line in shown.splitlines())


def test_two_people_and_a_broker_that_is_killed(
    start_broker: Callable[..., Broker], clients_of: Callable[[Broker], Clients], window: Callable[..., Window]
) -> None:
    broker = start_broker()
    clients = clients_of(broker)
    alice = window(clients, "alice")
    alice.see("● online")
    bob = window(clients, "bob", 40, 12)
    bob.see("● online")
    alice.type("hello bob", "Enter")
    bob.see("alice  hello «bob»")
    bob.type("alice: psst", "Enter")
    alice.see("bob → you  psst")
    broker.kill()
    alice.see("○ OFFLINE")
    bob.see("○ OFFLINE")
    alice.type("typed while it was gone", "Enter")
    alice.see("  ◷   typed while it was gone")
    bob.type("half a li")
    bob.see("#lobby> half a li")
    start_broker(port=broker.port)
    shown = alice.see("alice  typed while it was gone ✓")
    assert shown.count("connection lost") == shown.count("connected again") == 1
    bob.see("alice  typed while it was gone")
    bob.type("ne", "Enter")
    alice.see("bob  half a line")
    alice.type("exit", "Enter")
    assert "/help\n" not in alice.end()


def test_being_led_by_numbers(
    start_broker: Callable[..., Broker], clients_of: Callable[[Broker], Clients], window: Callable[..., Window]
) -> None:
    clients = clients_of(start_broker())
    clients.register("bob")
    alice = window(clients, "alice", options=("--menu",))
    menu = "\n1 message, 2 help, 3 exit, 4 contacts, 5 who:"
    alice.see(menu)
    for line, asks in (("1", "\nTo:"), ("b0b", "\nMessage:"), ("hi", "\nTo:"), ("bob", "\nMessage:")):
        alice.type(line, "Enter")
        alice.see(asks)
    assert "there is no account b0b" in alice.shown()
    alice.type("hi there", "Enter")
    alice.see("alice → bob  hi there ✓")
    for line, told in (
        ("hello", "hello is not offered here; nothing was sent: "),
        ("4", "\n1 list, 2 add, 3 remove, 4 back:"),
        ("add", "\nAdd:"),
        ("bob", "* contacts: bob"),
        ("", menu),
        ("/menu", "\n#lobby>"),
        ("/menu", menu),
    ):
        alice.type(line, "Enter")
        alice.see(told)
    alice.type("3", "Enter")
    alice.end()
    assert "hi there" in clients.run("bob", "--fetch").out


def test_ctrl_z_and_fg(
    start_broker: Callable[..., Broker], clients_of: Callable[[Broker], Clients], window: Callable[..., Window]
) -> None:
    clients = clients_of(start_broker())
    clients.register("bob")
    alice = window(clients, "alice", in_shell=True)
    alice.see("● online")
    alice.type("half a li", "C-z")
    alice.see("Stopped")
    assert "#lobby>" not in alice.shown()
    assert clients.run("bob", "-m", "while you were stopped").code == 0
    alice.type("fg", "Enter")
    alice.see("bob  while you were stopped")
    alice.see("#lobby> half a li")
    alice.type("ne", "Enter")
    alice.see("alice  half a line ✓")


def test_ctrl_z_in_a_question_for_a_password_and_fg(
    start_broker: Callable[..., Broker], clients_of: Callable[[Broker], Clients], window: Callable[..., Window]
) -> None:
    carol = window(clients_of(start_broker()), "carol", in_shell=True, options=("--password", "-"))
    carol.see("New password:")
    carol.type("clear-me", "C-z")
    carol.see("Stopped")
    carol.type("echo one can see this", "Enter")
    carol.see("echo one can see this")
    carol.type("fg", "Enter")
    carol.see("New password:", times=2)
    carol.type(PASSWORD, "Enter")
    carol.see("Once more:")
    carol.type(PASSWORD, "Enter")
    assert PASSWORD not in carol.see("● online")


def test_resizing_leaves_no_ghosts(
    start_broker: Callable[..., Broker], clients_of: Callable[[Broker], Clients], window: Callable[..., Window]
) -> None:
    alice = window(clients_of(start_broker()), "alice")
    alice.see("● online")
    for number in range(20):
        alice.type(f"line {number}", "Enter")
        alice.see(f"line {number} ✓")  # faster than a hand, and it would be taken for a paste
    alice.type("half a line that is so long that it has to be wrapped in a window that is narrow")
    for columns, rows in ((60, 24), (40, 12), (100, 30), (30, 10), (80, 24)):
        alice.resize(columns, rows)
        alice.see("online")
    shown = alice.see("s narrow\n")
    assert prompts(shown) <= 2, shown
    assert [f"line {number} ✓" in shown for number in range(20)] == [True] * 20
