"""How the answers to orders look, a fact in a row or a few."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.clock import utc

Fact = dict[str, Any]
# Letters of a mark that are shown: enough to tell a few thousand apart.
MARK_CHARS = 8
# Members that a row names.
NAMED = 10


def account(fact: Fact) -> Iterator[str]:
    """One account."""
    if fact.get("damaged"):
        yield f"{fact['account']}  its record is damaged: restore a backup"
        return
    marks = [f"since {utc(fact['made_at'])}", _devices(fact["devices"]), _rooms(fact["rooms"])]
    marks += ["here now"] if fact["here"] else []
    marks += [] if fact["password"] else ["no password"]
    marks += ["closed"] if fact["closed"] else []
    marks += [f"banned until {utc(fact['banned_until'])}"] if fact["banned_until"] else []
    yield f"{fact['account']}  {', '.join(marks)}"


def added(fact: Fact) -> Iterator[str]:
    """An account was made."""
    yield f"the account {fact['account']} is there, without a password"
    yield from _code(fact, f"python client.py {fact['account']} --invite {fact['code']}")


def let_reset(fact: Fact) -> Iterator[str]:
    """Somebody may set another password."""
    yield f"{fact['account']} may set another password; the old one is good until then"
    yield from _code(fact, f"python client.py {fact['account']} --invite {fact['code']}")


def invited(fact: Fact) -> Iterator[str]:
    """An invitation was made."""
    yield from _code(fact, f"python client.py NAME --invite {fact['code']}")
    yield "it makes 1 account" if fact["uses"] == 1 else f"it makes {fact['uses']} accounts"


def _code(fact: Fact, use: str) -> Iterator[str]:
    yield f"code, shown only now: {fact['code']}"
    yield f"good until {utc(fact['until'])}: {use}"


def closed(fact: Fact) -> Iterator[str]:
    """An account was closed."""
    yield f"{fact['account']} is closed; {_ended(fact)}; its name stays taken"


def banned(fact: Fact) -> Iterator[str]:
    """An account was barred for a time."""
    yield f"{fact['account']} is banned until {utc(fact['until'])}; {_ended(fact)}"


def opened(fact: Fact) -> Iterator[str]:
    """An account may come in again."""
    yield f"{fact['account']} is let in again"


def password(fact: Fact) -> Iterator[str]:
    """A password was set."""
    yield f"the password of {fact['account']} is changed; its devices stay let in: devices lists and revokes them"


def device(fact: Fact) -> Iterator[str]:
    """One device of an account."""
    seen = "here now" if fact["here"] else f"last seen {utc(fact['seen_at'])}"
    name = fact["name"] or "(no name)"
    yield f"{fact['device']}  {name}, since {utc(fact['first_at'])}, {seen} from {fact['address'] or 'nowhere'}"


def revoked(fact: Fact) -> Iterator[str]:
    """A device was revoked."""
    yield f"{fact['device']} of {fact['account']} is never let in again; {_ended(fact)}"


def permit(fact: Fact) -> Iterator[str]:
    """One permit that is there."""
    used, uses = len(fact["names"]), fact["uses"]
    marks = [f"another password for {fact['account']}"] if fact["account"] else ["new accounts"]
    marks.append(f"used {used} of {uses}" + (": " + ", ".join(fact["names"][:NAMED]) if used else ""))
    marks.append(f"{'was good' if fact['over'] else 'good'} until {utc(fact['until'])}")
    yield f"{fact['mark'][:MARK_CHARS]}  {', '.join(marks)}"


def taken_back(fact: Fact) -> Iterator[str]:
    """A permit is good for nothing any more."""
    yield f"the code that is known as {fact['mark'][:MARK_CHARS]} is good for nothing any more"


def room(fact: Fact) -> Iterator[str]:
    """One room."""
    marks = [f"owned by {fact['owner']}" if fact["owner"] else "nobody's", _members(fact)]
    marks += ["private"] if fact["private"] else []
    marks += ["closed"] if fact["closed"] else []
    yield f"{fact['room']}  {', '.join(marks)}" + (f": {fact['topic']}" if fact["topic"] else "")
    if fact["members"]:
        more = " and more" if fact["more"] or len(fact["members"]) > NAMED else ""
        yield f"    {', '.join(fact['members'][:NAMED])}{more}"


def room_closed(fact: Fact) -> Iterator[str]:
    """A room was closed."""
    yield f"{fact['room']} is closed and empty; its name stays taken, and rooms open lets people in again"


def room_opened(fact: Fact) -> Iterator[str]:
    """A room may be joined again."""
    yield f"{fact['room']} may be joined again"


def room_given(fact: Fact) -> Iterator[str]:
    """A room has another owner."""
    yield f"{fact['room']} is owned by {fact['owner']} now"


def session(fact: Fact) -> Iterator[str]:
    """Who is here, and how far behind."""
    does = f"{fact['on_their_way']} on their way, {fact['backlog']} behind" if fact["reads"] else "only sends"
    yield (
        f"{fact['account']}  {fact['device']} from {fact['address']}, since {utc(fact['began_at'])},"
        f" silent for {fact['silent_s']:.0f} s, {does}"
    )


def announced(fact: Fact) -> Iterator[str]:
    """It is on the disk."""
    yield "it is in #lobby, for those who are here and those who come back"


def stats(fact: Fact) -> Iterator[str]:
    """How the broker is."""
    yield f"running since {utc(fact['began_at'])}, protocol {fact['protocol']}"
    yield f"{fact['here']} here, {fact['sessions']} sessions, {fact['sends']} sends taken"
    yield f"the store holds {fact['size'] / 1e6:.1f} MB; broker {fact['broker']}, epoch {fact['epoch']}"


def _ended(fact: Fact) -> str:
    count = fact["sessions"]
    return {0: "nobody was here", 1: "1 session has ended"}.get(count, f"{count} sessions have ended")


def _devices(count: int) -> str:
    return "1 device" if count == 1 else f"{count} devices"


def _rooms(count: int) -> str:
    return "1 room" if count == 1 else f"{count} rooms"


def _members(fact: Fact) -> str:
    count = len(fact["members"])
    return "1 member" if count == 1 and not fact["more"] else f"{count}{'+' if fact['more'] else ''} members"
