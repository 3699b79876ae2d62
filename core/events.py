"""What has happened, as the cores hear of it: past participles."""

from __future__ import annotations

from typing import Any

from core.commands import Fetch, Operation, Point, Reason, Recall, Review, Search
from core.marks import Marks
from core.outbox import SendId, Waiting
from core.received import Asking, Event, Knocked, Proved, Received, Swept
from core.typed import AskedPassword
from protocol import frames
from protocol.frames import Envelope

# ---- from the network ----------------------------------------------------------------------------------


class Garbled(Event):
    """A connection said something that is no frame."""

    peer: bytes
    why: str
    version: tuple[int, int] | None = None  # it was a Hello of this foreign version
    address: str = ""
    key: str = ""


class Gone(Event):
    """This connection is no more, or takes nothing any more."""

    peer: bytes


class Closing(Event):
    """The broker has been asked to end."""


# ---- from the store ------------------------------------------------------------------------------------


class Done(Event):
    """An operation was carried out, or had been before."""

    value: int  # Append: the device's last; Move: the cursor; Put: the version; Trim: the first seq kept
    refused: dict[int, Reason] = {}  # Append: what is refused of this device, from its n on


class Gap(Event):
    """An Append was ahead of its turn."""

    expected: int


class Conflict(Event):
    """A Put expected another version."""

    version: int


Result = Done | Gap | Conflict


class Arrived(Event):
    """New in a log: seqs first, first + 1, …"""

    log: str
    first: int
    envelopes: list[bytes]


class Stored(Event):
    """A group is on disk: a result for each operation, and what is new in each log."""

    group: list[Operation]
    results: list[Result]
    arrived: list[Arrived]


class StoreFailed(Event):
    """Nothing of this group was kept."""

    group: list[Operation]
    code: str  # store-full, store-down


class Uncertain(Event):
    """Nobody knows whether this group was kept: submit it again (an embedded store never says this)."""

    group: list[Operation]


class Woken(Event):
    """Another broker appended to these logs; a hint, which may repeat or be lost."""

    logs: list[str]


class Rescanned(Event):
    """Hints may have been lost: every log may have grown."""


class DeviceState(Event):
    """What the store knows of a device."""

    last: int  # its highest n; below 0: what was stored of it is damaged
    cursors: dict[str, int]
    refused: dict[int, Reason] = {}  # by n, the last ones
    visits: bytes = b""  # as its last Append said


class Looked(Event):
    """The answer to Look and Browse. Keys: a record's key; ``head/LOG``, ``base/LOG``; ``device/NAME``;
    ``browse/PREFIX``; ``size``.
    """

    cause: Asking | Knocked | Swept
    found: dict[str, Any]


class Fetched(Event):
    """The answer to Fetch."""

    command: Fetch
    first: int
    envelopes: list[bytes]
    complete: bool  # there is nothing behind it


# ---- from the worker -----------------------------------------------------------------------------------


class ProofArrived(Event):
    """The worker's answer to Prove; proof None: it has too much to do, nothing was checked."""

    cause: Received
    proof: Proved | None


# ---- what the client's core hears of -------------------------------------------------------------------


class Connected(Event):
    """The connection stands; the broker has not said anything yet."""


class HandedOut(Event):
    """These messages have left the process: whoever reads has them before their eyes."""

    envelopes: list[Envelope]


class Lost(Event):
    """There is no connection, or no more."""

    reason: str  # refused, cut, silent, handshake, busy, revoked, no-restante


class Offered(Event):
    """What answers beside the broker's address says that this is its public key. That proves nothing."""

    key: str


class NotOffered(Event):
    """Nobody says what the broker's key is."""

    reason: str  # refused, cut, silent, handshake, no-restante


class Heard(Event):
    """The broker said something."""

    frame: frames.AnyFrame


class Derived(Event):
    """The credential is there; empty: nobody could be asked, or nobody answered."""

    credential: bytes
    permit: str = ""  # if it was asked for


class PasswordsDerived(Event):
    """The credentials of the old and the new password are there; or a code says why not."""

    question: AskedPassword
    old: bytes = b""
    new: bytes = b""
    code: str = ""


class Renewed(Event):
    """This is another device now, with the same outbox."""

    device: str
    cursors: dict[str, int]


class WentBack(Event):
    """This device is where the broker is again."""

    again: list[Waiting]  # what the broker has lost
    gone: int  # of these, how many are only numbers: their text is no longer here
    cursors: dict[str, int]
    known: set[SendId]  # what was read and may come again, in other places


class Recalled(Event):
    """The answer to Recall."""

    recall: Recall
    found: list[tuple[int, Envelope]]  # seqs and messages, the newest last
    oldest: int  # what is below this seq is not in the history; 0: nobody knows where this log begins
    oldest_at: int  # and the time of what is there (Unix, ms)
    marks: dict[SendId, Marks] = {}  # of those found of which there are any


class Searched(Event):
    """The answer to Search."""

    search: Search
    found: list[tuple[str, int, Envelope]]  # logs, seqs and messages, the newest last
    more: bool  # there are older ones
    marks: dict[SendId, Marks] = {}
    unfinished: bool = False  # not all of the history is in the index yet: search again


class Pointed(Event):
    """The answer to Point."""

    point: Point
    message: Envelope | None
    seqs: list[int]  # where its texts stand in its log
    marks: Marks


class Reviewed(Event):
    """The answer to Review."""

    review: Review
    targets: dict[SendId, Envelope]  # those that are here


class Tallied(Event):
    """The answer to Tally."""

    unread: list[tuple[str, int]]  # a room or an account, and how many
