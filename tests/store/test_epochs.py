"""Lines of time: a copy that is put in place of a store begins another one, and each log remembers where that was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.commands import Trim
from store import Store
from store.memory import MemoryStore
from store.sqlite import SqliteStore
from tests.store.contract import results, send
from tests.store.files import change

A = "anna/a"


class House:
    """One store, which may be put back."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.store: Store = SqliteStore.open(path) if path else MemoryStore("first", b"b" * 16)

    def put_back(self) -> Store:
        """The same store, as if it were a backup that was put in place."""
        if self._path:
            self.store.close()
            change(self._path, "INSERT INTO setting VALUES ('copied', 1)")
            self.store = SqliteStore.open(self._path)
        elif isinstance(self.store, MemoryStore):
            self.store.begin_epoch(self.store.epoch + " and another")
        return self.store


@pytest.fixture(params=["memory", "sqlite"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "store.sqlite" if request.param == "sqlite" else None)
    yield house
    house.store.close()


@pytest.fixture
def store(house: House) -> Store:
    return house.store


def test_within_an_epoch_all_of_a_log_is_the_same(store: Store) -> None:
    results(store, send(A, 1, "@bob"), send(A, 2, "@bob"))
    assert store.bases(store.epoch, ["@bob", "@nobody"]) == {"@bob": 2, "@nobody": 0}


def test_of_an_epoch_that_nobody_knows_nothing_is_the_same(store: Store) -> None:
    results(store, send(A, 1, "@bob"))
    assert store.bases("never heard of", ["@bob"]) == {"@bob": 0}


def test_what_comes_after_a_copy_was_put_in_place_is_new(house: House, store: Store) -> None:
    results(store, send(A, 1, "@bob"), send(A, 2, "@bob"))
    first = store.epoch
    store = house.put_back()
    assert store.epoch != first
    results(store, send(A, 3, "@bob", "@carol"))
    assert store.bases(first, ["@bob", "@carol"]) == {"@bob": 2, "@carol": 0}
    assert store.bases(store.epoch, ["@bob", "@carol"]) == {"@bob": 3, "@carol": 1}


def test_of_several_copies_the_lowest_head_counts(house: House, store: Store) -> None:
    results(store, send(A, 1, "@bob"))
    first = store.epoch
    store = house.put_back()
    results(store, send(A, 2, "@bob"))
    second = store.epoch
    store = house.put_back()
    results(store, send(A, 3, "@bob"))
    assert [store.bases(epoch, ["@bob"])["@bob"] for epoch in (first, second, store.epoch)] == [1, 2, 3]


def test_a_head_survives_what_is_forgotten(house: House, store: Store) -> None:
    results(store, send(A, 1, "@bob"), send(A, 2, "@bob"), Trim("@bob", 3))
    first = store.epoch
    assert house.put_back().bases(first, ["@bob"]) == {"@bob": 2}


def test_a_copy_begins_its_epoch_once(tmp_path: Path) -> None:
    house = House(tmp_path / "store.sqlite")
    begun = house.put_back().epoch
    house.store.close()
    store = SqliteStore.open(tmp_path / "store.sqlite")
    assert store.epoch == begun
    store.close()


def test_a_store_behind_a_link_goes_on_in_its_epoch_after_its_process_died(tmp_path: Path) -> None:
    """SQLite keeps its log beside the file itself, wherever the link lies."""
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "store.sqlite"
    link.symlink_to(tmp_path / "elsewhere" / "store.sqlite")
    dead = SqliteStore.open(link)
    results(dead, send(A, 1, "@bob"))
    store = SqliteStore.open(link)
    assert store.epoch == dead.epoch
    for each in (store, dead):
        each.close()
