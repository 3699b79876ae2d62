"""Remarks as lines and as objects: edits, deletions, reactions; and what stands behind a message that has some."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from console import remark_words
from console.sanitise import clean_line
from console.spoken import readable
from core import shown
from core.marks import Marks
from protocol import remarks
from protocol.frames import Envelope
from protocol.remarks import Delete, Edit, React, SendId

# Of a message that a reaction is about.
QUOTED_CHARS = 40

Targets = dict[SendId, Envelope]
_EVENTS: dict[type[remarks.Remark], str] = {Edit: "edited", Delete: "deleted", React: "reacted"}


def new_text(envelope: Envelope) -> str | None:
    """What a message says from now on; None if this is no edit."""
    remark = remarks.read(envelope.enc, envelope.body)
    return remark.text if isinstance(remark, Edit) else None


def sentence(envelope: Envelope, targets: Targets, local: Callable[[int], str]) -> str:
    """What a deletion or a reaction has done; "" if this is neither, or its message is not known."""
    remark = remarks.read(envelope.enc, envelope.body)
    if not isinstance(remark, Delete | React) or remarks.target(remark) not in targets:
        return ""
    message = targets[remarks.target(remark)]
    author, time = clean_line(envelope.author), local(message.at)
    if isinstance(remark, Delete):
        return remark_words.DELETED(author=author, time=time)
    told = remark_words.UNREACTED if remark.off else remark_words.REACTED
    text = clean_line(readable(message), QUOTED_CHARS)
    return told(author=author, sign=clean_line(remark.sign), to=clean_line(message.author), time=time, text=text)


def behind(marks: Marks | None) -> str:
    """What has become of a message, in words; "" if nothing has."""
    if marks is None:
        return ""
    told = [remark_words.EDITED_MARK()] if marks.edited and not marks.deleted else []
    told += [remark_words.RECEIPTS[marks.receipt]()] if marks.receipt else []
    return _in_brackets(told, marks)


def behind_ticks(marks: Marks | None) -> str:
    """The same without what ticks say."""
    return behind(Marks(marks.edited, marks.deleted, marks.reactions)) if marks else ""


def _in_brackets(told: list[str], marks: Marks) -> str:
    reactions = [
        f"{clean_line(sign)} {', '.join(map(clean_line, accounts))}" for sign, accounts in marks.reactions.items()
    ]
    parts = ([f"({', '.join(told)})"] if told else []) + ([f"[{'; '.join(reactions)}]"] if reactions else [])
    return "".join(f" {part}" for part in parts)


def line(envelope: Envelope, whom: str, targets: Targets, local: Callable[[int], str]) -> tuple[str, str]:
    """A remark as a head and a text; the text is "" if there is nothing to say."""
    if text := new_text(envelope):
        return remark_words.EDITED(whom=whom), text
    return "* ", sentence(envelope, targets, local)


def fields(envelope: Envelope) -> dict[str, Any] | None:
    """What an object says of a remark: which event it is, and which message it is about; None if it is no remark."""
    remark = remarks.read(envelope.enc, envelope.body)
    if not isinstance(remark, Edit | Delete | React):
        return None
    found: dict[str, Any] = {"event": _EVENTS[type(remark)], "id": f"{remark.device}:{remark.n}"}
    if isinstance(remark, Edit):
        found["text"] = remark.text
    elif isinstance(remark, React):
        found |= {"sign": remark.sign} | ({"off": True} if remark.off else {})
    return found


def receipt_fields(event: shown.Receipted) -> list[dict[str, Any]]:
    """How far one's messages have come, an object for each device: all up to this one."""
    return [
        {"event": name, "id": f"{device}:{n}", "by": event.by}
        for name, reached in (("delivered", event.delivered), ("read", event.read))
        for device, n in reached.items()
    ]


def mark_fields(marks: Marks | None) -> dict[str, Any]:
    """What an object says of a message that is looked at again."""
    if marks is None:
        return {}
    found = {
        "edited": marks.edited and not marks.deleted,
        "deleted": marks.deleted,
        "reactions": marks.reactions,
        "receipt": marks.receipt,
    }
    return {name: value for name, value in found.items() if value}
