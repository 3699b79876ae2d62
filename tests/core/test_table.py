"""Nothing that can be said, happen or be asked is without somebody who deals with it; and the laws, at every frame."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, get_args

import pytest

from core import events, typed
from core.commands import Command
from core.inquiries import WantedPage
from core.received import Event, Proved, Swept
from protocol import frames
from protocol.frames import FROM_BROKER, FROM_CLIENT, Frame, Hello, Refused
from tests.core.actor import Actor
from tests.core.faults import FaultyStore, LateStore
from tests.core.visitor import Visitor, post
from tests.core.witness import Witness
from tests.core.world import World
from tests.protocol.test_vectors import FRAMES

# What other events bring along, and what the front end answers by itself.
BROUGHT = {events.Arrived, events.Done, events.Gap, events.Conflict, events.DeviceState, Proved, Swept}
# What the core makes of an answer, and what several have in common; nobody types it.
OWN = {typed.ChangedPassword, WantedPage}
ABSTRACT = {typed.OfMessage, typed.OfRoom}
FRONT_END = {typed.AskedHelp, typed.OpenedMenu, typed.AskedSettings, typed.ChangedSetting, typed.Confirmed}

NAMED = [pytest.param(frame, id=type(frame).__name__) for frame in FRAMES]


def kinds(base: type[Any]) -> set[type[Any]]:
    """Everything of ours that is derived from this; the front ends have words of their own."""
    below = {kind for kind in base.__subclasses__() if kind.__module__.startswith(("core.", "protocol."))}
    return below.union(*(kinds(each) for each in below))


# ---- tables ------------------------------------------------------------------------------------------------


def test_whatever_a_client_may_say_the_broker_deals_with_and_nothing_else() -> None:
    known = set(World().broker.core._frames)
    assert known | {Hello} == set(FROM_CLIENT)


def test_whatever_a_broker_may_say_the_client_deals_with_and_nothing_else() -> None:
    known = set(World().person("alice").core._frames)
    assert known == set(FROM_BROKER)


def test_every_frame_is_said_by_one_side_and_has_a_sample_here() -> None:
    assert not set(FROM_CLIENT) & set(FROM_BROKER)
    assert kinds(Frame) == set(FROM_CLIENT) | set(FROM_BROKER) == {type(frame) for frame in FRAMES}


def test_every_event_is_dealt_with_by_one_of_the_cores() -> None:
    world = World()
    heard = set(world.broker.core._events), set(world.person("alice").core._table)
    assert kinds(Event) - BROUGHT == {kind for table in heard for kind in table if issubclass(kind, Event)}
    assert not heard[0] & heard[1]


def test_every_intent_is_dealt_with_by_the_core_or_by_the_front_end() -> None:
    known = {kind for kind in World().person("alice").core._table if issubclass(kind, typed.Typed)}
    assert kinds(typed.Typed) - ABSTRACT == set(get_args(typed.Intent)) | OWN == known | FRONT_END


def test_every_command_is_carried_out_by_the_broker_or_by_the_client() -> None:
    world = World()
    actor = world.person("alice")
    done = set(world.broker._table) | set(actor._table) | set(actor.notebook._write)
    assert kinds(Command) == done


# ---- anything at any time ------------------------------------------------------------------------------------


def stranger(world: World) -> Visitor:
    return Visitor(world)


def guest(world: World) -> Visitor:
    visitor = Visitor(world)
    visitor.enters("guest")
    return visitor


@pytest.mark.parametrize("frame", NAMED)
@pytest.mark.parametrize("who", [stranger, guest])
def test_nothing_that_a_connection_says_disturbs_the_broker(
    frame: frames.AnyFrame, who: Callable[[World], Visitor]
) -> None:
    world = World()
    alice = world.come("alice")
    heard = who(world).says(frame, frame)
    wrong = [each for each in heard if isinstance(each, Refused) and each.code == "wrong-direction"]
    assert len(wrong) == (2 if type(frame) in FROM_BROKER else 0)
    alice.types("still there")
    assert alice.lines()[-1] == "alice>#lobby still there"
    assert len(alice.accepted()) == 1


def away(world: World) -> Actor:
    actor = world.person("alice")
    actor.deaf = True
    world.run()
    return actor


def greeting(world: World) -> Actor:
    actor = world.person("alice")
    world.slow = True
    world.run()
    return actor


def online(world: World) -> Actor:
    return world.come("alice")


def ended(world: World) -> Actor:
    actor = world.come("alice")
    actor.does(typed.Left())
    return actor


@pytest.mark.parametrize("frame", NAMED)
@pytest.mark.parametrize("phase", [away, greeting, online, ended])
def test_nothing_that_a_broker_says_disturbs_a_client(frame: frames.AnyFrame, phase: Callable[[World], Actor]) -> None:
    world = World()
    alice = phase(world)
    alice.hears(frame)
    world.run()
    alice.does(typed.Wrote(text="kept"))
    kept = [item.body for item in alice.notebook.outbox.values()]
    assert kept == [b"kept"] or len(alice.accepted()) == 1
    world.run()


# ---- the laws ------------------------------------------------------------------------------------------------


def test_a_broker_that_accepts_too_early_is_caught() -> None:
    world = Witness(LateStore(turns=3))
    alice = guest(world)
    world.broker.core.sessions.by_device["guest/" + alice.device].durable = 1  # as if the commit were done
    with pytest.raises(AssertionError, match="on disk is 0"):
        alice.posts(1, "not yet")


def chatter(world: Witness, chance: random.Random) -> None:
    """Some people talk, their store works at its own pace, and nothing is waited for."""
    people = [guest(world), *(Visitor(world) for _ in range(3))]
    for number, visitor in enumerate(people[1:]):
        visitor.enters(f"guest_{number}")
    said = dict.fromkeys((visitor.peer for visitor in people), 1)
    for _ in range(200):
        visitor = chance.choice(people)
        count = chance.randint(1, 5)
        to = chance.choice(("#lobby", "guest", "guest_1", "nobody"))
        n = max(1, said[visitor.peer] - chance.choice((0, 0, 0, 1, 4)))  # some say things again
        visitor.utters(post(n, *["text"] * count, to=to))
        said[visitor.peer] = max(said[visitor.peer], n + count)
        for _ in range(chance.randint(0, 2)):
            world.turn()
    world.run()


@pytest.mark.parametrize("turns", [0, 1, 5])
def test_nothing_is_accepted_or_delivered_before_it_is_stored_however_slow_the_store(seed: int, turns: int) -> None:
    world = Witness(LateStore(turns))
    chatter(world, random.Random(seed))
    assert min(world.accepts, world.delivers) > 10


def test_nor_when_the_store_does_not_know_what_it_has_kept(seed: int) -> None:
    chance = random.Random(seed)
    store = FaultyStore()
    world = Witness(store)
    store.doubts.extend(chance.random() < 0.5 for _ in range(100))
    chatter(world, chance)
    assert not store.doubts
    assert min(world.accepts, world.delivers) > 10
