"""The operator's commands, carried out by real programs."""

from __future__ import annotations

import signal
import stat
from pathlib import Path

from tests.programs.programs import Broker, Ended, Program
from tests.store.files import change

# Fills a store, so that a copy takes a while.
FILLER_BYTES = 120_000_000


def command(folder: Path, *words: str | Path, typed: bytes = b"", code: int = 0) -> Ended:
    """Carry out a command to its end; unless all is well, it says why in one sentence."""
    with Program("broker", *words, "--data", folder) as program:
        program.type(typed)
        program.end_input()
        ended = program.end()
    assert ended.code == code, ended
    is_sentence = ended.err.startswith("restante: ") and ended.err.endswith("\n") and ended.err.count("\n") == 1
    assert is_sentence if code else not ended.err, ended.err
    return ended


def said(ended: Ended, path: Path) -> str:
    """Its one sentence, without what depends on the place."""
    return ended.err.removeprefix("restante: ").rstrip("\n").replace(str(path), "DIR")


def mode(path: Path) -> str:
    return stat.filemode(path.stat().st_mode)


def fill(folder: Path, size: int = FILLER_BYTES) -> None:
    """Make a stopped broker's store large: a table of no use to it."""
    change(
        folder / "restante.sqlite",
        "CREATE TABLE filler (body)",
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {size // 100_000})"
        " INSERT INTO filler SELECT randomblob(100000) FROM n",
    )


def stop(broker: Broker) -> None:
    ended = broker.end(signal.SIGTERM)
    assert (ended.code, ended.err) == (0, "")
