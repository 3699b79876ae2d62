"""docs/PROTOCOL.md, CODES.md and EXAMPLE.md say what the code does: each frame, field, type, limit, code, example."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from msgspec import inspect

from console import words
from core import gate
from core.broker import TURN_QUESTIONS
from core.inquiries import OPEN_QUESTIONS
from protocol import errors, frames, keys, limits, passwords, remarks
from tests.protocol.test_vectors import read
from transport.context import HANDSHAKE_MS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = "\n".join((DOCS / name).read_text(encoding="utf-8") for name in ("PROTOCOL.md", "CODES.md"))
EXAMPLE = (DOCS / "EXAMPLE.md").read_text(encoding="utf-8")

PARTS = (
    frames.Item,
    frames.Envelope,
    frames.Run,
    frames.Extent,
    frames.Refusal,
    frames.Known,
    frames.Visit,
    frames.Listed,
    remarks.Edit,
    remarks.Delete,
    remarks.React,
    remarks.Receipt,
)
MESSAGEPACK = {
    "integer": inspect.IntType,
    "float or integer": inspect.FloatType,
    "`true`, `false`": inspect.BoolType,
    "text": inspect.StrType,
    "bytes": inspect.BytesType,
    "array": inspect.StructType,
}


def table(*columns: str) -> list[dict[str, str]]:
    """The rows of all tables with these columns."""
    found, head = [], []
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells or not head:
            head = cells
        elif head == list(columns) and not cells[0].startswith("---"):
            found.append(dict(zip(head, cells, strict=True)))
    return found


FRAMES = {row["frame"]: row for row in table("tag", "frame", "goes to", "fields", "meaning")}
PART_ROWS = {row["part"]: row for row in table("part", "fields", "meaning")}
TYPES = {row["type"]: row for row in table("type", "MessagePack", "limits", "what it is")}
CODES = {row["code"].strip("`"): row["in"] for row in table("code", "in", "what it means, and what a client does")}
OWN_CODES = [row["code"].strip("`") for row in table("code", "what it means")]
LIMITS = {row["limit"].strip("`"): row["value"] for row in table("limit", "value", "of what")}


def fields(cell: str) -> list[tuple[str, str, bool]]:
    """Name, type and whether it is optional, of each field in a cell."""
    found = [re.fullmatch(r"`(\w+)` ([\w ]+)(, optional: .+)?", part.strip()) for part in cell.split(";") if part]
    return [(each[1], each[2], bool(each[3])) for each in found if each]


def bounds_on_the_page(row: dict[str, str]) -> tuple[int, int] | None:
    """The least and the largest value, or length, that a type's row allows; None: no limit."""
    said = re.sub(r"`([A-Z_]+)`", lambda name: str(int(getattr(limits, name[1]))), row["limits"])
    numbers = [int(number) for number in re.findall(r"\b\d+\b", said.replace(",", ""))]
    if said.startswith("up to "):
        return 0, numbers[0]
    if " to " in said:
        return numbers[0], numbers[1]
    return (numbers[0], numbers[0]) if numbers and "bits" not in said else None


def bounds_in_the_code(kind: inspect.Type) -> tuple[int, int] | None:
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        return None if kind.le is None else (int(kind.ge or 0), int(kind.le))
    if isinstance(kind, inspect.StrType) and kind.pattern:
        length = re.search(r"\{(\d+)\}", kind.pattern)
        return (int(length[1]), int(length[1])) if length else None
    if isinstance(kind, inspect.StrType | inspect.BytesType | inspect.ListType | inspect.DictType):
        return None if kind.max_length is None else (kind.min_length or 0, kind.max_length)
    return None


def agrees(word: str, kind: inspect.Type) -> bool:
    """Whether a field that the page gives this type has it in the code."""
    row = TYPES[word]
    packed, _, inner = row["MessagePack"].partition(" of ")
    if isinstance(kind, inspect.ListType):
        same = packed == "array" and agrees(inner, kind.item_type)
    elif isinstance(kind, inspect.DictType):
        key, _, value = inner.partition(" to ")
        same = packed == "map" and agrees(key, kind.key_type) and agrees(value, kind.value_type)
    elif isinstance(kind, inspect.StructType):
        same = packed == "array" and kind.cls.__name__.lower() == word
    else:
        same = type(kind) is MESSAGEPACK[packed]
    return same and bounds_on_the_page(row) == bounds_in_the_code(kind)


def test_every_frame_has_a_row_and_every_row_a_frame() -> None:
    said = {name: (int(row["tag"]), row["goes to"]) for name, row in FRAMES.items()}
    to_broker = {kind.__name__: (kind.__struct_config__.tag, "broker") for kind in frames.FROM_CLIENT}
    to_client = {kind.__name__: (kind.__struct_config__.tag, "client") for kind in frames.FROM_BROKER}
    assert said == to_broker | to_client
    assert set(PART_ROWS) == {kind.__name__ for kind in PARTS}


@pytest.mark.parametrize("kind", (*frames.FRAMES, *PARTS))
def test_a_row_tells_the_fields_with_their_order_types_and_limits(kind: type[frames.Part]) -> None:
    row = FRAMES.get(kind.__name__) or PART_ROWS[kind.__name__]
    said = fields(row["fields"])
    coded = msgspec.structs.fields(kind)
    assert [(name, optional) for name, _, optional in said] == [(each.name, not each.required) for each in coded]
    for (name, word, _), each in zip(said, coded, strict=True):
        assert agrees(word, inspect.type_info(each.type)), f"{name} is no {word}"


def test_every_type_on_the_page_is_used() -> None:
    rows = [*FRAMES.values(), *PART_ROWS.values()]
    used = {word for row in rows for _, word, _ in fields(row["fields"])}
    inner = {word for row in TYPES.values() for word in re.findall(r"(?:of|to) (\w+)", row["MessagePack"])}
    assert set(TYPES) == used | inner


def test_every_code_has_a_row_and_every_row_a_code() -> None:
    assert set(CODES) == set(errors.SENTENCES)
    assert set(OWN_CODES) == set(words.REFUSALS) - set(errors.SENTENCES)


def test_every_limit_has_a_row_with_its_value() -> None:
    said = {name: float(value) for name, value in LIMITS.items()}
    assert said == {name: float(value) for name, value in vars(limits).items() if name.isupper() and name != "KIB"}


def test_every_limit_that_the_page_mentions_exists() -> None:
    assert set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", PAGE)) <= set(LIMITS)


def test_the_examples_are_the_vectors() -> None:
    examples = re.findall(r"`(\w+)\.hex`[^\n]*\n\n```\n(.*?)```", EXAMPLE, re.DOTALL)
    assert len(examples) >= 5
    for name, example in examples:
        assert bytes.fromhex(re.sub(r"#.*", "", example)) == read(name)


def test_the_key_records_example_is_right() -> None:
    found = re.search(r"For the key\n`(\w+)`, [^\n]*:\n\n```\n(.*?)```", PAGE, re.DOTALL)
    assert found
    assert keys.raw(found[1]) == bytes(range(keys.KEY_BYTES))
    assert bytes.fromhex(re.sub(r"#.*", "", found[2])) == keys.pack_record(found[1])


@pytest.mark.parametrize(
    ("said", "value"),
    [
        (r"hung up on after (\d+) s", gate.STRANGER_S),
        (r"sends (\d+) things that no honest client sends", gate.OFFENCES),
        (r"More than (\d+) that come at once are refused with `too-many-questions`", TURN_QUESTIONS),
        (r"A session has at most (\d+) questions open", OPEN_QUESTIONS),
        (r"until the handshake is cut after (\d+) s", HANDSHAKE_MS / 1000),
        (r"sends anything of at most (\d+) bytes", keys.RECORD_BYTES),
        (r"\| (\d+) \| let in \|", gate.LET_IN),
        (r"\| (\d+) \| too many connections", gate.COME_BACK),
        (r"\| (\d+) \| this key was revoked", gate.NEVER),
    ],
)
def test_a_number_that_the_page_says_in_passing_is_the_codes(said: str, value: float) -> None:
    assert [float(number) for number in re.findall(said, PAGE)] == [value]


def test_the_passwords_example_is_right() -> None:
    found = re.search(r"broker's id `(\w+)`, account `(\w+)`, password `([^`]+)` the credential is\n`(\w+)`", PAGE)
    assert found
    broker, account, password, credential = found.groups()
    assert passwords.derive(password, account, bytes.fromhex(broker)).hex() == credential


def test_the_version_is_todays() -> None:
    assert f"Version {limits.MAJOR_VERSION}.{limits.MINOR_VERSION}." in PAGE


def test_every_link_inside_the_page_leads_somewhere() -> None:
    headings = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([\w-]+)\)", PAGE)) == anchors
