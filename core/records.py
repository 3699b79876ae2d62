"""What the broker keeps about accounts and rooms: the values of the store's records."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from core.clock import utc
from protocol import limits
from protocol.frames import Visit

# Until when an account is barred that is closed.
FOREVER = limits.LAST_AT_MS


class DamagedRecord(Exception):
    """What is stored is no record. That is its owner's trouble, and nobody else's."""


class Account(msgspec.Struct):
    """``account/KEY``: a person or a script, and what it has gathered."""

    name: str  # as registered
    scheme: str
    hash: str  # Argon2id of the credential
    made_at: int  # Unix time in ms
    rooms: dict[str, int] = {}  # log of the room → the seq at which the account joined
    contacts: list[str] = []  # names as registered
    invited: dict[str, str] = {}  # log of a room that it may join → who says so, as registered
    devices: dict[str, str] = {}  # device id → its public key; "" if none lets it in any more
    barred: int = 0  # Unix time in ms until which nobody is let in; FOREVER: the account is closed

    def is_bound(self, device: str, key: str) -> bool:
        """Whether this key alone lets this device in. A device that began anew keeps its key under another id."""
        return key in self.devices.values() and self.devices.get(device, key) == key

    def bind(self, device: str, key: str, past: int) -> None:
        """Let this key in as this device and as no other. So many devices of the past are remembered, for what they
        had read.
        """
        for each, bound in self.devices.items():
            if bound == key:
                self.devices[each] = ""
        self.devices[device] = key
        over = [each for each, bound in self.devices.items() if not bound][:-past]
        for each in over:
            del self.devices[each]

    def is_barred(self, at: int) -> bool:
        """Whether nobody is let in at this time (Unix, ms)."""
        return self.barred != 0 and at < self.barred

    @property
    def bar(self) -> str:
        """The code that says why nobody is let in."""
        return "account-closed" if self.barred == FOREVER else "account-barred"

    @property
    def bar_places(self) -> dict[str, Any]:
        """And the places of its sentence."""
        return {"name": self.name, "until": utc(self.barred)}

    @property
    def bound(self) -> dict[str, str]:
        """The devices that are let in: id → public key."""
        return {device: key for device, key in self.devices.items() if key}


class Key(msgspec.Struct):
    """``key/KEY``: a device's public key, and what people want to know of the device."""

    account: str  # key of the account
    device: str  # id
    name: str  # as its owner calls it
    first_at: int  # Unix time in ms, as seen_at
    seen_at: int
    address: str  # where it was seen
    revoked: bool = False  # never again


class Room(msgspec.Struct):
    """``room/#KEY``: a group with members. Each member has a record ``member/#KEY/ACCOUNT``."""

    name: str
    owner: str  # account key
    made_at: int  # Unix time in ms
    topic: str = ""
    private: bool = False  # only who is invited may join
    closed: bool = False  # nobody may join


class Permit(msgspec.Struct):
    """``permit/MARK``: lets whoever has its code make an account, or give one another password."""

    account: str  # key of the account whose password it sets; "": it makes accounts
    until: int  # Unix time in ms
    uses: int
    made_at: int  # Unix time in ms
    names: list[str] = []  # keys of the accounts that it was used for


_encoder = msgspec.msgpack.Encoder()
_T = TypeVar("_T")


def pack(record: Account | Room | Key | Permit) -> bytes:
    """A record's stored bytes."""
    return _encoder.encode(record)


def unpack(kind: type[_T], value: bytes) -> _T:
    """A record from its stored bytes; DamagedRecord if they are none."""
    try:
        return msgspec.msgpack.decode(value, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DamagedRecord(str(error)) from error


def account(key: str) -> str:
    """The record's key for an account."""
    return "account/" + key


def room(key: str) -> str:
    """The record's key for a room; its name begins with #."""
    return "room/" + key


def member(room_key: str, account_key: str) -> str:
    """The record's key for a membership."""
    return f"member/{room_key}/{account_key}"


def ban(room_key: str, account_key: str) -> str:
    """The record's key for an account that may not join a room; its value is the name of who said so."""
    return f"ban/{room_key}/{account_key}"


def key(letters: str) -> str:
    """The record's key for a public key."""
    return "key/" + letters


def permit(mark: str) -> str:
    """The record's key for a permit."""
    return "permit/" + mark


def device(account_key: str, device_id: str) -> str:
    """The store's name of a device: ids are chosen by clients, so they are told apart by account."""
    return f"{account_key}/{device_id}"


def pack_visits(visits: list[Visit]) -> bytes:
    """In which visits a device's last sends were made, as stored."""
    return _encoder.encode(visits)


def unpack_visits(value: bytes) -> list[Visit]:
    """What pack_visits packed; nothing of nothing."""
    return msgspec.msgpack.decode(value, type=list[Visit]) if value else []
