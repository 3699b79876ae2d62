"""Codes that make accounts and set passwords: each is good for what it was made for, and as often."""

from __future__ import annotations

import pytest

from core import records, shown
from core.orders import AddAccount, AddPermit, EndPermit, LetReset, ListPermits
from protocol import permits
from protocol.frames import Refused, Unproven, Welcome
from tests.core.faults import FaultyStore
from tests.core.visitor import Visitor
from tests.core.world import World, hashed

CODE, OTHER = permits.written(b"ten random"), permits.written(b"and others")
MARK = permits.mark(CODE)
DAY_MS = 86_400_000


@pytest.fixture
def world() -> World:
    return World(FaultyStore(), is_open=False, permits=True)


def tomorrow(world: World) -> int:
    return world.now.at + DAY_MS


def tries(world: World, account: str, **changes: object) -> str:
    """Log in as a new device; why not, or "" if that works."""
    visitor = Visitor(world)
    (said,) = (each for each in visitor.says(visitor.hello(account, **changes)) if isinstance(each, Welcome | Refused))
    return "" if isinstance(said, Welcome) else str(said.code)


def test_without_a_code_no_account_is_made_and_the_client_is_told_that_it_takes_one(world: World) -> None:
    visitor = Visitor(world)
    (unproven,) = visitor.says(visitor.hello("alice", credential=b""))
    assert (unproven.taken, unproven.permit) == (False, True)
    assert tries(world, "alice") == "permit-needed"
    assert tries(world, "alice", permit=CODE) == "bad-permit"


def test_a_code_makes_as_many_accounts_as_it_says(world: World) -> None:
    world.order(AddPermit(MARK, 2, tomorrow(world)))
    assert [tries(world, name, permit=CODE) for name in ("alice", "bob", "carol")] == ["", "", "bad-permit"]
    assert tries(world, "alice") == "", "it is an account like any other"
    assert tries(world, "alice", permit=CODE) == "", "who still gives the code is let in by password"
    (listed,) = world.order(ListPermits())
    assert [(each["mark"], each["names"], each["uses"]) for each in listed["permits"]] == [(MARK, ["alice", "bob"], 2)]


def test_of_two_who_use_the_last_one_at_the_same_time_one_wins(world: World) -> None:
    world.order(AddPermit(MARK, 1, tomorrow(world)))
    both = [Visitor(world), Visitor(world)]
    for visitor, name in zip(both, ("alice", "bob"), strict=True):
        visitor.utters(visitor.hello(name, permit=CODE))
    world.run()
    assert [len(visitor.got(Welcome)) for visitor in both] == [1, 0]
    assert [each.code for each in both[1].got(Refused)] == ["bad-permit"]
    assert world.store.get([records.account("bob")]) == {records.account("bob"): None}


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_broker_that_dies_uses_the_code_with_the_account_or_not_at_all(world: World, side: str) -> None:
    world.order(AddPermit(MARK, 1, tomorrow(world)))
    visitor = Visitor(world)
    visitor.utters(visitor.hello("alice", permit=CODE))
    world.turn()
    world.store.dies = side
    world.run()
    made = world.store.get([records.account("alice")])[records.account("alice")] is not None
    (listed,) = world.order(ListPermits())
    assert (made, listed["permits"][0]["names"]) == ((True, ["alice"]) if side == "after" else (False, []))
    assert tries(world, "alice", permit=CODE) == ""


def test_a_code_is_good_until_its_time_is_over_or_it_is_taken_back(world: World) -> None:
    world.order(AddPermit(MARK, 9, world.now.at + 60_000))
    world.order(AddPermit(permits.mark(OTHER), 9, tomorrow(world)))
    world.wait(61)
    assert tries(world, "alice", permit=CODE) == "bad-permit"
    assert tries(world, "alice", permit=OTHER) == ""
    assert world.order(EndPermit(permits.mark(OTHER)[:6]))[0]["done"]
    assert tries(world, "bob", permit=OTHER) == "bad-permit"
    assert world.order(EndPermit(permits.mark(OTHER)[:6]))[0]["code"] == "no-permit"


def test_a_code_that_fits_two_is_not_guessed(world: World) -> None:
    for mark in ("abc" + "x" * 23, "abd" + "x" * 23):
        world.order(AddPermit(mark, 1, tomorrow(world)))
    assert world.order(EndPermit("ab"))[0]["code"] == "no-permit"
    assert world.order(EndPermit("abc"))[0]["done"]


def test_an_account_that_the_operator_made_gets_its_password_with_the_code(world: World) -> None:
    world.order(AddAccount("Alice", MARK, tomorrow(world)))
    assert tries(world, "alice") == "wrong-password"
    assert tries(world, "bob", permit=CODE) == "bad-permit"
    assert tries(world, "alice", permit=CODE, credential=b"mine") == ""
    assert tries(world, "alice", permit=CODE, credential=b"not mine") == "bad-permit"
    assert tries(world, "alice", credential=b"mine") == ""
    assert world.order(AddAccount("ALICE", permits.mark(OTHER), tomorrow(world)))[0]["code"] == "account-exists"


@pytest.mark.parametrize("is_open", [True, False])
def test_a_reset_lets_a_new_password_in_once_and_ends_the_old_one(is_open: bool) -> None:
    world = World(FaultyStore())
    visitor = Visitor(world)
    visitor.enters("alice")
    world = World(world.store, is_open=is_open)
    world.order(LetReset("alice", MARK, tomorrow(world)))
    assert tries(world, "alice") == "", "the old one is good until then"
    assert tries(world, "alice", permit=CODE, credential=b"new") == ""
    assert tries(world, "alice", credential=b"new") == ""
    assert tries(world, "alice") != ""
    assert tries(world, "alice", permit=CODE, credential=b"newer") == "bad-permit"


def test_a_closed_house_makes_no_account_even_with_a_code() -> None:
    world = World(is_open=False)
    world.order(AddPermit(MARK, 1, tomorrow(world)))
    assert tries(world, "alice", permit=CODE) == "bad-permit"


def test_codes_are_counted_like_passwords(world: World) -> None:
    codes = []
    for n in range(11):
        visitor = Visitor(world, address="192.0.2.1")
        said = visitor.says(visitor.hello(f"alice{n}", permit=permits.written(n.to_bytes(10, "big"))))
        codes += [each.code for each in said if isinstance(each, Refused)]
    assert codes == ["bad-permit"] * 10 + ["too-many-logins"]


def test_a_person_is_asked_for_the_code_where_it_takes_one(world: World) -> None:
    world.order(AddPermit(MARK, 1, tomorrow(world)))
    alice = world.person("alice")
    alice.permit = CODE
    world.run()
    assert [each.registered for each in alice.seen(shown.Online)] == [True]


def test_a_person_who_has_been_here_sets_another_password_with_the_code(world: World) -> None:
    world.order(AddPermit(MARK, 1, tomorrow(world)))
    alice = world.come("alice", permit=CODE)
    alice.kill()
    world.order(LetReset("alice", permits.mark(OTHER), tomorrow(world)))
    again = world.come("alice", "another", notebook=alice.notebook, permit=OTHER, proves=False)
    assert again.core.online
    (found,) = world.store.get([records.account("alice")]).values()
    assert records.unpack(records.Account, found[1]).hash == hashed(b"another")


def test_a_code_is_known_however_it_is_typed_and_is_stored_nowhere(world: World) -> None:
    assert permits.mark(" " + CODE.upper().replace("-", " ")) == MARK
    world.order(AddPermit(MARK, 1, tomorrow(world)))
    tries(world, "alice", permit=CODE.replace("-", ""))
    stored = repr(list(world.store.dump()))
    assert CODE not in stored
    assert CODE.replace("-", "") not in stored
    visitor = Visitor(world)
    assert all(isinstance(each, Unproven) for each in visitor.says(visitor.hello("bob", credential=b"")))
