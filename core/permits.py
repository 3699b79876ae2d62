"""Permits at the door: with one, a credential makes an account, or becomes another password of one that is there."""

from __future__ import annotations

import msgspec

from core import records
from core.clock import Instant
from core.commands import Put
from core.received import Received
from core.records import Account, Permit
from protocol import frames, permits


def key(hello: frames.Hello) -> str:
    """The record of the permit that a Hello brings."""
    return records.permit(permits.mark(hello.permit))


def held(event: Received, account: Account | None, account_key: str, now: Instant) -> Permit | None:
    """The permit that this Hello brings, if it is good for this account, or for making it; else None."""
    hello = event.frame
    assert isinstance(hello, frames.Hello)
    found = event.found.get(key(hello)) if hello.permit else None
    permit = records.unpack(Permit, found[1]) if found else None
    if permit is None or permit.account != (account_key if account else ""):
        return None
    return permit if now.at < permit.until and len(permit.names) < permit.uses else None


def used(event: Received, permit: Permit | None, account_key: str) -> tuple[Put, ...]:
    """What is to be put together with the account: the permit, used once more. Of two who are as fast one wins."""
    if permit is None:
        return ()
    hello = event.frame
    assert isinstance(hello, frames.Hello)
    version, _ = event.found[key(hello)]
    after = msgspec.structs.replace(permit, names=[*permit.names, account_key])
    return (Put(key(hello), records.pack(after), version),)
