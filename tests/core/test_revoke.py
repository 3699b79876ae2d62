"""What its owner may look at and change of an account: its devices and its password."""

from __future__ import annotations

import pytest

from core import records, shown
from core.events import PasswordsDerived
from core.typed import AskedDevices, AskedPassword, RevokedDevice
from protocol import frames, limits
from protocol.frames import Bye, Changed, ChangePassword, Devices, Refused, RevokeDevice, Stranger
from protocol.passwords import AUTH_BYTES, SCHEME
from tests.core.faults import FaultyStore
from tests.core.visitor import Visitor
from tests.core.world import World, hashed

NEW = b"n" * AUTH_BYTES


@pytest.fixture
def world() -> World:
    return World(FaultyStore())


@pytest.fixture
def alice(world: World) -> Visitor:
    visitor = Visitor(world)
    visitor.enters("alice", name="desk")
    return visitor


def second(world: World, **changes: object) -> Visitor:
    """Another device of alice."""
    visitor = Visitor(world)
    visitor.enters("alice", **changes)
    return visitor


def account(world: World) -> records.Account:
    """What the store knows of alice."""
    (record,) = world.store.get([records.account("alice")]).values()
    return records.unpack(records.Account, record[1])


def codes(said: list[object]) -> list[str]:
    """Why something was refused."""
    return [frame.code for frame in said if isinstance(frame, Refused)]


# ---- the list ------------------------------------------------------------------------------------------------


def test_all_devices_are_listed_the_one_seen_last_first(world: World, alice: Visitor) -> None:
    began = world.now.at
    phone = second(world, name="phone")
    Visitor(world).enters("bob")
    world.wait(10)
    phone.vanishes()
    world.wait(10)
    (devices,) = alice.says(frames.AskDevices(5))
    assert devices == Devices(
        5,
        [
            frames.Known(alice.device, "desk", began, world.now.at, "127.0.0.1", True),
            frames.Known(phone.device, "phone", began, began, "127.0.0.1", False),
        ],
    )


def test_as_many_devices_as_an_account_may_have_fit_the_answer(world: World, alice: Visitor) -> None:
    name = "𐍈" * limits.DEVICE_NAME_CHARS
    for n in range(limits.ACCOUNT_DEVICES - 1):
        visitor = Visitor(world, address=f"{n:0100}")
        visitor.enters("alice", name=name)
    (devices,) = alice.says(frames.AskDevices(1))
    assert len(devices.devices) == limits.ACCOUNT_DEVICES
    assert {each.name for each in devices.devices} == {"desk", name}
    assert max(len(each.address) for each in devices.devices) == limits.ADDRESS_CHARS


def test_a_client_shows_its_devices_and_which_is_this_one(world: World) -> None:
    actor = world.come("alice")
    actor.does(AskedDevices())
    (event,) = actor.seen(shown.Devices)
    assert ([each.device for each in event.devices], event.this) == ([actor.notebook.device], actor.notebook.device)


# ---- revoking ------------------------------------------------------------------------------------------------


def test_a_session_whose_key_may_have_been_revoked_begins_anew(world: World, alice: Visitor) -> None:
    """The store was not sure, and then full: whoever asked hears that it was not done, and it was."""
    assert isinstance(world.store, FaultyStore)
    world.store.doubts.append(True)
    alice.utters(RevokeDevice(3, alice.device))
    while not world.store.groups or world.store.doubts:
        world.turn()
    world.store.refuses = "store-full"
    world.run()
    world.store.refuses = ""
    assert codes(alice.heard) == ["store-full"]
    assert codes(alice.says(alice.hello("alice"))) == ["revoked"]
    assert world.broker.core.sessions.by_peer == {}


def test_revoking_ends_the_session_and_the_key(world: World, alice: Visitor) -> None:
    phone = second(world)
    (devices,) = alice.says(RevokeDevice(3, phone.device))
    assert (devices.ask, [each.device for each in devices.devices]) == (3, [alice.device])
    assert phone.got(Bye) == [Bye("revoked")]
    assert not world.trusted[phone.peer]
    assert phone.says(frames.AskWho(1)) == [Stranger()]
    assert codes(phone.says(phone.hello("alice"))) == ["revoked"]
    assert account(world).bound == {alice.device: alice.key}


def test_a_device_may_be_named_by_how_its_id_begins(world: World, alice: Visitor) -> None:
    phone = Visitor(world, device="z" * 16)
    phone.enters("alice")
    alice.says(RevokeDevice(1, "z"))
    assert phone.got(Bye) == [Bye("revoked")]


@pytest.mark.parametrize("named", ["z", "y", "zzzzzzzzzzzzzzzz"])
def test_what_names_none_or_several_revokes_nothing(world: World, alice: Visitor, named: str) -> None:
    for end in "ab":
        Visitor(world, device="z" * 15 + end).enters("alice")
    assert codes(alice.says(RevokeDevice(1, named))) == ["no-such-device"]
    assert len(account(world).bound) == 3


def test_another_accounts_devices_are_none_of_ours(world: World, alice: Visitor) -> None:
    bob = Visitor(world)
    bob.enters("bob")
    assert codes(alice.says(RevokeDevice(1, bob.device))) == ["no-such-device"]
    assert bob.got(Bye) == []


def test_a_device_may_revoke_itself(world: World) -> None:
    actor = world.come("alice")
    actor.does(RevokedDevice(device=actor.notebook.device))
    assert [bye.code for bye in actor.seen(shown.Bye)] == ["revoked"]
    assert account(world).bound == {}


def test_a_device_that_was_revoked_comes_back_with_another_key_and_the_password(world: World, alice: Visitor) -> None:
    phone = second(world)
    alice.says(RevokeDevice(1, phone.device))
    anew = Visitor(world)
    assert anew.enters("alice").account == "alice"


def test_two_who_revoke_one_another_at_once_are_both_answered(world: World, alice: Visitor) -> None:
    phone, third = second(world), second(world)
    alice.utters(RevokeDevice(1, phone.device))
    third.utters(RevokeDevice(1, phone.device))
    world.run()
    assert account(world).bound == {alice.device: alice.key, third.device: third.key}
    answers = [frame for each in (alice, third) for frame in each.heard if isinstance(frame, Devices | Refused)]
    assert len(answers) == 2


def test_what_the_store_does_not_take_is_not_called_revoked(world: World, alice: Visitor) -> None:
    phone = second(world)
    world.store.refuses = "store-full"
    assert codes(alice.says(RevokeDevice(1, phone.device))) == ["store-full"]
    assert phone.got(Bye) == []
    world.store.refuses = ""
    assert [type(frame) for frame in alice.says(RevokeDevice(2, phone.device))] == [Devices]
    assert phone.got(Bye) == [Bye("revoked")]


# ---- the password --------------------------------------------------------------------------------------------


def test_a_new_password_counts_from_then_on(world: World, alice: Visitor) -> None:
    assert alice.says(ChangePassword(4, SCHEME, b"secret", NEW)) == [Changed(4)]
    late = Visitor(world)
    assert codes(late.says(late.hello("alice"))) == ["wrong-password"]
    assert late.enters("alice", credential=NEW).account == "alice"


def test_devices_that_were_let_in_before_stay_so(world: World, alice: Visitor) -> None:
    phone = second(world)
    alice.says(ChangePassword(1, SCHEME, b"secret", NEW))
    assert phone.got(Bye) == []
    assert phone.enters("alice", scheme="", credential=b"").account == "alice"


def test_whoever_does_not_know_the_old_password_changes_nothing(world: World, alice: Visitor) -> None:
    before = account(world)
    assert codes(alice.says(ChangePassword(1, SCHEME, b"guess", NEW))) == ["wrong-old-password"]
    assert account(world) == before


@pytest.mark.parametrize(
    ("scheme", "new", "code"),
    [("plain", NEW, "scheme"), (SCHEME, b"short", "weak-credential"), (SCHEME, NEW + b"n", "weak-credential")],
)
def test_what_is_no_credential_is_not_taken(world: World, alice: Visitor, scheme: str, new: bytes, code: str) -> None:
    checked = len(world.checked)
    assert codes(alice.says(ChangePassword(1, scheme, b"secret", new))) == [code]
    assert len(world.checked) == checked


def test_of_two_who_change_the_password_at_once_one_succeeds(world: World, alice: Visitor) -> None:
    phone = second(world)
    alice.utters(ChangePassword(1, SCHEME, b"secret", NEW))
    phone.utters(ChangePassword(1, SCHEME, b"secret", b"m" * AUTH_BYTES))
    world.run()
    changed = [each for each in (alice, phone) if each.got(Changed)]
    refused = [each for each in (alice, phone) if codes(each.heard) == ["wrong-old-password"]]
    assert (len(changed), len(refused)) == (1, 1)
    assert account(world).hash == hashed(NEW if changed == [alice] else b"m" * AUTH_BYTES)


def test_a_login_with_the_old_password_that_was_being_checked_is_too_late(world: World, alice: Visitor) -> None:
    late = Visitor(world)
    alice.utters(ChangePassword(1, SCHEME, b"secret", NEW))
    world.turn()
    world.turn()
    late.utters(late.hello("alice"))
    world.run()
    assert (len(alice.got(Changed)), codes(late.heard)) == (1, ["wrong-password"])


def test_a_busy_worker_is_said_and_nothing_changes(world: World, alice: Visitor) -> None:
    world.busy = True
    assert codes(alice.says(ChangePassword(1, SCHEME, b"secret", NEW))) == ["busy"]
    assert account(world).hash == hashed(b"secret")


def test_a_password_that_could_not_be_stored_is_not_called_changed(world: World, alice: Visitor) -> None:
    world.store.refuses = "store-full"
    assert codes(alice.says(ChangePassword(1, SCHEME, b"secret", NEW))) == ["store-full"]
    assert alice.got(Changed) == []


def test_a_person_changes_the_password(world: World) -> None:
    actor = world.come("alice")
    actor.new_password = NEW.decode()
    actor.does(AskedPassword())
    assert account(world).hash == hashed(NEW)
    assert actor.seen(shown.Notice)[-1].text.startswith("the password is changed")


def test_whoever_is_asked_for_passwords_may_think_as_long_as_they_like(world: World) -> None:
    actor = world.come("alice")
    actor.thinks = True
    question = AskedPassword(tag="t")
    actor.does(question)
    actor.frozen = True  # nothing else is looked at while somebody types
    world.wait(limits.SILENCE_S + 10)
    actor.thaw()
    actor.inbox = [PasswordsDerived(question, b"secret", NEW)]  # what the old connection says is not looked at any more
    world.run()
    assert account(world).hash == hashed(NEW)
    assert actor.codes() == []


def test_without_a_terminal_nothing_is_changed(world: World) -> None:
    actor = world.come("alice")
    actor.does(AskedPassword(tag="t"))
    assert [(event.code, event.tag) for event in actor.seen(shown.Refused)] == [("no-terminal", "t")]
    assert account(world).hash == hashed(b"secret")


def test_while_the_broker_is_away_nobody_is_asked_for_a_password(world: World) -> None:
    actor = world.come("alice")
    actor.new_password = NEW.decode()
    actor.deaf = True
    actor.cut()
    actor.does(AskedPassword())
    assert actor.codes() == ["not-connected"]


def test_no_credential_is_printed() -> None:
    assert "secret" not in repr(ChangePassword(1, SCHEME, b"the secret", b"another secret"))
