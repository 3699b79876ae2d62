"""Remarks: what is said about a message that was said before. An edit, a deletion, a reaction, a receipt.

A remark is an envelope like every other, told apart by its ``enc``, whose body is one of the arrays below: so it is
numbered, stored, delivered once and sent again like all else. It names its message by device and n. Whether it may
be heeded is judged by the rule of this module alone, by the broker and by every reader in the same way.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from . import limits
from .frames import Envelope, ProtocolError, decode_envelope, encode
from .parts import Device, Number, Part

EDIT, DELETE, REACT, RECEIPT = "edit", "delete", "react", "receipt"
ENCS = (EDIT, DELETE, REACT, RECEIPT)
GONE, VOID = "gone", "void"
"""What a message's ``none`` and an edit's ``edit`` become when their text is withheld. As long as those, so that the
envelope keeps its size and its place on the disk."""

_Seqs = Annotated[list[Number], Meta(max_length=limits.REMARK_MESSAGES)]
_Upto = Annotated[dict[Device, Number], Meta(max_length=limits.RECEIPT_DEVICES)]


class Edit(Part):
    """This is what the message says from now on. ``seqs``: where its former texts stand in its author's log."""

    device: Device
    n: Number
    seqs: _Seqs
    text: Annotated[str, Meta(min_length=1, max_length=limits.EDIT_BYTES)]


class Delete(Part):
    """The message is taken back."""

    device: Device
    n: Number
    seqs: _Seqs


class React(Part):
    """A sign put to the message; ``off``: taken away again."""

    device: Device
    n: Number
    sign: Annotated[str, Meta(min_length=1, max_length=limits.SIGN_CHARS)]
    off: bool = False


class Receipt(Part):
    """How far a device's messages to me have come: each of them up to n has reached me, or was read."""

    delivered: _Upto
    read: _Upto


Remark = Edit | Delete | React | Receipt
SendId = tuple[str, int]

_DECODERS: dict[str, msgspec.msgpack.Decoder[Remark]] = {
    EDIT: msgspec.msgpack.Decoder(Edit),
    DELETE: msgspec.msgpack.Decoder(Delete),
    REACT: msgspec.msgpack.Decoder(React),
    RECEIPT: msgspec.msgpack.Decoder(Receipt),
}
_ENCS: dict[type[Remark], str] = {Edit: EDIT, Delete: DELETE, React: REACT, Receipt: RECEIPT}
KINDS = frozenset({EDIT, DELETE, REACT, VOID})
"""What stands in a log beside messages and is none."""


def enc(remark: Remark) -> str:
    """The ``enc`` of an envelope that bears it."""
    return _ENCS[type(remark)]


def read(enc: str, body: bytes) -> Remark | None:
    """The remark that a body is; None if it is none, or can't be read."""
    decoder = _DECODERS.get(enc)
    try:
        return decoder.decode(body) if decoder else None
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def target(remark: Edit | Delete | React) -> SendId:
    """The message that it is about."""
    return remark.device, remark.n


def holds(envelope: Envelope, message: Envelope) -> bool:
    """Whether a remark may be heeded, of a message that it names: said in the same conversation; and an edit or a
    deletion by its author, within ``REMARK_MS`` by the broker's clock.
    """
    if message.enc not in ("none", GONE) or _conversation(envelope) != _conversation(message):
        return False
    if envelope.enc == REACT:
        return True
    return envelope.author == message.author and envelope.at - message.at <= limits.REMARK_MS


def _conversation(envelope: Envelope) -> frozenset[str]:
    return frozenset({envelope.to} if envelope.to.startswith("#") else {envelope.author, envelope.to})


def withheld(packed: bytes, envelope: Envelope) -> bytes | None:
    """A stored envelope without its text, in the same number of bytes, if a stored edit or deletion asks for that;
    None if it does not, or may not.
    """
    remark = read(envelope.enc, envelope.body)
    try:
        stored = decode_envelope(packed)
    except ProtocolError:
        return None
    if not isinstance(remark, Edit | Delete):
        return None
    if (stored.device, stored.n) == target(remark) and stored.enc == "none" and holds(envelope, stored):
        return _without_text(stored, GONE, len(packed))
    former = read(stored.enc, stored.body)
    if isinstance(former, Edit) and target(former) == target(remark) and stored.author == envelope.author:
        return _without_text(stored, VOID, len(packed))
    return None


def _without_text(stored: Envelope, enc: str, size: int) -> bytes | None:
    bare = encode(msgspec.structs.replace(stored, enc=enc, body=bytes(len(stored.body))))
    return bare if len(bare) == size else None
