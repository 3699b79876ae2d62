"""What can be said: every frame, in one table (those about rooms stand in rooms.py).

A frame is one MessagePack array ``[tag, field, field, …]``, packed and checked by msgspec. Names carry the
direction: what a client sends is an imperative (``Post``), what the broker sends is a statement
(``Accepted``). Fields are only ever added at the end and with a default, so that a newer side and an older
one of the same major version understand each other. docs/PROTOCOL.md has a row for each.
"""

from __future__ import annotations

from typing import Annotated, get_args

import msgspec
from msgspec import Meta, Raw

from . import limits
from .parts import (
    At,
    Code,
    Cursors,
    Device,
    Envelope,
    Epoch,
    Extent,
    Frame,
    Item,
    Known,
    Listed,
    Log,
    Name,
    Names,
    Number,
    Part,
    Refusal,
    Room,
    Run,
    Seq,
    Text,
    Visit,
    VisitId,
    Wait,
    Window,
)
from .rooms import AskMembers, AskRooms, Expel, Invite, Join, Joined, Leave, Left, Members, News, Rooms, SetTopic, Unban

# Others find these here, beside the frames.
__all__ = [
    "AskMembers",
    "AskRooms",
    "Envelope",
    "Expel",
    "Extent",
    "Frame",
    "Invite",
    "Item",
    "Join",
    "Joined",
    "Known",
    "Leave",
    "Left",
    "Listed",
    "Members",
    "News",
    "Part",
    "Refusal",
    "Rooms",
    "Run",
    "SetTopic",
    "Unban",
    "Visit",
]


# ---- what a client says -------------------------------------------------------------------------------


class Hello(Frame, tag=1):
    """Let me in. The key of this connection is enough where the broker has bound it to this account.

    Otherwise, and always if a scheme is named without a credential, the answer is Unproven: it says what a credential
    is made with.
    """

    major: Annotated[int, Meta(ge=0, le=65535)]
    minor: Annotated[int, Meta(ge=0, le=65535)]
    account: Annotated[str, Meta(max_length=limits.LOG_CHARS)]
    device: Device
    reads: bool  # False: this session only sends; nothing is delivered and no cursor moves
    cursors: Cursors
    scheme: Annotated[str, Meta(max_length=16)] = ""
    credential: Annotated[bytes, Meta(max_length=limits.CREDENTIAL_BYTES)] = b""
    release: Annotated[str, Meta(max_length=64)] = ""  # the client's software, for the broker's log
    name: Annotated[str, Meta(max_length=limits.DEVICE_NAME_CHARS)] = ""  # what its owner calls this device
    epoch: Epoch = ""  # in which this device's cursors count
    visit: VisitId = 0
    permit: Annotated[str, Meta(max_length=limits.PERMIT_CHARS)] = ""  # it goes with a credential that is to be set
    bot: bool = False  # this is a program that talks: what it sends is marked

    def __repr__(self) -> str:
        """Never show a credential, not even in a traceback."""
        return f"Hello({self.account!r}, device={self.device!r}, reads={self.reads})"


class Post(Frame, tag=2):
    """Send these, numbered n, n + 1, …"""

    n: Number
    items: Annotated[list[Item], Meta(min_length=1, max_length=limits.PACK_MESSAGES)]


class Ack(Frame, tag=3):
    """Everything up to here is in my journal. Cumulative."""

    cursors: Cursors


class Ping(Frame, tag=4):
    """An Ack that wants an answer (Pong): the sign of life of a client with nothing else to say."""

    cursors: Cursors


class AskWho(Frame, tag=5):
    """Tell me who is here."""

    ask: Number


class AskContacts(Frame, tag=6):
    """Tell me my contacts, and whom I could add."""

    ask: Number


class AddContact(Frame, tag=7):
    """Put this account on my list."""

    ask: Number
    account: Name


class RemoveContact(Frame, tag=8):
    """Take this account off my list."""

    ask: Number
    account: Name


class AskPage(Frame, tag=11):
    """Show me what a log holds below a seq (0: from its end)."""

    ask: Number
    log: Log
    before: Seq
    limit: Annotated[int, Meta(ge=1, le=limits.PAGE_MESSAGES)]


class Quit(Frame, tag=12):
    """I am leaving; forget this session."""


class AskDevices(Frame, tag=13):
    """Tell me my account's devices."""

    ask: Number


class RevokeDevice(Frame, tag=14):
    """End this device's session, and never let its key in again."""

    ask: Number
    device: Annotated[str, Meta(min_length=1, max_length=limits.DEVICE_CHARS)]  # its id, or how it begins


class ChangePassword(Frame, tag=15):
    """From now on this credential proves my account, the other no longer."""

    ask: Number
    scheme: Annotated[str, Meta(max_length=16)]
    old: Annotated[bytes, Meta(max_length=limits.CREDENTIAL_BYTES)]
    new: Annotated[bytes, Meta(max_length=limits.CREDENTIAL_BYTES)]

    def __repr__(self) -> str:
        """Never show a credential, not even in a traceback."""
        return f"ChangePassword({self.ask})"


class AskAccount(Frame, tag=22):
    """Tell me about this account."""

    ask: Number
    account: Name


# ---- what the broker says -----------------------------------------------------------------------------


class Unproven(Frame, tag=32):
    """You have not proven who you are: this is what a credential is made with."""

    broker: Annotated[bytes, Meta(min_length=16, max_length=16)]  # the broker's id, part of the salt
    scheme: Annotated[str, Meta(max_length=16)]
    taken: bool  # the name is registered; False: the first credential registers it
    permit: bool = False  # but only together with a permit


class Welcome(Frame, tag=33):
    """You are in."""

    major: int
    minor: int
    account: Name  # as registered
    broker: Annotated[bytes, Meta(min_length=16, max_length=16)]
    epoch: Epoch  # the store's; it changes with a restore
    last: Seq  # the highest n stored for this device
    logs: Annotated[dict[Log, Extent], Meta(max_length=limits.SESSION_LOGS)]
    registered: bool  # the account was made just now
    window_messages: Window  # how many sends may be on their way unconfirmed
    window_bytes: Window  # and how many bytes of bodies
    visits: Annotated[list[Visit], Meta(max_length=limits.DEVICE_VISITS)]  # in which this device's last sends were made


class Accepted(Frame, tag=34):
    """Every send up to n is on disk, but for those that were refused. Cumulative."""

    n: Seq
    refused: Annotated[list[Refusal], Meta(max_length=limits.WINDOW_MESSAGES)] = []
    window_messages: Annotated[int, Meta(ge=0, le=limits.NUMBER_MAX)] = 0  # from now on; 0: as before


class Expected(Frame, tag=35):
    """A number is missing, and nothing behind it was kept: send again from n."""

    n: Number


class Deliver(Frame, tag=36):
    """Here is what stands in your logs."""

    runs: list[Run]


class Pong(Frame, tag=37):
    """Your session is alive. Up to these seqs everything was sent to you."""

    sent: Cursors


class Refused(Frame, tag=38):
    """What you asked was not done."""

    code: Code
    text: Text
    ask: Seq = 0  # the question's number; 0: none, it concerns the session
    retry_s: Wait = 0.0


class Stranger(Frame, tag=39):
    """I know no session for you: say Hello."""


class Presence(Frame, tag=40):
    """Who has come and who has gone, gathered."""

    room: Room
    joined: Names
    left: Names
    more: int = 0  # further names that did not fit


class Present(Frame, tag=41):
    """Who is here: the answer to AskWho."""

    ask: Number
    accounts: Names
    more: int = 0


class Contacts(Frame, tag=42):
    """Your contacts, and whom you could add: the answer to AskContacts, AddContact and RemoveContact."""

    ask: Seq
    contacts: Names
    possible: Names
    more: bool = False  # there are further possible ones


class Page(Frame, tag=45):
    """A piece of a log: the answer to AskPage. Cursors don't move by it."""

    ask: Number
    run: Run
    more: bool  # there is something below it


class Bye(Frame, tag=46):
    """This session has ended."""

    code: Code  # closing, replaced, revoked, account-barred, account-closed
    text: Text = ""


class Devices(Frame, tag=47):
    """Your account's devices: the answer to AskDevices and RevokeDevice."""

    ask: Number
    devices: Annotated[list[Known], Meta(max_length=limits.ACCOUNT_DEVICES)]


class Changed(Frame, tag=48):
    """The new credential is in force: the answer to ChangePassword."""

    ask: Number


class Profile(Frame, tag=52):
    """What there is to know about an account: the answer to AskAccount."""

    ask: Number
    account: Name  # as registered
    made_at: At
    here: bool
    rooms: Annotated[list[Room], Meta(max_length=limits.SESSION_LOGS)]  # those that both are in


FromClient = (
    Hello
    | Post
    | Ack
    | Ping
    | AskWho
    | AskContacts
    | AddContact
    | RemoveContact
    | Join
    | Leave
    | AskPage
    | Quit
    | AskDevices
    | RevokeDevice
    | ChangePassword
    | AskRooms
    | AskMembers
    | SetTopic
    | Invite
    | Expel
    | Unban
    | AskAccount
)
FromBroker = (
    Unproven
    | Welcome
    | Accepted
    | Expected
    | Deliver
    | Pong
    | Refused
    | Stranger
    | Presence
    | Present
    | Contacts
    | Joined
    | Left
    | Page
    | Bye
    | Devices
    | Changed
    | Rooms
    | Members
    | News
    | Profile
)
AnyFrame = FromClient | FromBroker

FROM_CLIENT: tuple[type[Frame], ...] = get_args(FromClient)
FROM_BROKER: tuple[type[Frame], ...] = get_args(FromBroker)
FRAMES: tuple[type[Frame], ...] = FROM_CLIENT + FROM_BROKER


class ProtocolError(Exception):
    """These bytes are no frame. Its text says why, for the peer's author.

    ``version`` is (major, minor) if they are a Hello of a version that we don't know.
    """

    version: tuple[int, int] | None = None


_decoder: msgspec.msgpack.Decoder[AnyFrame] = msgspec.msgpack.Decoder(AnyFrame)
_envelope_decoder = msgspec.msgpack.Decoder(Envelope)
_raw_decoder = msgspec.msgpack.Decoder(list[Raw])
_integer_decoder = msgspec.msgpack.Decoder(int)
_encoder = msgspec.msgpack.Encoder()
encode = _encoder.encode
"""A frame's or an envelope's bytes."""


def decode(data: bytes) -> AnyFrame:
    """Any bytes give a frame or ProtocolError, nothing else."""
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        refusal = ProtocolError(str(error))
        refusal.version = _foreign_version(data)
        raise refusal from None


def decode_envelope(data: bytes) -> Envelope:
    """An envelope from its stored bytes; ProtocolError if they are none."""
    try:
        return _envelope_decoder.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ProtocolError(str(error)) from None


def _foreign_version(data: bytes) -> tuple[int, int] | None:
    """What any Hello of any version begins with: its tag, major, minor."""
    try:
        tag, major, minor, *_ = _raw_decoder.decode(data)
        said = _integer_decoder.decode(tag), _integer_decoder.decode(major), _integer_decoder.decode(minor)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if said[0] != Hello.__struct_config__.tag or said[1] == limits.MAJOR_VERSION:
        return None
    return said[1], said[2]


def pack_run(log: str, first: int, envelopes: list[bytes]) -> bytes:
    """A Run's bytes, made of envelopes that are packed already: what was stored is delivered as it is."""
    return encode((log, first, [Raw(envelope) for envelope in envelopes]))


def pack_deliver(runs: list[bytes]) -> bytes:
    """A Deliver's bytes, made of runs that are packed already: many sessions share them."""
    return encode((Deliver.__struct_config__.tag, [Raw(run) for run in runs]))


def pack_page(ask: int, run: bytes, more: bool) -> bytes:
    """A Page's bytes, made of a run that is packed already."""
    return encode((Page.__struct_config__.tag, ask, Raw(run), more))
