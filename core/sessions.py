"""All sessions: by connection, by device, by account, and by the logs that they read."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from core.packing import Packing
from core.presence import Presence
from core.session import Session
from protocol import limits


class Sessions:
    """Who is here. Dictionaries, never sets: their order is the same in every run."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self.by_peer: dict[bytes, Session] = {}
        self.by_device: dict[str, Session] = {}
        self.by_account: dict[str, dict[bytes, Session]] = {}
        self.readers: dict[str, dict[bytes, Session]] = {}
        self._by_origin: dict[str, int] = {}
        self.delivered = 0  # messages, to sessions that are no more
        self.touched: dict[bytes, Session] = {}  # have something to say or to fetch at the end of this turn
        self.packing = Packing()
        self._silences: list[tuple[float, bytes]] = []  # when to look whether a session has gone silent
        self._watched: dict[bytes, None] = {}  # connections that stand there

    def add(self, session: Session) -> None:
        """Let a session in."""
        if session.reads and not self.present(session.account):
            self._presence.change(session.account, session.name, False)
        self.by_peer[session.peer] = session
        self.by_device[session.device] = session
        self.by_account.setdefault(session.account, {})[session.peer] = session
        self._by_origin[session.origin] = self.from_origin(session.origin) + 1
        for log in session.readings:
            self.readers.setdefault(log, {})[session.peer] = session
        self._watch(session)
        self.touch(session)

    def remove(self, session: Session) -> None:
        """Forget a session; whatever it was about to be told can be fetched again."""
        del self.by_peer[session.peer]
        self.delivered += session.delivered
        self.touched.pop(session.peer, None)
        del self.by_device[session.device]
        _discard(self.by_account, session.account, session)
        self._by_origin[session.origin] -= 1
        if not self._by_origin[session.origin]:
            del self._by_origin[session.origin]
        for log in session.readings:
            _discard(self.readers, log, session)
        if session.reads and not self.present(session.account):
            self._presence.change(session.account, session.name, True)

    def read(self, session: Session, log: str, sent: int, head: int) -> None:
        """A session begins to read a log."""
        session.read(log, sent, head)
        self.readers.setdefault(log, {})[session.peer] = session
        self.touch(session)

    def forget(self, session: Session, log: str) -> None:
        """A session reads a log no longer."""
        session.forget(log)
        _discard(self.readers, log, session)

    def leave(self, account: str, log: str) -> list[Session]:
        """An account is in a room no longer; its sessions."""
        sessions = list(self.of(account))
        for each in sessions:
            each.rooms.pop(log, None)
            each.routes.clear()
            self.forget(each, log)
        return sessions

    def touch(self, session: Session) -> None:
        """This session is to be looked after when the turn ends."""
        self.touched[session.peer] = session

    def of(self, account: str) -> Iterable[Session]:
        """An account's sessions."""
        return list(self.by_account.get(account, {}).values())

    def from_origin(self, origin: str) -> int:
        """How many sessions come from there."""
        return self._by_origin.get(origin, 0)

    def present(self, account: str) -> bool:
        """Whether somebody reads as this account: a run that only sends is not seen by others."""
        return any(session.reads for session in self.of(account))

    def silent(self, tick: float) -> list[Session]:
        """Sessions that have said nothing for too long."""
        found = []
        while self._silences and self._silences[0][0] <= tick:
            _, peer = heapq.heappop(self._silences)
            del self._watched[peer]
            session = self.by_peer.get(peer)
            if session is None:
                continue
            if session.heard_at + limits.SILENCE_S <= tick:
                found.append(session)
            else:
                self._watch(session)
        return found

    def _watch(self, session: Session) -> None:
        """Look at it later, once: a connection that says Hello again is a new session, but is watched already."""
        if session.peer not in self._watched:
            self._watched[session.peer] = None
            heapq.heappush(self._silences, (session.heard_at + limits.SILENCE_S, session.peer))

    def next_silence(self) -> float | None:
        """The tick at which to call silent() again."""
        return self._silences[0][0] if self._silences else None


def _discard(table: dict[str, dict[bytes, Session]], key: str, session: Session) -> None:
    inner = table.get(key)
    if inner is None or inner.get(session.peer) is not session:
        return
    del inner[session.peer]
    if not inner:
        del table[key]
