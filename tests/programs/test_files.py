"""What the programs leave on disk: who may read it, and what it must never hold."""

from __future__ import annotations

import shutil
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs.programs import PASSWORD, Broker, Clients

SECRET = "the treasure lies under the third tree"
WRONG = "tulip-and-coffeepot"


def modes(folder: Path) -> dict[str, set[str]]:
    """How folders and files may be used, from this folder downwards."""
    found: dict[str, set[str]] = {"d": set(), "-": set(), "s": set()}
    for path in (folder, *folder.rglob("*")):
        mode = stat.filemode(path.stat().st_mode)
        found[mode[0]].add(mode)
    return found


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Broker, Clients]]:
    """Some talk, some mistakes, and somebody who is still there."""
    folder = tmp_path_factory.mktemp("evening")
    with Broker(folder / "broker") as broker, Clients(broker.port, folder / "clients", broker.key) as clients:
        clients.register("bob")
        lines = f"bob: {SECRET}\nnobody-here: {SECRET}\n{SECRET}\n"
        assert clients.run("alice", "-pw", PASSWORD, typed=lines).code == 65
        assert clients.run("alice", WRONG, "-m", SECRET).code == 77
        bob = clients.start("bob", "--json", "--follow")
        bob.hear("message", to="bob", text=SECRET)
        bob.type(f"/{SECRET}\n")
        bob.hear("refused")
        yield broker, clients
        assert bob.end(signal.SIGTERM).code == 65


def test_nobody_else_may_look_at_them(evening: tuple[Broker, Clients]) -> None:
    for each in evening:
        sockets = {"srw-------"} if each is evening[0] else set()
        assert modes(each.folder) == {"d": {"drwx------"}, "-": {"-rw-------"}, "s": sockets}


def test_nobody_else_may_look_at_folders_that_were_made_on_the_way(broker: Broker, tmp_path: Path) -> None:
    with Clients(broker.port, tmp_path / "deep" / "down", broker.key) as clients:
        assert clients.run("carol", "--fetch").code == 0
        assert modes(clients.folder)["d"] == {"drwx------"}


def test_no_log_file_holds_a_text_or_a_password(evening: tuple[Broker, Clients]) -> None:
    logs = [path for each in evening for path in each.folder.rglob("*.log*")]
    assert [path.name for path in logs].count("client.log") == len(logs) - 1 == 2
    for path in logs:
        text = path.read_text("utf-8")
        assert text
        for secret in (SECRET, PASSWORD, WRONG, "treasure", "tulip"):
            assert secret not in text


def test_no_file_holds_a_password(evening: tuple[Broker, Clients]) -> None:
    for each in evening:
        for path in each.folder.rglob("*"):
            if path.is_file():
                assert PASSWORD.encode() not in path.read_bytes()


def test_what_the_log_files_say(evening: tuple[Broker, Clients]) -> None:
    broker, clients = evening
    for said in ("listening address=127.0.0.1 port=", "registered account=alice from=127.0.0.1 device=", "left"):
        assert f" INFO {said}" in broker.log
    assert " INFO refused code=wrong-password from=127.0.0.1\n" in broker.log
    alice = (clients.home("alice") / "client.log").read_text("utf-8")
    for said in ("online account=alice device=", "refused code=no-such-account", "ended code=65 outbox=0", "bye code="):
        assert f" INFO {said}" in alice


def test_a_copied_folder_becomes_a_device_of_its_own(clients: Clients, alice: str, tmp_path: Path, bob: str) -> None:
    """Both go on, and nothing is lost or taken for the other's."""
    clients.register(alice, bob)
    assert clients.run(alice, "-m", "before").code == 0
    with Clients(clients.port, tmp_path / "copy", clients.key) as copies:
        shutil.copytree(clients.folder, copies.folder)
        assert clients.run(alice, "-m", "from the first").code == 0
        assert copies.run(alice, "-m", "from the copy").code == 0
        assert clients.run(alice, "-m", "from the first again").code == 0
    arrived = [event for event in clients.fetch(bob).events if event["event"] == "message"]
    assert [event["text"] for event in arrived] == ["before", "from the first", "from the copy", "from the first again"]
    devices = [event["id"].partition(":")[0] for event in arrived]
    assert devices[0] == devices[1] == devices[3] != devices[2]
