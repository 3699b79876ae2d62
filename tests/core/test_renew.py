"""Folders that were copied: nothing that was typed is lost, and no number stands for two messages."""

from __future__ import annotations

from copy import deepcopy

import pytest

from core import shown
from core.clock import Instant
from core.events import Heard
from protocol.frames import Accepted, Welcome
from tests.core.actor import Actor
from tests.core.looks import known, stored, texts
from tests.core.world import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def alice(world: World) -> Actor:
    return world.come("alice")


@pytest.fixture
def bob(world: World) -> Actor:
    return world.come("bob")


def copied(world: World, actor: Actor) -> Actor:
    """Somebody with a copy of this one's folder, who has not connected yet."""
    return world.person(actor.name, notebook=deepcopy(actor.notebook), key=actor.key)


# ---- a copied folder ----------------------------------------------------------------------------------------


def test_of_two_copies_the_newer_login_wins_and_both_keep_what_they_said(world: World, alice: Actor) -> None:
    alice.types("before")
    copy = copied(world, alice)
    world.run()
    assert [bye.code for bye in alice.seen(shown.Bye)] == ["replaced"]
    copy.types("from the copy")
    assert stored(world) == ["before", "from the copy"]


def test_a_copy_whose_numbers_were_used_meanwhile_becomes_a_device_of_its_own(world: World, alice: Actor) -> None:
    old, copy = alice.notebook.device, copied(world, alice)
    copy.deaf = True
    world.run()
    copy.types("written in the train")
    alice.types("written at home")
    alice.kill()
    copy.deaf = False
    world.wait(30)
    assert copy.notebook.device != old
    assert sorted(stored(world)) == ["written at home", "written in the train"]
    assert copy.accepted() == [f"{copy.notebook.device}:1"]
    alice = world.come("alice", notebook=alice.notebook)
    assert (alice.core.online, copy.core.online) == (True, True), "neither replaces the other any more"
    assert sorted(texts(copy)) == ["written at home", "written in the train"]


def test_what_both_copies_still_had_in_their_outboxes_is_stored_once(world: World, alice: Actor) -> None:
    alice.loses = [Accepted]
    alice.types("on its way when the folder was copied")
    backup = deepcopy(alice.notebook)
    alice.kill()
    alice = world.come("alice", notebook=alice.notebook)
    alice.types("and then more")
    copy = world.come("alice", notebook=backup, key=alice.key)
    assert stored(world) == ["on its way when the folder was copied", "and then more"]
    assert len(copy.core.outbox) == 0
    assert copy.notebook.device != alice.notebook.device


def test_a_renewed_device_goes_on_in_its_logs_and_is_shown_nothing_twice(
    world: World, alice: Actor, bob: Actor
) -> None:
    bob.types("one")
    copy = copied(world, alice)
    copy.deaf = True
    world.run()
    alice.types("two")
    alice.kill()
    copy.deaf = False
    world.wait(30)
    assert texts(copy) == ["two"]
    assert known(copy) == ["one", "two"]
    bob.types("three")
    assert texts(copy) == ["two", "three"]


def test_a_restored_folder_has_what_it_said_after_the_copy_was_made(world: World, alice: Actor) -> None:
    alice.types("one")
    backup = deepcopy(alice.notebook)
    alice.types("two")
    alice.kill()
    alice = world.come("alice", notebook=backup, key=alice.key)
    alice.types("three")
    assert stored(world) == ["one", "two", "three"]
    assert known(alice) == ["one", "two", "three"]


def test_a_renewed_device_stays_what_it_has_become(world: World, alice: Actor) -> None:
    backup = deepcopy(alice.notebook)
    alice.types("one")
    alice.kill()
    alice = world.come("alice", notebook=backup, key=alice.key)
    renewed = alice.notebook.device
    alice.types("two")
    alice.kill()
    alice = world.come("alice", notebook=backup, key=alice.key)
    alice.types("three")
    assert alice.notebook.device == renewed
    assert stored(world) == ["one", "two", "three"]


def test_two_copies_that_were_both_online_keep_what_each_typed_last(world: World, alice: Actor) -> None:
    """The number that the first could not confirm was given by the second to words of its own."""
    copy = copied(world, alice)
    copy.deaf = True
    world.run()
    world.restart()
    alice.deaf, copy.deaf = True, False
    world.wait(30)
    copy.types("as the copy")
    copy.kill()
    alice.deaf = False
    alice.core.outbox.offer()  # as if it had been online and was cut off before its line got through
    alice.types("as the first one")
    world.wait(30)
    assert sorted(stored(world)) == ["as the copy", "as the first one"]
    assert len(alice.core.outbox) == 0


def test_what_is_still_said_of_the_old_numbers_settles_none_of_the_new_ones(world: World, alice: Actor) -> None:
    """Both come in one turn of the client: the Welcome that makes another device of it, and a word to the old one."""
    copy = copied(world, alice)
    copy.deaf = True
    world.run()
    alice.types("at home")
    copy.types("in the train")
    alice.kill()
    copy.deaf = False
    for _ in range(200):
        world.now = Instant(world.now.tick + 0.5, world.now.at + 500)
        world.turn()
        if any(isinstance(event, Heard) and isinstance(event.frame, Welcome) for event in copy.inbox):
            break
    copy.hears(Accepted(1))
    world.wait(30)
    assert sorted(stored(world)) == ["at home", "in the train"]
    assert (len(copy.accepted()), copy.seen(shown.PutBack)) == (1, []), "nobody was put back"


def test_a_device_that_comes_back_very_often_without_a_word_stays_itself(world: World, alice: Actor) -> None:
    alice.types("one")
    device = alice.notebook.device
    for _ in range(40):
        alice.cut()
        world.wait(30, step=5.0)
    assert alice.core.online
    alice.types("two")
    assert (alice.notebook.device, stored(world)) == (device, ["one", "two"])


def test_a_copy_is_told_what_was_refused_of_what_both_had_typed(world: World, alice: Actor) -> None:
    alice.loses = [Accepted]
    alice.types("psst", to="nobody")
    backup = deepcopy(alice.notebook)
    alice.kill()
    alice = world.come("alice", notebook=alice.notebook)
    alice.types("and then more")
    copy = world.come("alice", notebook=backup, key=alice.key)
    assert [refused.code for refused in copy.seen(shown.Refused)] == ["no-such-account"]
    assert copy.accepted() == []
    assert copy.notebook.device != alice.notebook.device
