"""What a message should look like after all that was said about it, reckoned apart from the program."""

from __future__ import annotations

from collections.abc import Iterable

from protocol import remarks
from protocol.frames import Envelope
from protocol.remarks import Delete, Edit, Receipt

DAY_MS = 86_400_000


def is_remark(envelope: Envelope) -> bool:
    return envelope.enc in ("edit", "delete", "react", "void")


def is_change(each: Envelope, message: Envelope) -> bool:
    """Whether this is an edit or a deletion of that by its author, in time; without its text it may have been."""
    if each.enc not in ("edit", "delete", "void"):
        return False
    change = remarks.read(each.enc, each.body)
    about = isinstance(change, Edit | Delete) and (change.device, change.n) == (message.device, message.n)
    by_author = (each.author, each.to) == (message.author, message.to) and each.at - message.at <= DAY_MS
    return by_author and (about or each.enc == "void")


def text_after(message: Envelope, log: Iterable[Envelope]) -> bytes | None:
    """What it says at the end of a log; None if its author has taken it back."""
    text: bytes = message.body
    for each in log:
        change = remarks.read(each.enc, each.body) if is_change(each, message) else None
        if isinstance(change, Delete):
            return None
        if isinstance(change, Edit):
            text = change.text.encode()
    return text


def same(one: Envelope, other: Envelope) -> bool:
    """Whether these are the same, but that one of them may have lost its text."""
    heads = [(each.device, each.n, each.author, each.to, each.at) for each in (one, other)]
    return one == other or (heads[0] == heads[1] and bool({one.enc, other.enc} & {"gone", "void"}))


def agree(some: list[Envelope], stored: list[Envelope]) -> bool:
    """Whether envelopes are what was stored: who reads later may get one without its text."""
    return len(some) == len(stored) and all(same(each, was) for each, was in zip(some, stored, strict=True))


def receipts(log: Iterable[Envelope]) -> dict[tuple[str, str], tuple[int, int]]:
    """By account and device, up to which number messages are delivered, and read, after these."""
    reached: dict[tuple[str, str], tuple[int, int]] = {}
    for each in log:
        receipt = remarks.read(each.enc, each.body)
        if isinstance(receipt, Receipt):
            for device in sorted({*receipt.delivered, *receipt.read}):
                delivered, read = reached.get((each.author.lower(), device), (0, 0))
                came, seen = receipt.delivered.get(device, 0), receipt.read.get(device, 0)
                reached[(each.author.lower(), device)] = max(delivered, came, seen, read), max(read, seen)
    return reached
