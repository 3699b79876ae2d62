"""What a person or a script has asked the client for, whatever they typed it in: past participles."""

from __future__ import annotations

import msgspec

ACTION = "/me "
"""A message that begins with this tells what its author does; whoever doesn't know it reads it as it stands."""


class Typed(msgspec.Struct):
    """One intent. ``tag`` (JSON) or ``line`` (1, 2, 3 … of standard input) finds its way back in a refusal."""

    tag: str | None = None
    line: int = 0


class Wrote(Typed, kw_only=True):
    """A message; ``to`` is None for the current place."""

    text: str
    to: str | None = None


class Chose(Typed, kw_only=True):
    """From now on plain lines go here: an account's name or a #room."""

    to: str


class AskedWho(Typed):
    """Who is here?"""


class AskedContacts(Typed):
    """Who are my contacts, and whom could I add?"""


class AddedContact(Typed, kw_only=True):
    """Put this one on my list."""

    account: str


class RemovedContact(Typed, kw_only=True):
    """Take this one off my list."""

    account: str


class JoinedRoom(Typed, kw_only=True):
    """Make me a member of this room. ``private``: one that only who is invited may join."""

    room: str
    private: bool = False


class OfRoom(Typed, kw_only=True):
    """Something about a room; "" is the current place."""

    room: str = ""


class LeftRoom(OfRoom):
    """Make me a member no longer; or turn an invitation down."""


class AskedRooms(Typed, kw_only=True):
    """Which rooms are there, behind this one?"""

    after: str = ""


class AskedMembers(OfRoom):
    """Who is in this room?"""


class AskedTopic(OfRoom):
    """What is it about?"""


class ChangedTopic(OfRoom, kw_only=True):
    """This is what it is about from now on."""

    topic: str


class InvitedAccount(OfRoom, kw_only=True):
    """Let this account join."""

    account: str


class ExpelledAccount(OfRoom, kw_only=True):
    """Make this account a member no longer; ``bans``: and let it not come back."""

    account: str
    bans: bool = False


class UnbannedAccount(OfRoom, kw_only=True):
    """Let it come back."""

    account: str


class AskedAccount(Typed, kw_only=True):
    """Who is this?"""

    account: str


class AskedIgnored(Typed):
    """Whose messages are not shown?"""


class IgnoredAccount(Typed, kw_only=True):
    """Show me nothing of this one any more."""

    account: str


class UnignoredAccount(Typed, kw_only=True):
    """Show it again."""

    account: str


class AskedMuted(Typed):
    """Where is it quiet?"""


class MutedPlace(Typed, kw_only=True):
    """Nothing there is to call me."""

    place: str


class UnmutedPlace(Typed, kw_only=True):
    """It may call me again."""

    place: str


class Drafted(Typed, kw_only=True):
    """What is half typed, by place. Nobody types this: it is said when one goes elsewhere, or leaves."""

    texts: dict[str, str]


class AskedDevices(Typed):
    """Which devices does my account have?"""


class RevokedDevice(Typed, kw_only=True):
    """Never let this device in again: its id, or how it begins."""

    device: str


class AskedPassword(Typed):
    """Let me change my password. It is asked for on the terminal."""


class ChangedPassword(Typed, kw_only=True):
    """Change the password: the credentials of both."""

    old: bytes
    new: bytes

    def __repr__(self) -> str:
        """Never show a credential, not even in a traceback."""
        return "ChangedPassword()"


class AskedStatus(Typed):
    """Who am I, where do my lines go, is the broker there?"""


class AskedOutbox(Typed):
    """What has not been accepted yet?"""


class AskedHistory(Typed, kw_only=True):
    """The last ``count`` messages of a place, "" the current one; with ``seconds`` only those that are no older."""

    count: int
    seconds: int = 0
    place: str = ""


class AskedSearch(Typed, kw_only=True):
    """The last messages of all that have these words."""

    words: str
    count: int = 20


class AskedUnread(Typed):
    """Where has something come that I have not looked at?"""


class Confirmed(Typed, kw_only=True):
    """All that was handed out of this log up to this seq is dealt with: it need not be handed out again."""

    log: str  # in compared form
    seq: int


class OfMessage(Typed, kw_only=True):
    """Something about a message: the last one that may be meant, or that many further back in its conversation, which
    is the one that went on last since one is in the current place.
    """

    back: int = 1


class Edited(OfMessage, kw_only=True):
    """This is what my message says from now on."""

    text: str


class Deleted(OfMessage):
    """Take my message back."""


class Reacted(OfMessage, kw_only=True):
    """Put this sign to another's message, or take it away if it stands there."""

    sign: str


class AskedReceipts(Typed):
    """Are others told that I have read their messages?"""


class SwitchedReceipts(Typed, kw_only=True):
    """From now on tell them, or don't."""

    on: bool


class Left(Typed):
    """Good bye."""


class Mistook(Typed, kw_only=True):
    """A line that can't be understood, or must not be sent; nothing was done. Code and sentence say why."""

    code: str
    text: str


class AskedHelp(Typed, kw_only=True):
    """The commands, or one of them. Answered by the front end itself."""

    command: str = ""


class AskedSettings(Typed, kw_only=True):
    """What is set, and where that stands; or one of the settings. Answered by the programs themselves."""

    name: str = ""


class ChangedSetting(Typed, kw_only=True):
    """Set this, here and from now on; None: as if nobody had ever set it."""

    name: str
    value: str | None


class OpenedMenu(Typed):
    """The numbered menu, please. Answered by the front end itself."""


Intent = (
    Wrote
    | Chose
    | AskedWho
    | AskedContacts
    | AddedContact
    | RemovedContact
    | JoinedRoom
    | LeftRoom
    | AskedRooms
    | AskedMembers
    | AskedTopic
    | ChangedTopic
    | InvitedAccount
    | ExpelledAccount
    | UnbannedAccount
    | AskedAccount
    | AskedIgnored
    | IgnoredAccount
    | UnignoredAccount
    | AskedMuted
    | MutedPlace
    | UnmutedPlace
    | Drafted
    | AskedDevices
    | RevokedDevice
    | AskedPassword
    | AskedStatus
    | AskedOutbox
    | AskedHistory
    | AskedSearch
    | AskedUnread
    | Confirmed
    | Edited
    | Deleted
    | Reacted
    | AskedReceipts
    | SwitchedReceipts
    | Left
    | Mistook
    | AskedHelp
    | AskedSettings
    | ChangedSetting
    | OpenedMenu
)
