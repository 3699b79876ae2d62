"""What was typed, and what has become of it: the checker's own book, filled from what crosses the borders."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from core import records
from core.records import Account, Key
from protocol import names
from store import Store
from tests.core.world import hashed

if TYPE_CHECKING:
    from tests.simulation.device import Device


class Broken(AssertionError):
    """A law was broken: which, and how."""

    def __init__(self, law: str, words: str) -> None:
        super().__init__(f"{law}: {words}")
        self.law = law


Id = tuple[str, int]
"""What names a message: its device, and that device's number."""


class Said:
    """One message that somebody typed."""

    def __init__(self, device: Device, text: str, to: str, order: int, enc: str = "none", body: bytes = b"") -> None:
        self.device = device
        self.text = text
        self.enc = enc
        self.body = body or text.encode()
        self.to = to
        self.order = order  # in which it was typed
        self.kept = -1.0  # the tick at which it was on the client's disk; below 0: it is not
        self.ids: dict[Id, None] = {}  # the numbers that it was given: one, unless a folder was copied
        self.folders = 0  # that it waited in when they were copied, and the one in which it was typed
        self.final = ""  # a code: its author's journal has it as refused
        self.is_gone = False  # the folder that it was in was replaced by an older one

    def __repr__(self) -> str:
        return f"{self.text!r} from {self.device.label} to {self.to}"


class Rights(msgspec.Struct):
    """What an account may read, and since when."""

    rooms: dict[str, int]  # as on disk: log → the seq at which it joined
    keys: dict[str, None]  # that let a device in
    hash: str = ""  # of the password


class Register:
    """Accounts, memberships and keys, as they are on the broker's disk, and when they were there last."""

    def __init__(self) -> None:
        self.accounts: dict[str, Rights] = {}
        self.born: dict[str, float] = {}  # account → when it was made
        self.floors: dict[tuple[str, str], int] = {}  # (account, log) → the highest seq at which it ever joined
        self._left: dict[tuple[str, str], float] = {}  # (account, log) → when it was a member last
        self._unbound: dict[str, float] = {}  # key → when it let somebody in last
        self.revoked: dict[str, float] = {}  # key → since when it never does again
        self._hashes: dict[tuple[str, str], float] = {}  # (account, hash of a password) → when it was right last

    def read(self, store: Store, key: str, tick: float) -> None:
        """This record was written."""
        value = store.get([key])[key]
        kind, _, name = key.partition("/")
        if kind == "account" and value:
            self._account(name, records.unpack(Account, value[1]), tick)
        elif kind == "key" and value and records.unpack(Key, value[1]).revoked:
            self.revoked.setdefault(name, tick)

    def _account(self, name: str, account: Account, tick: float) -> None:
        self.born.setdefault(name, tick)
        before = self.accounts.get(name, Rights({}, {}))
        self._left.update({(name, log): tick for log in before.rooms if log not in account.rooms})
        self._unbound.update({key: tick for key in before.keys if key not in account.bound.values()})
        self._hashes[(name, before.hash)] = tick
        self.accounts[name] = Rights(dict(account.rooms), dict.fromkeys(account.bound.values()), account.hash)
        for log, joined in account.rooms.items():
            self.floors[(name, log)] = max(joined, self.floors.get((name, log), 0))

    def follows(self, former: Register, tick: float) -> None:
        """Another line of time was here until this tick: whoever that let in may hear of it only now."""
        self._hashes |= former._hashes
        self._hashes |= {(name, rights.hash): tick for name, rights in former.accounts.items()}

    def member_since(self, account: str, log: str, tick: float) -> bool:
        """Whether it is a member, or was one at this tick or later."""
        rooms = self.accounts[account].rooms if account in self.accounts else {}
        return log in rooms or self._left.get((account, log), -1.0) >= tick

    def reads(self, account: str, log: str, tick: float) -> bool:
        """Whether it may read this log, or might at this tick."""
        return log in (names.mailbox(account), names.receipts(account)) or self.member_since(account, log, tick)

    def bound_since(self, account: str, key: str, tick: float) -> bool:
        """Whether this key lets somebody in, or did at this tick or later."""
        return key in self.accounts[account].keys or self._unbound.get(key, -1.0) >= tick

    def right_since(self, account: str, password: str, tick: float) -> bool:
        """Whether this is the password, or was at this tick or later."""
        rights, tried = self.accounts.get(account), hashed(password.encode())
        return (rights is not None and rights.hash == tried) or self._hashes.get((account, tried), -1.0) >= tick

    def had_to_go(self, said: Said) -> bool:
        """Whether a message may not be refused: its addressee has always been there. Rooms come and go."""
        if said.to.startswith("#"):
            return names.room_key(said.to) == names.LOBBY
        return self.born.get(names.key(said.to), math.inf) < said.kept

    def route(self, said: Said) -> list[str]:
        """The logs that a message belongs to; none if it is to be refused whoever writes it."""
        if said.to.startswith("#"):
            return [names.room_key(said.to)]
        addressee = names.key(said.to)
        if addressee not in self.accounts:
            return []
        if said.enc == "receipt":
            return [names.receipts(addressee)]
        return sorted({names.mailbox(addressee), names.mailbox(said.device.account)})
