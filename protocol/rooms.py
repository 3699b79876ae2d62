"""Frames about rooms: what a client says of them, and what the broker does. frames.py has all others."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from . import limits
from .parts import Code, Extent, Frame, Listed, Log, Name, Names, Number, Room, Seq, Topic

# ---- what a client says -------------------------------------------------------------------------------


class Join(Frame, tag=9):
    """Make me a member of this room; make the room if there is none.

    ``private``: it must be one that only who is invited may join, or be made as such. It stays what it was made.
    """

    ask: Number
    room: Room
    private: bool = False


class Leave(Frame, tag=10):
    """Make me a member no longer."""

    ask: Number
    room: Room


class AskRooms(Frame, tag=16):
    """Tell me which rooms there are."""

    ask: Number
    after: Annotated[str, Meta(max_length=limits.LOG_CHARS)] = ""  # only those behind this one, in compared form


class AskMembers(Frame, tag=17):
    """Tell me who is in this room, and what it is about."""

    ask: Number
    room: Room


class SetTopic(Frame, tag=18):
    """Say from now on that this room is about this."""

    ask: Number
    room: Room
    topic: Topic


class Invite(Frame, tag=19):
    """Let this account join this room, and tell it so."""

    ask: Number
    room: Room
    account: Name


class Expel(Frame, tag=20):
    """Make this account a member no longer; ``bans``: and let it not come back."""

    ask: Number
    room: Room
    account: Name
    bans: bool = False


class Unban(Frame, tag=21):
    """Let this account join this room again."""

    ask: Number
    room: Room
    account: Name


# ---- what the broker says -----------------------------------------------------------------------------


class Joined(Frame, tag=43):
    """Your account is a member of this room now. Told to all its devices; ask is 0 for the others."""

    ask: Seq
    room: Room  # as its maker wrote it
    log: Log
    extent: Extent
    topic: Topic = ""


class Left(Frame, tag=44):
    """Your account is no longer a member of this room."""

    ask: Seq
    log: Log
    by: Annotated[str, Meta(max_length=limits.LOG_CHARS)] = ""  # who has removed it; "": one of its own devices
    banned: bool = False


class Rooms(Frame, tag=49):
    """These rooms there are: the answer to AskRooms. Private ones only for their members, and who is invited."""

    ask: Number
    rooms: Annotated[list[Listed], Meta(max_length=limits.LISTED_ROOMS)]
    after: Annotated[str, Meta(max_length=limits.LOG_CHARS)] = ""  # ask again with this; "": that was all


class Members(Frame, tag=50):
    """Who is in this room: the answer to AskMembers."""

    ask: Number
    room: Room
    topic: Topic
    owner: Annotated[str, Meta(max_length=limits.LOG_CHARS)]  # who made it; "": nobody, it is everyone's
    private: bool
    here: Names
    away: Names
    more: int = 0  # further ones that are not named


class News(Frame, tag=51):
    """Something has changed in a room: the answer to SetTopic, Invite, Expel and Unban, with ``ask`` 0 for others."""

    ask: Seq
    room: Room
    what: Code  # topic, invited, removed, banned, unbanned; what a client doesn't know it passes over
    by: Name
    account: Annotated[str, Meta(max_length=limits.LOG_CHARS)] = ""  # whom it concerns
    topic: Topic = ""
