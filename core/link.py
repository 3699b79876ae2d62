"""The client's connection as its core sees it: when to try, when to speak, when to give up."""

from __future__ import annotations

from collections.abc import Callable

from protocol import limits

# The first attempt after a loss comes soon, the later ones ever more seldom; each somewhere around its time, so
# that a broker that comes back does not meet all its clients in the same moment.
RETRY_FIRST_S = 0.1
RETRY_MAX_S = 15.0
# No answer to a Hello for so long: the connection is of no use. A busy broker checks 20 passwords in half a second.
HELLO_S = 15.0

AWAY, CONNECTING, GREETING, ONLINE, ENDED = "away", "connecting", "greeting", "online", "ended"


class Link:
    """Phases: away, connecting, greeting (Hello was said), online, ended."""

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance = chance  # a random number from 0 to 1
        self.phase = AWAY
        self.attempts = 0  # in a row that have failed
        self.due: float | None = float("-inf")  # the tick at which this phase must end; None: when it is told to
        self.heard_at = 0.0
        self.spoke_at = 0.0

    def connecting(self) -> None:
        """An attempt has begun; the transport bounds it."""
        self.phase, self.due = CONNECTING, None

    def greeting(self, tick: float) -> None:
        """Hello was said."""
        self.phase, self.due = GREETING, tick + HELLO_S

    def asking(self) -> None:
        """A person is being asked for the password: that takes as long as it takes."""
        self.phase, self.due = GREETING, None

    def online(self, tick: float) -> None:
        """Welcome."""
        self.phase, self.attempts, self.due = ONLINE, 0, None
        self.heard_at = self.spoke_at = tick

    def away(self, tick: float) -> float:
        """The connection is gone; after how many seconds the next attempt comes."""
        wait = min(RETRY_MAX_S, RETRY_FIRST_S * 2.0**self.attempts) * (0.5 + self._chance())
        self.attempts = min(self.attempts + 1, 16)
        self.phase, self.due = AWAY, tick + wait
        return wait

    def end(self) -> None:
        """No further attempt."""
        self.phase, self.due = ENDED, None

    def ping_due(self, tick: float) -> bool:
        """Whether it is time for a sign of life."""
        return self.phase == ONLINE and tick >= self.spoke_at + limits.PING_S

    def dead(self, tick: float) -> bool:
        """Whether the broker has been silent for too long."""
        return self.phase == ONLINE and tick >= self.heard_at + limits.SILENCE_S

    def deadline(self) -> float | None:
        """The tick at which something is due."""
        if self.phase == ONLINE:
            return min(self.spoke_at + limits.PING_S, self.heard_at + limits.SILENCE_S)
        return self.due
