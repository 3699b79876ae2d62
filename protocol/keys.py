"""Public keys, as programs hold them and as people read them.

A key is a CURVE public key (RFC 7748's X25519): 32 bytes, written as 52 lower-case letters of base32 (RFC 4648,
section 6, without padding): the whole key, not a digest of it, so that whoever is given it needs to trust nobody else.
"""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

import msgspec

KEY_BYTES = 32
KEY_CHARS = 52
RECORD_BYTES = 64
"""No public key record, and no question for one, is longer."""
_GROUP_CHARS = 4
_RECORD_VERSION = 1


class KeyPair(NamedTuple):
    """Who a program is. The secret half leaves the process only into its own file."""

    public: str  # as people read it
    secret: bytes  # 32 bytes

    def __repr__(self) -> str:
        """Never show a secret, not even in a traceback."""
        return f"KeyPair({self.public})"


REASONS = (
    WRONG_LENGTH := "a key has {limit} letters, this has {size}",
    WRONG_END := "its last letter can't be right",
    WRONG_LETTERS := "a key has only the letters a to z and the digits 2 to 7",
)
"""All that a BadKey may say of what somebody typed."""


class BadKey(ValueError):
    """This is no key. Its text says why, as the end of a sentence."""


def written(raw: bytes) -> str:
    """A key's 32 bytes as 52 letters."""
    return base64.b32encode(raw).decode().rstrip("=").lower()


def read(text: str) -> str:
    """The 52 letters of a key that somebody typed, in groups or not; BadKey if it is none."""
    letters = "".join(text.split()).lower()
    if len(letters) != KEY_CHARS:
        raise BadKey(WRONG_LENGTH.format(limit=KEY_CHARS, size=len(letters)))
    if written(raw(letters)) != letters:
        raise BadKey(WRONG_END)
    return letters


def raw(letters: str) -> bytes:
    """The 32 bytes of a key's 52 letters; BadKey if they are none."""
    try:
        return base64.b32decode(letters.upper() + "=" * (-len(letters) % 8))
    except (binascii.Error, ValueError):
        raise BadKey(WRONG_LETTERS) from None


def grouped(letters: str) -> str:
    """A key for people who compare two: in groups of four."""
    return " ".join(letters[start : start + _GROUP_CHARS] for start in range(0, len(letters), _GROUP_CHARS))


class Record(msgspec.Struct):
    """What a broker answers, unencrypted, to whoever asks for its public key on the port behind its own."""

    v: int
    key: bytes


def pack_record(letters: str) -> bytes:
    """The record of a key: a MessagePack map of ``v`` and ``key``."""
    return msgspec.msgpack.encode(Record(_RECORD_VERSION, raw(letters)))


def unpack_record(packed: bytes) -> str:
    """The key of a record; BadKey if it is none."""
    try:
        record = msgspec.msgpack.decode(packed, type=Record)
    except (msgspec.MsgspecError, ValueError):
        raise BadKey("that is no public key record") from None
    if record.v != _RECORD_VERSION or len(record.key) != KEY_BYTES:
        raise BadKey("that is a public key record of another version")
    return written(record.key)
