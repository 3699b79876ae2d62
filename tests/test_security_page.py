"""docs/SECURITY.md says what the code does: every limit in its table has the value, and the table has every limit."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "SECURITY.md").read_text(encoding="utf-8")
ROW = re.compile(r"\| (`[A-Z_`, ]+`) \| `([a-z_/]+\.py)` \| ([\d., ]+) \| ([^|]+) \| ([^|]+) \|")

# Modules whose limits are all in the table; of others only the ones named there.
WHOLE = (
    "core/gate.py",
    "core/sends.py",
    "core/broker.py",
    "transport/connections.py",
    "transport/descriptors.py",
    "protocol/limits.py",
)
# What stands there and limits nobody: answers, versions, units, ranges of numbers, and how lazily things are written.
NO_LIMITS = {
    *("LET_IN", "COME_BACK", "NEVER"),
    *("MAJOR_VERSION", "MINOR_VERSION", "KIB", "NUMBER_MAX", "LAST_AT_MS"),
    *("LAZY_S", "SEEN_MS"),
}
LIMIT = re.compile(r"^([A-Z][A-Z_]*(?:, [A-Z][A-Z_]*)*) = ", re.MULTILINE)


def said() -> list[tuple[str, str, float]]:
    """Module, name and value of each limit on the page."""
    found = []
    for names, module, values, _, _ in ROW.findall(PAGE):
        numbers = [float(value.replace(",", "")) for value in re.split(r", ", values)]
        found += [(module, *pair) for pair in zip(re.findall(r"[A-Z_]+", names), numbers, strict=True)]
    return found


def coded(path: str) -> set[str]:
    """Names of the limits that a module makes itself."""
    groups = LIMIT.findall((ROOT / path).read_text(encoding="utf-8"))
    return {name for group in groups for name in group.split(", ")} - NO_LIMITS


@pytest.mark.parametrize(("path", "name", "value"), said())
def test_a_limit_on_the_page_has_its_value(path: str, name: str, value: float) -> None:
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    assert float(getattr(module, name)) == value


@pytest.mark.parametrize("path", WHOLE)
def test_the_page_has_every_limit_of_a_module(path: str) -> None:
    assert {name for module, name, _ in said() if module == path} == coded(path)


def test_every_row_of_the_table_is_read_and_none_stands_there_twice() -> None:
    rows = [line for line in PAGE.splitlines() if re.match(r"\| `[A-Z]+_?[A-Z]", line)]
    assert [line for line in rows if not ROW.fullmatch(line)] == []
    names = [(path, name) for path, name, _ in said()]
    assert len(set(names)) == len(names) > len(rows)


@pytest.mark.parametrize("promise", ["read every text", "planned, and is not there", "private security advisory"])
def test_the_page_says_what_must_not_be_left_out(promise: str) -> None:
    assert promise in PAGE


def test_nobody_is_told_an_address_that_may_not_exist() -> None:
    assert re.findall(r"[\w.+-]+@[\w-]+\.\w+", PAGE) == []
