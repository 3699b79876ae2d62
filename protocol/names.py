"""Names of accounts and rooms: what may be one, and when two are the same.

A name is 1 to 32 letters or digits of one script, then also ``.``, ``_`` and ``-``. It is prepared as RFC 8265
says (UsernameCaseMapped), compared case-folded and NFKC-normalised, and shown as it was registered. One script
a name, so that a Cyrillic letter can't pose as a Latin one.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from precis_i18n import get_profile

from . import limits

LOBBY = "#lobby"

_MARKS = "._-"
_profile = get_profile("UsernameCaseMapped")
# Scripts that one language writes together.
_JAPANESE = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"})
# Signs whose Unicode name does not begin with the script they are written in: 々 and 〇, and Arabic digits.
_BELONGS_TO = {"IDEOGRAPHIC": "CJK", "ARABIC-INDIC": "ARABIC", "EXTENDED": "ARABIC"}


REASONS = (
    EMPTY := "it is empty",
    TOO_LONG := "it has {size} characters, {limit} at most are allowed",
    BAD_BEGINNING := "it must begin with a letter or a digit",
    MIXED := "its letters are of more than one script",
    BAD_SIGN := "only letters, digits and . _ - are allowed, not {sign}",
    BAD_SIGNS := "only letters, digits and . _ - are allowed",
    NO_ROOM := "a room begins with #",
    A_ROOM := "it is a room",
)
"""All that a BadName may say, and what a command says that wants a room, or an account."""


class BadName(ValueError):
    """No name; its text says why, to be put after "can't be a name: "."""


@lru_cache(maxsize=65536)
def key(name: str) -> str:
    """The form in which names are compared; BadName if it is none."""
    shown = unicodedata.normalize("NFC", name)
    _check_form(shown)
    try:
        mapped = _profile.enforce(shown)
    except UnicodeEncodeError as error:
        raise BadName(_reason(error)) from None
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", mapped).casefold())
    _check_form(folded)  # folding may lengthen it; a key is a name too, so key(key(x)) is key(x)
    _check_letters(folded)
    return folded


def room_key(room: str) -> str:
    """A room's name in compared form, with its ``#``; BadName if it is none."""
    if not room.startswith("#"):
        raise BadName(NO_ROOM)
    return "#" + key(room[1:])


def shown(name: str) -> str:
    """A name as it is registered and shown: as typed, composed."""
    return unicodedata.normalize("NFC", name)


def mailbox(account_key: str) -> str:
    """The log of an account's private messages."""
    return "@" + account_key


def receipts(account_key: str) -> str:
    """The log of what others say about an account's private messages: that they have come, that they were read."""
    return "+" + account_key


def _check_form(name: str) -> None:
    if not name:
        raise BadName(EMPTY)
    if len(name) > limits.NAME_CHARS:
        raise BadName(TOO_LONG.format(size=len(name), limit=limits.NAME_CHARS))


def _check_letters(folded: str) -> None:
    scripts = {_script(sign) for sign in folded if sign not in _MARKS} - {""}
    if unicodedata.category(folded[0])[0] not in "LN":  # a mark of a letter would sit on whatever stands before it
        raise BadName(BAD_BEGINNING)
    if len(scripts) > 1 and not scripts <= _JAPANESE:
        raise BadName(MIXED)


def _script(sign: str) -> str:
    """The script of a letter, digit or mark of a letter; "" for the digits 0 to 9. Unicode names begin with it."""
    if "0" <= sign <= "9":
        return ""
    if unicodedata.category(sign)[0] not in "LMN":
        raise BadName(BAD_SIGN.format(sign=_visible(sign)))
    script = unicodedata.name(sign, "").split(" ")[0]
    if script in ("", "COMBINING"):
        raise BadName(BAD_SIGN.format(sign=_visible(sign)))
    return _BELONGS_TO.get(script, script)


def _visible(sign: str) -> str:
    return sign if sign.isprintable() and not sign.isspace() else f"U+{ord(sign):04X}"


def _reason(error: UnicodeEncodeError) -> str:
    bad = error.object[error.start : error.end] if isinstance(error.object, str) else ""
    if len(bad) == 1:
        return BAD_SIGN.format(sign=_visible(bad))
    return BAD_SIGNS
