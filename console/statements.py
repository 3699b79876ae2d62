"""A TOML file statement by statement: which lines say what, and how one is changed while all others stay as they are.

tomllib tells neither lines nor comments. But each statement of TOML stands for itself, so tomllib is asked, line after
line, whether what was read since the last statement is a whole one. No grammar of our own is needed.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from typing import NamedTuple

Key = tuple[str, ...]
"""What a value is called: the tables in which it stands, and its own name."""

_LINE = re.compile(r"at line (\d+)")


class NotToml(Exception):
    """A text that can't be read; ``line`` (1, 2, 3 …) is where that was noticed."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line} can't be read")
        self.line = line


class Statement(NamedTuple):
    """One statement, or an empty line, or a comment."""

    line: int  # its first: 1, 2, 3 …
    lines: list[str]
    table: Key  # in which it stands; of a table's head: that table
    values: dict[Key, object]


def statements(text: str) -> list[Statement]:
    """All of a text, in order; NotToml if it is none."""
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        found = _LINE.search(str(error))
        raise NotToml(int(found[1]) if found else text.rstrip().count("\n") + 1) from None
    return list(_parted(_lines(text)))


def changed(text: str, name: str, value: str | None) -> str:
    """The text with this top-level value, or without it (None); comments and all else stay.

    NotToml as above, or where a table of this name stands in the way.
    """
    parts = statements(text)
    for part in parts:
        if part.table[:1] == (name,):
            raise NotToml(part.line)
    lines = _lines(text)
    end = "\r" if "\r\n" in text else ""
    found = [part for part in parts if any(key[0] == name for key in part.values)]
    for part in reversed(found):
        at, after = part.line - 1, part.line - 1 + len(part.lines)
        lines[at:after] = [] if value is None or part != found[0] else [f"{name} = {_quoted(value)}{_comment(part)}"]
    if value is not None and not found:
        at = _place(parts, len(lines))
        lines[at:at] = [f"{name} = {_quoted(value)}{end}", *[end] * _is_head(parts, at)]
    return "".join(f"{line}\n" for line in lines)


def _lines(text: str) -> list[str]:
    """TOML knows but one end of a line, with a carriage return or without: that one stays with its line."""
    return text.removesuffix("\n").split("\n") if text else []


def _parted(lines: list[str]) -> Iterator[Statement]:
    table: Key = ()
    first = 0
    for after in range(1, len(lines) + 1):
        some = lines[first:after]
        try:
            parsed = tomllib.loads("\n".join([*some, ""]))
        except ValueError:
            continue  # a text or a list that goes on in the next line
        values = dict(_flat(parsed))
        if some[0].lstrip().startswith("["):
            table, values = _named(parsed), {}
        yield Statement(first + 1, some, table, {(*table, *key): value for key, value in values.items()})
        first = after


def _flat(parsed: dict[str, object], above: Key = ()) -> Iterator[tuple[Key, object]]:
    for key, value in parsed.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, (*above, key))
        else:
            yield (*above, key), value


def _named(parsed: object) -> Key:
    """The table, or the list of tables, that a head names."""
    if isinstance(parsed, list):
        return _named(parsed[-1])
    return tuple(step for key, inner in parsed.items() for step in (key, *_named(inner))) if parsed else ()  # type: ignore[attr-defined]


def _place(parts: list[Statement], end: int) -> int:
    """Where another top-level line goes: behind the last of them, else above the first table and its comment."""
    tops = [part for part in parts if part.values and not part.table]
    if tops:
        return tops[-1].line - 1 + len(tops[-1].lines)
    at = next((part.line - 1 for part in parts if part.table), end)
    while at < end and at and parts[at - 1].lines[0].lstrip().startswith("#"):
        at -= 1
    return at


def _is_head(parts: list[Statement], at: int) -> bool:
    """Whether a table, or its comment, begins there: a line above it is parted from it."""
    return at < len(parts) and not any(part.values and not part.table for part in parts)


def _comment(part: Statement) -> str:
    """What stands behind a statement, from the blanks before it to the end of the line."""
    text = "\n".join(part.lines)
    for found in re.finditer(r"[ \t]*#", text):
        try:
            if tomllib.loads(text[: found.start()] + "\n"):
                return text[found.start() :]
        except ValueError:
            continue  # this one is within a text
    return "\r" if text.endswith("\r") else ""


def _quoted(value: str) -> str:
    """A basic string: as JSON's, but that DEL must be escaped too."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
