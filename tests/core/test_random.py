"""Anything may happen, in any order: in the end everyone has everything that was accepted, once and in order."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from core import shown
from core.clock import Instant
from core.typed import JoinedRoom, Wrote
from protocol import frames
from protocol.frames import Deliver, Envelope
from tests.core.actor import Actor
from tests.core.faults import FaultyStore, LateStore
from tests.core.witness import Witness

ROOT = Path(__file__).resolve().parents[2]
# Accounts; alice and bob have two devices. Members of the garden; the others are refused there.
DEVICES = ("alice", "alice", "bob", "bob", "carol", "dora")
GARDENERS = ("alice", "bob")
LOGS = ("#lobby", "#garden", "@alice", "@bob", "@carol", "@dora")
ADDRESSES = ("#lobby", "#lobby", "#garden", "alice", "Bob", "carol", "nobody")
STEPS = 250
RUNS = 40


class Story:
    """One seeded run."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.store: Any = LateStore(self.chance.randint(1, 4)) if self.chance.random() < 0.3 else FaultyStore()
        self.world = Witness(self.store)
        self.cast: list[list[Actor]] = []  # per device its client, and those that died before
        self.said: dict[str, tuple[int, str]] = {}  # text → whose device, and whom it was for
        for name in DEVICES:
            self.cast.append([self.world.come(name, chance=self.chance.random)])
            if DEVICES.index(name) == len(self.cast) - 1 and name in GARDENERS:
                self.cast[-1][-1].does(JoinedRoom(room="#Garden"))
        # Faults are not all there at once, or each would hide the others.
        faults = [fault for fault in (self.cut, self.kill, self.freeze, self.lose) if self.chance.random() < 0.6]
        self.acts = [self.speak, self.speak, self.speak, self.pass_time, *faults, self.trouble]

    def play(self) -> None:
        """Let it all happen, then heal everything and wait until nothing is owed."""
        for _ in range(STEPS):
            self.chance.choice(self.acts)(self.chance.choice(self.cast))
            for _ in range(self.chance.randint(0, 3)):
                self.world.turn()
        self.store.refuses = self.store.dies = ""
        for device in self.cast:
            device[-1].thaw()
            device[-1].dies, device[-1].loses = False, []
            self.revive(device)
        self.world.wait(90)

    # -- what may happen --

    def speak(self, device: list[Actor]) -> None:
        actor = device[-1]
        if actor.alive and not actor.frozen:
            for _ in range(self.chance.choice((1, 1, 2, 30))):
                text, to = f"text {len(self.said)}", self.chance.choice(ADDRESSES)
                self.said[text] = self.cast.index(device), to
                actor.inbox.append(Wrote(text=text, to=to))
            actor.turn()

    def pass_time(self, device: list[Actor]) -> None:
        seconds = self.chance.choice((0.1, 1.0, 5.0, 40.0))
        now = self.world.now
        self.world.now = Instant(now.tick + seconds, now.at + round(seconds * 1000))

    def cut(self, device: list[Actor]) -> None:
        device[-1].cut()

    def kill(self, device: list[Actor]) -> None:
        actor = device[-1]
        if actor.alive and not actor.frozen and self.chance.random() < 0.5:
            actor.dies = True
        elif actor.alive and not actor.inbox:
            actor.kill()
        else:
            self.revive(device)

    def revive(self, device: list[Actor]) -> None:
        if not device[-1].alive:
            dead = device[-1]
            device.append(self.world.person(dead.name, notebook=dead.notebook, chance=self.chance.random))

    def freeze(self, device: list[Actor]) -> None:
        frozen = device[-1].frozen
        device[-1].thaw()
        device[-1].frozen = not frozen

    def lose(self, device: list[Actor]) -> None:
        device[-1].loses.append(Deliver)

    def trouble(self, device: list[Actor]) -> None:
        troubles = [self.world.restart, self.world.start, self.fill_up]
        if isinstance(self.store, FaultyStore):
            troubles += [self.doubt, self.crash]
        self.chance.choice(troubles)()

    def fill_up(self) -> None:
        self.store.refuses = "" if self.store.refuses else "store-full"

    def doubt(self) -> None:
        self.store.doubts.append(self.chance.random() < 0.5)

    def crash(self) -> None:
        self.store.dies = self.chance.choice(("before", "after"))

    # -- what there is in the end --

    def log(self, name: str) -> list[Envelope]:
        return [frames.decode_envelope(packed) for packed in self.store.read(name, 0, 10**6, 10**9).envelopes]

    def trace(self) -> str:
        """A fingerprint of all that was said and stored."""
        said = [(peer, frames.encode(frame)) for peer, frame in self.world.sent]
        return hashlib.sha256(repr((said, list(self.store.dump()))).encode()).hexdigest()


def check_places(story: Story) -> None:
    """Whatever was typed stands once in each of its logs and in no other; what is refused stands nowhere."""
    found: dict[str, list[str]] = {text: [] for text in story.said}
    for log in LOGS:
        for envelope in story.log(log):
            found[envelope.body.decode()].append(log)
    meant = {text: logs_of(DEVICES[device], to) for text, (device, to) in story.said.items()}
    assert {text: sorted(places) for text, places in found.items()} == meant


def logs_of(account: str, to: str) -> list[str]:
    if to == "#garden":
        return ["#garden"] if account in GARDENERS else []
    if to.startswith("#"):
        return [to]
    return [] if to == "nobody" else sorted({"@" + to.lower(), "@" + account})


def check_order(story: Story) -> None:
    """A device's messages stand in the order in which they were typed, and so do its numbers."""
    typed = {text: place for place, text in enumerate(story.said)}
    for log in LOGS:
        last: dict[str, tuple[int, int]] = {}
        for envelope in story.log(log):
            n, place = last.get(envelope.device, (0, -1))
            last[envelope.device] = envelope.n, typed[envelope.body.decode()]
            assert n < envelope.n, (log, envelope)
            assert place < typed[envelope.body.decode()], (log, envelope)


def check_authors(story: Story) -> None:
    """What an author was told is true, and in the end nothing is left to be told."""
    stored = {f"{envelope.device}:{envelope.n}" for log in LOGS for envelope in story.log(log)}
    for index, device in enumerate(story.cast):
        assert len(device[-1].core.outbox) == 0
        for actor in device:
            assert set(actor.accepted()) <= stored
            for event in [event for event in actor.seen(shown.Refused) if event.id]:
                assert story.said[event.body] == (index, event.to)
                assert logs_of(actor.name, event.to) == [], "refused, though it is stored"


def check_readers(story: Story) -> None:
    """Each device has each of its logs whole, and nothing else; and was shown nothing twice or out of order."""
    for device in story.cast:
        name, notebook = device[-1].name, device[-1].notebook
        logs = ["#lobby", "@" + name] + ["#garden"] * (name in GARDENERS)
        assert notebook.history == {(1, log, seq): each for log in logs for seq, each in enumerate(story.log(log), 1)}
        seen: dict[str, list[int]] = {}
        for messages in [messages for actor in device for messages in actor.seen(shown.Messages)]:
            seqs = range(messages.first, messages.first + len(messages.envelopes))
            seen.setdefault(messages.log, []).extend(seqs)
        assert all(before < after for seqs in seen.values() for before, after in pairwise(seqs))


@pytest.mark.parametrize("run", range(RUNS))
def test_whatever_happens_nothing_is_lost_doubled_misplaced_or_out_of_order(seed: int, run: int) -> None:
    story = Story(seed + run)
    story.play()
    check_places(story)
    check_order(story)
    check_authors(story)
    check_readers(story)


def test_the_same_seed_is_the_same_story_whatever_the_order_of_hashes(seed: int) -> None:
    program = f"from tests.core.test_random import Story; story = Story({seed}); story.play(); print(story.trace())"
    run = [sys.executable, "-c", program]
    seeds = [{**os.environ, "PYTHONHASHSEED": each} for each in ("1", "2")]
    traces = [subprocess.check_output(run, cwd=ROOT, env=each) for each in seeds]
    assert traces[0] == traces[1] != b""
