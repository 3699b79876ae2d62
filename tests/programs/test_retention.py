"""Months go by: what is too old is forgotten, and whoever was away for it is told how much that was."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs.programs import Clients, until
from tests.programs.turned import Clock, TurnedBroker
from tests.store.files import ask

DAY_S = 24 * 3600
BEGINS = "SELECT first FROM log WHERE name = '@bob'"


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """The broker's clock."""
    return Clock(tmp_path / "clock")


@pytest.fixture
def broker(clock: Clock, tmp_path: Path) -> Iterator[TurnedBroker]:
    """A broker that keeps messages for ninety days."""
    with TurnedBroker(clock, tmp_path / "broker", "--keep", "90d") as broker:
        yield broker
        ended = broker.end(signal.SIGTERM)
        assert (ended.code, ended.err) == (0, "")


@pytest.fixture
def clients(broker: TurnedBroker, tmp_path: Path) -> Iterator[Clients]:
    """Clients of this broker."""
    with Clients(broker.port, tmp_path / "clients", broker.key) as clients:
        yield clients


def test_whoever_was_away_for_too_long_is_told_what_is_gone(
    clock: Clock, broker: TurnedBroker, clients: Clients
) -> None:
    clients.register("bob")
    assert clients.run("alice", typed="bob: one\nbob: two\n").code == 0
    clock.passes(60 * DAY_S)
    assert clients.run("alice", typed="bob: three\n").code == 0
    clock.passes(60 * DAY_S)
    store = broker.folder / "restante.sqlite"
    until(lambda: ask(store, BEGINS) == 3, "that what is older than ninety days is forgotten")
    back = clients.run("bob", "--fetch")
    assert back.out.endswith("alice -> bob: three\n")
    assert "two" not in back.out
    assert "2 messages in @bob are gone: you were away for longer than the broker keeps them" in back.err
