"""Brokers that were put back in time: what they have lost comes back from their clients, once and in order."""

from __future__ import annotations

from copy import deepcopy

import pytest

from core import shown
from core.commands import Begin
from core.events import Heard
from protocol.frames import Accepted, Expected, Extent, Joined
from store.memory import MemoryStore
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


def put_back(world: World, store: MemoryStore, epoch: str = "second") -> None:
    """The broker comes back with another store, which begins another epoch."""
    if epoch != store.epoch:
        store.begin_epoch(epoch)
    world.store = store
    world.restart()
    world.wait(30)


def test_a_broker_that_was_put_back_gets_what_it_had_lost(world: World, alice: Actor, bob: Actor) -> None:
    alice.types("one")
    backup = deepcopy(world.store)
    alice.types("two")
    alice.types("for bob", to="bob")
    alice.deaf = True
    alice.cut()
    alice.types("three")
    alice.deaf = False
    put_back(world, backup)
    assert stored(world) == ["one", "two", "three"]
    assert stored(world, "@bob") == ["for bob"]
    assert texts(bob) == ["one", "two", "for bob", "three"], "nothing is shown twice"
    alice.types("four")
    assert stored(world) == ["one", "two", "three", "four"]
    assert texts(bob)[-1] == texts(alice)[-1] == "four"


def test_what_was_accepted_before_is_not_called_accepted_again(world: World, alice: Actor) -> None:
    backup = deepcopy(world.store)
    alice.types("one")
    device = alice.notebook.device
    put_back(world, backup)
    alice.types("two")
    assert alice.accepted() == [f"{device}:1", f"{device}:2"]


def test_the_person_is_told_in_one_line(world: World, alice: Actor) -> None:
    backup = deepcopy(world.store)
    alice.types("one")
    alice.types("two")
    put_back(world, backup)
    assert alice.seen(shown.PutBack) == [shown.PutBack(again=2, gone=0)]
    world.restart()
    world.wait(30)
    assert len(alice.seen(shown.PutBack)) == 1


def test_what_nobody_has_lost_goes_on_where_it_was(world: World, alice: Actor, bob: Actor) -> None:
    alice.types("one")
    device = alice.notebook.device
    put_back(world, deepcopy(world.store))
    alice.types("two")
    assert (alice.notebook.device, stored(world)) == (device, ["one", "two"])
    assert (texts(alice), texts(bob)) == (["one", "two"],) * 2
    assert bob.notebook.cursors["#lobby"] == 2


def test_a_broker_that_was_put_back_knows_its_accounts_and_nobody_has_to_register(world: World, alice: Actor) -> None:
    put_back(world, deepcopy(world.store))
    assert [online.registered for online in alice.seen(shown.Online)] == [True, False]
    assert alice.seen(shown.Bye) == []


def test_an_account_that_is_younger_than_the_copy_is_made_again_with_all_that_it_said(world: World) -> None:
    backup = deepcopy(world.store)
    alice = world.come("alice")
    alice.types("one")
    put_back(world, backup)
    assert stored(world) == ["one"]
    assert [note.fields["account"] for note in world.notes if note.what == "registered"] == ["alice", "alice"]


def test_who_was_away_reads_what_was_written_in_its_place(world: World, alice: Actor, bob: Actor) -> None:
    """Bob has read two lines that are gone, and comes back when others stand there."""
    backup = deepcopy(world.store)
    alice.types("one")
    alice.types("two")
    bob.deaf = True
    bob.cut()
    alice.deaf = True
    alice.cut()
    put_back(world, backup)
    carol = world.come("carol")
    for number in range(4):
        carol.types(f"instead {number}")
    alice.deaf = bob.deaf = False
    world.wait(60)
    assert stored(world) == [*(f"instead {number}" for number in range(4)), "one", "two"]
    assert texts(bob) == ["one", "two", *(f"instead {number}" for number in range(4))]


def test_a_client_that_starts_anew_still_knows_what_it_has_read(world: World, alice: Actor, bob: Actor) -> None:
    backup = deepcopy(world.store)
    alice.types("one")
    alice.deaf = True
    alice.cut()
    put_back(world, backup)
    bob.kill()
    bob = world.come("bob", notebook=bob.notebook)
    alice.deaf = False
    world.wait(60)
    bob.kill()
    again = world.come("bob", notebook=bob.notebook)
    assert stored(world) == ["one"]
    assert texts(bob) == texts(again) == []
    assert known(again) == ["one"]


def test_put_back_twice_to_the_same_copy(world: World, alice: Actor, bob: Actor) -> None:
    alice.types("one")
    backup = deepcopy(world.store)
    alice.types("two")
    put_back(world, deepcopy(backup), "second")
    bob.types("three")
    put_back(world, deepcopy(backup), "third")
    assert sorted(stored(world)) == ["one", "three", "two"]
    assert (texts(alice), texts(bob)) == (["one", "two", "three"],) * 2


def test_what_was_refused_does_not_turn_up_after_a_restore(world: World, alice: Actor) -> None:
    backup = deepcopy(world.store)
    alice.types("psst", to="late")
    alice.types("one")
    put_back(world, backup)
    world.come("late")
    assert stored(world, "@late") == []
    assert stored(world) == ["one"]
    assert [refused.code for refused in alice.seen(shown.Refused)] == ["no-such-account"]


def test_a_copy_put_back_by_hand_with_the_same_epoch_is_noticed_by_whoever_has_more(
    world: World, alice: Actor, bob: Actor
) -> None:
    backup = deepcopy(world.store)
    alice.types("one")
    alice.types("two")
    put_back(world, backup, backup.epoch)
    alice.types("three")
    assert stored(world) == ["one", "two", "three"]
    assert (texts(alice), texts(bob)) == (["one", "two", "three"],) * 2


def test_a_wiped_broker_is_another_one_where_the_name_is_registered_again(world: World, alice: Actor) -> None:
    alice.types("one")
    put_back(world, MemoryStore(epoch="other", broker=b"another-16-bytes"), "other")
    assert [note.fields["account"] for note in world.notes if note.what == "registered"] == ["alice", "alice"]
    alice.types("two")
    assert stored(world) == ["two"]
    assert known(alice) == ["one", "two"]


def test_what_the_copy_had_and_could_not_confirm_stands_there_once(world: World, alice: Actor) -> None:
    alice.loses = [Accepted]
    alice.types("not confirmed")
    put_back(world, deepcopy(world.store))
    assert stored(world) == ["not confirmed"]
    assert len(alice.accepted()) == 1


def test_a_broker_that_expects_what_it_had_accepted_is_asked_where_it_stands(world: World, alice: Actor) -> None:
    alice.types("one")
    alice.types("two")
    alice.hears(Expected(1))
    alice.types("three")
    assert stored(world) == ["one", "two", "three"]


def test_several_devices_give_back_together_what_was_lost(world: World, alice: Actor, bob: Actor) -> None:
    phone = world.come("alice")
    backup = deepcopy(world.store)
    said = [f"lost by the broker, {actor.notebook.device}" for actor in (alice, bob, phone)]
    for actor, text in zip((alice, bob, phone), said, strict=True):
        actor.types(text)
    put_back(world, backup)
    for number, actor in enumerate((alice, bob, phone)):
        actor.types(str(number))
    assert sorted(stored(world)[:3]) == sorted(said)
    assert stored(world)[3:] == ["0", "1", "2"]
    assert all(texts(actor) == [*said, "0", "1", "2"] for actor in (alice, bob, phone))


def test_a_device_that_only_sends_gives_back_what_was_lost(world: World, alice: Actor) -> None:
    cron = world.come("cron", reads=False)
    backup = deepcopy(world.store)
    cron.types("backup done", to="alice")
    cron.kill()
    put_back(world, backup)
    world.come("cron", reads=False, notebook=cron.notebook)
    assert stored(world, "@alice") == ["backup done"]
    assert texts(alice) == ["backup done"]


def test_a_room_that_another_device_joined_begins_only_where_a_session_has_begun(world: World, alice: Actor) -> None:
    """A session of the broker begins before its Welcome is here: until then the journal may be in another epoch."""
    told = Heard(Joined(0, "#garden", "#garden", Extent(22, 22, 22, 22), ""))
    alice.deaf = True
    alice.cut()
    world.run()
    assert alice.core.handle(told, world.now) == []
    alice.deaf = False
    world.wait(30)
    assert Begin("#garden", 22) in alice.core.handle(told, world.now)
