"""What holds back those who are not in yet; and that nobody can lock anybody else out."""

from __future__ import annotations

import pytest

from core import gate
from core.broker import TURN_QUESTIONS
from core.clock import Instant
from core.commands import Admit, HangUp, Look
from core.door import CROWDED_S
from core.gate import Gate
from core.received import Knocked
from protocol import frames
from protocol.frames import Present, Refused, Unproven, Welcome
from tests.core.visitor import Visitor
from tests.core.world import World, key

FAR = "192.0.2.7"
TICKET = (b"peer", b"1")
NOW = Instant(0.0, 0)


@pytest.fixture
def world() -> World:
    return World()


def knocks(held: Gate, letters: str, address: str, tick: float = 0.0) -> int:
    """What is answered to a key that nobody knows, at this time."""
    event = Knocked(TICKET, letters, address)
    (command,) = held.knock(event, Instant(tick, 0))
    if isinstance(command, Look):
        event.found = dict.fromkeys(command.keys)
        (command,) = held.knock(event, Instant(tick, 0))
    assert isinstance(command, Admit)
    assert (command.ticket, command.key) == (TICKET, letters)
    return command.code


def tries(world: World, account: str, secret: bytes, address: str) -> Refused | Welcome:
    """One login by password with a new key."""
    visitor = Visitor(world, address=address)
    return next(
        frame
        for frame in visitor.says(visitor.hello(account, credential=secret))
        if isinstance(frame, Refused | Welcome)
    )


def gets_in(world: World, account: str, address: str) -> float:
    """After how many seconds somebody who knows the password is let in, doing as they are told."""
    began = world.now.tick
    while isinstance(said := tries(world, account, b"secret", address), Refused):
        assert said.code == "too-many-logins"
        assert said.retry_s > 0
        world.wait(said.retry_s, step=said.retry_s)
    return world.now.tick - began


# ---- connections ---------------------------------------------------------------------------------------------


def test_from_one_address_come_only_so_many_connections_at_once() -> None:
    held = Gate(local_limits=False)
    codes = [knocks(held, key(n), FAR) for n in range(gate.ADDRESS_CONNECTS + 1)]
    assert codes[-1] == gate.COME_BACK
    assert codes.count(gate.LET_IN) == pytest.approx(gate.ADDRESS_CONNECTS, abs=1), "one more or less by rounding"
    assert knocks(held, key(9999), "192.0.2.8") == gate.LET_IN
    assert knocks(held, key(9999), FAR, gate.ADDRESS_CONNECT_S) == gate.LET_IN


def test_whoever_has_a_network_has_one_address() -> None:
    held = Gate(local_limits=False)
    codes = [knocks(held, key(n), f"2001:db8::{n:x}") for n in range(gate.ADDRESS_CONNECTS + 1)]
    assert codes[-1] == gate.COME_BACK


@pytest.mark.parametrize(("local_limits", "last"), [(False, gate.LET_IN), (True, gate.COME_BACK)])
def test_this_machine_is_not_counted_unless_that_was_asked_for(local_limits: bool, last: int) -> None:
    held = Gate(local_limits)
    codes = [knocks(held, key(n), "127.0.0.1") for n in range(gate.ADDRESS_CONNECTS + 1)]
    assert codes[-1] == last


def test_with_one_key_come_only_so_many_connections_from_wherever() -> None:
    held = Gate(local_limits=False)
    codes = [knocks(held, key(1), f"192.0.2.{n}") for n in range(gate.KEY_CONNECTS + 1)]
    assert codes == [gate.LET_IN] * gate.KEY_CONNECTS + [gate.COME_BACK]
    assert knocks(held, key(1), FAR, gate.KEY_CONNECT_S) == gate.LET_IN


def test_whoever_does_what_no_honest_client_does_is_hung_up_on_once() -> None:
    held = Gate(local_limits=False)
    commands = [held.offence(b"peer") for _ in range(gate.OFFENCES + 5)]
    assert [n for n, each in enumerate(commands, 1) if each] == [gate.OFFENCES]
    assert commands[gate.OFFENCES - 1] == [HangUp(b"peer")]
    held.gone(b"peer")
    assert held.offence(b"peer") == []


@pytest.mark.parametrize("nonsense", [b"\xc1", frames.Pong({})], ids=["no frame", "a broker's frame"])
def test_nonsense_ends_the_connection_that_says_it_and_no_other(world: World, nonsense: bytes | frames.Pong) -> None:
    alice = world.come("alice")
    visitor = Visitor(world)
    visitor.says(*[nonsense] * (gate.OFFENCES - 1))
    assert world.hung_up == []
    visitor.says(nonsense)
    assert world.hung_up == [visitor.peer]
    assert alice.core.online


# ---- logins --------------------------------------------------------------------------------------------------


def test_a_key_says_hello_only_so_often(world: World) -> None:
    visitor = Visitor(world)
    said = [visitor.says(visitor.hello("alice", credential=b""))[0] for _ in range(gate.KEY_HELLOS + 1)]
    assert {type(each) for each in said[: gate.KEY_HELLOS - 1]} == {Unproven}
    assert said[-1].code == "too-many-hellos"
    assert 0 < said[-1].retry_s <= 1.01 * gate.KEY_HELLO_S
    world.wait(2 * gate.KEY_HELLO_S, step=0.1)
    assert isinstance(visitor.says(visitor.hello("alice", credential=b""))[0], Unproven)


def test_from_one_address_come_only_so_many_passwords(world: World) -> None:
    said = [tries(world, f"user{n}", b"secret", FAR) for n in range(gate.ADDRESS_LOGINS + 1)]
    assert {type(each) for each in said[:-1]} == {Welcome}
    assert (said[-1].code, said[-1].retry_s) == ("too-many-logins", gate.ADDRESS_LOGIN_S)
    assert len(world.checked) == gate.ADDRESS_LOGINS, "nothing is hashed beyond it"
    assert isinstance(tries(world, "elsewhere", b"secret", "192.0.2.8"), Welcome)
    world.wait(gate.ADDRESS_LOGIN_S)
    assert isinstance(tries(world, "later", b"secret", FAR), Welcome)


def test_a_bound_key_is_not_counted(world: World) -> None:
    alice = Visitor(world, address=FAR)
    alice.enters("alice")
    for n in range(gate.ADDRESS_LOGINS):
        tries(world, "alice", b"guess", FAR)
        tries(world, f"user{n}", b"guess", FAR)
    again = Visitor(world, alice.device, alice.key, FAR)
    assert again.enters("alice", scheme="", credential=b"").account == "alice"


def test_each_wrong_password_doubles_the_wait_for_that_name_from_there(world: World) -> None:
    Visitor(world).enters("alice")
    for wait in (1.0, 2.0, 4.0):
        assert tries(world, "alice", b"guess", FAR).code == "wrong-password"
        early = tries(world, "alice", b"secret", FAR)
        assert (early.code, early.retry_s) == ("too-many-logins", wait)
        world.wait(wait)
    assert isinstance(tries(world, "alice", b"secret", FAR), Welcome)
    tries(world, "alice", b"guess", FAR)
    assert tries(world, "alice", b"secret", FAR).retry_s == gate.FAILURE_FIRST_S, "a success clears it"


def test_a_wrong_password_delays_no_other_name_and_no_other_address(world: World) -> None:
    for name in ("alice", "bob"):
        Visitor(world).enters(name)
    tries(world, "alice", b"guess", FAR)
    assert isinstance(tries(world, "bob", b"secret", FAR), Welcome)
    assert isinstance(tries(world, "alice", b"secret", "192.0.2.8"), Welcome)


def guessed(world: World, account: str) -> None:
    """An attacker who has very many addresses tries a password from each."""
    for n in range(3 * gate.NAME_FAILURES):
        tries(world, account, b"guess", f"10.0.{n // 200}.{n % 200}")


def test_a_name_that_is_guessed_at_becomes_slow_and_its_owner_gets_in_all_the_same(world: World) -> None:
    owner = Visitor(world)
    owner.enters("alice")
    guessed(world, "alice")
    assert len(world.checked) <= gate.NAME_FAILURES + 2, "beyond the limit nothing is hashed at once"
    assert 0 < gets_in(world, "alice", "198.51.100.1") <= gate.SLOW_NAME_S
    again = Visitor(world, owner.device, owner.key, "198.51.100.2")
    assert again.enters("alice", scheme="", credential=b"").account == "alice"


def test_an_attack_that_goes_on_meanwhile_does_not_keep_the_owner_out(world: World) -> None:
    Visitor(world).enters("alice")
    guessed(world, "alice")
    first = tries(world, "alice", b"secret", "198.51.100.1")
    for n in range(5):
        world.wait(first.retry_s / 5)
        tries(world, "alice", b"guess", f"10.9.9.{n}")
    assert gets_in(world, "alice", "198.51.100.1") <= gate.SLOW_NAME_S


def test_a_name_is_fast_again_when_nobody_guesses_any_more(world: World) -> None:
    Visitor(world).enters("alice")
    guessed(world, "alice")
    world.wait(gate.NAME_FAILURES * gate.NAME_FAILURE_S, step=60)
    assert gets_in(world, "alice", "198.51.100.1") == 0


def test_this_machines_own_programs_may_guess_and_delay_nobody(world: World) -> None:
    Visitor(world).enters("alice")
    for _ in range(2 * gate.NAME_FAILURES):
        assert tries(world, "alice", b"guess", "127.0.0.1").code == "wrong-password"
    assert gets_in(world, "alice", "198.51.100.1") == 0


def test_from_one_address_only_so_many_accounts_are_made(world: World) -> None:
    for n in range(gate.ADDRESS_ACCOUNTS):
        assert isinstance(tries(world, f"user{n}", b"secret", FAR), Welcome)
        world.wait(gate.ADDRESS_LOGIN_S / 10 if n < gate.ADDRESS_LOGINS - 1 else gate.ADDRESS_LOGIN_S)
    late = tries(world, "late", b"secret", FAR)
    assert isinstance(late, Refused)
    assert late.code == "too-many-accounts"
    assert late.retry_s > 0
    world.wait(gate.ADDRESS_LOGIN_S)
    assert isinstance(tries(world, "user1", b"secret", FAR), Welcome), "who is there already is let in"


# ---- sessions ------------------------------------------------------------------------------------------------


def test_from_one_address_come_only_so_many_sessions(world: World) -> None:
    crowd = []
    for n in range(gate.ADDRESS_SESSIONS + 1):
        visitor = Visitor(world)
        visitor.says(visitor.hello(f"user{n}", reads=False))
        visitor = Visitor(world, visitor.device, visitor.key, FAR)
        visitor.says(visitor.hello(f"user{n}", reads=False, scheme="", credential=b""))
        crowd.append(visitor)
    assert sum(len(each.got(Welcome)) for each in crowd) == gate.ADDRESS_SESSIONS
    late = crowd[-1]
    assert [(each.code, each.retry_s) for each in late.got(Refused)] == [("too-many-sessions", CROWDED_S)]
    for there in (crowd[1], Visitor(world, crowd[1].device, crowd[1].key, FAR)):
        again = there.hello("user1", reads=False, scheme="", credential=b"")
        assert isinstance(there.says(again)[0], Welcome), "who comes in the place of a session is not one more"
    crowd[0].says(frames.Quit())
    hello = late.hello(f"user{gate.ADDRESS_SESSIONS}", reads=False, scheme="", credential=b"")
    assert isinstance(late.says(hello)[0], Welcome)


def test_a_session_asks_only_so_much_in_one_turn_and_goes_on_in_the_next(world: World) -> None:
    visitor = Visitor(world)
    visitor.enters("alice")
    heard = visitor.says(*(frames.AskWho(ask) for ask in range(1, TURN_QUESTIONS + 4)))
    assert len([each for each in heard if isinstance(each, Present)]) == TURN_QUESTIONS
    refused = [(each.code, each.ask) for each in heard if isinstance(each, Refused)]
    assert refused == [("too-many-questions", TURN_QUESTIONS + n) for n in (1, 2, 3)]
    assert visitor.says(frames.AskWho(99)) == [Present(99, ["alice"])]
    assert world.hung_up == []


def test_whoever_asks_too_much_turn_after_turn_is_hung_up_on(world: World) -> None:
    visitor = Visitor(world)
    visitor.enters("alice")
    for _ in range(gate.OFFENCES):
        assert world.hung_up == []
        visitor.says(*(frames.AskWho(ask) for ask in range(1, TURN_QUESTIONS + 4)))
    assert world.hung_up == [visitor.peer]
