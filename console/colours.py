"""Which colour a name has. Never colour alone: everything it says is said in words or signs as well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from zlib import crc32

from console.preferences import Preferences

# Of the terminal's own sixteen, which its owner has chosen; not black, white and grey, which may be the background.
SIXTEEN = ("ansicyan", "ansimagenta", "ansigreen", "ansiyellow", "ansibrightblue", "ansired")
# Those of them that can be read on white as terminals come; cyan, green and yellow hardly can (contrast 1.7 to 2.1).
SIXTEEN_ON_LIGHT = ("ansiblue", "ansimagenta", "ansired")
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


def palette(counted: Preferences, environment: Mapping[str, str]) -> tuple[str, ...]:
    """The colours for names: none, the terminal's own, or ours if both they and the background are known.

    Of the terminal's own those that its background takes, if that is known.
    """
    if counted["colours"] == "none":
        return ()
    background = counted["background"]
    if background == "auto":
        background = _background(environment)
    if background == "auto" and counted["colours"] == "truecolor":
        background = "dark"
    if not true_colours(counted, environment):
        return SIXTEEN_ON_LIGHT if background == "light" else SIXTEEN
    if background == "auto":
        return SIXTEEN
    return ON_LIGHT if background == "light" else ON_DARK


def true_colours(counted: Preferences, environment: Mapping[str, str]) -> bool:
    """Whether all colours may be used: because somebody wants it, or the terminal says that it has them."""
    if counted["colours"] == "auto":
        return environment.get("COLORTERM") in _TRUE
    return counted["colours"] == "truecolor"


def _background(environment: Mapping[str, str]) -> str:
    """What some terminals tell; "auto" if this one doesn't."""
    told = environment.get("COLORFGBG", "").rpartition(";")[2]
    if not told.isdigit():
        return "auto"
    return "light" if told in _LIGHT_BACKGROUNDS else "dark"


class Names:
    """A colour for each name: the same in every run if it can be, and the least used one if it can't.

    ``palette`` gives the colours that there are just now.
    """

    def __init__(self, palette: Callable[[], tuple[str, ...]]) -> None:
        self._palette = palette
        self._colours: tuple[str, ...] = ()
        self._chosen: dict[str, str] = {}
        self._used: Counter[str] = Counter()

    def look(self) -> None:
        """Before names are painted: which colours there are now. Not for each name, since that takes a while."""
        if self._colours != (colours := self._palette()):
            self._colours, self._chosen, self._used = colours, {}, Counter()

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
