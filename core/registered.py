"""What the questions about accounts share: looking things up, and names as registered."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from core import records
from core.commands import Command, Look, Send
from core.door import refuse
from core.received import Asking, Received
from core.records import Account, DamagedRecord
from core.session import Session
from protocol import frames, names

# Names of accounts that are remembered, so that listing them does not read every record each time.
NAMES = 100_000


class Registered:
    """Names as registered, by account. They don't change."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def missing(self, event: Asking, accounts: Iterable[str]) -> list[Command]:
        """A Look at those whose names are not known; nothing if all are."""
        if len(self._names) > NAMES:
            self._names.clear()
        for account in accounts:
            if account not in self._names and (found := event.found.get(records.account(account))):
                with suppress(DamagedRecord):
                    self._names[account] = records.unpack(Account, found[1]).name
        return look(event, *(records.account(account) for account in accounts if account not in self._names))

    def name(self, account: str) -> str:
        """Its name, or the compared form of one that nobody can tell any more."""
        return self._names.get(account, account)


class Settled(Exception):
    """This step of an answer is over: these commands are all that is to be done."""

    def __init__(self, commands: list[Command]) -> None:
        super().__init__()
        self.commands = commands


def account_key(event: Received, typed: str) -> str:
    """The account that somebody asks about, in compared form."""
    try:
        return names.key(typed)
    except names.BadName as error:
        raise Settled(refuse(event, "bad-name", name=typed, why=error)) from None


def room_key(event: Received, typed: str) -> str:
    """The same for a room."""
    try:
        return names.room_key(typed)
    except names.BadName as error:
        raise Settled(refuse(event, "bad-name", name=typed, why=error)) from None


def look(event: Asking, *keys: str, logs: tuple[str, ...] = ()) -> list[Command]:
    """A Look at whatever of these has not been found yet; nothing if all is there."""
    keys = tuple(key for key in keys if key not in event.found)
    logs = tuple(log for log in logs if "head/" + log not in event.found)
    return [Look(event, keys=keys, logs=logs)] if keys or logs else []


def own(event: Received, session: Session) -> tuple[int, Account]:
    """The version and the record of the account that asks."""
    version, value = event.found[records.account(session.account)]
    return version, records.unpack(Account, value)


def answer(session: Session, frame: frames.AnyFrame) -> list[Command]:
    """Say this to a session."""
    return [Send(frames.encode(frame), session.peer)]


def record(event: Asking, key: str, kind: type[Any]) -> Any:
    """A record that was looked up; None if there is none."""
    found = event.found[key]
    return records.unpack(kind, found[1]) if found else None


def version(event: Asking, key: str) -> int:
    """Its version; 0 if there is none."""
    return event.found[key][0] if event.found[key] else 0
