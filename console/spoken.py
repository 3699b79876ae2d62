"""What an envelope says, and when: the same for people and for scripts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from console import remark_words, words
from console.sanitise import clean_line
from core import typed
from protocol.frames import Envelope
from protocol.remarks import GONE, SendId

TEXT_ENC = "none"

_DAMAGED_ENC = "damaged"
_ACTION = typed.ACTION.encode()
_AT_MAX = 253_402_300_799_999  # the last ms of the year 9999: a broker's clock may say anything


def readable(envelope: Envelope) -> str:
    """What was written, or what stands in for it."""
    if envelope.enc == TEXT_ENC:
        return envelope.body.decode(errors="replace")
    if envelope.enc == _DAMAGED_ENC:
        return words.DAMAGED()
    if envelope.enc == GONE:
        return remark_words.WITHHELD() if envelope.body else remark_words.TAKEN_BACK()
    return words.UNKNOWN_ENC(enc=clean_line(envelope.enc))


def is_action(envelope: Envelope) -> bool:
    """Whether a message tells what its author does."""
    return envelope.enc == TEXT_ENC and envelope.body.startswith(_ACTION)


def marked(envelope: Envelope, author: str) -> str:
    """How an author is called; no account's name looks like the mark of a bot."""
    return words.BOT(name=author) if envelope.bot else author


def spoken_text(envelope: Envelope) -> str:
    """What was said; of an action, what its author does."""
    return readable(envelope)[len(_ACTION) :] if is_action(envelope) else readable(envelope)


def send_id(envelope: Envelope) -> SendId:
    """By which a remark names it."""
    return envelope.device, envelope.n


def possible(at: int) -> int:
    """A time (Unix, ms) that a calendar has."""
    return min(max(at, 0), _AT_MAX)


def rfc3339(at: int) -> str:
    """A time (Unix, ms) in UTC."""
    second, ms = divmod(possible(at), 1000)
    return f"{_second(second)}.{ms:03}Z"


@lru_cache(maxsize=64)
def _second(second: int) -> str:
    """Messages come in bursts: most share their second with the one before."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S")
