"""What members do with a room: its lists, its topic, invitations, removals and bans; and who hears of it."""

from __future__ import annotations

import pytest

from core import records, shown, typed
from core.commands import Put
from core.orders import ListRooms
from core.typed import JoinedRoom
from protocol import frames, limits
from protocol.frames import (
    AskAccount,
    AskMembers,
    AskPage,
    AskRooms,
    Expel,
    Invite,
    Join,
    Leave,
    Left,
    Listed,
    Members,
    News,
    Profile,
    Rooms,
    SetTopic,
    Unban,
)
from tests.core.faults import FaultyStore
from tests.core.visitor import Visitor, post
from tests.core.world import World


@pytest.fixture
def world() -> World:
    return World(FaultyStore())


@pytest.fixture
def alice(world: World) -> Visitor:
    return visitor(world, "Alice")


@pytest.fixture
def bob(world: World) -> Visitor:
    return visitor(world, "Bob")


def visitor(world: World, name: str) -> Visitor:
    """Somebody who is in."""
    came = Visitor(world)
    came.enters(name)
    return came


def one(heard: list[object], kind: type[object]) -> object:
    """The only frame of this kind among these."""
    (found,) = (frame for frame in heard if type(frame) is kind)
    return found


def code(heard: list[object]) -> str:
    """Why that was refused."""
    refused = one(heard, frames.Refused)
    assert isinstance(refused, frames.Refused)
    return refused.code


def says(visitor: Visitor, frame: frames.AnyFrame) -> object:
    """The answer to a question."""
    kinds = (Members, Rooms, Profile, News, frames.Joined, Left, frames.Refused)
    (answer,) = (each for each in visitor.says(frame) if isinstance(each, kinds) and each.ask)
    return answer


# ---- lists --------------------------------------------------------------------------------------------------


def test_rooms_are_listed_with_what_one_may_know_of_them(world: World, alice: Visitor, bob: Visitor) -> None:
    alice.says(Join(1, "#Open"))
    alice.says(SetTopic(2, "#open", "roses"))
    for n, room in enumerate(("#secret", "#mine", "#For_bob"), 3):
        alice.says(Join(n, room, True))
    alice.says(Invite(6, "#for_bob", "bob"))
    bob.says(Join(1, "#open"))
    assert says(bob, AskRooms(2)) == Rooms(
        2,
        [Listed("#For_bob", "", 1, False, True, True), Listed("#Open", "roses", 2, True, False, False)],
    )
    assert [each.room for each in one(alice.says(AskRooms(9)), Rooms).rooms] == [
        "#For_bob",
        "#mine",
        "#Open",
        "#secret",
    ]


def test_a_room_whose_record_is_damaged_is_missing_in_a_list_and_nothing_else(
    world: World, alice: Visitor, bob: Visitor
) -> None:
    alice.says(Join(1, "#club"))
    alice.says(Join(2, "#tea"))
    world.store.submit([Put(records.room("#club"), b"\xc1", 1)], world.now)
    world.store.poll()
    assert says(bob, AskRooms(1)) == Rooms(1, [Listed("#tea", "", 1, False, False, False)])
    damaged, tea = world.order(ListRooms())[0]["rooms"]
    assert (damaged, tea["room"]) == ({"room": "#club", "damaged": True}, "#tea")


def test_a_long_list_of_rooms_is_told_in_pages(world: World, alice: Visitor, bob: Visitor) -> None:
    rooms = [f"#r{n:03}" for n in range(limits.LISTED_ROOMS + 5)]
    for n, room in enumerate(rooms, 1):
        alice.says(Join(n, room, n == 1))
    first = says(bob, AskRooms(1))
    second = says(bob, AskRooms(2, first.after))
    assert [len(first.rooms), len(second.rooms)] == [limits.LISTED_ROOMS - 1, 5], "the first one is private"
    assert [each.room for each in (*first.rooms, *second.rooms)] == rooms[1:]
    assert second.after == ""
    assert len(frames.encode(first)) < limits.FRAME_BYTES


def test_the_longest_names_and_topics_of_a_list_fit_a_part() -> None:
    most = Listed("#" + "𐍈" * limits.NAME_CHARS, "𐍈" * limits.TOPIC_CHARS, limits.COUNTED_NAMES, True, True, True)
    assert len(frames.encode(Rooms(1, [most] * limits.LISTED_ROOMS, most.room))) < limits.PART_BYTES
    names = ["𐍈" * limits.NAME_CHARS] * limits.LISTED_NAMES
    assert len(frames.encode(Members(1, most.room, most.topic, names[0], True, names, [], 9))) < limits.PART_BYTES


def test_members_are_told_with_who_is_here_and_who_made_the_room(world: World, alice: Visitor, bob: Visitor) -> None:
    alice.says(Join(1, "#Club"))
    bob.says(Join(1, "#club"))
    bob.vanishes()
    assert says(alice, AskMembers(2, "#CLUB")) == Members(2, "#Club", "", "Alice", False, ["Alice"], ["Bob"])
    alice.says(Leave(3, "#club"))
    assert says(alice, AskMembers(4, "#club")) == Members(4, "#Club", "", "Alice", False, [], ["Bob"])


def test_the_lobby_has_everyone_and_nobody_made_it(world: World, alice: Visitor, bob: Visitor) -> None:
    bob.vanishes()
    assert says(alice, AskMembers(1, "#Lobby")) == Members(1, "#lobby", "", "", False, ["Alice"], ["Bob"])


def test_of_many_members_those_who_are_here_are_named_first(world: World, alice: Visitor) -> None:
    for n in range(limits.LISTED_NAMES + 2):
        record = records.pack(records.Account(f"A{n:03}", "", "", 0))
        world.store.submit([Put(records.account(f"a{n:03}"), record, 0)], world.now)
    world.store.poll()
    members = says(alice, AskMembers(1, "#lobby"))
    assert (members.here, len(members.away), members.more) == (["Alice"], limits.LISTED_NAMES - 1, 3)


def test_who_somebody_is_and_where_one_meets_them(world: World, alice: Visitor, bob: Visitor) -> None:
    for each in (alice, bob):
        each.says(Join(1, "#Club"))
    alice.says(Join(2, "#secret", True))
    assert says(bob, AskAccount(2, "ALICE")) == Profile(2, "Alice", world.now.at, True, ["#lobby", "#Club"])
    alice.vanishes()
    assert says(bob, AskAccount(3, "alice")).here is False
    assert code(bob.says(AskAccount(4, "nobody"))) == "unknown-account"
    assert code(bob.says(AskAccount(5, "no/body"))) == "bad-name"


# ---- private rooms ------------------------------------------------------------------------------------------


def test_nobody_comes_into_a_private_room_but_by_invitation(world: World, alice: Visitor, bob: Visitor) -> None:
    alice.says(Join(1, "#Secret", True))
    assert code(bob.says(Join(1, "#secret"))) == "not-invited"
    assert code(bob.says(AskMembers(2, "#secret"))) == "not-a-member"
    assert bob.posts(1, "psst", to="#secret")[0].refused[0].code == "not-a-member"
    assert code(bob.says(AskPage(3, "#secret", 0, 10))) == "no-such-log"
    assert says(alice, Invite(2, "#secret", "BOB")) == News(2, "#Secret", "invited", "Alice", "Bob")
    assert bob.got(News) == [News(0, "#Secret", "invited", "Alice", "Bob")]
    assert says(bob, Join(4, "#secret")).room == "#Secret"
    alice.posts(1, "welcome", to="#secret")
    assert bob.delivered("#secret") == [(1, b"welcome")]


def test_an_invitation_is_good_for_once(world: World, alice: Visitor, bob: Visitor) -> None:
    alice.says(Join(1, "#secret", True))
    alice.says(Invite(2, "#secret", "bob"))
    bob.says(Join(1, "#secret"))
    bob.says(Leave(2, "#secret"))
    assert code(bob.says(Join(3, "#secret"))) == "not-invited"


def test_whoever_was_away_hears_of_an_invitation_at_every_login_until_it_is_answered(
    world: World, alice: Visitor, bob: Visitor
) -> None:
    bob.vanishes()
    alice.says(Join(1, "#secret", True))
    alice.says(Invite(2, "#secret", "bob"))
    for _ in range(2):
        bob = visitor(world, "bob")
        assert bob.got(News) == [News(0, "#secret", "invited", "Alice", "Bob")]
    assert says(bob, Leave(1, "#secret")) == Left(1, "#secret")
    assert visitor(world, "bob").got(News) == []
    assert code(bob.says(Join(2, "#secret"))) == "not-invited"


def test_any_member_invites_so_that_a_room_lives_on_without_its_owner(
    world: World, alice: Visitor, bob: Visitor
) -> None:
    alice.says(Join(1, "#secret", True))
    alice.says(Invite(2, "#secret", "bob"))
    bob.says(Join(1, "#secret"))
    alice.says(Leave(3, "#secret"))
    visitor(world, "carol")
    assert says(bob, Invite(2, "#secret", "carol")).what == "invited"
    assert says(alice, Join(4, "#secret")).room == "#secret", "whoever made it needs no invitation"


def test_an_account_has_so_many_invitations_at_most(world: World, alice: Visitor, bob: Visitor) -> None:
    answers = []
    for n in range(limits.INVITED_ROOMS + 1):
        alice.says(Join(2 * n + 1, f"#r{n}", True))
        answers += alice.says(Invite(2 * n + 2, f"#r{n}", "bob"))
    assert code(answers) == "too-many-invitations"
    assert len(visitor(world, "bob").got(News)) == limits.INVITED_ROOMS


def test_who_wants_a_private_room_does_not_end_up_in_an_open_one(world: World, alice: Visitor, bob: Visitor) -> None:
    alice.says(Join(1, "#club"))
    assert code(bob.says(Join(1, "#club", True))) == "not-private"
    alice.says(Join(2, "#secret", True))
    alice.says(Leave(3, "#secret"))
    assert says(alice, Join(4, "#secret", True)).room == "#secret"


# ---- topic --------------------------------------------------------------------------------------------------


def test_a_topic_is_told_to_all_who_read_the_room_and_to_who_joins_later(
    world: World, alice: Visitor, bob: Visitor
) -> None:
    alice.says(Join(1, "#Club"))
    bob.says(Join(1, "#club"))
    assert says(bob, SetTopic(2, "#club", "roses")) == News(2, "#Club", "topic", "Bob", topic="roses")
    assert alice.got(News) == [News(0, "#Club", "topic", "Bob", topic="roses")]
    assert says(visitor(world, "carol"), Join(1, "#club")).topic == "roses"
    assert says(alice, AskMembers(9, "#club")).topic == "roses"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (SetTopic(1, "#theirs", "x"), "not-a-member"),
        (SetTopic(1, "#lobby", "x"), "lobby"),
        (SetTopic(1, "#nowhere", "x"), "unknown-room"),
        (SetTopic(1, "club", "x"), "bad-name"),
        (AskMembers(1, "#nowhere"), "unknown-room"),
        (AskMembers(1, "# "), "bad-name"),
        (Invite(1, "#theirs", "bob"), "not-a-member"),
        (Invite(1, "#mine", "nobody"), "unknown-account"),
        (Invite(1, "#mine", "no/body"), "bad-name"),
        (Invite(1, "#mine", "alice"), "already-inside"),
        (Invite(1, "#lobby", "bob"), "lobby"),
        (Expel(1, "#theirs", "bob"), "not-the-owner"),
        (Expel(1, "#lobby", "bob"), "lobby"),
        (Expel(1, "#mine", "bob"), "not-inside"),
        (Expel(1, "#mine", "nobody", True), "unknown-account"),
        (Expel(1, "#mine", "ALICE", True), "own-name"),
        (Unban(1, "#theirs", "bob"), "not-the-owner"),
        (Unban(1, "#mine", "bob"), "not-banned"),
        (Unban(1, "#mine", "nobody"), "unknown-account"),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(
    world: World, alice: Visitor, bob: Visitor, said: frames.AnyFrame, why: str
) -> None:
    alice.says(Join(8, "#mine"))
    bob.says(Join(9, "#theirs"))
    before = list(world.store.dump())
    assert code(alice.says(said)) == why
    assert list(world.store.dump()) == before


# ---- removals and bans --------------------------------------------------------------------------------------


@pytest.fixture
def club(world: World, alice: Visitor, bob: Visitor) -> None:
    """Alice has a club with Bob in it."""
    alice.says(Join(1, "#Club"))
    bob.says(Join(1, "#club"))


@pytest.mark.usefixtures("club")
def test_whoever_is_removed_reads_no_more_and_is_told(world: World, alice: Visitor, bob: Visitor) -> None:
    carol = visitor(world, "carol")
    carol.says(Join(1, "#club"))
    alice.posts(1, "before", to="#club")
    assert says(alice, Expel(2, "#club", "bob")) == News(2, "#Club", "removed", "Alice", "Bob")
    assert bob.got(Left) == [Left(0, "#club", "Alice", False)]
    assert carol.got(News) == [News(0, "#Club", "removed", "Alice", "Bob")]
    alice.posts(2, "after", to="#club")
    assert bob.delivered("#club") == [(1, b"before")]
    assert bob.posts(1, "psst", to="#club")[0].refused[0].code == "not-a-member"
    assert "#club" not in visitor(world, "bob").heard[0].logs
    assert says(alice, AskMembers(3, "#club")).here == ["Alice", "carol"]
    assert says(bob, Join(2, "#club")).extent.start == 2, "a removal is no ban"


@pytest.mark.usefixtures("club")
def test_whoever_is_banned_does_not_come_back_until_the_ban_is_lifted(
    world: World, alice: Visitor, bob: Visitor
) -> None:
    assert says(alice, Expel(2, "#club", "bob", True)).what == "banned"
    assert bob.got(Left) == [Left(0, "#club", "Alice", True)]
    assert code(bob.says(Join(2, "#club"))) == "banned"
    assert code(alice.says(Invite(3, "#club", "bob"))) == "banned"
    world.restart()
    alice, bob = visitor(world, "alice"), visitor(world, "bob")
    assert code(bob.says(Join(3, "#club"))) == "banned"
    assert says(alice, Unban(4, "#club", "bob")) == News(4, "#Club", "unbanned", "Alice", "Bob")
    assert says(bob, Join(4, "#club")).room == "#Club"


def test_somebody_may_be_banned_who_was_never_there_and_an_invitation_taken_back(
    world: World, alice: Visitor, bob: Visitor
) -> None:
    alice.says(Join(1, "#club"))
    assert says(alice, Expel(2, "#club", "bob", True)).what == "banned"
    assert code(bob.says(Join(1, "#club"))) == "banned"
    alice.says(Join(3, "#secret", True))
    alice.says(Invite(4, "#secret", "bob"))
    assert says(alice, Expel(5, "#secret", "bob")).what == "removed"
    assert code(bob.says(Join(2, "#secret"))) == "not-invited"


@pytest.mark.usefixtures("club")
@pytest.mark.parametrize("when", range(8))
def test_whoever_joins_while_being_banned_is_out_in_the_end(
    world: World, alice: Visitor, bob: Visitor, when: int
) -> None:
    bob.says(Leave(2, "#club"))
    for turn in range(8):
        if turn == when:
            alice.utters(Expel(2, "#club", "bob", True))
        if turn == 3:
            bob.utters(Join(3, "#club"))
        world.turn()
    world.run()
    account = records.unpack(records.Account, world.store.get([records.account("bob")])[records.account("bob")][1])
    assert "#club" not in account.rooms
    alice.posts(1, "psst", to="#club")
    assert bob.delivered("#club") == []


@pytest.mark.usefixtures("club")
def test_a_broker_that_dies_halfway_through_a_removal_leaves_it_to_be_asked_again(
    world: World, alice: Visitor, bob: Visitor
) -> None:
    for turns in range(1, 5):
        alice.utters(Expel(2, "#club", "bob", True))
        for _ in range(turns):
            world.turn()
        world.restart()
        alice = visitor(world, "alice")
    assert says(alice, Expel(3, "#club", "bob", True)).what == "banned"
    assert says(alice, AskMembers(4, "#club")).here == ["Alice"]
    assert "#club" not in visitor(world, "bob").heard[0].logs


@pytest.mark.usefixtures("club")
def test_a_membership_whose_record_is_missing_is_mended_by_joining_again(world: World, bob: Visitor) -> None:
    member = records.member("#club", "bob")
    version = world.store.get([member])[member][0]
    world.store.submit([Put(member, None, version)], world.now)
    world.store.poll()
    assert says(bob, AskMembers(2, "#club")).here == ["Alice"]
    assert says(bob, Join(3, "#club")).room == "#Club"
    assert says(bob, AskMembers(4, "#club")).here == ["Alice", "Bob"]
    assert code(bob.says(Join(5, "#club"))) == "already-member"


# ---- what is told unasked -----------------------------------------------------------------------------------


def test_members_are_told_gathered_who_joins_and_who_leaves(world: World, alice: Visitor) -> None:
    alice.says(Join(1, "#Club"))
    world.wait(1)
    some = [visitor(world, f"n{n}") for n in range(5)]
    before = len(alice.got(frames.Presence))
    for each in some:
        each.says(Join(1, "#club"))
    some[0].says(Leave(2, "#club"))
    world.wait(1)
    told = [frame for frame in alice.got(frames.Presence)[before:] if frame.room == "#Club"]
    joined = [name for frame in told for name in frame.joined]
    left = [name for frame in told for name in frame.left]
    assert (sorted(joined), left, len(told)) == (["n0", "n1", "n2", "n3", "n4"], ["n0"], 2)


# ---- what a client makes of it ------------------------------------------------------------------------------


def test_whoever_joins_a_room_writes_there_and_whoever_leaves_it_in_the_lobby(world: World) -> None:
    bob = world.come("bob")
    bob.does(JoinedRoom(room="#club"))
    bob.types("in the club")
    bob.does(typed.LeftRoom())
    bob.types("in the lobby")
    assert bob.lines() == ["bob>#club in the club", "bob>#lobby in the lobby"]
    assert [place.to for place in bob.seen(shown.Place)] == ["#club", "#lobby"]


def test_whoever_is_removed_does_not_speak_to_the_lobby_by_mistake(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    for each in (alice, bob):
        each.does(JoinedRoom(room="#club"))
    alice.does(typed.ExpelledAccount(account="bob"))
    bob.types("a word among us")
    assert bob.codes() == ["not-a-member"]
    assert bob.seen(shown.Outside) == [shown.Outside(account="bob", room="#club", by="alice")]
    assert alice.seen(shown.News)[-1] == shown.News(room="#club", what="removed", by="alice", account="bob", mine=False)


def test_nothing_more_is_read_until_it_is_clear_whether_one_has_joined(world: World) -> None:
    bob = world.come("bob")
    bob.inbox.append(JoinedRoom(room="#club"))
    bob.turn()
    assert not bob.core.hungry
    world.run()
    assert bob.core.hungry
    assert bob.core.place == "#club"


def test_what_was_said_before_leaving_comes_back_before_one_has_left(world: World) -> None:
    bob = world.come("bob")
    bob.does(JoinedRoom(room="#club"))
    bob.does(typed.Wrote(text="one"), typed.Wrote(text="two"), typed.LeftRoom())
    assert bob.lines() == ["bob>#club one", "bob>#club two"]
    assert (bob.core.place, bob.core.settled) == ("#lobby", True)


def test_a_join_that_is_refused_moves_nobody(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    alice.does(JoinedRoom(room="#club", private=True))
    bob.does(JoinedRoom(room="#club", line=3))
    assert [(event.code, event.line) for event in bob.seen(shown.Refused)] == [("not-invited", 3)]
    assert (bob.core.place, bob.core.hungry) == ("#lobby", True)


def test_commands_about_a_room_mean_the_current_place(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    alice.does(JoinedRoom(room="#club", private=True))
    alice.does(typed.ChangedTopic(topic="roses"), typed.InvitedAccount(account="bob"))
    alice.does(typed.AskedTopic(), typed.AskedMembers(), typed.AskedRooms(), typed.AskedAccount(account="bob"))
    assert alice.seen(shown.Topic) == [
        shown.Topic(room="#club", topic="roses", by="alice"),
        shown.Topic(room="#club", topic="roses"),
    ]
    assert alice.seen(shown.Members) == [
        shown.Members(room="#club", owner="alice", private=True, here=["alice"], away=[])
    ]
    assert alice.seen(shown.Rooms) == [shown.Rooms(rooms=[Listed("#club", "roses", 1, True, False, True)])]
    assert alice.seen(shown.Profile)[0].rooms == ["#lobby"]
    assert bob.seen(shown.News) == [shown.News(room="#club", what="invited", by="alice", account="bob", mine=True)]
    bob.does(typed.Chose(to="alice"), typed.AskedMembers(line=7))
    assert [(event.code, event.line) for event in bob.seen(shown.Refused)] == [("no-room", 7)]


def test_news_of_a_newer_broker_are_passed_over(world: World) -> None:
    bob = world.come("bob")
    before = list(bob.shown)
    bob.hears(News(0, "#club", "painted-green", "alice"))
    world.run()
    assert bob.shown == before


def test_a_second_device_comes_and_goes_with_the_first_and_stays_where_it_was(world: World) -> None:
    desk, phone = world.come("bob"), world.come("bob")
    desk.does(JoinedRoom(room="#club"))
    assert (phone.core.place, list(phone.core.places.rooms)) == ("#lobby", ["#lobby", "#club"])
    desk.does(typed.LeftRoom(room="#club"))
    assert list(phone.core.places.rooms) == ["#lobby"]


def test_posts_of_one_turn_with_a_removal_find_their_way_or_are_refused(
    world: World, alice: Visitor, bob: Visitor
) -> None:
    alice.says(Join(1, "#club"))
    bob.says(Join(1, "#club"))
    alice.utters(Expel(2, "#club", "bob"))
    for n in range(1, 7):
        bob.utters(post(n, str(n), to="#club"))
        world.turn()
    world.run()
    accepted = bob.got(frames.Accepted)
    refused = [refusal.n for frame in accepted for refusal in frame.refused]
    assert refused == list(range(refused[0], 7))
    assert [seq for seq, _ in alice.delivered("#club")] == list(range(1, refused[0]))
