"""Who is still there: signs of life, silence, losses, and how a client comes back."""

from __future__ import annotations

import itertools
import random

import pytest

from core import shown
from core.anchor import Known
from core.events import Derived, Lost
from core.link import HELLO_S, RETRY_FIRST_S, RETRY_MAX_S
from core.typed import Left as Leaves
from core.typed import Wrote
from protocol import frames, limits
from protocol.frames import Deliver, Hello, Ping, Pong, Quit, Stranger
from tests.core.actor import Actor
from tests.core.faults import FaultyStore
from tests.core.visitor import Visitor
from tests.core.world import World


@pytest.fixture
def world() -> World:
    return World(FaultyStore())


def offlines(actor: Actor) -> list[tuple[str, bool]]:
    """What it was told about absences: why, and whether that was news."""
    return [(event.reason, event.first) for event in actor.seen(shown.Offline)]


# ---- signs of life ------------------------------------------------------------------------------------------


def test_an_idle_client_pings_and_stays(world: World) -> None:
    alice = world.come("alice")
    world.wait(300)
    assert (alice.attempts, len(alice.seen(shown.Online))) == (1, 1)
    pongs = [frame for _, frame in world.sent if isinstance(frame, Pong)]
    assert len(pongs) == 300 / limits.PING_S


def test_a_client_that_has_something_to_say_needs_no_ping(world: World) -> None:
    alice = world.come("alice")
    for number in range(40):
        alice.types(str(number))
        world.wait(2)
    assert [frame for _, frame in world.sent if isinstance(frame, Pong)] == []


def test_an_idle_client_hears_of_a_broker_that_began_anew_on_the_same_connection(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    world.start()  # sessions are gone, connections stand
    alice.types("is anybody there?")
    assert bob.lines() == []
    world.wait(limits.PING_S + 1)
    assert bob.lines() == ["alice>#lobby is anybody there?"]
    assert (bob.attempts, len(bob.seen(shown.Online))) == (1, 2)
    assert [event.first for event in bob.seen(shown.Online)] == [True, False]


def test_a_broker_that_answers_no_ping_is_given_up(world: World) -> None:
    alice = world.come("alice")
    alice.loses = [Pong] * 3
    world.wait(limits.SILENCE_S - 1)
    assert (alice.core.online, alice.loses) == (True, [Pong])
    world.wait(3)
    assert offlines(alice) == [("silent", True)]
    assert (alice.core.online, alice.attempts) == (True, 2)


def test_one_lost_answer_costs_nothing(world: World) -> None:
    alice = world.come("alice")
    alice.loses = [Pong]
    world.wait(60)
    assert (alice.attempts, offlines(alice), alice.loses) == (1, [], [])


def test_a_session_that_has_gone_silent_is_forgotten_and_others_see_it_go(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    bob.frozen = True
    world.wait(limits.SILENCE_S - 2)
    assert alice.seen(shown.Went) == []
    world.wait(4)
    assert [event.accounts for event in alice.seen(shown.Went)] == [["bob"]]
    bob.thaw()
    world.wait(limits.PING_S + 2)
    assert bob.core.online


def test_any_frame_is_a_sign_of_life(world: World) -> None:
    visitor = Visitor(world)
    visitor.enters("alice")
    for ask in range(1, 10):
        world.wait(limits.SILENCE_S - 1)
        assert visitor.says(frames.AskWho(ask)) == [frames.Present(ask, ["alice"])]
    world.wait(limits.SILENCE_S + 1)
    assert world.hung_up == [visitor.peer]
    assert visitor.says(frames.AskWho(10)) == []


def test_a_connection_that_takes_nothing_any_more_ends_its_session(world: World) -> None:
    alice, gone = world.come("alice"), Visitor(world)
    gone.enters("gone")
    world.wait(1)
    del world.wires[gone.peer]
    alice.types("are you there?")
    world.wait(1)
    assert [event.accounts for event in alice.seen(shown.Went)] == [["gone"]]


def test_whoever_leaves_is_gone_at_once_and_does_not_come_back(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    world.wait(1)
    bob.does(Leaves())
    world.wait(60)
    assert [event.accounts for event in alice.seen(shown.Went)] == [["bob"]]
    assert (bob.attempts, bob.peer) == (1, None)
    alice.deaf = True
    alice.cut()
    world.run()
    alice.does(Leaves())
    before = alice.attempts
    world.wait(60)
    assert alice.attempts == before, "nor does who leaves while away"


def test_after_quit_a_connection_is_a_strangers(world: World) -> None:
    visitor = Visitor(world)
    visitor.enters("alice")
    assert visitor.says(Quit(), frames.AskWho(1)) == [Stranger()]


# ---- losses ---------------------------------------------------------------------------------------------------


def test_a_hole_in_what_is_delivered_is_filled(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    bob.loses = [Deliver]
    alice.types("one")
    assert bob.lines() == []
    alice.types("two")
    assert bob.lines() == ["alice>#lobby one", "alice>#lobby two"]
    assert bob.attempts == 1, "on the same connection"


def test_a_loss_shows_in_the_answer_to_a_ping(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    bob.loses = [Deliver]
    alice.types("one")
    world.wait(limits.PING_S + 1)
    assert bob.lines() == ["alice>#lobby one"]
    assert bob.attempts == 1


def test_what_comes_twice_is_shown_once(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    alice.types("one")
    alice.types("two")
    deliver = next(frame for _, frame in world.sent if isinstance(frame, Deliver))
    bob.hears(deliver)
    world.run()
    assert bob.lines() == ["alice>#lobby one", "alice>#lobby two"]


def test_of_a_run_that_is_partly_known_the_rest_is_shown(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    alice.types("one")
    (envelope,) = bob.envelopes()
    later = frames.Envelope(envelope.device, 2, "alice", "#lobby", 0, "none", b"two")
    bob.hears(Deliver([frames.Run("#lobby", 1, [envelope, later])]))
    world.run()
    assert bob.lines() == ["alice>#lobby one", "alice>#lobby two"]


def test_a_run_of_a_log_that_is_not_ones_own_is_ignored(world: World) -> None:
    bob = world.come("bob")
    envelope = frames.Envelope(world.device(), 1, "eve", "mallory", 0, "none", b"psst")
    bob.hears(Deliver([frames.Run("@mallory", 1, [envelope])]))
    world.run()
    assert (bob.lines(), bob.core.online) == ([], True)


def test_an_expected_that_makes_no_sense_is_asked_about(world: World) -> None:
    alice = world.come("alice")
    alice.types("one")
    alice.hears(frames.Expected(1))
    alice.inbox.append(Wrote(text="two"))
    world.run()
    assert len(alice.seen(shown.Online)) == 2
    assert alice.lines() == ["alice>#lobby one", "alice>#lobby two"]


def test_what_makes_no_sense_before_a_login_is_ignored(world: World) -> None:
    alice = world.person("alice")
    world.slow = True
    world.run()
    for frame in (
        frames.Expected(1),
        Deliver([]),
        Stranger(),
        Pong({"#lobby": 7}),
        Hello(1, 0, "a", "b" * 16, True, {}),
    ):
        alice.hears(frame)
    world.slow = False
    world.run()
    assert (alice.core.online, alice.attempts) == (True, 1)
    alice.hears(frames.Unproven(b"b" * 16, "rot13", taken=False))
    alice.hears(next(frame for _, frame in world.sent if isinstance(frame, frames.Welcome)))
    world.run()
    assert (alice.core.online, len(alice.seen(shown.Online))) == (True, 1)


# ---- coming back ----------------------------------------------------------------------------------------------


def test_an_unanswered_hello_is_given_up_after_a_while(world: World) -> None:
    alice = world.person("alice")
    world.slow = True
    world.wait(HELLO_S - 1)
    assert alice.attempts == 1
    world.wait(3)
    assert (offlines(alice), alice.attempts) == ([("silent", True)], 2)
    world.slow = False
    world.run()
    assert alice.core.online


def test_whoever_is_asked_for_a_password_may_think_as_long_as_they_like(world: World) -> None:
    alice = world.person("alice", proves=False)
    alice.thinks = True
    world.wait(10 * HELLO_S)
    alice.inbox.append(Derived(b"secret"))
    world.run()
    assert (alice.core.online, alice.attempts) == (True, 2), "a broker does not wait so long for strangers"


def waits(chance: float, attempts: int) -> list[float]:
    """How long a client that finds nobody waits between its attempts."""
    world = World()
    folder = world.folder()
    world.knows[folder] = Known(world.key)
    alice = world.person("alice", notebook=folder, chance=lambda: chance)
    alice.deaf = True
    while alice.attempts < attempts:
        world.wait(0.05, step=0.05)
    return [event.retry_in for event in alice.seen(shown.Offline)]


def test_attempts_are_spaced_further_and_further_apart_up_to_a_bound() -> None:
    spaced = waits(0.5, attempts=12)
    assert spaced[0] == RETRY_FIRST_S
    assert all(later == min(2 * sooner, RETRY_MAX_S) for sooner, later in itertools.pairwise(spaced))
    assert spaced[-1] == RETRY_MAX_S


def test_not_everybody_comes_back_at_the_same_moment() -> None:
    assert waits(0.0, 4) == [0.05, 0.1, 0.2, 0.4]
    assert waits(0.5, 4) == [0.1, 0.2, 0.4, 0.8]
    assert waits(1.0, 4) == [0.15, 0.3, 0.6, 1.2]


def test_an_absence_is_news_once(world: World) -> None:
    alice = world.come("alice")
    alice.deaf = True
    alice.cut()
    world.wait(10)
    told = offlines(alice)
    assert told[0] == ("cut", True)
    assert len(told) > 3
    assert all(again == ("refused", False) for again in told[1:])
    alice.deaf = False
    world.wait(30)
    alice.cut()
    world.run()
    assert offlines(alice)[-1] == ("cut", True)


def test_being_sent_away_is_news_once_too(world: World) -> None:
    world.busy = True
    alice = world.come("alice")
    world.wait(5)
    assert offlines(alice)[:1] == [("busy", True)]
    assert set(offlines(alice)[1:]) == {("busy", False)}


def test_a_broker_that_goes_down_says_so_and_its_clients_come_back(world: World) -> None:
    alice = world.come("alice")
    world.close()
    assert offlines(alice) == [("closing", True)]
    alice.types("while it is away")
    world.restart()
    world.wait(2)
    assert alice.lines() == ["alice>#lobby while it is away"]


def test_a_client_that_was_told_to_pause_and_then_lost_the_broker_sleeps(world: World) -> None:
    alice = world.come("alice")
    world.store.refuses = "store-full"
    alice.types("one")
    alice.deaf = True
    alice.cut()
    world.wait(20)  # the pause is over long before anybody is there: World sees to it that nobody spins
    alice.deaf = False
    world.store.refuses = ""
    world.wait(30)
    assert alice.lines() == ["alice>#lobby one"]


def test_a_lost_connection_that_was_given_up_already_changes_nothing(world: World) -> None:
    alice = world.come("alice", password="")
    alice.inbox.append(Lost("cut"))
    world.wait(60)
    assert (alice.attempts, offlines(alice)) == (1, [])


def test_after_many_faults_everybody_is_there_again(world: World, seed: int) -> None:
    chance = random.Random(seed)
    actors = [world.come(name) for name in ("alice", "bob", "carol")]
    for number in range(60):
        actor = chance.choice(actors)
        fault = chance.randrange(4)
        if fault == 0:
            actor.cut()
        elif fault == 1:
            actor.loses += [Deliver, Pong, frames.Accepted][: chance.randint(1, 3)]
        elif fault == 2:
            world.start()
        actor.types(str(number))
        world.wait(chance.choice((0, 1, 11)))
    for actor in actors:
        actor.loses.clear()
    world.wait(60)
    assert all(len(actor.core.outbox) == 0 for actor in actors)
    said = [int(envelope.body) for envelope in actors[0].envelopes()]
    assert sorted(said) == list(range(60))
    assert all([int(envelope.body) for envelope in actor.envelopes()] == said for actor in actors)


def test_a_ping_is_an_acknowledgement_too(world: World) -> None:
    visitor = Visitor(world)
    visitor.enters("alice")
    visitor.posts(1, "one")
    visitor.says(Ping({"#lobby": 1}))
    world.wait(2)
    name = "alice/" + visitor.device
    assert world.store.devices([name])[name].cursors == {"#lobby": 1}
