"""Broker and clients are killed at random moments, under load; nothing is lost, nothing twice, nothing out of order."""

from __future__ import annotations

import os
import random
import time

import pytest

from tests.torture.checker import LOBBY, faults, unsettled
from tests.torture.evidence import read
from tests.torture.stage import Device, Program, Stage, wait

pytestmark = pytest.mark.timeout(3600)  # for machines that are slow: each wait has a bound of its own

# KILLS=700 makes it a long run, of ten minutes.
KILLS = int(os.environ.get("KILLS", "50"))
NAMES = ("alice-1", "alice-2", "bob-1", "carol-1", "dave-1", "erin-1")
# One kill in so many is the broker's; the others are shared by the clients.
BROKER_EVERY = 3
# The faults' own timing: nothing depends on it, but kills should come at all kinds of moments.
TALK_S = 0.4
AWAY_S = 0.4
BURST_LINES = 12


class Party:
    """Everybody talks to everybody, and some are killed. A seed repeats who and what; the machine adds the moment."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage = stage
        self.chance = random.Random(seed)
        self.devices = [stage.device(name) for name in NAMES]
        self._places = [LOBBY, *dict.fromkeys(device.account for device in self.devices)]

    def begin(self) -> None:
        """Nobody speaks before all are there: so everyone's logs begin with 1."""
        for device in self.devices:
            device.start()
        for device in self.devices:
            device.wait(device.is_online, "is let in")

    def talk(self, seconds: float) -> None:
        """Those who are there type in bursts, here and there."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            device = self.chance.choice(self.devices)
            if device.is_running:
                for _ in range(self.chance.randint(1, BURST_LINES)):
                    self._type(device)
            time.sleep(self.chance.uniform(0.0, 0.03))

    def _type(self, device: Device) -> None:
        place = self.chance.choice([place for place in self._places if place != device.account])
        device.type(place, " " + "~" * self.chance.choice((0, 0, 20, 400)))

    def kill(self) -> None:
        """Somebody dies, the others talk on; then it comes back, and is perhaps killed before it is really there."""
        victim: Program = self.stage.broker
        if self.chance.randrange(BROKER_EVERY):
            victim = self.chance.choice(self.devices)
        victim.kill()
        self.talk(self.chance.uniform(0.0, AWAY_S))
        victim.start()

    def go_on(self) -> None:
        """Wait until something more was accepted: the next kill shall meet people who talk, not a ruin."""

        def accepted() -> int:
            return sum(len(device.events("accepted")) for device in self.devices)

        def heard() -> bool:
            self.talk(0.05)
            return accepted() > before

        before = accepted()
        wait(heard, "something is accepted")

    def come_to_rest(self) -> None:
        """No more faults: whatever is still on its way arrives, and everybody goes home."""
        for device in self.devices:
            device.wait(lambda device=device: device.type(LOBBY, " the end"), "takes a last line")
            device.wait_for(device.last_text)
        wait(lambda: not unsettled(read(self.stage.folder)), "all is quiet")
        assert [device.stop() for device in self.devices] == [0] * len(self.devices)
        assert self.stage.broker.stop() == 0


def test_nothing_is_lost_twice_or_out_of_order_whoever_is_killed(stage: Stage, seed: int) -> None:
    began = time.monotonic()
    party = Party(stage, seed)
    party.begin()
    for _ in range(KILLS):
        party.talk(party.chance.uniform(0.0, TALK_S))
        party.go_on()
        party.kill()
    party.come_to_rest()
    evidence = read(stage.folder)
    assert faults(evidence) == []
    stored = sum(evidence.broker.lasts.values())
    print(f"{KILLS} kills, {stored} messages, {time.monotonic() - began:.0f} s, seed {seed}")
