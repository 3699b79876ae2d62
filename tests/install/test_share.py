"""Manual pages and what shells complete: as fresh as the options, and right when a real shell is asked."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from console.arguments import Parser
from install import bash, fish, man, zsh
from install.__main__ import FOLDER, pages
from install.lines import line

# Completes the last of the words that it is given, as bash would.
ASK_BASH = """
. "$1"; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
"_${1//-/_}" && printf '%s\\n' "${COMPREPLY[@]}"
"""
COMPLETIONS = FOLDER / "share" / "bash-completion" / "completions"


def small() -> Parser:
    """A program with commands of several words."""
    parser = Parser(prog="small", description="Small: for tests.")
    forms = {
        "rooms": "all rooms",
        "rooms own #ROOM NAME": "make NAME the room's owner: [soon]",
        "rooms close #ROOM": "let nobody in",
        "verify [FILE]": "look at it",
    }
    group = parser.add_commands(forms, "What to do.")
    group.add_argument("--loud", action="store_true", help="it's loud [very]")
    group.add_argument("--as", metavar="NAME", help="who speaks")
    return parser


def test_what_is_committed_is_what_the_options_make() -> None:
    made = {str(path.relative_to(FOLDER)): text for path, text in pages()}
    kept = {str(p.relative_to(FOLDER)): p.read_text("utf-8") for p in (FOLDER / "share").rglob("*") if p.is_file()}
    assert kept == made, "the options have changed: run make share"


def by_bash(script: Path, words: list[str]) -> list[str]:
    asked = ["bash", "--norc", "-c", ASK_BASH, "bash", str(script), *words]
    ended = subprocess.run(asked, cwd=script.parent, capture_output=True, text=True, check=False)
    return sorted(filter(None, ended.stdout.splitlines()))


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["restante", "--fo"], ["--follow", "--for"]),
        (["restante", "--help", "s"], ["sending"]),
        (["restante", "--data", "share/m"], ["share/man"]),
        (["restante", "--count", ""], []),
        (["restante-broker", "ver"], ["verify"]),
        (["restante-broker", "--registration", ""], ["closed", "invite", "open"]),
    ],
    ids=" ".join,
)
def test_bash_completes(tmp_path: Path, words: list[str], offered: list[str]) -> None:
    script = Path(shutil.copy(COMPLETIONS / words[0], tmp_path))
    (tmp_path / "share" / "man").mkdir(parents=True)
    assert by_bash(script, words) == offered


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["small", ""], ["rooms", "verify"]),
        (["small", "--lo"], ["--loud"]),
        (["small", "--help", "r"], ["rooms"]),
        (["small", "rooms", ""], ["close", "own"]),
        (["small", "rooms", "o"], ["own"]),
        (["small", "rooms", "own", ""], []),
        (["small", "rooms", "own", "--a"], ["--as"]),
        (["small", "--loud", "rooms", "--as", ""], []),
        (["small", "verify", "a "], ["a file"]),
    ],
    ids=" ".join,
)
def test_bash_completes_commands_of_commands(tmp_path: Path, words: list[str], offered: list[str]) -> None:
    script = tmp_path / "small"
    script.write_text(bash.script(line(small())), "utf-8")
    (tmp_path / "a file").touch()
    assert by_bash(script, words) == offered


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not here")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("small ", ["rooms", "verify"]),
        ("small --lo", ["--loud"]),
        ("small rooms ", ["close", "own"]),
        ("small rooms own --a", ["--as"]),
        ("small verify a", ["a-file"]),
        ("small rooms own a", []),
    ],
)
def test_fish_completes(tmp_path: Path, words: str, offered: list[str]) -> None:
    script = tmp_path / "small.fish"
    script.write_text(fish.script(line(small())), "utf-8")
    (tmp_path / "a-file").touch()
    asked = ["fish", "--no-config", "-c", f"source {script}; complete -C '{words}'"]
    ended = subprocess.run(
        asked,
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert sorted(line.split("\t")[0] for line in ended.stdout.splitlines()) == offered


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not here")
def test_zsh_can_read_it(tmp_path: Path) -> None:
    script = tmp_path / "_small"
    script.write_text(zsh.script(line(small())), "utf-8")
    ended = subprocess.run(["zsh", "-n", str(script)], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not here")
@pytest.mark.parametrize("name", ["restante", "restante-broker", "small"])
def test_a_manual_page_has_no_mistake_and_loses_no_text(tmp_path: Path, name: str) -> None:
    made = {path.name: text for path, text in pages()} | {"small.1": man.page(small(), "")}
    page = tmp_path / "page.1"
    page.write_text(made[f"{name}.1"], "utf-8")
    ended = subprocess.run(
        ["groff", "-man", "-ww", "-Tascii", "-P-cbou", str(page)], capture_output=True, text=True, check=True
    )
    assert ended.stderr == ""
    for told in {"restante": ["--accept-key KEY", "EXIT STATUS", "EXAMPLES"], "small": ["it's loud [very]"]}.get(
        name, []
    ):
        assert told in ended.stdout
