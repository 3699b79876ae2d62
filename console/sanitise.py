"""Another person's text is shown, not obeyed: what leaves here commands no terminal and forges no line.

This is done where text is shown; the journal keeps what was written. Left as they are: U+200C and U+200D, which
Persian and emoji need, and right-to-left letters, whose order is the terminal's business.
"""

from __future__ import annotations

import re
import unicodedata

LINE_CHARS = 512
"""Names and sentences are cut here: a line that someone else made may fill a screen, but not two."""
MARKS_MAX = 4
"""Combining marks on one base. Living scripts stack three; five hundred paint over the lines above."""
OSC_CHARS = 80
"""A title or a notification is a glance, not a page."""

_TAB = "    "
_CUT = "..."
_OSC_MARKS = " .,:!?#@_+()'/-"
_JOINERS = "\u200c\u200d"
# Nothing to see, but they turn text around, hide it from a search or carry a message of their own.
_REMOVED = (
    (0x00AD, 0x00AD),  # soft hyphen
    (0x061C, 0x061C),  # bidi: Arabic letter mark
    (0x180E, 0x180E),  # Mongolian vowel separator
    (0x200B, 0x200B),  # zero-width space
    (0x200E, 0x200F),  # bidi: marks
    (0x202A, 0x202E),  # bidi: embeddings and overrides
    (0x2060, 0x206F),  # word joiner, invisible operators, bidi isolates, old format controls
    (0xFEFF, 0xFEFF),  # byte order mark
    (0xFFF0, 0xFFFB),  # interlinear annotation
    (0x1BCA0, 0x1BCA3),  # shorthand format controls
    (0x1D173, 0x1D17A),  # musical format controls
    (0xE0000, 0xE007F),  # tags
)
_SHOWN: dict[int, str | None] = {
    **{code: "^" + chr(code ^ 0x40) for code in (*range(0x20), 0x7F)},
    **{code: f"<{code:02x}>" for code in range(0x80, 0xA0)},
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
    **{code: None for first, last in _REMOVED for code in range(first, last + 1)},
    0x09: _TAB,
    0x2028: " ",
    0x2029: " ",
}
_SHOWN_LINES = {code: shown for code, shown in _SHOWN.items() if code != 0x0A}
# Every combining mark is among these (none is below U+0300, none is a letter or a digit).
_STACK = re.compile(rf"[^\x00-\u02ff\w]{{{MARKS_MAX + 1},}}")


def clean(text: str) -> str:
    """The text as it may be shown. Its line ends are left: what follows one belongs behind a gutter."""
    return _clean(text, _SHOWN_LINES)


def clean_line(text: str, limit: int = LINE_CHARS) -> str:
    """The text as it may be shown within a line, at most ``limit`` characters; what is cut ends in three dots."""
    shown = _clean(text[:limit], _SHOWN)
    if len(text) <= limit and len(shown) <= limit:
        return shown
    return shown[: max(0, limit - len(_CUT))] + _CUT[:limit]


def osc_text(text: str) -> str:
    """The text as it may stand in a command to the terminal itself: letters, digits, a few marks, and no more."""
    return "".join(sign for sign in clean_line(text, OSC_CHARS) if sign.isalnum() or _is_harmless(sign))


def _is_harmless(sign: str) -> bool:
    return sign in _OSC_MARKS or unicodedata.category(sign)[0] == "M"


def _clean(text: str, shown: dict[int, str | None]) -> str:
    if not text.isprintable():  # true for all but controls, format characters, surrogates and odd blanks
        text = text.translate(shown)
    return text if text.isascii() else _STACK.sub(_thin, text)


def _thin(found: re.Match[str]) -> str:
    """Drop the marks that are too many. A joiner counts as one: it takes no room either."""
    kept = []
    stacked = 0
    for sign in found[0]:
        stacked = stacked + 1 if sign in _JOINERS or unicodedata.category(sign)[0] == "M" else 0
        if stacked <= MARKS_MAX:
            kept.append(sign)
    return "".join(kept)
