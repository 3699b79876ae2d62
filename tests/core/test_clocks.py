"""The wall clock may say anything, and jump: it is written down for people, and decides nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from core import shown
from core.clock import Instant
from core.gate import FAILURE_FIRST_S
from core.presence import PRESENCE_S
from protocol import limits
from protocol.frames import Refused
from tests.core.actor import Actor
from tests.core.test_random import Story, check_authors, check_order, check_places, check_readers
from tests.core.visitor import Visitor
from tests.core.world import World

RUNS = 15
# Times of day are packed in as many bytes from here on, so that what fits into a frame stays the same.
FIRST_AT_MS = 1 << 32
# The fields of frames that are for people.
TIMES = ("at", "first_at", "seen_at")
JUMPS_MS = [5 * 3_600_000, -7 * 3_600_000, -50 * 365 * 86_400_000, 60 * 365 * 86_400_000]


class Jumping(Story):
    """A story whose wall clock says another time of another year whenever some time has passed."""

    def __init__(self, seed: int) -> None:
        self.jump = random.Random(seed).randint
        super().__init__(seed)

    def pass_time(self, device: list[Actor]) -> None:
        super().pass_time(device)
        self.world.now = Instant(self.world.now.tick, self.jump(FIRST_AT_MS, limits.LAST_AT_MS))


@pytest.mark.parametrize("run", range(RUNS))
def test_whatever_the_clock_says_nothing_is_lost_doubled_or_out_of_order(seed: int, run: int) -> None:
    story = Jumping(seed + run)
    story.play()
    for check in (check_places, check_order, check_authors, check_readers):
        check(story)


def timeless(thing: Any) -> Any:
    """A frame without what it says about the time of day."""
    if isinstance(thing, msgspec.Struct):
        fields = msgspec.structs.asdict(thing)
        return type(thing).__name__, {name: timeless(each) for name, each in fields.items() if name not in TIMES}
    return [timeless(each) for each in thing] if isinstance(thing, list) else thing


def spoken(story: Story) -> list[Any]:
    """All that the broker said, to whom and in which order."""
    return [(peer, timeless(frame)) for peer, frame in story.world.sent]


def without_full_disks(story: Story) -> Story:
    """Which commit fails depends on how many there were, and when somebody was seen is written down now and then."""
    story.acts.remove(story.trouble)
    return story


@pytest.mark.parametrize("run", range(RUNS))
def test_the_same_story_is_told_whatever_the_clock_says(seed: int, run: int) -> None:
    steady, jumping = without_full_disks(Story(seed + run)), without_full_disks(Jumping(seed + run))
    steady.play()
    jumping.play()
    assert spoken(steady) == spoken(jumping)


# ---- limits and silences -------------------------------------------------------------------------------


@pytest.fixture
def world() -> World:
    return World(local_limits=True)


@pytest.fixture(params=JUMPS_MS, ids=["5 h on", "7 h back", "50 years back", "60 years on"])
def jump(request: pytest.FixtureRequest, world: World) -> Callable[[], None]:
    """Turns the wall clock, and nothing else."""

    def jump() -> None:
        world.now = Instant(world.now.tick, world.now.at + request.param)

    return jump


def wait_told(visitor: Visitor, credential: bytes) -> float:
    """Say Hello with this password; how long the broker asks to wait, 0 if the answer is another one."""
    heard = visitor.says(visitor.hello("alice", credential=credential))
    waits = [frame.retry_s for frame in heard if isinstance(frame, Refused)]
    return waits[0] if waits else 0.0


def test_a_wrong_password_costs_as_long_as_ever(world: World, jump: Callable[[], None]) -> None:
    Visitor(world).enters("alice")
    guesser = Visitor(world)
    assert wait_told(guesser, b"wrong") == 0.0
    jump()
    assert wait_told(guesser, b"secret") == pytest.approx(FAILURE_FIRST_S)
    world.wait(FAILURE_FIRST_S)
    guesser.enters("alice")


def test_who_is_silent_is_forgotten_in_time_and_who_pings_is_not(world: World, jump: Callable[[], None]) -> None:
    silent, alice = Visitor(world), world.come("alice")
    silent.enters("bob")
    for _ in range(int(limits.SILENCE_S) - 1):
        jump()
        world.wait(1)
        jump()
    assert silent.peer in world.wires
    world.wait(1)
    assert silent.peer not in world.wires
    assert (alice.attempts, alice.seen(shown.Offline)) == (1, [])


def test_presence_is_told_as_soon_as_ever(world: World, jump: Callable[[], None]) -> None:
    alice = world.come("alice")
    world.wait(1)
    for _ in range(3):
        jump()
        bob = world.come("bob")
        world.wait(PRESENCE_S)
        jump()
        bob.kill()
        world.wait(PRESENCE_S)
    assert len(alice.seen(shown.Came)) == len(alice.seen(shown.Went)) == 3
