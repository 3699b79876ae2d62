"""What is seen in Russian: every event as a line, and the screen of an evening."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.output import Plain
from tests.console.stage import Scene, play
from tests.console.test_output import EVENTS, NOW, local
from tests.console.test_terminal_golden import evening

HERE = Path(__file__).parent / "screens"


def golden(name: str, lines: list[str]) -> None:
    """As it was drawn. A file that is not there is made: look at it before it is committed."""
    path = HERE / f"{name}.txt"
    text = "\n".join(lines) + "\n"
    if not path.exists():
        path.write_text(text, "utf-8")
        pytest.fail(f"{path.name} was not there; it is now")
    assert text == path.read_text("utf-8")


def test_every_event(russian: None) -> None:
    seen = []
    for name, event in EVENTS.items():
        plain = Plain(local)
        seen += [f"== {name}", *(line for _, line in plain.lines(event, NOW))]
    golden("events-ru", seen)


def test_an_evening(russian: None) -> None:
    def script(scene: Scene) -> Iterator[None]:
        yield from evening(scene)
        golden("evening-ru", scene.scrolled())

    play(script)
