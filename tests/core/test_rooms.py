"""Rooms: made, joined, left; who may write there, and from where one reads."""

from __future__ import annotations

import pytest

from core import records, shown
from core.commands import Put
from core.typed import Chose, JoinedRoom, LeftRoom
from protocol import frames, limits
from protocol.frames import AskWho, Join, Joined, Leave, Left, Refused
from tests.core.faults import FaultyStore
from tests.core.visitor import Visitor, post
from tests.core.world import World


@pytest.fixture
def world() -> World:
    return World(FaultyStore())


def visitor(world: World, name: str, device: str = "", **changes: object) -> Visitor:
    """Somebody who is in."""
    came = Visitor(world, device)
    came.enters(name, **changes)
    return came


def test_the_first_who_joins_a_room_makes_it_and_its_name_is_as_they_wrote_it(world: World) -> None:
    alice, bob = visitor(world, "alice"), visitor(world, "bob")
    (made,) = alice.says(Join(1, "#Club"))
    (joined,) = bob.says(Join(4, "#CLUB"))
    assert (made.ask, made.room, made.log) == (1, "#Club", "#club")
    assert (joined.ask, joined.room, joined.log) == (4, "#Club", "#club")
    bob.posts(1, "hello", to="#cLUB")
    assert alice.delivered("#club") == bob.delivered("#club") == [(1, b"hello")]
    assert alice.got(frames.Deliver)[0].runs[0].envelopes[0].to == "#Club"


def test_only_members_hear_what_is_said(world: World) -> None:
    alice, bob, carol = world.come("alice"), world.come("bob"), world.come("carol")
    for each in (alice, bob):
        each.does(JoinedRoom(room="#club"))
    alice.types("among us", to="#club")
    assert alice.lines() == bob.lines() == ["alice>#club among us"]
    assert carol.lines() == []
    assert bob.seen(shown.Inside) == [shown.Inside(account="bob", room="#club")]
    world.wait(1)
    assert alice.seen(shown.Came)[-1] == shown.Came(room="#club", accounts=["bob"])


def test_who_joins_reads_from_then_on(world: World) -> None:
    alice, bob = visitor(world, "alice"), visitor(world, "bob")
    alice.says(Join(1, "#club"))
    alice.posts(1, "before")
    alice.posts(2, "before", to="#club")
    (joined,) = bob.says(Join(1, "#club"))
    assert joined.extent == frames.Extent(1, 1, 1, 1)
    alice.posts(3, "after", to="#club")
    assert bob.delivered("#club") == [(2, b"after")]
    again = visitor(world, "bob")
    assert again.delivered("#club") == [(2, b"after")], "nobody acknowledged it yet"


def test_what_is_said_while_one_joins_is_not_lost(world: World) -> None:
    alice, bob = visitor(world, "alice"), visitor(world, "bob")
    alice.says(Join(1, "#club"))
    bob.utters(Join(1, "#club"))
    for n in range(1, 6):
        alice.utters(post(n, str(n), to="#club"))
        world.turn()
    world.run()
    assert [seq for seq, _ in bob.delivered("#club")] == [1, 2, 3, 4, 5]


def test_all_devices_of_an_account_come_along(world: World) -> None:
    first, second = visitor(world, "alice"), visitor(world, "alice")
    sender = visitor(world, "alice", reads=False)
    first.says(Join(7, "#club"))
    assert [joined.ask for each in (first, second, sender) for joined in each.got(Joined)] == [7, 0, 0]
    sender.posts(1, "I may write, too", to="#club")
    assert first.delivered("#club") == second.delivered("#club") == [(1, b"I may write, too")]
    assert sender.delivered("#club") == []
    second.says(Leave(2, "#club"))
    assert [left.ask for each in (first, second, sender) for left in each.got(Left)] == [0, 2, 0]
    assert first.posts(1, "psst", to="#club")[0].refused[0].code == "not-a-member"


@pytest.mark.parametrize("when", range(8))
def test_a_device_that_logs_in_while_another_joins_reads_the_room_once(world: World, when: int) -> None:
    alice, bob, late = visitor(world, "alice"), visitor(world, "bob"), Visitor(world)
    bob.says(Join(1, "#club"))
    late.enters("alice")
    late.says(frames.Quit())
    world.store.doubts.extend([False] * 3)  # each step of joining takes a turn more
    alice.utters(Join(1, "#club"))
    for n in range(1, 13):
        if n == when + 1:
            late.utters(late.hello("alice"))
        bob.utters(post(n, str(n), to="#club"))
        world.turn()
    world.run()
    for each in (alice, late):
        assert [seq for seq, _ in each.delivered("#club")] == list(range(1, 13))


def test_who_leaves_hears_no_more_and_may_come_back_later(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    for each in (alice, bob):
        each.does(JoinedRoom(room="#club"))
    bob.does(LeftRoom(room="#club"))
    alice.types("now that he is gone", to="#club")
    bob.does(JoinedRoom(room="#club"))
    alice.types("hello again", to="#club")
    assert bob.lines() == ["alice>#club hello again"]
    told = [event for event in bob.shown if isinstance(event, shown.Inside | shown.Outside | shown.Gone)]
    inside, outside = shown.Inside(account="bob", room="#club"), shown.Outside(account="bob", room="#club")
    assert told == [inside, outside, inside]


def test_who_joins_a_room_that_they_are_in_goes_there(world: World) -> None:
    bob = world.come("bob")
    bob.does(JoinedRoom(room="#club"), Chose(to="#lobby"), JoinedRoom(room="#Club"))
    bob.types("for the club")
    assert (bob.codes(), bob.lines()) == ([], ["bob>#club for the club"])
    bob.does(JoinedRoom(room="#lobby"))
    bob.types("for all")
    assert (bob.codes(), bob.lines()[1:]) == ([], ["bob>#lobby for all"])


def test_what_waits_in_a_room_that_one_leaves_is_waited_for_no_longer(world: World) -> None:
    alice, bob = visitor(world, "alice"), world.come("bob")
    alice.says(Join(1, "#club"))
    bob.does(JoinedRoom(room="#club"))
    bob.kill()
    alice.posts(1, "late", to="#club")
    bob = world.person("bob", notebook=bob.notebook)
    bob.loses = [frames.Deliver]
    world.run()
    assert not bob.core.reader.caught_up
    bob.does(LeftRoom(room="#club"))
    assert bob.core.reader.caught_up


def test_whoever_was_away_when_their_room_was_left_forgets_it_at_the_next_login(world: World) -> None:
    phone, desk = world.come("alice"), world.come("alice")
    desk.does(JoinedRoom(room="#club"))
    phone.kill()
    desk.does(LeftRoom(room="#club"))
    phone = world.come("alice", notebook=phone.notebook)
    phone.types("psst", to="#club")
    assert phone.codes() == ["not-a-member"]


def test_who_was_away_while_their_room_was_left_and_joined_again_has_missed_nothing_of_theirs(world: World) -> None:
    phone, desk, bob = world.come("alice"), world.come("alice"), world.come("bob")
    for each in (desk, bob):
        each.does(JoinedRoom(room="#club"))
    phone.kill()
    desk.does(LeftRoom(room="#club"))
    bob.types("now that she is gone", to="#club")
    desk.does(JoinedRoom(room="#club"))
    bob.types("hello again", to="#club")
    phone = world.come("alice", notebook=phone.notebook)
    assert (phone.lines(), phone.seen(shown.Gone)) == (["bob>#club hello again"], [])


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (Join(1, "club"), "bad-name"),
        (Join(1, "# "), "bad-name"),
        (Join(1, "#lobby"), "already-member"),
        (Join(1, "#Mine"), "already-member"),
        (Leave(1, "#lobby"), "lobby"),
        (Leave(1, "#theirs"), "not-a-member"),
        (Leave(1, "#nowhere"), "not-a-member"),
        (Leave(1, "no room"), "bad-name"),
    ],
)
def test_what_cannot_be_joined_or_left_is_refused(world: World, said: Join | Leave, code: str) -> None:
    alice, bob = visitor(world, "alice"), visitor(world, "bob")
    alice.says(Join(9, "#mine"))
    bob.says(Join(9, "#theirs"))
    before = list(world.store.dump())
    (refused,) = alice.says(said)
    assert (refused.code, refused.ask, refused.retry_s) == (code, 1, 0.0)
    assert list(world.store.dump()) == before


def test_an_account_is_in_so_many_rooms_at_most(world: World) -> None:
    alice = visitor(world, "alice")
    answers = [alice.says(Join(n, f"#room{n}"))[0] for n in range(1, limits.ACCOUNT_ROOMS + 1)]
    assert [type(answer) for answer in answers] == [Joined] * (limits.ACCOUNT_ROOMS - 1) + [Refused]
    assert answers[-1].code == "too-many-rooms", "the lobby counts"
    welcome = visitor(world, "alice").heard[0]
    assert len(welcome.logs) == limits.SESSION_LOGS
    assert len(frames.encode(welcome)) <= limits.FRAME_BYTES


def test_joining_at_the_same_time_is_joining_once(world: World) -> None:
    phone, desk = visitor(world, "alice"), visitor(world, "alice")
    phone.utters(Join(1, "#club"))
    desk.utters(Join(1, "#club"))
    world.run()
    phone.posts(1, "one")
    phone.posts(2, "two", to="#club")
    assert phone.delivered("#club") == desk.delivered("#club") == [(1, b"two")]
    (stored,) = world.store.get([records.account("alice")]).values()
    assert list(records.unpack(records.Account, stored[1]).rooms) == ["#lobby", "#club"]


def test_a_join_that_the_store_could_not_keep_may_be_asked_again(world: World) -> None:
    alice = visitor(world, "alice")
    world.store.refuses = "store-full"
    (refused,) = (frame for frame in alice.says(Join(1, "#club")) if isinstance(frame, Refused))
    assert (refused.code, refused.ask, refused.retry_s) == ("store-full", 1, 5.0)
    world.store.refuses = ""
    assert [type(frame) for frame in alice.says(Join(2, "#club"))] == [Joined]


def test_a_broker_that_dies_halfway_through_a_join_or_a_leave_leaves_it_to_be_asked_again(world: World) -> None:
    for said, answer in ((Join(1, "#club"), Joined), (Leave(1, "#club"), Left)):
        for turns in range(1, 4):
            alice = visitor(world, "alice")
            alice.utters(said)
            for _ in range(turns):
                world.turn()
            world.restart()
        last = visitor(world, "alice")
        heard = last.says(said)
        done = [type(frame) for frame in heard] == [answer]
        assert done or heard[0].code in ("already-member", "not-a-member")


def test_what_an_account_asked_is_not_done_for_another_that_came_on_its_connection(world: World) -> None:
    alice = visitor(world, "alice")
    world.slow = True
    alice.device, alice.key = world.device(), world.new_key()
    alice.says(alice.hello("bob"))
    world.store.doubts.extend([False] * 3)
    alice.utters(Join(1, "#club"))
    world.turn()
    world.slow = False
    world.run()
    (stored,) = world.store.get([records.account("bob")]).values()
    assert list(records.unpack(records.Account, stored[1]).rooms) == ["#lobby"]
    assert alice.says(AskWho(2))[-1].accounts == ["bob"]


def test_a_room_whose_record_is_gone_is_no_longer_ones_room(world: World) -> None:
    alice = visitor(world, "alice")
    alice.says(Join(1, "#club"))
    world.store.submit([Put(records.room("#club"), None, 1)], world.now)
    world.store.poll()
    again = visitor(world, "alice", alice.device)
    assert again.posts(1, "psst", to="#club")[0].refused[0].code == "no-such-room"
