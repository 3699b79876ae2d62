"""What Restante aims at, and whether a run has reached it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from benchmarks.gauge import Figure
from benchmarks.report import Report


class Aim(NamedTuple):
    """A bound for one number of one figure: at most, or at least."""

    what: str
    shape: str  # how the figure's name begins
    per_frame: int
    number: Callable[[Figure], float]
    bound: float
    form: str  # how the number is written, with its unit
    at_least: bool = False

    def reached(self, figure: Figure) -> bool:
        """Whether this figure keeps the bound."""
        number = self.number(figure)
        return number >= self.bound if self.at_least else number <= self.bound


def _rate(figure: Figure) -> float:
    return figure.rate


def _cost(figure: Figure) -> float:
    return figure.cpu_us


def _more(name: str) -> Callable[[Figure], float]:
    return lambda figure: figure.more[name]


def _wait(part: str) -> Callable[[Figure], float]:
    return lambda figure: figure.ms[part]


AIMS = (
    Aim("one to one, one message a frame", "1:1", 1, _rate, 120_000, "{:,.0f}/s", True),
    Aim("", "1:1", 1, _cost, 8, "{:.1f} µs"),
    Aim("", "1:1", 1, lambda figure: figure.ratio, 5, "{:.1f} × zmq.proxy"),
    Aim("eight to eight, 64 a frame", "8:8", 64, _rate, 250_000, "{:,.0f}/s", True),
    Aim("", "8:8", 64, _cost, 4, "{:.1f} µs"),
    Aim("a room of a hundred, a delivery", "1→100", 1, _cost, 0.3, "{:.2f} µs"),
    Aim("stored for a hundred who are away", "store, 100 away", 1, _rate, 120_000, "{:,.0f}/s", True),
    Aim("read when they come back", "drain, 100 back", 1, _rate, 400_000, "{:,.0f}/s", True),
    Aim("accepted, at 10,000 a second", "at 10,000/s", 1, _wait("p50"), 0.8, "p50 {:.2f} ms"),
    Aim("", "at 10,000/s", 1, _wait("p99"), 2.5, "p99 {:.2f} ms"),
    Aim("10,000 clients that are only there", "10,000 clients", 1, _more("kib_each"), 32, "{:.0f} KiB each"),
    Aim("", "10,000 clients", 1, _more("idle_core"), 0.01, "{:.1%} of a core"),
    Aim("", "10,000 clients", 1, lambda figure: figure.seconds, 15, "{:.1f} s until all are in"),
    Aim("a long past: start", "10,000,000 stored", 1, _more("start_ms"), 1000, "{:.0f} ms"),
    Aim("a login with nothing waiting", "10,000,000 stored", 1, _more("login_ms"), 5, "{:.1f} ms"),
    Aim("client.py: start to accepted", "client.py: one line", 1, _more("start_ms"), 250, "{:.0f} ms"),
    Aim("client.py: lines from a file", "client.py: 100,000 lines", 1, _rate, 30_000, "{:,.0f}/s", True),
    Aim("client.py: a bot reads", "client.py: a bot", 1, _rate, 100_000, "{:,.0f}/s", True),
)


def judged(report: Report) -> list[list[str]]:
    """For each aim that was measured: what, the bound, what it was, and whether that is within."""
    rows = []
    for aim in AIMS:
        figure = report.find(aim.shape, aim.per_frame)
        if figure:
            bound, number = aim.form.format(aim.bound), aim.form.format(aim.number(figure))
            sign = "≥" if aim.at_least else "≤"
            rows.append([aim.what, f"{sign} {bound}", number, "yes" if aim.reached(figure) else "**not yet**"])
    return rows
