"""What holds back those who are not in yet: how often they may connect, try passwords, and make accounts.

No limit here locks anybody out of an account: it is counted by where attempts come from. An attacker who comes from
everywhere makes a name slow, which costs its owner seconds; and a device's key, once bound, is not counted at all.
"""

from __future__ import annotations

from core import records
from core.clock import Instant
from core.commands import Admit, Command, HangUp, Look
from core.rates import Delays, Rates, origin
from core.received import Knocked
from core.records import DamagedRecord, Key

# Connections from one address: a household or an office that comes back at once after a restart, then 20 a second.
ADDRESS_CONNECTS, ADDRESS_CONNECT_S = 500, 0.05
# And with one key: a script that runs the client in a loop; a flood costs the broker a millisecond each.
KEY_CONNECTS, KEY_CONNECT_S = 100, 0.05
# Hellos of one key: one a connection, one more whenever something was lost.
KEY_HELLOS, KEY_HELLO_S = 60, 0.2
# Passwords tried from one address: a household that sets up its devices, then 5 a minute.
ADDRESS_LOGINS, ADDRESS_LOGIN_S = 10, 12.0
# A wrong password delays the next attempt for that name from that address, twice as long each time.
FAILURE_FIRST_S, FAILURE_MOST_S = 1.0, 60.0
# Wrong passwords for one name from everywhere: beyond that many an hour somebody is guessing.
NAME_FAILURES, NAME_FAILURE_S = 100, 36.0
# Who then comes from a new address waits so long before the first attempt.
SLOW_NAME_S = 5.0
# Accounts made from one address: a class or an office in an evening.
ADDRESS_ACCOUNTS, ADDRESS_ACCOUNT_S = 20, 180.0
# Connections from one address, strangers among them; one more is hung up on without a word.
ADDRESS_CONNECTIONS = 256
# How long a connection may stay without a login.
STRANGER_S = 10.0
# Sessions from one address: everybody in an office, each with several devices.
ADDRESS_SESSIONS = 200
# Things that no honest client does, from one connection, before it is hung up on.
OFFENCES = 20

LET_IN, COME_BACK, NEVER = 200, 300, 400


class Gate:
    """Counts. ``local_limits``: this machine's own programs are counted like any others."""

    def __init__(self, local_limits: bool) -> None:
        self._local_limits = local_limits
        self._connects = Rates(ADDRESS_CONNECTS, ADDRESS_CONNECT_S)
        self._key_connects = Rates(KEY_CONNECTS, KEY_CONNECT_S)
        self._hellos = Rates(KEY_HELLOS, KEY_HELLO_S)
        self._logins = Rates(ADDRESS_LOGINS, ADDRESS_LOGIN_S)
        self._failures = Delays(FAILURE_FIRST_S, FAILURE_MOST_S)
        self._name_failures = Rates(NAME_FAILURES, NAME_FAILURE_S)
        self._accounts = Rates(ADDRESS_ACCOUNTS, ADDRESS_ACCOUNT_S)
        self._offences: dict[bytes, int] = {}

    def origin(self, address: str) -> str:
        """By what an address is counted; "" if it is not."""
        return origin(address, self._local_limits)

    # -- connections --

    def knock(self, event: Knocked, now: Instant) -> list[Command]:
        """Somebody wants to connect. An unknown key may: a first login needs that."""
        record = records.key(event.key)
        if record not in event.found:
            where = self.origin(event.address)
            wait = self._key_connects.take(event.key, now.tick)
            wait = max(wait, self._connects.take(where, now.tick)) if where else wait
            return [Admit(event.ticket, event.key, COME_BACK)] if wait else [Look(event, keys=(record,))]
        return [Admit(event.ticket, event.key, _judge(event.found[record]))]

    def offence(self, peer: bytes) -> list[Command]:
        """A connection did what no honest client does."""
        self._offences[peer] = self._offences.get(peer, 0) + 1
        return [HangUp(peer)] if self._offences[peer] == OFFENCES else []

    def gone(self, peer: bytes) -> None:
        """A connection is no more."""
        self._offences.pop(peer, None)

    # -- logins: each gives the seconds until it may be tried again, 0 if it may be now --

    def hello(self, key: str, tick: float) -> float:
        """A device says Hello."""
        return self._hellos.take(key, tick)

    def login(self, address: str, account: str, tick: float) -> float:
        """A password is to be checked."""
        where = self.origin(address)
        if not where:
            return 0.0
        name = f"{account} {where}"
        if self._name_failures.wait(account, tick) and not self._failures.known(name):
            self._failures.failed(name, tick, SLOW_NAME_S)
        return self._failures.wait(name, tick) or self._logins.take(where, tick)

    def judged(self, address: str, account: str, right: bool, tick: float) -> None:
        """A password was checked."""
        where = self.origin(address)
        name = f"{account} {where}"
        if right:
            self._failures.cleared(name)
        elif where:
            self._failures.failed(name, tick)
            self._name_failures.take(account, tick)

    def registration(self, address: str, tick: float) -> float:
        """An account is to be made."""
        where = self.origin(address)
        return self._accounts.take(where, tick) if where else 0.0


def _judge(found: tuple[int, bytes] | None) -> int:
    """Nobody comes in with a key whose record is damaged: it may have been revoked."""
    try:
        return NEVER if found and records.unpack(Key, found[1]).revoked else LET_IN
    except DamagedRecord:
        return COME_BACK
