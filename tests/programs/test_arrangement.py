"""A device that stays as its person has arranged it: drafts, lines typed, what calls; with real programs."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.programs.programs import PASSWORD, Clients, Program
from tests.programs.screens import Screen, talking
from tests.programs.test_terminal import leave

ALT = "\x1b"
UP = "\x1b[A"


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A file of settings that may be written."""
    return str(tmp_path / "client.toml")


def in_garden(clients: Clients, account: str, **environment: str) -> Screen:
    """Somebody who has made a room, and is in it."""
    screen = talking(clients, account, PASSWORD, **environment)
    screen.type(f"/join #garden-{account}\r")
    screen.see(f"#garden-{account}>")
    return screen


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_what_is_half_typed_survives_the_program(clients: Clients, alice: str, number: int) -> None:
    garden = f"#garden-{alice}"
    screen = in_garden(clients, alice)
    screen.type("for the garden")
    screen.see(f"{garden}> for the garden")
    screen.type(f"{ALT}1")
    screen.see("#lobby>")
    screen.type("half a li")
    screen.see("#lobby> half a li")
    screen.keep()
    screen.terminal.end(number)
    assert screen.is_clean()
    os.close(screen.kept)
    again = talking(clients, alice, PASSWORD)
    again.see("#lobby> half a li")
    again.type(f"ne\r{ALT}2")
    again.see(f"{alice}  half a line ✓")
    again.see(f"{garden}> for the garden")
    again.type("\x03")
    again.see(f"{garden}>")
    leave(again)


def test_what_was_typed_is_found_again_and_is_for_no_other_eyes(clients: Clients, alice: str) -> None:
    screen = talking(clients, alice, PASSWORD)
    screen.type("water the roses\r")
    screen.see(f"{alice}  water the roses ✓")
    screen.type("/passwd\r")
    for asked in ("Old password: ", "New password: ", "Once more: "):
        screen.see(asked)
        screen.type(f"{PASSWORD}\n")
    screen.see_in_log("the password is changed")
    leave(screen)
    (typed,) = clients.folder.rglob(f"{alice}/1/typed")
    assert typed.stat().st_mode & 0o777 == 0o600
    assert PASSWORD.encode() not in typed.read_bytes()
    again = talking(clients, alice, PASSWORD)
    again.type("\x12ros")
    again.see("#lobby> water the roses")
    again.type("\r")
    again.type("\r")
    again.see_in_log(f"{alice}  water the roses ✓")
    leave(again)


def test_what_calls_is_remembered(clients: Clients, alice: str, reader: Program, config: str) -> None:
    screen = talking(clients, alice, PASSWORD, TMUX="", RESTANTE_CONFIG=config)
    screen.type("/notify osc9 title\r")
    screen.see_in_log("notify is osc9 title, from line 1 of")
    screen.type("/mute #lobby\r")
    screen.see_in_log("nothing there calls you: #lobby")
    leave(screen)
    again = talking(clients, alice, PASSWORD, TMUX="", RESTANTE_CONFIG=config)
    reader.type(f"{alice}, look\n{alice}: psst\n")
    again.see_in_log("psst")
    again.see("unread 2 reader:1")
    assert b"\x1b]9;restante: reader\x1b\\" in again.written
    assert b"\x1b]2;(1) restante\x1b\\" in again.written
    assert b"\x07" not in again.written
    leave(again)
    assert again.written.count(b"\x1b[23;2t") == 1


def test_one_thread_with_every_key(clients: Clients, alice: str, reader: Program, config: str) -> None:
    """Python's only one, and libzmq's two."""
    screen = in_garden(clients, alice, RESTANTE_CONFIG=config)
    reader.type(f"{alice}: psst\n")
    screen.see("unread 3 reader:1")
    for keys, place in (("wat\t\t\x1b[Z\x03", ""), (f"half{ALT}1", "#lobby"), (f"{ALT}a", "reader"), (f"{ALT}2", "")):
        screen.type(keys)
        screen.see_in_log(f"plain lines go to {place or f'#garden-{alice}'} now")
    screen.see(f"#garden-{alice}> half")
    for keys in ("\x03", UP, "\x12jo\x03\x03", "/notify bell osc9 title text\r"):
        screen.type(keys)
    screen.see_in_log("notify is bell osc9 title text, from line 1 of")
    assert len(list(Path(f"/proc/{screen.terminal.process.pid}/task").iterdir())) == 3
    leave(screen)


def test_lines_of_other_rooms_say_so(clients: Clients, alice: str, bob: str) -> None:
    """In plain lines: what is said here and in the lobby stands as it is."""
    there = clients.start(bob, "--json", "--follow")
    there.hear("online")
    here = clients.start(alice, "--follow", "--to", f"#here-{alice}")
    for client in (here, there):
        for room in (f"#there-{alice}", f"#here-{alice}"):
            client.type(f"/join {room}\n")
    here.see("you are in #here", "err")
    there.hear("place", to=f"#here-{alice}")
    there.type(f"one\n/msg #there-{alice} two\n/msg #lobby three\n")
    for line in (f"{bob}: one", f"#there-{alice} {bob}: two", f"{bob}: three"):
        here.see(rf"^\d\d:\d\d {line}$")
