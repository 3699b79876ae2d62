"""What happened in a run, in numbers; and the table that shows it. Nothing of ours is imported here."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec

LOST, DOUBLED, DISORDER, OTHER = "lost", "doubled", "out of order", "other faults"
_FILE = "tally.json"


class Tally(msgspec.Struct):
    """What was done to the programs."""

    seed: int
    minutes: float
    brokers: int = 0  # killed
    clients: int = 0  # killed
    stops: int = 0  # SIGSTOP, of either
    silences: int = 0  # stops and downs beyond the silence after which one is taken for gone
    cuts: int = 0
    inside: int = 0  # those among them that ended a connection in the middle of what was on its way
    stalls: int = 0
    slow: int = 0  # connections that were delayed, or held to a byte rate
    downs: int = 0  # of the link
    no_link: str = ""  # why there was none


def write_tally(folder: Path, tally: Tally) -> None:
    """Leave it beside the evidence."""
    (folder / _FILE).write_bytes(msgspec.json.encode(tally))


def read_tally(folder: Path) -> Tally:
    """What write_tally left."""
    return msgspec.json.decode((folder / _FILE).read_bytes(), type=Tally)


def table(tally: Tally, accepted: int, faults: Counter[str]) -> str:
    """One row under its head, in Markdown; where it is due, a line on what could not be done here."""
    columns = {
        "seed": str(tally.seed),
        "minutes": f"{tally.minutes:g}",
        "messages accepted": f"{accepted:,}",
        "broker killed": f"{tally.brokers:,}",
        "clients killed": f"{tally.clients:,}",
        "stopped": f"{tally.stops:,}",
        "cuts (inside a frame)": f"{tally.cuts:,} ({tally.inside:,})",
        "stalls": f"{tally.stalls:,}",
        "slow lines": f"{tally.slow:,}",
        "link down": "not here" if tally.no_link else f"{tally.downs:,}",
        "silent for over 30 s": f"{tally.silences:,}",
        **{kind: f"{faults[kind]:,}" for kind in (LOST, DOUBLED, DISORDER, OTHER)},
    }
    rows = [columns.keys(), ["---:"] * len(columns), columns.values()]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    if tally.no_link:
        lines.append(f"\nlink down: not here, for {tally.no_link}")
    return "\n".join(lines)
