"""Guarantees G1 to G12 of the port, each by its number and by literal expectations; then the random contract."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from core.commands import REFUSALS_KEPT, Append, Move, Put, Trim
from core.events import Arrived, Conflict, DeviceState, Done, Gap
from store import Store, known, segments, sqlite
from store.memory import MemoryStore
from store.sqlite import SqliteStore
from tests.store.contract import TURNED_AWAY, compare, read, results, send, stored, texts

ROOT = Path(__file__).resolve().parents[2]

A, B = "anna/a", "bob/a"


class Reopen(Protocol):
    def __call__(self) -> Store: ...


@pytest.fixture(params=["memory", "sqlite"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Reopen]:
    """The same store, as it is after the process ended and began again; the memory store can't end."""
    opened: list[Store] = [MemoryStore("epoch", b"b" * 16)]

    def again() -> Store:
        if request.param == "sqlite":
            opened.pop().close()
            opened.append(SqliteStore.open(tmp_path / "store.sqlite"))
        return opened[0]

    yield again
    opened[0].close()


@pytest.fixture
def store(reopen: Reopen) -> Store:
    return reopen()


COMMITS = """
import sys
from pathlib import Path
from store.sqlite import SqliteStore
from tests.store.contract import send, stored

store = SqliteStore.open(Path(sys.argv[1]))
group = 0
while True:
    stored(store, *(send(f"device/{d}", group + 1, "@anna", "@bob", text=b"%d" % group) for d in range(7)))
    group += 1
    print(group, flush=True)
"""


def test_g1_what_was_reported_survives_a_kill_and_groups_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    command = [sys.executable, "-c", COMMITS, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as child:
        assert child.stdout
        for _ in range(20):
            assert child.stdout.readline(), "the child ended by itself"
        os.kill(child.pid, signal.SIGKILL)
        reported = 20 + len(child.stdout.readlines())
    store = SqliteStore.open(path)
    found = texts(store, "@anna")
    kept = len(found) // 7
    assert kept >= reported
    assert found == texts(store, "@bob") == [b"%d" % group for group in range(kept) for _ in range(7)]
    assert store.devices(["device/6"]) == {"device/6": DeviceState(kept, {})}
    store.close()


def test_g2_a_send_is_stored_once_however_often_it_comes(store: Store, reopen: Reopen) -> None:
    first, second = send(A, 1, "@bob", text=b"1"), send(A, 2, "@bob", text=b"2")
    assert results(store, first, first, second) == [Done(1), Done(1), Done(2)]
    assert results(store, first) == [Done(2)]
    again = stored(reopen(), second)
    assert (again.results, again.arrived) == ([Done(2)], [])
    assert texts(reopen(), "@bob") == [b"1", b"2"]


def test_g2_of_a_run_only_what_is_new_is_stored(store: Store) -> None:
    results(store, Append(A, 1, [("@bob",)] * 2, [b"1", b"2"]))
    outcome = stored(store, Append(A, 2, [("@bob",)] * 3, [b"two", b"3", b"4"]))
    assert outcome.results == [Done(4)]
    assert outcome.arrived == [Arrived("@bob", 3, [b"3", b"4"])]
    assert texts(store, "@bob") == [b"1", b"2", b"3", b"4"]


def test_g3_a_number_is_not_skipped(store: Store) -> None:
    results(store, send(A, 1, "@bob", text=b"1"))
    assert results(store, send(A, 3, "@bob", text=b"3")) == [Gap(2)]
    assert results(store, send(B, 2, "@bob")) == [Gap(1)]
    assert texts(store, "@bob") == [b"1"]
    assert results(store, send(A, 2, "@bob", text=b"2"), send(A, 3, "@bob", text=b"3")) == [Done(2), Done(3)]
    assert texts(store, "@bob") == [b"1", b"2", b"3"]


def test_g4_a_send_enters_all_its_logs_or_none(store: Store) -> None:
    outcome = stored(store, send(A, 1, "@bob", "@anna", text=b"1"), send(A, 3, "@bob", "@anna", text=b"3"))
    assert outcome.results == [Done(1), Gap(2)]
    assert outcome.arrived == [Arrived("@bob", 1, [b"1"]), Arrived("@anna", 1, [b"1"])]
    assert texts(store, "@bob") == texts(store, "@anna") == [b"1"]


def test_g5_a_refused_send_uses_up_its_number(store: Store, reopen: Reopen) -> None:
    assert results(store, send(A, 1, text=None)) == [Done(1, {1: TURNED_AWAY})]
    store = reopen()
    assert results(store, send(A, 1, "@bob")) == [Done(1, {1: TURNED_AWAY})]
    assert texts(store, "@bob") == []
    more = Append(A, 2, [(), ("@bob",), ()], [TURNED_AWAY, b"3", TURNED_AWAY])
    assert results(store, more) == [Done(4, {2: TURNED_AWAY, 4: TURNED_AWAY})]
    assert texts(store, "@bob") == [b"3"]


def test_g6_a_log_is_dense_and_only_grows_at_its_end(store: Store, reopen: Reopen) -> None:
    written = 0
    for n in range(1, 6):
        outcome = stored(store, send(A, n, "@bob"), send(B, n, "@bob", "@anna"), send("c/a", n, "@bob"))
        assert [(new.log, new.first, len(new.envelopes)) for new in outcome.arrived] == [
            ("@bob", written + 1, 3),
            ("@anna", n, 1),
        ]
        written += 3
        store = reopen()
    results(store, Trim("@bob", written + 1))
    store = reopen()
    assert read(store, "@bob") == Arrived("@bob", 16, [])
    outcome = stored(store, send(A, 6, "@bob", text=b"after"))
    assert outcome.arrived == [Arrived("@bob", 16, [b"after"])]
    assert store.heads(["@bob"]) == {"@bob": (16, 16)}


def test_g7_what_fails_leaves_the_others_standing(store: Store) -> None:
    outcome = stored(store, send(A, 2, "@bob"), send(B, 1, "@bob", text=b"b"), Put("k", b"1", 7), Put("l", b"1", 0))
    assert outcome.results == [Gap(1), Done(1), Conflict(0), Done(1)]
    assert texts(store, "@bob") == [b"b"]
    assert store.get(["k", "l"]) == {"k": None, "l": (1, b"1")}


def test_g8_appends_come_first_then_moves_puts_and_trims(store: Store) -> None:
    group = (Trim("@bob", 2), Move(B, "@bob", 2), send(A, 1, "@bob"), send(A, 2, "@bob", text=b"2"))
    assert results(store, *group) == [Done(2), Done(2), Done(1), Done(2)]
    assert read(store, "@bob") == Arrived("@bob", 2, [b"2"])


def test_g9_a_cursor_neither_goes_back_nor_past_the_head(store: Store, reopen: Reopen) -> None:
    results(store, *(send(A, n, "@bob") for n in range(1, 6)))
    moves = [results(store, Move(B, "@bob", pos))[0] for pos in (2, 1, 0, 99, 3)]
    assert moves == [Done(2), Done(2), Done(2), Done(5), Done(5)]
    assert results(store, Move(B, "@nobody", 3)) == [Done(0)]
    assert reopen().devices([B]) == {B: DeviceState(0, {"@bob": 5})}


def test_g10_a_group_may_be_submitted_again(store: Store, reopen: Reopen) -> None:
    results(store, Put("gone", b"x", 0))
    group = (send(A, 1, "@bob"), Move(B, "@bob", 1), Put("kept", b"x", 0), Put("gone", None, 1), Trim("@bob", 1))
    first = stored(store, *group)
    assert first.results == [Done(1), Done(1), Done(1), Done(0), Done(1)]
    before = list(store.dump())
    store = reopen()
    again = stored(store, *group)
    assert (again.results, again.arrived) == (first.results, [])
    assert list(store.dump()) == before


def test_g10_a_put_is_the_same_only_with_the_same_value(store: Store) -> None:
    assert results(store, Put("k", b"one", 0)) == [Done(1)]
    assert results(store, Put("k", b"two", 0)) == [Conflict(1)]
    assert results(store, Put("k", b"two", 1)) == [Done(2)]
    assert results(store, Put("k", b"two", 1), Put("k", b"one", 0)) == [Done(2), Conflict(2)]
    assert store.get(["k"]) == {"k": (2, b"two")}


def test_g7_what_is_put_together_is_made_together_or_not_at_all(store: Store) -> None:
    both = Put("a", b"1", 0, also=(Put("b", b"1", 0),))
    assert results(store, both, Put("c", b"1", 0, also=(Put("b", b"2", 0),))) == [Done(1), Conflict(1)]
    assert store.get(["a", "b", "c"]) == {"a": (1, b"1"), "b": (1, b"1"), "c": None}
    assert results(store, both) == [Done(1)], "it was made before"
    assert results(store, Put("a", None, 1, also=(Put("b", b"3", 1), Put("c", b"3", 0)))) == [Done(0)]
    assert store.get(["a", "b", "c"]) == {"a": None, "b": (2, b"3"), "c": (1, b"3")}


def test_g11_what_is_reported_can_be_read(store: Store, reopen: Reopen) -> None:
    results(store, send(A, 1, "@bob", text=b"1"), Move(B, "@bob", 1), Put("k/1", b"v", 0))
    for look in (lambda: store, reopen):
        opened = look()
        assert read(opened, "@bob") == Arrived("@bob", 1, [b"1"])
        assert opened.heads(["@bob", "@nobody"]) == {"@bob": (1, 1), "@nobody": (1, 0)}
        assert opened.devices([A, B, "c/a"]) == {
            A: DeviceState(1, {}),
            B: DeviceState(0, {"@bob": 1}),
            "c/a": DeviceState(0, {}),
        }
        assert opened.get(["k/1"]) == {"k/1": (1, b"v")}
        assert opened.browse("k/", 9) == ["k/1"]


def test_g12_what_was_pruned_is_still_known_as_stored(store: Store, reopen: Reopen) -> None:
    results(store, send(A, 1, "@bob", "@anna"))
    assert results(store, Trim("@bob", 2), Trim("@anna", 99)) == [Done(2), Done(2)]
    store = reopen()
    again = stored(store, send(A, 1, "@bob", "@anna"))
    assert (again.results, again.arrived) == ([Done(1)], [])
    assert texts(store, "@bob") == []


def test_a_page_ends_at_so_many_messages_or_bytes_but_holds_one(store: Store) -> None:
    results(store, *(send(A, n, "@bob", text=b"%d" % n * 10) for n in range(1, 6)))
    assert store.read("@bob", 1, 2, 1000) == Arrived("@bob", 2, [b"2" * 10, b"3" * 10])
    assert store.read("@bob", 1, 9, 20) == Arrived("@bob", 2, [b"2" * 10, b"3" * 10])
    assert store.read("@bob", 1, 9, 19) == Arrived("@bob", 2, [b"2" * 10])
    assert store.read("@bob", 1, 9, 1) == Arrived("@bob", 2, [b"2" * 10])
    assert store.read("@bob", 5, 9, 1000) == Arrived("@bob", 6, [])


def test_what_is_new_is_told_once_for_each_log_as_they_first_appear(store: Store) -> None:
    outcome = stored(
        store, send(A, 1, "#tea", text=b"1"), send(B, 1, "@anna", "@bob", text=b"2"), send(A, 2, "#tea", text=b"3")
    )
    assert outcome.arrived == [
        Arrived("#tea", 1, [b"1", b"3"]),
        Arrived("@anna", 1, [b"2"]),
        Arrived("@bob", 1, [b"2"]),
    ]


def test_keys_are_browsed_by_code_point(store: Store) -> None:
    keys = ["k/z", "k/a", "k/ä", "k/\uffee", "k/🫖", "k", "l/a", "k/"]
    results(store, *(Put(key, b"", 0) for key in keys))
    assert store.browse("k/", 9) == ["k/", "k/a", "k/z", "k/ä", "k/\uffee", "k/🫖"]
    assert store.browse("k/", 2) == ["k/", "k/a"]
    assert store.browse("k/🫖", 9) == ["k/🫖"]
    assert store.browse("m", 9) == []


def test_a_record_that_was_deleted_begins_anew(store: Store) -> None:
    assert results(store, Put("k", b"v", 0)) == [Done(1)]
    assert results(store, Put("k", None, 2)) == [Conflict(1)]
    assert results(store, Put("k", None, 1)) == [Done(0)]
    assert results(store, Put("k", b"w", 1)) == [Conflict(0)]
    assert results(store, Put("k", b"w", 0)) == [Done(1)]


def test_g5_the_reasons_of_the_last_refused_numbers_are_kept(store: Store) -> None:
    refused = [TURNED_AWAY] * (REFUSALS_KEPT + 3)
    results(store, Append(A, 1, [()] * len(refused), list(refused)))
    (state,) = store.devices([A]).values()
    assert list(state.refused) == list(range(4, REFUSALS_KEPT + 4))
    results(store, send(A, state.last + 1, "@bob"))
    assert len(store.devices([A])[A].refused) == REFUSALS_KEPT, "what is not refused drives nothing out"


def test_g5_whoever_sends_again_is_told_what_had_been_refused(store: Store) -> None:
    """Though by now it would not be: the number was used up."""
    assert results(store, Append(A, 1, [("@bob",), ()], [b"one", TURNED_AWAY])) == [Done(2, {2: TURNED_AWAY})]
    again = Append(A, 1, [("@bob",), ("@carol",), ("@carol",)], [b"one", b"two", b"three"])
    assert results(store, again) == [Done(3, {2: TURNED_AWAY})]
    assert (texts(store, "@bob"), texts(store, "@carol")) == ([b"one"], [b"three"])


def test_the_visits_of_a_device_are_those_of_its_last_send(store: Store) -> None:
    results(store, Append(A, 1, [("@bob",)], [b"one"], b"first"))
    results(store, Append(A, 3, [("@bob",)], [b"too early"], b"second"))
    assert store.devices([A])[A].visits == b"first"
    results(store, Append(A, 2, [("@bob",)], [b"two"], b"second"))
    assert store.devices([A])[A].visits == b"second"


def test_a_dump_says_everything_in_order(store: Store) -> None:
    results(store, send(B, 1, "@bob", "#tea", text=b"1"), send(A, 1, "@bob", text=b"2"))
    results(store, Append(B, 2, [()], [TURNED_AWAY], b"visits"))
    results(store, Move(B, "@bob", 1), Put("k", b"v", 0), Trim("@bob", 2))
    assert list(store.dump()) == [
        ("store", store.broker, store.epoch),
        ("epoch", 1, store.epoch),
        ("record", "k", 1, b"v"),
        ("log", "#tea", 1, 1),
        ("envelope", "#tea", 1, b"1"),
        ("log", "@bob", 2, 2),
        ("envelope", "@bob", 2, b"2"),
        ("device", A, 1, b""),
        ("device", B, 2, b"visits"),
        ("refusal", B, 2, *TURNED_AWAY),
        ("cursor", B, "@bob", 1),
    ]


def test_nothing_submitted_is_nothing_stored(store: Store) -> None:
    outcome = stored(store)
    assert (outcome.results, outcome.arrived) == ([], [])
    assert store.poll() == []


@pytest.mark.parametrize("round_", range(8))
def test_sqlite_answers_as_the_memory_store(tmp_path: Path, seed: int, round_: int) -> None:
    compare(lambda: SqliteStore.open(tmp_path / "store.sqlite"), seed + round_, groups=60)


@pytest.mark.parametrize("round_", range(8))
def test_so_does_one_with_small_segments_and_a_short_memory(
    tmp_path: Path, seed: int, round_: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 500)
    monkeypatch.setattr(known, "KNOWN_NAMES", 2)
    monkeypatch.setattr(sqlite, "SEGMENTS_CACHED_BYTES", 700)
    monkeypatch.setattr(sqlite, "FRESH_BYTES", (0, 2000)[round_ % 2])
    compare(lambda: SqliteStore.open(tmp_path / "store.sqlite"), seed + round_, groups=60)
