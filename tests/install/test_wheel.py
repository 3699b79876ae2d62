"""What is in the wheel, and what the programs do that it installs."""

from __future__ import annotations

import re
import signal
import subprocess
import zipfile
from email import message_from_bytes
from pathlib import Path
from typing import IO

from console.release import VERSION
from tests.install.conftest import ROOT, tracked
from tests.programs.programs import HOST, PASSWORD, Program

# What the programs do not need to run.
NOT_INSTALLED = {"tests", "demos", "examples", "benchmarks", "install", "docs", ".ci"}


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_has_everything_that_the_programs_are_made_of(wheel: Path) -> None:
    programs = [name for name in tracked() if "/" in name and name.split("/")[0] not in NOT_INSTALLED]
    programs += [name for name in tracked() if "/" not in name and name.endswith(".py")]
    assert len(programs) > 90
    assert {f"restante/{name}" for name in programs} - names_in(wheel) == set()


def test_the_wheel_has_nothing_else_and_takes_one_name(wheel: Path) -> None:
    modules = {name for name in names_in(wheel) if not name.startswith(f"restante-{VERSION}.")}
    assert {name for name in modules if name.removeprefix("restante/") not in tracked()} == set()
    assert {name for name in modules if name.split("/")[1] in NOT_INSTALLED} == set()
    assert {name.split("/")[0] for name in modules} == {"restante"}


def pins(name: str) -> list[str]:
    lines = (ROOT / name).read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_it_needs_exactly_what_the_programs_run_with(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        said = message_from_bytes(archive.read(f"restante-{VERSION}.dist-info/METADATA"))
    always, more = pins("requirements.txt"), pins("requirements-metrics.txt")
    assert all(re.fullmatch(r"[\w-]+==[\d.]+", pin) for pin in (*always, *more))
    needed = [need.replace(" ", "") for need in said.get_all("Requires-Dist", [])]
    assert sorted(needed) == sorted([*always, *(f'{pin};extra=="metrics"' for pin in more)])


def test_manual_pages_and_completions_are_where_they_are_looked_for(environment: Path) -> None:
    for program in ("restante", "restante-broker"):
        assert (environment / "share/man/man1" / f"{program}.1").is_file()
        assert (environment / "share/bash-completion/completions" / program).is_file()
        assert (environment / "share/zsh/site-functions" / f"_{program}").is_file()
        assert (environment / "share/fish/vendor_completions.d" / f"{program}.fish").is_file()
        assert (environment / "share/restante/systemd/restante-broker.service").is_file()
        assert (environment / "share/restante/grafana/restante.json").is_file()


def test_bots_can_import_the_protocol(environment: Path) -> None:
    asked = [str(environment / "bin/python"), "-c", "from restante.protocol import frames; print(frames.__name__)"]
    assert (
        subprocess.run(asked, capture_output=True, text=True, check=True, cwd="/").stdout
        == "restante.protocol.frames\n"
    )


BOT = """
import sys
from restante.bots import Bot

with Bot("echo", *sys.argv[1:]) as bot:
    for message in bot.messages():
        bot.reply(message, message.text)
"""


class Installed(Program):
    """A console script of an environment, running."""

    def __init__(self, script: Path, *options: str | Path, **env: str) -> None:
        self._script = script
        super().__init__(script.name, *options, **env)

    def _start(self, command: list[str], stdin: int | IO[bytes], env: dict[str, str]) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        command = [str(self._script), *command[1:]]
        return subprocess.Popen(command, stdin=stdin, stdout=pipe, stderr=pipe, env=env, bufsize=0, cwd="/")


def test_the_scripts_know_their_names(environment: Path) -> None:
    for program in ("restante", "restante-broker"):
        with Installed(environment / "bin" / program, "--help") as asked:
            assert asked.end().out.startswith(f"usage: {program} [OPTION ...]")
        with Installed(environment / "bin" / program, "--version") as asked:
            assert asked.end().out == f"restante {VERSION}\n"


def test_a_conversation_of_installed_programs(environment: Path, tmp_path: Path) -> None:
    scripts = environment / "bin"
    with Installed(scripts / "restante-broker", "-a", HOST, "-p", "0", "--data", tmp_path / "broker") as broker:
        ready = broker.see(r"^restante: listening on tcp://127\.0\.0\.1:(\d+), key ([a-z2-7]{52})\n")
        place = ["-a", HOST, "-p", ready[1], "--key", ready[2], "--data", str(tmp_path / "clients")]
        with Installed(
            scripts / "restante", "alice", "--json", "--follow", *place, RESTANTE_PASSWORD=PASSWORD
        ) as alice:
            alice.hear("online")
            said = ["bob", "-m", "hello", "--to", "alice", *place]
            with Installed(scripts / "restante", *said, RESTANTE_PASSWORD=PASSWORD) as bob:
                assert bob.end().code == 0
            assert alice.hear("message")["text"] == "hello"
            with Installed(environment / "bin/python", "-c", BOT, *place, RESTANTE_PASSWORD=PASSWORD) as bot:
                alice.hear("joined", account="echo")
                alice.type("echo: is anybody there?\n")
                assert alice.hear("message", text="is anybody there?", **{"from": "echo"})["bot"]
                assert bot.end(signal.SIGTERM).code == 0
            assert alice.end(signal.SIGTERM).code == 0
        assert broker.end(signal.SIGTERM).code == 0
