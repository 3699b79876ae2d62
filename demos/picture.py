"""A play as a picture: an animated SVG of a real run, line by line, for the README.

    python demos/picture.py restart docs/demo.svg

The programs run as they always do; only the pace is another one, so that the lines can be read. It uses nothing but
what every browser knows (SMIL animation, system fonts), and holds no script.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# How long a line stays the newest one, and how long the whole stands before it begins again.
LINE_S = 0.45
REST_S = 6.0
FONT_PX, LINE_PX, MARGIN_PX, COLUMN_PX = 13, 18, 18, 7.85
COLUMNS = 104
ROWS_SHOWN = 30

_STYLE = re.compile(r"\x1b\[([0-9;]*)m")
_PAPER, _INK = "#12161c", "#d5dbe3"
_COLOURS = {
    "31": "#f07178", "32": "#a5d17b", "33": "#e6c07b", "34": "#82aaff",
    "35": "#d49bf0", "36": "#6fd3d8", "91": "#ff9a8b", "2": "#8391a3",
}  # fmt: skip


def record(play: str) -> list[str]:
    """The transcript of a real run, with its colours."""
    reader, writer = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(COLUMNS), "TERM": "xterm"}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, str(ROOT / "demos" / "play.py"), play]
    with subprocess.Popen(command, stdout=writer, env=environment) as process:
        os.close(writer)
        data = bytearray()
        while chunk := _read(reader):
            data += chunk
    os.close(reader)
    if process.returncode:
        raise SystemExit(process.returncode)
    return data.decode().replace("\r", "").strip("\n").split("\n")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other side of a terminal has closed it
        return b""


def draw(lines: list[str]) -> str:
    """The picture."""
    begins = _begins(lines)
    total = begins[-1] + REST_S
    width = round(COLUMNS * COLUMN_PX + 2 * MARGIN_PX)
    height = ROWS_SHOWN * LINE_PX + 2 * MARGIN_PX
    rows = [_row(index, line, begins[index], total) for index, line in enumerate(lines)]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-size="{FONT_PX}"',
        '  font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace">',
        f'<rect width="100%" height="100%" rx="8" fill="{_PAPER}"/>',
        f'<svg y="{MARGIN_PX}" height="{ROWS_SHOWN * LINE_PX}" width="{width}"><g fill="{_INK}">',
        _scroll(begins, total),
        *rows,
        "</g></svg></svg>\n",
    ])  # fmt: skip


def _begins(lines: list[str]) -> list[float]:
    """When each line appears, in seconds: an empty one comes with the next."""
    begins, at = [], 0.0
    for line in lines:
        begins.append(at)
        at += LINE_S if line else 0.0
    return begins


def _row(index: int, line: str, begin: float, total: float) -> str:
    appears = (
        f'<animate attributeName="opacity" calcMode="discrete" values="0;1" keyTimes="0;{begin / total:.5f}"'
        f' dur="{total:.1f}s" repeatCount="indefinite"/>'
        if begin
        else ""
    )
    return (
        f'<text xml:space="preserve" x="{MARGIN_PX}" y="{index * LINE_PX + FONT_PX}">{appears}{_spans(line)}</text>'
        if line
        else ""
    )


def _scroll(begins: list[float], total: float) -> str:
    """Keep the newest line in sight."""
    steps = [(begin, -LINE_PX * max(0, index + 1 - ROWS_SHOWN)) for index, begin in enumerate(begins)]
    steps = [step for step, after in zip(steps, [*steps[1:], (total, None)], strict=True) if step[0] != after[0]]
    times = ";".join(f"{begin / total:.5f}" for begin, _ in steps)
    values = ";".join(f"0 {offset}" for _, offset in steps)
    return (
        f'<animateTransform attributeName="transform" type="translate" calcMode="discrete" values="{values}"'
        f' keyTimes="{times}" dur="{total:.1f}s" repeatCount="indefinite"/>'
    )


def _spans(line: str) -> str:
    """Escape sequences to spans."""
    spans, style = [], ""
    for number, piece in enumerate(_STYLE.split(line)):
        if number % 2:
            style = piece
        elif piece:
            spans.append(f"<tspan{_attributes(style)}>{escape(piece)}</tspan>")
    return "".join(spans)


def _attributes(style: str) -> str:
    if style == "1":
        return ' font-weight="bold"'
    if style == "3":
        return ' font-style="italic"'
    return f' fill="{_COLOURS[style]}"' if style in _COLOURS else ""


def main(arguments: list[str]) -> int:
    """Run the play, write the picture."""
    play, target = arguments
    Path(target).write_text(draw(record(play)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
