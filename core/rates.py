"""How often something may be done: so many times at once, then so many a second, for each name apart.

The tables are bounded: what was not used for longest is forgotten, which can only be to a stranger's advantage.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from typing import TypeVar

# Names that a table remembers: a few MB, and more than honest strangers in any minute.
NAMES = 10_000
# Who has one address of an IPv6 network of this size usually has all of them.
_NETWORK_BITS = 64
# Sums of seconds are off by less: they must not cut a burst short.
_ROUNDING_S = 1e-6

_V = TypeVar("_V")


def origin(address: str, local_limits: bool) -> str:
    """By what a network address is counted; "" if it is this machine's own, which is not counted.

    All programs of this machine share one address: a limit for it would let any of them shut out the others.
    ``local_limits``: count it all the same, for a machine that forwards what comes from elsewhere.
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.is_loopback and not local_limits:
        return ""
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, _NETWORK_BITS), strict=False))
    return address


class Rates:
    """Each name may do it ``burst`` times at once, and once more every ``every_s`` seconds."""

    def __init__(self, burst: int, every_s: float) -> None:
        self._burst = burst
        self._every_s = every_s
        self._free_at: OrderedDict[str, float] = OrderedDict()  # name → the tick at which all of it is free again

    def wait(self, name: str, tick: float) -> float:
        """The seconds until it may be done; 0: now."""
        busy = self._free_at.get(name, tick) - tick
        wait = busy - (self._burst - 1) * self._every_s
        return wait if wait > _ROUNDING_S else 0.0

    def take(self, name: str, tick: float) -> float:
        """The same; and if it may be done now, that counts."""
        wait = self.wait(name, tick)
        if not wait:
            _keep(self._free_at, name, max(tick, self._free_at.get(name, tick)) + self._every_s)
        return wait


class Delays:
    """Each failure doubles the time until the next attempt, for each name apart; a success clears it."""

    def __init__(self, first_s: float, most_s: float) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()  # name → how many, next attempt's tick

    def wait(self, name: str, tick: float) -> float:
        """The seconds until the next attempt."""
        return max(0.0, self._failures.get(name, (0, tick))[1] - tick)

    def known(self, name: str) -> bool:
        """Whether it has failed lately."""
        return name in self._failures

    def failed(self, name: str, tick: float, least_s: float = 0.0) -> None:
        """An attempt failed."""
        failures, until = self._failures.get(name, (0, 0.0))
        if tick > until + self._most_s:  # that was long ago
            failures = 0
        delay = max(least_s, min(self._most_s, self._first_s * 2.0 ** min(failures, 32)))
        _keep(self._failures, name, (failures + 1, tick + delay))

    def cleared(self, name: str) -> None:
        """An attempt succeeded."""
        self._failures.pop(name, None)


def _keep(table: OrderedDict[str, _V], name: str, value: _V) -> None:
    table[name] = value
    table.move_to_end(name)
    if len(table) > NAMES:
        table.popitem(last=False)
