"""The README's pictures: how a terminal is filmed and drawn, and that the pictures in the tree are harmless."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree

import pytest

from demos.film import Film, Shot
from demos.picture import DARK, LIGHT, draw_film, draw_still
from demos.terminal import Run, Still, Terminal

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ("demo.svg", "still-dark.svg", "still-light.svg")
PICTURE_BYTES = 300_000


@pytest.fixture
def film(tmp_path: Path) -> Iterator[Film]:
    environment = {"PATH": os.environ["PATH"], "PS1": "$ ", "TERM": "xterm"}
    with closing(Terminal(40, 8, environment, str(tmp_path))) as terminal, closing(Film({"bob": terminal})) as film:
        film.see({"bob": "$"})
        yield film


def runs(still: Still) -> dict[str, Run]:
    return {run.text: run for row in still.rows for run in row}


def test_a_terminal_is_filmed_as_it_looks(film: Film) -> None:
    film.type("bob", r"printf '\033[2mfaint\033[0m \033[1;36mbold\033[22;39m pl\303\244in \033[38;2;1;2;3mdeep\n'")
    film.enter("bob", {"bob": "plä"})
    seen = runs(film.shots[-1].stills[0])
    assert seen["faint"].faint and not seen["faint"].bold
    assert seen["bold"].bold and seen["bold"].colour == "cyan"
    assert " pläin" in seen
    assert seen["deep"] == Run(17, "deep", 4, "010203", False, False, False)


def test_what_never_comes_is_said(film: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demos.film.PATIENCE_S", 0.2)
    with pytest.raises(TimeoutError, match="bob seeing what nobody wrote"):
        film.see({"bob": "what nobody wrote"})


def test_a_film_is_drawn_with_a_step_for_each_change() -> None:
    empty, full = Still((), (0, 0)), Still(((Run(2, "a <b> & c", 9, "red", True, False, False),),), (1, 1))
    shots = [Shot(1.0, (empty,), "one"), Shot(1.0, (full,), "one"), Shot(2.0, (full,), "two & last")]
    text = draw_film(["bob"], shots, (20, 4), DARK)
    drawing = ElementTree.fromstring(text)
    said = [each.text for each in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert {"a <b> & c", "one", "two & last", "bob"} <= set(said)
    assert "@keyframes window0{0.000%{transform:translateX(0px)}25.000%{transform:translateX(" in text
    assert "@keyframes captions{0.000%{transform:translateY(0px)}50.000%{transform:translateY(-34px)}}" in text


def test_a_still_does_not_move_and_has_the_colours_of_its_theme() -> None:
    shot = Shot(1.0, (Still(((Run(0, "alice", 5, "cyan", False, False, True),),), (0, 1)),), "unseen")
    for theme, other in ((DARK, LIGHT), (LIGHT, DARK)):
        text = draw_still(["bob"], shot, (20, 4), theme)
        assert theme.paper in text and other.paper not in text
        assert "unseen" not in text


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_small_and_harmless(name: str) -> None:
    """No script, nothing from elsewhere."""
    text = (ROOT / "docs" / name).read_text("utf-8")
    assert len(text.encode()) < PICTURE_BYTES
    for element in ElementTree.fromstring(text).iter():
        assert element.tag.partition("}")[2] not in {"script", "image", "foreignObject", "a"}
        for attribute, value in element.attrib.items():
            assert not attribute.startswith("on")
            assert not attribute.endswith("href") or value.startswith("#")
    assert not re.search(r"@import|@font-face|url\(", text)
