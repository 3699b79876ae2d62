"""What the orders share: answers, and looking things up."""

from __future__ import annotations

from typing import Any

from core import records
from core.commands import Browse, Command, Put, Reply
from core.received import Ordered
from core.records import Account
from core.registered import Settled, look, record
from protocol import errors, names

# Records that are told in one answer; the next order goes on behind them.
LISTED = 200


def reply(event: Ordered, **facts: Any) -> list[Command]:
    """It was carried out."""
    return [Reply(event.ticket, {"done": True, **facts})]


def decline(event: Ordered, code: str, /, **places: Any) -> list[Command]:
    """It was not carried out, and this is why."""
    return [Reply(event.ticket, {"error": errors.sentence(code, **places), "code": code})]


def settled(event: Ordered, code: str, /, **places: Any) -> Settled:
    """The same, to be raised: there is no next step."""
    return Settled(decline(event, code, **places))


def need(event: Ordered, *keys: str, logs: tuple[str, ...] = ()) -> None:
    """Go on only with these records and extents."""
    if missing := look(event, *keys, logs=logs):
        raise Settled(missing)


def page(event: Ordered, prefix: str, after: str, limit: int = LISTED) -> tuple[list[str], str]:
    """The next keys with a prefix, behind it; and behind which key there are more, "" if there are none."""
    if "browse/" + prefix not in event.found:
        raise Settled([Browse(event, prefix, limit + 1, after)])
    keys: list[str] = event.found["browse/" + prefix]
    return keys[:limit], keys[limit - 1] if len(keys) > limit else ""


def account_key(event: Ordered, name: str) -> str:
    """An account's name in compared form."""
    try:
        return names.key(name)
    except names.BadName as error:
        raise settled(event, "bad-name", name=name, why=error) from None


def account(event: Ordered, name: str, *keys: str) -> tuple[str, Account]:
    """Somebody, who is looked up together with other records; and the name in compared form."""
    key = account_key(event, name)
    need(event, records.account(key), *keys)
    found: Account | None = record(event, records.account(key), Account)
    if found is None:
        raise settled(event, "unknown-account", name=name)
    return key, found


def put(event: Ordered, key: str, value: Any, *also: Put) -> list[Command]:
    """Change a record that was looked up, together with others; the order is handled again when that is done."""
    return [change(event, key, value, event, also)]


def change(event: Ordered, key: str, value: Any, cause: Ordered | None = None, also: tuple[Put, ...] = ()) -> Put:
    """One record that was looked up, as it is to be from now on; None: no more."""
    found = event.found[key]
    return Put(key, None if value is None else records.pack(value), found[0] if found else 0, cause, also)
