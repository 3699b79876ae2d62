"""The language of the plays, without a stage."""

from pathlib import Path

import pytest

from demos.reader import (
    BadPlay,
    BrokerIsKilled,
    BrokerPrints,
    BrokerStarts,
    BrokerStops,
    Comes,
    Ends,
    IsKilled,
    Leaves,
    Misses,
    Play,
    Sees,
    Step,
    Told,
    Types,
    read,
)

PATH = Path("somewhere/some.play")

SENTENCES = [
    ("the broker starts", BrokerStarts, {}),
    ("the broker stops", BrokerStops, {}),
    ("the broker is killed", BrokerIsKilled, {}),
    ("the broker prints: alice joined", BrokerPrints, {"text": "alice joined"}),
    ("alice comes", Comes, {"who": "alice", "account": "alice", "password": "", "menu": False}),
    ("alice comes back", Comes, {"who": "alice", "account": "alice", "password": "", "menu": False}),
    (
        'alice comes with password "two words"',
        Comes,
        {"who": "alice", "account": "alice", "password": "two words", "menu": False},
    ),
    ("dave comes as alice", Comes, {"who": "dave", "account": "alice", "password": "", "menu": False}),
    (
        'alice\'s phone comes back as Alice with password "x" with the menu',
        Comes,
        {"who": "alice's phone", "account": "Alice", "password": "x", "menu": True},
    ),
    ("alice's phone comes", Comes, {"who": "alice's phone", "account": "alice", "password": "", "menu": False}),
    ("alice types: Good evening!", Types, {"who": "alice", "text": "Good evening!"}),
    ("alice types:", Types, {"who": "alice", "text": ""}),
    ("alice types:  /who", Types, {"who": "alice", "text": " /who"}),
    ("alice types: bob sees: the broker starts", Types, {"who": "alice", "text": "bob sees: the broker starts"}),
    ("alice sees: bob: hi", Sees, {"who": ("alice",), "text": "bob: hi"}),
    ("alice and bob see: bob: hi", Sees, {"who": ("alice", "bob"), "text": "bob: hi"}),
    ("alice, alice's phone and bob see: x", Sees, {"who": ("alice", "alice's phone", "bob"), "text": "x"}),
    ("everyone sees: carol does not see: x", Sees, {"who": ("everyone",), "text": "carol does not see: x"}),
    ("alice leaves", Leaves, {"who": "alice"}),
    ("alice's phone is killed", IsKilled, {"who": "alice's phone"}),
    ("alice ends with 77", Ends, {"who": "alice", "code": 77}),
]


def play(*lines: str) -> Play:
    return read("\n".join(["# A title.", "", *lines]), PATH)


@pytest.mark.parametrize(("sentence", "kind", "fields"), SENTENCES, ids=[row[0] for row in SENTENCES])
def test_sentence(sentence: str, kind: type[Step], fields: dict[str, object]) -> None:
    assert play(sentence).steps == (kind(3, sentence, **fields),)


def test_every_kind_of_step_is_shown_here() -> None:
    shown = {kind for _, kind, _ in SENTENCES}
    assert shown | {Misses, Told} == set(Step.__subclasses__())


def test_not_seeing_comes_after_seeing_something_newer() -> None:
    steps = play("bob and carol see: later", "carol does not see: a secret", "bob and carol do not see: another").steps
    assert steps[1:] == (
        Misses(4, "carol does not see: a secret", ("carol",), "a secret"),
        Misses(5, "bob and carol do not see: another", ("bob", "carol"), "another"),
    )


@pytest.mark.parametrize("before", ["bob sees: later", "alice types: later", "carol sees: x\nbob types: later"])
def test_not_seeing_too_early(before: str) -> None:
    with pytest.raises(BadPlay, match=r"^some\.play:\d: first let them see something that was written later"):
        play(before, "carol does not see: a secret")


def test_title_head_and_remarks() -> None:
    text = "# The title.\n# More for readers of the file.\n\nthe broker starts\n# A remark.\n\n   the broker stops  \n"
    assert read(text, PATH) == Play(
        PATH,
        "The title.",
        (BrokerStarts(4, "the broker starts"), Told(5, "A remark."), BrokerStops(7, "the broker stops")),
    )


@pytest.mark.parametrize(
    "bad",
    [
        "alice says: hi",
        "the broker sleeps",
        "alice comes with password secret",
        'alice comes with password ""',
        "alice sees:",
        "alice, bob: hi",
        "alice comes late",
        "alice ends with shame",
        "alice leaves early",
    ],
)
def test_bad_line_is_named_with_file_and_line(bad: str) -> None:
    with pytest.raises(BadPlay) as caught:
        play("the broker starts", bad)
    assert str(caught.value) == f"some.play:4: no sentence of a play: {bad}"


@pytest.mark.parametrize("text", ["", "the broker starts\n", "\n# A title that comes too late.\n"])
def test_a_play_begins_with_its_title(text: str) -> None:
    with pytest.raises(BadPlay, match=r"^some\.play:1: the first line is the title"):
        read(text, PATH)
