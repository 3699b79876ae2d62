"""What a core asks of the world around it: imperatives, done by broker.py and client.py."""

from __future__ import annotations

from typing import Any

import msgspec

from core.received import Asking, Knocked, Received, Swept
from core.shown import Messages, Shown
from core.typed import AskedPassword, OfMessage
from protocol import limits
from protocol.frames import Envelope


class Command(msgspec.Struct):
    """Something to be done."""


# ---- to the network -----------------------------------------------------------------------------------


class Send(Command, gc=False):
    """Send this frame; the broker's names the connection that it goes to."""

    frame: bytes
    peer: bytes = b""


class Admit(Command):
    """Answer a Knocked: let it in (200), tell it to come back (300), or never to (400)."""

    ticket: tuple[bytes, bytes]
    key: str
    code: int


class Trust(Command):
    """A device has logged in over this connection, which may stay; or is no longer, and it has to log in again soon."""

    peer: bytes
    trusted: bool


class HangUp(Command):
    """End this connection: whoever is there does what no honest client does."""

    peer: bytes


# ---- to an operator ------------------------------------------------------------------------------------


class Reply(Command):
    """Answer an order: with facts, or with ``error`` and ``code``."""

    ticket: int
    said: dict[str, Any]


# ---- to the store: operations, gathered into one group a turn -----------------------------------------


Reason = tuple[str, str]
"""Why a send was refused: code and sentence."""
# Reasons are kept for so many numbers of a device: what may be unconfirmed of it at once, and be asked about again.
REFUSALS_KEPT = limits.WINDOW_MESSAGES + limits.PACK_MESSAGES


class Append(Command):
    """One device's sends n, n + 1, …: each is stored in every log of its tuple, or in none.

    A reason in an envelope's place, with no logs, is a send that was refused: its number is used up, and the reason is
    kept as long as its sender may ask for it. What the device has stored already is skipped; if n is ahead of its
    last + 1, nothing is stored (Gap). ``visits`` says of whom the device's sends are, as the core packs it.
    ``withholds`` names, for some n, a log and seqs: when n is stored what stands there gives way to what
    remarks.withheld makes of it, in every log that it entered. Result: Done or Gap.
    """

    device: str
    n: int
    logs: list[tuple[str, ...]]
    envelopes: list[bytes | Reason]
    visits: bytes = b""
    withholds: dict[int, tuple[str, list[int]]] = {}


class Move(Command):
    """The store's copy of a cursor becomes max(old, min(pos, head)). Result: Done(pos)."""

    device: str
    log: str
    pos: int


class Put(Command):
    """Compare and set a record. value None deletes; expect 0 means "must not exist".

    ``also`` are carried out with it, all of them or none. Result: Done(version), or Conflict(version) of the first
    that is not as expected. ``cause`` is given back with the result, for the core's own use.
    """

    key: str
    value: bytes | None
    expect: int
    cause: Asking | None = None
    also: tuple[Put, ...] = ()


class Trim(Command):
    """Forget a log's envelopes below this seq; its head stays. Result: Done(first)."""

    log: str
    below: int


Operation = Append | Move | Put | Trim


# ---- to the store: questions, answered within the turn -------------------------------------------------


class Look(Command):
    """Read these records, extents of logs and states of devices; Looked brings them back with the cause.

    With an epoch also the bases of the logs: up to which seq each is the same as it was in that epoch.
    """

    cause: Asking | Knocked | Swept
    keys: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    epoch: str = ""
    size: bool = False  # and how many bytes the store holds
    measures: bool = False  # and what is measured around the core


class Browse(Command):
    """Read the keys that begin with prefix and come after another, in order, at most limit; Looked brings them."""

    cause: Asking | Swept
    prefix: str
    limit: int
    after: str = ""


class Fetch(Command):
    """Read a log behind a seq, for one session; Fetched brings it back."""

    peer: bytes
    log: str
    after: int
    messages: int
    size: int  # bytes of envelopes; at least one envelope comes whatever its size
    cause: Received | Swept | None = None  # a question that this answers; None: it is for delivery


# ---- to the worker -------------------------------------------------------------------------------------


class Prove(Command):
    """Check a secret against a stored hash; without one, make the hash. Proved brings the answer."""

    cause: Received
    secret: bytes
    stored: str | None


# ---- to the log file -----------------------------------------------------------------------------------


class Note(Command):
    """One line for the program's log: what happened, and its fields. Never a text, never a secret."""

    what: str
    fields: dict[str, Any]
    loud: bool = False  # also for the person who watches the program


# ---- the client's: to the network ----------------------------------------------------------------------


class AskKey(Command):
    """Ask beside the broker's address for its public key; Offered or NotOffered will tell."""


class Connect(Command):
    """Begin a connection to the broker that owns this public key; Connected or Lost will tell."""

    key: str


class Pin(Command):
    """Remember a broker, by its address: its public key, and its id once that is known."""

    key: str
    broker: bytes = b""


class Disconnect(Command):
    """End the connection, after what was sent has left."""


class Derive(Command):
    """Make the credential from the password, which may have to be asked for; Derived brings it."""

    broker: bytes  # the broker's id
    taken: bool  # the name is registered
    lacks_permit: bool = False  # the account is made only with a permit, and there is none yet: ask for it, too


# ---- the client's: to its journal, committed before anything of the same turn is sent or shown ---------


class Keep(Command):
    """Put a message into the outbox."""

    n: int
    to: str
    enc: str
    body: bytes


class Drop(Command):
    """Everything up to n is settled. It is kept for a while, should the broker be put back; what was refused is not."""

    n: int
    refused: list[int] = []


class Record(Command):
    """Write envelopes and the cursor that follows from them, in one."""

    log: str
    first: int
    envelopes: list[Envelope]


class Begin(Command):
    """Set a log's cursor without having read what is before it."""

    log: str
    pos: int


class Remember(Command):
    """Keep a fact about this device."""

    key: str
    value: bytes


class Backfill(Command):
    """Write envelopes into the history that are older than all it has of this log. No cursor moves."""

    log: str
    first: int
    envelopes: list[Envelope]


class Read(Command):
    """All that the history has of a conversation has been looked at: a room, or an account's private one."""

    log: str
    account: str  # "" for a room


COMMITTED = (Keep, Drop, Record, Begin, Remember, Backfill, Read)
"""What a journal writes in the transaction of a turn."""


class DeriveNew(Command):
    """Ask for the old and the new password, and make credentials of both; PasswordsDerived brings them."""

    broker: bytes  # the broker's id
    question: AskedPassword


class Renew(Command):
    """Become a new device: another id, the outbox numbered anew from 1. Renewed follows.

    With another epoch than before the cursors are forgotten too, for they count in logs that are no more.
    """

    epoch: str


class GoBack(Command):
    """The broker was put back to an earlier state: go back with it. WentBack follows.

    What was settled behind ``last`` is waiting again; no cursor is above its log's base, and logs without one begin
    anew. What was read above the bases stays in the history.
    """

    epoch: str
    last: int
    bases: dict[str, int]


class Recall(Command):
    """Find the last messages of a conversation, a room's or an account's private one; Recalled brings them."""

    log: str
    account: str  # "" for a room
    count: int
    since: int = 0  # only those of this time (Unix, ms) or later
    hidden: tuple[str, ...] = ()  # none of these accounts'
    pages: int = 0  # of the broker's that may still be asked for, if that is not all
    tag: str | None = None


class Point(Command):
    """Find one of the last messages of a conversation, for what ``question`` wants to say about it: one of one's own
    for a change, another's for a reaction. Pointed brings it.
    """

    place: str  # where it was said, as one would write there
    log: str
    account: str  # "" for a room
    own: str  # the account's compared form
    question: OfMessage


class Review(Command):
    """Find the messages that remarks among these are about; Reviewed brings them."""

    messages: Messages


class Search(Command):
    """Find the last messages with all these words, or beginnings of words; Searched brings them."""

    words: str
    count: int
    hidden: tuple[str, ...] = ()


class Tally(Command):
    """Count, for each conversation, what others have written and nobody has looked at; Tallied brings it."""

    own: str  # the account's compared form
    hidden: tuple[str, ...] = ()


# ---- the client's: to the front end --------------------------------------------------------------------


class Show(Command):
    """Let the person or the script know."""

    shown: Shown
