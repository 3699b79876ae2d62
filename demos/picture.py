"""A film as a picture: an animated SVG for the README, or one moment of it.

It uses nothing but what every browser knows (CSS steps, system fonts), and holds no script. Whoever has asked their
system for less motion is shown the end of the film.
"""

from __future__ import annotations

from html import escape
from itertools import accumulate
from typing import NamedTuple

from demos.film import Shot
from demos.terminal import Run, Still

FONT_PX, LINE_PX, COLUMN_PX = 13, 18, 7.83
MARGIN_PX, TITLE_PX, GAP_PX, CAPTION_PX = 12, 26, 14, 34
_FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace"

Size = tuple[int, int]
"""Columns and rows of a terminal."""


class Theme(NamedTuple):
    """Colours: of the page behind the windows, of a window and its title, of text, and the terminal's own by name."""

    page: str
    paper: str
    title: str
    ink: str
    named: dict[str, str]


DARK = Theme("#0b0e13", "#12161c", "#1b212a", "#d5dbe3", {
    "red": "#f07178", "green": "#a5d17b", "brown": "#e6c07b", "blue": "#82aaff",
    "magenta": "#d49bf0", "cyan": "#6fd3d8", "brightblue": "#8ab4ff",
})  # fmt: skip
LIGHT = Theme("#eceff3", "#fcfcfb", "#e2e6eb", "#23292f", {
    "red": "#b51d28", "green": "#2f6f1f", "brown": "#85590a", "blue": "#175df4",
    "magenta": "#8a2a9c", "cyan": "#0b6f7c", "brightblue": "#1d56c9",
})  # fmt: skip


def draw_film(names: list[str], shots: list[Shot], size: Size, theme: Theme) -> str:
    """The whole film, over and over."""
    return _Drawing(names, shots, size, theme).text()


def draw_still(names: list[str], shot: Shot, size: Size, theme: Theme) -> str:
    """One shot, without its caption."""
    return _Drawing(names, [shot._replace(caption="")], size, theme).text()


class _Drawing:
    """Each terminal is a strip of its stills, side by side, that moves behind a window one step at a time."""

    def __init__(self, names: list[str], shots: list[Shot], size: Size, theme: Theme) -> None:
        self._names, self._shots, self._theme = names, shots, theme
        self._inner = (round(size[0] * COLUMN_PX) + 2 * MARGIN_PX, size[1] * LINE_PX + 2 * MARGIN_PX)
        self._captions = CAPTION_PX if any(shot.caption for shot in shots) else 0
        self._ends = list(accumulate(shot.lasts for shot in shots))
        self._rows: dict[tuple[Run, ...], str] = {}
        self._steps: list[str] = []

    def text(self) -> str:
        """The file."""
        windows = [self._window(index) for index in range(len(self._names))]
        captions = self._caption_strip() if self._captions else ""
        width = len(self._names) * (self._inner[0] + GAP_PX) + GAP_PX
        height = self._inner[1] + TITLE_PX + 2 * GAP_PX + self._captions
        rows = "".join(f'<g id="{name}">{self._runs(row)}</g>\n' for row, name in self._rows.items())
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
            f' font-family="{_FONTS}" font-size="{FONT_PX}">\n<style>{self._style()}</style>\n'
            f'<defs xml:space="preserve">\n{rows}</defs>\n'
            f'<rect width="100%" height="100%" rx="10" fill="{self._theme.page}"/>\n'
            f"{''.join(windows)}{captions}</svg>\n"
        )

    def _style(self) -> str:
        fills = [f".{name}{{fill:{colour}}}" for name, colour in self._theme.named.items()]
        return "\n".join([
            f"text{{fill:{self._theme.ink}}}", ".bold{font-weight:bold}", ".italic{font-style:italic}",
            ".faint{fill-opacity:.62}", *fills, *self._steps,
            "@media (prefers-reduced-motion:reduce){g{animation:none!important}}",
        ])  # fmt: skip

    def _window(self, index: int) -> str:
        width, height = self._inner
        left = GAP_PX + index * (width + GAP_PX)
        paper, title, ink = self._theme.paper, self._theme.title, self._theme.ink
        dots = "".join(f'<circle cx="{16 + 16 * dot}" cy="13" r="5" opacity=".35"/>' for dot in range(3))
        return (
            f'<g transform="translate({left} {GAP_PX})">'
            f'<rect width="{width}" height="{height + TITLE_PX}" rx="8" fill="{paper}"/>'
            f'<path d="M0 {TITLE_PX}V8a8 8 0 0 1 8-8H{width - 8}a8 8 0 0 1 8 8V{TITLE_PX}z" fill="{title}"/>'
            f'<g fill="{ink}">{dots}</g>'
            f'<text x="{width / 2:g}" y="17" text-anchor="middle" class="faint">{escape(self._names[index])}</text>'
            f'<svg y="{TITLE_PX}" width="{width}" height="{height}">{self._strip(index)}</svg></g>\n'
        )

    def _strip(self, index: int) -> str:
        stills = [shot.stills[index] for shot in self._shots]
        changes = [at for at, still in enumerate(stills) if at == 0 or still != stills[at - 1]]
        width = self._inner[0]
        self._animate(f"window{index}", "X", width, changes)
        frames = (self._still(stills[at], number * width) for number, at in enumerate(changes))
        return f'<g class="window{index}">{"".join(frames)}</g>'

    def _still(self, still: Still, left: int) -> str:
        rows = []
        for number, row in enumerate(still.rows):
            if row:
                name = self._rows.setdefault(row, f"r{len(self._rows)}")
                rows.append(f'<use href="#{name}" y="{number * LINE_PX}"/>')
        column, row_number = still.cursor
        cursor = (
            f'<rect x="{column * COLUMN_PX:.1f}" y="{row_number * LINE_PX}" width="{COLUMN_PX}" height="{LINE_PX - 1}"'
            f' fill="{self._theme.ink}" fill-opacity=".55"/>'
        )
        return f'<g transform="translate({left + MARGIN_PX} {MARGIN_PX})">{cursor}{"".join(rows)}</g>\n'

    def _runs(self, row: tuple[Run, ...]) -> str:
        return "".join(self._run(run) for run in row)

    def _run(self, run: Run) -> str:
        """Its width is given, for the reader's font may be another one."""
        text = run.text.lstrip()
        column, columns = run.column + len(run.text) - len(text), run.columns - len(run.text) + len(text)
        marks = [name for name in ("bold", "italic", "faint") if getattr(run, name)]
        marks += [run.colour] if run.colour in self._theme.named else []
        look = f' class="{" ".join(marks)}"' if marks else ""
        fill = f' style="fill:#{run.colour}"' if len(run.colour) == 6 and run.colour not in self._theme.named else ""
        return (
            f'<text x="{column * COLUMN_PX:.1f}" y="{FONT_PX}" textLength="{columns * COLUMN_PX:.1f}"'
            f"{look}{fill}>{escape(text, quote=False)}</text>"
        )

    def _caption_strip(self) -> str:
        captions = [shot.caption for shot in self._shots]
        changes = [at for at, caption in enumerate(captions) if at == 0 or caption != captions[at - 1]]
        width = len(self._names) * (self._inner[0] + GAP_PX) + GAP_PX
        self._animate("captions", "Y", CAPTION_PX, changes)
        lines = (
            f'<text x="{width / 2:g}" y="{number * CAPTION_PX + 14}" text-anchor="middle">{escape(captions[at])}</text>'
            for number, at in enumerate(changes)
        )
        top = self._inner[1] + TITLE_PX + 2 * GAP_PX
        return f'<svg y="{top}" width="{width}" height="{CAPTION_PX}"><g class="captions">{"".join(lines)}</g></svg>\n'

    def _animate(self, name: str, axis: str, step: int, changes: list[int]) -> None:
        """A strip's steps; at rest it shows the last of them."""
        total = self._ends[-1]
        begins = [0.0 if at == 0 else 100 * self._ends[at - 1] / total for at in changes]
        frames = "".join(
            f"{begin:.3f}%{{transform:translate{axis}({-number * step}px)}}" for number, begin in enumerate(begins)
        )
        rest = f"transform:translate{axis}({-(len(changes) - 1) * step}px)"
        self._steps.append(f".{name}{{{rest};animation:{name} {total:.1f}s step-end infinite}}")
        self._steps.append(f"@keyframes {name}{{{frames}}}")
