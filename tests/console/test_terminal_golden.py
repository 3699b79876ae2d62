"""The terminal as it is seen: golden screens, attacks, and everything that must not tear a half-typed line."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from console import words
from core import shown, typed
from tests.console.attacks import ATTACKS, harmful
from tests.console.stage import DAY, NOON, Scene, envelope, message, play

GOLDEN = Path(__file__).parent / "screens"
SIZES = [(100, 30), (40, 10)]
MINUTE = 60_000
# What the toolkit and we ourselves write: attributes, moves, modes.
_OURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r(?!\n)|\x08")


def golden(name: str, scene: Scene, lines: list[str]) -> None:
    """The screen is as it was drawn. A file that is not there is made: look at it before it is committed."""
    path = GOLDEN / f"{name}-{scene.columns}x{scene.rows}.txt"
    text = "\n".join(lines) + "\n"
    if not path.exists():
        path.write_text(text, "utf-8")
        pytest.fail(f"{path.name} was not there; it is now")
    assert text == path.read_text("utf-8")


def online(waiting: int = 0, first: bool = True) -> shown.Online:
    return shown.Online(
        account="me", device="d", broker="tcp://b:1", key="k", waiting=waiting, registered=False, first=first
    )


def evening(scene: Scene) -> Iterator[None]:
    """The screen as the design has it."""
    yield from scene.seen("#lobby>")
    scene.show(online(waiting=2))
    scene.show(
        message("alice", "anyone up?", at=NOON - DAY, waited=True),
        message("dave", "sent you the invoice yesterday", to="me", at=NOON - 9 * 60 * MINUTE, waited=True),
    )
    scene.show(shown.Who(accounts=["alice", "bob", "dave", "me"]))
    scene.show(message("me", "nice one 👍"))
    scene.show(shown.Came(room="#lobby", accounts=["carol"]), shown.Came(room="#lobby", accounts=["erin"]))
    scene.show(message("me", "calling in five", to="dave", at=NOON + MINUTE))
    scene.show(message("alice", "traceback is\nKeyError: b'bob'\n12:00 root: all is well", at=NOON + MINUTE))
    scene.show(message("bob", "me: can you look at messages 88?", at=NOON + MINUTE))
    scene.show(message("dave", "thanks", to="me", at=NOON + MINUTE), message("bob", "me?", to="#ops"))
    scene.standing.online = False
    scene.standing.due = scene.tick + 5
    scene.show(shown.Offline(reason="cut", retry_in=4.0, first=True))
    scene.wait(("#lobby", "typed while the broker was away"))
    scene.type("I think the dict is keyed by bytes")
    yield from scene.seen(words.STATUS_RETRY(seconds=3))
    yield from scene.seen("I think the dict is keyed by byt")


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_an_evening(columns: int, rows: int) -> None:
    def script(scene: Scene) -> Iterator[None]:
        yield from evening(scene)
        golden("evening", scene, scene.scrolled())

    play(script, columns, rows)


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_attacks_are_shown_and_not_obeyed(columns: int, rows: int) -> None:
    def script(scene: Scene) -> Iterator[None]:
        yield from scene.seen("#lobby>")
        scene.type("half a li")
        yield from scene.seen("half a li")
        for text, _ in ATTACKS:
            scene.show(message("mallory", text), message("bob", text.replace("\n", " ")))
        yield from scene.seen("#lobby> half a li")
        assert scene.screen.title == ""
        golden("attacks", scene, [line for line in scene.scrolled() if "xxxx" not in line])

    scene = play(script, columns, rows)
    assert scene.written.count(b"\x07") == 0


def test_no_text_leaves_a_control_behind() -> None:
    """What is painted between our own sequences has nothing that a terminal obeys."""

    def script(scene: Scene) -> Iterator[None]:
        yield from scene.seen("#lobby>")
        for text, _ in ATTACKS:
            scene.written.clear()
            scene.show(message("mallory", f"{text}END"))
            printed = _OURS.sub("", scene.written.decode())
            assert "END" in printed or len(text) > 5000
            assert harmful(printed.replace("\r\n", "\n")) == []

    play(script)


def test_a_half_typed_line_survives_a_flood_and_resizes() -> None:
    def script(scene: Scene) -> Iterator[None]:
        yield from scene.seen("#lobby>")
        scene.type("half")
        yield from scene.seen("> half")
        for number in range(300):
            scene.show(message("alice", f"line {number}"))
            if number % 50 == 0:
                scene.resize(100 - number // 10, 30)
                scene.type("x")
            yield
        yield from scene.seen("#lobby> half" + "x" * 6)
        lines = [line for line in scene.scrolled() if line.startswith("12:00")]
        assert lines == [f"12:00 alice  line {number}" for number in range(300)]

    play(script)


def test_what_comes_too_fast_is_counted() -> None:
    def script(scene: Scene) -> Iterator[None]:
        yield from scene.seen("#lobby>")
        many = [envelope("alice", f"line {number}") for number in range(20_000)]
        many[77] = envelope("bob", "for you only", to="me")
        scene.show(shown.Messages(log="#lobby", first=1, envelopes=many, waited=0))
        yield from scene.seen("line 19999")
        lines = scene.scrolled()
        assert "      … 77 messages passed by too fast, /history shows them" in lines
        assert "      … 19722 messages passed by too fast, /history shows them" in lines
        assert "12:00 bob → you  for you only" in lines
        assert sum(line.startswith("12:00 alice") for line in lines) == 200

    play(script)


def test_frames_are_bounded() -> None:
    """What comes between two frames is painted with the second, in one write."""

    def script(scene: Scene) -> Iterator[None]:
        yield from scene.seen("#lobby>")
        scene.show(message("alice", "first"))
        before = scene.writes
        for number in range(50):
            scene.terminal.show(message("alice", f"soon {number}"), NOON)
            assert not scene.write()
        assert scene.writes == before
        scene.tick += 1
        assert scene.write()
        assert scene.writes == before + 1
        yield

    play(script)


def test_keys() -> None:
    """Enter, Alt-Enter, Ctrl-C, Ctrl-D, history, a paste."""

    def script(scene: Scene) -> Iterator[None]:
        yield from scene.seen("#lobby>")
        scene.type("one\r")
        yield from scene.until(lambda: not scene.entered.empty)
        scene.type("two\x1b\rlines\r")
        yield from scene.until(lambda: len(scene.entered._lines) == 2)
        scene.type("dropped\x03")
        yield from scene.until(lambda: scene.shown()[-2:] and not scene.terminal._line.text)
        scene.type("\x03")
        yield from scene.seen("Ctrl-D on an empty line, or exit, leaves")
        scene.type("\x1b[A")
        yield from scene.seen("dropped")
        scene.type("\x03")
        scene.type("\x1b[200~" + "".join(f"row {number}\r\n" for number in range(50)) + "\x1b[201~")
        yield from scene.seen("50 lines pasted: Enter sends one message")
        scene.type("\r")
        yield from scene.until(lambda: len(scene.entered._lines) == 3)
        scene.type("\x04")
        yield from scene.until(lambda: scene.terminal.closed)
        texts = [intent.text for intent in scene.typed() if isinstance(intent, typed.Wrote)]
        assert texts == ["one", "two\nlines", "\n".join(f"row {number}" for number in range(50))]

    play(script)


def test_a_paste_that_the_terminal_does_not_mark_is_held() -> None:
    def script(scene: Scene) -> Iterator[None]:
        yield from scene.seen("#lobby>")
        scene.type("".join(f"row {number}\r" for number in range(50)))
        yield from scene.seen("50 lines pasted: Enter sends one message")
        assert scene.entered.empty
        scene.type("\r")
        yield from scene.until(lambda: not scene.entered.empty)
        (wrote,) = scene.typed()
        assert isinstance(wrote, typed.Wrote)
        assert wrote.text.splitlines() == [f"row {number}" for number in range(50)]

    play(script)


def test_a_refused_line_comes_back() -> None:
    def script(scene: Scene) -> Iterator[None]:
        yield from scene.seen("#lobby>")
        scene.type("/shrug\r")
        yield from scene.until(lambda: not scene.entered.empty)
        (mistake,) = scene.typed()
        assert isinstance(mistake, typed.Mistook)
        scene.show(shown.Refused(code=mistake.code, text=mistake.text, line=mistake.line))
        yield from scene.seen("#lobby> /shrug")

    play(script)


def test_where_a_line_would_go_is_seen_while_it_is_typed() -> None:
    def script(scene: Scene) -> Iterator[None]:
        yield from scene.seen("#lobby>")
        scene.show(shown.Who(accounts=["bob", "me"]))
        scene.type("bob:")
        yield from scene.seen("→ bob (private)> bob:")
        scene.type("\x7f")
        yield from scene.seen("#lobby> bob")

    play(script)


def test_emoji_that_is_typed_does_not_tear_the_prompt() -> None:
    def script(scene: Scene) -> Iterator[None]:
        yield from scene.seen("#lobby>")
        scene.type("👨\u200d👩\u200d👧 ok 👍🏽")
        yield from scene.seen("ok")
        assert "\u200d" not in scene.written.decode()
        scene.type("\r")
        yield from scene.until(lambda: not scene.entered.empty)
        (wrote,) = scene.typed()
        assert isinstance(wrote, typed.Wrote)
        assert wrote.text == "👨\u200d👩\u200d👧 ok 👍🏽"

    play(script)


def test_the_bell_rings_for_me_and_not_for_each() -> None:
    def script(scene: Scene) -> Iterator[None]:
        yield from scene.seen("#lobby>")
        scene.show(message("alice", "messages for nobody"))
        assert scene.written.count(b"\x07") == 0
        scene.show(message("alice", "hello me"))
        assert scene.written.count(b"\x07") == 1
        scene.show(message("alice", "psst", to="me"))
        assert scene.written.count(b"\x07") == 1
        scene.tick += 2
        scene.show(message("alice", "psst", to="me"))
        assert scene.written.count(b"\x07") == 2
        yield

    play(script)


def test_no_colour() -> None:
    scene = play(evening, NO_COLOR="1")
    assert b"\x1b[0;3" not in scene.written
    assert b"38;" not in scene.written
    assert b"\x1b[0;3" in play(evening).written


def test_one_thread_whatever_is_used() -> None:
    def script(scene: Scene) -> Iterator[None]:
        yield from evening(scene)
        for keys in ("\t", "\x12keyed\r", "\x1b[A", "\x0c", "\x18\x05", "\x03"):
            scene.type(keys)
            for _ in range(3):
                scene.write()
                yield
        assert threading.enumerate() == [threading.main_thread()]

    play(script)


def test_the_terminal_is_left_as_it_was_found() -> None:
    scene = play(evening)
    last = scene.written.rfind
    assert last(b"\x1b[?2004l") > last(b"\x1b[?2004h") >= 0
    assert last(b"\x1b[?25h") > last(b"\x1b[?25l") >= 0
    assert last(b"\x1b[?2026l") > last(b"\x1b[?2026h") >= 0
    assert b"\x1b[?1049h" not in scene.written
    assert b"\x1b[6n" not in scene.written
    assert "/help" not in "\n".join(scene.shown())
