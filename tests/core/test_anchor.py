"""The broker's key as the client sees it: believed once, then never changed by anything that is merely offered."""

from __future__ import annotations

import pytest

from core import shown
from core.anchor import Known
from core.link import KEY_S
from core.typed import RevokedDevice, Wrote
from protocol import frames, keys
from tests.core.actor import Actor
from tests.core.world import BROKER, World, key

OTHER = key(10**6)


@pytest.fixture
def world() -> World:
    return World()


def knowing(world: World, known: Known) -> Actor:
    """Somebody who comes and knows this of the broker."""
    folder = world.folder()
    world.knows[folder] = known
    return world.come("alice", notebook=folder)


def offlines(actor: Actor) -> list[str]:
    """Why the broker was not there."""
    return [event.reason for event in actor.seen(shown.Offline)]


# ---- the first time ------------------------------------------------------------------------------------------


def test_the_first_key_that_is_offered_is_pinned_and_told(world: World) -> None:
    alice = world.come("alice")
    assert [(met.broker, met.key) for met in alice.seen(shown.Met)] == [("tcp://broker:7777", world.key)]
    assert world.knows[alice.notebook] == Known(world.key, since="2026-11-21", broker=BROKER)
    assert [event.key for event in alice.seen(shown.Online)] == [world.key]


def test_afterwards_nobody_is_asked_for_it(world: World) -> None:
    alice = world.come("alice")
    alice.cut()
    world.wait(2)
    alice.kill()
    again = world.come("alice", notebook=alice.notebook)
    assert (alice.core.online, again.core.online) == (True, True)
    assert (alice.asked_keys, again.asked_keys, again.seen(shown.Met)) == (1, 0, [])


def test_whoever_was_given_the_key_needs_no_second_port(world: World) -> None:
    world.offers = ""
    alice = knowing(world, Known(world.key, given=True))
    assert (alice.core.online, alice.asked_keys) == (True, 0)


def test_a_broker_whose_key_nobody_tells_is_asked_for_again(world: World) -> None:
    world.offers = ""
    alice = world.come("alice")
    assert (offlines(alice), alice.attempts) == (["refused"], 0)
    world.offers = world.key
    world.wait(2)
    assert alice.core.online


def test_a_question_for_the_key_that_nobody_answers_is_given_up(world: World) -> None:
    alice = world.person("alice")
    alice.frozen = True
    world.run()
    alice.core.settle(world.now)
    assert alice.core.deadline() == world.now.tick + KEY_S
    world.wait(KEY_S)
    alice.thaw()
    world.run()
    assert offlines(alice) == ["silent"]
    world.wait(2)
    assert alice.core.online


def test_a_first_key_that_its_owner_cannot_show_is_not_believed(world: World) -> None:
    world.offers = OTHER
    alice = world.come("alice")
    world.wait(5)
    assert not alice.core.online
    assert world.sent == []
    assert alice.seen(shown.KeyChanged) == [], "what is offered is what was believed"


# ---- another key ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [False, True])
def test_another_key_ends_the_client_and_nothing_is_sent(world: World, given: bool) -> None:
    alice = knowing(world, Known(OTHER, given=given, since="2026-01-01"))
    alice.does(Wrote(text="for the right one only"))
    (changed,) = alice.seen(shown.KeyChanged)
    assert (changed.code, changed.key, changed.offered) == ("key-changed", OTHER, world.key)
    assert (changed.given, changed.since, changed.account) == (given, "2026-01-01", "alice")
    assert changed.text.endswith("nothing was sent")
    assert (world.sent, alice.peer) == ([], None)
    world.wait(60)
    assert (alice.attempts, alice.asked_keys) == (1, 1)
    assert world.knows[alice.notebook].key == OTHER, "what is offered never changes the pin"


def test_a_broker_that_gets_another_key_while_we_are_there_is_noticed(world: World) -> None:
    alice = world.come("alice")
    world.key = world.offers = OTHER
    world.restart()
    world.wait(2)
    assert [event.offered for event in alice.seen(shown.KeyChanged)] == [OTHER]
    assert not alice.core.online


def test_a_failed_handshake_with_the_same_key_on_offer_is_a_busy_broker(world: World) -> None:
    alice = world.come("alice")
    owned, world.key = world.key, OTHER  # its handshakes fail for now
    alice.cut()
    world.wait(10)
    assert (alice.seen(shown.KeyChanged), set(offlines(alice)[1:])) == ([], {"busy"})
    assert alice.asked_keys > 2
    world.key = owned
    world.wait(30)
    assert alice.core.online


def test_a_failed_handshake_about_which_nobody_answers_at_all_is_tried_again(world: World) -> None:
    """The port behind the broker's may be one that a firewall drops everything for."""
    alice = world.come("alice")
    alice.unanswered = True
    owned, world.key = world.key, OTHER
    alice.cut()
    world.wait(2)
    world.key = owned
    world.wait(60)
    assert set(offlines(alice)[1:]) == {"silent"}
    assert alice.core.online


def test_a_failed_handshake_that_nobody_explains_is_tried_again(world: World) -> None:
    alice = world.come("alice")
    owned, world.key, world.offers = world.key, OTHER, ""
    alice.cut()
    world.wait(10)
    assert (alice.seen(shown.Bye), set(offlines(alice)[1:])) == ([], {"refused"})
    world.key = owned
    world.wait(30)
    assert alice.core.online


# ---- another broker under the right key ----------------------------------------------------------------------


def test_a_broker_with_another_ones_id_is_not_shown_a_password(world: World) -> None:
    alice = knowing(world, Known(world.key, others={BROKER: OTHER}))
    (bye,) = alice.seen(shown.Bye)
    assert bye.code == "other-broker"
    assert keys.grouped(OTHER) in bye.text
    assert world.checked == []
    assert [type(frame) for _, frame in world.sent] == [frames.Unproven]


def test_the_same_broker_under_a_second_address_is_no_other(world: World) -> None:
    alice = knowing(world, Known(world.key, others={BROKER: world.key}))
    assert alice.core.online


def test_a_revoked_device_ends_and_does_not_try_again(world: World) -> None:
    alice, other = world.come("alice"), world.come("alice")
    other.kill()
    alice.does(RevokedDevice(device=other.notebook.device))
    again = world.come("alice", notebook=other.notebook)
    assert [bye.code for bye in again.seen(shown.Bye)] == ["revoked"]
    world.wait(60)
    assert again.attempts == 1
