"""What is done to those who are there: each misdeed has a moment, and most have an end later on."""

from __future__ import annotations

import heapq
import random
import signal
import time
from collections.abc import Callable
from typing import NamedTuple

from tests.torture.lines import Namespace, ProxyLine
from tests.torture.party import Party
from tests.torture.stage import Broker, Program, Stage
from tests.torture.table import Tally

# Seconds from one misdeed to the next, at most: nothing depends on it, but they should come at all kinds of moments.
PAUSE_S = 0.7
AWAY_S = 0.5
# Most of what has an end ends soon; some of it later.
SOON_S = (0.05, 0.5)
LATER_S = (0.5, 8.0)
SOON_SHARE = 0.6
# Beyond the silence after which one side takes the other for gone, PROTOCOL.md's SILENCE_S of 30 s.
SILENCE_S = (31.0, 36.0)
# A client is silent for so long once a minute, or the line to it; the broker, which stops everybody, once in ten.
SILENCE_EVERY_S = 60.0
SILENT_BROKER_EVERY_S = 600.0
# Within so much of each minute such a silence begins, so that it is over within three quarters of it.
SILENCE_BEGINS_S = 8.0


class End(NamedTuple):
    """What ends a misdeed, and when."""

    tick: float
    number: int  # of two of the same moment the one that was begun first
    act: Callable[[], None]


class Misdeeds:
    """Kills, stops, cuts, stalls, slow lines and a link that is down, drawn by chance and counted."""

    def __init__(
        self, stage: Stage, party: Party, proxy: ProxyLine, link: Namespace, chance: random.Random, tally: Tally
    ) -> None:
        self._broker: Broker = stage.broker
        self._party, self._proxy, self._link = party, proxy, link
        self._chance, self._tally = chance, tally
        self._ends: list[End] = []
        self._begun = 0
        self._spared: set[Program] = set()  # they have to stay as they are until their long silence is over
        self._link_is_up = True
        now = time.monotonic()
        self._next = now
        self._silences = [
            (now + chance.uniform(0, SILENCE_BEGINS_S), SILENCE_EVERY_S, self._silence),
            (now + chance.uniform(0.3, 0.9) * SILENT_BROKER_EVERY_S, SILENT_BROKER_EVERY_S, self._silence_broker),
        ]
        self._drawn: dict[Callable[[], None], int] = {
            self._kill_broker: 8,
            self._kill_client: 20,
            self._stop_broker: 3,
            self._stop_client: 12,
            self._cut: 20,
            self._stall: 12,
            self._slow: 10,
            self._take_link_down: 0 if link.reason else 6,
        }

    def step(self) -> None:
        """End what is to end by now, and do what is due. An AssertionError if a program has ended by itself."""
        self._party.watch()
        assert self._proxy.process
        now = time.monotonic()
        while self._ends and self._ends[0].tick <= now:
            heapq.heappop(self._ends).act()
        for place, (due, every, act) in enumerate(self._silences):
            if due <= now:
                act()
                self._silences[place] = due + every, every, act
        if self._next <= now:
            (misdeed,) = self._chance.choices(list(self._drawn), list(self._drawn.values()))
            misdeed()
            self._next = now + self._chance.uniform(0, PAUSE_S)

    def end(self) -> None:
        """All that was begun ends now."""
        while self._ends:
            heapq.heappop(self._ends).act()
        self._proxy.calm()
        self._tally.cuts = self._proxy.done("cut")
        self._tally.inside = self._proxy.done("cut", inside=True)
        self._tally.stalls = self._proxy.done("stall")
        self._tally.slow = self._proxy.done("delay") + self._proxy.done("slow")

    def _end_in(self, seconds: float, act: Callable[[], None]) -> None:
        self._begun += 1
        heapq.heappush(self._ends, End(time.monotonic() + seconds, self._begun, act))

    def _length(self) -> float:
        return self._chance.uniform(*(SOON_S if self._chance.random() < SOON_SHARE else LATER_S))

    def _is_at_hand(self, program: Program) -> bool:
        """Whether it runs, and may be mistreated."""
        if program in self._party.passing:
            program.ended()
        return program.is_running and program not in self._spared

    # -- kills --

    def _kill_broker(self) -> None:
        if self._is_at_hand(self._broker):
            self._broker.kill()
            self._tally.brokers += 1
            self._end_in(self._chance.uniform(0, AWAY_S), self._broker.start)

    def _kill_client(self) -> None:
        device = self._chance.choice(self._party.devices)
        if not self._is_at_hand(device):
            return
        device.kill()
        self._tally.clients += 1
        self._end_in(self._chance.uniform(0, AWAY_S), lambda: self._party.bring(device))

    # -- stops --

    def _stop_broker(self) -> None:
        self._stop(self._broker, self._length())

    def _stop_client(self) -> None:
        self._stop(self._chance.choice(self._party.devices), self._length())

    def _stop(self, program: Program, seconds: float) -> None:
        if not self._is_at_hand(program):
            return
        program.signal(signal.SIGSTOP)
        self._tally.stops += 1
        self._end_in(seconds, lambda: self._let_go_on(program))

    def _let_go_on(self, program: Program) -> None:
        """It may have been killed meanwhile, and perhaps another one runs in its place: that does no harm."""
        if self._is_at_hand(program):
            program.signal(signal.SIGCONT)

    # -- lines --

    def _cut(self) -> None:
        self._proxy.cut(self._chance)

    def _stall(self) -> None:
        self._proxy.stall(self._chance, self._length())

    def _slow(self) -> None:
        self._proxy.slow(self._chance, self._length())

    def _take_link_down(self) -> None:
        self._cut_link(self._length())

    def _cut_link(self, seconds: float) -> None:
        if self._link_is_up:
            self._link.down()
            self._link_is_up = False
            self._tally.downs += 1
            self._end_in(seconds, self._bring_link_up)

    def _bring_link_up(self) -> None:
        self._link.up()
        self._link_is_up = True

    # -- silences --

    def _silence(self) -> None:
        """Somebody is dead for the other side, and lives."""
        seconds = self._chance.uniform(*SILENCE_S)
        which = self._chance.randrange(4)
        if which == 0:
            self._proxy.stall(self._chance, seconds)  # not counted: its client may be killed, its connection cut
        elif which == 1 and not self._link.reason and self._link_is_up:
            self._cut_link(seconds)
            self._tally.silences += 1
        else:
            self._silence_program(self._chance.choice(self._party.talkers), seconds)

    def _silence_broker(self) -> None:
        self._silence_program(self._broker, self._chance.uniform(*SILENCE_S))

    def _silence_program(self, program: Program, seconds: float) -> None:
        if not self._is_at_hand(program):
            return
        self._stop(program, seconds)
        self._tally.silences += 1
        self._spared.add(program)
        # Whoever began to stop it before would let it go on too early; this one ends later than all those.
        self._end_in(seconds, lambda: self._end_silence(program))

    def _end_silence(self, program: Program) -> None:
        self._spared.discard(program)
        self._let_go_on(program)
