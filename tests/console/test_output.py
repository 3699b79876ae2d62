"""Every event as people and as scripts see it, down to the byte: the lines are in golden.txt."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from console.objects import encode_line, objects
from console.output import Line, Plain
from core import shown
from core.marks import Marks
from core.shown import Messages, Shown
from protocol import names, remarks
from protocol.frames import Envelope, Known, Listed, encode
from tests.console.attacks import ATTACKS, harmful

DEVICE = "abcdefghijklmnop"
NOW = 1_700_000_000_123
KEY = "k" * 52


def local(at: int) -> str:
    """A zone of its own: two hours ahead of UTC."""
    minutes = at // 60_000 + 120
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"


def envelope(body: str | bytes = "hi", to: str = "#lobby", author: str = "alice", enc: str = "none") -> Envelope:
    written = body.encode() if isinstance(body, str) else body
    return Envelope(device=DEVICE, n=7, author=author, to=to, at=NOW - 60_000, enc=enc, body=written)


def from_bot(body: str, to: str = "#lobby") -> Envelope:
    return msgspec.structs.replace(envelope(body, to=to, author="echo"), bot=True)


def messages(*envelopes: Envelope, **fields: object) -> Messages:
    return Messages(**{"log": "#lobby", "first": 41, "envelopes": list(envelopes), "waited": 0} | fields)


def about(remark: remarks.Remark, text: str = "hi", author: str = "alice", **fields: object) -> Messages:
    """A remark about a message of alice's."""
    to = str(fields.pop("to", "#lobby"))
    said = envelope(encode(remark), to=to, author=author, enc=remarks.enc(remark))
    return messages(said, targets={(DEVICE, 7): envelope(text)}, **fields)


def online(**fields: object) -> shown.Online:
    usual = {"account": "alice", "device": DEVICE, "broker": "tcp://localhost:7777", "key": KEY}
    return shown.Online(**usual | {"waiting": 0, "registered": False, "first": True} | fields)


def device(**fields: object) -> Known:
    usual = {"device": DEVICE, "name": "desk", "first_at": NOW - 864_000_000, "seen_at": NOW, "address": "192.0.2.7"}
    return Known(**usual | {"here": False} | fields)


def key_changed(**fields: object) -> shown.KeyChanged:
    usual = {"code": "key-changed", "text": "", "broker": "tcp://h:7777", "account": "alice", "given": False}
    return shown.KeyChanged(**usual | {"since": "2023-11-04", "key": KEY, "offered": "o" * 52} | fields)


NO_BOB = "there is no account bob; the message was not sent to anyone"

EVENTS: dict[str, Shown] = {
    "online": online(),
    "online, registered": online(registered=True),
    "online, with mail": online(waiting=3),
    "online again": online(first=False, waiting=1),
    "offline": shown.Offline(reason="no answer", retry_in=1.5, first=True),
    "offline still": shown.Offline(reason="no answer", retry_in=3.0, first=False),
    "a message to all": messages(envelope("hi")),
    "a private one that waited": messages(envelope("hi", to="bob"), log="@bob", first=5, waited=5),
    "several, some of which waited": messages(envelope("one"), envelope("two"), waited=41),
    "history": messages(envelope("hi"), mine=True),
    "a bot": messages(from_bot("hi"), from_bot("/me hums", to="alice")),
    "further lines": messages(envelope("one\n12:00 root: two")),
    "beyond ASCII": messages(envelope("привет 👍")),
    "no UTF-8": messages(envelope(b"a\xffb")),
    "an unknown encoding": messages(envelope("....", enc="x")),
    "damaged": messages(envelope("", enc="damaged")),
    "accepted": shown.Sent(id="d:7", tag=None),
    "accepted, with its tag": shown.Sent(id="d:7", tag="t1"),
    "a line that was refused": shown.Refused(code="empty", text="nothing there", line=3),
    "a private message that was refused": shown.Refused(
        code="no-such-account", text=NO_BOB, tag="t1", id="d:7", to="bob", body="hi\nthere"
    ),
    "a message of an earlier run that was refused": shown.Refused(
        code="no-such-room", text="no room", id="d:7", to="#lobby", body="hi"
    ),
    "refused without a sentence": shown.Refused(code="not-connected", text=""),
    "refused for an unknown reason": shown.Refused(code="full-moon", text=""),
    "one came": shown.Came(room="#lobby", accounts=["bob"]),
    "two came": shown.Came(room="#lobby", accounts=["alice", "bob"]),
    "many came": shown.Came(room="#lobby", accounts=["a", "b", "c"], more=4),
    "nobody came": shown.Came(room="#lobby", accounts=[]),
    "one went": shown.Went(room="#lobby", accounts=["bob"]),
    "three went out of a room": shown.Went(room="#ops", accounts=["a", "b", "c"]),
    "who": shown.Who(accounts=["alice", "bob"]),
    "who, and more": shown.Who(accounts=["alice", "bob"], more=500),
    "contacts": shown.Contacts(contacts=["bob"], possible=["carol", "dave"], more=True),
    "no contacts": shown.Contacts(contacts=[], possible=[]),
    "place": shown.Place(to="bob"),
    "status": shown.Status(account="alice", device="d", broker="tcp://h:7777", online=True, place="#lobby", outbox=0),
    "status, away": shown.Status(
        account="alice", device="d", broker="tcp://h:7777", online=False, place="bob", outbox=1
    ),
    "outbox": shown.Outbox(items=[("#lobby", "hi"), ("bob", "one\ntwo")]),
    "gone": shown.Gone(log="#lobby", messages=12),
    "put back": shown.PutBack(again=3, gone=0),
    "put back, with a gap": shown.PutBack(again=1, gone=2),
    "notice": shown.Notice(text="one\ntwo"),
    "bye": shown.Bye(code="replaced", text=""),
    "bye, with a sentence": shown.Bye(code="wrong-password", text="wrong password for alice"),
    "devices": shown.Devices(
        devices=[device(here=True), device(device="b" * 16, name=""), device(device="c" * 16)], this=DEVICE
    ),
    "inside a room": shown.Inside(account="alice", room="#Club"),
    "inside a room with a topic": shown.Inside(account="alice", room="#Club", topic="roses"),
    "outside": shown.Outside(account="alice", room="#Club"),
    "outside, removed": shown.Outside(account="alice", room="#Club", by="bob"),
    "outside, banned": shown.Outside(account="alice", room="#Club", by="bob", banned=True),
    "rooms": shown.Rooms(
        rooms=[
            Listed("#Club", "roses", 3, True, False, True),
            Listed("#tea", "", 1, False, True, True),
            Listed("#ops", "", 300, False, False, False),
        ],
        after="#ops",
    ),
    "no rooms": shown.Rooms(rooms=[]),
    "members": shown.Members(room="#Club", owner="alice", private=True, here=["alice"], away=["bob", "carol"], more=7),
    "members, all here": shown.Members(room="#lobby", owner="", private=False, here=["alice", "bob"], away=[]),
    "a topic": shown.Topic(room="#Club", topic="roses"),
    "a new topic": shown.Topic(room="#Club", topic="roses", by="bob"),
    "no topic": shown.Topic(room="#Club", topic=""),
    "a topic taken away": shown.Topic(room="#Club", topic="", by="bob"),
    "an invitation": shown.News(room="#Club", what="invited", by="bob", account="alice", mine=True),
    "another's invitation": shown.News(room="#Club", what="invited", by="bob", account="carol", mine=False),
    "somebody removed": shown.News(room="#Club", what="removed", by="bob", account="carol", mine=False),
    "somebody banned": shown.News(room="#Club", what="banned", by="bob", account="carol", mine=False),
    "a ban lifted": shown.News(room="#Club", what="unbanned", by="bob", account="carol", mine=False),
    "an account": shown.Profile(account="bob", made_at=NOW, here=True, rooms=["#lobby", "#Club"]),
    "an account that is away": shown.Profile(account="bob", made_at=NOW, here=False, rooms=[]),
    "ignored": shown.Ignored(accounts=["bob"]),
    "nobody ignored": shown.Ignored(accounts=[]),
    "found": shown.Found(
        words="hi",
        items=[("#lobby", 3, envelope("hi\nthere")), ("@bob", 7, envelope("/me says hi", to="bob"))],
        more=True,
    ),
    "nothing found": shown.Found(words="hi", items=[], more=False),
    "unread": shown.Unread(items=[("#Club", 12), ("bob", 1)]),
    "nothing unread": shown.Unread(items=[]),
    "muted": shown.Muted(places=["#Club", "bob"]),
    "nothing muted": shown.Muted(places=[]),
    "an action": messages(envelope("/me waves\nand goes")),
    "a private action": messages(envelope("/me waves", to="bob"), log="@bob"),
    "no action": messages(envelope("/mew"), envelope(b"/me x", enc="x")),
    "an edit": about(remarks.Edit(DEVICE, 7, [1], "hi\nthere")),
    "a private edit": about(remarks.Edit(DEVICE, 7, [1], "hi"), log="@bob", to="bob"),
    "a deletion": about(remarks.Delete(DEVICE, 7, [1])),
    "a reaction": about(remarks.React(DEVICE, 7, "👍"), author="bob"),
    "a reaction to an action": about(remarks.React(DEVICE, 7, "\x1b[2J"), "/me waves\nand goes", author="bob"),
    "a reaction taken away": about(remarks.React(DEVICE, 7, "👍", True), author="bob"),
    "a former edit without its text": messages(envelope(b"\0\0", enc="void")),
    "a message without its text": messages(envelope(b"\0\0", enc="gone"), envelope(b"", enc="gone")),
    "messages as they stand": messages(
        envelope("hi", to="bob"),
        log="@alice",
        mine=True,
        marks={(DEVICE, 7): Marks(edited=True, reactions={"👍": ["bob", "carol"], "+1": ["dave"]}, receipt="read")},
    ),
    "a deleted message": messages(
        envelope(b"", enc="gone", to="bob"),
        log="@alice",
        mine=True,
        marks={(DEVICE, 7): Marks(edited=True, deleted=True, receipt="delivered")},
    ),
    "receipts": shown.Receipted(by="bob", delivered={DEVICE: 9}, read={DEVICE: 7}),
    "read is told": shown.TellsRead(on=True),
    "read is not told": shown.TellsRead(on=False),
    "a broker met for the first time": shown.Met(broker="tcp://h:7777", key=KEY),
    "another key than was remembered": key_changed(),
    "another key than was given": key_changed(given=True, since=""),
}


def golden() -> dict[str, list[str]]:
    """What has to be seen of each event, from golden.txt beside this file."""
    _, *blocks = (Path(__file__).parent / "golden.txt").read_text("utf-8").split("== ")
    return {name: lines for name, *lines in (block.rstrip("\n").split("\n") for block in blocks)}


@pytest.mark.parametrize("name", EVENTS)
def test_people_and_scripts_read_it(name: str) -> None:
    lines = [f"{stream:<4} {line}" for stream, line in Plain(local).lines(EVENTS[name], NOW)]
    for_scripts = ["json " + encode_line(thing).decode().removesuffix("\n") for thing in objects(EVENTS[name])]
    assert lines + for_scripts == golden()[name]


def test_every_kind_of_event_has_its_golden_lines() -> None:
    assert set(golden()) == set(EVENTS)
    assert {type(event) for event in EVENTS.values()} == {*Shown.__subclasses__(), *shown.Bye.__subclasses__()}


def test_an_absence_is_told_once_and_as_a_loss_only_after_a_meeting() -> None:
    plain = Plain(local)
    lost = shown.Offline(reason="silence", retry_in=1.0, first=True)
    still = shown.Offline(reason="silence", retry_in=2.0, first=False)
    told = [line for event in (online(), lost, still, online(first=False)) for _, line in plain.lines(event, NOW)]
    assert told == [
        "00:13 * welcome, alice; help shows the commands, exit leaves",
        "00:13 * connection lost; what you send is kept and goes out when the broker is back",
        "00:13 * connected again",
    ]


def test_ascii_terminals_get_an_ascii_gutter() -> None:
    lines = Plain(local, ascii_only=True).lines(messages(envelope("one\ntwo")), NOW)
    assert [line for _, line in lines] == ["00:12 alice: one", "      | two"]


@pytest.mark.parametrize(("at", "written"), [(-1, "1970-01-01T00:00:00.000Z"), (2**63 - 1, "9999-12-31T23:59:59.999Z")])
def test_an_impossible_time_is_no_reason_to_fall_over(at: int, written: str) -> None:
    strange = envelope("hi")
    strange.at = at
    assert objects(messages(strange))[0]["at"] == written
    assert len(Plain(local).lines(messages(strange), NOW)) == 1


def attacking(text: str) -> list[Shown]:
    """The text in every place of every event that somebody else could have filled."""
    return [
        messages(envelope(text, to=text, author=text), envelope("x", enc=text), log=text),
        online(account=text, broker=text, device=text, key=text),
        shown.Offline(reason=text, retry_in=1.0, first=True),
        shown.Sent(id=text, tag=text),
        shown.Refused(code=text, text=text, to=text, body=text),
        shown.Refused(code=text, text="", tag=text),
        shown.Came(room=text, accounts=[text]),
        shown.Went(room=text, accounts=[text, text, text], more=1),
        shown.Who(accounts=[text]),
        shown.Contacts(contacts=[text], possible=[text]),
        shown.Place(to=text),
        shown.Status(account=text, device=text, broker=text, online=True, place=text, outbox=1),
        shown.Outbox(items=[(text, text)]),
        shown.Notice(text=text),
        shown.Bye(code=text, text=text),
        shown.Bye(code=text, text=""),
        shown.Devices(devices=[device(device=text, name=text, address=text)], this=text),
        shown.Met(broker=text, key=KEY),
        key_changed(broker=text, account=text, since=text),
    ]


def written(lines: list[Line]) -> list[str]:
    return [line for _, line in lines]


@pytest.mark.parametrize(("text", "seen"), ATTACKS, ids=range(len(ATTACKS)))
def test_attacks_are_shown_to_people_not_obeyed(text: str, seen: str) -> None:
    body = text.encode(errors="replace").decode()
    for event in attacking(body):
        for line in written(Plain(local).lines(event, NOW)):
            assert harmful(line) == []
            assert "\n" not in line
            assert line.startswith(("00:12 ", "00:13 ", "      │ "))
    if body == text:
        (first, *further) = written(Plain(local).lines(messages(envelope(text)), NOW))
        assert "\n".join([first, *(line.removeprefix("      │ ") for line in further)]) == f"00:12 alice: {seen}"


@pytest.mark.parametrize(("text", "seen"), ATTACKS, ids=range(len(ATTACKS)))
def test_attacks_are_inert_and_whole_in_json(text: str, seen: str) -> None:
    for event in attacking(text.encode(errors="replace").decode()):
        for thing in objects(event):
            line = encode_line(thing)
            assert all(0x20 <= byte < 0x7F for byte in line[:-1])
            assert line.endswith(b"\n")
            assert json.loads(line) == thing


@given(st.text(st.characters(exclude_categories=())))
@example("half \ud83d a pair")
@example("both \ud83d\udc4d halves")
@example("\x7f")
def test_any_text_makes_one_line_of_ascii_that_reads_back(text: str) -> None:
    line = encode_line({"event": "notice", "text": text, text: [text]})
    assert line.isascii()
    assert all(byte >= 0x20 and byte != 0x7F for byte in line[:-1])
    # Two halves of a pair, one after the other, are a character in JSON.
    assert json.loads(line)["text"].encode("utf-16", "surrogatepass") == text.encode("utf-16", "surrogatepass")


@given(st.text(), st.text(min_size=1))
def test_no_text_forges_a_line_of_its_own(body: str, author: str) -> None:
    first, *further = written(Plain(local).lines(messages(envelope(body, author=author)), NOW))
    assert first.startswith("00:12 ")
    assert all(line.startswith("      │ ") for line in further)
    assert len(further) == body.count("\n")


def test_the_lobby_is_where_it_is_said_to_be() -> None:
    # What goes to the lobby is shown without an address: it is what a plain line means.
    outbox = shown.Outbox(items=[(names.LOBBY, "hi"), ("#ops", "hi")])
    assert written(Plain(local).lines(outbox, NOW))[1:] == ["00:13 * hi", "00:13 * #ops: hi"]


def test_a_room_that_is_not_here_stands_before_who_speaks() -> None:
    plain = Plain(local, place="#Club")
    rooms = [envelope("hi", to=to) for to in ("#lobby", "#club", "#ops", "bob")]

    def heads() -> list[str]:
        return [written(plain.lines(messages(each), NOW))[0].removeprefix("00:12 ") for each in rooms]

    assert heads() == ["alice: hi", "alice: hi", "#ops alice: hi", "alice -> bob: hi"]
    plain.lines(shown.Place(to="#ops"), NOW)
    assert heads() == ["alice: hi", "#club alice: hi", "alice: hi", "alice -> bob: hi"]
    assert written(plain.lines(messages(envelope("/me waves", to="#tea")), NOW)) == ["00:12 #tea ~ alice waves"]


def test_a_history_of_another_day_says_which() -> None:
    plain = Plain(local)
    old = messages(envelope("hi"))
    old.mine = True
    assert written(plain.lines(old, NOW)) == ["00:12 alice: hi"]
    assert written(plain.lines(old, NOW + 86_400_000)) == ["2023-11-14 00:12 alice: hi"]
    old.mine = False
    assert written(plain.lines(old, NOW + 86_400_000)) == ["00:12 alice: hi"]
