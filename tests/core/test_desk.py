"""What an operator orders: it is on disk before anybody hears of it, and whoever is meant hears of it."""

from __future__ import annotations

import pytest

from core import shown
from core.clock import utc
from core.orders import (
    AddAccount,
    Announce,
    AnyOrder,
    Bar,
    CloseRoom,
    EndDevice,
    GiveRoom,
    ListAccounts,
    ListDevices,
    ListRooms,
    ListSessions,
    OpenRoom,
    SetPassword,
    TellStats,
)
from core.received import Ordered
from core.records import FOREVER
from protocol import frames, limits
from protocol.frames import Bye, Join, Leave, Left, Quit, Refused, Welcome
from protocol.passwords import SCHEME
from tests.core.faults import FaultyStore, LateStore
from tests.core.visitor import Visitor
from tests.core.world import World, hashed

HOUR_MS = 3_600_000


@pytest.fixture
def world() -> World:
    return World(FaultyStore())


@pytest.fixture
def alice(world: World) -> Visitor:
    visitor = Visitor(world)
    visitor.enters("Alice", name="desk")
    return visitor


def code(world: World, order: AnyOrder) -> str:
    """Why this is not carried out; "" if it is."""
    (answer,) = world.order(order)
    return str(answer.get("code", ""))


def test_an_order_that_is_not_possible_says_why(world: World, alice: Visitor) -> None:
    alice.says(Join(1, "#Tea"))
    assert code(world, Bar("bob", FOREVER)) == "unknown-account"
    assert code(world, Bar("a b", FOREVER)) == "bad-name"
    assert code(world, Bar("alice", 0)) == "not-barred"
    assert code(world, EndDevice("alice", "zzz")) == "no-device-of"
    assert code(world, CloseRoom("#nowhere")) == "unknown-room"
    assert code(world, CloseRoom("#lobby")) == "lobby"
    assert code(world, OpenRoom("#tea")) == "room-not-closed"
    assert code(world, GiveRoom("#tea", "bob")) == "unknown-account"
    assert code(world, Announce("alice", "I am not she")) == "not-the-brokers"


def test_what_the_store_does_not_keep_is_not_called_done(world: World, alice: Visitor) -> None:
    world.store.refuses = "store-full"
    assert code(world, Bar("alice", FOREVER)) == "store-full"
    assert code(world, Announce("broker", "hello")) == "store-full"
    world.store.refuses = ""
    assert alice.got(Bye) == []
    assert Visitor(world).enters("alice").account == "Alice"


# ---- accounts ------------------------------------------------------------------------------------------------


def test_a_banned_account_is_sent_away_and_comes_back_when_the_time_is_over(world: World, alice: Visitor) -> None:
    until = world.now.at + HOUR_MS
    (answer,) = world.order(Bar("alice", until))
    assert (answer["done"], answer["sessions"]) == (True, 1)
    (bye,) = alice.got(Bye)
    assert bye.code == "account-barred"
    assert utc(until) in bye.text
    refused = [each for each in alice.says(alice.hello("alice")) if isinstance(each, Refused)]
    assert [(each.code, each.retry_s) for each in refused] == [("account-barred", 0.0)]
    world.wait(HOUR_MS / 1000, step=60)
    assert Visitor(world, alice.device, alice.key).enters("alice").account == "Alice"


def test_whoever_is_banned_is_told_in_the_client_until_when_and_stops(world: World) -> None:
    actor = world.come("alice")
    world.order(Bar("alice", world.now.at + HOUR_MS))
    (bye,) = actor.seen(shown.Bye)
    assert (bye.code, utc(world.now.at + HOUR_MS) in bye.text) == ("account-barred", True)


def test_of_a_banned_account_nothing_is_told_to_who_does_not_know_the_password(world: World, alice: Visitor) -> None:
    world.order(Bar("alice", FOREVER))
    stranger = Visitor(world)
    (refused,) = stranger.says(stranger.hello("alice", credential=b"wrong"))
    assert refused.code == "wrong-password"


def test_who_logs_in_while_the_ban_is_written_is_not_let_in(world: World, alice: Visitor) -> None:
    world.slow = True
    late = Visitor(world)
    late.utters(late.hello("alice"))
    world.run()
    world.slow = False
    world.order(Bar("alice", FOREVER))
    assert late.got(Welcome) == []
    assert [each.code for each in late.got(Refused)] == ["account-closed"]


def test_a_closed_account_gets_nothing_and_keeps_its_name(world: World, alice: Visitor) -> None:
    bob = Visitor(world)
    bob.enters("bob")
    bob.posts(1, "before", to="alice")
    world.inbox.append(Ordered(1, Bar("alice", FOREVER)))
    bob.posts(2, "in the same moment", to="alice")
    (accepted,) = (each for each in bob.posts(3, "after", to="alice") if isinstance(each, frames.Accepted))
    assert [each.code for each in accepted.refused] == ["account-closed"]
    assert code(world, AddAccount("ALICE", "m" * 26, FOREVER)) == "account-exists"
    world.order(Bar("alice", 0))
    back = Visitor(world, alice.device, alice.key)
    back.enters("alice")
    assert [body for _, body in back.delivered("@alice")] == [b"before", b"in the same moment"]


def test_all_accounts_are_listed_page_after_page(world: World, alice: Visitor) -> None:
    for n in range(250):
        visitor = Visitor(world)
        visitor.enters(f"bot{n:03}")
    listed, after = [], ""
    while True:
        (answer,) = world.order(ListAccounts(after))
        listed += answer["accounts"]
        if not (after := answer["after"]):
            break
    assert [each["account"] for each in listed] == ["Alice", *(f"bot{n:03}" for n in range(250))]
    assert listed[0] == {
        "account": "Alice",
        "made_at": world.now.at,
        "here": True,
        "devices": 1,
        "rooms": 1,
        "password": True,
        "closed": False,
        "banned_until": 0,
    }


def test_a_password_is_set_for_somebody(world: World, alice: Visitor) -> None:
    world.order(SetPassword("alice", SCHEME, hashed(b"new")))
    other = Visitor(world)
    assert other.says(other.hello("alice"))[0].code == "wrong-password"
    assert other.enters("alice", credential=b"new").account == "Alice"


def test_a_device_is_listed_and_revoked(world: World, alice: Visitor) -> None:
    (listed,) = world.order(ListDevices("alice"))
    (known,) = listed["devices"]
    assert (known["device"], known["name"], known["key"], known["here"]) == (alice.device, "desk", alice.key, True)
    (ended,) = world.order(EndDevice("alice", alice.device[:4]))
    assert (ended["device"], ended["sessions"]) == (alice.device, 1)
    assert [each.code for each in alice.got(Bye)] == ["revoked"]
    assert alice.says(alice.hello("alice"))[0].code == "revoked"
    assert world.order(ListDevices("alice"))[0]["devices"] == []


# ---- rooms ---------------------------------------------------------------------------------------------------


def test_a_closed_room_is_empty_and_nobody_comes_in(world: World, alice: Visitor) -> None:
    bob = Visitor(world)
    bob.enters("bob")
    for each in (alice, bob):
        each.says(Join(1, "#Tea"))
    assert world.order(ListRooms())[0]["rooms"][0]["members"] == ["alice", "bob"]
    world.order(CloseRoom("#tea"))
    assert [each.got(Left) for each in (alice, bob)] == [[Left(0, "#tea", "the operator")]] * 2
    assert alice.says(Join(2, "#tea"))[0].code == "room-closed"
    (accepted,) = (each for each in alice.posts(1, "into nothing", to="#tea") if isinstance(each, frames.Accepted))
    assert [each.code for each in accepted.refused] == ["not-a-member"]
    assert alice.says(frames.AskRooms(3))[0].rooms == []
    assert Visitor(world, bob.device, bob.key).enters("bob").logs.keys() == {"@bob", "+bob", "#lobby"}
    world.order(OpenRoom("#tea"))
    assert isinstance(alice.says(Join(4, "#tea"))[0], frames.Joined)


def test_who_joins_while_the_room_is_closed_is_out_too(world: World, alice: Visitor) -> None:
    alice.says(Join(1, "#Tea"))
    for turns in range(8):
        world.order(OpenRoom("#tea"))
        late = Visitor(world)
        late.enters(f"late{turns}")
        world.inbox.append(Ordered(1, CloseRoom("#tea")))
        for _ in range(turns):
            world.turn()
        late.says(Join(1, "#tea"))
        (room,) = world.order(ListRooms())[0]["rooms"]
        assert (room["closed"], room["members"]) == (True, []), f"after {turns} turns"
        assert late.world.broker.core.sessions.by_peer[late.peer].rooms.keys() == {"#lobby"}, f"after {turns} turns"


@pytest.mark.parametrize("turns", range(4))
def test_who_was_about_to_leave_a_room_is_out_of_it_when_it_is_closed(world: World, alice: Visitor, turns: int) -> None:
    alice.says(Join(1, "#club"))
    alice.utters(Leave(2, "#club"))
    for _ in range(turns):
        world.turn()
    alice.says(Quit())
    world.order(CloseRoom("#club"))
    assert "#club" not in alice.enters("alice").logs


def test_a_room_gets_another_owner(world: World, alice: Visitor) -> None:
    bob = Visitor(world)
    bob.enters("bob")
    for each in (alice, bob):
        each.says(Join(1, "#Tea"))
    world.order(GiveRoom("#tea", "bob"))
    assert alice.says(frames.Expel(2, "#tea", "bob"))[0].code == "not-the-owner"
    bob.says(frames.Expel(2, "#tea", "alice"))
    assert alice.got(Left) == [Left(0, "#tea", "bob")]


# ---- the house -----------------------------------------------------------------------------------------------


def test_an_announcement_is_a_message_that_waits_for_those_who_are_away(world: World, alice: Visitor) -> None:
    bob = Visitor(world)
    bob.enters("bob")
    bob.vanishes()
    assert world.order(Announce("broker", "down at six"), Announce("broker", "and up at seven")) == [{"done": True}] * 2
    world.restart()
    world.order(Announce("broker", "up again"))
    back = Visitor(world, bob.device, bob.key)
    back.enters("bob")
    heard = [body for _, body in back.delivered("#lobby")]
    assert heard == [b"down at six", b"and up at seven", b"up again"]


def test_an_announcement_behind_one_that_was_not_kept_is_answered() -> None:
    world = World(LateStore(3))
    assert world.order(Announce("news", "one"))[0].get("done")
    world.store.refuses = "store-full"
    world.inbox.append(Ordered(7, Announce("news", "two")))
    world.turn()
    world.store.refuses = ""
    assert [answer.get("code") for answer in world.order(Announce("news", "three"))] == ["store-full", "store-down"]
    assert world.order(Announce("news", "four"))[0].get("done")


def test_nobody_logs_in_as_who_announces_and_nobody_answers(world: World, alice: Visitor) -> None:
    world.order(Announce("broker", "hello"))
    (accepted,) = (each for each in alice.posts(1, "at six?", to="broker") if isinstance(each, frames.Accepted))
    assert [each.code for each in accepted.refused] == ["account-closed"]
    visitor = Visitor(world)
    assert visitor.says(visitor.hello("broker"))[0].code == "wrong-password"


def test_after_a_restore_announcements_are_not_taken_for_old_ones(world: World, alice: Visitor) -> None:
    world.order(Announce("broker", "one"))
    alice.vanishes()
    world.store.begin_epoch("second")
    world.restart()
    world.order(Announce("broker", "two"))
    runs = world.store.read("#lobby", 0, 10, 10_000)
    both = [frames.decode_envelope(each) for each in runs.envelopes]
    assert [each.body for each in both] == [b"one", b"two"]
    assert len({(each.device, each.n) for each in both}) == 2


def test_who_is_here_and_how_far_behind(world: World, alice: Visitor) -> None:
    bob = Visitor(world)
    bob.enters("bob", reads=False)
    for n in range(5):
        bob.posts(n * 64 + 1, *(["text"] * 64))
    listed = {each["account"]: each for each in world.order(ListSessions())[0]["sessions"]}
    assert (listed["Alice"]["on_their_way"], listed["Alice"]["backlog"]) == (limits.WINDOW_MESSAGES, 64)
    assert (listed["bob"]["reads"], listed["bob"]["backlog"], listed["bob"]["address"]) == (False, 0, "127.0.0.1")
    (stats,) = world.order(TellStats())
    assert (stats["sessions"], stats["here"], stats["accepted"]) == (2, 1, 5 * 64)
    assert stats["began_at"] == world.now.at
