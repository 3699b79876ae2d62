"""Wrong clocks, and clocks that jump: times may be off, but not the order, and nothing comes late or twice for it."""

from __future__ import annotations

import itertools
import re
import signal
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest

from core.gate import FAILURE_MOST_S
from protocol.frames import Hello, Refused
from protocol.passwords import AUTH_BYTES, SCHEME
from tests.programs.peers import Peer, new_device
from tests.programs.programs import Clients, Event, Program
from tests.programs.turned import Clock, TurnedBroker, TurnedClient

TOKYO, NEW_YORK = "Asia/Tokyo", "America/New_York"
# What the broker's clock says, one after the other: the hours that it is off, or the year.
JUMPS = {"right": 0, "5 h on": 5, "7 h back": -7, "1971": 1971, "2090": 2090, "right again": 0}
BURST = 150


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """The broker's clock. It is right, until somebody turns it."""
    return Clock(tmp_path / "clock")


@pytest.fixture
def turned(clock: Clock, tmp_path: Path) -> Iterator[TurnedBroker]:
    """A broker that lives by it, and counts this machine's own programs."""
    with TurnedBroker(clock, tmp_path / "broker", "--local-limits") as broker:
        yield broker
        ended = broker.end(signal.SIGTERM)
        assert (ended.code, ended.err) == (0, "")


@pytest.fixture
def clients(turned: TurnedBroker, tmp_path: Path) -> Iterator[Clients]:
    """Clients of this broker."""
    with Clients(turned.port, tmp_path / "clients", turned.key) as clients:
        yield clients


def messages(program: Program, log: str = "#lobby") -> list[Event]:
    """The messages of a log that a program has shown, in the order in which it did."""
    return [event for event in program.events if event["event"] == "message" and event["log"] == log]


def check_reading(program: Program, texts: list[str]) -> None:
    """It shows all of the lobby, once and in order."""
    program.wait(lambda: len(messages(program)) >= len(texts), f"{len(texts)} messages")
    assert [event["text"] for event in messages(program)] == texts
    assert [event["seq"] for event in messages(program)] == list(range(1, len(texts) + 1))


def gone(program: Program) -> int:
    """How often it lost the broker."""
    return [event["event"] for event in program.events].count("offline")


def say(author: Program, text: str) -> Event:
    """Say something to all; how it comes back."""
    author.type(f"{text}\n")
    return author.hear("message", text=text)


# ---- the broker's clock --------------------------------------------------------------------------------


def test_the_order_is_the_logs_whatever_the_brokers_clock_says(clock: Clock, clients: Clients) -> None:
    clients.register("carol")
    alice, bob = (clients.start(name, "--json", "--follow") for name in ("alice", "bob"))
    texts: list[str] = []
    for each in (alice, bob):
        each.hear("online")
    for name, jump in JUMPS.items():
        clock.turn(jump)
        for author in (alice, bob):
            texts.append(f"{name}, {len(texts)}")
            assert clock.is_about(say(author, texts[-1])["at"])
    for program in (alice, bob):
        check_reading(program, texts)
        assert gone(program) == 0
    assert clients.fetch("carol").texts == texts


def test_nothing_is_lost_or_doubled_while_it_jumps(clock: Clock, clients: Clients) -> None:
    alice, bob = (clients.start(name, "--json", "--follow") for name in ("alice", "bob"))
    for each in (alice, bob):
        each.hear("online")
    said = {each: [f"{name} {number}" for number in range(BURST)] for each, name in ((alice, "alice"), (bob, "bob"))}
    for author, texts in said.items():
        author.type("".join(f"{text}\n" for text in texts))
    jumps = itertools.cycle(JUMPS.values())

    def came() -> bool:
        clock.turn(next(jumps))
        return len(messages(alice)) >= 2 * BURST

    alice.wait(came, "all that was said")
    read = [event["text"] for event in messages(alice)]
    check_reading(bob, read)
    for name, texts in (("alice", said[alice]), ("bob", said[bob])):
        assert [text for text in read if text.startswith(name)] == texts


def test_a_broker_that_comes_back_in_another_year(tmp_path: Path) -> None:
    """Also one that was in the future: what is said now comes behind what was said then."""
    clock, texts = Clock(tmp_path / "clock", 2090), list[str]()
    port, key, folder = 0, "", tmp_path / "clients"
    for jump in (2090, 1971, 5):
        clock.turn(jump)
        with TurnedBroker(clock, tmp_path / "broker", port=port) as broker:
            port, key = broker.port, broker.key
            with Clients(port, folder, key) as clients:
                alice = clients.start("alice", "--json", "--follow")
                alice.hear("online")
                texts.append(f"in {jump}")
                assert clock.is_about(say(alice, texts[-1])["at"])
                assert alice.end(signal.SIGTERM).code == 0
                alice = clients.start("alice", "--json", "--follow")
                alice.type("/history 10\n")
                assert [alice.hear("message", text=text)["seq"] for text in texts] == list(range(1, len(texts) + 1))
            assert broker.end(signal.SIGTERM).code == 0


# ---- the clients' clocks -------------------------------------------------------------------------------


def stamp(at: str, zone: str) -> str:
    """A message's time as clocks in this zone show it."""
    return datetime.fromisoformat(at).astimezone(ZoneInfo(zone)).strftime("%H:%M")


@pytest.mark.skipif(not {TOKYO, NEW_YORK} <= available_timezones(), reason="this machine has no time zones")
def test_clients_with_wrong_clocks_in_two_zones_show_one_order(clock: Clock, clients: Clients, tmp_path: Path) -> None:
    """Each shows the broker's time as its zone has it; what its own clock says matters to nobody else."""
    with (
        TurnedClient(Clock(tmp_path / "east", 1999), clients, "east", "--follow", zone=TOKYO) as east,
        TurnedClient(Clock(tmp_path / "west", 2061), clients, "west", "--follow", zone=NEW_YORK) as west,
    ):
        alice = clients.start("alice", "--json", "--follow")
        for program in (east, west):
            program.see("made just now", "err")
        alice.hear("online")
        shown: dict[TurnedClient, list[str]] = {east: [], west: []}
        for number, jump in enumerate(JUMPS.values()):
            clock.turn(jump)
            for author, name in ((alice, "alice"), (east, "east"), (west, "west")):
                author.type(f"{name} {number}\n")
                at = alice.hear("message", text=f"{name} {number}")["at"]
                assert clock.is_about(at)
                for program, lines in shown.items():
                    lines.append(f"{stamp(at, program.zone)} {name}: {name} {number}")
        for program, lines in shown.items():
            program.see(re.escape(lines[-1]))
            assert program.out.splitlines() == lines


# ---- limits and silences -------------------------------------------------------------------------------


def test_who_comes_and_goes_is_told_of(clock: Clock, clients: Clients) -> None:
    alice = clients.start("alice", "--json", "--follow")
    alice.hear("online")
    for number, jump in enumerate(JUMPS.values(), 1):
        clock.turn(jump)
        bob = clients.start("bob", "--json", "--follow")
        bob.hear("online")
        await_told(alice, "joined", number)
        assert bob.end(signal.SIGTERM).code == 0
        await_told(alice, "left", number)
    assert gone(alice) == 0


def await_told(program: Program, event: str, times: int) -> None:
    """Wait until it was told this of bob so often."""
    program.wait(
        lambda: [each["event"] for each in program.events if each.get("account") == "bob"].count(event) == times, event
    )


def test_wrong_passwords_cost_as_long_as_ever(clock: Clock, turned: TurnedBroker) -> None:
    """A clock that runs ahead frees nobody, and one that is set back shuts nobody out."""
    with Peer(turned) as dora, Peer(turned) as guesser:
        dora.log_in("dora")
        device, codes = new_device(), list[str]()
        for jump in (0, 3, 6, 9, 12, -12, 15, 1971, 2090):
            clock.turn(jump)
            guesser.say(Hello(1, 0, "dora", device, False, {}, SCHEME, b"x" * AUTH_BYTES))
            refused = guesser.hear(Refused)
            codes.append(refused.code)
            assert refused.retry_s <= FAILURE_MOST_S
        assert codes[0] == "wrong-password"
        assert "too-many-logins" in codes
