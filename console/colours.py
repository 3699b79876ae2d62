"""Which colour a name has. Never colour alone: everything it says is said in words or signs as well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from zlib import crc32

# Of the terminal's own sixteen, which its owner has chosen; not black, white and grey, which may be the background.
SIXTEEN = ("ansicyan", "ansimagenta", "ansigreen", "ansiyellow", "ansibrightblue", "ansired")
# Six that people with any kind of sight can tell apart: contrast at least 4.5 and 5.0, distance (ΔE) 23.8 and 29.0.
ON_DARK = ("#e955dd", "#b9e68c", "#04e3dc", "#ecef00", "#cb8678", "#ed7015")
ON_LIGHT = ("#070f94", "#6e2c7d", "#b51d28", "#175df4", "#aa4265", "#0f0800")

# Nothing here needs a colour. "dim" is of the terminal's own foreground, which can be read on any background.
STYLE = {
    "time": "dim",
    "notice": "dim",
    "gutter": "dim",
    "rule": "dim",
    "tick": "dim",
    "place": "dim",
    "waits": "dim",
    "warning": "bold",
    "private": "bold",
    "mention": "bold",
    "prompt": "bold",
    "note": "italic",
    "status": "dim",
    "status.offline": "bold",
}

_LIGHT_BACKGROUNDS = ("7", "15")
_TRUE = ("truecolor", "24bit")


def palette(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The colours for names: none, the terminal's own, or ours if both they and the background are known."""
    if environment.get("NO_COLOR"):
        return ()
    background = environment.get("COLORFGBG", "").rpartition(";")[2]
    if not true_colours(environment) or not background.isdigit():
        return SIXTEEN
    return ON_LIGHT if background in _LIGHT_BACKGROUNDS else ON_DARK


def true_colours(environment: Mapping[str, str]) -> bool:
    """Whether the terminal says that it has them all."""
    return environment.get("COLORTERM") in _TRUE


class Names:
    """A colour for each name: the same in every run if it can be, and the least used one if it can't."""

    def __init__(self, colours: tuple[str, ...]) -> None:
        self._colours = colours
        self._chosen: dict[str, str] = {}
        self._used: Counter[str] = Counter()

    def style(self, name: str) -> str:
        """The colour of this name; bold alone where there are no colours."""
        if not self._colours:
            return "bold"
        if name not in self._chosen:
            first = crc32(name.encode("utf-8", "replace")) % len(self._colours)
            in_turn = self._colours[first:] + self._colours[:first]
            self._chosen[name] = min(in_turn, key=lambda colour: self._used[colour])
            self._used[self._chosen[name]] += 1
        return self._chosen[name]
