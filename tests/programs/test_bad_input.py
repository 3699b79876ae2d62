"""What goes wrong is said in one clear sentence on stderr, with the right code; and never as a traceback.

That there is no traceback is looked at for every program that a test ends, in Program.end.
"""

from __future__ import annotations

import fcntl
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from protocol import frames, limits
from protocol.frames import Hello, Refused
from tests.programs.peers import Peer, PretendBroker
from tests.programs.programs import BOUND_S, HOST, PASSWORD, Broker, Clients, Ended, Program
from transport import curve

# ---- the broker ----------------------------------------------------------------------------------------


def refused_start(*options: str | Path) -> Ended:
    with Program("broker", "-a", HOST, *options, stdin=subprocess.DEVNULL) as broker:
        ended = broker.end()
    assert ended.out == ""
    return ended


def said(ended: Ended) -> str:
    """The one sentence that was said."""
    sentence = ended.err.removeprefix("restante: ").removesuffix("\n")
    assert ended.err == f"restante: {sentence}\n"
    assert "\n" not in sentence
    return sentence


def test_a_second_broker_in_the_same_folder(broker: Broker) -> None:
    ended = refused_start("-p", "0", "--data", broker.folder)
    assert ended.code == 75
    assert said(ended) == f"another broker works on {broker.folder}; stop it, or choose a folder with --data"


def test_a_port_that_is_taken(broker: Broker, tmp_path: Path) -> None:
    ended = refused_start("-p", str(broker.port), "--data", tmp_path)
    assert ended.code == 69
    assert said(ended) == (
        f"can't listen on {HOST} port {broker.port}: Address already in use; is another broker there?"
        " Choose with -a, -p"
    )


@pytest.mark.parametrize("address", ["203.0.113.9", "no.such.host.invalid", "not a host", ""])
def test_an_address_that_is_not_ours(tmp_path: Path, address: str) -> None:
    ended = refused_start("-a", address, "-p", "0", "--data", tmp_path)
    assert ended.code == 69
    assert said(ended).startswith(f"can't listen on {address} port 0: ")


@pytest.mark.parametrize("below", ["", "further/down"])
def test_a_folder_that_cannot_be_made(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / below
    ended = refused_start("-p", "0", "--data", folder)
    assert ended.code == 73
    assert said(ended).startswith(f"can't write to {folder}: ")
    assert said(ended).endswith("; choose a folder with --data")


def test_a_folder_in_which_nothing_can_be_made() -> None:
    ended = refused_start("-p", "0", "--data", "/proc/self/task")
    assert ended.code == 73
    assert said(ended).startswith("can't write to /proc/self/task: ")


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "another header": lambda file: b"This is no database of ours, nor of anybody else." + file[49:],
    "no SQLite at all": lambda file: b"garbage" * 1000,
    "cut in the middle of a page": lambda file: file[:1500],
    "another program's": lambda file: file[:68] + b"abcd" + file[72:],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_database(broker: Broker, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    with closing(sqlite3.connect(broker.folder / "restante.sqlite")) as database:
        database.execute("VACUUM INTO ?", (str(tmp_path / "restante.sqlite"),))
    file = tmp_path / "restante.sqlite"
    file.write_bytes(damage(file.read_bytes()))
    ended = refused_start("-p", "0", "--data", tmp_path)
    assert ended.code == 65
    assert said(ended).startswith(str(file))
    assert said(ended).endswith("restore FILE")


@pytest.mark.parametrize(
    "options", [["-p", "65536"], ["-p", "seven"], ["-p", "-1"], ["--registration", "ajar"], ["--fast"], ["extra"]]
)
def test_wrong_use_of_the_broker(options: list[str]) -> None:
    ended = refused_start(*options)
    assert ended.code == 2
    assert ended.err.splitlines()[-1].startswith("python broker.py: error: ")


# ---- the client's command line -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "env", "mistake"),
    [
        (["alice", "-n", "bob"], "", "two names were given"),
        (["alice", "--count", "0"], "", "'0' is no number of messages"),
        (["alice", "--for", "soon"], "", "'soon' is no number of seconds"),
        (["alice", "--wait", "nan"], "", "'nan' is no number of seconds"),
        (["alice", "--to", "a b"], "", "'a b' can't be a name"),
        (["alice", "--menu", "--json"], "", "--menu is for people"),
        (["alice", "-p", "65536"], "", "'65536' is no port"),
        (["alice", "-p", "0"], "", "no broker listens on port 0"),
        (["alice", "-a", "not a host"], "", "'not a host' is no host"),
        (["alice", "-a", "tcp://localhost"], "", "'tcp://localhost' is no host"),
        (["alice", "-a", "x" * 300], "", "is no host"),
        (["alice", "--jsonn"], "", "unrecognized arguments"),
        (["alice"], "localhost:7777", "must look like tcp://HOST:PORT"),
        (["alice"], "tcp://localhost:99999", "must look like tcp://HOST:PORT"),
        (["alice"], "tcp://localhost:0", "must look like tcp://HOST:PORT"),
        (["alice"], "tcp://[::1", "must look like tcp://HOST:PORT"),
        (["alice"], "tcp://", "must look like tcp://HOST:PORT"),
    ],
)
def test_wrong_use_of_the_client(tmp_path: Path, options: list[str], env: str, mistake: str) -> None:
    command = *options, "--data", tmp_path / "clients"
    with Program("client", *command, stdin=subprocess.DEVNULL, RESTANTE_BROKER=env) as client:
        ended = client.end()
    assert (ended.code, ended.out) == (2, "")
    last = ended.err.splitlines()[-1]
    assert last.startswith("python client.py: error: ")
    assert mistake in last
    assert not (tmp_path / "clients").exists()


@pytest.mark.parametrize("name", ["a b", "", "-", "naïve:name", "x" * 33, "аlice", "a\nb", "#lobby"])
def test_what_can_be_no_name(clients: Clients, name: str) -> None:
    ended = clients.run("--name=" + name, "-m", "hi")
    assert (ended.code, ended.out) == (2, "")
    assert "can't be a name: " in said(ended)


# ---- who may come in -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def carol(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An account that is there."""
    with Clients(broker.port, tmp_path_factory.mktemp("carol"), broker.key) as clients:
        clients.register("carol")
    return "carol"


def test_a_wrong_password(clients: Clients, carol: str) -> None:
    ended = clients.run(carol, "wrong", "-m", "hi")
    assert (ended.code, ended.out) == (77, "")
    assert ended.err[6:] == f"* wrong password for {carol}; nothing was sent\n"


@pytest.mark.parametrize("name", ["carol", "Carol"])
@pytest.mark.parametrize("password", ["", "-"])
def test_a_taken_name_without_a_password(clients: Clients, carol: str, name: str, password: str) -> None:
    ended = clients.run(name, "-m", "hi", RESTANTE_PASSWORD=password)
    assert (ended.code, ended.out) == (77, "")
    assert ended.err[6:] == f"* the name {name} is taken; give its password, or choose another name\n"


def test_a_free_name_without_a_password(clients: Clients, alice: str) -> None:
    ended = clients.run(alice, "--json", RESTANTE_PASSWORD="")
    assert ended.code == 77
    assert ended.events == [{"event": "bye", "reason": "no-account"}]
    assert ended.err[6:] == f"* there is no account {alice} here yet, and without a password none was made; give one\n"


# ---- lines ---------------------------------------------------------------------------------------------

LONG = "x" * (limits.BODY_BYTES + 616)
LINES = {
    "hello": None,
    "nobody-here: hi": "there is no account nobody-here; the message was not sent to anyone",
    "nobody here: this is only a sentence": None,
    "al!ce: hi": "al!ce can't be a name: only letters, digits and . _ - are allowed, not !; nothing was sent:",
    "https://example.org/": None,
    "/shrug": "there is no command /shrug; nothing was sent: /help lists them, /say sends the line as text",
    " /who": "a blank stands before /who; nothing was sent: take it away, or /say sends the line as text",
    "carol:": "nothing stands behind the colon; nothing was sent: the message for carol goes there",
    "#nowhere: hi": "there is no room #nowhere; the message was not sent to anyone",
    LONG: f"the message has {len(LONG)} bytes, 616 more than the {limits.BODY_BYTES} that fit; nothing was sent:",
    "/msg carol": "it goes like this: /msg NAME|#ROOM TEXT; nothing was done",
    "last": None,
}
LinesSent = tuple[Ended, list[str]]


@pytest.fixture(scope="module")
def lines_sent(broker: Broker, reader: Program, carol: str, tmp_path_factory: pytest.TempPathFactory) -> LinesSent:
    """A run with good and bad lines, and what another account got of it."""
    with Clients(broker.port, tmp_path_factory.mktemp("lines"), broker.key) as clients:
        ended = clients.run("dave", typed="\n".join(LINES))
    reader.hear("message", **{"from": "dave", "text": "last"})
    return ended, reader.hear_from("dave", 1)


def test_the_good_lines_arrive_and_no_bad_one_goes_anywhere(lines_sent: LinesSent) -> None:
    ended, arrived = lines_sent
    assert (ended.code, ended.out) == (65, "")
    assert arrived == [line for line, sentence in LINES.items() if sentence is None]


@pytest.mark.parametrize("line", [line for line in LINES if LINES[line]], ids=lambda line: line[:20])
def test_each_bad_line_is_named(lines_sent: LinesSent, line: str) -> None:
    number = list(LINES).index(line) + 1
    assert f"* line {number}: {LINES[line]}" in lines_sent[0].err


def test_strict_stops_at_the_first_bad_line(clients: Clients, reader: Program, alice: str) -> None:
    ended = clients.run(alice, "--strict", typed="one\nnobody-here: two\nthree\n")
    assert ended.code == 65
    assert "line 2: there is no account nobody-here" in ended.err
    assert reader.hear_from(alice, 1) == ["one"]


@pytest.mark.parametrize("text", ["", "nobody-here: hi", LONG])
def test_a_bad_message_on_the_command_line(clients: Clients, alice: str, text: str) -> None:
    ended = clients.run(alice, "-m", text)
    assert (ended.code, ended.out) == (65, "")
    assert "sent" in ended.err


# ---- brokers that are none, or others than we know ------------------------------------------------------


@pytest.fixture
def nowhere() -> Iterator[int]:
    """A port at which nobody listens."""
    with socket.socket() as held:
        held.bind((HOST, 0))
        yield held.getsockname()[1]


def test_nobody_there_at_a_first_start(nowhere: int, tmp_path: Path) -> None:
    with Clients(nowhere, tmp_path) as clients:
        ended = clients.run("alice", "--wait", "0.5", typed="hi\n")
        assert (ended.code, ended.out) == (69, "")
        assert said(ended) == (
            f"the broker at tcp://{HOST}:{nowhere} was not reached; nothing was sent: is it running? See -a and -p"
        )
        with closing(sqlite3.connect(clients.home("alice") / "journal.sqlite")) as journal:
            assert journal.execute("SELECT count(*) FROM outbox").fetchone() == (0,)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "999.1.1.1", "::1"])
def test_a_host_that_is_not_to_be_found(nowhere: int, tmp_path: Path, host: str) -> None:
    options = "-a", host, "-p", str(nowhere), "--data", tmp_path, "--wait", "0.5", "-m", "hi"
    with Program("client", "alice", PASSWORD, *options, stdin=subprocess.DEVNULL) as client:
        ended = client.end()
    assert ended.code == 69
    shown = f"[{host}]" if ":" in host else host
    assert said(ended).startswith(f"the broker at tcp://{shown}:{nowhere} was not reached; nothing was sent")


GREETINGS = {"silence": b"", "a web server": b"HTTP/1.1 400 Bad Request\r\n\r\n", "noise": bytes(range(256))}


@pytest.mark.parametrize("behind", [0, 1], ids=["broker", "key"])
@pytest.mark.parametrize("greeting", GREETINGS.values(), ids=GREETINGS)
def test_something_else_listens_there(tmp_path: Path, greeting: bytes, behind: int) -> None:
    """On the broker's port, or on the one behind it, which is not asked by who has been given the key."""
    key = "" if behind else curve.make_pair().public
    with (
        socket.create_server((HOST, 0)) as server,
        Clients(server.getsockname()[1] - behind, tmp_path, key) as clients,
    ):
        client = clients.start("alice", "--wait", "1", "-m", "hi", stdin=subprocess.DEVNULL)
        server.settimeout(BOUND_S)
        with server.accept()[0] as connection:
            connection.sendall(greeting)
            assert client.end().code == 69


def test_a_broker_of_another_version(tmp_path: Path) -> None:
    text = "the broker speaks version 2.0 of the protocol and the client 1.0; upgrade the client"
    refused = frames.encode(Refused("version", text))
    with (
        PretendBroker(lambda frame: [refused]) as pretender,
        Clients(pretender.port, tmp_path, pretender.pair.public) as clients,
    ):
        ended = clients.run("alice", "-m", "hi")
    assert (ended.code, ended.out) == (77, "")
    assert ended.err[6:] == f"* {text}\n"


@pytest.mark.parametrize("answer", [[b"\xff\xfe"], [b"x", b"y", b"z"], [b""], []], ids=["garbage", "parts", "", "none"])
def test_a_broker_that_talks_nonsense(tmp_path: Path, answer: list[bytes]) -> None:
    with (
        PretendBroker(lambda frame: answer) as pretender,
        Clients(pretender.port, tmp_path, pretender.pair.public) as clients,
    ):
        ended = clients.run("alice", "-m", "hi", "--wait", "0.5")
    assert (ended.code, ended.out) == (69, "")


@pytest.mark.parametrize(("major", "older"), [(0, "client"), (2, "broker"), (99, "broker")])
@pytest.mark.parametrize("further", [["alice", "a" * 16, True, {}], [[1, 2], {"new": None}]], ids=["ours", "other"])
def test_a_client_of_another_version(broker: Broker, major: int, older: str, further: list[object]) -> None:
    with Peer(broker) as peer:
        peer.send(frames.encode([Hello.__struct_config__.tag, major, 0, *further]))
        refused = peer.hear(Refused)
    assert refused.code == "version"
    assert refused.text == (
        f"the broker speaks version 1.0 of the protocol and the client {major}.0; upgrade the {older}"
    )


# ---- the client's folder -------------------------------------------------------------------------------


def test_the_client_s_folder_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with Clients(1, tmp_path / "file") as clients:
        ended = clients.run("alice", "-m", "hi")
    assert ended.code == 73
    assert said(ended).startswith(f"can't write to {tmp_path / 'file'}")


def test_all_its_device_folders_are_in_use(clients: Clients, alice: str) -> None:
    with ExitStack() as stack:
        for number in range(1, limits.ACCOUNT_DEVICES + 1):
            clients.home(alice, number).mkdir(parents=True)
            lock = stack.enter_context((clients.home(alice, number) / "lock").open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        ended = clients.run(alice, "-m", "hi")
    assert ended.code == 75
    assert said(ended) == (
        f"all device folders in {clients.home(alice).parent} are in use; end one of the clients, or give --data"
    )


def overwrite(journal: Path) -> None:
    journal.write_bytes(b"garbage" * 1000)


def flip_a_letter(journal: Path) -> None:
    with closing(sqlite3.connect(journal)) as database:
        database.execute("INSERT INTO outbox VALUES (1, '#lobby', 'none', x'6869', 0)")
        database.commit()


@pytest.mark.parametrize("damage", [overwrite, flip_a_letter])
def test_its_journal_is_damaged(clients: Clients, alice: str, damage: Callable[[Path], None]) -> None:
    clients.register(alice)
    journal = clients.home(alice) / "journal.sqlite"
    damage(journal)
    ended = clients.run(alice, "-m", "hi")
    assert (ended.code, ended.out) == (65, "")
    assert said(ended).startswith(f"{journal} is damaged")
    assert said(ended).endswith("move its folder away; the broker still has what was accepted")
