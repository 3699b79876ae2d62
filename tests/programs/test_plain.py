"""client.py --plain at a terminal: what is asked, what is seen, and how one gets away."""

from __future__ import annotations

import signal

import pytest

from tests.programs.programs import PASSWORD, Clients, Program

NEW = "tulips for breakfast"


def another_device(clients: Clients) -> list[str]:
    """Options for one that has never been let in, so that it is asked for the password."""
    return ["--data", str(clients.folder / "another")]


def test_a_newcomer(clients: Clients, alice: str) -> None:
    """Asked for a name, and twice for a password, unseen; an account is made; a greeting comes."""
    screen = clients.at_terminal("--plain")
    screen.see("Name: ")
    screen.type(f"{alice}\n")
    screen.see(f"There is no account {alice} yet. Choose a password to make it")
    screen.see("New password: ")
    screen.type(f"{NEW}\n")
    screen.see("Once more: ")
    screen.type(f"{NEW}\n")
    screen.see(f"the account {alice} was made just now")
    screen.see(f"welcome, {alice}; help shows the commands, exit leaves")
    screen.see("contacts: nobody")
    screen.type("hello\n")
    screen.see(f"{alice}: hello")
    screen.type("exit\n")
    ended = screen.end()
    assert ended.code == 0
    assert NEW not in ended.out
    assert clients.run(alice, NEW, "--fetch").code == 0


def test_two_different_passwords_make_no_account(clients: Clients, alice: str) -> None:
    screen = clients.at_terminal("--plain", alice)
    for asked, typed in (("New password: ", NEW), ("Once more: ", "another"), ("Again:\r\nNew password: ", "")):
        screen.see(asked)
        screen.type(f"{typed}\n")
    ended = screen.end()
    assert ended.code == 77
    assert f"there is no account {alice} here yet" in ended.out
    assert clients.run(alice, "--fetch", RESTANTE_PASSWORD="").code == 77


def test_a_taken_name_is_asked_for_its_password_once(clients: Clients, alice: str) -> None:
    clients.register(alice)
    screen = clients.at_terminal("--plain", alice, *another_device(clients))
    screen.see(f"The name {alice} is taken. If it is yours, give its password")
    screen.see("Password: ")
    screen.type(f"{PASSWORD}\n")
    screen.see(f"welcome, {alice}")
    screen.type("\x04")
    ended = screen.end()
    assert ended.code == 0
    assert PASSWORD not in ended.out
    assert "Once more" not in ended.out
    assert all(len(line) <= 80 for line in ended.out.splitlines() if "is taken" in line)


@pytest.mark.parametrize(
    ("key", "code", "told"),
    [
        ("\n", 77, "is taken; give its password, or choose another name"),
        ("\x04", 77, "is taken; give its password, or choose another name"),
        ("\x03", 130, ""),
        ("wrong\n", 77, "wrong password for"),
    ],
    ids=["Enter", "Ctrl-D", "Ctrl-C", "wrong"],
)
def test_getting_away_from_the_question(clients: Clients, alice: str, key: str, code: int, told: str) -> None:
    clients.register(alice)
    screen = clients.at_terminal("--plain", alice, "-", *another_device(clients))
    screen.see("Password: ")
    screen.type(key)
    ended = screen.end()
    assert ended.code == code
    assert told in ended.out


@pytest.mark.parametrize(("key", "code"), [("\x03", 130), ("\n", 2), ("\x04", 2)], ids=["Ctrl-C", "Enter", "Ctrl-D"])
def test_no_name(clients: Clients, key: str, code: int) -> None:
    screen = clients.at_terminal("--plain")
    screen.see("Name: ")
    screen.type(key)
    assert screen.end().code == code


def test_a_password_from_elsewhere_is_not_asked_for(clients: Clients, alice: str) -> None:
    clients.register(alice)
    screen = clients.at_terminal("--plain", alice, RESTANTE_PASSWORD=PASSWORD)
    screen.see(f"welcome, {alice}")
    screen.type("\x04")
    ended = screen.end()
    assert ended.code == 0
    assert "assword" not in ended.out


def test_ctrl_c_leaves_the_conversation(clients: Clients, alice: str) -> None:
    screen = clients.at_terminal("--plain", alice, PASSWORD)
    screen.see(f"welcome, {alice}")
    screen.type("\x03")
    assert screen.end().code == 130


def test_ctrl_d_on_half_a_line_sends_it_and_leaves_on_the_next(clients: Clients, alice: str, reader: Program) -> None:
    screen = clients.at_terminal("--plain", alice, PASSWORD)
    screen.see("here now: ")
    screen.type("half a line\x04\x04")
    assert screen.end().code == 0
    assert reader.hear_from(alice, 1) == ["half a line"]


def test_the_terminal_is_gone(clients: Clients, alice: str, reader: Program) -> None:
    screen = clients.at_terminal("--plain", alice, PASSWORD)
    screen.see("here now: ")
    screen.type("last words\n")
    screen.see("last words")
    screen.see(f"{alice}: last words")
    screen.hang_up()
    assert screen.process.wait(60) in (0, 141)  # 141 if it still had something to write
    assert reader.hear_from(alice, 1) == ["last words"]


def test_slips_of_a_person_are_no_failure(clients: Clients, alice: str) -> None:
    screen = clients.at_terminal("--plain", alice, PASSWORD)
    screen.see("here now: ")
    screen.type("/shrug\n")
    screen.see("there is no command /shrug; nothing was sent")
    screen.type("nobody-here: hi\n")
    screen.see("there is no account nobody-here; the message was not sent to anyone")
    screen.see("not sent: nobody-here: hi")
    screen.type("/quit\n")
    assert screen.end().code == 0


def test_led_by_numbers(clients: Clients, alice: str, reader: Program) -> None:
    screen = clients.at_terminal("--plain", alice, PASSWORD, "--menu")
    for asked, answer in (
        ("here now: ", "1"),
        ("To: ", "reader"),
        ("Message: ", "hello"),
        (f"{alice} -> reader: hello", "5"),
        ("here now: ", "3"),
    ):
        screen.see(asked)
        screen.type(f"{answer}\n")
    assert screen.end().code == 0
    assert reader.hear_from(alice, 1) == ["hello"]


def test_messages_come_while_one_types(clients: Clients, alice: str, reader: Program) -> None:
    screen = clients.at_terminal("--plain", alice, PASSWORD)
    screen.see("here now: ")
    screen.type("half a li")
    reader.type("me first\n")
    screen.see("reader: me first")
    screen.type("ne\n")
    screen.see(f"{alice}: half a line")
    assert screen.end(signal.SIGTERM).code == 0


def test_a_line_that_the_terminal_has_cut_is_not_sent(clients: Clients, alice: str) -> None:
    """Whoever pastes a long line would otherwise send its beginning, and never know."""
    clients.register(alice)
    screen = clients.at_terminal("--plain", alice)
    screen.see(f"welcome, {alice}")
    screen.type("x" * 5000 + "\n")
    screen.see("keeps 4095 bytes of a line: the end may be lost; nothing was sent: split it")
    screen.type("y" * 4094 + "\n")
    screen.see(f"{alice}: yyyy")
    screen.type("exit\n")
    ended = screen.end()
    assert ended.code == 0
    assert f"{alice}: x" not in ended.out
