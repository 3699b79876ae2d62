"""The client's core: what is decided about what a person types, and about what the broker says.

A turn mirrors the broker's: ``handle`` for everything that has happened, one commit of the journal, then ``settle``,
which says what has gathered. So nothing is posted that is not in the outbox on disk, and nothing is acknowledged
that is not in the journal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from core import shown, typed
from core.anchor import Anchor
from core.answers import Answers
from core.arrangement import Arrangement
from core.clock import Instant
from core.commands import Command, Connect, Derive, DeriveNew, Disconnect, Renew, Send, Show
from core.events import (
    Connected,
    Derived,
    Heard,
    Lost,
    NotOffered,
    Offered,
    PasswordsDerived,
    Pointed,
    Recalled,
    Renewed,
    WentBack,
)
from core.inquiries import ASKED, ASKED_OF_ROOM, OPEN_QUESTIONS, Inquiries, WantedPage
from core.link import AWAY, CONNECTING, ENDED, GREETING, ONLINE, Link
from core.lookback import Lookback
from core.outbox import AHEAD_MESSAGES, KEPT_BYTES, KEPT_MESSAGES, Memory, Outbox
from core.past import Past
from core.person import Person
from core.places import Places
from core.posting import NOBODY_ASKED, Posting
from core.reader import Reader
from core.received import Event
from protocol import errors, frames
from protocol.frames import Item
from protocol.passwords import SCHEME

ENC = "none"
# While one of these is open nothing more is read: the next line depends on what comes of it.
REMARKS = (typed.Edited, typed.Deleted, typed.Reacted)
MOVES = (typed.JoinedRoom, typed.LeftRoom, *REMARKS)


class Client:
    """The client as a state machine: events in, commands out."""

    def __init__(self, person: Person, memory: Memory, chance: Callable[[], float]) -> None:
        self.person = person
        self.account = person.account
        self.device = memory.device
        self.places = Places(person.place)
        self.arrangement = Arrangement(memory.arranged)
        self.outbox = Outbox(memory.last, memory.outbox, memory.offered)
        self.posting = Posting(self.outbox)
        self._inquiries = Inquiries()
        self.lookback = Lookback(person.account, self.places, self._inquiries, memory, person.at_once)
        self._receipts, self._remarking = self.lookback.receipts, self.lookback.remarking
        self.reader = Reader(person.reads, memory, self.lookback.ignored, self._receipts, self._remarking)
        self._answers = Answers(self._inquiries, self.reader, self.places, self.lookback, memory)
        self._past = Past(memory, person.run)
        self.link = Link(chance)
        self._anchor = Anchor(person.known, person.broker)
        self._permit = person.permit  # goes with the credential
        self._proven = not (person.proves or person.permit)  # the broker has seen what it must see in this run
        self._postponed: list[typed.Typed] = []  # questions for as soon as the broker is there
        self._credential = b""
        self._broker = b""  # whose broker's id the credential was made with
        self._welcomes = 0
        self._registered = False  # the account was made in this run, and that has not been told
        self._absent = False  # an absence has been told
        self._table: dict[type[Any], Callable[[Any, Instant], list[Command]]] = {
            Offered: self._offered,
            NotOffered: self._not_offered,
            Connected: self._connected,
            Lost: self._lost,
            Heard: self._heard,
            Derived: self._derived,
            PasswordsDerived: self._passwords_derived,
            Renewed: self._renewed,
            WentBack: self._went_back,
            typed.Wrote: self._wrote,
            typed.Chose: lambda event, now: self._answers.go(event.to),
            **dict.fromkeys(ASKED, self._asked),
            typed.AskedPassword: self._asked_password,
            typed.AskedStatus: self._asked_status,
            typed.AskedOutbox: self.posting.asked,
            **dict.fromkeys(ASKED_OF_ROOM, self._asked_of_room),
            **self.lookback.table,
            **self.arrangement.table,
            Recalled: self._recalled,
            **dict.fromkeys(REMARKS, self._remarked),
            Pointed: self._pointed,
            typed.Mistook: self._mistook,
            typed.Left: self._left,
        }
        self._frames = self._frame_table()

    def _frame_table(self) -> dict[type[frames.Frame], Callable[[Any, Instant], list[Command]]]:
        return {
            frames.Unproven: self._unproven,
            frames.Welcome: self._welcome,
            frames.Accepted: self._accepted,
            frames.Expected: self._expected,
            frames.Deliver: self._deliver,
            frames.Pong: self._pong,
            frames.Refused: self._refused,
            frames.Stranger: self._stranger,
            frames.Bye: self._bye,
            **self._answers.table,
        }

    # -- the three verbs of a core --

    def handle(self, event: Event | typed.Typed, now: Instant) -> list[Command]:
        """What is to be done about this."""
        return self._table[type(event)](event, now)

    def deadline(self) -> float | None:
        """The tick at which settle() has something to do though nothing happens."""
        dues = (
            self.link.deadline(),
            *((self.posting.pause, self._receipts.due) if self.online else ()),
            self.lookback.due,
        )
        return min((due for due in dues if due is not None), default=None)

    def settle(self, now: Instant) -> list[Command]:
        """What has gathered, and what is due."""
        if steps := self.lookback.go_on(now):
            return steps
        link = self.link
        if link.phase == AWAY and link.overdue(now.tick):
            return self._seek(now)
        if link.dead(now.tick) or (link.phase != AWAY and link.overdue(now.tick)):
            return self._lost(Lost("silent"), now)
        if link.phase != ONLINE:
            return []
        if link.stale(now.tick) and self.settled:
            return [Disconnect(), *self._seek(now)]
        postponed, self._postponed = self._postponed, []
        commands = [command for question in postponed for command in self.handle(question, now)]
        if told := self._receipts.take(now):
            commands += [each for item in told for each in self.posting.keep(item, NOBODY_ASKED, self.online)]
            commands.append(self._receipts.remember())
        if acks := self.reader.take_acks():
            commands.append(self._say(frames.Ack(acks), now))
        commands += [self._say(post, now) for post in self.posting.posts(now)]
        if link.ping_due(now.tick):
            commands.append(self._say(frames.Ping(self.reader.cursors), now))
        return commands

    @property
    def online(self) -> bool:
        """Whether the broker has let us in and is there."""
        return self.link.phase == ONLINE

    @property
    def settled(self) -> bool:
        """Whether the broker owes no word: each send is accepted or refused, each question answered."""
        owed = self.online and self._receipts.due
        return not (len(self.outbox) or len(self._inquiries) or self._postponed or self.lookback.due or owed)

    @property
    def hungry(self) -> bool:
        """Whether more may be written now: a pipe is slowed down rather than swallowed."""
        if self.outbox.size >= KEPT_BYTES or len(self._inquiries) >= OPEN_QUESTIONS or self._moves:
            return False
        return len(self.outbox) < (AHEAD_MESSAGES if self.link.phase == ONLINE else KEPT_MESSAGES)

    @property
    def place(self) -> str:
        """Where plain lines go."""
        return self.places.place

    @property
    def _moves(self) -> bool:
        """Whether it is not clear yet where the next line goes, or whether it may."""
        return self._inquiries.holds(*MOVES) or any(isinstance(each, MOVES) for each in self._postponed)

    # -- the connection --

    def _seek(self, now: Instant) -> list[Command]:
        """Begin an attempt: the transport bounds a connection, the link a question."""
        command = self._anchor.seek()
        self.link.connecting(None if isinstance(command, Connect) else now.tick)
        return [command]

    def _offered(self, event: Offered, now: Instant) -> list[Command]:
        """Believed once, on first use; afterwards it only explains why the remembered key is not shown."""
        anchor = self._anchor
        if self.link.phase != CONNECTING:
            return []
        anchor.settle()
        if not anchor.key:
            return [Disconnect(), *anchor.meet(event.key), *self._seek(now)]
        if event.key == anchor.key:
            return self._lost(Lost("busy"), now)
        self.link.end()
        return [Disconnect(), anchor.changed(event.key, self.person.account)]

    def _not_offered(self, event: NotOffered, now: Instant) -> list[Command]:
        if self.link.phase != CONNECTING:
            return []
        self._anchor.settle()
        return self._lost(Lost(event.reason), now)

    def _connected(self, event: Connected, now: Instant) -> list[Command]:
        return self._hello(now) if self.link.phase == CONNECTING else []

    def _hello(self, now: Instant, credential: bytes = b"") -> list[Command]:
        """Knock. The credential is shown only to whom it was made for: behind this address may be a new broker now.

        Naming the scheme without a credential says that a password was given, which is to be checked.
        """
        self.link.greeting(now.tick)
        scheme, permit = "" if self._proven and not credential else SCHEME, self._permit if credential else ""
        hello = self.person.hello(self.device, self.reader.cursors, self._past.epoch, self._past.new_visit())
        hello = msgspec.structs.replace(hello, scheme=scheme, credential=credential, permit=permit)
        return [self._say(hello, now)]

    def _lost(self, event: Lost, now: Instant) -> list[Command]:
        if self.link.phase in (AWAY, ENDED):
            return []
        if event.reason == "revoked":
            return self._end("revoked", errors.sentence("revoked"))
        if event.reason == "handshake" and self.link.phase == CONNECTING and self._anchor.doubt():
            return [Disconnect(), *self._seek(now)]
        if event.reason == "silent":  # nobody answers a question for the key: the next attempt is one to connect
            self._anchor.settle()
        commands: list[Command] = [Disconnect(), *self._unanswered()]
        self._answers.alone()
        return [*commands, self._offline(event.reason, self.link.away(now.tick))]

    def _offline(self, reason: str, wait: float) -> Command:
        first, self._absent = not self._absent, True
        return Show(shown.Offline(reason=reason, retry_in=round(wait, 3), first=first))

    def _unanswered(self) -> list[Command]:
        """Questions that the broker can't answer any more."""
        never, self._postponed = self._postponed, []
        unanswered = {"not-connected": never, "no-answer": self._inquiries.lost()}
        return [command for code, asked in unanswered.items() for one in asked for command in self._give_up(code, one)]

    def _give_up(self, code: str, question: typed.Typed) -> list[Command]:
        if isinstance(question, WantedPage):
            return self.lookback.unanswered(question)
        return [self._refuse(code, question)]

    def _heard(self, event: Heard, now: Instant) -> list[Command]:
        self.link.heard_at = now.tick
        if self.link.phase != ONLINE and isinstance(event.frame, frames.Joined) and not event.frame.ask:
            return []  # what we are in Welcome tells; and the journal may still be in another line of time
        handler = self._frames.get(type(event.frame))
        return handler(event.frame, now) if handler else []

    def _unproven(self, frame: frames.Unproven, now: Instant) -> list[Command]:
        if self.link.phase != GREETING:
            return []
        if frame.scheme != SCHEME:
            return self._end("scheme", errors.sentence("scheme", scheme=frame.scheme))
        if foreign := self._anchor.foreign(frame.broker):
            return self._end("other-broker", foreign)
        if frame.broker == self._broker and self._credential:
            return self._hello(now, self._credential)
        self._broker, self._credential = frame.broker, b""
        lacks = frame.permit and not self._permit
        if self.person.proves and not lacks:
            return [Derive(frame.broker, frame.taken)]
        # A person takes as long as it takes to answer, and a broker does not wait so long for strangers.
        self.link.asking()
        return [Disconnect(), Derive(frame.broker, frame.taken, lacks)]

    def _derived(self, event: Derived, now: Instant) -> list[Command]:
        self._credential, self._permit = event.credential, event.permit or self._permit
        if not event.credential:
            self.link.end()
            return [Disconnect()]
        self.link.asked()
        return self._hello(now, self._credential) if self.link.phase == GREETING else []

    def _welcome(self, frame: frames.Welcome, now: Instant) -> list[Command]:
        if self.link.phase != GREETING:
            return []
        self.account = frame.account
        self._proven, self._permit = True, ""
        self._registered |= frame.registered
        if self._past.judge(frame, self.outbox, self.reader):
            return self._part(now)
        self.link.online(now.tick)
        self.posting.begin(frame)
        self._absent, self._welcomes = False, self._welcomes + 1
        begins = self.reader.begin(frame.logs)
        self._remarking.awaited.clear()  # what has not come back is among what waits
        self.places.are(frame.logs)
        self.lookback.account = frame.account
        self._answers.begin(frame.account, self.device)
        online = shown.Online(
            account=frame.account,
            device=self.device,
            broker=self.person.broker,
            key=self._anchor.key,
            waiting=self.reader.waiting,
            registered=self._registered,
            first=self._welcomes == 1,
        )
        self._registered = False
        self._broker = frame.broker
        return [*self._anchor.proved(frame.broker), *self._past.go_on(frame), *begins, Show(online)]

    def _part(self, now: Instant) -> list[Command]:
        step, posts = self._past.part(self.outbox, *self.posting.window)
        return [step] if step else [self._say(post, now) for post in posts]

    def _renewed(self, event: Renewed, now: Instant) -> list[Command]:
        self.device = event.device
        self.reader.go_to(event.cursors)
        self.outbox.renumber()
        self._remarking.renumber()
        return self._hello(now, self._credential) if self.link.phase == GREETING else []

    def _went_back(self, event: WentBack, now: Instant) -> list[Command]:
        self.reader.go_back(event.cursors, event.known)
        self.outbox.take_back(event.again)
        self._remarking.renumber()
        told = Show(shown.PutBack(again=len(event.again) - event.gone, gone=event.gone))
        return [told, *(self._hello(now, self._credential) if self.link.phase == GREETING else [])]

    def _stranger(self, frame: frames.Stranger, now: Instant) -> list[Command]:
        hello = self._hello(now) if self.link.phase == ONLINE else []
        return [*self._unanswered(), *hello]  # also what was asked before a Hello that is on its way already

    def _bye(self, frame: frames.Bye, now: Instant) -> list[Command]:
        if frame.code == "closing":
            return self._lost(Lost("closing"), now)
        return self._end(frame.code, frame.text or errors.SENTENCES.get(frame.code, frame.code))

    def _end(self, code: str, text: str) -> list[Command]:
        self.link.end()
        return [Disconnect(), Show(shown.Bye(code=code, text=text))]

    # -- what is sent --

    def _wrote(self, event: typed.Wrote, now: Instant) -> list[Command]:
        item = Item(event.to or self.place, ENC, event.text.encode("utf-8", "replace"))
        self._remarking.spoke(item.to)
        return self.posting.keep(item, event, self.online)

    def _remarked(self, question: typed.OfMessage, now: Instant) -> list[Command]:
        """Which message is the last one is clear when all that was said before has come back to us."""
        if not self.person.reads:
            return [self._refuse("sends-only", question)]
        away = not self.online and self._knows_absence
        if (away or self.online) and not len(self.outbox) and self._remarking.clear(self.reader.caught_up or away):
            return [self._remarking.point(question, self.account)]
        self._postponed += [] if away else [question]
        return [self._refuse("not-accepted-yet", question)] if away else []

    def _pointed(self, event: Pointed, now: Instant) -> list[Command]:
        question = event.point.question
        item = self._remarking.remark(event, self.account, now)
        if isinstance(item, str):
            return [self._refuse(item, question)]
        return self.posting.keep(item, question, self.online)

    def _accepted(self, frame: frames.Accepted, now: Instant) -> list[Command]:
        taken, commands = self.posting.settle(frame, self._past.ours(frame.n), self.device)
        if self.person.reads:
            self._remarking.accepted(taken)
        return [*commands, *(self._part(now) if commands and self._past.parting else [])]

    def _expected(self, frame: frames.Expected, now: Instant) -> list[Command]:
        if self.link.phase != ONLINE:
            return []
        if frame.n <= self.outbox.settled:
            return self._hello(now)  # the broker has lost something: Welcome says where it is
        self.outbox.rewind(frame.n - 1)
        return []

    # -- what comes --

    def _deliver(self, frame: frames.Deliver, now: Instant) -> list[Command]:
        if self.link.phase != ONLINE:
            return []
        commands, lost = self.reader.deliver(frame, self.account)
        self._remarking.come_back(frame.runs, self.device, self.outbox)
        return [*commands, *self._hello(now)] if lost else commands

    def _pong(self, frame: frames.Pong, now: Instant) -> list[Command]:
        self._remarking.awaited.clear()  # a room that one has left sends nothing back
        return self._hello(now) if self.link.phase == ONLINE and self.reader.missed(frame) else []

    @property
    def _knows_absence(self) -> bool:
        """Whether it is clear that the broker is not there, if it is not; when a run begins nobody knows yet."""
        return bool(self._absent or self._welcomes or self.link.phase == ENDED)

    # -- questions and answers --

    def _asked(self, question: typed.Typed, now: Instant) -> list[Command]:
        if isinstance(question, typed.LeftRoom) and self.link.phase == ONLINE and len(self.outbox):
            self._postponed.append(question)  # what was said in the room before comes back from there first
            return []
        if self.link.phase == ONLINE:
            return [self._say(self._inquiries.ask(question), now)]
        if isinstance(question, typed.AskedContacts) and self._answers.contacts:
            return [Show(shown.Contacts(contacts=self._answers.contacts, possible=[]))]
        if self._knows_absence:
            return self._give_up("not-connected", question)
        self._postponed.append(question)  # nobody knows yet whether the broker is there
        return []

    def _asked_of_room(self, question: typed.OfRoom, now: Instant) -> list[Command]:
        """A question about a room, which may be the current place."""
        meant = self.places.meant(question)
        return self._asked(meant, now) if meant else [self._refuse("no-room", question, place=self.place)]

    def _recalled(self, event: Recalled, now: Instant) -> list[Command]:
        answer = self.lookback.recalled(event)
        return self._asked(answer, now) if isinstance(answer, WantedPage) else answer

    def _asked_password(self, question: typed.AskedPassword, now: Instant) -> list[Command]:
        """Not before the broker has said who it is: that is part of what a credential is made with."""
        if self.link.phase != ONLINE:
            return [self._refuse("not-connected", question)]
        return [DeriveNew(self._broker, question)]

    def _passwords_derived(self, event: PasswordsDerived, now: Instant) -> list[Command]:
        asked = event.question
        if event.code:
            return [self._refuse(event.code, asked)]
        commands: list[Command] = []
        if self.link.ping_due(now.tick):  # while somebody typed nothing was said, and a broker forgets who is silent
            commands = [*self._unanswered(), Disconnect(), *self._seek(now)]
        self._postponed.append(typed.ChangedPassword(old=event.old, new=event.new, tag=asked.tag, line=asked.line))
        return commands

    def _refused(self, frame: frames.Refused, now: Instant) -> list[Command]:
        if self.link.phase == GREETING and not frame.ask:  # a question may still be answered while Hello is said again
            return self._turned_away(frame, now)
        question = self._inquiries.answered(frame.ask)
        if isinstance(question, WantedPage):
            return self.lookback.unanswered(question)
        if question is None and frame.retry_s > 0:
            return self.posting.wait(frame, now)
        if frame.code == "already-member" and isinstance(question, typed.JoinedRoom):
            return self._answers.inside(question.room)
        asked = question or typed.Typed()
        return [Show(shown.Refused(code=frame.code, text=frame.text, tag=asked.tag, line=asked.line))]

    def _turned_away(self, frame: frames.Refused, now: Instant) -> list[Command]:
        """A login was refused: for good, or for a while."""
        if frame.code == "damaged-device":
            return [Renew(self._past.epoch)]
        if frame.retry_s <= 0:
            return self._end(frame.code, frame.text)
        wait = self.link.told_to_wait(now.tick, frame.retry_s)
        return [Disconnect(), *self._unanswered(), self._offline(frame.code, wait)]

    # -- what is answered here --

    def _asked_status(self, event: typed.AskedStatus, now: Instant) -> list[Command]:
        waiting = self.outbox.messages
        return [Show(self.person.status(self.account, self.device, self.online, self.place, waiting))]

    def _mistook(self, slip: typed.Mistook, now: Instant) -> list[Command]:
        return [Show(shown.Refused(code=slip.code, text=slip.text, tag=slip.tag, line=slip.line))]

    def _left(self, event: typed.Left, now: Instant) -> list[Command]:
        quits = [Send(frames.encode(frames.Quit()))] if self.online else []
        self.link.end()
        read = [self.lookback.read()] if self.person.reads and self._welcomes else []
        return [*read, *quits, Disconnect()]

    # -- ways of speaking --

    def _say(self, frame: frames.Frame, now: Instant) -> Command:
        self.link.spoke_at = now.tick
        return Send(frames.encode(frame))

    def _refuse(self, code: str, question: typed.Typed, **places: str) -> Command:
        text = errors.sentence(code, **places)
        return Show(shown.Refused(code=code, text=text, tag=question.tag, line=question.line))
