"""A run's figures: as lines while it goes on, and as JSON for those who write tables of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks.gauge import Figure, versions
from benchmarks.load import Silence

RESULTS = Path(__file__).resolve().parent / "results"
# Cores that strangers use, above which a figure is not to be trusted.
DISTURBED = 0.1

HEADER = (
    f"{'shape':<44}{'a frame':>8}{'messages/s':>12}{'CPU µs':>12}{'ratio':>10}"
    f"{'p50/p99/p99.9 ms':>22}{'limit':>9}{'peak MiB':>10}"
)


class Shape(NamedTuple):
    """Something to be measured."""

    name: str
    measure: Callable[[], Figure | list[Figure]]


class Report(msgspec.Struct):
    """What one run has measured."""

    kind: str  # bench, peers, growth: the name of its file
    versions: dict[str, str]
    figures: list[Figure]
    absent: list[str] = []  # what could not be measured here, and why

    def save(self) -> Path:
        """Write it beside the others; where it is."""
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"{self.kind}.json"
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")
        return path

    def find(self, name: str, per_frame: int = 1) -> Figure | None:
        """The figure of this shape, or of the first that begins so, if it was measured."""
        named = (each for each in self.figures if each.name.startswith(name) and each.per_frame == per_frame)
        return next(named, None)


def load(kind: str) -> Report | None:
    """The last run of this kind; None if there was none."""
    path = RESULTS / f"{kind}.json"
    return msgspec.json.decode(path.read_bytes(), type=Report) if path.exists() else None


def run(kind: str, limit: Figure, shapes: Iterable[Shape]) -> Report:
    """Measure all of these, printing each, with its cost by the limit's."""
    report = Report(kind, versions(), [limit])
    say(limit)
    for shape in shapes:
        try:
            measured = shape.measure()
        except (Silence, AssertionError, OSError) as error:
            report.absent.append(f"{shape.name}: {error}")
            print(f"{shape.name} was not measured: {error}", file=sys.stderr)
            continue
        for figure in measured if isinstance(measured, list) else [measured]:
            figure.ratio, figure.of = figure.cpu_us / limit.cpu_us, limit.name
            report.figures.append(figure)
            say(figure)
    return report


def say(figure: Figure) -> None:
    """One line of the table, and what disturbed it."""
    waits = "/".join(f"{figure.ms[name]:.2f}" for name in ("p50", "p99", "p99.9")) if figure.ms else ""
    print(
        f"{figure.name:<44}{figure.per_frame:>8}{figure.rate:>12,.0f}{figure.cpu_us:>12,.2f}{figure.ratio or 1:>10,.1f}"
        f"{waits:>22}{figure.saturated or '-':>9}{figure.peak_mib:>10.0f}"
        + "".join(f"  {name} {value:,.2f}" for name, value in figure.more.items())
        + (f"  (others used {figure.others:.1f} cores)" if figure.others > DISTURBED else ""),
        flush=True,
    )
