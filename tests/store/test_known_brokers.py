"""What a client remembers of the brokers that it has met."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from protocol import keys
from store import StoreDamaged
from store.known_brokers import KnownBroker, KnownBrokers

HOME, WORK = "tcp://localhost:7777", "tcp://work:7777"
ONE, TWO = (keys.written(bytes([n] * 32)) for n in (1, 2))
ID, OTHER_ID = b"1" * 16, b"2" * 16
MET = KnownBroker(HOME, ONE, b"", "2026-11-21")


@pytest.fixture
def known(tmp_path: Path) -> KnownBrokers:
    return KnownBrokers(tmp_path / "config")


def test_nobody_is_known_at_first(known: KnownBrokers) -> None:
    assert (known.all(), known.find(HOME)) == ([], None)


def test_whoever_was_met_is_known_in_the_next_run(known: KnownBrokers, tmp_path: Path) -> None:
    assert known.remember(MET) == MET
    work = known.remember(KnownBroker(WORK, TWO, OTHER_ID, "2026-11-22"))
    again = KnownBrokers(tmp_path / "config")
    assert (again.find(HOME), again.find(WORK)) == (MET, work)
    assert again.find("tcp://localhost:7778") is None


def test_the_id_is_added_once_it_is_known_and_the_date_stays(known: KnownBrokers) -> None:
    known.remember(MET)
    kept = known.remember(KnownBroker(HOME, ONE, ID, "2027-01-01"))
    assert kept == known.find(HOME) == KnownBroker(HOME, ONE, ID, "2026-11-21")
    assert known.remember(MET) == kept, "what is known is not forgotten again"


def test_another_key_never_takes_the_place_of_the_one_remembered(known: KnownBrokers) -> None:
    known.remember(MET)
    assert known.remember(KnownBroker(HOME, TWO, ID, "2027-01-01")) == MET
    assert known.all() == [MET]


def test_a_key_that_is_accepted_does(known: KnownBrokers) -> None:
    known.remember(MET)
    accepted = KnownBroker(HOME, TWO, b"", "2027-01-01")
    known.accept(accepted)
    assert known.all() == [accepted]


def test_a_key_that_is_accepted_counts_wherever_the_same_broker_is_remembered(known: KnownBrokers) -> None:
    known.remember(KnownBroker(HOME, ONE, ID, "2026-11-21"))
    known.remember(KnownBroker("tcp://127.0.0.1:7777", ONE, ID, "2026-11-21"))
    known.remember(KnownBroker(WORK, ONE, OTHER_ID, "2026-11-21"))
    known.accept(KnownBroker(HOME, TWO, b"", "2027-01-01"))
    now = {each.address: each.key for each in known.all()}
    assert now == {HOME: TWO, "tcp://127.0.0.1:7777": TWO, WORK: ONE}


def test_brokers_whose_id_is_not_known_are_not_taken_for_one(known: KnownBrokers) -> None:
    known.remember(MET)
    known.remember(KnownBroker(WORK, ONE, b"", "2026-11-21"))
    known.accept(KnownBroker(HOME, TWO, b"", "2027-01-01"))
    assert [each.key for each in known.all() if each.address == WORK] == [ONE]


def test_only_the_owner_may_read_it_and_nothing_is_left_over(known: KnownBrokers, tmp_path: Path) -> None:
    known.remember(MET)
    folder = tmp_path / "config"
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()}
    assert modes == dict.fromkeys(("known_brokers", "known_brokers.lock"), 0o600)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "line",
    [
        "",
        f"{HOME} {ONE} -",
        f"{HOME} {ONE[:-1]} - 2026-11-21",
        f"{HOME} {ONE.upper()} - 2026-11-21",
        f"{HOME} {ONE} xyz 2026-11-21",
        f"{HOME}  {ONE} - 2026-11-21",
        "\x00",
    ],
)
def test_a_damaged_line_stops_the_client_and_is_not_overwritten(known: KnownBrokers, tmp_path: Path, line: str) -> None:
    known.remember(MET)
    path = tmp_path / "config" / "known_brokers"
    path.write_text(path.read_text() + line + "\n")
    damaged = path.read_text()
    for use in (known.all, lambda: known.remember(MET._replace(address=WORK)), lambda: known.accept(MET)):
        with pytest.raises(StoreDamaged, match=r"line 2 of .*; nothing was sent"):
            use()
    assert path.read_text() == damaged


def test_clients_that_start_at_once_do_not_forget_one_anothers_brokers(known: KnownBrokers, tmp_path: Path) -> None:
    brokers = [KnownBroker(f"tcp://broker{n}:7777", ONE, b"", "2026-11-21") for n in range(12)]

    def meets(met: KnownBroker) -> None:
        KnownBrokers(tmp_path / "config").remember(met)

    clients = [threading.Thread(target=meets, args=[met]) for met in brokers]
    for client in clients:
        client.start()
    for client in clients:
        client.join(timeout=10)
    assert known.all() == sorted(brokers)
