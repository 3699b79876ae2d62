"""How the answers to orders look, a fact in a row or a few; in the language that is spoken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from console.language import counted, worded
from console.words import NO_NAME, PRIVATE_MARK, TOPIC_MARK, members
from core.clock import utc

Fact = dict[str, Any]
# Letters of a mark that are shown: enough to tell a few thousand apart.
MARK_CHARS = 8
# Members that a row names.
NAMED = 10


# ---- accounts -----------------------------------------------------------------------------------------


def account(fact: Fact) -> Iterator[str]:
    """One account."""
    if fact.get("damaged"):
        yield _damaged(fact["account"])
        return
    marks = [_devices(fact["devices"]), _rooms(fact["rooms"])]
    marks += [worded(", here now")] if fact["here"] else []
    marks += [] if fact["password"] else [worded(", no password")]
    marks += [worded(", closed")] if fact["closed"] else []
    marks += [worded(", banned until {date}", date=utc(fact["banned_until"]))] if fact["banned_until"] else []
    yield worded(
        "{account}  since {date}{marks}", account=fact["account"], date=utc(fact["made_at"]), marks="".join(marks)
    )


def _damaged(name: str) -> str:
    return worded("{account}  its record is damaged: restore a backup", account=name)


def _devices(count: int) -> str:
    return counted(", {count} device", ", {count} devices", count)


def _rooms(count: int) -> str:
    return counted(", {count} room", ", {count} rooms", count)


def added(fact: Fact) -> Iterator[str]:
    """An account was made."""
    yield worded("the account {account} is there, without a password", account=fact["account"])
    yield from _code(fact, fact["account"])


def let_reset(fact: Fact) -> Iterator[str]:
    """Somebody may set another password."""
    yield worded("{account} may set another password; the old one is good until then", account=fact["account"])
    yield from _code(fact, fact["account"])


def closed(fact: Fact) -> Iterator[str]:
    """An account was closed."""
    yield worded("{account} is closed; its name stays taken", account=fact["account"])
    yield _ended(fact["sessions"])


def banned(fact: Fact) -> Iterator[str]:
    """An account was barred for a time."""
    yield worded("{account} is banned until {date}", account=fact["account"], date=utc(fact["until"]))
    yield _ended(fact["sessions"])


def opened(fact: Fact) -> Iterator[str]:
    """An account may come in again."""
    yield worded("{account} is let in again", account=fact["account"])


def password(fact: Fact) -> Iterator[str]:
    """A password was set."""
    yield worded(
        "the password of {account} is changed; its devices stay let in: devices lists and revokes them",
        account=fact["account"],
    )


def device(fact: Fact) -> Iterator[str]:
    """One device of an account."""
    places = {
        "device": fact["device"],
        "name": fact["name"] or NO_NAME(),
        "first": utc(fact["first_at"]),
        "seen": utc(fact["seen_at"]),
        "address": fact["address"] or worded("an unknown address"),
    }
    if fact["here"]:
        yield worded("{device}  {name}, since {first}, here now from {address}", **places)
    else:
        yield worded("{device}  {name}, since {first}, last seen {seen} from {address}", **places)


def revoked(fact: Fact) -> Iterator[str]:
    """A device was revoked."""
    yield worded("{device} of {account} is never let in again", device=fact["device"], account=fact["account"])
    yield _ended(fact["sessions"])


def _ended(count: int) -> str:
    return (
        counted("{count} session has ended", "{count} sessions have ended", count)
        if count
        else worded("nobody was here")
    )


# ---- permits ------------------------------------------------------------------------------------------


def invited(fact: Fact) -> Iterator[str]:
    """An invitation was made."""
    yield from _code(fact, "NAME")
    yield counted("it makes {count} account", "it makes {count} accounts", fact["uses"])


def _code(fact: Fact, name: str) -> Iterator[str]:
    yield worded("code, shown only now: {code}", code=fact["code"])
    yield worded(
        "good until {date}, for a client that is started as: {name} --invite {code}",
        date=utc(fact["until"]),
        name=name,
        code=fact["code"],
    )


def permit(fact: Fact) -> Iterator[str]:
    """One permit that is there."""
    places = {
        "mark": fact["mark"][:MARK_CHARS],
        "account": fact["account"],
        "used": len(fact["names"]),
        "uses": fact["uses"],
        "date": utc(fact["until"]),
        "over": worded(", over") if fact["over"] else "",
    }
    if fact["account"]:
        yield worded("{mark}  another password for {account}, used {used} of {uses}, until {date}{over}", **places)
    else:
        yield worded("{mark}  new accounts, used {used} of {uses}, until {date}{over}", **places)
    if fact["names"]:
        yield f"    {', '.join(fact['names'][:NAMED])}"


def taken_back(fact: Fact) -> Iterator[str]:
    """A permit is good for nothing any more."""
    yield worded("the code that is known as {mark} is good for nothing any more", mark=fact["mark"][:MARK_CHARS])


# ---- rooms --------------------------------------------------------------------------------------------


def room(fact: Fact) -> Iterator[str]:
    """One room."""
    if fact.get("damaged"):
        yield _damaged(fact["room"])
        return
    marks = [PRIVATE_MARK()] if fact["private"] else []
    marks += [worded(", closed")] if fact["closed"] else []
    marks += [TOPIC_MARK(topic=fact["topic"])] if fact["topic"] else []
    yield worded(
        "{room}  {owned}, {members}{marks}",
        room=fact["room"],
        owned=worded("owned by {owner}", owner=fact["owner"]) if fact["owner"] else worded("owned by nobody"),
        members=members(len(fact["members"])),
        marks="".join(marks),
    )
    if fact["members"]:
        named = ", ".join(fact["members"][:NAMED])
        more = fact["more"] or len(fact["members"]) > NAMED
        yield worded("    {names} and more", names=named) if more else f"    {named}"


def room_closed(fact: Fact) -> Iterator[str]:
    """A room was closed."""
    yield worded(
        "{room} is closed and empty; its name stays taken, and rooms open lets people in again", room=fact["room"]
    )


def room_opened(fact: Fact) -> Iterator[str]:
    """A room may be joined again."""
    yield worded("{room} may be joined again", room=fact["room"])


def room_given(fact: Fact) -> Iterator[str]:
    """A room has another owner."""
    yield worded("{room} is owned by {owner} now", room=fact["room"], owner=fact["owner"])


# ---- the broker as it runs ----------------------------------------------------------------------------


def session(fact: Fact) -> Iterator[str]:
    """Who is here, and how far behind."""
    places = {name: fact[name] for name in ("account", "device", "address", "on_their_way", "backlog")}
    places.update(began=utc(fact["began_at"]), silent=f"{fact['silent_s']:.0f}")
    if fact["reads"]:
        yield worded(
            "{account}  {device} from {address}, since {began}, silent for {silent} s, {on_their_way} on their way,"
            " {backlog} behind",
            **places,
        )
    else:
        yield worded("{account}  {device} from {address}, since {began}, silent for {silent} s, only sends", **places)


def announced(fact: Fact) -> Iterator[str]:
    """It is on the disk."""
    yield worded("it is in #lobby, for those who are here and those who come back")


def stats(fact: Fact) -> Iterator[str]:
    """How the broker is."""
    yield worded("running since {date}, protocol {protocol}", date=utc(fact["began_at"]), protocol=fact["protocol"])
    yield worded(
        "here: {here}, sessions: {sessions}, of which {full} have messages waiting for them",
        here=fact["here"],
        sessions=fact["sessions"],
        full=fact["windows_full"],
    )
    yield worded(
        "since then: {accepted} accepted, {delivered} delivered, {duplicates} came again, {refused} refused",
        accepted=fact["accepted"],
        delivered=fact["delivered"],
        duplicates=fact["duplicates"],
        refused=sum(fact["refused"].values()),
    )
    yield worded(
        "the store holds {size} MB; broker {broker}, epoch {epoch}, key {key}",
        size=f"{fact['size'] / 1e6:.1f}",
        broker=fact["broker"],
        epoch=fact["epoch"],
        key=fact["key"],
    )
