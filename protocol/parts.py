"""What frames are made of: the types of their fields, and the parts that several share.

docs/PROTOCOL.md has a row for each.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from . import limits

Name = Annotated[str, Meta(min_length=1, max_length=limits.LOG_CHARS)]
"""An account as its owner writes it (32 characters at most; the rule itself is in names.py)."""
Room = Annotated[str, Meta(min_length=2, max_length=limits.LOG_CHARS)]
"""``#`` and a name."""
Address = Annotated[str, Meta(min_length=1, max_length=limits.LOG_CHARS)]
"""Whom a message is for: an account's name or a room's."""
Log = Annotated[str, Meta(min_length=2, max_length=limits.LOG_CHARS)]
"""A log's name in its compared form: ``@account`` or ``#room``."""
Device = Annotated[str, Meta(pattern=rf"^[a-z2-7]{{{limits.DEVICE_CHARS}}}\Z")]
"""A device's id: lower-case base32."""
Number = Annotated[int, Meta(ge=1, le=limits.NUMBER_MAX)]
"""A device's own send number (n), or a question's number (ask): 1, 2, 3 …"""
VisitId = Annotated[int, Meta(ge=0, le=limits.NUMBER_MAX)]
"""One login of a device, numbered by it at random: two copies of one folder never use the same number."""
Seq = Annotated[int, Meta(ge=0, le=limits.NUMBER_MAX)]
"""A place in a log; 0 is before the first."""
Epoch = Annotated[str, Meta(max_length=64)]
"""One line of time of a store; another one begins when a copy is put in its place."""
Code = Annotated[str, Meta(min_length=1, max_length=32)]
"""An error code of errors.py, in kebab-case."""
Text = Annotated[str, Meta(max_length=limits.TEXT_CHARS)]
"""A sentence for people."""
At = Annotated[int, Meta(ge=0, le=limits.LAST_AT_MS)]
"""Unix time in ms at the broker; for people, never for order."""
Wait = Annotated[float, Meta(ge=0.0, le=limits.RETRY_S)]
"""Try again by yourself after so many seconds; 0: trying again is of no use."""
Window = Annotated[int, Meta(ge=1, le=limits.NUMBER_MAX)]
"""How much may be on its way unconfirmed."""
Enc = Annotated[str, Meta(min_length=1, max_length=limits.ENC_CHARS)]
"""How a body is encoded: ``none`` is UTF-8 text. An unknown value is shown as an error, never as text."""
Body = Annotated[bytes, Meta(min_length=1, max_length=limits.BODY_BYTES)]
"""What was written. Opaque to the broker."""
Topic = Annotated[str, Meta(max_length=limits.TOPIC_CHARS)]
"""What a room is about, in a line."""
Names = Annotated[list[Name], Meta(max_length=limits.LISTED_NAMES)]
Cursors = Annotated[dict[Log, Seq], Meta(max_length=limits.SESSION_LOGS)]
"""Per log the highest seq that this device has in its journal."""


class Part(msgspec.Struct, array_like=True, gc=False):
    """A piece of a frame."""


class Frame(Part):
    """What both directions' frames have in common."""


class Item(Part):
    """One message as its author sends it."""

    to: Address
    enc: Enc
    body: Body


class Envelope(Part):
    """One message as it is stored and delivered; packed once, by the broker that accepted it."""

    device: Device
    n: Number
    author: Name
    to: Address
    at: At
    enc: Enc
    body: Annotated[bytes, Meta(max_length=limits.BODY_BYTES)]
    bot: bool = False  # its device had said at login that it is a program which talks


class Run(Part):
    """Envelopes that follow one another in one log: seqs first, first + 1, …"""

    log: Log
    first: Number
    envelopes: Annotated[list[Envelope], Meta(max_length=limits.WINDOW_MESSAGES)]


class Extent(Part):
    """What there is of a log for one device: seqs floor + 1 to head can be had.

    A device whose journal knows no cursor for the log begins behind ``start``; one whose cursor is below ``gone`` has
    missed what the broker keeps no longer. What it has above ``base`` belongs to an epoch that is over.
    """

    floor: Seq
    start: Seq
    head: Seq
    base: Seq
    gone: Seq = 0  # up to here nobody can have it any more; what lies between it and floor is for others


class Visit(Part):
    """A device's sends behind ``after``, up to the next visit's, were made in this visit."""

    id: VisitId
    after: Seq


class Known(Part):
    """One device of an account, as the broker knows it."""

    device: Device
    name: Annotated[str, Meta(max_length=limits.DEVICE_NAME_CHARS)]  # as it called itself, for people
    first_at: At  # when its key was let in first
    seen_at: At  # when it was here last; now, if it is here
    address: Annotated[str, Meta(max_length=limits.ADDRESS_CHARS)]  # from where, then
    here: bool


class Refusal(Part):
    """One send that was refused for good. Its number is used up."""

    n: Number
    code: Code
    text: Text


class Listed(Part):
    """One room in a list of rooms."""

    room: Room  # as its maker wrote it
    topic: Topic
    members: Annotated[int, Meta(ge=0, le=limits.NUMBER_MAX)]  # counted up to COUNTED_NAMES
    inside: bool  # whoever asks is a member
    invited: bool
    private: bool
