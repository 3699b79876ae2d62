"""Pictures of figures, as SVG that is readable on light and dark paper, without scripts and without its own fonts."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Sequence
from html import escape

WIDTH_PX, ROW_PX, MARGIN_PX = 760, 22, 16
NAMES_PX, LABELS_PX = 190, 130
PANEL_PX, PANEL_HIGH_PX = 236, 170
_STYLE = """<style>
text { fill: #24292f; font: 12px ui-sans-serif, system-ui, sans-serif }
.head { font-weight: 600; font-size: 13px } .small { font-size: 11px; fill: #57606a }
.bar { fill: #a8b3c1 } .pale { fill-opacity: 0.45 } .ours { fill: #2f7f86 }
.line { stroke: #2f7f86; stroke-width: 2; fill: none }
.dot { fill: #2f7f86 } .axis { stroke: #a8b3c1; stroke-width: 1; fill: none }
@media (prefers-color-scheme: dark) {
text { fill: #d5dbe3 } .small { fill: #9aa5b1 } .bar { fill: #56616e } .ours, .dot { fill: #4fb3bb }
.line { stroke: #4fb3bb } .axis { stroke: #56616e } }
</style>"""


def plain(number: float) -> str:
    """A number with two digits that count, or all those before the point."""
    return f"{number:.2g}" if number < 10 else f"{number:,.0f}"


def svg(width: float, height: float, parts: Iterable[str], title: str) -> str:
    """The whole picture; the title is for those who can't see it."""
    size = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><title>{escape(title)}</title>'
    return "\n".join([head, _STYLE, *parts, "</svg>\n"])


def text(x: float, y: float, said: str, kind: str = "", anchor: str = "start") -> str:
    """Words, at a place."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(said)}</text>'


def bars(groups: Sequence[tuple[str, Sequence[tuple[str, float]]]], ours: str, pale: Container[str], title: str) -> str:
    """Groups of bars, shortest first, where equal lengths are equal multiples; those in ``pale`` keep nothing."""
    values = [value for _, rows in groups for _, value in rows]
    low, high = min(values) / 2, max(values)
    room = WIDTH_PX - NAMES_PX - LABELS_PX - 2 * MARGIN_PX
    parts, y = [], float(MARGIN_PX)
    for head, rows in groups:
        y += ROW_PX
        parts.append(text(MARGIN_PX, y - 6, head, "head"))
        base = next((value for name, value in rows if name == ours), 0.0)
        for name, value in sorted(rows, key=lambda row: row[1]):
            long = room * math.log10(value / low) / math.log10(high / low)
            kind = "ours" if name == ours else "bar pale" if name in pale else "bar"
            left = MARGIN_PX + NAMES_PX
            times = f" · {plain(value / base)} ×" if base and name != ours else ""
            parts += [
                text(left - 8, y + 15, name, anchor="end"),
                f'<rect x="{left}" y="{y + 4:.1f}" width="{long:.1f}" height="{ROW_PX - 8}" rx="2" class="{kind}"/>',
                text(left + long + 6, y + 15, f"{plain(value)} µs{times}"),
            ]
            y += ROW_PX
        y += ROW_PX / 2
    remark = "Pale: keeps nothing. Equal lengths are equal multiples; the figure behind the µs is the multiple of ours."
    parts.append(text(MARGIN_PX, y + 6, remark, "small"))
    return svg(WIDTH_PX, y + 2 * MARGIN_PX, parts, title)


class Curve:
    """One small plot: amounts, and what a message cost at each."""

    def __init__(self, name: str, points: Sequence[tuple[float, float]], remark: str) -> None:
        self.name, self.points, self.remark = name, points, remark

    def draw(self, left: float, top: float) -> list[str]:
        """The plot, with its corner there. The scale of amounts is by tens, that of costs begins at 0."""
        wide, high = PANEL_PX - 46, PANEL_HIGH_PX - 74
        base, most = top + 34 + high, max(cost for _, cost in self.points) * 1.25
        steps = [math.log10(max(amount, 1)) for amount, _ in self.points]
        span = max(steps) - min(steps) or 1.0
        spots = [
            (left + 34 + wide * (step - min(steps)) / span, base - high * cost / most)
            for step, (_, cost) in zip(steps, self.points, strict=True)
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        return [
            text(left, top + 14, self.name, "head"),
            f'<path class="axis" d="M{left + 30:.1f} {top + 30:.1f}V{base:.1f}H{left + 38 + wide:.1f}"/>',
            f'<polyline class="line" points="{path}"/>',
            *(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in spots),
            *(text(spots[each][0], base + 15, f"{self.points[each][0]:,.0f}", "small", "middle") for each in (0, -1)),
            *(text(left + 27, spots[each][1] + 4, f"{self.points[each][1]:.1f}", "small", "end") for each in (0,)),
            text(left, base + 32, self.remark, "small"),
        ]


def panels(curves: Sequence[Curve], title: str) -> str:
    """Small plots, three beside one another."""
    across = 3
    parts = [
        part
        for place, curve in enumerate(curves)
        for part in curve.draw(
            MARGIN_PX + place % across * (PANEL_PX + 10), MARGIN_PX + place // across * (PANEL_HIGH_PX + 6)
        )
    ]
    rows = math.ceil(len(curves) / across)
    return svg(WIDTH_PX, rows * (PANEL_HIGH_PX + 6) + 2 * MARGIN_PX, parts, title)
