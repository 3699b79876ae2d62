"""The broker's core: what is decided about everything that happens.

The laws:

1. No Accepted before Stored: the commit was synced.
2. Delivery starts from Arrived or Fetched, never from Received, so that one broker and many over one store
   take the same path.
3. A session is soft state: everything else can be fetched again.
4. Nothing waits in memory for a slow reader: a session has a window of unacknowledged envelopes; the rest stays
   in the log.
5. Time and randomness are arguments.

A turn: ``handle`` for everything that has happened, one commit, ``handle`` for its outcome, then ``settle``,
which says what has gathered: one Accepted and as few Delivers as possible for each session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

import msgspec

from core import records
from core.clock import Instant
from core.commands import Append, Command, HangUp, Move, Note, Operation, Put, Send, Trust
from core.desk import Desk
from core.devices import Devices
from core.door import BUSY_S, Door, House, refuse, refuse_for, versions
from core.events import (
    Arrived,
    Closing,
    Done,
    Fetched,
    Garbled,
    Gone,
    Looked,
    ProofArrived,
    Rescanned,
    Result,
    Stored,
    StoreFailed,
    Uncertain,
    Woken,
)
from core.gate import Gate
from core.hosts import Hosts
from core.ordered import decline
from core.presence import Comings, Presence, listed
from core.questions import Questions
from core.received import Asking, Event, Knocked, Ordered, Received, Swept
from core.records import DamagedRecord
from core.registered import Registered, Settled
from core.retention import Retention
from core.rooms import Rooms
from core.sends import Sends
from core.session import Session
from core.sessions import Sessions
from protocol import errors, frames, names

# Cursors that moved without any message are written together after so long: the journals know them anyway.
LAZY_S = 1.0
# After this long a client tries again when the store was full or down.
STORE_RETRY_S = 5.0
# Questions of one session in one turn. Our client keeps half as many open.
TURN_QUESTIONS = 32
# And after so long one that was dropped may be asked again.
QUESTION_RETRY_S = 1.0
# A session shorter than this leaves the note of when it began; a longer one is noted again when it ends.
SEEN_MS = 60_000


class Broker:
    """The broker as a state machine: events in, commands out."""

    def __init__(self, house: House) -> None:
        self._presence = Presence()
        self.sessions = Sessions(self._presence)
        self._gate = Gate(house.local_limits)
        self._sends = Sends(self._gate, self.sessions)
        self._door = Door(house, self._gate, self.sessions, self._sends.under_way)
        self._comings = Comings()
        registered = Registered()
        self._questions = Questions(self.sessions, registered)
        self._rooms = Rooms(self.sessions, registered, self._comings)
        self._hosts = Hosts(self.sessions)
        self._devices = Devices(self._gate, self.sessions)
        self._retention = Retention(house.keep)
        self._desk = Desk(house, self.sessions, self._sends.counts)
        self._strangers: dict[bytes, None] = {}
        self._moves: dict[tuple[str, str], int] = {}  # (device, log) → pos: copies of cursors, not yet written
        self._moves_due: float | None = None
        self._failing = ""  # why the store keeps nothing just now
        self._doubts = False  # this store does not always know what it has kept
        self._events: dict[type[Event], Callable[[Any, Instant], list[Command]]] = {
            Knocked: self._gate.knock,
            Received: self._received,
            Ordered: self._desk.handle,
            Garbled: self._garbled,
            Gone: self._gone,
            Closing: self._closing,
            Stored: self._stored,
            StoreFailed: self._store_failed,
            Uncertain: self._uncertain,
            Woken: self._woken,
            Rescanned: self._rescanned,
            Looked: self._looked,
            Fetched: self._fetched,
            ProofArrived: self._proof_arrived,
        }
        self._causes: dict[type[Event], Callable[[Any, Instant], list[Command]]] = {
            Swept: self._retention.found,
            Knocked: self._gate.knock,
            Ordered: self._desk.handle,
        }
        self._frames = self._frame_table()
        self._asking = {kind: None for kind in self._frames if "ask" in kind.__struct_fields__}

    def _frame_table(self) -> dict[type[frames.Frame], Callable[[Received, Any, Session, Instant], list[Command]]]:
        return {
            frames.Post: self._sends.post,
            frames.Ack: self._ack,
            frames.Ping: self._ping,
            frames.Quit: self._quit,
            frames.AskWho: self._questions.who,
            frames.AskContacts: self._questions.contacts,
            frames.AddContact: self._questions.add,
            frames.RemoveContact: self._questions.remove,
            frames.AskAccount: self._questions.account,
            frames.Join: self._rooms.join,
            frames.Leave: self._rooms.leave,
            frames.AskRooms: self._rooms.rooms,
            frames.AskMembers: self._rooms.members,
            frames.SetTopic: self._hosts.topic,
            frames.Invite: self._hosts.invite,
            frames.Expel: self._hosts.expel,
            frames.Unban: self._hosts.unban,
            frames.AskPage: self._questions.page,
            frames.AskDevices: self._devices.devices,
            frames.RevokeDevice: self._devices.revoke,
            frames.ChangePassword: self._devices.password,
        }

    @property
    def waits(self) -> bool:
        """Whether gather() has something for the store."""
        return self._sends.waits

    def gather(self) -> list[Append | Move]:
        """What this turn's sends have become for the store; what else is written comes as commands.

        A device that is let in for the first time begins where its account has read up to: that is written before.
        """
        moves = self._take_moves() if self._door.waits else []
        return [*self._sends.gather(), *moves]

    def handle(self, event: Event, now: Instant) -> list[Command]:
        """What is to be done about this."""
        return self._events[type(event)](event, now)

    def deadline(self) -> float | None:
        """The tick at which settle() has something to do though nothing happens."""
        notices = (self._presence.due(), self._comings.due())
        dues = (self.sessions.next_silence(), *notices, self._moves_due, self._retention.due())
        return min((due for due in dues if due is not None), default=None)

    def settle(self, now: Instant) -> list[Command]:
        """What has gathered in this turn. Called until it has nothing left to say."""
        commands = self._door.step(now)
        for session in self.sessions.silent(now.tick):
            commands += [*self._dismiss(session, "silent", now), HangUp(session.peer)]
        touched, self.sessions.touched = self.sessions.touched, {}
        grant = self._sends.grant(now) if touched else 0
        for session in touched.values():
            commands += session.speak(grant, self.sessions.packing)
            wish = session.wish(now.tick)
            if wish:
                commands.append(wish)
        commands += [Send(frames.encode(frames.Stranger()), peer) for peer in self._strangers]
        self._strangers = {}
        commands += [*self._tell_presence(now), *self._tell_comings(now)]
        if self._moves_due is not None and self._moves_due <= now.tick:
            commands += self._take_moves()
        commands += self._retention.step(now)
        if not commands:
            self.sessions.packing.forget()
        return commands

    # -- what connections say --

    def _received(self, event: Received, now: Instant) -> list[Command]:
        if type(event.frame) is frames.Hello:
            self._door.hello(event)
            return []
        if type(event.frame) not in self._frames:
            offence = self._gate.offence(event.peer)
            return [*refuse(event, "wrong-direction", frame=type(event.frame).__name__), *offence]
        session = self.sessions.by_peer.get(event.peer)
        if session is None or session.key != event.key:
            self._strangers[event.peer] = None
            return []
        session.heard_at, event.asker = now.tick, session.device
        if type(event.frame) in self._asking and (excess := self._excess(event, session)):
            return excess
        return self._answer(event, session, now)

    def _answer(self, event: Received, session: Session, now: Instant) -> list[Command]:
        try:
            return self._frames[type(event.frame)](event, event.frame, session, now)
        except Settled as settled:
            return settled.commands
        except DamagedRecord:
            return refuse(event, "damaged-account", name=session.name)

    def _excess(self, event: Received, session: Session) -> list[Command]:
        """A refusal, if a session asks more in one turn than any honest client does."""
        self.sessions.touch(session)
        session.asked += 1
        if session.asked <= TURN_QUESTIONS:
            return []
        refusal = refuse_for(QUESTION_RETRY_S, event, "too-many-questions", limit=TURN_QUESTIONS)
        return [*refusal, *(self._gate.offence(event.peer) if session.asked == TURN_QUESTIONS + 1 else [])]

    def _garbled(self, event: Garbled, now: Instant) -> list[Command]:
        cause = Received(event.peer, frames.Quit(), event.address, event.key)
        if event.version:
            return refuse(cause, "version", **versions(*event.version))
        return [*refuse(cause, "malformed", why=event.why[:80]), *self._gate.offence(event.peer)]

    def _ack(self, event: Received, ack: frames.Ack | frames.Ping, session: Session, now: Instant) -> list[Command]:
        for log, said in ack.cursors.items():
            pos = session.ack(log, said)
            if self._moves.get((session.device, log), -1) < pos:
                self._moves[(session.device, log)] = pos
        if self._moves and self._moves_due is None:
            self._moves_due = now.tick + LAZY_S
        if session.behind:
            self.sessions.touch(session)
        return []

    def _ping(self, event: Received, ping: frames.Ping, session: Session, now: Instant) -> list[Command]:
        self._ack(event, ping, session, now)
        sent = {log: reading.sent for log, reading in session.readings.items()}
        return [Send(frames.encode(frames.Pong(sent)), event.peer)]

    def _quit(self, event: Received, quit_: frames.Quit, session: Session, now: Instant) -> list[Command]:
        return self._dismiss(session, "left", now)

    def _gone(self, event: Gone, now: Instant) -> list[Command]:
        self._gate.gone(event.peer)
        self._door.gone(event.peer)
        session = self.sessions.by_peer.get(event.peer)
        return self._dismiss(session, "gone", now) if session else []

    def _closing(self, event: Closing, now: Instant) -> list[Command]:
        bye = frames.encode(frames.Bye("closing"))
        seen = chain.from_iterable(_seen(session, now) for session in self.sessions.by_peer.values())
        return [*(Send(bye, peer) for peer in self.sessions.by_peer), *seen, *self._take_moves()]

    def _dismiss(self, session: Session, how: str, now: Instant) -> list[Command]:
        self.sessions.remove(session)
        note = Note(how, {"account": session.name, "from": session.address}, loud=session.reads)
        return [Trust(session.peer, False), *_seen(session, now), note]

    # -- what the store says --

    def _stored(self, event: Stored, now: Instant) -> list[Command]:
        self._failing = ""
        commands: list[Command] = []
        for operation, result in zip(event.group, event.results, strict=True):
            if isinstance(operation, Append):
                self._sends.stored(operation, result)
                commands += self._desk.house.stored(operation, result)
            elif isinstance(operation, Put) and operation.cause:
                commands += self._put_done(operation, operation.cause, result, now)
        self._arrived(event.arrived)
        self._missed(event.group, event.arrived)
        return commands

    def _put_done(self, put: Put, cause: Asking, result: Result, now: Instant) -> list[Command]:
        found = dict(cause.found)
        for each in (put, *put.also):
            found[each.key] = (each.expect + 1, each.value) if each.value is not None else None
            if not isinstance(result, Done):
                del found[each.key]  # somebody else was faster: look again
        if isinstance(result, Done):
            found["done"] = True
        return self._again(msgspec.structs.replace(cause, found=found), now)

    def _arrived(self, arrivals: Iterable[Arrived]) -> None:
        for arrived in arrivals:
            readers = self.sessions.readers.get(arrived.log)
            if readers:
                pieces = self.sessions.packing.cut(arrived)
                for session in readers.values():
                    session.offer(arrived.log, pieces)
                self.sessions.touched.update(readers)

    def _store_failed(self, event: StoreFailed, now: Instant) -> list[Command]:
        commands: list[Command] = []
        losers: dict[bytes, Session] = {}
        for operation in event.group:
            if isinstance(operation, Append):
                self._sends.failed(operation, losers)
                commands += self._desk.house.failed(operation, event.code)
            elif isinstance(operation, Put):
                commands += self._not_put(operation.cause, event.code)
            elif isinstance(operation, Move):
                self._moves.setdefault((operation.device, operation.log), operation.pos)
                self._moves_due = now.tick + LAZY_S
        self._missed(event.group, [])
        self._sends.counts.store_failures += 1
        refused = frames.encode(frames.Refused(event.code, errors.sentence(event.code), retry_s=STORE_RETRY_S))
        told, self._failing = self._failing == event.code, event.code
        note = [] if told else [Note("store-failed", {"code": event.code, "sessions": len(losers)}, loud=True)]
        return [*commands, *(Send(refused, peer) for peer in losers), *note]

    def _not_put(self, cause: Asking | None, code: str) -> list[Command]:
        if isinstance(cause, Ordered):
            return decline(cause, code)
        return [*refuse(cause, code, retry_s=STORE_RETRY_S), *self._unasked(cause)] if cause else []

    def _uncertain(self, event: Uncertain, now: Instant) -> list[Command]:
        self._doubts = True
        return list(event.group)

    def _missed(self, group: list[Operation], arrivals: list[Arrived]) -> None:
        """What had been kept before it was submitted again, and stored or refused now, brings no Arrived: let its
        readers look.
        """
        if not self._doubts:
            return
        arrived = {each.log for each in arrivals}
        appends = (operation for operation in group if isinstance(operation, Append))
        for log in chain.from_iterable(chain.from_iterable(append.logs for append in appends)):
            if log not in arrived:
                self._look_again(log)

    def _woken(self, event: Woken, now: Instant) -> list[Command]:
        for log in event.logs:
            self._look_again(log)
        return []

    def _rescanned(self, event: Rescanned, now: Instant) -> list[Command]:
        for session in self.sessions.by_peer.values():
            for log in session.readings:
                self._suspect(session, log)
        return []

    def _look_again(self, log: str) -> None:
        for session in self.sessions.readers.get(log, {}).values():
            self._suspect(session, log)

    def _suspect(self, session: Session, log: str) -> None:
        """There may be more in this log than we know: fetch, and see."""
        reading = session.readings[log]
        reading.head = max(reading.head, reading.sent + 1)
        session.behind[log] = None
        self.sessions.touch(session)

    def _looked(self, event: Looked, now: Instant) -> list[Command]:
        cause = msgspec.structs.replace(event.cause, found={**event.cause.found, **event.found})
        return self._again(cause, now)

    def _again(self, cause: Asking | Knocked | Swept, now: Instant) -> list[Command]:
        """Handle a question again, with what has been found."""
        if not isinstance(cause, Received):
            return self._causes[type(cause)](cause, now)
        if type(cause.frame) is frames.Hello:
            self._door.knock(cause)
            return []
        session = self.sessions.by_peer.get(cause.peer)
        if session is None or session.device != cause.asker:
            return self._unasked(cause)
        return self._answer(cause, session, now)

    def _unasked(self, cause: Received) -> list[Command]:
        """It is done, half done, or may be, and the rest will not be: the sessions of whoever it is about begin anew,
        and see it.
        """
        if "done" not in cause.found and not self._doubts:
            return []
        accounts = {cause.asker.partition("/")[0]: None}
        if isinstance(cause.frame, frames.Expel):
            accounts[names.key(cause.frame.account)] = None
        sessions = [session for account in accounts for session in self.sessions.of(account)]
        for session in sessions:
            self.sessions.remove(session)
            self._strangers[session.peer] = None
        return [Trust(session.peer, False) for session in sessions]

    def _fetched(self, event: Fetched, now: Instant) -> list[Command]:
        fetch = event.command
        if isinstance(fetch.cause, Swept):
            return self._retention.read(event, now)
        session = self.sessions.by_peer.get(fetch.peer)
        if session is None:
            return []
        if fetch.cause:
            return self._questions.fetched(event, fetch.cause)
        if fetch.log not in session.readings:
            return []
        arrived = Arrived(fetch.log, event.first, event.envelopes)
        session.fetched(fetch.log, event.first, self.sessions.packing.cut(arrived), event.complete)
        self.sessions.touch(session)
        return []

    def _proof_arrived(self, event: ProofArrived, now: Instant) -> list[Command]:
        if type(event.cause.frame) is frames.Hello:
            return self._door.proved(event.cause, event.proof)
        if event.proof is None:
            return refuse_for(BUSY_S, event.cause, "busy")
        return self._again(msgspec.structs.replace(event.cause, proof=event.proof), now)

    # -- what has gathered --

    def _take_moves(self) -> list[Move]:
        moves, self._moves, self._moves_due = self._moves, {}, None
        return [Move(device, log, pos) for (device, log), pos in moves.items()]

    def _tell_presence(self, now: Instant) -> list[Command]:
        due = self._presence.due()
        if due is None or due > now.tick:
            return []
        here = {account: self.sessions.present(account) for account in self._presence.accounts}
        came, went = self._presence.take(here)
        readers = self.sessions.readers.get(names.LOBBY, {}) if came or went else {}
        self._presence.pace.told(now.tick, len(readers))
        if not readers:
            return []
        (joined, more), (left, others) = listed(came), listed(went)
        frame = frames.encode(frames.Presence(names.LOBBY, joined, left, more + others))
        return [Send(frame, peer) for peer in readers]

    def _tell_comings(self, now: Instant) -> list[Command]:
        due = self._comings.due()
        if due is None or due > now.tick:
            return []
        commands: list[Command] = []
        for log, frame in self._comings.take().items():
            packed, who = frames.encode(frame), [*frame.joined, *frame.left]
            readers = self.sessions.readers.get(log, {}).values()
            commands += [Send(packed, session.peer) for session in readers if who != [session.name]]
        self._comings.pace.told(now.tick, len(commands))
        return commands


def _seen(session: Session, now: Instant) -> list[Command]:
    """Write down until when this device was here."""
    if session.seen is None or now.at < session.seen.seen_at + SEEN_MS:
        return []
    session.seen.seen_at = now.at
    return [Put(records.key(session.key), records.pack(session.seen), session.seen_version)]
