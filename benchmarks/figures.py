"""Writes the tables and pictures of the last runs into README.md and docs/: ``make bench-docs``.

A table stands between ``<!-- figures: NAME -->`` and ``<!-- /figures -->``. What was not measured stays as it is.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from pathlib import Path

from benchmarks import picture
from benchmarks.aims import judged
from benchmarks.gauge import Figure
from benchmarks.picture import plain
from benchmarks.report import DISTURBED, Report, load
from benchmarks.running import ROOT

PAGES = ("README.md", "docs/PERFORMANCE.md")
# A cost that is so much higher at the end than at the beginning rises; less is noise.
RISES = 1.25
OURS = "Restante"
# The shapes in which peers are compared: a part of the figure's name, and what it is.
COMPARED = (
    ("1:1", "one to one, a message"),
    ("1→100", "one to a hundred, a delivery"),
    ("store", "stored for one who is away, a message"),
    ("drain", "read by one who comes back, a message"),
)
_BLOCK = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- /figures -->)", re.DOTALL)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def conditions(report: Report) -> str:
    """On what it was measured, and whether something disturbed it."""
    known = report.versions
    others = max(each.others for each in report.figures)
    disturbed = (
        f" **Provisional: other programs used up to {others:.1f} cores meanwhile.**" if others > DISTURBED else ""
    )
    return (
        f"Measured {known['measured']} on {known['cores']} cores ({known['processor']}, {known['system']}), Python"
        f" {known['python']}, libzmq {known['libzmq']}, SQLite {known['sqlite']}.{disturbed}\n"
    )


def loads(report: Report) -> str:
    """Full load."""
    rows = [
        [
            each.name,
            str(each.per_frame),
            f"{each.rate:,.0f}",
            f"{each.cpu_us:.2f} µs",
            f"{each.ratio or 1:.1f}",
            each.saturated or "–",
            f"{each.peak_mib:.0f}",
        ]
        for each in report.figures
        if not each.ms and not each.more.keys() - {"accepted_s"} and not each.name.startswith("client.py")
    ]
    return table(["shape", "a frame", "messages/s", "broker CPU", "CPU / zmq.proxy", "at its limit", "peak MiB"], rows)


def waits(report: Report) -> str:
    """What people wait, from the moment at which a message was due."""
    rows = [
        [
            each.name,
            *(f"{each.ms[part]:.2f}" for part in ("p50", "p99", "p99.9")),
            *(f"{each.more[f'delivered_{part}_ms']:.2f}" for part in ("p50", "p99")),
            f"{each.busy:.2f}",
        ]
        for each in report.figures
        if each.ms
    ]
    head = ["shape", "accepted p50", "p99", "p99.9 ms", "delivered p50", "p99 ms", "broker's cores"]
    return table(head, rows)


def crowds(report: Report) -> str:
    """Very many who are only there."""
    rows = [
        [
            each.name,
            f"{each.seconds:.1f} s",
            f"{each.more['logins_s']:,.0f}",
            f"{each.more['kib_each']:.0f} KiB",
            f"{each.more['idle_core']:.1%}",
        ]
        for each in report.figures
        if "kib_each" in each.more
    ]
    return table(
        ["who logs in at once, and stays", "all in after", "logins/s", "memory each", "of a core at rest"], rows
    )


def stored(report: Report) -> str:
    """A long past."""
    rows = [
        [
            each.name,
            f"{each.rate:,.0f}",
            f"{each.cpu_us:.1f} µs",
            f"{each.more['start_ms']:.0f} ms",
            f"{each.more['login_ms']:.1f} ms",
        ]
        for each in report.figures
        if "login_ms" in each.more
    ]
    return table(["store", "messages/s, 8:8", "broker CPU", "start", "login, nothing waiting"], rows)


def programs(report: Report) -> str:
    """The client."""
    rows = [
        [each.name, f"{each.seconds:.2f} s", f"{each.rate:,.0f}", f"{each.cpu_us:,.0f} µs"]
        for each in report.figures
        if each.name.startswith("client.py")
    ]
    return table(["program", "takes", "lines/s", "client's CPU a line"], rows)


def aims(report: Report) -> str:
    """What Restante aims at."""
    return table(["", "aim", "measured", "reached"], judged(report))


def peers(report: Report) -> str:
    """Restante and the others."""
    rows = []
    for name in _names(report):
        cells = [_cell(report, name, shape) for shape, _ in COMPARED]
        version, _, promise = report.versions.get(name, "").partition("; promise: ")
        says = f"**{name}**" if name == OURS else f"{name} ({version})"
        rows.append([says, promise or "on disk, encrypted, once", *cells])
    return table(["", "promise kept", *(f"{shape}" for shape, _ in COMPARED)], rows)


def _names(report: Report) -> list[str]:
    return list(dict.fromkeys(each.name.partition(": ")[0] for each in report.figures if ": " in each.name))


def _compared(report: Report, name: str, shape: str) -> Figure | None:
    return next((each for each in report.figures if each.name.startswith(f"{name}: {shape}")), None)


def _cell(report: Report, name: str, shape: str) -> str:
    figure, base = _compared(report, name, shape), _compared(report, OURS, shape)
    if not figure:
        return "–"
    times = f" ({plain(figure.cpu_us / base.cpu_us)} ×)" if base and name != OURS else ""
    return f"{plain(figure.rate / 1000)}k/s at {plain(figure.cpu_us)} µs{times}"


def growth(report: Report) -> str:
    """What rises with what."""
    rows = []
    for name, group in _dimensions(report):
        first, last = group[0], group[-1]
        rows.append(
            [
                name,
                f"{first.more['amount']:,.0f} to {last.more['amount']:,.0f}",
                " · ".join(f"{each.cpu_us:.1f}" for each in group),
                _change(first.more["start_ms"], last.more["start_ms"]),
                _change(first.more["login_ms"], last.more["login_ms"]),
                _verdict(group),
            ]
        )
    return table(
        ["what grows", "from, to", "broker CPU µs a delivery", "start ms", "login ms", "a message's cost"], rows
    )


def _dimensions(report: Report) -> list[tuple[str, list[Figure]]]:
    grown = [each for each in report.figures if "amount" in each.more]
    return [(name, list(group)) for name, group in groupby(grown, lambda each: each.name.partition(": ")[0])]


def _change(first: float, last: float) -> str:
    return f"{plain(first)} → {plain(last)}"


def _verdict(group: Sequence[Figure]) -> str:
    return "rises" if group[-1].cpu_us > group[0].cpu_us * RISES else "stays"


def short(bench: Report) -> str:
    """README's few rows."""
    wanted = [
        ("1:1", 1, "one to one, one message a frame"),
        ("8:8", 64, "eight to eight, 64 a frame"),
        ("1→100", 1, "one to a hundred, each delivery"),
        ("store, 100 away", 1, "stored for a hundred who are away"),
        ("drain, 100 back", 1, "read by them when they come back"),
        ("zmq.proxy", 1, "zmq.proxy"),
    ]
    found = [(each, says) for name, per_frame, says in wanted if (each := bench.find(name, per_frame))]
    rows = [[says, f"{each.rate:,.0f}", f"{each.cpu_us:.2f} µs", f"{each.ratio or 1:.1f}"] for each, says in found]
    return table(["shape (200-byte bodies, window 256)", "messages/s", "broker CPU", "CPU / zmq.proxy"], rows)


TABLES: dict[str, tuple[str, Callable[[Report], str]]] = {
    "conditions": ("bench", conditions),
    "conditions_peers": ("peers", conditions),
    "conditions_growth": ("growth", conditions),
    "loads": ("bench", loads),
    "waits": ("bench", waits),
    "crowds": ("bench", crowds),
    "stored": ("bench", stored),
    "programs": ("bench", programs),
    "aims": ("bench", aims),
    "peers": ("peers", peers),
    "growth": ("growth", growth),
    "short": ("bench", short),
}
"""What may stand between the marks: of which run, and who writes it."""


def fill(text: str, reports: dict[str, Report]) -> str:
    """A page with its tables written anew."""

    def write(block: re.Match[str]) -> str:
        kind, writer = TABLES[block[2]]
        return block[1] + writer(reports[kind]) + block[3] if kind in reports else block[0]

    return _BLOCK.sub(write, text)


def peers_picture(report: Report) -> str:
    """Cost of a message with each, shape by shape."""
    groups = []
    for shape, says in COMPARED:
        rows = [(name, figure.cpu_us) for name in _names(report) if (figure := _compared(report, name, shape))]
        groups.append((says, rows))
    keep_nothing = {name for name in _names(report) if report.versions.get(name, "").endswith("promise: none")}
    return picture.bars(groups, OURS, keep_nothing, "Broker CPU for one message: Restante beside others")


def growth_picture(report: Report) -> str:
    """One small plot for each dimension."""
    curves = [
        picture.Curve(
            name.partition(",")[0],
            [(each.more["amount"], each.cpu_us) for each in group],
            f"µs a delivery: {_verdict(group)}",
        )
        for name, group in _dimensions(report)
    ]
    return picture.panels(curves, "Broker CPU for one message, while everything else grows")


def main() -> int:
    """Write pages and pictures; say what was not measured."""
    reports = {kind: report for kind in ("bench", "peers", "growth") if (report := load(kind))}
    for name in PAGES:
        page = ROOT / name
        page.write_text(fill(page.read_text(encoding="utf-8"), reports), encoding="utf-8")
    drawn: dict[str, Callable[[Report], str]] = {"peers": peers_picture, "growth": growth_picture}
    for kind, draw in drawn.items():
        if kind in reports:
            Path(ROOT / "docs" / f"{kind}.svg").write_text(draw(reports[kind]), encoding="utf-8")
    for kind in {"bench", "peers", "growth"} - reports.keys():
        print(f"{kind} was not measured: its tables stay as they were")
    return 0


if __name__ == "__main__":
    sys.exit(main())
