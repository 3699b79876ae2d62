"""What an operator asks of a broker: orders. Each is answered once, with facts or with why it was not carried out.

They come over the socket in the data folder as JSON objects, whose ``do`` says which it is. The answer has ``done``
true and the facts, or ``error``, a sentence, and ``code``. Lists are told in pages: an answer with ``after`` goes on
behind it.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from protocol import limits
from protocol.parts import At, Name, Room

Key = Annotated[str, Meta(max_length=4 * limits.LOG_CHARS)]
"""A record's key, as an answer told it; "": from the beginning."""
Mark = Annotated[str, Meta(min_length=1, max_length=limits.PERMIT_CHARS)]
"""How a permit's mark begins (protocol/permits.py)."""
Uses = Annotated[int, Meta(ge=1, le=limits.PERMIT_NAMES)]


# An announcement: a screen, and small enough for a request whatever its letters.
TEXT_CHARS = 2048


class Order(msgspec.Struct, tag_field="do"):
    """Something that an operator asks."""


# ---- accounts -----------------------------------------------------------------------------------------


class ListAccounts(Order, tag="list-accounts"):
    """Which accounts are there?"""

    after: Key = ""


class AddAccount(Order, tag="add-account"):
    """Make an account without a password; whoever has the permit of this mark gives it one, until then."""

    account: Name
    mark: Mark
    until: At


class LetReset(Order, tag="let-reset"):
    """Let whoever has the permit of this mark give the account another password, until then."""

    account: Name
    mark: Mark
    until: At


class Bar(Order, tag="bar"):
    """Let nobody in as this account until then, and end its sessions. FOREVER closes it, 0 lets in again."""

    account: Name
    until: At


class SetPassword(Order, tag="set-password"):
    """Store this hash of a credential; whoever asks has made it, so that nobody else has seen the password."""

    account: Name
    scheme: Annotated[str, Meta(max_length=16)]
    hash: Annotated[str, Meta(min_length=1, max_length=512)]


class ListDevices(Order, tag="list-devices"):
    """Which devices has this account?"""

    account: Name


class EndDevice(Order, tag="end-device"):
    """Never let this device's key in again."""

    account: Name
    device: Annotated[str, Meta(min_length=1, max_length=limits.DEVICE_CHARS)]  # its id, or how it begins


# ---- invitations: permits for accounts that are not there yet ------------------------------------------


class ListPermits(Order, tag="list-permits"):
    """Which permits are there?"""

    after: Key = ""


class AddPermit(Order, tag="add-permit"):
    """Let whoever has the permit of this mark make an account, so many times, until then."""

    mark: Mark
    uses: Uses
    until: At


class EndPermit(Order, tag="end-permit"):
    """Take the permit back whose mark begins like this."""

    mark: Mark


# ---- rooms --------------------------------------------------------------------------------------------


class ListRooms(Order, tag="list-rooms"):
    """Which rooms are there, whose are they, and who is in them?"""

    after: Key = ""


class CloseRoom(Order, tag="close-room"):
    """Remove everyone from a room and let nobody in any more. Its name stays taken."""

    room: Room


class OpenRoom(Order, tag="open-room"):
    """Let people into a closed room again."""

    room: Room


class GiveRoom(Order, tag="give-room"):
    """Make this account the room's owner."""

    room: Room
    account: Name


# ---- the broker as it runs ----------------------------------------------------------------------------


class ListSessions(Order, tag="list-sessions"):
    """Who is here?"""

    after: Key = ""


class Announce(Order, tag="announce"):
    """Write this to everyone in the lobby, as an account that is the broker's own."""

    account: Name
    text: Annotated[str, Meta(min_length=1, max_length=TEXT_CHARS)]


class TellStats(Order, tag="tell-stats"):
    """How is the broker?"""


AnyOrder = (
    ListAccounts
    | AddAccount
    | LetReset
    | Bar
    | SetPassword
    | ListDevices
    | EndDevice
    | ListPermits
    | AddPermit
    | EndPermit
    | ListRooms
    | CloseRoom
    | OpenRoom
    | GiveRoom
    | ListSessions
    | Announce
    | TellStats
)
