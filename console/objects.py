"""What happened becomes JSON objects for scripts.

They keep what other people wrote as it is, since ASCII with escapes is inert.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec

from console import remarked, words
from console.spoken import TEXT_ENC, is_action, rfc3339, send_id
from core import shown
from core.marks import is_remark
from core.shown import Shown
from protocol.frames import Envelope

Object = dict[str, Any]


def objects(event: Shown) -> list[Object]:
    """What scripts read of this, maybe nothing; encode_line makes a line of each."""
    return _OBJECTS[type(event)](event)


_packed = msgspec.json.Encoder().encode


def encode_line(thing: Object) -> bytes:
    """One line of ASCII, with its end. Any terminal may be shown it: ESC, DEL and all beyond ASCII are escaped."""
    try:
        line = _packed(thing)
        if line.isascii() and b"\x7f" not in line:
            return line + b"\n"
    except UnicodeEncodeError:
        pass  # half a surrogate pair, out of a file's name or an argument: escaped, JSON can say even that
    return json.dumps(thing, separators=(",", ":")).encode() + b"\n"


# ---- what becomes of what ---------------------------------------------------------------------------------


def _object(event: str, **fields: object) -> Object:
    """An object; fields that are None don't apply to this one and are left out."""
    return {"event": event, **{name: value for name, value in fields.items() if value is not None}}


def _online(event: shown.Online) -> Object:
    return _object(
        "online",
        account=event.account,
        device=event.device,
        broker=event.broker,
        key=event.key,
        waiting=event.waiting,
        registered=event.registered,
    )


def _messages(event: shown.Messages) -> list[Object]:
    return [each for at, envelope in enumerate(event.envelopes, event.first) if (each := _message(event, at, envelope))]


def _message(event: shown.Messages, seq: int, envelope: Envelope) -> Object:
    if is_remark(envelope):
        return _remark(event, seq, envelope)
    thing = _placed(event, seq, envelope)
    if envelope.enc == TEXT_ENC:
        thing["text"] = envelope.body.decode(errors="replace")
    else:
        thing["enc"] = envelope.enc
    if is_action(envelope):
        thing["action"] = True
    if event.marks:
        thing |= remarked.mark_fields(event.marks.get(send_id(envelope)))
    if event.mine:
        thing["history"] = True
    return thing


def _remark(event: shown.Messages, seq: int, envelope: Envelope) -> Object:
    """An edit, a deletion or a reaction; nothing of one that can't be read."""
    remark, thing = remarked.fields(envelope), _placed(event, seq, envelope)
    del thing["text"]
    return {} if remark is None else {**thing, **remark}


def _placed(event: shown.Messages, seq: int, envelope: Envelope) -> Object:
    """What is said of whatever has a place in a log, in the order in which people read it."""
    thing: Object = {
        "event": "message",
        "log": event.log,
        "seq": seq,
        "id": f"{envelope.device}:{envelope.n}",
        "from": envelope.author,
        "to": envelope.to,
        "text": None,
        "at": rfc3339(envelope.at),
        "waited": seq <= event.waited,
    }
    if envelope.bot:
        thing["bot"] = True
    return thing


def _refused(event: shown.Refused) -> Object:
    """A tag or a line says what it was about; a message from an earlier run has neither, but its id."""
    traced = event.tag is not None or event.line
    return _object(
        "refused",
        code=event.code,
        text=words.english(event.code, event.text),
        tag=event.tag,
        line=event.line or None,
        id=None if traced else event.id or None,
    )


def _device_objects(event: shown.Devices) -> Object:
    devices = [
        {
            "device": each.device,
            "name": each.name,
            "first": rfc3339(each.first_at),
            "seen": rfc3339(each.seen_at),
            "address": each.address,
            "here": each.here,
            "this": each.device == event.this,
        }
        for each in event.devices
    ]
    return _object("devices", devices=devices)


def _members_object(event: shown.Members) -> Object:
    return _object(
        "members",
        room=event.room,
        owner=event.owner or None,
        private=event.private,
        here=event.here,
        away=event.away,
        more=event.more or None,
    )


def _profile_object(event: shown.Profile) -> Object:
    registered = rfc3339(event.made_at)
    return _object("account", account=event.account, registered=registered, here=event.here, rooms=event.rooms)


def _found_objects(event: shown.Found) -> list[Object]:
    """The messages, as history; then how many these were."""
    placed = (
        shown.Messages(log=log, first=seq, envelopes=[envelope], waited=0, mine=True, marks=event.marks)
        for log, seq, envelope in event.items
    )
    found = _object("found", words=event.words, messages=len(event.items), more=event.more)
    return [*(thing for messages in placed for thing in _messages(messages)), found]


def _status_object(event: shown.Status) -> Object:
    return {"event": "status"} | msgspec.structs.asdict(event)


_OBJECTS: dict[type[Shown], Callable[[Any], list[Object]]] = {
    shown.Online: lambda event: [_online(event)],
    shown.Offline: lambda event: [_object("offline", retry_in=event.retry_in)],
    shown.Messages: _messages,
    shown.Sent: lambda event: [_object("accepted", id=event.id, tag=event.tag)],
    shown.Receipted: remarked.receipt_fields,
    shown.TellsRead: lambda event: [_object("receipts", on=event.on)],
    shown.Refused: lambda event: [_refused(event)],
    shown.Came: lambda event: [_object("joined", account=account, room=event.room) for account in event.accounts],
    shown.Went: lambda event: [_object("left", account=account, room=event.room) for account in event.accounts],
    shown.Who: lambda event: [_object("who", accounts=event.accounts, more=event.more or None)],
    shown.Contacts: lambda event: [
        _object("contacts", contacts=event.contacts, possible=event.possible, more=event.more or None)
    ],
    shown.Inside: lambda event: [_object("joined", account=event.account, room=event.room, topic=event.topic or None)],
    shown.Outside: lambda event: [
        _object("left", account=event.account, room=event.room, by=event.by or None, banned=event.banned or None)
    ],
    shown.Rooms: lambda event: [
        _object("rooms", rooms=list(map(msgspec.structs.asdict, event.rooms)), after=event.after or None)
    ],
    shown.Members: lambda event: [_members_object(event)],
    shown.Topic: lambda event: [_object("topic", room=event.room, topic=event.topic, by=event.by or None)],
    shown.News: lambda event: [_object(event.what, account=event.account, room=event.room, by=event.by)],
    shown.Profile: lambda event: [_profile_object(event)],
    shown.Ignored: lambda event: [_object("ignored", accounts=event.accounts)],
    shown.Found: _found_objects,
    shown.Unread: lambda event: [
        _object("unread", places=[{"to": to, "messages": count} for to, count in event.items])
    ],
    shown.Muted: lambda event: [_object("muted", places=event.places)],
    shown.Place: lambda event: [_object("place", to=event.to)],
    shown.Status: lambda event: [_status_object(event)],
    shown.Outbox: lambda event: [_object("outbox", messages=[{"to": to, "text": text} for to, text in event.items])],
    shown.Gone: lambda event: [_object("gone", log=event.log, messages=event.messages)],
    shown.PutBack: lambda event: [_object("put-back", again=event.again, gone=event.gone)],
    shown.Notice: lambda event: [_object("notice", text=event.text)],
    shown.Devices: lambda event: [_device_objects(event)],
    shown.Met: lambda event: [],
    shown.Bye: lambda event: [_object("bye", reason=event.code)],
    shown.KeyChanged: lambda event: [_object("bye", reason=event.code, key=event.key, offered=event.offered)],
}
