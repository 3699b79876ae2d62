"""What devices send: numbers, addresses, refusals.

A device numbers its sends 1, 2, 3 … What comes again is answered again; what comes too early is not kept. A send
that may not go where it wants is refused, and its number is used up, so that it can't turn up later, out of order.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from core import records
from core.clock import Instant
from core.commands import Append, Command, Look, Reason
from core.counts import Counts
from core.door import refuse
from core.events import Done, Gap, Result
from core.gate import Gate
from core.received import Received
from core.session import Session
from core.sessions import Sessions
from protocol import errors, frames, limits, names, remarks
from protocol.frames import Envelope, encode

# Sends taken in one turn, of all sessions together, when each keeps to its share: some 50 ms of work.
TURN_SENDS = 4096
# However many send at once, each may have so many on their way.
SHARE_LEAST = 32
# Who has sent nothing for so long leaves its share to the others.
SHARE_S = 1.0
# A client that has more on its way than it may sends it again after so long.
OVER_S = 1.0

# Addresses that a session remembers as good; a script may write to very many.
ROUTES = 1024


class Sends:
    """Takes sends in, and keeps track of what became of them."""

    def __init__(self, gate: Gate, sessions: Sessions) -> None:
        self.counts = Counts()
        self._gate = gate
        self._sessions = sessions
        self._under_way: Counter[str] = Counter()  # device → runs of its sends that the store has not answered
        self._active: dict[bytes, float] = {}  # who sends → the tick of the last Post, in that order
        self._gathered: list[Append] = []  # what goes to the store with the turn's other changes
        self._open: dict[str, Append] = {}  # device → the one of them that its next sends continue

    def under_way(self, device: str) -> bool:
        """Whether the store may yet take sends of this device. An embedded store has answered within the turn."""
        return device in self._under_way

    @property
    def waits(self) -> bool:
        """Whether something has gathered."""
        return bool(self._gathered)

    def gather(self) -> list[Append]:
        """All sends since the last call: one Append a device, unless it had to begin again."""
        gathered, self._gathered, self._open = self._gathered, [], {}
        return gathered

    def _answered(self, device: str) -> None:
        self._under_way[device] -= 1
        if self._under_way[device] <= 0:
            del self._under_way[device]

    def grant(self, now: Instant) -> int:
        """How many sends each session may have on their way: the whole broker alone, a fair share beside others."""
        while self._active:
            peer, tick = next(iter(self._active.items()))
            if tick + SHARE_S > now.tick:
                break
            del self._active[peer]
        share = TURN_SENDS // max(1, len(self._active))
        return max(SHARE_LEAST, min(limits.WINDOW_MESSAGES, share))

    def post(self, event: Received, post: frames.Post, session: Session, now: Instant) -> list[Command]:
        """Some sends: those that are new go to the store, the others are answered again."""
        over = self._over(event, post, session)
        if over is not None:
            return over
        if self._active.get(event.peer) != now.tick:
            self._active.pop(event.peer, None)
            self._active[event.peer] = now.tick
        missing = self._unknown(post, session, event.found)
        if missing:
            return [Look(event, keys=tuple(missing))]
        known = session.last + 1 - post.n
        self._sessions.touch(session)
        if known < 0:
            session.expects = True
            self.counts.gaps += 1
            return []
        if known:  # sent again: say again what became of them, as soon as that is sure
            session.told = min(session.told, post.n - 1)
            self.counts.duplicates += min(known, len(post.items))
        news = post.items[known:] if known else post.items
        if news:
            self._take(session, news, event.found, now)
        return []

    def _over(self, event: Received, post: frames.Post, session: Session) -> list[Command] | None:
        """A refusal, once a turn, of what no client sends that keeps to its window; None if it fits."""
        if post.n + len(post.items) - 1 - session.told > limits.WINDOW_MESSAGES + limits.PACK_MESSAGES:
            code, limit = "too-many-sends", limits.WINDOW_MESSAGES
        elif session.taken > limits.WINDOW_BYTES:
            code, limit = "too-many-bytes", limits.WINDOW_BYTES
        else:
            return None
        self._sessions.touch(session)
        if session.offended:
            return []
        session.offended = True
        return [*self._gate.offence(event.peer), *refuse(event, code, retry_s=OVER_S, limit=limit)]

    def _take(self, session: Session, items: list[frames.Item], found: dict[str, Any], now: Instant) -> None:
        """The innermost loop of a send's way through the core."""
        append, routes = self._append(session), session.routes
        device, author, at, size = session.device_id, session.name, now.at, 0
        for n, item in enumerate(items, session.last + 1):
            route = routes.get(item.to)
            logs = route[0] if route and item.enc == "none" else _logs(item, route)
            if route is None or not logs:
                session.refused[n] = _refusal(item, route, found)
                append.logs.append(())
                append.envelopes.append(session.refused[n])
                continue
            if item.enc in (remarks.EDIT, remarks.DELETE):
                append.withholds[n] = _former(item, logs)
            append.logs.append(logs)
            append.envelopes.append(encode(Envelope(device, n, author, route[1], at, item.enc, item.body, session.bot)))
            size += len(item.body)
        session.last += len(items)
        session.taken += size

    def _append(self, session: Session) -> Append:
        """What a device's next sends continue; a new one if the store has meanwhile set it back."""
        append = self._open.get(session.device)
        if append is None or append.n + len(append.logs) != session.last + 1:
            append = Append(session.device, session.last + 1, [], [], session.visit_begun())
            self._open[session.device] = append
            self._gathered.append(append)
            self._under_way[session.device] += 1
        return append

    def _unknown(self, post: frames.Post, session: Session, found: dict[str, Any]) -> list[str]:
        """Keys of the accounts that must be looked up before it is clear where these sends go."""
        if len(session.routes) > ROUTES:
            session.routes.clear()
        missing = []
        for item in post.items:
            if item.to not in session.routes:
                key = _find_route(item.to, session, found)
                if key:
                    missing.append(key)
        return missing

    def stored(self, append: Append, result: Result) -> None:
        """The store has decided on some sends. Who is here of the device has sent them: no login came between."""
        self.counts.stored(append, result)
        self._answered(append.device)
        session = self._sessions.by_device.get(append.device)
        if session is None:
            return
        self._sessions.touch(session)
        if isinstance(result, Done):
            if append.n > session.durable + 1:
                return  # a store in doubt answers what came before this later, and then for all of it
            if session.refused or result.refused:
                _settle_refused(session, append.n, result)
            session.durable = max(session.durable, result.value)
            session.last = max(session.last, result.value)
        elif isinstance(result, Gap):
            session.last, session.expects = result.expected - 1, True

    def failed(self, append: Append, losers: dict[bytes, Session]) -> None:
        """Nothing of it was kept: the session stands again where the disk stands.

        What was refused stays known: a store that has doubts may have kept that before, and what is sent again is
        judged anew in any case.
        """
        self._answered(append.device)
        session = self._sessions.by_device.get(append.device)
        if session is None:
            return
        session.last = session.durable
        losers[session.peer] = session


def _settle_refused(session: Session, n: int, result: Done) -> None:
    """From n on the store has the last word: another decision on the same number may have been there first."""
    others = {each: why for each, why in session.refused.items() if not n <= each <= result.value}
    session.refused = others | result.refused


def _find_route(to: str, session: Session, found: dict[str, Any]) -> str:
    """Remember where messages to this address go; "" if that is settled, else the key that must be looked up."""
    try:
        key = names.room_key(to) if to.startswith("#") else names.key(to)
    except names.BadName:
        return ""
    if key in session.rooms:
        session.routes[to] = ((key,), session.rooms[key])
        return ""
    record_key = _record_key(key)
    if record_key not in found:
        return record_key
    shown = _addressee(found[record_key])[0] if not key.startswith("#") else ""
    if shown:
        mailboxes = names.mailbox(key), names.mailbox(session.account)
        session.routes[to] = (mailboxes if key != session.account else mailboxes[:1], shown)
    return ""


def _addressee(record: tuple[int, bytes] | None) -> tuple[str, str]:
    """An account as registered; or "", and the code that says why nothing can be sent to it."""
    if record is None:
        return "", "no-such-account"
    try:
        account = records.unpack(records.Account, record[1])
    except records.DamagedRecord:
        return "", "damaged-account"
    return ("", "account-closed") if account.barred == records.FOREVER else (account.name, "")


def _record_key(key: str) -> str:
    return records.room(key) if key.startswith("#") else records.account(key)


def _logs(item: frames.Item, route: tuple[tuple[str, ...], str] | None) -> tuple[str, ...]:
    """The logs that a send enters, none if it may not. A receipt is for its addressee alone."""
    if route is None or (item.enc in remarks.ENCS and remarks.read(item.enc, item.body) is None):
        return ()
    if item.enc != remarks.RECEIPT:
        return route[0]
    return (names.receipts(route[0][0][1:]),) if route[0][0].startswith("@") else ()


def _former(item: frames.Item, logs: tuple[str, ...]) -> tuple[str, list[int]]:
    """Where the texts stand that are to be withheld, as their author reads them: in their own mailbox, or in the
    room."""
    remark = remarks.read(item.enc, item.body)
    assert isinstance(remark, remarks.Edit | remarks.Delete)
    return logs[-1], remark.seqs


def _refusal(item: frames.Item, route: tuple[tuple[str, ...], str] | None, found: dict[str, Any]) -> Reason:
    """Why a message can't go to this address."""
    if route is not None:
        return "bad-remark", errors.sentence("bad-remark")
    to = item.to
    try:
        key = names.room_key(to) if to.startswith("#") else names.key(to)
    except names.BadName as error:
        return "bad-name", errors.sentence("bad-name", name=to, why=error)
    there = found.get(_record_key(key))
    if not key.startswith("#"):
        _, code = _addressee(there)
        return code, errors.sentence(code, name=to)
    code = "not-a-member" if there else "no-such-room"
    return code, errors.sentence(code, room=to)
