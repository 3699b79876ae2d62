"""Golden vectors: the bytes of every kind of frame, and of an envelope, in ``vectors/NAME.hex``.

A vector stays as it is for as long as a version that speaks so may be met; another client can be tested against
these files alone. ``#`` begins a remark.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from protocol import frames
from protocol.frames import Envelope, Extent, Item, Known, Listed, Refusal, Run, Visit

VECTORS = Path(__file__).parent / "vectors"

ALICE, BOB = "abcdefghij234567", "zyxwvutsrq765432"
BROKER = bytes(range(16))
EVENING = Envelope(ALICE, 7, "Alice", "#lobby", 1_792_569_600_123, "none", "Good evening, Zoë!".encode(), True)
PRIVATE = Envelope(BOB, 1, "bob", "Alice", 1_792_569_601_000, "none", b"psst")
RUN = Run("#lobby", 41, [EVENING])

FRAMES: tuple[frames.AnyFrame, ...] = (
    frames.Hello(
        major=1,
        minor=0,
        account="Alice",
        device=ALICE,
        reads=True,
        cursors={"@alice": 12, "#lobby": 40},
        scheme="a2split1",
        credential=bytes(range(32)),
        release="restante 0.1.0",
        name="desk",
        epoch="mz7q2k",
        visit=2**40 + 3,
        permit="mfrg-g2lk-nnwg-65lq",
        bot=True,
    ),
    frames.Post(7, [Item("#lobby", "none", "Good evening, Zoë!".encode()), Item("bop", "none", b"psst")]),
    frames.Ack({"#lobby": 41, "@alice": 13}),
    frames.Ping({"#lobby": 70_000, "@alice": 2**40}),
    frames.AskWho(1),
    frames.AskContacts(2),
    frames.AddContact(3, "bob"),
    frames.RemoveContact(4, "bob"),
    frames.Join(5, "#Garden", True),
    frames.Leave(6, "#Garden"),
    frames.AskPage(7, "#lobby", 41, 100),
    frames.Quit(),
    frames.AskDevices(8),
    frames.RevokeDevice(9, "zyxw"),
    frames.ChangePassword(10, "a2split1", bytes(range(32)), bytes(range(32, 64))),
    frames.AskRooms(11, "#garden"),
    frames.AskMembers(12, "#Garden"),
    frames.SetTopic(13, "#Garden", "Roses, and what eats them"),
    frames.Invite(14, "#Garden", "bob"),
    frames.Expel(15, "#Garden", "carol", True),
    frames.Unban(16, "#Garden", "carol"),
    frames.AskAccount(17, "bob"),
    frames.Unproven(BROKER, "a2split1", True, True),
    frames.Welcome(
        major=1,
        minor=0,
        account="Alice",
        broker=BROKER,
        epoch="mz7q2k",
        last=6,
        logs={"@alice": Extent(0, 12, 12, 12), "#lobby": Extent(20, 30, 40, 38, 17)},
        registered=False,
        window_messages=256,
        window_bytes=524_288,
        visits=[Visit(7, 0), Visit(2**40 + 3, 4)],
    ),
    frames.Accepted(
        n=8,
        refused=[Refusal(8, "no-such-account", "there is no account bop; the message was not sent to anyone")],
        window_messages=64,
    ),
    frames.Expected(7),
    frames.Deliver([RUN, Run("@alice", 13, [PRIVATE])]),
    frames.Pong({"#lobby": 41, "@alice": 13}),
    frames.Refused("busy", "the broker is busy checking passwords; try again in 1.5 s", 3, 1.5),
    frames.Stranger(),
    frames.Presence("#lobby", ["bob", "Zoë"], ["carol"], 2),
    frames.Present(1, ["Alice", "bob"], 1),
    frames.Contacts(2, ["bob"], ["carol", "Дима"], True),
    frames.Joined(5, "#Garden", "#garden", Extent(0, 2, 3, 2), "Roses"),
    frames.Left(6, "#garden", "Alice", True),
    frames.Page(7, RUN, True),
    frames.Bye("account-barred", "bob is banned until 2026-11-21 21:05 UTC"),
    frames.Devices(8, [Known(ALICE, "desk", 1_792_569_000_000, 1_792_569_600_123, "192.0.2.7", True)]),
    frames.Changed(10),
    frames.Rooms(11, [Listed("#Garden", "Roses", 3, True, False, True)], "#garden"),
    frames.Members(12, "#Garden", "Roses", "Alice", True, ["Alice"], ["bob", "Zoë"], 4),
    frames.News(15, "#Garden", "banned", "Alice", "carol", "Roses"),
    frames.Profile(17, "bob", 1_792_569_000_000, True, ["#lobby", "#Garden"]),
)
BY_NAME = {type(frame).__name__: frame for frame in FRAMES}


def read(name: str) -> bytes:
    lines = (VECTORS / f"{name}.hex").read_text(encoding="utf-8").splitlines()
    return bytes.fromhex(" ".join(line.partition("#")[0] for line in lines))


@pytest.mark.parametrize("name", BY_NAME)
def test_encoding_gives_the_bytes_and_decoding_gives_the_frame(name: str) -> None:
    golden = read(name)
    assert (frames.encode(BY_NAME[name]), frames.decode(golden)) == (golden, BY_NAME[name])


def test_an_envelope_is_stored_as_its_vector_says() -> None:
    golden = read("Envelope")
    assert (frames.encode(EVENING), frames.decode_envelope(golden)) == (golden, EVENING)


def test_every_kind_of_frame_has_a_vector_and_every_vector_a_frame() -> None:
    files = {path.name for path in VECTORS.iterdir()}
    assert files == {f"{kind.__name__}.hex" for kind in (*frames.FRAMES, Envelope)}
    assert set(BY_NAME) == {kind.__name__ for kind in frames.FRAMES}


@pytest.mark.parametrize("name", BY_NAME)
def test_a_vector_leaves_no_field_at_its_default(name: str) -> None:
    """Otherwise nobody would notice if that field changed its place."""
    frame = BY_NAME[name]
    fields = [field for field in msgspec.structs.fields(frame) if not field.required]
    assert [field.name for field in fields if getattr(frame, field.name) in (field.default, [])] == []


def test_a_deliver_made_of_stored_bytes_is_the_same() -> None:
    runs = [
        frames.pack_run("#lobby", 41, [frames.encode(EVENING)]),
        frames.pack_run("@alice", 13, [frames.encode(PRIVATE)]),
    ]
    assert frames.pack_deliver(runs) == read("Deliver")


def test_a_page_made_of_stored_bytes_is_the_same() -> None:
    run = frames.pack_run("#lobby", 41, [frames.encode(EVENING)])
    assert frames.pack_page(7, run, True) == read("Page")


def test_a_hello_without_a_credential_is_the_short_form_of_the_vector() -> None:
    assert frames.decode(b"\x97\x01\x01\x00\xa5Alice\xb0abcdefghij234567\xc3\x80") == frames.Hello(
        1, 0, "Alice", ALICE, True, {}
    )


def test_what_a_newer_minor_version_adds_at_the_end_is_ignored() -> None:
    assert frames.decode(b"\x95\x23\x07\xa3new\x91\x01\x81\x01\xc0") == frames.Expected(7)


def test_what_an_older_minor_version_leaves_out_takes_its_default() -> None:
    assert frames.decode(b"\x93\x26\xa4busy\xa0") == frames.Refused("busy", "", 0, 0.0)


def test_a_field_without_a_default_may_not_be_left_out() -> None:
    with pytest.raises(frames.ProtocolError, match="length 2"):
        frames.decode(b"\x91\x23")


def test_integers_may_be_wider_than_they_need_be() -> None:
    assert frames.decode(b"\xdc\x00\x02\x23\xcf\x00\x00\x00\x00\x00\x00\x00\x07") == frames.Expected(7)
