"""What random runs have found: one short story each, so that it stays found."""

from __future__ import annotations

from core.commands import Append
from core.events import Rescanned
from protocol import frames, limits
from protocol.frames import Joined
from tests.core.faults import FaultyStore
from tests.core.visitor import Visitor, post
from tests.core.world import World

MANY = 2 * limits.WINDOW_MESSAGES + 10


def test_a_connection_that_said_hello_twice_may_fall_silent() -> None:
    world = World()
    visitor, alice = Visitor(world), world.come("alice")
    visitor.enters("guest")
    visitor.says(frames.Quit())
    visitor.enters("guest")
    visitor.enters("guest")
    world.wait(limits.SILENCE_S + 1)
    assert [note.fields["account"] for note in world.notes if note.what == "silent"] == ["guest"]
    alice.types("good evening")
    assert len(alice.accepted()) == 1


def test_a_hint_may_stand_for_more_than_a_window() -> None:
    world = World()
    bob, elsewhere = world.come("bob"), Visitor(World(world.store))
    elsewhere.enters("writer", reads=False)
    for n in range(1, MANY + 1):
        elsewhere.posts(n, str(n))
    world.inbox.append(Rescanned())
    world.run()
    assert [int(envelope.body) for envelope in bob.envelopes()] == list(range(1, MANY + 1))


def test_a_join_that_nobody_heard_of_long_ago_brings_everything_since() -> None:
    store = FaultyStore()
    world = World(store)
    world.come("writer").types("first", to="#lobby")
    writer, bob = Visitor(world), Visitor(world)
    writer.enters("host")
    writer.says(frames.Join(1, "#Garden"))
    bob.enters("bob")
    bob.utters(frames.Join(1, "#Garden"))
    store.dies = "after"  # the account is in the room by now, and nobody has heard of it
    world.run()
    assert bob.got(Joined) == []
    writer, bob = (Visitor(world, each.device, each.key) for each in (writer, bob))
    writer.enters("host")
    for n in range(1, MANY + 1):
        writer.posts(n, str(n), to="#garden")
    bob.enters("bob")
    while len(bob.delivered("#garden")) < MANY:
        before = len(bob.delivered("#garden"))
        bob.says(frames.Ack({"#garden": bob.delivered("#garden")[-1][0]}))
        assert len(bob.delivered("#garden")) > before
    assert [seq for seq, _ in bob.delivered("#garden")] == list(range(1, MANY + 1))


def test_what_was_kept_after_all_reaches_its_readers_though_the_store_then_failed() -> None:
    store = FaultyStore()
    world = World(store)
    writer, bob = Visitor(world), world.come("bob")
    writer.enters("writer")
    store.doubts.append(True)
    writer.utters(post(1, "one"))
    world.turn()
    store.refuses = "store-full"
    world.run()
    writer.vanishes()
    assert any(isinstance(each, Append) for each in store.groups[-1])
    assert bob.lines() == ["writer>#lobby one"]
