"""What lets a device in: its key, once a password has bound it; and what a key does not open."""

from __future__ import annotations

import pytest

from core import records, shown
from core.gate import LET_IN, NEVER
from core.typed import RevokedDevice
from protocol import frames, limits
from protocol.frames import Refused, Stranger, Unproven, Welcome
from protocol.passwords import SCHEME
from tests.core.visitor import Visitor
from tests.core.world import BROKER, World


@pytest.fixture
def world() -> World:
    return World()


class Knocks:
    """Somebody who only knocks."""

    def __init__(self) -> None:
        self.codes: list[int] = []

    def admitted(self, code: int) -> None:
        """The broker's answer."""
        self.codes.append(code)


def knocked(world: World, key: str) -> list[int]:
    """What the broker answers to this key."""
    knocks = Knocks()
    world.knock(knocks, key)
    world.run()
    return knocks.codes


def bare(visitor: Visitor, account: str, **changes: object) -> frames.Hello:
    """A Hello without any password: the key is to be enough."""
    return visitor.hello(account, **{"scheme": "", "credential": b""} | changes)


def bound(world: World, account: str) -> dict[str, str]:
    """The devices that are let in, with their keys."""
    (record,) = world.store.get([records.account(account)]).values()
    return records.unpack(records.Account, record[1]).bound


def key_record(world: World, key: str) -> records.Key:
    """What is written down about a key."""
    (record,) = world.store.get([records.key(key)]).values()
    return records.unpack(records.Key, record[1])


# ---- the table of logins -------------------------------------------------------------------------------------


def test_a_bound_key_is_enough_and_nothing_is_hashed(world: World) -> None:
    alice = world.come("alice")
    alice.kill()
    again = world.come("alice", notebook=alice.notebook, proves=False, password="")
    assert (again.core.online, world.checked) == (True, [None])
    assert again.seen(shown.Bye) == []


def test_an_unknown_key_is_asked_for_the_password(world: World) -> None:
    world.come("alice")
    other = world.come("alice", proves=False)
    assert (other.core.online, len(world.checked)) == (True, 2)
    assert len(bound(world, "alice")) == 2


def test_an_unknown_key_without_a_password_is_told_what_one_is_made_with(world: World) -> None:
    world.come("alice")
    visitor = Visitor(world)
    assert visitor.says(bare(visitor, "alice")) == [Unproven(BROKER, SCHEME, taken=True)]
    assert visitor.says(bare(visitor, "nobody")) == [Unproven(BROKER, SCHEME, taken=False)]


def test_whoever_cannot_be_asked_is_not_let_in(world: World) -> None:
    world.come("alice")
    other = world.come("alice", proves=False, password="")
    world.wait(60)
    assert (other.core.online, other.peer, other.attempts) == (False, None, 1)


def test_a_password_that_is_given_is_checked_although_the_key_is_bound(world: World) -> None:
    alice = world.come("alice")
    alice.kill()
    wrong = world.come("alice", notebook=alice.notebook, password="guess")
    assert [bye.code for bye in wrong.seen(shown.Bye)] == ["wrong-password"]
    right = world.come("alice", notebook=alice.notebook)
    assert right.core.online


def test_naming_the_scheme_asks_for_the_check_even_of_a_bound_key(world: World) -> None:
    alice = Visitor(world)
    alice.enters("alice")
    asked = Visitor(world, alice.device, alice.key)
    assert asked.says(bare(asked, "alice", scheme=SCHEME)) == [Unproven(BROKER, SCHEME, taken=True)]


def test_a_key_of_another_account_is_refused_and_tells_nothing_of_the_password(world: World) -> None:
    bob = Visitor(world)
    bob.enters("bob")
    Visitor(world).enters("alice")
    checked = len(world.checked)
    thief = Visitor(world, key=bob.key)
    for hello in (bare(thief, "alice"), thief.hello("alice"), thief.hello("nobody")):
        assert [frame.code for frame in thief.says(hello)] == ["other-account"]
    assert len(world.checked) == checked


def test_a_refused_account_leaves_the_session_of_that_key_as_it_was(world: World) -> None:
    bob = Visitor(world)
    bob.enters("bob")
    bob.says(bob.hello("alice"))
    assert bob.says(frames.AskWho(1)) == [frames.Present(1, ["bob"])]


def test_a_revoked_key_is_never_let_in_again(world: World) -> None:
    alice, lost = world.come("alice"), world.come("alice")
    key = lost.key
    lost.kill()
    assert knocked(world, key) == [LET_IN]
    alice.does(RevokedDevice(device=lost.notebook.device))
    assert knocked(world, key) == [NEVER]
    visitor = Visitor(world, lost.notebook.device, key)
    for hello in (bare(visitor, "alice"), visitor.hello("alice"), visitor.hello("nobody")):
        assert [frame.code for frame in visitor.says(hello)] == ["revoked"]


def test_a_client_whose_key_was_revoked_while_it_was_away_ends(world: World) -> None:
    alice, lost = world.come("alice"), world.come("alice")
    lost.deaf = True
    lost.cut()
    world.run()
    alice.does(RevokedDevice(device=lost.notebook.device))
    lost.deaf = False
    world.wait(60)
    assert [bye.code for bye in lost.seen(shown.Bye)] == ["revoked"]
    attempts = lost.attempts
    world.wait(60)
    assert lost.attempts == attempts


# ---- binding -------------------------------------------------------------------------------------------------


def test_a_key_is_not_bound_by_a_wrong_password(world: World) -> None:
    world.come("alice")
    thief = Visitor(world)
    assert [frame.code for frame in thief.says(thief.hello("alice", credential=b"guess"))] == ["wrong-password"]
    assert [type(frame) for frame in thief.says(bare(thief, "alice"))] == [Unproven]


def test_a_device_that_begins_anew_keeps_its_key_under_its_new_id(world: World) -> None:
    alice = Visitor(world)
    alice.enters("alice")
    old, alice.device = alice.device, world.device()
    (welcome, *_) = alice.says(bare(alice, "alice"))
    assert isinstance(welcome, Welcome)
    assert bound(world, "alice") == {alice.device: alice.key}
    assert key_record(world, alice.key).device == alice.device != old
    assert len(world.checked) == 1


def test_an_id_alone_opens_nothing(world: World) -> None:
    alice = Visitor(world)
    alice.enters("alice")
    thief = Visitor(world, alice.device)
    assert [type(frame) for frame in thief.says(bare(thief, "alice"))] == [Unproven]
    assert alice.says(frames.AskWho(1)) == [frames.Present(1, ["alice"])]


def test_a_key_is_not_let_in_as_a_device_that_has_another_key(world: World) -> None:
    one, two = Visitor(world), Visitor(world)
    one.enters("alice")
    two.enters("alice")
    two.device = one.device
    assert [type(frame) for frame in two.says(bare(two, "alice"))] == [Unproven]


def test_a_new_key_for_a_device_takes_the_place_of_the_old_one(world: World) -> None:
    alice = Visitor(world)
    alice.enters("alice")
    again = Visitor(world, alice.device)
    again.enters("alice")
    assert bound(world, "alice") == {alice.device: again.key}
    old = Visitor(world, alice.device, alice.key)
    assert [type(frame) for frame in old.says(bare(old, "alice"))] == [Unproven]


def test_of_a_key_that_was_copied_the_newer_login_wins(world: World) -> None:
    alice = Visitor(world)
    alice.enters("alice")
    copy = Visitor(world, alice.device, alice.key)
    assert isinstance(copy.says(bare(copy, "alice"))[0], Welcome)
    assert alice.got(frames.Bye) == [frames.Bye("replaced")]
    assert alice.says(frames.AskWho(1)) == [Stranger()]
    assert (world.trusted[alice.peer], world.trusted[copy.peer]) == (False, True)
    assert copy.posts(1, "mine now")[0] == frames.Accepted(1)


def test_a_session_belongs_to_the_key_of_its_connection(world: World) -> None:
    alice = Visitor(world)
    alice.enters("alice")
    alice.key = world.new_key()
    assert alice.posts(1, "not mine") == [Stranger()]


def test_unbound_devices_are_remembered_for_what_they_had_read_but_not_without_end(world: World) -> None:
    alice = Visitor(world)
    alice.enters("alice")
    for _ in range(limits.ACCOUNT_DEVICES + 5):
        alice.device = world.device()
        alice.says(bare(alice, "alice"))
    (record,) = world.store.get([records.account("alice")]).values()
    account = records.unpack(records.Account, record[1])
    assert (len(account.bound), len(account.devices)) == (1, limits.ACCOUNT_DEVICES + 1)


def test_only_revoking_makes_room_for_one_device_more(world: World) -> None:
    first = Visitor(world)
    first.enters("alice")
    for _ in range(limits.ACCOUNT_DEVICES - 1):
        Visitor(world).enters("alice")
    late = Visitor(world)
    assert [frame.code for frame in late.says(late.hello("alice"))] == ["too-many-devices"]
    victim = next(device for device in bound(world, "alice") if device != first.device)
    first.says(frames.RevokeDevice(1, victim))
    assert late.enters("alice").account == "alice"


# ---- what is written down ------------------------------------------------------------------------------------


def test_when_and_where_a_key_was_seen_is_written_down(world: World) -> None:
    began = world.now.at
    alice = Visitor(world, address="198.51.100.4")
    alice.enters("alice", name="desk")
    world.wait(100)
    again = Visitor(world, alice.device, alice.key, address="198.51.100.5")
    again.says(bare(again, "alice", name="desk at home"))
    seen = key_record(world, alice.key)
    assert (seen.name, seen.address, seen.first_at, seen.seen_at) == (
        "desk at home",
        "198.51.100.5",
        began,
        began + 100_000,
    )


@pytest.mark.parametrize("minutes", [0, 2])
def test_a_long_session_is_noted_again_when_it_ends(world: World, minutes: int) -> None:
    alice = world.come("alice")
    began = world.now.at
    world.wait(60 * minutes)
    alice.kill()
    world.run()
    assert key_record(world, alice.key).seen_at == began + 60_000 * minutes


def test_a_closed_house_lets_bound_keys_in_without_a_word_about_registration(world: World) -> None:
    alice = Visitor(world)
    alice.enters("alice")
    closed = World(world.store, is_open=False)
    again = Visitor(closed, alice.device, alice.key)
    assert isinstance(again.says(bare(again, "alice"))[0], Welcome)
    late = Visitor(closed)
    (refused,) = late.says(late.hello("bob"))
    assert isinstance(refused, Refused)
    assert refused.code == "registration-closed"
