"""Export and import: a store as lines, and a store of those lines that is the same."""

from __future__ import annotations

import json
import random
import stat
from pathlib import Path
from typing import Any

import pytest

from core import records
from core.commands import Append, Move, Put, Trim
from protocol.frames import Envelope, encode
from store import StoreUnwritable
from store.memory import MemoryStore
from store.portable import BadLine, export, load
from store.sqlite import SqliteStore
from store.verify import Verifier, read_only
from tests.store.contract import Draw, results, stored
from tests.store.files import change, flip, reopened

GROUPS = 60
BODIES = (b"", b"a", "der Tee ist heiß 🫖".encode(), b"\xff\xfe no text", b'{"kind":"end"}\n\0', "\u2028".encode())


class Letters(Draw):
    """Random groups, whose envelopes are what a broker would have packed."""

    def _envelope(self) -> bytes:
        self._sent += 1
        body = self._rng.choice((*BODIES, self._rng.randbytes(self._rng.choice((10, 600, 12_000)))))
        enc = self._rng.choice(("none", "none", "age"))
        to = self._rng.choice(("anna", "дина", "#lobby"))
        return encode(Envelope("a" * 16, self._sent, "Anna", to, self._sent, enc, body, self._rng.random() < 0.3))


def drawn(path: Path, seed: int, groups: int = GROUPS) -> None:
    """A store of random contents; closed."""
    with reopened(path) as store:
        model = MemoryStore(store.epoch, store.broker)
        draw = Letters(random.Random(seed), model)
        for _ in range(groups):
            group = draw.group()
            stored(store, *group)
            stored(model, *group)


@pytest.fixture
def path(tmp_path: Path, seed: int) -> Path:
    path = tmp_path / "old.sqlite"
    drawn(path, seed)
    return path


@pytest.fixture
def new(tmp_path: Path) -> Path:
    (tmp_path / "new").mkdir()
    return tmp_path / "new" / "restante.sqlite"


def exported(path: Path) -> list[bytes]:
    with reopened(path) as store:
        return list(export(store))


def told(path: Path) -> list[Any]:
    """What a store holds, but for the epoch that it begins when it is made of lines."""
    with reopened(path) as store:
        return [row for row in store.dump() if row[0] not in ("store", "epoch", "base")]


def test_what_was_exported_and_imported_is_the_same(path: Path, new: Path, seed: int) -> None:
    before = told(path)
    lines = exported(path)
    assert load(new, lines) == sum(row[0] == "envelope" for row in before)
    assert told(new) == before, f"seed {seed}"
    with reopened(path) as old, reopened(new) as store:
        assert store.broker == old.broker
        assert store.epoch != old.epoch
        assert store.bases(old.epoch, ["#lobby"]) == {"#lobby": old.heads(["#lobby"])["#lobby"][1]}
    again = exported(new)
    assert [line for line in again if line.startswith(b'{"kind":"envelope"')] == [
        line for line in lines if line.startswith(b'{"kind":"envelope"')
    ]


def test_what_is_imported_is_whole_and_for_its_owner_only(path: Path, new: Path) -> None:
    load(new, exported(path))
    assert {each.name: stat.S_IMODE(each.stat().st_mode) for each in new.parent.iterdir()} == {new.name: 0o600}
    # Random contents have senders that no record knows; there is nothing else to find.
    found = findings(new)
    assert found == findings(path)
    assert [each for each in found if not each.startswith(("device ", "record "))] == []


def findings(path: Path) -> list[str]:
    database = read_only(path)
    try:
        return list(Verifier(database).findings())
    finally:
        database.close()


def test_it_goes_on_where_the_old_one_was(tmp_path: Path, new: Path) -> None:
    path = tmp_path / "old.sqlite"
    one, two = (encode(Envelope("a" * 16, n, "anna", "bob", n, "none", b"x")) for n in (1, 2))
    with reopened(path) as store:
        results(store, Append("anna/" + "a" * 16, 1, [("@bob",)], [one], b"visits"), Put("account/anna", b"v", 0))
    load(new, exported(path))
    with reopened(new) as store:
        results(store, Append("anna/" + "a" * 16, 1, [("@bob",)] * 2, [one, two]), Put("account/anna", b"w", 1))
        assert store.read("@bob", 0, 9, 1 << 20).envelopes == [one, two]
        assert store.get(["account/anna"]) == {"account/anna": (2, b"w")}


def test_more_messages_than_are_written_together(tmp_path: Path, new: Path) -> None:
    path, count = tmp_path / "old.sqlite", 2_500
    envelopes = [encode(Envelope("a" * 16, n, "anna", "bob", n, "none", b"%d" % n)) for n in range(1, count + 1)]
    with reopened(path) as store:
        results(store, Append("anna/" + "a" * 16, 1, [("@bob",)] * count, list(envelopes)), Trim("@bob", 5))
    assert load(new, exported(path)) == count - 4
    assert told(new) == told(path)
    assert findings(new) == []


def test_what_was_damaged_stays_marked_and_the_rest_is_there(tmp_path: Path, new: Path) -> None:
    path = tmp_path / "old.sqlite"
    texts = [encode(Envelope("a" * 16, n, "anna", "bob", n, "none", b"text %d" % n)) for n in (1, 2, 3)]
    with reopened(path) as store:
        results(store, Append("anna/" + "a" * 16, 1, [("@bob",)] * 3, list(texts)))
    flip(path, b"text 2")
    load(new, exported(path))
    with reopened(new) as store:
        arrived = store.read("@bob", 0, 9, 1 << 20).envelopes
        assert (arrived[0], arrived[2]) == (texts[0], texts[2])
        assert arrived[1] != texts[1]
        assert store.damaged == []
    assert findings(new) == []


HARMS: dict[str, str] = {
    "a record": "UPDATE record SET value = CAST(replace(CAST(value AS TEXT), 'Anna', 'Emma') AS BLOB)",
    "a record's key": "UPDATE record SET key = 'account/emma'",
    "a record's version": "UPDATE record SET version = 'text'",
    "a device's number": "UPDATE device SET last = last - 1",
    "a device's number that is none": "UPDATE device SET last = 'text'",
    "why a send was refused": "UPDATE refusal SET sentence = 'another'",
    "where a log was when an epoch began": "UPDATE base SET head = head + 1",
    "an epoch's name": "UPDATE epoch SET name = 'another' WHERE number = 1",
    "the last epoch's name": "UPDATE epoch SET name = 'another' WHERE number = 2",
}


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS)
def test_what_was_damaged_beside_the_messages_is_never_taken_for_whole(tmp_path: Path, new: Path, harm: str) -> None:
    """It would have a right CRC in the new store, and nobody could tell any more."""
    path, device = tmp_path / "old.sqlite", "anna/" + "a" * 16
    texts = [encode(Envelope("a" * 16, n, "anna", "bob", n, "none", b"x")) for n in (1, 2)]
    account = records.pack(records.Account("Anna", "x", "y", 0))
    with reopened(path) as store:
        results(store, Append(device, 1, [("@bob",), ()], [texts[0], ("code", "why")]), Put("account/anna", account, 0))
        before = store.epoch
    change(path, "INSERT INTO setting VALUES ('copied', 1)")
    with reopened(path) as store:
        results(store, Append(device, 3, [("@bob",)], [texts[1]]))
    change(path, harm)
    store = SqliteStore(path, read_only(path))
    lines = list(export(store))
    assert (store.damaged, store.emptied) == ([], 1)
    assert load(new, lines) == 2
    with reopened(new) as store:
        assert store.read("@bob", 0, 9, 1 << 20).envelopes == texts
        assert (store.get(["account/anna"])["account/anna"] == (1, account)) is ("record" not in harm)
        assert (store.devices([device])[device].last >= 0) is not harm.startswith(("UPDATE device", "UPDATE refusal"))
        assert store.bases(before, ["@bob"]) == {"@bob": 0 if "base" in harm or "number = 1" in harm else 1}
        assert store.bases("another", ["@bob"]) == {"@bob": 0}


def test_nothing_is_imported_where_something_is(path: Path, new: Path) -> None:
    new.write_bytes(b"mine")
    with pytest.raises(StoreUnwritable, match="was left as it is; choose another folder"):
        load(new, exported(path))
    assert new.read_bytes() == b"mine"


# ---- lines that nobody has exported ---------------------------------------------------------------------


def lines_of_some(path: Path) -> list[bytes]:
    """A line of each kind, at least."""
    store = SqliteStore.open(path)
    envelope = encode(Envelope("a" * 16, 1, "anna", "bob", 1, "none", b"x"))
    other = encode(Envelope("a" * 16, 2, "anna", "bob", 2, "age", b"\xff"))
    results(store, Append("anna/a", 1, [("@bob",), ("@bob", "@anna"), ()], [envelope, other, ("code", "text")], b"v"))
    results(store, Put("account/anna", b"v", 0))
    results(store, Move("anna/a", "@bob", 1))
    store.close()
    new = path.with_name("again.sqlite")
    load(new, exported(path))  # now there is a base, too
    return exported(new)


WRONG: dict[str, list[Any]] = {
    "str": [None, 5, []],
    "int": [None, "5", -1, 1.5, 2**63, True],
}


def refused(lines: list[bytes], new: Path, number: int | None = None) -> str:
    with pytest.raises(BadLine) as raised:
        load(new, lines)
    said = str(raised.value)
    assert "\n" not in said
    assert said.endswith("nothing was imported")
    if number is not None:
        assert f"line {number} " in said, said
    assert list(new.parent.iterdir()) == []
    return said


@pytest.fixture
def lines(tmp_path: Path) -> list[bytes]:
    lines = lines_of_some(tmp_path / "some.sqlite")
    kinds = {json.loads(line)["kind"] for line in lines}
    assert kinds == {"store", "epoch", "base", "record", "log", "envelope", "device", "refusal", "cursor", "end"}
    return lines


def test_every_field_of_every_line_must_be_what_it_was(lines: list[bytes], new: Path) -> None:
    for number, line in enumerate(lines, 1):
        fields = json.loads(line)
        for name, value in fields.items():
            missing = {each: held for each, held in fields.items() if each != name}
            wrong = [missing, *({**fields, name: each} for each in WRONG[type(value).__name__])]
            if (fields["kind"], name) == ("device", "last"):
                wrong.remove({**fields, name: -1})  # so it is told of a device that was damaged
            for each in wrong:
                refused([*lines[: number - 1], json.dumps(each).encode(), *lines[number:]], new, number)


def test_every_line_must_be_there_once_and_in_its_place(lines: list[bytes], new: Path) -> None:
    for place in range(len(lines)):
        refused(lines[:place] + lines[place + 1 :], new)
        refused([*lines[:place], lines[place], *lines[place:]], new)
        refused(lines[:place], new)
        refused([*lines[:place], *lines[place + 1 :], lines[place]] if place < len(lines) - 1 else lines[::-1], new)


def test_a_line_that_is_none(lines: list[bytes], new: Path) -> None:
    deep = b'{"kind":"log","name":' + b"[" * 100_000
    for line in (b"\n", b"", b"{}", b"[]", b"null", b"\xff", b'{"kind":"foo"}', b'{"kind":[]}', deep):
        for place in (0, 4, len(lines)):
            refused([*lines[:place], line, *lines[place:]], new, place + 1)


def test_a_line_that_was_cut_off(lines: list[bytes], new: Path) -> None:
    for number, line in enumerate(lines, 1):
        for size in (1, len(line) // 2, len(line) - 2):
            refused([*lines[: number - 1], line[:size]], new, number)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("store", "version", 2),
        ("store", "broker", "AAAA"),
        ("store", "broker", "!" * 24),
        ("store", "epoch", "another"),
        ("base", "log", "#nowhere"),
        ("base", "epoch", 9),
        ("record", "value", "no base64"),
        ("log", "first", 2),
        ("log", "head", 7),
        ("log", "head", 0),
        ("envelope", "seq", 5),
        ("envelope", "log", "#elsewhere"),
        ("envelope", "author", ""),
        ("envelope", "device", "x"),
        ("envelope", "text", "x" * 100_000),
        ("envelope", "text", None),
        ("refusal", "device", "nobody/a"),
        ("cursor", "device", "nobody/a"),
        ("cursor", "log", "#nowhere"),
        ("end", "lines", 3),
    ],
)
def test_what_can_not_be(lines: list[bytes], new: Path, kind: str, name: str, value: object) -> None:
    place = next(place for place, line in enumerate(lines) if json.loads(line)["kind"] == kind)
    changed = json.dumps({**json.loads(lines[place]), name: value}).encode()
    refused([*lines[:place], changed, *lines[place + 1 :]], new)


def test_nothing_at_all(new: Path) -> None:
    assert refused([], new) == "there was nothing to import; nothing was imported"


def test_after_a_bad_line_another_attempt_succeeds(lines: list[bytes], new: Path, tmp_path: Path) -> None:
    refused(lines[:-1], new)
    assert load(new, lines) == 3
    assert told(new) == told(tmp_path / "some.sqlite")
