"""What becomes of what is sent: stored once and in order, refused with a reason, or kept until it can be stored."""

from __future__ import annotations

import itertools

import pytest

from core import records, shown
from core.commands import REFUSALS_KEPT, Put
from core.sends import ROUTES
from core.typed import Wrote
from protocol import frames, limits
from protocol.frames import Accepted, Deliver, Expected, Join, Refused
from tests.core.faults import FaultyStore, LateStore
from tests.core.visitor import Visitor, post
from tests.core.world import World


def stored(world: World, log: str) -> list[bytes]:
    """The bodies that stand in a log."""
    return [frames.decode_envelope(packed).body for packed in world.store.read(log, 0, 10_000, 10**9).envelopes]


def numbers(heard: list[frames.Frame]) -> dict[int, str]:
    """What was refused, by number, as all the Accepted among these say it."""
    return {each.n: each.code for frame in heard if isinstance(frame, Accepted) for each in frame.refused}


@pytest.fixture
def world() -> World:
    return World(FaultyStore())


@pytest.fixture
def alice(world: World) -> Visitor:
    visitor = Visitor(world)
    visitor.enters("alice")
    return visitor


# ---- numbers --------------------------------------------------------------------------------------------


def test_what_is_sent_again_is_accepted_again_and_stored_once(world: World, alice: Visitor) -> None:
    first, again = alice.posts(1, "one", "two"), alice.posts(1, "one", "two")
    assert (first[0], again) == (Accepted(2), [Accepted(2)])
    assert stored(world, "#lobby") == [b"one", b"two"]


def test_copies_within_one_turn_are_stored_once(world: World, alice: Visitor) -> None:
    heard = alice.says(post(1, "one"), post(1, "one"), post(1, "one", "two"))
    assert [frame for frame in heard if not isinstance(frame, Deliver)] == [Accepted(2)]
    assert stored(world, "#lobby") == [b"one", b"two"]


def test_of_a_post_that_is_partly_known_the_rest_is_stored(world: World, alice: Visitor) -> None:
    alice.posts(1, "one", "two")
    assert alice.posts(2, "two", "three")[0] == Accepted(3)
    assert stored(world, "#lobby") == [b"one", b"two", b"three"]


def test_a_post_ahead_of_its_turn_is_not_kept_and_the_broker_says_what_it_expects(world: World, alice: Visitor) -> None:
    alice.posts(1, "one")
    assert alice.posts(3, "three") == [Expected(2)]
    assert stored(world, "#lobby") == [b"one"]
    heard = alice.posts(2, "two", "three")
    assert heard[0] == Accepted(3)
    assert not any(isinstance(frame, Expected) for frame in heard + alice.posts(4, "four")), "that was said once"


def test_a_client_fills_a_hole_by_itself(world: World) -> None:
    bob = world.come("bob")
    bob.inbox += [Wrote(text="one")]
    bob.turn()
    world.inbox.clear()  # the frame is lost on its way
    bob.types("two")
    assert stored(world, "#lobby") == [b"one", b"two"]
    assert len(bob.core.outbox) == 0


def test_acceptances_of_a_turn_are_gathered_into_one_frame(alice: Visitor) -> None:
    heard = alice.says(*(post(n, "text") for n in range(1, 101)))
    assert [frame for frame in heard if isinstance(frame, Accepted)] == [Accepted(100)]


def test_a_broker_that_dies_before_the_commit_loses_nothing_and_after_it_doubles_nothing() -> None:
    for side in ("before", "after"):
        world = World(FaultyStore())
        alice = world.come("alice")
        world.store.dies = side
        alice.types("one")
        assert alice.accepted() == []
        world.wait(2)
        assert (len(alice.accepted()), stored(world, "#lobby"), alice.lines()) == (1, [b"one"], ["alice>#lobby one"])


# ---- addresses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("nobody", "no-such-account"),
        ("#nowhere", "no-such-room"),
        ("#club", "not-a-member"),
        ("no name", "bad-name"),
        ("#", "bad-name"),
        ("x" * limits.LOG_CHARS, "bad-name"),
    ],
)
def test_a_message_that_can_go_nowhere_is_refused_and_says_why(
    world: World, alice: Visitor, to: str, code: str
) -> None:
    Visitor(world).enters("bob")
    carol = Visitor(world)
    carol.enters("carol")
    carol.says(frames.Join(1, "#club"))
    heard = alice.says(post(1, "psst", to=to), post(2, "but this can"))
    assert numbers(heard) == {1: code}
    (refusal,) = heard[0].refused
    assert to in refusal.text
    assert [stored(world, log) for log in ("#lobby", "#club", "@alice", "@bob")] == [[b"but this can"], [], [], []]


def test_an_address_may_be_spelt_in_any_case_and_is_shown_as_registered(world: World, alice: Visitor) -> None:
    Visitor(world).enters("Bob")
    alice.posts(1, "psst", to="BOB")
    ((_, envelope),) = ((run.log, run.envelopes[0]) for frame in alice.got(Deliver) for run in frame.runs)
    assert (envelope.to, envelope.author) == ("Bob", "alice")


def test_a_message_to_oneself_enters_one_mailbox_once(world: World, alice: Visitor) -> None:
    alice.posts(1, "buy milk", to="ALICE")
    assert stored(world, "@alice") == [b"buy milk"]
    assert alice.delivered("@alice") == [(1, b"buy milk")]


def test_a_script_may_write_to_very_many(world: World, alice: Visitor) -> None:
    accounts = [f"reader{number}" for number in range(1100)]
    made = ((name, records.pack(records.Account(name, "a2split1", "", 0))) for name in accounts)
    world.store.submit([Put(records.account(name), packed, 0) for name, packed in made], world.now)
    world.store.poll()
    for start in range(0, len(accounts), 50):
        items = [frames.Item(name, "none", b"news") for name in accounts[start : start + 50]]
        assert alice.says(frames.Post(start + 1, items))[0] == Accepted(start + 50)
    assert numbers(alice.heard) == {}
    assert len(world.broker.core.sessions.by_peer[alice.peer].routes) <= ROUTES, "good addresses are remembered, a part"
    assert all(stored(world, "@" + name) == [b"news"] for name in accounts)


# ---- refusals -------------------------------------------------------------------------------------------


def test_a_lost_refusal_is_told_again_and_never_turns_into_an_acceptance(world: World, alice: Visitor) -> None:
    lost = alice.says(post(1, "one"), post(2, "psst", to="nobody"), post(3, "three"))
    assert numbers(lost) == {2: "no-such-account"}
    assert numbers(alice.says(post(2, "psst", to="nobody"))) == {2: "no-such-account"}
    assert numbers(alice.says(post(3, "three"))) == {}, "that one was accepted"


def test_a_refusal_is_known_after_a_new_login_and_after_a_restart(world: World, alice: Visitor) -> None:
    alice.posts(1, "psst", to="nobody")
    Visitor(world).enters("nobody")  # even if by now it could be delivered
    again = Visitor(world, alice.device)
    assert again.enters("alice").last == 1
    assert numbers(again.posts(1, "psst", to="nobody")) == {1: "no-such-account"}
    world.restart()
    third = Visitor(world, alice.device)
    third.enters("alice")
    assert numbers(third.posts(1, "psst", to="nobody")) == {1: "no-such-account"}
    assert numbers(third.posts(2, "psst", to="nobody again")) == {2: "bad-name"}
    assert stored(world, "@nobody") == []


def test_a_person_sees_the_text_of_what_was_refused(world: World) -> None:
    bob = world.come("bob")
    bob.types("psst", to="nobody", tag="t1")
    (refused,) = bob.seen(shown.Refused)
    assert (refused.code, refused.to, refused.body, refused.tag) == ("no-such-account", "nobody", "psst", "t1")
    assert refused.id == f"{bob.notebook.device}:1"
    assert len(bob.core.outbox) == 0


def test_refusals_are_kept_for_a_window_of_numbers_and_no_longer(world: World, alice: Visitor) -> None:
    for n in range(1, 401):
        alice.posts(n, "psst", to="nobody")
    device = records.device("alice", alice.device)
    kept = world.store.devices([device])[device].refused
    assert list(kept) == list(range(401 - REFUSALS_KEPT, 401))
    assert set(numbers(alice.posts(1, "psst", to="nobody"))) == set(kept)


def test_a_window_of_refusals_with_the_longest_sentences_fits_its_frames(world: World, alice: Visitor) -> None:
    to = "語" * limits.LOG_CHARS
    posts = [post(n, *["psst"] * 64, to=to) for n in range(1, limits.WINDOW_MESSAGES + 1, 64)]
    heard = alice.says(*posts)
    assert set(numbers(heard)) == set(range(1, limits.WINDOW_MESSAGES + 1))
    assert [frame.n for frame in heard] == sorted(frame.n for frame in heard)
    for before, after in itertools.pairwise(heard):
        assert all(before.n < refusal.n <= after.n for refusal in after.refused), "said together with its number"
    assert all(len(frames.encode(frame)) <= limits.FRAME_BYTES + 1000 for frame in heard)


# ---- a store that can't -----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["store-full", "store-down"])
def test_while_the_store_fails_sends_are_refused_and_delivery_goes_on(world: World, code: str) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    bob.frozen = True
    alice.types("before")
    world.store.refuses = code
    alice.types("while it is so")
    alice.types("still")
    bob.thaw()
    world.run()
    assert bob.lines() == ["alice>#lobby before"]
    assert [notice.text for notice in alice.seen(shown.Notice)] == [
        next(frame.text for _, frame in world.sent if isinstance(frame, Refused))
    ]
    assert alice.codes() == [], "it is only put off"
    world.wait(20)
    world.store.refuses = ""
    world.wait(6)
    assert bob.lines() == ["alice>#lobby before", "alice>#lobby while it is so", "alice>#lobby still"]
    assert len(alice.accepted()) == 3


def test_a_full_store_tells_when_to_try_again(world: World, alice: Visitor) -> None:
    world.store.refuses = "store-full"
    (refused,) = alice.says(post(1, "one"), post(2, "two"), post(3, "psst", to="nobody"))
    assert (refused.code, refused.ask, refused.retry_s) == ("store-full", 0, 5.0)
    world.store.refuses = ""
    assert alice.posts(2, "two") == [Expected(1)]
    heard = alice.says(post(1, "one", "two"), post(3, "psst", to="nobody"))
    assert (heard[0].n, numbers(heard)) == (3, {3: "no-such-account"})


def test_a_registration_that_cannot_be_stored_is_tried_again(world: World) -> None:
    world.store.refuses = "store-full"
    bob = world.come("bob")
    assert [event.reason for event in bob.seen(shown.Offline)] == ["store-full"]
    world.store.refuses = ""
    world.wait(7)
    assert bob.seen(shown.Online)[0].registered


def test_a_refusal_that_was_not_stored_is_decided_anew(world: World, alice: Visitor) -> None:
    world.store.refuses = "store-full"
    alice.posts(1, "psst", to="bob")
    world.store.refuses = ""
    Visitor(world).enters("bob")
    assert alice.posts(1, "psst", to="bob")[0] == Accepted(1)
    assert stored(world, "@bob") == [b"psst"]


def test_refusals_are_kept_again_after_the_store_has_failed(world: World, alice: Visitor) -> None:
    alice.posts(1, "psst", to="nobody")
    world.store.refuses = "store-full"
    alice.posts(2, "psst", to="nobody")
    world.store.refuses = ""
    alice.posts(2, "psst", to="nobody")
    world.restart()
    again = Visitor(world, alice.device)
    assert again.enters("alice").last == 2
    assert set(numbers(again.posts(1, "psst", "psst", to="nobody"))) == {1, 2}


@pytest.mark.parametrize("kept", [False, True])
def test_a_group_of_unknown_fate_is_submitted_again_and_nothing_is_accepted_before(world: World, kept: bool) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    world.store.doubts.extend([kept, kept])
    alice.inbox.append(Wrote(text="one"))
    alice.turn()
    world.turn()
    alice.turn()
    assert alice.accepted() == []
    world.run()
    assert len(alice.accepted()) == 1
    assert bob.lines() == alice.lines() == ["alice>#lobby one"]


@pytest.mark.parametrize("kept", [False, True])
def test_refusals_of_unknown_fate_are_no_acceptances_to_a_session_that_came_meanwhile(
    world: World, alice: Visitor, kept: bool
) -> None:
    again = Visitor(world, alice.device)
    world.slow = True
    again.says(again.hello("alice"))
    world.slow = False
    world.store.doubts.append(kept)
    alice.utters(post(1, "psst", to="nobody"))
    world.run()
    assert numbers(again.heard + again.posts(1, "psst", to="nobody")) == {1: "no-such-account"}
    assert all(1 in numbers([frame]) for frame in again.got(Accepted))


def test_a_login_waits_for_what_an_earlier_session_has_handed_over() -> None:
    world = World(LateStore(turns=4))
    alice = Visitor(world)
    alice.enters("alice")
    again = Visitor(world, alice.device, alice.key)
    alice.utters(post(1, "one", "two"))
    again.utters(again.hello("alice"))
    for _ in range(3):
        world.turn()
    assert again.got(frames.Welcome) == [], "it would say a last number that is about to be another one"
    world.run()
    assert [welcome.last for welcome in again.got(frames.Welcome)] == [2]
    again.posts(1, "one", "two", "three")
    assert stored(world, "#lobby") == [b"one", b"two", b"three"]
    assert again.got(Accepted)[-1] == Accepted(3)


def test_what_is_stored_behind_a_group_in_doubt_says_nothing_of_that_group() -> None:
    """What was refused once, and not kept, is judged anew: only the answer to the later judgement counts."""
    store = LateStore(2)
    world = World(store)
    alice, bob = Visitor(world), Visitor(world)
    for each, name in ((alice, "alice"), (bob, "bob")):
        each.enters(name)
    bob.says(Join(1, "#club"))
    store.refuses = "store-full"
    alice.posts(1, "one", to="#club")
    store.refuses = ""
    alice.says(Join(1, "#club"))
    store.doubts = True
    alice.utters(post(1, "one", to="#club"))
    world.turn()
    store.doubts = False
    alice.says(post(2, "two", to="#club"))
    assert [body for _, body in bob.delivered("#club")] == [b"one", b"two"]
    assert [(each.n, each.refused) for each in alice.got(Accepted)] == [(2, [])]


def test_what_was_handed_over_behind_a_failed_group_is_asked_for_again() -> None:
    world = World(LateStore(turns=3))
    alice = world.come("alice")
    world.store.refuses = "store-down"
    alice.inbox.append(Wrote(text="one"))
    for _ in range(2):
        world.turn()
    world.store.refuses = ""
    alice.inbox.append(Wrote(text="two"))
    world.run()
    assert Expected(1) in [frame for _, frame in world.sent]
    world.wait(6)
    assert stored(world, "#lobby") == [b"one", b"two"]
    assert len(alice.accepted()) == 2


def test_what_a_bot_sends_is_marked_and_what_its_account_sends_otherwise_is_not(world: World) -> None:
    """The mark says that a program talks, not whose it is."""
    bot, person = Visitor(world), Visitor(world)
    bot.enters("echo", bot=True)
    bot.posts(1, "one")
    person.enters("echo")
    person.posts(1, "two")
    marks = [frames.decode_envelope(packed).bot for packed in world.store.read("#lobby", 0, 10, 10**9).envelopes]
    assert marks == [True, False]
