"""What has become of a message: the remarks about it, summed up. Pure; the journal and its model in memory share it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from protocol import remarks
from protocol.frames import Envelope
from protocol.remarks import Delete, Edit, React

DELIVERED, READ = "delivered", "read"


class Marks(msgspec.Struct):
    """What stands behind a message when it is looked at again."""

    edited: bool = False
    deleted: bool = False
    reactions: dict[str, list[str]] = {}  # sign → accounts as registered
    receipt: str = ""  # DELIVERED or READ, of one's own private message


def present(message: Envelope, said: Iterable[Envelope]) -> Envelope:
    """A message as it stands now: ``said`` are the remarks about it, in the order of their log.

    A deletion is the last word, whatever comes after it; of several edits the last one counts.
    """
    heeded = [remarks.read(each.enc, each.body) for each in said if remarks.holds(each, message)]
    if any(isinstance(each, Delete) for each in heeded):
        return msgspec.structs.replace(message, enc=remarks.GONE, body=b"")
    edits = [each for each in heeded if isinstance(each, Edit)]
    return msgspec.structs.replace(message, enc="none", body=edits[-1].text.encode()) if edits else message


def marks(message: Envelope, said: Iterable[Envelope]) -> Marks:
    """What those remarks leave to be shown behind it."""
    found = Marks()
    for each in said:
        remark = remarks.read(each.enc, each.body) if remarks.holds(each, message) else None
        found.edited |= isinstance(remark, Edit)
        found.deleted |= isinstance(remark, Delete)
        if isinstance(remark, React):
            _react(found.reactions, remark, each.author)
    if found.deleted:
        found.reactions = {}
    return found


def _react(reactions: dict[str, list[str]], react: React, author: str) -> None:
    others = [account for account in reactions.pop(react.sign, []) if account != author]
    accounts = others if react.off else [*others, author]
    if accounts:
        reactions[react.sign] = accounts


def is_remark(envelope: Envelope) -> bool:
    """Whether it is no message, but says something about one."""
    return envelope.enc in remarks.KINDS


def first_messages(envelopes: list[Envelope], most: int) -> list[Envelope]:
    """The first envelopes, with so many messages among them."""
    ends = [at for at, each in enumerate(envelopes, 1) if not is_remark(each)]
    return envelopes[: ends[most - 1] if most else 0]


def count(envelopes: Iterable[Envelope]) -> int:
    """How many of them are messages."""
    return sum(not is_remark(each) for each in envelopes)
