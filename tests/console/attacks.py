"""What people might write to make a terminal obey or a reader err, and how it has to be shown."""

from __future__ import annotations

import unicodedata

from console.sanitise import MARKS_MAX

BIDI = {*"\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"}

ATTACKS = [
    ("plain text", "plain text"),
    ("", ""),
    ("привет, 漢字, naïve, 👍", "привет, 漢字, naïve, 👍"),
    ("two\nlines", "two\nlines"),
    ("\x1b[2J", "^[[2J"),
    ("\x1b]0;title\x07", "^[]0;title^G"),
    ("\x1b]52;c;cm0gLXJm\x1b\\", "^[]52;c;cm0gLXJm^[\\"),
    ("\x1bPq#0\x1b\\", "^[Pq#0^[\\"),
    ("\x9b31mred", "<9b>31mred"),
    ("\x90q\x9c", "<90>q<9c>"),
    ("a\x85b", "a<85>b"),
    ("a\rroot: b", "a^Mroot: b"),
    ("pass\b\b\b\bword", "pass^H^H^H^Hword"),
    ("nul\0", "nul^@"),
    ("rub\x7fout", "rub^?out"),
    ("a\tb", "a    b"),
    ("a\x0bb\x0cc", "a^Kb^Lc"),
    ("a\u2028root: b\u2029c", "a root: b c"),
    ("invoice\u202egnp.exe", "invoicegnp.exe"),
    ("\u2066a\u2069\u200eb\u200fc\u061cd", "abcd"),
    ("pay\u200bpal\u2060\ufeff\u00ad", "paypal"),
    ("hi\U000e0068\U000e0069", "hi"),
    ("half \ud83d a pair", "half \ufffd a pair"),
    ("می\u200cخواهم", "می\u200cخواهم"),
    ("👨\u200d👩\u200d👧\u200d👦 👍🏽 ❤\ufe0f", "👨\u200d👩\u200d👧\u200d👦 👍🏽 ❤\ufe0f"),
    ("Z" + "\u0301" * 500, "Z" + "\u0301" * MARKS_MAX),
    ("я" + "\u0489" * 5 + "я" + "\u0301" * 4, "я" + "\u0489" * 4 + "я" + "\u0301" * 4),
    ("é" + "\u0301\u200d" * 9, "é" + "\u0301\u200d" * 2),
    ("a" + "\u0301\u200b" * 9, "a" + "\u0301" * 4),
    ("!" + "\u0301" * 6 + "🎉" + "\u0301" * 6, "!" + "\u0301" * 4 + "🎉" + "\u0301" * 4),
    ("🎉🎊🎈🎆🎇✨", "🎉🎊🎈🎆🎇✨"),
    ("x" * 20_000, "x" * 20_000),
]


def harmful(shown: str) -> list[str]:
    """What a terminal might obey, or what a reader can't see."""
    return [
        sign
        for sign in shown
        if (unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") and sign != "\n") or sign in BIDI
    ]
