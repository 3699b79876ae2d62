"""All sentences of the programs: those in calls, read from the code, and those in tables."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import broker
import client
from console import menu, options, words
from core import shown
from operating import telling
from protocol import errors, keys, names
from protocol.errors import Told
from store import journal, sqlite

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("console", "core", "operating", "protocol", "store", "transport")

ONE = {"Sentence", "worded", "wrong"}
"""Calls whose first argument is a sentence; each kind of Told is one too."""
MANY = {"counted"}
"""Calls whose first two are: for one, and for more."""


class Text(NamedTuple):
    """A sentence as it stands in the code, and its plural if it counts something."""

    english: str
    plural: str = ""
    source: str = ""  # the file


def collected() -> list[Text]:
    """Every sentence, once, as the files and the tables have them in order."""
    seen: dict[str, Text] = {}
    for text in (*in_calls(), *in_tables()):
        seen.setdefault(text.english, text)
    return list(seen.values())


def in_tables() -> Iterator[Text]:
    """What is looked up by a code or by a name."""
    tables: dict[str, Iterable[str]] = {
        "console/words.py": words.REFUSALS.values(),
        "console/menu.py": [text for command in menu.COMMANDS for text in (command.does, *command.asks)],
        "console/options.py": (*options.MISTAKES, *options.REASONS),
        "core/shown.py": (shown.PASSWORD_CHANGED, shown.NOTHING_THERE),
        "protocol/errors.py": errors.SENTENCES.values(),
        "protocol/keys.py": keys.REASONS,
        "protocol/names.py": names.REASONS,
        "operating/telling.py": telling.ERRORS,
        "store/sqlite.py": (sqlite.CURE,),
        "store/journal.py": (journal.CURE,),
        "broker.py": (broker.KEY_LOSS,),
        "client.py": (client.KEY_LOSS,),
    }
    return (Text(english, "", source) for source, table in tables.items() for english in table)


def in_calls() -> Iterator[Text]:
    """What is said where it stands, file by file."""
    for path in programs():
        yield from in_code(path.read_text("utf-8"), path.relative_to(ROOT).as_posix())


def in_code(code: str, source: str) -> Iterator[Text]:
    """The sentences of one file. AssertionError if a part of one is only known when it is said."""
    for call in calls(code):
        found = [_literal(each, f"{source}:{call.lineno}") for each in call.args[: _sentences_in(call)]]
        if found and all(found):
            yield Text(found[0], "".join(found[1:]), source)


def calls(code: str) -> list[ast.Call]:
    """All calls, as they stand one behind the other."""
    found = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    return sorted(found, key=lambda call: (call.lineno, call.col_offset))


def called(call: ast.Call) -> str:
    """The name of what is called; of a method, without what it belongs to."""
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def programs() -> list[Path]:
    """The files of the programs."""
    return [*sorted(ROOT.glob("*.py")), *(path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))]


def _sentences_in(call: ast.Call) -> int:
    return 2 if called(call) in MANY else int(called(call) in ONE | {kind.__name__ for kind in kinds(Told)})


def kinds(kind: type) -> Iterator[type]:
    """This one, and all that are derived of it."""
    yield kind
    for each in kind.__subclasses__():
        yield from kinds(each)


def _literal(node: ast.expr, where: str) -> str:
    """The text that stands there; "" for a name, whose value is a sentence of another place."""
    assert not isinstance(node, ast.JoinedStr | ast.BinOp), f"{where}: a sentence has named places, and is whole"
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
