"""What an operator does with the real programs: the whole drill of a restore, export and import, and mistakes."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.commands import Put
from store.sqlite import SqliteStore
from tests.programs.programs import BOUND_S, CLOSED, Broker, Clients, Program
from tests.programs.upkeep_commands import command, mode, said, stop
from tests.store.contract import results
from tests.store.files import ask, change, flip, reopened

StartBroker = Callable[..., Broker]
ClientsOf = Callable[[Broker], Clients]


@pytest.fixture
def broker(start_broker: StartBroker) -> Broker:
    """A broker of one's own, to be ended and killed."""
    return start_broker()


Begin = Callable[..., Program]


# ---- restore --------------------------------------------------------------------------------------------


def test_the_whole_drill(broker: Broker, start_broker: StartBroker, clients_of: ClientsOf, tmp_path: Path) -> None:
    """What was accepted after the copy was made is lost with the store, and given back by those who sent it, once."""
    clients = clients_of(broker)
    clients.register("bob", "carol")
    assert clients.run("alice", typed="bob: before\nlobby before\n").code == 0
    command(broker.folder, "backup", tmp_path / "copy")
    told = command(broker.folder, "restore", tmp_path / "copy", code=75)
    assert said(told, broker.folder) == "a broker works on DIR; nothing was changed: stop it first"

    assert clients.run("alice", typed="bob: after\nlobby after\n").code == 0
    assert clients.run("carol", "-m", "bob: from carol").code == 0
    bob = clients.start("bob", "--json", "--follow")
    seen = ["after", "before", "from carol", "lobby after", "lobby before"]
    assert sorted(texts(bob, len(seen))) == seen
    stop(broker)
    restored = command(broker.folder, "restore", tmp_path / "copy")
    first, second = restored.out.splitlines()
    assert first.replace(str(tmp_path), "DIR") == (
        "DIR/copy is in place in DIR/broker; another epoch has begun, and clients send again what it has lost"
    )
    former = Path(second.removeprefix("what was there before is kept in "))
    assert mode(former) == mode(broker.folder / "restante.sqlite") == "-rw-------"
    assert "is whole: 8 messages" in command(broker.folder, "verify", former).out

    start_broker(port=broker.port)
    bob.hear("put-back", gone=0)
    alice = clients.run("alice", "-m", "news", "--json")
    assert [each for each in alice.events if each["event"] == "put-back"] == [
        {"event": "put-back", "again": 2, "gone": 0}
    ]
    carol = clients.run("carol", "-m", "bob: more from carol")
    assert carol.code == 0
    assert re.search(r"^\S+ \* the broker was put back to an earlier state: 1 message\b.*again$", carol.err, re.M)
    assert carol.err.count("\n") == 1
    everything = sorted([*seen, "news", "more from carol"])
    assert sorted(texts(bob, len(everything))) == everything
    bob.end(signal.SIGTERM)
    assert clients.fetch("bob").texts == []
    assert clients.run("alice", "--fetch", "--json").code == 0


def texts(reader: Program, count: int) -> list[str]:
    """Wait for so many messages; all that have come."""

    def heard() -> list[str]:
        return [each["text"] for each in reader.events if each["event"] == "message"]

    reader.wait(lambda: len(heard()) >= count, f"{count} messages")
    return heard()


def test_a_damaged_store_is_replaced_and_kept(
    broker: Broker, start_broker: StartBroker, clients_of: ClientsOf, tmp_path: Path
) -> None:
    clients = clients_of(broker)
    assert clients.run("alice", "-m", "a text to be harmed").code == 0
    command(broker.folder, "backup", tmp_path / "copy")
    stop(broker)
    path = broker.folder / "restante.sqlite"
    flip(path, b"a text to be harmed")
    found = command(broker.folder, "verify", code=65)
    assert found.out == "message 1 of #lobby is damaged\n"
    assert said(found, tmp_path) == "DIR/broker/restante.sqlite is damaged: 1 finding; restore a backup"
    refused = command(broker.folder, "backup", tmp_path / "another", code=65)
    assert refused.out == "message 1 of #lobby is damaged\n"
    assert said(refused, tmp_path) == (
        "DIR/another was not made, the store is damaged:"
        " restore an older one, or take along what is whole with export and import"
    )
    damaged = path.read_bytes()
    for content in (damaged, b"\0" * 5000, b""):  # the last one is as if it had never been
        path.write_bytes(content)
        former = command(broker.folder, "restore", tmp_path / "copy").out.split()[-1]
        assert Path(former).read_bytes() == content
    start_broker(port=broker.port)
    fresh = Clients(broker.port, tmp_path / "fresh", broker.key)
    assert fresh.run("bob", "--fetch").code == 0
    assert clients.run("alice", "-m", "hello").code == 0


def harmed(path: Path) -> None:
    flip(path, b"a text to be harmed")


BAD_COPIES: dict[str, tuple[Callable[[Path], object], str]] = {
    "damaged": (harmed, "DIR/copy was not put in place: it is damaged"),
    "torn": (lambda path: os.truncate(path, 8192), "DIR/copy is damaged"),
    "empty": (lambda path: os.truncate(path, 0), "DIR/copy is no store of this program"),
    "foreign": (lambda path: path.write_bytes(b"some text\n" * 1000), "DIR/copy is damaged (file is not a database)"),
    "a journal": (lambda path: change(path, "PRAGMA application_id = 1381192778"), "DIR/copy is no store"),
    "newer": (
        lambda path: change(path, "PRAGMA user_version = 99"),
        "DIR/copy was written by a newer version of this program; upgrade the program",
    ),
}


@pytest.mark.parametrize(("harm", "sentence"), BAD_COPIES.values(), ids=BAD_COPIES)
def test_a_copy_that_can_not_be_used(
    broker: Broker, clients_of: ClientsOf, tmp_path: Path, harm: Callable[[Path], object], sentence: str
) -> None:
    assert clients_of(broker).run("alice", "-m", "a text to be harmed").code == 0
    command(broker.folder, "backup", tmp_path / "copy")
    stop(broker)
    harm(tmp_path / "copy")
    before = {each.name: each.read_bytes() for each in broker.folder.iterdir()}
    told = command(broker.folder, "restore", tmp_path / "copy", code=65)
    assert said(told, tmp_path).startswith(sentence)
    assert {each.name: each.read_bytes() for each in broker.folder.iterdir()} == before


def test_a_restore_into_a_new_folder(broker: Broker, clients_of: ClientsOf, tmp_path: Path) -> None:
    clients = clients_of(broker)
    clients.register("bob")
    assert clients.run("alice", "-m", "bob: hello").code == 0
    command(broker.folder, "backup", tmp_path / "copy")
    stop(broker)
    folder = tmp_path / "deep" / "new"
    assert "is kept in" not in command(folder, "restore", tmp_path / "copy").out
    assert mode(folder) == "drwx------"
    shutil.copy2(broker.folder / "broker.key", folder)
    with Broker(folder, port=broker.port):
        assert clients.fetch("bob").texts == ["hello"]


def test_a_restore_that_is_killed_leaves_a_whole_store(filled: Broker, begin: Begin, tmp_path: Path) -> None:
    """The former one or the copy; and the command can be given again."""
    stop(filled)
    path = filled.folder / "restante.sqlite"
    command(filled.folder, "backup", tmp_path / "copy")
    broker_id = ask(path, "SELECT value FROM setting WHERE name = 'broker'")
    for sign in ("*.part", "*.part-*", "before-*"):
        restore = begin("restore", tmp_path / "copy", "--data", filled.folder)
        there = set(filled.folder.glob(sign))
        while restore.process.poll() is None and set(filled.folder.glob(sign)) <= there:
            pass
        restore.kill()
        assert "is whole" in command(filled.folder, "verify").out
        assert ask(path, "SELECT value FROM setting WHERE name = 'broker'") == broker_id
    command(filled.folder, "restore", tmp_path / "copy")
    assert list(filled.folder.glob("*.part*")) == []
    assert ask(path, "SELECT count(*) FROM setting WHERE name = 'copied'") == 0


# ---- export and import ----------------------------------------------------------------------------------


def test_a_broker_moves_as_lines_and_its_clients_go_on(broker: Broker, clients_of: ClientsOf, tmp_path: Path) -> None:
    clients = clients_of(broker)
    clients.register("bob")
    assert clients.run("alice", typed="bob: hello\nto all\n").code == 0
    lines = command(broker.folder, "export").out  # beside the running broker
    stop(broker)
    command(broker.folder, "export", tmp_path / "lines")
    assert (tmp_path / "lines").read_text("utf-8") == lines
    assert mode(tmp_path / "lines") == "-rw-------"
    folders = tmp_path / "one", tmp_path / "two"
    told = command(folders[0], "import", typed=lines.encode())
    assert told.out == f"{folders[0]}/restante.sqlite was made: 3 messages; another epoch has begun\n"
    command(folders[1], "import", tmp_path / "lines")
    assert "is whole: 3 messages" in command(folders[1], "verify").out
    for folder in folders:
        assert {mode(each) for each in folder.iterdir()} == {"-rw-------"}
    shutil.copy2(broker.folder / "broker.key", folders[0])
    with Broker(folders[0], port=broker.port):
        assert clients.run("alice", "-m", "bob: again").code == 0
        assert sorted(clients.fetch("bob").texts) == ["again", "hello", "to all"]


def test_what_can_not_be_imported(broker: Broker, tmp_path: Path) -> None:
    lines = command(broker.folder, "export").out.encode()
    running = command(broker.folder, "import", typed=lines, code=75)
    assert said(running, broker.folder) == "a broker works on DIR; nothing was imported: stop it first"
    stop(broker)
    there = command(broker.folder, "import", typed=lines, code=73)
    assert "is there already, and was left as it is; choose another folder with --data" in there.err
    new = tmp_path / "new"
    for typed, sentence in (
        (b"", "there was nothing to import; nothing was imported"),
        (lines[:-10], "line 3 is none that export has written ("),
        (lines.replace(b"epoch", b"hcope", 1), "line 1 is none that export has written ("),
        (lines[: lines.index(b"\n") + 1], "the end is missing behind line 1; nothing was imported"),
    ):
        assert said(command(new, "import", typed=typed, code=65), new).startswith(sentence)
        assert {each.name for each in new.iterdir()} == {"lock"}
    (tmp_path / "lines").write_bytes(lines)
    assert "nothing was done" in command(new, "import", tmp_path / "nothing", code=73).err


def test_an_import_that_is_killed_leaves_no_store(broker: Broker, begin: Begin, tmp_path: Path) -> None:
    lines = command(broker.folder, "export").out.encode()
    new = tmp_path / "new"
    killed = begin("import", "--data", new)
    killed.type(lines[:-10])
    end = time.monotonic() + BOUND_S
    while not (new / "restante.sqlite.part").exists():
        assert time.monotonic() < end, "in vain: the import begins"
    killed.kill()
    assert not (new / "restante.sqlite").exists()
    command(new, "import", typed=lines)
    assert list(new.glob("*.part*")) == []


def test_an_export_that_nobody_reads_to_its_end(broker: Broker, begin: Begin, tmp_path: Path) -> None:
    stop(broker)
    with reopened(broker.folder / "restante.sqlite") as store:
        _put_records(store, 2000)
    export = begin("export", "--data", broker.folder)
    export.stop_reading()
    ended = export.end()
    assert ended.code == 73
    assert ended.err == "restante: nobody reads the answer any more\n"


def _put_records(store: SqliteStore, count: int) -> None:
    results(store, *(Put(f"other/{n}", b"x" * 100, 0) for n in range(count)))


def test_standard_input_and_output_that_are_not_open(broker: Broker, tmp_path: Path) -> None:
    stop(broker)
    with Program("broker", "import", "--data", tmp_path / "new", stdin=CLOSED) as program:
        ended = program.end()
    assert (ended.code, said(ended, tmp_path)) == (65, "there was nothing to import; nothing was imported")
    for words in (["backup", tmp_path / "copy"], ["verify"], ["export", tmp_path / "lines"]):
        closed = ["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]
        with Program("broker", *words, "--data", broker.folder) as program:
            assert program.end().code == 0
        (words[-1] if isinstance(words[-1], Path) else tmp_path / "none").unlink(missing_ok=True)
        python = program.process.args
        assert isinstance(python, list)
        assert subprocess.run([*closed, *python], check=False, timeout=BOUND_S).returncode == 0


def test_an_export_of_a_damaged_store_says_so(broker: Broker, clients_of: ClientsOf, tmp_path: Path) -> None:
    assert clients_of(broker).run("alice", "-m", "a text to be harmed").code == 0
    stop(broker)
    flip(broker.folder / "restante.sqlite", b"a text to be harmed")
    told = command(broker.folder, "export", tmp_path / "lines", code=65)
    assert said(told, tmp_path) == "1 damaged message was exported as an empty one; verify tells which"
    assert command(tmp_path / "new", "import", tmp_path / "lines").out.endswith(
        " was made: 1 message; another epoch has begun\n"
    )


def test_an_export_where_something_is(broker: Broker, tmp_path: Path) -> None:
    (tmp_path / "lines").write_bytes(b"mine")
    told = command(broker.folder, "export", tmp_path / "lines", code=73)
    assert said(told, tmp_path) == "DIR/lines is there already, and was left as it is; choose another name"
    assert (tmp_path / "lines").read_bytes() == b"mine"
    assert "can't be written" in command(broker.folder, "export", tmp_path / "nowhere" / "lines", code=73).err


# ---- words that can't be -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [["backup"], ["restore"], ["burn", "it"], ["verify", "a", "b"], ["--keep", "ever"]], ids=" ".join
)
def test_a_mistake_on_the_command_line(tmp_path: Path, words: list[str]) -> None:
    with Program("broker", *words, "--data", tmp_path) as program:
        ended = program.end()
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("usage: python broker.py ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["backup", "x"], ["verify"], ["export"], ["restore", "x"], ["verify", "x"]])
def test_where_nothing_is(tmp_path: Path, words: list[str]) -> None:
    words = [str(tmp_path / word) if word == "x" else word for word in words]
    told = command(tmp_path / "none", *words, code=73)
    assert "there is no " in told.err
    assert list(tmp_path.iterdir()) == []


def test_an_older_store_wants_its_broker_first(broker: Broker, tmp_path: Path) -> None:
    stop(broker)
    change(broker.folder / "restante.sqlite", "PRAGMA user_version = 1")
    for words in (["verify"], ["export"]):
        told = command(broker.folder, *words, code=65)
        assert "was written by an older version of this program; start the broker on it once" in told.err
