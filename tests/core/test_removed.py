"""Who is removed from a room reads no more there, whoever leaves and whatever fails in the middle of it."""

from __future__ import annotations

import pytest

from protocol.frames import AskMembers, Expel, Join, Quit
from tests.core.faults import FaultyStore
from tests.core.visitor import Visitor
from tests.core.world import World


@pytest.fixture
def world() -> World:
    return World(FaultyStore())


@pytest.fixture
def alice(world: World) -> Visitor:
    return member(world, "alice")


@pytest.fixture
def bob(world: World, alice: Visitor) -> Visitor:
    return member(world, "bob")


def member(world: World, name: str) -> Visitor:
    """Somebody in the room; the first is its owner."""
    visitor = Visitor(world)
    visitor.enters(name)
    visitor.says(Join(1, "#club"))
    return visitor


def back(world: World, name: str) -> Visitor:
    """Another device of theirs."""
    visitor = Visitor(world)
    visitor.enters(name)
    return visitor


@pytest.mark.parametrize("bans", [False, True])
@pytest.mark.parametrize("turns", range(4))
def test_by_somebody_who_has_left_meanwhile(world: World, alice: Visitor, bob: Visitor, turns: int, bans: bool) -> None:
    alice.utters(Expel(2, "#club", "bob", bans))
    for _ in range(turns):
        world.turn()
    alice.says(Quit())
    again = back(world, "alice")
    again.says(Expel(3, "#club", "bob", bans))  # all may be asked again if no answer comes
    again.posts(1, "among us", to="#club")
    assert bob.delivered("#club") == []
    bob.says(bob.hello("bob"))
    assert bob.posts(1, "psst", to="#club")[0].refused[0].code == "not-a-member"


def test_when_the_disk_is_full(world: World, alice: Visitor, bob: Visitor) -> None:
    alice.utters(Expel(2, "#club", "bob"))
    world.turn()
    assert isinstance(world.store, FaultyStore)
    world.store.refuses = "store-full"
    world.run()
    world.store.refuses = ""
    again = back(world, "alice")
    (told,) = again.says(AskMembers(3, "#club"))
    again.posts(1, "among us", to="#club")
    heard = [text for _, text in bob.delivered("#club")]
    assert (sorted(told.here), heard) in ((["alice", "bob"], ["among us"]), (["alice"], []))
