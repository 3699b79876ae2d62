"""docs/SCRIPTING.md: each recipe runs as it stands, against a real broker; and its tables are true."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

import pytest

from bots import Bot
from console.requests import COMMANDS, fields
from tests.programs.programs import BOUND_S, HOST, PASSWORD, ROOT, Broker, Clients, Program

PAGE = (ROOT / "docs" / "SCRIPTING.md").read_text("utf-8")
SILENCE_S = "1"
COOKS_AT_WORK = 3
# Somebody writes to these before their recipe has begun.
AWAITED = ("inbox", "survey", "stats", "historian", "worker", "careful")

Meals = dict[int, "Future[None]"]


class Recipe(NamedTuple):
    script: str
    prints: str


def recipes() -> dict[int, Recipe]:
    found = {}
    for number, text in re.findall(r"^### (\d+)\. .*?\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL):
        (script,) = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
        prints = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
        found[int(number)] = Recipe(script, "".join(prints))
    return found


RECIPES = recipes()


class Kitchen:
    """A folder in which one recipe runs, with the command ``restante`` on its path; and Alice, who is always there."""

    def __init__(self, folder: Path, data: Path, broker: Broker, alice: Program) -> None:
        folder.mkdir()
        self.folder = folder
        self.alice = alice
        self._running: subprocess.Popen[str] | None = None
        self._env = {name: value for name, value in os.environ.items() if not name.startswith("RESTANTE_")} | {
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            "SILENCE": SILENCE_S,
            "RESTANTE_BROKER": f"tcp://{HOST}:{broker.port}#{broker.key}",
            "RESTANTE_PASSWORD": PASSWORD,
            "RESTANTE_DATA": str(data),
        }
        command = folder / "bin" / "restante"
        command.parent.mkdir()
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT / "client.py"}" "$@"\n')
        command.chmod(0o755)

    def run(self, script: str) -> str:
        """To its end; what it prints."""
        self.start(script)
        return self.end()

    def start(self, script: str) -> None:
        """In a process group of its own."""
        self._running = subprocess.Popen(
            ["bash", "-uo", "pipefail", "-c", script],
            cwd=self.folder,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def end(self) -> str:
        assert self._running
        out, _ = self._running.communicate(timeout=BOUND_S)
        assert self._running.returncode == 0, out
        return out

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it, and all that it has started."""
        if self._running and self._running.poll() is None:
            os.killpg(self._running.pid, number)
        if self._running:
            self._running.communicate(timeout=BOUND_S)

    def hears(self, text: str, author: str) -> str:
        """Whom a message was for that Alice has heard."""
        return str(self.alice.hear("message", text=text, **{"from": author})["to"])

    def comes(self, account: str) -> None:
        """Wait until somebody is here, or was."""
        self.alice.hear("joined", account=account, room="#lobby")

    def reads(self, name: str, text: str) -> None:
        """Wait until a file holds this."""
        end = time.monotonic() + BOUND_S
        while text not in ((self.folder / name).read_text("utf-8") if (self.folder / name).exists() else ""):
            assert time.monotonic() < end, f"in vain: {text!r} in {name}"
            time.sleep(0.02)

    def writes(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, "utf-8")

    def says(self, *lines: str) -> None:
        """Alice tells somebody; her last line has come back."""
        self.alice.type("".join(line + "\n" for line in lines))
        to, _, text = lines[-1].partition(": ")
        self.alice.hear("message", text=text, to=to)


@pytest.fixture(scope="module")
def alices(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleQueue[Program]]:
    """Alice, at a device for each recipe that runs at the same time."""
    with Clients(broker.port, tmp_path_factory.mktemp("alice"), broker.key) as clients:
        alices: SimpleQueue[Program] = SimpleQueue()
        for _ in range(COOKS_AT_WORK):
            alice = clients.start("alice", "--json", "--follow")
            alice.hear("online")
            alices.put(alice)
        for room in ("#ops", "#log", "#left", "#right"):
            alice.type(f"/join {room}\n")
            alice.hear("joined", room=room, account="alice")
        yield alices


@pytest.fixture(scope="module")
def meals(broker: Broker, alices: SimpleQueue[Program], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meals]:
    """All recipes have begun, some at a time; each test waits for its own."""
    folder = tmp_path_factory.mktemp("recipes")
    place = ("-a", HOST, "-p", str(broker.port), "--key", broker.key, "--data", str(folder / "data"))
    for account in AWAITED:
        with Bot(account, *place, "--password", PASSWORD):
            pass

    def cook(number: int) -> None:
        alice = alices.get()
        kitchen = Kitchen(folder / str(number), folder / "data", broker, alice)
        try:
            COOKS[number](kitchen)
        finally:
            with contextlib.suppress(ProcessLookupError):
                kitchen.stop(signal.SIGKILL)
            alices.put(alice)

    with ThreadPoolExecutor(COOKS_AT_WORK) as pool:
        yield {number: pool.submit(cook, number) for number in COOKS if can_be_cooked(number)}
        pool.shutdown(cancel_futures=True)


def can_be_cooked(number: int) -> bool:
    return "jq " not in RECIPES[number].script or shutil.which("jq") is not None


def cron(kitchen: Kitchen) -> None:
    kitchen.run(RECIPES[1].script)
    assert kitchen.hears("the backup is done", "cron") == "alice"


def room(kitchen: Kitchen) -> None:
    kitchen.run(RECIPES[2].script)
    assert kitchen.hears("the certificate is valid for 12 more days", "joiner") == "#ops"


def failure(kitchen: Kitchen) -> None:
    kitchen.run(RECIPES[3].script)
    told = kitchen.alice.hear("message", **{"from": "watchman"})["text"]
    assert re.fullmatch(r"exit code \d+: .*/no/such/place.*", told)


def file(kitchen: Kitchen) -> None:
    kitchen.writes("report.txt", "bob: 3\n/quit\n\ntotal: 3\n")
    kitchen.run(RECIPES[4].script)
    assert kitchen.hears("bob: 3\n/quit\n\ntotal: 3", "reporter") == "alice"


def log(kitchen: Kitchen) -> None:
    kitchen.writes("app.log", "INFO: fine\nERROR: one\n")
    kitchen.start(RECIPES[5].script)
    assert kitchen.hears("ERROR: one", "logger") == "#log"
    with (kitchen.folder / "app.log").open("a") as lines:
        lines.write("INFO: fine\n/quit ERROR\n")
    assert kitchen.hears("/quit ERROR", "logger") == "#log"
    assert not [each for each in kitchen.alice.events if each.get("text") == "INFO: fine"]


def tags(kitchen: Kitchen) -> None:
    kitchen.writes("lines.txt", "one\ntwo\n")
    assert kitchen.run(RECIPES[6].script) == RECIPES[6].prints


def code(kitchen: Kitchen) -> None:
    assert kitchen.run(RECIPES[7].script) == RECIPES[7].prints


def waits(kitchen: Kitchen) -> None:
    kitchen.says("inbox: one", "inbox: for your file")
    kitchen.run(RECIPES[8].script)
    found = (kitchen.folder / "mail.txt").read_text("utf-8")
    assert re.search(r"^\d\d:\d\d alice -> inbox: one\n\d\d:\d\d alice -> inbox: for your file$", found, re.MULTILINE)


def following(kitchen: Kitchen) -> None:
    kitchen.start(RECIPES[9].script)
    kitchen.comes("waiter")
    kitchen.says("waiter: at last")
    kitchen.end()
    assert (kitchen.folder / "next.txt").read_text("utf-8").endswith("alice -> waiter: at last\n")


def csv(kitchen: Kitchen) -> None:
    kitchen.says('survey: "good", I think', "survey: tea")
    kitchen.run(RECIPES[10].script)
    assert re.fullmatch(
        r'"2[^"]+Z","alice","""good"", I think"\n"2[^"]+Z","alice","tea"\n',
        (kitchen.folder / "replies.csv").read_text("utf-8"),
    )


def hours(kitchen: Kitchen) -> None:
    kitchen.says("stats: one", "stats: to be counted")
    kitchen.run(RECIPES[11].script)
    counts = re.findall(r"(\d+) 20\d\d-\d\d-\d\dT\d\d\n", (kitchen.folder / "per-hour.txt").read_text("utf-8"))
    assert sum(map(int, counts)) == 2


def rooms(kitchen: Kitchen) -> None:
    kitchen.run(RECIPES[12].script)
    assert {"#log", "#ops"} <= set((kitchen.folder / "rooms.txt").read_text("utf-8").splitlines())


def search(kitchen: Kitchen) -> None:
    kitchen.says("historian: where is the tea?", "historian: the certificate is on the shelf")
    kitchen.run(RECIPES[13].script)
    assert (kitchen.folder / "found.txt").read_text("utf-8") == "alice: the certificate is on the shelf\n"


def silence(kitchen: Kitchen) -> None:
    kitchen.run(RECIPES[14].script)
    assert kitchen.hears(f"I have heard nothing for {SILENCE_S} s", "guard") == "alice"


def answer(kitchen: Kitchen) -> None:
    kitchen.start(RECIPES[15].script)
    kitchen.hears("which version?", "asker")
    kitchen.says("asker: 1.4")
    assert kitchen.end() == RECIPES[15].prints


def approval(kitchen: Kitchen) -> None:
    kitchen.start(RECIPES[16].script)
    kitchen.hears("deploy 1.4? yes or no", "deploy")
    kitchen.says("deploy: hm", "deploy: no")
    assert kitchen.end() == RECIPES[16].prints


def bot(kitchen: Kitchen) -> None:
    kitchen.start(RECIPES[17].script)
    kitchen.comes("ponger")
    kitchen.alice.type("ponger: ping\n")
    assert kitchen.hears("pong", "ponger") == "alice"


def bridge(kitchen: Kitchen) -> None:
    kitchen.start(RECIPES[18].script)
    kitchen.comes("bridge")
    kitchen.alice.type("/msg #left hello\n")
    assert kitchen.hears("alice: hello", "bridge") == "#right"
    kitchen.alice.type("/msg #right hello, too\n")
    assert kitchen.hears("alice: hello, too", "bridge") == "#left"


def killed(kitchen: Kitchen) -> None:
    """It is killed at any moment, and what it had not done it does the next time."""
    kitchen.start(RECIPES[19].script)
    kitchen.says("worker: one", "worker: two")
    kitchen.reads("jobs.txt", "one\n")
    kitchen.stop(signal.SIGKILL)
    kitchen.says("worker: three")
    kitchen.start(RECIPES[19].script)
    kitchen.reads("jobs.txt", "three\n")
    jobs = (kitchen.folder / "jobs.txt").read_text("utf-8").splitlines()
    assert list(dict.fromkeys(jobs)) == ["one", "two", "three"]


def once(kitchen: Kitchen) -> None:
    """What was done and not acknowledged is not done again."""
    kitchen.says("careful: one")
    job = next(each for each in kitchen.alice.events if each.get("text") == "one" and each["to"] == "careful")
    kitchen.writes("done.txt", job["id"] + "\n")
    kitchen.says("careful: two")
    kitchen.start(RECIPES[20].script)
    kitchen.reads("done.txt", "\n")
    kitchen.reads("jobs.txt", "two\n")
    assert (kitchen.folder / "jobs.txt").read_text("utf-8") == "two\n"


COOKS: dict[int, Callable[[Kitchen], None]] = dict(
    enumerate(
        (
            *(cron, room, failure, file, log, tags, code, waits, following, csv, hours, rooms, search, silence),
            *(answer, approval, bot, bridge, killed, once),
        ),
        1,
    )
)


@pytest.mark.parametrize("number", COOKS, ids=[cook.__name__ for cook in COOKS.values()])
def test_a_recipe_runs_as_it_stands(meals: Meals, number: int) -> None:
    if not can_be_cooked(number):
        pytest.skip("jq is absent")
    meals[number].result()


def test_there_are_twenty_and_each_is_run() -> None:
    assert list(RECIPES) == list(COOKS) == list(range(1, 21))


def test_all_that_can_be_done_is_listed_with_its_fields() -> None:
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| (.*?) ?\|$", PAGE.partition("| `do` |")[2], re.MULTILINE)
    said = {
        name: [("[" if optional else "") + field for optional, field in re.findall(r"(\[?)`(\w+)`\]?(?!h)", cell)]
        for names, cell in rows
        for name in re.findall(r"`(\w+)`", names)
    }
    said["history"] = said["history"][:1]  # behind it stands an example
    coded = {
        command.name: [("[" if kind.startswith("[") else "") + name for name, kind in fields(command).items()]
        for command in COMMANDS.values()
    }
    assert said == coded
