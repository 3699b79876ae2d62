"""Being led by numbers at a terminal: what is asked stands where the line is typed, and what happens above it."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from console import words
from core import shown, typed
from core.typed import Intent
from protocol.names import LOBBY
from tests.console.stage import NOON, Scene, message, play
from tests.console.test_terminal_golden import SIZES, golden, online

MENU = "1 message, 2 help"


def enter(scene: Scene, line: str, asks: str) -> Generator[None, None, list[Intent]]:
    """Type a line, and wait for the question that comes then; what the line meant."""
    scene.type(line)
    if line:
        yield from scene.until(lambda: scene.terminal._line.text == line)
    scene.type("\r")
    yield from scene.until(lambda: not scene.entered.empty)
    meant = scene.typed()
    for mistake in meant:
        if isinstance(mistake, typed.Mistook):
            scene.show(shown.Refused(code=mistake.code, text=mistake.text, line=mistake.line))
    yield from scene.until(lambda: any(row.startswith(asks) for row in scene.shown()))
    return meant


def led(scene: Scene) -> Iterator[None]:
    """Through everything that the menu has."""
    yield from scene.seen(MENU)
    scene.show(online())
    yield from enter(scene, "1", "To:")
    yield from enter(scene, "b/b", "To:")
    yield from enter(scene, "nobody", "Message:")
    yield from enter(scene, "hi there", "1 message")
    scene.terminal.input.refused("nobody", "hi there")
    refused = {"code": "no-such-account", "text": "there is no account nobody", "to": "nobody", "body": "hi there"}
    scene.show(shown.Refused(line=4, **refused))
    yield from scene.seen("To:")
    yield from enter(scene, "bob", "Message:")
    yield from enter(scene, "hi there", "1 message")
    scene.show(message("me", "hi there", to="bob"))
    yield from enter(scene, "hello", "1 message")
    yield from enter(scene, "5", "1 message")
    scene.show(shown.Who(accounts=["bob", "me"]))
    yield from enter(scene, "contacts", "1 list")
    scene.show(message("bob", "me? how did you do that", to=LOBBY, at=NOON))


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_being_led(columns: int, rows: int) -> None:
    def script(scene: Scene) -> Iterator[None]:
        yield from led(scene)
        yield from scene.seen("how did you do that")
        golden("menu", scene, scene.scrolled())

    play(script, columns, rows, by_menu=True)


def test_what_is_answered_wrongly_is_asked_again_and_not_given_back() -> None:
    def script(scene: Scene) -> Iterator[None]:
        yield from led(scene)
        assert scene.terminal._line.text == ""
        (mistake,) = yield from enter(scene, "9", "1 list")
        assert isinstance(mistake, typed.Mistook)
        yield from scene.seen("9 is not offered here")
        assert scene.shown()[-2] == "1 list, 2 add, 3 remove, 4 back:"

    play(script, by_menu=True)


def test_the_menu_is_opened_and_closed_at_a_terminal() -> None:
    def script(scene: Scene) -> Iterator[None]:
        yield from scene.seen("#lobby>")
        yield from enter(scene, "/menu", "1 message")
        (asked,) = yield from enter(scene, "2", "1 message")
        assert isinstance(asked, typed.AskedHelp)
        scene.terminal.tell(words.help_text())
        scene.tick += 1
        yield from scene.seen("/quit")
        yield from enter(scene, "", "1 message")
        yield from enter(scene, "/menu", "#lobby>")
        (wrote,) = yield from enter(scene, "5", "#lobby>")
        assert isinstance(wrote, typed.Wrote)

    play(script)
