"""What a connection said, with all that has been found out about it: the cause of most of what the broker does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from core.orders import AnyOrder
from protocol import frames, limits


class Event(msgspec.Struct):
    """Something that has happened."""


class Proved(Event):
    """A secret was checked."""

    stored: str | None  # what it was checked against
    right: bool
    fresh: str | None = None  # a hash to be stored now: there was none, or its parameters are old
    damaged: bool = False  # what is stored is no hash: nobody can tell whether the secret is right


class Received(Event):
    """A connection said something. A question that had to wait for the store comes back with what was found."""

    peer: bytes  # ZeroMQ's identity: a return address, no person
    frame: frames.AnyFrame
    address: str = ""  # the other side's network address, for people and for limits
    key: str = ""  # the public key of the connection that it came over
    connection: int = 0  # its number: a later one has a higher one; 0: nobody knows
    size: int = 0  # bytes of the frame
    found: dict[str, Any] = {}  # what Look and Put brought, by key; a record is (version, value)
    proof: Proved | None = None
    asker: str = ""  # the store's name of the device that asks; by the time of an answer another may be there


class Knocked(Event):
    """Somebody wants to connect, and has shown that this public key is theirs."""

    ticket: tuple[bytes, bytes]  # whom to answer
    key: str
    address: str
    found: dict[str, Any] = {}  # as in Received


class Ordered(Event):
    """An operator asks something."""

    ticket: int  # whom to answer
    order: AnyOrder
    found: dict[str, Any] = {}  # as in Received


Asking = Received | Ordered
"""Questions, whose answers may need the store."""


class Swept(Event):
    """It is time to look what may be forgotten: in these logs, after this one."""

    prefix: str
    after: str
    found: dict[str, Any] = {}  # as in Received


def gathered(events: Iterable[Event]) -> list[Event]:
    """Sends of one connection that follow one another, as if one frame had borne them: who sends one message a frame
    shall not make every step anew for each. What a connection says stays in its order; connections have none among
    them.
    """
    whole: list[Event] = []
    last: dict[tuple[bytes, str], tuple[Received, frames.Post]] = {}  # by who spoke, if that was a Post
    for event in events:
        if not isinstance(event, Received):
            last.clear()
        elif not isinstance(event.frame, frames.Post):
            last.pop((event.peer, event.key), None)
        elif (before := last.get((event.peer, event.key))) and _takes(*before, event.frame, event.size):
            continue
        else:
            last[(event.peer, event.key)] = event, event.frame
        whole.append(event)
    return whole


def _takes(event: Received, post: frames.Post, more: frames.Post, size: int) -> bool:
    """Put a Post of so many bytes to the one before if it continues that and a frame has room for both; whether so."""
    count, size = len(post.items), event.size + size
    if post.n + count != more.n or count + len(more.items) > limits.PACK_MESSAGES or size > limits.FRAME_BYTES:
        return False
    post.items += more.items
    event.size = size
    return True
