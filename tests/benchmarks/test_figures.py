"""Tables and pictures say what was measured."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from benchmarks import figures, guard
from benchmarks.aims import judged
from benchmarks.gauge import Figure, spread
from benchmarks.report import Report

VERSIONS = dict.fromkeys(("measured", "cores", "processor", "system", "python", "libzmq", "sqlite"), "?")


def report(*measured: Figure) -> Report:
    return Report("peers", VERSIONS | {"Other": "1.0; promise: none"}, list(measured))


def shapes(name: str, cpu_us: float) -> list[Figure]:
    return [Figure(f"{name}: {shape}", 10, 1.0, 1000.0, cpu_us) for shape in ("1:1", "1→100")]


def test_the_multiple_is_of_our_own_cost() -> None:
    written = figures.peers(report(*shapes("Restante", 8.0), *shapes("Other", 12.0)))
    assert "| Other (1.0) | none | 1k/s at 12 µs (1.5 ×) | 1k/s at 12 µs (1.5 ×) | – | – |" in written.splitlines()


def test_a_page_keeps_all_but_the_table_and_what_was_not_measured() -> None:
    other = "<!-- /figures -->\nbetween\n<!-- figures: growth -->\nold\n<!-- /figures -->\n"
    page = f"before\n<!-- figures: peers -->\nold\n{other}"
    filled = figures.fill(page, {"peers": report(*shapes("Restante", 8.0))})
    assert filled.startswith("before\n<!-- figures: peers -->\n|")
    assert filled.endswith(other)
    assert filled.count("old") == 1
    assert figures.fill(filled, {"peers": report(*shapes("Restante", 8.0))}) == filled


@pytest.mark.parametrize("page", figures.PAGES)
def test_every_mark_of_the_pages_is_known(page: str) -> None:
    marks = figures._BLOCK.findall((figures.ROOT / page).read_text(encoding="utf-8"))
    assert marks
    assert {name for _, name, _ in marks} <= figures.TABLES.keys()


def test_a_disturbed_run_says_so() -> None:
    calm, disturbed = Figure("1:1"), Figure("1:1", others=1.5)
    assert "Provisional" not in figures.conditions(report(calm))
    assert "Provisional" in figures.conditions(report(calm, disturbed))


def test_a_cost_that_grows_is_said_to_rise() -> None:
    grown = [
        Figure(f"accounts: {amount}", cpu_us=cost, more={"amount": amount, "start_ms": 1, "login_ms": 1})
        for amount, cost in ((10, 8.0), (100, 11.0))
    ]
    assert "rises" in figures.growth(report(*grown))
    assert "rises" not in figures.growth(report(grown[0], grown[0]))


def test_an_aim_is_reached_or_not_yet() -> None:
    fast, dear = Figure("1:1", rate=130_000.0, cpu_us=9.0, ratio=4.0), Figure("8:8", per_frame=64, cpu_us=4.0)
    rows = {(row[0], row[1]): row[2:] for row in judged(report(fast, dear))}
    assert rows[("one to one, one message a frame", "≥ 120,000/s")] == ["130,000/s", "yes"]
    assert rows[("", "≤ 8.0 µs")] == ["9.0 µs", "**not yet**"]
    assert rows[("", "≤ 4.0 µs")] == ["4.0 µs", "yes"]


def test_pictures_are_whole() -> None:
    grown = [
        Figure(f"{dimension}: {amount}", cpu_us=8.0, more={"amount": amount, "start_ms": 1, "login_ms": 1})
        for dimension in ("accounts", "rooms")
        for amount in (0, 10, 1000)
    ]
    for drawn in (
        figures.peers_picture(report(*shapes("Restante", 8.0), *shapes("<Other> & more", 12.0))),
        figures.growth_picture(report(*grown)),
    ):
        assert ElementTree.fromstring(drawn).tag.endswith("svg")


def test_percentiles_are_of_the_ordered_waits() -> None:
    assert spread([number / 1000 for number in range(1000, 0, -1)]) == {"p50": 501, "p99": 991, "p99.9": 1000}


@pytest.mark.parametrize(("cost", "code"), [(100, 0), (110, 0), (111, 1)])
def test_the_guard_fails_when_a_message_has_become_a_tenth_dearer(cost: int, code: int) -> None:
    assert guard._judge(cost, 100) == code
