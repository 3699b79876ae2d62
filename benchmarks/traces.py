"""Lines over time, as a dashboard shows them: small plots beside one another, with what was done marked in all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.picture import MARGIN_PX, PANEL_PX, WIDTH_PX, svg, text

ACROSS, HIGH_PX, PLOT_PX, SIGN_PX = 3, 158, 84, 6.8
# Two samples further apart have nothing between them: nobody answered.
GAP_S = 2.5
_STYLE = """<style>
.trace { stroke-width: 1.6; fill: none } .away { fill: #a8b3c1; fill-opacity: 0.35 }
.c0 { stroke: #2f7f86 } .c1 { stroke: #c2571a } .c2 { stroke: #6b5bb5 }
.c3 { stroke: #8a7a12 } .c4 { stroke: #b0345f } .c5 { stroke: #57606a }
@media (prefers-color-scheme: dark) {
.c0 { stroke: #4fb3bb } .c1 { stroke: #f08c4a } .c2 { stroke: #a99bf0 }
.c3 { stroke: #d1bd3c } .c4 { stroke: #ee7aa3 } .c5 { stroke: #9aa5b1 } }
</style>"""
_COLOURS = 6

Points = Sequence[tuple[float, float]]
Span = tuple[float, float]


class Panel(NamedTuple):
    """One plot: lines by what they are called. ``unit`` is Grafana's word for what they are counted in."""

    name: str
    unit: str
    lines: Sequence[tuple[str, Points]]


def shown(value: float, unit: str) -> str:
    """A value as people read it."""
    if unit == "s":
        return f"{value:,.3g} s" if value >= 1 else f"{value * 1000:,.3g} ms"
    if unit == "bytes":
        return f"{value / 1e9:,.3g} GB" if value >= 1e9 else f"{value / 1e6:,.3g} MB"
    if unit == "percentunit":
        return f"{value:.1%}"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def sheet(panels: Sequence[Panel], span: Span, away: Span, title: str, remark: str) -> str:
    """All plots over the same time; ``away``: when nobody answered, which is shaded. The remark stands below."""
    parts = [_STYLE]
    for place, panel in enumerate(panels):
        left = MARGIN_PX + place % ACROSS * (PANEL_PX + 10)
        parts += _draw(panel, left, MARGIN_PX + place // ACROSS * HIGH_PX, span, away)
    rows = -(-len(panels) // ACROSS)
    parts.append(text(MARGIN_PX, rows * HIGH_PX + MARGIN_PX + 4, remark, "small"))
    return svg(WIDTH_PX, rows * HIGH_PX + 2 * MARGIN_PX, parts, title)


def _draw(panel: Panel, left: float, top: float, span: Span, away: Span) -> list[str]:
    wide, base = PANEL_PX - 12, top + 26 + PLOT_PX
    most = max((value for _, points in panel.lines for _, value in points), default=0.0)
    per_s, per_unit = wide / (span[1] - span[0]), PLOT_PX / (most * 1.1 or 1.0)

    def spot(at: float, value: float) -> str:
        return f"{left + (at - span[0]) * per_s:.1f},{base - value * per_unit:.1f}"

    parts = [
        text(left, top + 12, panel.name, "head"),
        text(left + wide, top + 12, shown(most, panel.unit), "small", "end"),
    ]
    x, width = left + (away[0] - span[0]) * per_s, (away[1] - away[0]) * per_s
    parts.append(f'<rect class="away" x="{x:.1f}" y="{top + 22}" width="{width:.1f}" height="{base - top - 22}"/>')
    parts.append(f'<path class="axis" d="M{left} {top + 22}V{base}H{left + wide}"/>')
    for number, (_, points) in enumerate(panel.lines):
        for piece in _pieces(points):
            path = " ".join(spot(at, value) for at, value in piece)
            parts.append(f'<polyline class="trace c{number % _COLOURS}" points="{path}"/>')
    return parts + _legend([name for name, _ in panel.lines], left, base + 14, wide)


def _pieces(points: Points) -> list[list[tuple[float, float]]]:
    pieces: list[list[tuple[float, float]]] = []
    for point in points:
        if pieces and point[0] - pieces[-1][-1][0] <= GAP_S:
            pieces[-1].append(point)
        else:
            pieces.append([point])
    return pieces


def _legend(names: Sequence[str], left: float, y: float, wide: float) -> list[str]:
    parts, x = [], left
    for number, name in enumerate(names):
        long = 16 + SIGN_PX * len(name)
        if x > left and x + long > left + wide:
            x, y = left, y + 13
        parts.append(f'<path class="trace c{number % _COLOURS}" d="M{x:.1f} {y - 4:.1f}h9"/>')
        parts.append(text(x + 12, y, name, "small"))
        x += long + 6
    return parts
