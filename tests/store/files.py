"""Closed stores, looked at and changed from outside."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from core.commands import Append
from store.sqlite import SqliteStore
from tests.store.contract import results


@contextmanager
def reopened(path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore.open(path)
    try:
        yield opened
    finally:
        opened.close()


def change(path: Path, *statements: str) -> None:
    """Do something to a closed store's tables that no store does."""
    database = apsw.Connection(os.fspath(path))
    for statement in statements:
        database.execute(statement)
    database.close()


def ask(path: Path, question: str) -> object:
    database = apsw.Connection(os.fspath(path))
    answer = database.execute(question).get
    database.close()
    return answer


def filled(path: Path, turns: int = 3) -> None:
    """A store with two messages a turn, in one segment each turn, for two logs; closed."""
    with reopened(path) as store:
        for n in range(1, 2 * turns, 2):
            results(store, Append("anna/a", n, [("@bob", "@anna")] * 2, [b"text %03d" % n, b"text %03d" % (n + 1)]))
