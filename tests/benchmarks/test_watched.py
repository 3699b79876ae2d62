"""The dashboard's picture: what is drawn of pages, and that the one in the docs is of this dashboard."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.queries import Scrapes
from benchmarks.traces import Panel, sheet, shown
from benchmarks.watched import PICTURE, REMARK, dashboard, drawn

DOCS = Path(__file__).resolve().parents[2] / "docs"
SVG = "{http://www.w3.org/2000/svg}"


def texts(picture: str) -> list[str]:
    return [each.text or "" for each in ElementTree.fromstring(picture).iter(f"{SVG}text")]


def test_the_picture_in_the_docs_is_of_this_dashboard() -> None:
    there = texts((DOCS / PICTURE).read_text("utf-8"))
    fixed = [
        each["legendFormat"] for panel in dashboard() for each in panel["targets"] if "{{" not in each["legendFormat"]
    ]
    missing = {*(panel["title"] for panel in dashboard()), *fixed, REMARK} - set(there)
    assert missing == set(), "the dashboard has changed: run make dashboard"
    assert f"]({PICTURE})" in (DOCS / "OPERATING.md").read_text("utf-8")


def test_a_panel_has_a_line_for_each_label_that_was_ever_more_than_nothing() -> None:
    scrapes = Scrapes()
    for second in range(5):
        waiting = (
            f'restante_backlog_messages{{behind_for="1s"}} {second}\nrestante_backlog_messages{{behind_for="1h"}} 0\n'
        )
        scrapes.add(second, waiting)
    (panel,) = (each for each in dashboard() if "behind_for" in each["targets"][0]["expr"])
    lines = drawn(panel, scrapes).lines
    assert [(name, list(points)) for name, points in lines] == [("1s", [(float(n), float(n)) for n in range(5)])]


def test_nothing_is_drawn_where_nobody_answered() -> None:
    panel = Panel("One", "s", [("up", [(0, 1.0), (1, 2.0), (5, 3.0), (6, 3.0)])])
    picture = sheet([panel], (0, 6), (1, 5), "a title", "a remark")
    assert len(re.findall(r'<polyline class="trace', picture)) == 2
    assert {"One", "up", "a remark", "3 s"} <= set(texts(picture))


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0.0125, "s", "12.5 ms"),
        (47, "s", "47 s"),
        (68.5e6, "bytes", "68.5 MB"),
        (0.9, "percentunit", "90.0%"),
        (3974, "ops", "3,974"),
    ],
)
def test_values_are_written_as_people_read_them(value: float, unit: str, words: str) -> None:
    assert shown(value, unit) == words
