"""Settings with the real client: what the file says counts, what is wrong in it is told, and /set writes it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.programs.programs import HOST, PASSWORD, Broker, Clients, Ended, Program
from tests.programs.screens import Screen

COLOUR = re.compile(rb"\x1b\[0;[0-9;]*3[0-9]m")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "client.toml"


def without_place(folder: Path, config: Path, *options: str, typed: str = "") -> Ended:
    """A client that is told nothing of a broker."""
    options = *options, "--config", str(config), "--data", str(folder)
    with Program("client", *options, RESTANTE_PASSWORD=PASSWORD) as client:
        client.type(typed)
        client.end_input()
        return client.end()


def test_who_and_where_stand_in_the_file(broker: Broker, alice: str, config: Path, tmp_path: Path) -> None:
    config.write_text(f'broker = "tcp://{HOST}:{broker.port}#{broker.key}"\naccount = "{alice}"\n')
    ended = without_place(tmp_path / "data", config, "--fetch", "--json")
    assert (ended.code, ended.events[0]["account"], ended.err) == (0, alice, "")


def test_a_line_for_one_broker_goes_to_no_other(config: Path, tmp_path: Path) -> None:
    config.write_text('notify = "bell"\nbroker = "chat.example"\n')
    ended = without_place(tmp_path / "data", config, "alice", "-m", "hi")
    assert (ended.code, ended.out) == (2, "")
    assert f"line 2 of {config}: broker was passed over: " in ended.err
    assert not (tmp_path / "data").exists()


def test_what_is_wrong_is_told_and_nothing_fails_for_it(clients: Clients, alice: str, config: Path) -> None:
    clients.register(alice)
    config.write_text("notify = 'loud'\n\nnotif = 1\n[aliases]\nhi = '/say hello'\n")
    ended = clients.run(alice, "--config", str(config), typed="/hi world\n")
    assert ended.code == 0
    assert [line.partition(": line ")[2].partition(" ")[0] for line in ended.err.splitlines()] == ["1", "3"]
    assert clients.fetch(alice).texts == ["hello world"]
    config.write_text("notify = \n")
    ended = clients.run(alice, "-m", "hi", RESTANTE_CONFIG=str(config))
    assert (ended.code, ended.err.count("\n")) == (0, 1)
    assert f"line 1 of {config} can't be read, so none of it counts" in ended.err


def test_set_and_unset_write_the_file(clients: Clients, alice: str, config: Path) -> None:
    config.write_text("# mine\ntime = '12h' # as at home\n")
    lines = "/set notify off\n/set TIME 24h\n/set\n/set time\n/unset notify\n"
    ended = clients.run(alice, "--config", str(config), typed=lines)
    assert (ended.code, ended.out) == (0, "")
    assert config.read_text() == '# mine\ntime = "24h" # as at home\n'
    assert re.search(rf"(?m)^notify +off +line 3 of {config}$", ended.err)
    assert f"time is 24h, from line 2 of {config}; it takes 24h|12h: " in ended.err
    assert ended.err.splitlines()[-1].startswith("notify is bell, from the default; ")


def test_a_mistake_in_the_file_is_told_with_all_settings_and_not_with_each(
    clients: Clients, alice: str, config: Path
) -> None:
    config.write_text("notif = 1\n")
    lines = "/set time 12h\n/set\n/set notif\n"
    ended = clients.run(alice, "--config", str(config), typed=lines)
    assert (ended.code, config.read_text()) == (65, 'notif = 1\ntime = "12h"\n')
    assert ended.err.count("there is no setting notif; it was passed over: did you mean notify?") == 2
    assert "there is no setting notif; nothing was changed: did you mean notify?" in ended.err


def test_what_can_not_be_set_is_refused(clients: Clients, alice: str, config: Path) -> None:
    wrong = {
        "/set notify loud": "bad-setting",
        "/set notif": "no-setting",
        "/set notif on": "no-setting",
        "/unset notif": "no-setting",
        "/unset": "usage",
    }
    ended = clients.run(alice, "--json", "--config", str(config), typed="".join(f"{line}\n" for line in wrong))
    refused = [(event["line"], event["code"]) for event in ended.events if event["event"] == "refused"]
    assert (ended.code, refused) == (65, list(enumerate(wrong.values(), 1)))
    assert not config.exists()


def test_a_file_that_can_not_be_changed_stays_as_it_is(clients: Clients, alice: str, config: Path) -> None:
    config.write_text("notify = \n")
    ended = clients.run(alice, "--config", str(config), typed="/set notify off\n")
    assert ended.code == 65
    assert f"line 1 of {config} can't be read; nothing was changed" in ended.err
    assert config.read_text() == "notify = \n"
    (config.parent / "folder").mkdir()
    ended = clients.run(alice, "--config", str(config.parent / "folder"), typed="/set notify off\n")
    assert (ended.code, "nothing was changed" in ended.err) == (65, True)


def test_at_a_terminal_it_counts_at_once(clients: Clients, reader: Program, alice: str, config: Path) -> None:
    config.write_text("[aliases]\nhi = '/say hello'\n")
    clients.register(alice)
    terminal = clients.at_terminal(alice, "--config", str(config), TERM="xterm-256color", RESTANTE_PASSWORD=PASSWORD)
    screen = Screen(terminal)
    screen.see(f"{alice} │")
    screen.type("/set notify loud\r")
    screen.see("notify was not changed: loud is not one of")
    screen.see("#lobby> /set notify loud")
    screen.type("\x03/set notify osc9\r")
    screen.see("notify is osc9")
    screen.type("/notify off\r")
    screen.see("notify is off")
    screen.type("/set time 12h\r")
    screen.see("time is 12h")
    rings = screen.written.count(b"\a")
    reader.type(f"{alice}: psst\n")
    screen.see("m reader → you  psst")
    assert screen.written.count(b"\a") == rings
    screen.type("/set colours none\r/hi there\r")
    screen.see("hello there ✓")
    coloured = len(screen.written)
    reader.type("no colour now\n")
    screen.see("m reader  no colour now")
    assert COLOUR.search(screen.written[:coloured]) and not COLOUR.search(screen.written[coloured:])
    assert config.read_text() == ('notify = "off"\ntime = "12h"\ncolours = "none"\n\n[aliases]\nhi = \'/say hello\'\n')
    screen.type("/quit\r")
    assert terminal.end().code == 0
