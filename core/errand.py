"""When a run of the client is over, and what its exit code says: a pipe must be told the truth.

Where several codes hold, the gravest is given: 77, 75, 69, 65, 0.
"""

from __future__ import annotations

import msgspec

from core import shown
from core.client import Client
from core.marks import count
from core.shown import Shown

DONE, REFUSED_LINES, UNREACHED, KEPT, REFUSED = 0, 65, 69, 75, 77


class Wish(msgspec.Struct, frozen=True):
    """What a run is for."""

    reads: bool  # messages are wanted; False: it only sends
    fetch: bool = False  # ends when what waited has come
    count: int | None = None  # ends after so many messages
    seconds: float | None = None  # ends after so long
    follow: bool = False  # ends on a signal only
    person: bool = False  # somebody sits at a terminal: patient, and slips are no failure
    bot: bool = False  # a program talks: it says so
    wait_s: float = 10.0  # how long to wait for the broker, or for an acceptance, before giving up

    @property
    def lingers(self) -> bool:
        """Whether this run stays to talk, so that it wants to know whom one could talk to."""
        ends = self.fetch or self.count is not None or self.seconds is not None
        return self.reads and not ends and not self.bot


class Errand:
    """Watches a run, and says when it is over."""

    def __init__(self, wish: Wish, first_start: bool, tick: float) -> None:
        self.wish = wish
        self.first_start = first_start  # this device has never been let in: nothing may be kept for it yet
        self.input_open = True
        self.input_waits = False  # something written has not been read yet
        self._began = self._progress = tick
        self._messages = 0
        self._online_once = False
        self._refused_lines = False
        self._left = False
        self._turned_away = False

    def note(self, event: Shown, tick: float) -> None:
        """Something was shown."""
        if isinstance(event, shown.Online):
            self._online_once, self.first_start = True, False
        elif isinstance(event, shown.Messages) and not event.mine:
            self._messages += count(event.envelopes)
        elif isinstance(event, shown.Refused) and not self.wish.person:
            self._refused_lines = True
        elif isinstance(event, shown.Bye):
            self._turned_away = True
        moves = isinstance(event, shown.Online | shown.Sent | shown.Refused | shown.Messages)
        if moves or (isinstance(event, shown.Offline) and event.first):  # patience begins when an absence begins
            self._progress = tick

    def left(self, tick: float) -> None:
        """Whoever writes has said good-bye: nothing more will be written, and nothing more is wanted."""
        self._left = True
        self.input_ended(tick)

    def input_ended(self, tick: float) -> None:
        """Nothing more will be written."""
        if self.input_open:
            self.input_open = False
            self._progress = tick
            self._left |= self.wish.person

    def room(self) -> int | None:
        """How many more messages are wanted; None: all there are."""
        return None if self.wish.count is None else max(0, self.wish.count - self._messages)

    def over(self, client: Client, tick: float) -> bool:
        """Whether the run has reached its end, or must give up."""
        return self._turned_away or self._reached(client, tick) or self._hopeless(client, tick)

    def deadline(self, tick: float) -> float | None:
        """The tick at which over() may change though nothing happens."""
        patience = self._progress + self.wish.wait_s
        dues = [] if patience <= tick else [patience]
        if self.wish.seconds is not None:
            dues.append(self._began + self.wish.seconds)
        return min(dues, default=None)

    def code(self, client: Client) -> int:
        """The exit code of a run that ends now."""
        if self._turned_away:
            return REFUSED
        if client.outbox.messages:
            return KEPT
        if not self._online_once and not self.wish.person:
            return UNREACHED
        if self.first_start:
            return UNREACHED
        return REFUSED_LINES if self._refused_lines else DONE

    def _reached(self, client: Client, tick: float) -> bool:
        wish = self.wish
        if wish.seconds is not None and tick >= self._began + wish.seconds:
            return True
        if not self._online_once or not client.settled:
            return False
        if self._left:
            return True
        if wish.count is not None:
            return self._messages >= wish.count and not self.input_waits
        if wish.fetch:
            return client.reader.caught_up and not self.input_waits
        return not self.input_open and not wish.follow and wish.seconds is None

    def _hopeless(self, client: Client, tick: float) -> bool:
        """Whether there is no point in waiting any longer."""
        if self._left and self.wish.person and not client.online:
            return True  # what was typed is kept; nobody wants to sit and wait
        if tick < self._progress + self.wish.wait_s:
            return False
        if self.first_start:
            return not self._online_once
        if client.online:
            return not self.input_open and not client.settled
        if self.wish.follow or self.wish.seconds is not None:
            return False
        return not self.input_open or self.wish.fetch or self.wish.count is not None
