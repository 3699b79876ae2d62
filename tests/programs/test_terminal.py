"""client.py at a terminal: the last rows stay, what happens scrolls by above them, and nothing is torn or lost."""

from __future__ import annotations

import os
import re
import signal
import termios
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.programs.programs import PASSWORD, Broker, Clients, Program
from tests.programs.screens import Screen, at_screen, talking

NEW = "tulips for breakfast"


def leave(screen: Screen) -> None:
    screen.type("exit\r")
    assert screen.terminal.end().code == 0
    assert screen.is_clean()


def test_a_newcomer(clients: Clients, alice: str) -> None:
    """Asked for a name, and twice for a password, unseen; then the last rows appear, and lines go out."""
    screen = at_screen(clients)
    for asked, answer in (("Name: ", alice), ("New password: ", NEW), ("Once more: ", NEW)):
        screen.see(asked)
        screen.type(f"{answer}\n")
    screen.see_in_log(f"the account {alice} was made just now")
    screen.see("#lobby>")
    screen.see("● online")
    screen.type("hello\r")
    screen.see(f"{alice}  hello ✓")
    leave(screen)
    assert NEW.encode() not in screen.written
    assert clients.run(alice, NEW, "--fetch").code == 0


@pytest.mark.parametrize(("key", "code"), [("\n", 77), ("\x04", 77), ("\x03", 130), ("wrong\n", 77)])
def test_getting_away_from_the_password(clients: Clients, alice: str, key: str, code: int) -> None:
    clients.register(alice)
    screen = at_screen(clients, alice, "-", "--data", str(clients.folder / "another"))
    screen.see("Password: ")
    screen.type(key)
    assert screen.terminal.end().code == code
    assert screen.is_clean()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGINT, 130)])
def test_a_signal_leaves_a_clean_terminal(clients: Clients, alice: str, number: int, code: int) -> None:
    screen = talking(clients, alice, PASSWORD)
    screen.type("half a li")
    screen.see("#lobby> half a li")
    assert not screen.mode() & termios.ECHO
    screen.keep()
    assert screen.terminal.end(number).code == code
    assert screen.is_clean()
    assert screen.mode() & termios.ECHO
    assert screen.mode() & termios.ICANON
    os.close(screen.kept)


def test_the_terminal_is_gone(clients: Clients, alice: str, reader: Program) -> None:
    screen = talking(clients, alice, PASSWORD)
    screen.type("last words\r")
    screen.see(f"{alice}  last words ✓")
    screen.terminal.hang_up()
    assert screen.terminal.process.wait(60) == 0
    assert reader.hear_from(alice, 1) == ["last words"]


def test_nothing_is_torn(clients: Clients, alice: str, reader: Program) -> None:
    """300 keys while 300 messages arrive: every line is whole, and so is what was typed."""
    screen = talking(clients, alice, PASSWORD)
    typed = ""
    for number in range(300):
        reader.type(f"torn? {alice} {number:03} end\n")
        key = "abcdefghij"[number % 10] if number % 60 else " "
        screen.type(key)
        typed += key
    screen.see_in_log(f"{alice}» 299 end")
    screen.see(typed[-10:].strip())
    lines = [line for line in screen.all() if "torn?" in line]
    assert [re.sub(r"^\d\d:\d\d ", "", line) for line in lines] == [
        f"reader  torn? «{alice}» {number:03} end" for number in range(300)
    ]
    screen.type("\r")
    assert reader.hear_from(alice, 1) == [typed]
    leave(screen)


def flood(clients: Clients, folder: Path, account: str, messages: int) -> Program:
    """Somebody who sends so many, as fast as can be, and reads nothing."""
    path = folder / "flood"
    path.write_text("".join(f"flood {number}\n" for number in range(messages)), "utf-8")
    with path.open("rb") as lines:
        return clients.start(account, "--wait", "60", stdin=lines)


def accounted_for(screen: Screen) -> int:
    """Messages of a flood that were shown, and those that were honestly counted."""
    lines = screen.all()
    passed = [int(found[1]) for line in lines if (found := re.search(r"(\d+) messages? passed by", line))]
    return sum("flood" in line for line in lines) + sum(passed)


def test_a_flood_is_shown_or_counted(clients: Clients, alice: str, bob: str, reader: Program, tmp_path: Path) -> None:
    clients.register(bob)
    screen = talking(clients, alice, PASSWORD)
    screen.type("half a li")
    flood(clients, tmp_path, bob, 20_000)
    screen.see_in_log("flood 19999")
    assert accounted_for(screen) == 20_000
    screen.type("ne\r")
    assert reader.hear_from(alice, 1) == ["half a line"]
    leave(screen)


def test_a_stalled_terminal_loses_nothing(clients: Clients, alice: str, bob: str, tmp_path: Path) -> None:
    """Nobody reads what it writes, as after Ctrl-S; meanwhile more comes than any terminal holds."""
    clients.register(bob)
    screen = talking(clients, alice, PASSWORD)
    assert flood(clients, tmp_path, bob, 3_000).end().code == 0
    screen.see_in_log("flood 2999")
    assert accounted_for(screen) == 3_000
    leave(screen)


def test_half_a_line_survives_a_broker_that_is_killed(
    start_broker: Callable[..., Broker], clients_of: Callable[[Broker], Clients], alice: str
) -> None:
    broker = start_broker()
    screen = talking(clients_of(broker), alice, PASSWORD)
    broker.kill()
    screen.see("connection lost")
    screen.see("○ OFFLINE")
    for number in range(5):
        screen.type(f"kept {number}\r")
        screen.see(f"outbox {number + 1}")  # faster than a hand, and they would be taken for a paste
    screen.see("  ◷   kept 0")
    screen.see("  …   2 more")
    screen.type("half a li")
    start_broker(port=broker.port)
    screen.see(f"{alice}  kept 4 ✓")
    screen.see("● online")
    screen.see("#lobby> half a li")
    lines = screen.all()
    assert sum("connection lost" in line for line in lines) == 1
    assert sum("connected again" in line for line in lines) == 1
    assert [line[-8:] for line in lines if "kept" in line and "✓" in line] == [f"kept {n} ✓" for n in range(5)]
    screen.type("ne\r")
    screen.see(f"{alice}  half a line ✓")
    leave(screen)


def test_fifty_lines_are_one_message(clients: Clients, alice: str, reader: Program) -> None:
    screen = talking(clients, alice, PASSWORD)
    text = "\n".join(f"row {number}: /quit" for number in range(50))
    screen.type(f"\x1b[200~{text}\x1b[201~")
    screen.see("50 lines pasted: Enter sends one message")
    screen.type("\r")
    screen.see_in_log("… 30 more lines, /history shows them")
    assert reader.hear_from(alice, 1) == [text]
    screen.type("/history 1\r")
    screen.see_in_log("row 49: /quit")
    leave(screen)


def test_one_thread(clients: Clients, alice: str, reader: Program) -> None:
    """Python's only one, and libzmq's two."""
    screen = talking(clients, alice, PASSWORD)
    screen.type("/who\r/history\rhello\r\x1b[A")
    screen.see(f"{alice}  hello ✓")
    assert len(list(Path(f"/proc/{screen.terminal.process.pid}/task").iterdir())) == 3
    screen.type("\x03")
    leave(screen)


def test_a_password_is_changed_in_between(clients: Clients, alice: str) -> None:
    screen = talking(clients, alice, PASSWORD)
    screen.type("/passwd\r")
    for asked, answer in (("Old password: ", PASSWORD), ("New password: ", NEW), ("Once more: ", NEW)):
        screen.see(asked)
        screen.type(f"{answer}\n")
    screen.see_in_log("the password is changed")
    screen.see("#lobby>")
    screen.type("after it\r")
    screen.see(f"{alice}  after it ✓")
    leave(screen)
    assert NEW.encode() not in screen.written


def test_slips_come_back(clients: Clients, alice: str) -> None:
    screen = talking(clients, alice, PASSWORD)
    screen.type("/shrug\r")
    screen.see("there is no command /shrug; nothing was sent")
    screen.see("#lobby> /shrug")
    screen.type("\x03nobody-here: hi\r")
    screen.see("there is no account nobody-here")
    screen.see("nobody-here: hi")
    screen.type("\x03")
    leave(screen)


def test_resizing(clients: Clients, alice: str, reader: Program) -> None:
    screen = talking(clients, alice, PASSWORD)
    screen.type("half a li")
    for columns in (40, 20, 120, 80):
        screen.resize(columns, 24)
        reader.type(f"{columns} columns for {alice}\n")
        screen.see_in_log(f"{columns} columns for")
    screen.see("#lobby> half a li")
    screen.type("ne\r")
    assert reader.hear_from(alice, 1) == ["half a line"]
    leave(screen)


def test_the_bell(clients: Clients, alice: str, reader: Program) -> None:
    screen = talking(clients, alice, PASSWORD)
    reader.type("nothing for anybody\n")
    screen.see_in_log("nothing for anybody")
    assert screen.written.count(b"\x07") == 0
    reader.type(f"{alice}: psst 1\n{alice}: psst 2\n")
    screen.see_in_log("psst 2")
    assert screen.written.count(b"\x07") == 1
    leave(screen)


@pytest.mark.parametrize(("option", "term"), [("--plain", "xterm"), ("--raw", "dumb")])
def test_lines_only(clients: Clients, alice: str, option: str, term: str) -> None:
    """--plain and dumb terminals get no escape codes at all."""
    screen = clients.at_terminal(alice, PASSWORD, option, TERM=term)
    screen.see("here now: ")
    screen.type("hello\n")
    screen.see(f"{alice}: hello")
    screen.type("\x04")
    ended = screen.end()
    assert ended.code == 0
    assert "\x1b" not in ended.out


def test_pipes_do_without_the_toolkit(clients: Clients, alice: str) -> None:
    ended = clients.run(alice, typed="hello\n", PYTHONPROFILEIMPORTTIME="1")
    assert ended.code == 0
    assert "console.pipe" in ended.err
    assert "prompt_toolkit" not in ended.err
    assert "asyncio" not in ended.err
