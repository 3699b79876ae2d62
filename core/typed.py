"""What a person or a script has asked the client for, whatever they typed it in: past participles."""

from __future__ import annotations

import msgspec


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
    """Make me a member of this room."""

    room: str


class LeftRoom(Typed, kw_only=True):
    """Make me a member no longer."""

    room: str


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
    """The last ``count`` messages of the current place, from the journal."""

    count: int


class Left(Typed):
    """Good bye."""


class Mistook(Typed, kw_only=True):
    """A line that can't be understood, or must not be sent; nothing was done. Code and sentence say why."""

    code: str
    text: str


class AskedHelp(Typed, kw_only=True):
    """The commands, or one of them. Answered by the front end itself."""

    command: str = ""


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
    | AskedDevices
    | RevokedDevice
    | AskedPassword
    | AskedStatus
    | AskedOutbox
    | AskedHistory
    | Left
    | Mistook
    | AskedHelp
    | OpenedMenu
)
