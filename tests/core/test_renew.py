"""Folders that were copied, and brokers that were put back in time: nothing that was typed is lost."""

from __future__ import annotations

from copy import deepcopy

import pytest

from core import shown
from protocol import frames
from protocol.frames import Accepted, Expected
from store.memory import MemoryStore
from tests.core.actor import Actor
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


def texts(actor: Actor) -> list[str]:
    """What it was shown."""
    return [envelope.body.decode() for envelope in actor.envelopes()]


def known(actor: Actor) -> list[str]:
    """What stands in its journal, of all eras."""
    return [envelope.body.decode() for envelope in actor.notebook.history.values()]


def stored(world: World, log: str = "#lobby") -> list[str]:
    """What stands in a log."""
    packed = world.store.read(log, 0, 10_000, 10**9).envelopes
    return [frames.decode_envelope(each).body.decode() for each in packed]


def copied(world: World, actor: Actor) -> Actor:
    """Somebody with a copy of this one's folder, who has not connected yet."""
    return world.person(actor.name, notebook=deepcopy(actor.notebook), key=actor.key)


def put_back(world: World, store: MemoryStore, epoch: str) -> None:
    """The broker comes back with another store."""
    store.epoch, world.store = epoch, store
    world.restart()
    world.wait(30)


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


# ---- a broker that was put back -----------------------------------------------------------------------------


def test_a_restored_broker_gets_what_was_typed_while_it_was_away(world: World, alice: Actor, bob: Actor) -> None:
    alice.types("one")
    backup = deepcopy(world.store)
    alice.types("two")
    alice.deaf = True
    alice.cut()
    alice.types("three")
    alice.deaf = False
    put_back(world, backup, "second")
    assert stored(world) == ["one", "three"]
    assert known(bob) == ["one", "two", "one", "three"], "what the broker has lost is still in the journals"
    alice.types("four")
    assert stored(world) == ["one", "three", "four"]
    assert texts(bob)[-1] == "four"


def test_a_restored_broker_knows_its_accounts_and_nobody_has_to_register(world: World, alice: Actor) -> None:
    put_back(world, deepcopy(world.store), "second")
    assert [online.registered for online in alice.seen(shown.Online)] == [True, False]
    assert alice.seen(shown.Bye) == []


def test_with_another_epoch_a_device_begins_its_logs_anew(world: World, alice: Actor, bob: Actor) -> None:
    bob.types("one")
    bob.types("two")
    backup = deepcopy(world.store)
    bob.types("three")
    put_back(world, backup, "second")
    assert (alice.notebook.cursors["#lobby"], alice.notebook.era) == (2, 2)
    bob.types("instead of three")
    assert texts(alice)[-1] == "instead of three", "though a journal of the first epoch has this seq already"


def test_a_copy_put_back_by_hand_with_the_same_epoch_loses_nothing_typed(world: World, alice: Actor) -> None:
    old, backup = alice.notebook.device, deepcopy(world.store)
    alice.types("one")
    alice.types("two")
    put_back(world, backup, "first")
    assert alice.notebook.device != old
    alice.types("three")
    assert stored(world) == ["three"]
    assert len(alice.accepted()) == 3
    assert known(alice)[:2] == ["one", "two"]


def test_a_wiped_broker_is_another_one_where_the_name_is_registered_again(world: World, alice: Actor) -> None:
    alice.types("one")
    put_back(world, MemoryStore(epoch="other", broker=b"another-16-bytes"), "other")
    assert [note.fields["account"] for note in world.notes if note.what == "registered"] == ["alice", "alice"]
    alice.types("two")
    assert stored(world) == ["two"]
    assert known(alice) == ["one", "two"]


def test_what_a_restored_broker_had_but_could_not_confirm_stands_there_twice_rather_than_never(
    world: World, alice: Actor
) -> None:
    alice.loses = [Accepted]
    alice.types("not confirmed")
    put_back(world, deepcopy(world.store), "second")
    assert stored(world) == ["not confirmed", "not confirmed"], (
        "nobody can tell: numbers of two epochs can't be compared"
    )
    assert len(alice.accepted()) == 1


def test_a_broker_that_expects_what_it_had_accepted_gets_a_new_device(world: World, alice: Actor) -> None:
    alice.types("one")
    alice.types("two")
    old = alice.notebook.device
    alice.hears(Expected(1))
    alice.types("three")
    assert alice.notebook.device != old
    assert stored(world) == ["one", "two", "three"]
    assert alice.accepted()[-1] == f"{alice.notebook.device}:1"


def test_several_devices_survive_a_restore_together(world: World, alice: Actor, bob: Actor) -> None:
    phone = world.come("alice")
    backup = deepcopy(world.store)
    for actor in (alice, bob, phone):
        actor.types(f"lost by the broker, {actor.notebook.device}")
    put_back(world, backup, "second")
    for number, actor in enumerate((alice, bob, phone)):
        actor.types(str(number))
    assert stored(world) == ["0", "1", "2"]
    assert all(texts(actor)[-3:] == ["0", "1", "2"] for actor in (alice, bob, phone))
    assert len({actor.notebook.device for actor in (alice, bob, phone)}) == 3
