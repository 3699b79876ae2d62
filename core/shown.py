"""What the client's core wants a person or a script to know; a front end decides how it looks."""

from __future__ import annotations

import msgspec

from core.marks import Marks
from protocol.frames import Envelope, Known, Listed
from protocol.remarks import SendId


class Shown(msgspec.Struct):
    """One thing to be shown."""


class Online(Shown, kw_only=True):
    """Logged in."""

    account: str
    device: str
    broker: str  # its address, tcp://HOST:PORT
    key: str  # its public key
    waiting: int  # messages that came while this device was away
    registered: bool  # the account was made just now
    first: bool  # of this run; False: the connection is back


class Offline(Shown, kw_only=True):
    """The broker can't be reached."""

    reason: str
    retry_in: float  # s
    first: bool  # of this absence: later ones need no new line


class Messages(Shown, kw_only=True):
    """New in a log, in the journal by now: seqs first, first + 1, …"""

    log: str  # as people write it: #room, or @ and the account's own name
    first: int
    envelopes: list[Envelope]
    waited: int  # up to this seq they came while this device was away
    mine: bool = False  # history that was asked for: shown again, and it moves nothing
    marks: dict[SendId, Marks] = {}  # what has become of those of which something has
    targets: dict[SendId, Envelope] = {}  # the messages that remarks among these are about


class Receipted(Shown, kw_only=True):
    """One's private messages to somebody: from these devices, all up to these numbers have come, or were read."""

    by: str
    delivered: dict[str, int]
    read: dict[str, int]


class TellsRead(Shown, kw_only=True):
    """Whether others are told that one has read their private messages."""

    on: bool


class Sent(Shown, kw_only=True):
    """One of this device's messages was accepted: it is on the broker's disk."""

    id: str  # device:n
    tag: str | None


class Refused(Shown, kw_only=True):
    """Something was not done, and won't be by itself."""

    code: str
    text: str
    tag: str | None = None
    line: int = 0
    id: str = ""  # device:n, if it was a message
    to: str = ""  # whom that message was for
    body: str = ""  # and what it said: what was typed is never lost


class Came(Shown, kw_only=True):
    """These have come."""

    room: str
    accounts: list[str]
    more: int = 0


class Went(Shown, kw_only=True):
    """These have gone."""

    room: str
    accounts: list[str]
    more: int = 0


class Who(Shown, kw_only=True):
    """Who is here now."""

    accounts: list[str]
    more: int = 0


class Contacts(Shown, kw_only=True):
    """One's contacts, and whom one could add."""

    contacts: list[str]
    possible: list[str]
    more: bool = False  # there are further possible ones


class Inside(Shown, kw_only=True):
    """One's account is in this room now."""

    account: str
    room: str
    topic: str = ""


class Outside(Shown, kw_only=True):
    """One's account is in this room no longer."""

    account: str
    room: str
    by: str = ""  # who has removed it; "": itself
    banned: bool = False


class Rooms(Shown, kw_only=True):
    """Rooms that there are."""

    rooms: list[Listed]
    after: str = ""  # there are more, behind this one


class Members(Shown, kw_only=True):
    """Who is in a room."""

    room: str
    owner: str  # "": nobody
    private: bool
    here: list[str]
    away: list[str]
    more: int = 0


class Topic(Shown, kw_only=True):
    """What a room is about."""

    room: str
    topic: str
    by: str = ""  # who has just said so; "": it was asked for


class News(Shown, kw_only=True):
    """Something was done with an account in a room."""

    room: str
    what: str  # invited, removed, banned, unbanned
    by: str
    account: str
    mine: bool  # it is one's own account


class Profile(Shown, kw_only=True):
    """Who somebody is."""

    account: str
    made_at: int  # Unix time in ms
    here: bool
    rooms: list[str]


class Ignored(Shown, kw_only=True):
    """Whose messages are not shown."""

    accounts: list[str]


class Found(Shown, kw_only=True):
    """What a search has found, the newest last."""

    words: str
    items: list[tuple[str, int, Envelope]]  # logs as people write them, seqs, messages
    more: bool  # there are older ones
    marks: dict[SendId, Marks] = {}


class Muted(Shown, kw_only=True):
    """Where nothing calls me."""

    places: list[str]


class Unread(Shown, kw_only=True):
    """Where something has come that nobody has looked at."""

    items: list[tuple[str, int]]  # a room or an account, and how many


class Place(Shown, kw_only=True):
    """Plain lines go here from now on."""

    to: str


class Status(Shown, kw_only=True):
    """How things stand."""

    account: str
    device: str
    broker: str
    online: bool
    place: str
    outbox: int


class Outbox(Shown, kw_only=True):
    """What the broker has not accepted yet."""

    items: list[tuple[str, str]]  # whom it is for, what it says


class Devices(Shown, kw_only=True):
    """The account's devices."""

    devices: list[Known]
    this: str  # the id of the one that asks


class Met(Shown, kw_only=True):
    """A broker was met for the first time; from now on only this key counts."""

    broker: str  # its address
    key: str


class Gone(Shown, kw_only=True):
    """This device was away for longer than the broker keeps messages."""

    log: str
    messages: int  # that it will never have


class PutBack(Shown, kw_only=True):
    """The broker was put back to an earlier state."""

    again: int  # messages of this device that it had lost, and that are sent to it again
    gone: int  # others of which only the numbers are left


PASSWORD_CHANGED = "the password is changed; devices that were let in before stay so: /devices shows and revokes them"
NOTHING_THERE = "there is nothing of {place} in the history"


class Notice(Shown, kw_only=True):
    """A sentence."""

    text: str


class Bye(Shown, kw_only=True):
    """The session is over."""

    code: str
    text: str


class KeyChanged(Bye, kw_only=True):
    """The broker at this address can't show that it owns the key that is known, and another one is offered there."""

    broker: str  # its address
    account: str
    given: bool  # the key was given in this run; False: it is remembered
    since: str  # the date since when
    key: str
    offered: str
