"""Questions that are answered to whom asked them: who is here, contacts, accounts, pages of history.

A question whose answer needs the store is handled again with what was found, until nothing is missing; each step
is safe to repeat, so a lost answer may simply be asked for again.
"""

from __future__ import annotations

from core import records
from core.clock import Instant
from core.commands import Browse, Command, Fetch, Put, Send
from core.door import refuse
from core.events import Fetched
from core.presence import listed
from core.received import Received
from core.records import Account
from core.registered import Registered, account_key, answer, look, own, record
from core.session import Session
from core.sessions import Sessions
from protocol import frames, limits, names


class Questions:
    """Answers."""

    def __init__(self, sessions: Sessions, registered: Registered) -> None:
        self._sessions = sessions
        self._registered = registered

    def who(self, event: Received, ask: frames.AskWho, session: Session, now: Instant) -> list[Command]:
        """Everyone who reads."""
        here = [
            next(iter(several.values())).name
            for account, several in self._sessions.by_account.items()
            if self._sessions.present(account)
        ]
        return answer(session, frames.Present(ask.ask, *listed(sorted(here, key=str.casefold))))

    # -- contacts --

    def contacts(self, event: Received, ask: frames.AskContacts, session: Session, now: Instant) -> list[Command]:
        """The account's contacts, and all others but itself."""
        missing = look(event, records.account(session.account))
        return missing or self._contacts(event, ask.ask, session)

    def add(self, event: Received, ask: frames.AddContact, session: Session, now: Instant) -> list[Command]:
        """Put an account on the list."""
        wanted = account_key(event, ask.account)
        if wanted == session.account:
            return refuse(event, "own-name", name=session.name)
        missing = look(event, records.account(session.account), records.account(wanted))
        return missing or self._add(event, ask, session, wanted)

    def _add(self, event: Received, ask: frames.AddContact, session: Session, wanted: str) -> list[Command]:
        other = event.found[records.account(wanted)]
        if other is None:
            return refuse(event, "unknown-account", name=ask.account)
        name = records.unpack(Account, other[1]).name
        version, account = own(event, session)
        if "done" in event.found:
            return self._contacts(event, ask.ask, session)
        if name in account.contacts:
            return refuse(event, "already-contact", name=name)
        if len(account.contacts) >= limits.ACCOUNT_CONTACTS:
            return refuse(event, "too-many-contacts", limit=limits.ACCOUNT_CONTACTS)
        account.contacts.append(name)
        return [Put(records.account(session.account), records.pack(account), version, event)]

    def remove(self, event: Received, ask: frames.RemoveContact, session: Session, now: Instant) -> list[Command]:
        """Take an account off the list."""
        missing = look(event, records.account(session.account))
        if missing:
            return missing
        version, account = own(event, session)
        if "done" in event.found:
            return self._contacts(event, ask.ask, session)
        kept = [name for name in account.contacts if not _same(name, ask.account)]
        if len(kept) == len(account.contacts):
            return refuse(event, "not-a-contact", name=ask.account)
        account.contacts = kept
        return [Put(records.account(session.account), records.pack(account), version, event)]

    def _contacts(self, event: Received, ask: int, session: Session) -> list[Command]:
        _, account = own(event, session)
        prefix = records.account("")
        if "browse/" + prefix not in event.found:
            return [Browse(event, prefix, limits.LISTED_NAMES + len(account.contacts) + 2)]
        accounts = [key.removeprefix(prefix) for key in event.found["browse/" + prefix]]
        if missing := self._registered.missing(event, accounts):
            return missing
        listed_already = {account.name, *account.contacts}
        possible = [name for key in accounts if (name := self._registered.name(key)) not in listed_already]
        some, more = listed(possible)
        return answer(session, frames.Contacts(ask, account.contacts, some, more > 0))

    # -- accounts --

    def account(self, event: Received, ask: frames.AskAccount, session: Session, now: Instant) -> list[Command]:
        """Who somebody is, and in which rooms both are."""
        wanted = account_key(event, ask.account)
        if missing := look(event, records.account(wanted)):
            return missing
        other: Account | None = record(event, records.account(wanted), Account)
        if other is None:
            return refuse(event, "unknown-account", name=ask.account)
        common = [name for log, name in session.rooms.items() if log in other.rooms]
        here = self._sessions.present(wanted)
        return answer(session, frames.Profile(ask.ask, other.name, other.made_at, here, common))

    # -- history --

    def page(self, event: Received, ask: frames.AskPage, session: Session, now: Instant) -> list[Command]:
        """What stands in a log below a seq, as far back as the account may read."""
        missing = look(event, records.account(session.account), logs=(ask.log,))
        if missing:
            return missing
        floor = self._floor(event, session, ask.log)
        if floor is None:
            return refuse(event, "no-such-log", log=ask.log)
        _, head = event.found["head/" + ask.log]
        end = min(ask.before - 1, head) if ask.before else head
        after = max(floor, end - ask.limit)
        if after >= end:
            return answer(session, frames.Page(ask.ask, frames.Run(ask.log, end + 1, []), False))
        size = (end - after) * 2 * limits.BODY_BYTES  # all of them: what is too much is left out at the far end
        return [Fetch(session.peer, ask.log, after, end - after, size, event)]

    def _floor(self, event: Received, session: Session, log: str) -> int | None:
        _, account = own(event, session)
        first, _ = event.found["head/" + log]
        if log == names.mailbox(session.account):
            return int(first) - 1
        joined = account.rooms.get(log)
        return None if joined is None else max(joined, int(first) - 1)

    def fetched(self, event: Fetched, cause: Received) -> list[Command]:
        """The page that was asked for has been read."""
        ask = cause.frame
        assert isinstance(ask, frames.AskPage)
        first, envelopes = event.first, event.envelopes
        while sum(map(len, envelopes)) > limits.FRAME_BYTES:
            first, envelopes = first + 1, envelopes[1:]
        run = frames.pack_run(ask.log, first, envelopes)
        session = self._sessions.by_peer[cause.peer]
        more = first - 1 > (self._floor(cause, session, ask.log) or 0)
        return [Send(frames.pack_page(ask.ask, run, more), cause.peer)]


def _same(name: str, typed: str) -> bool:
    try:
        return names.key(name) == names.key(typed)
    except names.BadName:
        return False
