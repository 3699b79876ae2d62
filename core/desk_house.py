"""Orders about the broker as it runs: who is here, how it is, and what it announces."""

from __future__ import annotations

import base64
import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import Any

from core import records
from core.clock import Instant
from core.commands import Append, Command, Look
from core.counts import Counts
from core.door import House
from core.events import DeviceState, Done, Result
from core.ordered import LISTED, account_key, decline, need, put, reply
from core.orders import Announce, ListSessions, Order, TellStats
from core.received import Ordered
from core.records import FOREVER, Account
from core.registered import Settled, record
from core.session import Session
from core.sessions import Sessions
from protocol import frames, limits, names

# Up to so many seconds a session has been behind, and what people call that; and what is longer.
BEHIND_FOR_S, BEHIND_FOR = (1.0, 10.0, 60.0, 600.0, 3600.0), ("1s", "10s", "1m", "10m", "1h", "longer")


class HouseDesk:
    """Answers."""

    def __init__(self, house: House, sessions: Sessions, counts: Counts) -> None:
        self._house = house
        self._sessions = sessions
        self._counts = counts
        self._device = _device(house.epoch)
        self._announced: dict[str, int] = {}  # device → the last n that was given
        self._announcing: dict[tuple[str, int], Ordered] = {}  # what the store has not answered yet, by device and n
        self.table: dict[type[Order], Callable[[Ordered, Any, Instant], list[Command]]] = {
            ListSessions: self._list,
            TellStats: self._stats,
            Announce: self._announce,
        }

    # -- how it is --

    def _list(self, event: Ordered, order: ListSessions, now: Instant) -> list[Command]:
        behind = sorted(device for device in self._sessions.by_device if device > order.after)
        facts = [_fact(self._sessions.by_device[device], now) for device in behind[:LISTED]]
        return reply(event, sessions=facts, after=behind[LISTED - 1] if len(behind) > LISTED else "")

    def _stats(self, event: Ordered, order: TellStats, now: Instant) -> list[Command]:
        if "size" not in event.found:
            return [Look(event, size=True, measures=True)]
        sessions, counts = self._sessions.by_peer.values(), self._counts
        return reply(
            event,
            protocol=f"{limits.MAJOR_VERSION}.{limits.MINOR_VERSION}",
            broker=self._house.broker.hex(),
            key=self._house.key,
            epoch=self._house.epoch,
            began_at=self._house.began_at,
            sessions=len(sessions),
            here=len({session.account for session in sessions if session.reads}),
            accepted=counts.accepted,
            refused=counts.refused,
            duplicates=counts.duplicates,
            gaps=counts.gaps,
            delivered=self._sessions.delivered + sum(session.delivered for session in sessions),
            store_failures=counts.store_failures,
            on_their_way=sum(session.messages for session in sessions),
            windows_full=sum(session.behind_since is not None for session in sessions),
            backlog=_backlog(sessions, now),
            size=event.found["size"],
            **event.found["measures"],
        )

    # -- announcements --

    def _announce(self, event: Ordered, order: Announce, now: Instant) -> list[Command]:
        """A message like any other, of an account that was made closed: so it waits for those who are away."""
        key = account_key(event, order.account)
        device = records.device(key, self._device)
        need(event, records.account(key), logs=(names.LOBBY,))
        author: Account | None = record(event, records.account(key), Account)
        if author is None:
            _, head = event.found["head/" + names.LOBBY]
            made = Account(names.shown(order.account), "", "", now.at, {names.LOBBY: head}, barred=FOREVER)
            return put(event, records.account(key), made)
        if author.scheme:
            return decline(event, "not-the-brokers", name=author.name)
        if "device/" + device not in event.found:
            raise Settled([Look(event, devices=(device,))])
        state: DeviceState = event.found["device/" + device]
        if state.last < 0:
            return decline(event, "damaged-device", name=author.name)
        n = self._announced[device] = max(state.last, self._announced.get(device, 0)) + 1
        self._announcing[device, n] = event
        body = order.text.encode("utf-8", "replace")
        envelope = frames.Envelope(self._device, n, author.name, names.LOBBY, now.at, "none", body)
        return [Append(device, n, [(names.LOBBY,)], [frames.encode(envelope)])]

    def stored(self, append: Append, result: Result) -> list[Command]:
        """Some sends are on disk; perhaps an announcement, unless one before it was not kept."""
        event = self._announcing.pop((append.device, append.n), None)
        if event is None:
            return []
        return reply(event) if isinstance(result, Done) else decline(event, "store-down")

    def failed(self, append: Append, code: str) -> list[Command]:
        """Some sends were not kept; perhaps an announcement, whose number is free again."""
        event = self._announcing.pop((append.device, append.n), None)
        self._announced.pop(append.device, None)
        return decline(event, code) if event else []


def _fact(session: Session, now: Instant) -> dict[str, Any]:
    return {
        "account": session.name,
        "device": session.device_id,
        "address": session.address,
        "began_at": session.began_at,
        "silent_s": round(max(0.0, now.tick - session.heard_at), 1),
        "reads": session.reads,
        "on_their_way": session.messages,
        "backlog": session.backlog,
    }


def _backlog(sessions: Iterable[Session], now: Instant) -> dict[str, int]:
    """Messages that wait for sessions, by how long each session has been behind."""
    waiting = [0] * len(BEHIND_FOR)
    for session in sessions:
        if session.behind_since is not None:
            waiting[bisect_left(BEHIND_FOR_S, now.tick - session.behind_since)] += session.backlog
    return dict(zip(BEHIND_FOR, waiting, strict=True))


def _device(epoch: str) -> str:
    """The broker's own device: another one in each epoch, for its numbers begin anew in a store that was put back."""
    digest = hashlib.blake2b(epoch.encode(), digest_size=10, person=b"restante-desk").digest()
    return base64.b32encode(digest).decode().lower()
