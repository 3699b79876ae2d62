"""What the terminal is told: exactly these bytes, and nothing of what another person has made up."""

from __future__ import annotations

import random

import pytest

from console.calling import CALL_S, Caller
from console.conversations import Conversations
from console.sanitise import OSC_CHARS, osc_text
from tests.console.attacks import ATTACKS, harmful
from tests.console.stage import envelope

PSST = envelope("alice", "the key; is under\x1b]0;x\x07 the mat", to="me")


@pytest.mark.parametrize(
    ("ways", "told"),
    [
        ([], ""),
        (["text", "title"], ""),
        (["bell"], "\a"),
        (["osc9"], "\x1b]9;restante: alice\x1b\\"),
        (["osc777"], "\x1b]777;notify;restante;alice\x1b\\"),
        (["osc99"], "\x1b]99;;restante: alice\x1b\\"),
        (["bell", "osc9"], "\a\x1b]9;restante: alice\x1b\\"),
        (["osc9", "text"], "\x1b]9;restante: alice: the key is under0x^G the mat\x1b\\".replace("^", "")),
    ],
)
def test_what_is_told(ways: list[str], told: str) -> None:
    assert Caller({}).call(PSST, ways, 1.0) == told


def test_in_tmux_it_is_handed_on_and_the_bell_is_not() -> None:
    told = Caller({"TMUX": "/tmp/tmux"}).call(PSST, ["bell", "osc9"], 1.0)
    assert told == "\a\x1bPtmux;\x1b\x1b]9;restante: alice\x1b\x1b\\\x1b\\"


def test_not_for_each_of_many() -> None:
    caller = Caller({})
    told = [caller.call(PSST, ["bell"], tick) for tick in (1.0, 1.5, 1.0 + CALL_S - 0.01, 1.0 + CALL_S)]
    assert told == ["\a", "", "", "\a"]
    assert caller.call(None, ["bell"], 100.0) == ""


def test_the_title_counts_and_is_given_back() -> None:
    caller, talks = Caller({}), Conversations()
    assert caller.title(talks, ["bell"]) == ""
    assert caller.title(talks, ["title"]) == "\x1b[22;2t\x1b]2;restante\x1b\\"
    talks.came("bob", mentions=False)
    assert caller.title(talks, ["title"]) == "\x1b]2;(1) restante\x1b\\"
    assert caller.title(talks, ["title"]) == ""
    assert caller.title(talks, []) == "\x1b[23;2t"
    assert caller.leave() == ""
    caller.title(talks, ["title"])
    assert caller.leave() == "\x1b[23;2t"


def test_no_text_gets_out_of_a_command(seed: int) -> None:
    rng = random.Random(seed)
    alphabet = [chr(code) for code in (*range(0x100), 0x202E, 0x301, 0x1F44D, 0x4E2D, 0xD83D)]
    drawn = ["".join(rng.choices(alphabet, k=rng.randrange(200))) for _ in range(300)]
    for text in [attack for attack, _ in ATTACKS] + drawn:
        shown = osc_text(text)
        assert harmful(shown) == []
        assert not set(shown) & set(";\x1b\a\n\\")
        assert len(shown) <= OSC_CHARS
    assert osc_text("Zoë 中 на 3: हिन्दी?") == "Zoë 中 на 3: हिन्दी?"
