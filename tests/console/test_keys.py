"""Keys beyond editing: places by number, Tab, what was typed before, drafts; and that none of it needs a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from core import shown, typed
from core.clock import Instant
from tests.console.stage import NOON, Scene, arranged, message, play

ALT = "\x1b"
BACK_TAB = "\x1b[Z"
UP = "\x1b[A"


def two_places(scene: Scene) -> Iterator[None]:
    """The lobby, where one is, and a room."""
    scene.standing.rooms = ["#garden"]
    scene.show(shown.Who(accounts=["bob", "Bobby", "me"]))
    yield from scene.seen("#lobby>")


def test_a_number_goes_to_its_conversation() -> None:
    def script(scene: Scene) -> Iterator[None]:
        yield from two_places(scene)
        yield from scene.press(f"{ALT}2")
        yield from scene.seen("#garden>")
        scene.show(message("bob", "psst", to="me"))
        yield from scene.seen("unread 3 bob:1")
        yield from scene.press(f"{ALT}3")
        yield from scene.seen("→ bob (private)>")
        assert "unread" not in scene.shown()[-1]
        scene.type(f"{ALT}9")
        yield from scene.seen("no conversation has that number yet; Alt and a number: 1 #lobby, 2 #garden, 3 bob")
        scene.type(f"{ALT}3")  # one is there
        scene.type("x")
        yield from scene.seen("(private)> x")
        assert scene.typed() == []

    play(script)


@pytest.mark.parametrize("key", ["a", "A"])
def test_the_next_unread_one(key: str) -> None:
    def script(scene: Scene) -> Iterator[None]:
        yield from two_places(scene)
        scene.show(message("bob", "psst", to="me"))
        scene.show(message("bob", "look, me", to="#garden"))
        for place in ("#garden>", "→ bob (private)>"):
            yield from scene.press(f"{ALT}{key}")
            yield from scene.seen(place)
        scene.type(f"{ALT}{key}")
        yield from scene.seen("nothing is unread elsewhere")

    play(script)


def test_half_a_line_stays_where_it_was_meant_for() -> None:
    def script(scene: Scene) -> Iterator[None]:
        yield from two_places(scene)
        scene.type("for the lobby")
        yield from scene.seen("#lobby> for the lobby")
        yield from scene.press(f"{ALT}2")
        scene.type("for the garden\x1b\rand more")
        yield from scene.seen("and more")
        yield from scene.press(f"{ALT}1")
        yield from scene.seen("#lobby> for the lobby")
        (kept,) = scene.terminal.unsent()
        assert kept == typed.Drafted(texts={"#garden": "for the garden\nand more", "#lobby": "for the lobby"})
        assert scene.standing.arrangement.drafts == {"#lobby": "for the lobby", "#garden": "for the garden\nand more"}
        scene.type("\r")
        yield from scene.until(lambda: not scene.terminal._line.text)
        (kept,) = scene.terminal.unsent()
        assert kept == typed.Drafted(texts={"#garden": "for the garden\nand more"})

    play(script)


def test_what_was_half_typed_in_another_run_is_there_again() -> None:
    def script(scene: Scene) -> Iterator[None]:
        scene.standing.arrangement = arranged(drafts=b'{"#lobby":"half a li","#garden":"roses"}')
        yield from two_places(scene)
        yield from scene.seen("#lobby> half a li")
        yield from scene.press(f"{ALT}2")
        yield from scene.seen("#garden> roses")

    play(script)


def test_what_was_typed_on_the_way_goes_before_a_draft() -> None:
    """After /join the next line is meant for the room: it is not put aside, and the draft is not lost."""

    def script(scene: Scene) -> Iterator[None]:
        scene.standing.arrangement = arranged(drafts=b'{"#garden":"roses"}')
        yield from two_places(scene)
        scene.type("hello gar")
        yield from scene.seen("hello gar")
        scene.standing.place = "#garden"
        yield from scene.seen("#garden> hello gar")
        scene.type(UP)
        yield from scene.seen("#garden> roses")

    play(script)


def test_what_was_typed_is_found_again_in_its_place() -> None:
    def script(scene: Scene) -> Iterator[None]:
        yield from two_places(scene)
        yield from scene.press("one\r")
        yield from scene.press("two\x1b\rrows\r")
        yield from scene.press(f"{ALT}2")
        yield from scene.press("three\r")
        yield from scene.seen("#garden>")
        scene.type(UP)
        yield from scene.seen("#garden> three")
        scene.type(UP)
        yield from scene.press(f"\x03{ALT}1")
        yield from scene.seen("#lobby>")
        scene.type(UP)
        yield from scene.seen("#lobby> two")
        scene.type("\x03")
        yield from scene.until(lambda: not scene.terminal._line.text)
        scene.type(UP)
        yield from scene.seen("#lobby> two")  # the history is here again
        scene.type("\x12one")
        yield from scene.seen("I-search backward: one")
        scene.type("\r")
        yield from scene.until(lambda: scene.terminal._line.text == "one")
        (wrote,) = yield from pressed(scene, "\r")
        assert isinstance(wrote, typed.Wrote)
        assert wrote.text == "one"
        assert (scene.folder / "typed").stat().st_mode & 0o777 == 0o600

    play(script)


def pressed(scene: Scene, keys: str) -> Iterator[None]:
    """What these keys ask for."""
    scene.type(keys)
    yield from scene.until(lambda: not scene.entered.empty)
    return scene.typed()


def test_a_search_can_be_given_up() -> None:
    def script(scene: Scene) -> Iterator[None]:
        yield from two_places(scene)
        yield from scene.press("one\r")
        scene.type("half\x12on")
        yield from scene.seen("I-search backward: on")
        scene.type("\x03")
        yield from scene.until(lambda: "I-search" not in "\n".join(scene.shown()))
        assert "#lobby> half" in scene.shown()

    play(script)


def test_tab_goes_through_what_fits() -> None:
    def script(scene: Scene) -> Iterator[None]:
        yield from two_places(scene)
        for keys, seen in (
            ("bo\t", "→ bob (private)> bob:"),
            ("\t", "→ Bobby (private)> Bobby:"),
            ("\t", "→ bob (private)> bob:"),
            (BACK_TAB, "→ Bobby (private)> Bobby:"),
            ("\x15/to #g\t", "> /to #garden"),
            ("\x15/hist\t", "> /history"),
            ("\x15ask bo\t you", "> ask bob you"),
        ):
            scene.type(keys)
            yield from scene.seen(seen)
        scene.type("\x15bo\t")
        yield from scene.seen("  bob:  Bobby:")
        scene.type(" ")
        yield from scene.until(lambda: "Bobby:" not in "\n".join(scene.shown()))
        assert scene.typed() == []

    play(script)


def test_a_name_that_would_have_to_be_cleaned_is_not_offered() -> None:
    def script(scene: Scene) -> Iterator[None]:
        yield from two_places(scene)
        scene.show(shown.Who(accounts=["evil\x1b[2J", "eve", "me"]))
        scene.type("ev\t")
        yield from scene.seen("> eve:")
        scene.type("\tx")
        yield from scene.seen("eve: x")

    play(script)


def test_a_muted_place_is_quiet() -> None:
    def script(scene: Scene) -> Iterator[None]:
        yield from two_places(scene)
        yield from scene.press("/mute #garden\r")
        scene.show(message("bob", "look, me", to="#garden"))
        yield from scene.seen("look, «me»")
        assert b"\a" not in scene.written
        assert "unread" not in scene.shown()[-1]
        yield from scene.press("/unmute #garden\r")
        yield from scene.seen("unread 2 #garden:1!")
        scene.show(message("bob", "look, me", to="#garden"))
        assert scene.written.count(b"\a") == 1

    play(script)


def test_what_calls_can_be_chosen() -> None:
    def script(scene: Scene) -> Iterator[None]:
        yield from two_places(scene)
        yield from scene.press("/notify osc777 title\r")
        scene.show(message("bob", "psst", to="me"))
        yield from scene.until(lambda: scene.screen.title == "(1) restante")
        assert b"\x1b]777;notify;restante;bob\x1b\\" in scene.written
        assert b"\a" not in scene.written
        scene.standing.place = "bob"
        yield from scene.until(lambda: scene.screen.title == "restante")

    scene = play(script)
    assert scene.written.count(b"\x1b[22;2t") == scene.written.count(b"\x1b[23;2t") == 1


def test_no_thread_whatever_key_is_pressed() -> None:
    def script(scene: Scene) -> Iterator[None]:
        yield from two_places(scene)
        scene.show(message("bob", "psst", to="me"))
        for keys in (
            "bo\t",
            "\t",
            BACK_TAB,
            f"{ALT}2",
            f"{ALT}a",
            UP,
            "\x12o",
            "\x03",
            f"{ALT}1",
            "/notify osc9\r",
            "x\r",
        ):
            scene.type(keys)
            for _ in range(3):
                scene.heed()
                yield
        scene.terminal.write(scene.standing, Instant(scene.tick, NOON), last=True)
        assert threading.enumerate() == [threading.main_thread()]

    play(script)
