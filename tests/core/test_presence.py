"""Who comes and goes: told once, gathered, and only when it is true."""

from __future__ import annotations

import pytest

from core import shown
from core.presence import PRESENCE_S, Pace
from core.typed import AskedWho
from protocol import frames, limits
from protocol.frames import Presence
from tests.core.actor import Actor
from tests.core.visitor import Visitor
from tests.core.world import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def alice(world: World) -> Actor:
    """Somebody who has been there for a while and has heard what there was to hear."""
    alice = world.come("alice")
    world.wait(1)
    alice.shown.clear()
    return alice


def came(actor: Actor) -> list[str]:
    return [name for event in actor.seen(shown.Came) for name in event.accounts]


def went(actor: Actor) -> list[str]:
    return [name for event in actor.seen(shown.Went) for name in event.accounts]


def test_coming_and_going_is_told_once_each(world: World, alice: Actor) -> None:
    bob = world.come("Bob")
    world.wait(1)
    bob.kill()
    world.wait(1)
    assert (came(alice), went(alice)) == (["Bob"], ["Bob"])
    assert {event.room for event in alice.seen(shown.Came) + alice.seen(shown.Went)} == {"#lobby"}


def test_nobody_is_told_about_themselves(world: World, alice: Actor) -> None:
    bob = world.come("bob")
    world.wait(1)
    assert (came(bob), went(bob)) == ([], [])


def test_an_account_is_there_while_any_of_its_devices_is(world: World, alice: Actor) -> None:
    watcher = Visitor(world)
    watcher.enters("watcher")
    phone = world.come("bob")
    world.wait(1)
    desk = world.come("bob")
    world.wait(1)
    phone.kill()
    world.wait(1)
    assert went(alice) == []
    desk.kill()
    world.wait(1)
    assert went(alice) == ["bob"]
    assert [name for notice in watcher.got(Presence) for name in notice.joined].count("bob") == 1


def test_a_run_that_only_sends_is_not_seen(world: World, alice: Actor) -> None:
    cron = world.come("cron", reads=False)
    cron.types("backup done")
    world.wait(1)
    cron.kill()
    world.wait(1)
    assert (came(alice), went(alice), alice.lines()) == ([], [], ["cron>#lobby backup done"])


def test_who_leaves_and_returns_at_once_has_not_been_away(world: World, alice: Actor) -> None:
    bob = world.come("bob")
    world.wait(PRESENCE_S / 2, step=0.1)
    bob.kill()
    world.run()
    bob = world.come("bob", notebook=bob.notebook)
    world.wait(1)
    assert (came(alice), went(alice)) == (["bob"], [])


def test_who_comes_and_leaves_at_once_has_not_been_there(world: World, alice: Actor) -> None:
    world.come("first")  # told at once; what follows is gathered
    bob = world.come("bob")
    bob.kill()
    world.wait(1)
    assert (came(alice), went(alice)) == (["first"], [])


def test_a_new_login_of_a_device_is_not_coming_and_going(world: World, alice: Actor) -> None:
    bob = Visitor(world)
    bob.enters("bob")
    world.wait(1)
    bob.enters("bob")
    again = Visitor(world, bob.device)
    again.enters("bob")
    world.wait(1)
    assert (came(alice), went(alice)) == (["bob"], [])


def test_a_thousand_logins_are_a_few_notices(world: World, alice: Actor) -> None:
    watcher = Visitor(world)
    watcher.enters("watcher")
    crowd = [Visitor(world) for _ in range(1000)]
    for number, each in enumerate(crowd):
        each.utters(each.hello(f"guest{number}"))
    world.wait(5, step=0.1)
    notices = watcher.got(Presence)
    assert len(notices) <= 5
    named = [name for notice in notices for name in notice.joined]
    assert len(set(named) - {"alice", "watcher"}) + sum(notice.more for notice in notices) == 1000
    assert all(len(notice.joined) <= limits.LISTED_NAMES for notice in notices)


def test_a_notice_with_the_longest_names_fits_one_frame(world: World) -> None:
    watcher = Visitor(world)
    watcher.enters("watcher")
    world.wait(1)
    leaving = [Visitor(world) for _ in range(limits.LISTED_NAMES + 10)]
    for number, each in enumerate(leaving):
        each.enters(f"{'𐌰' * 28}{number:04}")  # Gothic: four bytes a letter
    world.wait(2)
    Visitor(world).enters("first")  # told at once; what follows is gathered
    for each in leaving:
        each.utters(frames.Quit())
    coming = [Visitor(world) for _ in leaving]
    for number, each in enumerate(coming):
        each.utters(each.hello(f"{'𐌰' * 28}{number + 5000:04}"))
    world.run()
    world.wait(1)  # World looks at the size of every frame
    last = watcher.got(Presence)[-1]
    assert (len(last.joined), len(last.left), last.more) == (limits.LISTED_NAMES, limits.LISTED_NAMES, 20)


def test_whoever_was_told_in_answer_to_who_does_not_come_again(world: World, alice: Actor) -> None:
    world.come("first")
    world.come("bob")  # gathered: not told yet
    alice.does(AskedWho())
    assert alice.seen(shown.Who)[-1].accounts == ["alice", "bob", "first"]
    world.wait(1)
    assert came(alice) == ["first"]


def test_whoever_is_there_does_not_come_again_before_they_have_gone(world: World, alice: Actor) -> None:
    for joined, left in ((["bob"], []), (["bob"], []), ([], ["bob"]), (["bob"], [])):
        alice.hears(Presence("#lobby", joined, left))
    world.run()
    assert (came(alice), went(alice)) == (["bob", "bob"], ["bob"])


def test_further_names_are_counted_for_people_too(world: World, alice: Actor) -> None:
    alice.hears(Presence("#lobby", ["bob"], ["carol"], more=7))
    alice.hears(Presence("#lobby", [], ["bob"], more=2))
    world.run()
    (event,) = alice.seen(shown.Came)
    assert (event.accounts, event.more) == (["bob"], 7)
    assert went(alice) == ["carol", "bob"]


def test_the_more_are_told_the_longer_the_next_notice_waits() -> None:
    pace = Pace()
    pace.told(100.0, 10)
    assert pace.next == 100.0 + PRESENCE_S
    pace.told(100.0, 10_000)
    assert pace.next == 102.0, "five thousand notices a second, whoever comes and goes"
