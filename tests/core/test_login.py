"""Who is let in, as whom, and what the others are told."""

from __future__ import annotations

import pytest

from core import records, shown
from core.commands import Put
from protocol import frames, limits
from protocol.frames import Bye, Deliver, Expected, Refused, Stranger, Unproven, Welcome
from store.memory import MemoryStore
from tests.core.faults import LateStore
from tests.core.visitor import Visitor, post
from tests.core.world import BROKER, DUMMY, World


def account(world: World, key: str) -> records.Account:
    """What the store knows of an account."""
    (record,) = world.store.get([records.account(key)]).values()
    return records.unpack(records.Account, record[1])


def change(world: World, key: str, **changes: object) -> None:
    """An operator changes an account behind the broker's back."""
    version, value = world.store.get([records.account(key)])[records.account(key)]
    changed = records.unpack(records.Account, value)
    for name, to in changes.items():
        setattr(changed, name, to)
    world.store.submit([Put(records.account(key), records.pack(changed), version)], world.now)
    world.store.poll()


# ---- accounts ------------------------------------------------------------------------------------------


def test_the_first_password_for_a_free_name_registers_it_and_later_ones_are_checked() -> None:
    world = World()
    first = world.come("Alice")
    assert first.seen(shown.Online)[0].registered
    first.kill()
    again = world.come("ALICE", notebook=first.notebook)
    assert (again.seen(shown.Online)[0].account, again.seen(shown.Online)[0].registered) == ("Alice", False)
    assert world.checked == [None, account(world, "alice").hash]


def test_a_second_device_of_an_account_is_not_greeted_as_new() -> None:
    world = World()
    world.come("alice")
    assert not world.come("alice").seen(shown.Online)[0].registered


def test_a_wrong_password_ends_the_client_and_nothing_was_sent() -> None:
    world = World()
    world.come("alice")
    thief = world.come("alice", password="guess")
    (bye,) = thief.seen(shown.Bye)
    assert (bye.code, bye.text) == ("wrong-password", "wrong password for alice; nothing was sent")
    world.wait(60)
    assert thief.attempts == 1
    assert account(world, "alice").devices.keys() == {world.actors[0].notebook.device}


def test_of_two_who_register_one_name_in_one_turn_one_gets_it() -> None:
    world = World()
    one, other = world.person("alice", password="mine"), world.person("Alice", password="no, mine")
    world.run()
    assert [event.registered for event in one.seen(shown.Online)] == [True]
    assert [bye.code for bye in other.seen(shown.Bye)] == ["wrong-password"]


def test_two_devices_of_one_person_that_register_in_one_turn_are_both_let_in() -> None:
    world = World()
    both = [world.person("alice"), world.person("alice")]
    world.run()
    assert [[event.registered for event in each.seen(shown.Online)] for each in both] == [[True], [False]]
    assert len(account(world, "alice").devices) == 2


def test_a_device_that_comes_while_another_one_waits_for_its_sends_is_known_to_it() -> None:
    world = World(LateStore(turns=3))
    desk = Visitor(world)
    desk.enters("alice")
    again, phone = Visitor(world, desk.device, desk.key), Visitor(world)
    phone.utters(phone.hello("alice"))
    for _ in range(3):  # the new device is on its way to the store when the other one comes back
        world.turn()
    desk.utters(post(1, "one"))
    again.utters(again.hello("alice", scheme="", credential=b""))
    world.run()
    assert [len(each.got(Welcome)) for each in (again, phone)] == [1, 1]
    assert again.got(Welcome)[0].last == 1


def test_a_closed_house_makes_no_accounts_and_does_not_say_which_there_are() -> None:
    store = MemoryStore("first", BROKER)
    World(store).come("alice")
    world = World(store, is_open=False)
    visitor = Visitor(world)
    (known,), (unknown,) = (visitor.says(visitor.hello(name, credential=b"")) for name in ("alice", "nobody"))
    assert known == unknown == Unproven(BROKER, "a2split1", taken=True)
    (wrong,), (missing,) = (visitor.says(visitor.hello(name, credential=b"no")) for name in ("alice", "nobody"))
    assert wrong.code == missing.code == "registration-closed"
    assert wrong.text.replace("alice", "nobody") == missing.text
    assert world.checked == [account(world, "alice").hash, DUMMY], "a missing name must cost what a real one costs"
    assert visitor.enters("alice").account == "alice"


def test_nobody_gets_in_with_what_fits_the_dummy() -> None:
    world = World(is_open=False)
    visitor = Visitor(world)
    world.slow = True
    visitor.says(visitor.hello("nobody"))
    (prove,) = world.proofs
    prove.stored = "old " + "hash of " + b"secret".hex()  # as if the secret were the dummy's
    world.slow = False
    world.run()
    assert visitor.got(Welcome) == []


def test_an_account_made_while_the_dummy_was_checked_is_checked_against_itself() -> None:
    world = World(is_open=False)
    visitor = Visitor(world)
    world.slow = True
    visitor.says(visitor.hello("alice"))
    made = records.Account("alice", "a2split1", "hash of " + b"secret".hex(), 0, {"#lobby": 0})
    world.store.submit([Put(records.account("alice"), records.pack(made), 0)], world.now)
    world.store.poll()
    world.slow = False
    world.run()
    assert len(visitor.got(Welcome)) == 1
    assert world.checked == [DUMMY, made.hash]


def test_a_password_changed_while_the_old_one_was_checked_counts() -> None:
    world = World()
    alice = world.come("alice")
    alice.kill()
    world.slow = True
    late = world.come("alice", notebook=alice.notebook)
    change(world, "alice", hash="hash of " + b"another".hex())
    world.slow = False
    world.run()
    assert [bye.code for bye in late.seen(shown.Bye)] == ["wrong-password"]


def test_an_old_hash_is_renewed_at_a_login_and_a_faster_change_wins() -> None:
    world = World()
    alice = world.come("alice")
    new = account(world, "alice").hash
    change(world, "alice", hash="old " + new)
    alice.kill()
    alice = world.come("alice", notebook=alice.notebook)
    assert alice.core.online
    assert account(world, "alice").hash == new
    change(world, "alice", hash="old " + new)
    world.slow = True
    alice.kill()
    world.come("alice", notebook=alice.notebook)
    change(world, "alice", hash="hash of " + b"another".hex())
    world.slow = False
    world.run()
    assert account(world, "alice").hash == "hash of " + b"another".hex()


def test_a_damaged_hash_is_not_called_a_wrong_password() -> None:
    world = World()
    world.come("alice").kill()
    change(world, "alice", hash="damaged")
    visitor = Visitor(world)
    assert [frame.code for frame in visitor.says(visitor.hello("alice"))] == ["damaged-account"]


# ---- a Hello that can't be ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"scheme": "plain"}, "scheme"),
        ({"account": "no name"}, "bad-name"),
        ({"account": ""}, "bad-name"),
        ({"account": "аlice"}, "bad-name"),  # a Cyrillic letter among Latin ones
        ({"account": "x" * limits.LOG_CHARS}, "bad-name"),
    ],
)
def test_a_hello_that_cannot_be_is_refused_for_good(changes: dict[str, str], code: str) -> None:
    world = World()
    visitor = Visitor(world)
    name = changes.get("account", "alice")
    (refused,) = visitor.says(visitor.hello(**({"account": name} | changes)))
    assert (refused.code, refused.retry_s) == (code, 0.0)
    assert world.checked == []


@pytest.mark.parametrize(("major", "older"), [(0, "client"), (2, "broker"), (65535, "broker")])
def test_another_major_version_is_told_which_side_to_upgrade(major: int, older: str) -> None:
    world = World()
    visitor = Visitor(world)
    hello = visitor.hello("alice")
    hello.major = major
    (refused,) = visitor.says(hello)
    assert refused.code == "version"
    assert refused.text.endswith(f"upgrade the {older}")


def test_a_hello_of_a_version_that_cannot_even_be_read_is_told_so() -> None:
    visitor = Visitor(World())
    (refused,) = visitor.says(bytes((0x94, 1, 2, 7, 0xC0)))  # [tag 1, major 2, minor 7, something new]
    assert (refused.code, "the client 2.7" in refused.text) == ("version", True)


def test_bytes_that_are_no_frame_are_refused_and_change_nothing() -> None:
    world = World()
    visitor = Visitor(world)
    visitor.enters("alice")
    before = list(world.store.dump())
    (refused,) = visitor.says(b"\xff\x00")
    assert refused.code == "malformed"
    assert list(world.store.dump()) == before
    assert visitor.posts(1, "still here")[0] == frames.Accepted(1)


def test_what_only_brokers_say_is_refused() -> None:
    visitor = Visitor(World())
    visitor.enters("alice")
    (refused,) = visitor.says(frames.Accepted(7))
    assert (refused.code, "Accepted is said by brokers" in refused.text) == ("wrong-direction", True)


def test_before_hello_everything_is_answered_by_stranger_once_a_turn() -> None:
    visitor = Visitor(World())
    assert visitor.posts(1, "psst") == [Stranger()]
    assert visitor.says(frames.Ack({}), frames.Ping({}), frames.AskWho(1), frames.Quit()) == [Stranger()]


def test_a_hello_never_shows_its_credential() -> None:
    hello = Visitor(World()).hello("alice", credential=b"hush hush")
    assert "hush" not in repr(hello)
    assert "alice" in repr(hello)


# ---- a busy house ---------------------------------------------------------------------------------------


def test_a_busy_worker_sends_people_away_for_a_while_and_they_come_back() -> None:
    world = World()
    world.busy = True
    alice = world.come("alice")
    assert [(event.reason, event.retry_in) for event in alice.seen(shown.Offline)] == [("busy", 1.25)]
    world.busy = False
    world.wait(1.2)
    assert not alice.core.online
    world.wait(0.1)
    assert alice.core.online


def test_whoever_hangs_up_while_the_password_is_checked_is_forgotten() -> None:
    world = World()
    world.slow = True
    visitor = Visitor(world)
    visitor.says(visitor.hello("alice"))
    visitor.vanishes()
    sent = len(world.sent)
    world.slow = False
    world.run()
    assert len(world.checked) == 1, "the worker had begun"
    assert len(world.sent) == sent
    assert (world.store.browse("account/", 1), world.broker.core.sessions.by_peer) == ([], {})


def test_a_broker_with_another_scheme_is_not_given_a_credential() -> None:
    world = World()
    world.slow = True
    alice = world.come("alice")
    alice.hears(Unproven(BROKER, "rot13", taken=True))
    alice.turn()
    assert [bye.code for bye in alice.seen(shown.Bye)] == ["scheme"]


def test_whoever_cannot_be_asked_for_a_password_gives_up() -> None:
    world = World()
    alice = world.come("alice", password="")
    world.wait(60)
    assert (alice.attempts, alice.core.online, alice.peer) == (1, False, None)


def test_an_account_has_only_so_many_devices() -> None:
    world = World()
    for _ in range(limits.ACCOUNT_DEVICES):
        Visitor(world).enters("alice")
    late = Visitor(world)
    (refused,) = late.says(late.hello("alice"))
    assert refused.code == "too-many-devices"
    assert len(account(world, "alice").devices) == limits.ACCOUNT_DEVICES


# ---- several sessions ------------------------------------------------------------------------------------


def test_a_device_that_logs_in_twice_has_its_older_session_replaced() -> None:
    world = World()
    old = world.come("alice")
    new = Visitor(world, old.notebook.device)
    new.enters("alice")
    assert [bye.code for bye in old.seen(shown.Bye)] == ["replaced"]
    assert new.posts(1, "it is me")[0] == frames.Accepted(1)
    world.wait(60)
    assert old.attempts == 1, "or both would go on replacing one another"


def test_another_account_on_the_same_connection_ends_the_first_ones_session() -> None:
    world = World()
    visitor = Visitor(world)
    visitor.enters("alice")
    visitor.device, visitor.key = world.device(), world.new_key()
    assert visitor.enters("bob").account == "bob"
    assert visitor.got(Bye) == []
    visitor.posts(1, "who am I?")
    author = visitor.got(Deliver)[0].runs[0].envelopes[0].author
    assert author == "bob"
    (present,) = visitor.says(frames.AskWho(1))
    assert present.accounts == ["bob"]


def test_hello_in_the_middle_of_a_session_begins_it_again_from_the_cursors_given() -> None:
    visitor = Visitor(World())
    visitor.enters("alice")
    visitor.posts(1, "one", "two")
    welcome = visitor.enters("alice", cursors={"#lobby": 1})
    assert (welcome.last, welcome.logs["#lobby"].head) == (2, 2)
    assert visitor.delivered("#lobby") == [(1, b"one"), (2, b"two"), (2, b"two")]


def test_a_refused_hello_leaves_the_session_as_it_was() -> None:
    visitor = Visitor(World())
    visitor.enters("alice")
    assert [type(frame) for frame in visitor.says(visitor.hello("alice", credential=b"no"))] == [Refused]
    assert visitor.posts(2, "ahead") == [Expected(1)]


def test_the_log_names_who_came_and_who_was_refused_and_no_secret() -> None:
    world = World()
    world.come("alice", password="hush hush")
    world.come("alice", password="hush hush!")
    world.actors[0].types("between you and me")
    whole = repr(world.notes)
    assert [note.what for note in world.notes] == ["registered", "refused"]
    assert "hush" not in whole
    assert "between" not in whole
