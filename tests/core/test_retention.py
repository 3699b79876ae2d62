"""What is kept, and for how long: the oldest goes first, a few at a time, and only by a clock that can be believed."""

from __future__ import annotations

import pytest

from core import retention, shown
from core.clock import Instant
from core.retention import Keep
from tests.core.actor import Actor
from tests.core.visitor import Visitor
from tests.core.world import World

DAY_S = 86_400.0
DAY_MS = 86_400_000
WEEK = Keep(age_ms=7 * DAY_MS)
# A step a second goes through all logs of these tests in so long.
ROUND_S = 5.0


def extent(world: World, log: str = "#lobby") -> tuple[int, int]:
    """First and last seq that are kept."""
    first, head = world.store.heads([log])[log]
    return first, head


def let_days_pass(world: World, days: float) -> None:
    """Nobody is there: the clocks go on together."""
    world.now = Instant(world.now.tick + days * DAY_S, world.now.at + round(days * DAY_MS))


@pytest.fixture
def world() -> World:
    world = World(keep=WEEK)
    world.wait(retention.STEADY_S + 1, step=60.0)
    return world


@pytest.fixture
def alice(world: World) -> Actor:
    return world.come("alice")


def test_without_being_told_to_a_broker_forgets_nothing() -> None:
    world = World()
    alice = world.come("alice")
    alice.types("one")
    alice.kill()
    world.run()
    let_days_pass(world, 10_000)
    world.wait(ROUND_S)
    assert extent(world) == (1, 1)
    assert world.broker.core.deadline() is None, "and it does not even look"


def test_what_is_older_is_forgotten_and_what_is_younger_stays(world: World, alice: Actor) -> None:
    alice.types("one")
    alice.types("for bob", to="alice")
    let_days_pass(world, 4)
    world.run()
    alice.types("two")
    let_days_pass(world, 4)
    world.wait(ROUND_S)
    assert extent(world) == (2, 2)
    assert extent(world, "@alice") == (2, 1)


def test_a_log_of_any_length_goes_in_small_steps(world: World) -> None:
    visitor = Visitor(world)
    visitor.enters("alice")
    for n in range(1, 1001, 64):
        visitor.posts(n, *["text"] * 64)
    _, head = extent(world)
    visitor.vanishes()
    let_days_pass(world, 8)
    world.broker.turn([], world.now)
    assert extent(world)[0] <= retention.STEP_MESSAGES + 1
    world.wait(ROUND_S, step=retention.BUSY_S)
    assert extent(world) == (head + 1, head)


def test_all_logs_of_many_accounts_and_rooms_have_their_turn(world: World) -> None:
    for number in range(2 * retention.STEP_LOGS + 3):
        visitor = Visitor(world)
        visitor.enters(f"user{number}")
        visitor.posts(1, "old", to=f"user{number}")
        visitor.vanishes()
    let_days_pass(world, 8)
    world.wait(10.0)
    assert {extent(world, f"@user{number}") for number in range(2 * retention.STEP_LOGS + 3)} == {(2, 1)}


def test_who_was_away_for_longer_is_told_what_is_gone(world: World, alice: Actor) -> None:
    bob = world.come("bob")
    alice.types("one")
    bob.deaf = True
    bob.cut()
    for text in ("two", "three"):
        alice.types(text)
    let_days_pass(world, 8)
    world.wait(ROUND_S)
    alice.types("four")
    bob.deaf = False
    world.wait(60)
    assert bob.seen(shown.Gone) == [shown.Gone(log="#lobby", messages=2)]
    assert [envelope.body for envelope in bob.envelopes()] == [b"one", b"four"]


@pytest.mark.parametrize("hours", [5, -7, 24 * 365 * 60, -24 * 365 * 50])
def test_a_clock_that_jumps_makes_nobody_forget(world: World, alice: Actor, hours: int) -> None:
    """A clock that is set right, or wrong, is not believed before it has gone steadily for a while."""
    alice.types("one")
    world.now = Instant(world.now.tick, world.now.at + hours * 3_600_000)
    alice.types("two")
    world.wait(retention.STEADY_S - 10, step=30.0)
    assert extent(world)[0] == 1
    world.now = Instant(world.now.tick, world.now.at - hours * 3_600_000)
    world.wait(retention.STEADY_S + ROUND_S, step=1.0)
    assert extent(world)[0] == 1, "the wrong time of the second message stands behind the right one of the first"


def test_a_store_that_is_too_large_loses_its_oldest_messages_first() -> None:
    world = World(keep=Keep(size=4_000))
    world.wait(retention.STEADY_S + 1, step=60.0)
    alice = world.come("alice")
    for n in range(1, 101):
        world.wait(60, step=10.0)
        alice.types(f"{n:050d}")
    world.wait(60, step=1.0)
    first, head = extent(world)
    assert head == 100
    assert 2_000 < world.store.size() <= 4_000
    assert 1 < first < head, "the youngest are there"
