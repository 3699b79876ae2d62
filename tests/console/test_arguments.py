"""The help of both programs: on one screen, complete, and under every Python the same."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from console import broker_options, client_options
from console.arguments import SCREEN_COLUMNS, SCREEN_ROWS, Parser, topics
from console.release import VERSION

ROOT = Path(__file__).resolve().parents[2]
PARSERS = {"broker": broker_options.make_parser, "client": client_options.make_parser}
Make = Callable[[str], Parser]


@pytest.fixture(autouse=True)
def screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(SCREEN_COLUMNS))


@pytest.mark.parametrize(
    ("make", "program"),
    [
        (broker_options.make_parser, "python broker.py"),
        (broker_options.make_parser, "restante-broker"),
        (client_options.make_parser, "python client.py"),
        (client_options.make_parser, "restante"),
    ],
)
def test_the_help_fits_a_screen(make: Make, program: str) -> None:
    rows = make(program).format_help().splitlines()
    assert len(rows) <= SCREEN_ROWS
    assert [row for row in rows if len(row) > SCREEN_COLUMNS] == []


@pytest.mark.parametrize("make", PARSERS.values(), ids=PARSERS)
def test_the_help_has_examples_of_the_program_as_it_was_called(make: Make) -> None:
    shown = make("restante-here").format_help()
    assert shown.startswith("usage: restante-here [OPTION ...] ")
    assert shown.partition("\nexamples:\n")[2].count("restante-here") >= 4
    assert "{" not in shown


@pytest.mark.parametrize("make", PARSERS.values(), ids=PARSERS)
def test_every_option_is_in_the_help_and_explained_in_a_topic(make: Make) -> None:
    parser = make("x")
    outline = parser.format_help()
    for topic in topics(parser):
        told = parser.format_topic(topic)
        for action in topic.actions:
            assert action.help and " ".join(action.help.split()) in " ".join(told.split())
            assert all(form in told for form in action.option_strings)
            assert not action.option_strings or action.option_strings[0] in outline


@pytest.mark.parametrize("make", PARSERS.values(), ids=PARSERS)
def test_a_topic_is_one_word_that_no_other_topic_has(make: Make) -> None:
    titles = [topic.title for topic in topics(make("x"))]
    assert len(titles) == len(set(titles))
    assert all(title.isalpha() for title in titles)


def shown(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as ended:
        client_options.make_parser("restante").parse_args(words)
    return (ended.value.code, *capfd.readouterr())


def test_help_on_one_topic(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = shown(capfd, "--help", "terminal")
    assert (code, err) == (0, "")
    assert "--plain  lines only" in out
    assert "--json" not in out


def test_help_on_everything(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = shown(capfd, "--help", "all")
    assert (code, err) == (0, "")
    assert all(title + ":\n" in out for title in ("account", "sending", "general", "examples"))


def test_help_on_nothing_that_is_known(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = shown(capfd, "--help", "cooking")
    assert (code, out) == (2, "")
    assert "there is no help on 'cooking'; there is on account, " in err


def test_the_release(capfd: pytest.CaptureFixture[str]) -> None:
    assert shown(capfd, "--version") == (0, f"restante {VERSION}\n", "")


def test_a_short_help_is_shown_whole() -> None:
    parser = Parser(prog="small", description="Does little.", epilog="examples:\n  small --loud")
    parser.add_argument("--loud", action="store_true", help="makes a noise")
    assert parser.format_help() == (
        "usage: small [OPTION ...]\n"
        "\n"
        "Does little.\n"
        "\n"
        "general:\n"
        "  -h, --help [TOPIC]  what there is to say; TOPIC is one of the words on the\n"
        "                      left, or all\n"
        "  --lang en|ru        language of all texts (the locale's)\n"
        "  --loud              makes a noise\n"
        "\n"
        "examples:\n"
        "  small --loud"
    )


def test_help_on_the_commands_that_begin_with_a_word(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        broker_options.make_parser("x").parse_args(["--help", "verify"])
    assert capfd.readouterr().out == "verify:\n  verify [FILE]  look whether FILE, or the broker's own, is whole\n"


ASKED = [sys.executable, str(ROOT / "broker.py"), "--lang", "ru", "--help", "all"]


def test_help_for_a_terminal_that_lacks_some_signs() -> None:
    poor = subprocess.run(ASKED, env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, check=False)
    assert (poor.returncode, poor.stderr) == (0, b"")
    assert b"--keep-bytes SIZE" in poor.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_help_that_nobody_can_take() -> None:
    with Path("/dev/full").open("wb") as full:
        assert subprocess.run(ASKED, stdout=full, stderr=subprocess.PIPE, check=False).stderr == b""
