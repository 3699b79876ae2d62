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
# No answer to the question for the broker's key for so long: nobody is there who knows.
KEY_S = 5.0
# CURVE never changes keys within a connection, so nobody stays on one much longer than a day.
STALE_S = 86_400.0

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
        self.stale_at = 0.0

    def connecting(self, tick: float | None = None) -> None:
        """An attempt has begun. The transport bounds a connection; a question for the key ends here, if ``tick`` says
        when it began.
        """
        self.phase, self.due = CONNECTING, None if tick is None else tick + KEY_S

    def greeting(self, tick: float) -> None:
        """Hello was said."""
        self.phase, self.due = GREETING, tick + HELLO_S

    def asking(self) -> None:
        """A person is being asked for the password: that takes as long as it takes."""
        self.phase, self.due = AWAY, None

    def asked(self) -> None:
        """The person has answered: try at once."""
        if self.phase == AWAY:
            self.due = float("-inf")

    def online(self, tick: float) -> None:
        """Welcome."""
        self.phase, self.attempts, self.due = ONLINE, 0, None
        self.heard_at = self.spoke_at = tick
        self.stale_at = tick + STALE_S * (0.5 + self._chance())

    def away(self, tick: float) -> float:
        """The connection is gone; after how many seconds the next attempt comes."""
        wait = min(RETRY_MAX_S, RETRY_FIRST_S * 2.0**self.attempts) * (0.5 + self._chance())
        self.attempts = min(self.attempts + 1, 16)
        self.phase, self.due = AWAY, tick + wait
        return wait

    def told_to_wait(self, tick: float, seconds: float) -> float:
        """The broker has said when to come back; not all who were told so should come in the same moment."""
        self.away(tick)
        wait = seconds * (1 + self._chance() / 2)
        self.due = tick + wait
        return wait

    def overdue(self, tick: float) -> bool:
        """Whether this phase has lasted for too long."""
        return self.due is not None and self.due <= tick

    def stale(self, tick: float) -> bool:
        """Whether this connection is so old that it should have new keys, which only a new one gets."""
        return self.phase == ONLINE and tick >= self.stale_at

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
