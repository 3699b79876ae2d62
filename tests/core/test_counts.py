"""What an operator is told about sends, readers and waits: each figure against a story that is known."""

from __future__ import annotations

from typing import Any

import pytest

from core.orders import TellStats
from protocol import frames, limits
from tests.core.faults import FaultyStore
from tests.core.visitor import Visitor, post
from tests.core.world import World


@pytest.fixture
def world() -> World:
    return World(FaultyStore())


@pytest.fixture
def alice(world: World) -> Visitor:
    """Somebody who reads."""
    alice = Visitor(world)
    alice.enters("alice")
    return alice


@pytest.fixture
def bob(world: World) -> Visitor:
    """Somebody who only sends."""
    bob = Visitor(world)
    bob.enters("bob", reads=False)
    return bob


def stats(world: World) -> dict[str, Any]:
    (told,) = world.order(TellStats())
    return told


def counted(world: World, *names: str) -> tuple[Any, ...]:
    told = stats(world)
    return tuple(told[name] for name in names)


def test_each_message_is_counted_once_and_each_delivery(world: World, alice: Visitor, bob: Visitor) -> None:
    Visitor(world).enters("carol")
    bob.posts(1, "one", "two", "three")
    assert counted(world, "accepted", "delivered", "duplicates", "gaps") == (3, 6, 0, 0)


def test_what_was_delivered_to_those_who_have_left_stays_counted(world: World, alice: Visitor, bob: Visitor) -> None:
    bob.posts(1, "one", "two")
    alice.vanishes()
    bob.posts(3, "three")
    assert counted(world, "delivered", "sessions", "here") == (2, 1, 0)


def test_what_comes_again_is_a_duplicate_and_not_accepted_twice(world: World, bob: Visitor) -> None:
    bob.posts(1, "one", "two", "three")
    bob.posts(2, "two", "three", "four")
    bob.posts(1, "one")
    assert counted(world, "accepted", "duplicates") == (4, 3)


def test_a_hole_is_a_gap(world: World, bob: Visitor) -> None:
    bob.posts(3, "three")
    bob.posts(1, "one")
    assert counted(world, "accepted", "gaps") == (1, 1)


def test_what_is_refused_for_good_is_counted_by_its_code(world: World, bob: Visitor) -> None:
    bob.posts(1, "hm", to="nobody")
    bob.posts(2, "hm", "hm", to="#nowhere")
    bob.says(frames.Post(4, [frames.Item("bad name", "none", b"hm")]))
    bob.posts(5, "good")
    assert counted(world, "accepted", "refused") == (1, {"no-such-account": 1, "no-such-room": 2, "bad-name": 1})


def test_a_store_that_takes_nothing(world: World, bob: Visitor) -> None:
    store = world.store
    assert isinstance(store, FaultyStore)
    store.refuses = "store-full"
    bob.posts(1, "one")
    store.refuses = ""
    bob.posts(1, "one")
    assert counted(world, "accepted", "store_failures") == (1, 1)


def test_who_is_behind_and_for_how_long(world: World, alice: Visitor, bob: Visitor) -> None:
    """A full window is where it begins; the age is the session's, as long as it does not catch up."""
    bob.posts(1, *["text"] * limits.PACK_MESSAGES)
    for start in range(limits.PACK_MESSAGES, limits.WINDOW_MESSAGES + 64, limits.PACK_MESSAGES):
        bob.posts(start + 1, *["text"] * limits.PACK_MESSAGES)
    told = stats(world)
    assert (told["windows_full"], told["on_their_way"]) == (1, limits.WINDOW_MESSAGES)
    assert {age: count for age, count in told["backlog"].items() if count} == {"1s": 64}
    world.wait(20)
    assert {age: count for age, count in stats(world)["backlog"].items() if count} == {"1m": 64}
    alice.says(frames.Ack({"#lobby": limits.WINDOW_MESSAGES}))
    told = stats(world)
    assert (told["windows_full"], sum(told["backlog"].values()), told["on_their_way"]) == (0, 0, 64)


def test_a_session_that_is_never_behind_never_counts_as_such(world: World, alice: Visitor, bob: Visitor) -> None:
    bob.utters(post(1, "one"), post(2, "two"))
    world.run()
    assert counted(world, "windows_full") == (0,)
