"""Every play in demos/, with the real programs; and plays that must fail, so that the others mean something."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

import pytest

from demos.stage import HOST, Actor, Stage

ROOT = Path(__file__).resolve().parents[2]
PLAYS = sorted(path.stem for path in (ROOT / "demos").glob("*.play"))
# Only a program that hangs takes so long.
BOUND_S = 110
PATIENCE_S = 60

HEAD = """\
# A play that goes wrong.
the broker starts
alice comes with password "tulip-and-teapot"
alice sees: * welcome, alice…
alice types: Good evening!
alice sees: alice: Good evening!
"""


@contextmanager
def playing(tmp_path: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run play.py, with everything that it writes in ``tmp_path``; it is over at the end, whatever happens."""
    process = subprocess.Popen(
        [sys.executable, ROOT / "demos" / "play.py", *arguments],
        cwd=tmp_path,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    with process:
        try:
            yield process
        finally:
            process.terminate()  # unlike kill, this takes its broker and its clients along


def run(tmp_path: Path, *arguments: str) -> tuple[int, str]:
    """Run play.py to its end; its exit code, and all that it printed."""
    with playing(tmp_path, *arguments) as process:
        printed, _ = process.communicate(timeout=BOUND_S)
    return process.returncode, printed


@pytest.mark.parametrize("name", PLAYS)
def test_play(tmp_path: Path, name: str) -> None:
    code, printed = run(tmp_path, name, "--patience", str(PATIENCE_S))
    assert code == 0, printed
    assert "nothing lost, nothing twice" in printed
    assert list(tmp_path.iterdir()) == []


# None of these has to wait until its patience is over, so a slow machine fails at the same line.
WRONG = [
    (["alice does not see: Good evening"], 7, "alice saw what was not meant to be seen: Good evening"),
    (["alice leaves", "alice sees: bob: you are gone already"], 8, "alice did not see it"),
    (["bob types: Good evening!"], 7, "bob has not come yet"),
    (["alice comes"], 7, "alice is here already"),
    (["alice is killed", "alice types: Good night!"], 8, "alice is not here"),
    (["dave comes as alice", "dave ends with 0"], 8, "dave ended with 77, not with 0"),
    (["the broker stops", "the broker stops"], 8, "the broker is not here"),
]


@pytest.mark.parametrize(("lines", "number", "why"), WRONG, ids=[row[2] for row in WRONG])
def test_wrong_play(tmp_path: Path, lines: list[str], number: int, why: str) -> None:
    wrong = tmp_path / "wrong.play"
    wrong.write_text(HEAD + "\n".join(lines), encoding="utf-8")
    code, printed = run(tmp_path, str(wrong), "--patience", str(PATIENCE_S))
    assert code == 1, printed
    assert f"✗ wrong.play:{number}: {lines[-1]}\n    {why}\n" in printed
    assert "nothing lost" not in printed
    assert list(tmp_path.iterdir()) == [wrong]


def test_waiting_in_vain_has_an_end_and_nobody_stays_behind() -> None:
    broker = Actor("the broker")
    with Stage(patience=0.1, heard=lambda actor, line: None) as stage:
        folder = stage.folder("the broker")
        stage.start(broker, "broker.py", "-a", HOST, "-p", "0")
        process = broker.here().process
        assert not stage.wait(broker, lambda: False)
    assert process.returncode is not None
    assert not folder.exists()


def test_an_interrupted_play_takes_everything_along(tmp_path: Path) -> None:
    endless = tmp_path / "endless.play"
    endless.write_text(HEAD + "# Now.\nalice sees: bob: never said\n", encoding="utf-8")
    with playing(tmp_path, str(endless), "--patience", str(BOUND_S)) as process:
        assert process.stdout
        printed = "".join(takewhile(lambda line: "Now." not in line, process.stdout))
        port = int(re.findall(r"tcp://127\.0\.0\.1:(\d+)", printed)[0])
        process.send_signal(signal.SIGTERM)
        assert process.wait(BOUND_S) == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == [endless]
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["no-such-play"], "no-such-play"), (["bad.play"], "bad.play:2: no sentence of a play: alice says: hi")],
)
def test_what_cannot_be_read_is_not_begun(tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "bad.play").write_text("# A bad one.\nalice says: hi\n", encoding="utf-8")
    code, printed = run(tmp_path, *arguments)
    assert code == 2
    assert said in printed


def test_list(tmp_path: Path) -> None:
    _, printed = run(tmp_path, "--list")
    listed = printed.splitlines()
    assert [line.split()[0] for line in listed] == PLAYS
    assert "lobby      A lobby evening: four people talk, publicly and privately." in listed


def test_a_party_without_tmux_says_so(tmp_path: Path) -> None:
    command = [sys.executable, ROOT / "demos" / "party.py"]
    done = subprocess.run(
        command, env={"PATH": str(tmp_path)}, capture_output=True, text=True, timeout=BOUND_S, check=False
    )
    assert done.returncode == 69
    assert done.stderr.startswith("party: tmux shows the clients side by side, but there is none")
