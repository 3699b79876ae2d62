"""The rules that the tree itself keeps."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

FILE_LINES = 500
FUNCTION_LINES = 60

# Words that say nothing about what they name.
EMPTY_WORDS = frozenset({"manager", "util", "utils", "helper", "helpers", "common", "data", "info", "misc", "user"})

# What the last word of a limit's name may be: what it counts.
UNITS = frozenset({"S", "MS", "BYTES", "CHARS", "MESSAGES", "ROOMS", "CONTACTS", "DEVICES", "LOGS", "NAMES", "VISITS"})
# KIB is a unit itself; numbers and versions have none.
WITHOUT_UNIT = frozenset({"KIB", "NUMBER_MAX", "MAJOR_VERSION", "MINOR_VERSION"})

# Put together here, so that this file does not break its own rules.
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b")
HOME = re.compile(r"(?<![\w.~-])/(home|Users|root|work|workspace|workspaces)/[\w.-]|[A-Z]:\\Users\\")

Named = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@cache
def texts() -> dict[str, str]:
    """All our files by path, those not yet committed among them."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in sorted(set(listed)) if (ROOT / name).is_file()}


@cache
def trees() -> dict[str, ast.Module]:
    return {name: ast.parse(text, name) for name, text in texts().items() if name.endswith(".py")}


def definitions(tree: ast.AST) -> Iterator[Named]:
    return (node for node in ast.walk(tree) if isinstance(node, Named))


def public(tree: ast.Module) -> Iterator[Named]:
    """Public classes and functions of a module, and public methods of its public classes."""
    outer = [node for node in tree.body if isinstance(node, Named) and not node.name.startswith("_")]
    inner = [node for each in outer if isinstance(each, ast.ClassDef) for node in each.body if isinstance(node, Named)]
    return (node for node in [*outer, *inner] if not node.name.startswith("_"))


def words(name: str) -> set[str]:
    """The words of a name: of snake_case as of CamelCase."""
    return set(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_"))


def places(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()}"
        for name, text in texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def limit_blocks() -> list[list[str]]:
    """The lines of limits.py, in blocks parted by empty lines, without the docstring."""
    return [block.splitlines() for block in texts()["protocol/limits.py"].split("\n\n")[1:]]


def test_the_rules_have_something_to_look_at() -> None:
    assert {"protocol/frames.py", "core/events.py", "tests/test_tidy.py", "pyproject.toml"} <= set(texts())
    assert sum(1 for tree in trees().values() for _ in definitions(tree)) > 100


def test_no_file_is_too_long() -> None:
    # A catalogue is as long as there are sentences.
    lengths = {name: len(text.splitlines()) for name, text in texts().items() if not name.endswith(".po")}
    assert {name: length for name, length in lengths.items() if length > FILE_LINES} == {}


def test_no_function_is_too_long() -> None:
    found = [
        f"{name}:{node.lineno}: {node.name}"
        for name, tree in trees().items()
        for node in definitions(tree)
        if not isinstance(node, ast.ClassDef) and (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES
    ]
    assert found == []


def test_no_name_is_an_empty_word() -> None:
    files = [name for name in texts() if any(words(part) & EMPTY_WORDS for part in re.split(r"[/.]", name))]
    inside = [
        f"{name}:{node.lineno}: {node.name}"
        for name, tree in trees().items()
        for node in definitions(tree)
        if words(node.name) & EMPTY_WORDS and not node.name.startswith("test_")
    ]
    assert files + inside == []


def test_nothing_is_left_for_later() -> None:
    assert places(UNFINISHED) == []


def test_no_file_knows_where_somebody_keeps_it() -> None:
    assert places(HOME) == []


@pytest.mark.parametrize(
    "line", ["see /home/" + "alice/x", "'/Users/" + "bob'", "cd /ro" + "ot/.ssh", "C:\\Users\\bob"]
)
def test_a_path_of_somebodys_home_is_seen(line: str) -> None:
    assert HOME.search(line)


def test_every_limit_names_its_unit() -> None:
    names = re.findall(r"^([A-Z_]+) =", texts()["protocol/limits.py"], re.MULTILINE)
    assert len(names) > 20
    assert [name for name in names if name.rsplit("_", 1)[-1] not in UNITS and name not in WITHOUT_UNIT] == []


def test_every_limit_has_its_reason_above_it() -> None:
    assert [
        block[0] for block in limit_blocks() if not block[0].startswith("# ") and not block[0].startswith("KIB")
    ] == []


def test_everything_public_in_protocol_and_core_says_what_it_is() -> None:
    pure = {name: tree for name, tree in trees().items() if name.startswith(("protocol/", "core/"))}
    silent = [
        f"{name}:{node.lineno}: {node.name}"
        for name, tree in pure.items()
        for node in public(tree)
        if not ast.get_docstring(node)
    ]
    assert silent + [name for name, tree in pure.items() if not ast.get_docstring(tree)] == []
