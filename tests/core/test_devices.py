"""One account, several devices: each has its own cursors, all have all messages."""

from __future__ import annotations

import pytest

from core import shown
from core.typed import JoinedRoom
from protocol.frames import Extent
from tests.core.actor import Actor
from tests.core.visitor import Visitor
from tests.core.world import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def bob(world: World) -> Actor:
    return world.come("bob")


def texts(actor: Actor) -> list[str]:
    return [line.split(maxsplit=1)[1] for line in actor.lines()]


def test_what_one_device_says_stands_in_its_place_on_all_devices(world: World, bob: Actor) -> None:
    phone, desk = world.come("alice"), world.come("alice")
    phone.types("from the phone", to="bob")
    bob.types("hello", to="alice")
    desk.types("from the desk", to="bob")
    assert phone.lines() == desk.lines() == ["alice>bob from the phone", "bob>alice hello", "alice>bob from the desk"]
    assert texts(bob) == ["from the phone", "hello", "from the desk"]


def test_a_device_that_was_away_gets_what_the_other_has_read_long_ago(world: World, bob: Actor) -> None:
    phone, desk = world.come("alice"), world.come("alice")
    desk.kill()
    bob.types("one", to="alice")
    bob.types("two", to="alice")
    world.wait(5)
    desk = world.come("alice", notebook=desk.notebook)
    assert texts(phone) == texts(desk) == ["one", "two"]
    assert [event.waiting for event in desk.seen(shown.Online)] == [2]


def test_a_new_device_starts_where_the_account_has_read_up_to(world: World, bob: Actor) -> None:
    phone = world.come("alice")
    bob.types("read on the phone", to="alice")
    bob.types("read on the phone, too")
    world.wait(5)
    phone.kill()
    bob.types("waits", to="alice")
    bob.types("waits, too")
    desk = world.come("alice")
    assert sorted(texts(desk)) == ["waits", "waits, too"]
    phone = world.come("alice", notebook=phone.notebook)
    assert sorted(texts(phone)) == ["waits", "waits, too"], "what came to the new device came to the old one as well"


def test_the_first_device_finds_what_came_before_it_read_anything(world: World, bob: Actor) -> None:
    cron = world.come("cron", reads=False)
    bob.types("are you a machine?", to="cron")
    cron.kill()
    person = world.come("cron")
    assert texts(person) == ["are you a machine?"]


def test_a_device_that_only_sent_before_starts_where_the_account_has_read_up_to(world: World, bob: Actor) -> None:
    phone, cron = world.come("alice"), world.come("alice", reads=False)
    cron.types("backup done")
    bob.types("thanks", to="alice")
    world.wait(5)
    cron.kill()
    phone.kill()
    bob.types("are you there?", to="alice")
    reading = world.come("alice", notebook=cron.notebook)
    assert texts(reading) == ["are you there?"]


def test_a_run_that_only_sends_takes_no_mail_away(world: World, bob: Actor) -> None:
    alice = world.come("alice")
    alice.kill()
    bob.types("for you", to="alice")
    cron = world.come("alice", notebook=alice.notebook, reads=False)
    cron.types("backup done")
    world.wait(60)
    cron.kill()
    assert cron.lines() == []
    alice = world.come("alice", notebook=alice.notebook)
    assert "for you" in texts(alice)


def test_a_device_that_knows_some_rooms_begins_a_new_one_where_it_was_joined(world: World, bob: Actor) -> None:
    phone, desk = world.come("alice"), world.come("alice")
    bob.does(JoinedRoom(room="#club"))
    bob.types("before", to="#club")
    desk.kill()
    phone.does(JoinedRoom(room="#club"))
    bob.types("after", to="#club")
    world.wait(5)
    desk = world.come("alice", notebook=desk.notebook)
    assert texts(desk) == ["after"]


def test_devices_of_two_accounts_may_have_drawn_the_same_id(world: World, bob: Actor) -> None:
    alice = Visitor(world, bob.notebook.device)
    assert alice.enters("alice").last == 0
    bob.types("one")
    assert alice.posts(1, "two")[0].n == 1
    assert texts(bob) == ["one", "two"]


def test_where_a_device_begins_is_said_at_the_login(world: World) -> None:
    phone = Visitor(world)
    phone.enters("alice")
    phone.posts(1, "one", "two", "three", to="alice")
    desk = Visitor(world)
    assert desk.enters("alice").logs["@alice"] == Extent(floor=0, start=0, head=3, base=3)
    assert [seq for seq, _ in desk.delivered("@alice")] == [1, 2, 3]
    third = Visitor(world)
    third.enters("alice", cursors={"@alice": 2})
    assert [seq for seq, _ in third.delivered("@alice")] == [3]
    fourth = Visitor(world)
    fourth.enters("alice", cursors={"@alice": 99})
    assert fourth.delivered("@alice") == []
    phone.posts(4, "four", to="alice")
    assert fourth.delivered("@alice") == [(4, b"four")], "a cursor beyond the end is taken for the end"
