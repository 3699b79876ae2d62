"""Somebody with a client: its core, a notebook for a journal, and the world around them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from core import shown
from core.anchor import Known
from core.client import Client
from core.commands import (
    COMMITTED,
    AskKey,
    Connect,
    Derive,
    DeriveNew,
    Disconnect,
    GoBack,
    Pin,
    Point,
    Recall,
    Renew,
    Review,
    Search,
    Send,
    Show,
    Tally,
)
from core.events import (
    Connected,
    Derived,
    Gone,
    HandedOut,
    Heard,
    Lost,
    NotOffered,
    Offered,
    PasswordsDerived,
    Renewed,
    WentBack,
)
from core.gate import COME_BACK, LET_IN, NEVER
from core.person import Person
from core.received import Event
from core.typed import Typed, Wrote
from protocol import limits
from protocol.names import LOBBY
from store.notebook import Notebook

if TYPE_CHECKING:
    from tests.core.world import World

BROKER = "tcp://broker:7777"


class Actor:
    """One client, with its notebook."""

    at_once = False  # what it shows counts as read

    def __init__(
        self,
        world: World,
        name: str,
        password: str,
        notebook: Notebook,
        reads: bool,
        chance: Callable[[], float],
        proves: bool,
        permit: str = "",
    ) -> None:
        self.world = world
        self.name = name
        self.password = password
        self.notebook = notebook
        self.key = world.keys[notebook]
        self.address = "127.0.0.1"
        known, run = world.knows.get(notebook, Known()), next(world.runs)
        person = Person(name, BROKER, reads, "test", LOBBY, proves, known, "desk", permit, self.at_once, run=run)
        self.core = Client(person, notebook.memory(), chance)
        self.inbox: list[Event | Typed] = []
        self.stuck: list[Event] = []  # what came while it was frozen
        self.shown: list[shown.Shown] = []
        self.peer: bytes | None = None
        self.ticket: tuple[bytes, bytes] | None = None  # it has knocked, and waits for the answer
        self.new_password = ""  # what it answers when asked for another one; "": nobody can be asked
        self.asked_keys = 0  # how often it has asked for the broker's key
        self.attempts = 0  # to connect
        self.frozen = False
        self.deaf = False  # connections fail
        self.unanswered = False  # questions for the broker's key are
        self.loses: list[type[Any]] = []  # kinds of frames that are lost on their way to it, each once
        self.dies = False  # at its next commit, after it
        self.thinks = False  # when asked for the password
        self.permit = ""  # what it answers when asked for one, too
        self.alive = True
        self._table: dict[type[Any], Callable[[Any], Event | None]] = {
            AskKey: self._ask_key,
            Connect: self._connect,
            Pin: self._pin,
            Disconnect: self._disconnect,
            Send: self._send,
            Derive: self._derive,
            DeriveNew: self._derive_new,
            Renew: self._renew,
            GoBack: self._go_back,
            Recall: notebook.recall,
            Search: notebook.search,
            Tally: notebook.tally,
            Point: notebook.point,
            Review: notebook.review,
            Show: lambda show: self._shows(show.shown),
        }

    # -- what it does --

    def types(self, text: str, to: str | None = None, tag: str | None = None) -> None:
        """Write a message, and let the world run."""
        self.does(Wrote(text=text, to=to, tag=tag))

    def does(self, *intents: Typed) -> None:
        """Ask for something, and let the world run."""
        self.inbox += intents
        self.world.run()

    def cut(self) -> None:
        """The connection is lost, and the broker hears nothing of it."""
        if self.peer is not None or self.ticket is not None:
            self._drop()
            self.stuck = []
            self.inbox = [event for event in self.inbox if not isinstance(event, Heard)]
            self.inbox.append(Lost("cut"))

    def kill(self) -> None:
        """The process dies; the notebook stays."""
        self.alive = False
        if self.peer is not None:
            self.world.inbox.append(Gone(self.peer))
        self._drop()

    def thaw(self) -> None:
        """Go on after having been frozen."""
        self.frozen = False
        self.inbox += self.stuck
        self.stuck = []

    # -- what the world does to it --

    def hears(self, frame: Any) -> None:
        """The broker has said something."""
        if type(frame) in self.loses:
            self.loses.remove(type(frame))
        else:
            (self.stuck if self.frozen else self.inbox).append(Heard(frame))

    def ends(self) -> None:
        """The broker has ended the connection."""
        self.cut()

    def admitted(self, code: int) -> None:
        """The broker has answered a knock."""
        if self.ticket is None:
            return
        self.ticket = None
        if code == LET_IN:
            self.peer = self.world.peer()
            self.world.wires[self.peer] = self
            self.inbox.append(Connected())
        else:
            self.inbox.append(Lost({COME_BACK: "handshake", NEVER: "revoked"}[code]))

    def turn(self) -> bool:
        """One turn; whether anything happened."""
        if self.frozen or not self.alive:
            return False
        events, self.inbox = self.inbox, []
        busy = bool(events)
        for event in events:
            self._perform(self.core.handle(event, self.world.now))
        while self.alive and (commands := self.core.settle(self.world.now)):
            busy = True
            self._perform(commands)
        return busy

    def _perform(self, commands: list[Any]) -> None:
        writes = [command for command in commands if isinstance(command, COMMITTED)]
        self.notebook.commit(writes)
        if writes and self.dies:
            self.kill()
        for command in commands:
            if self.alive and not isinstance(command, COMMITTED):
                event = self._table[type(command)](command)
                if event:
                    self._perform(self.core.handle(event, self.world.now))

    def _shows(self, event: shown.Shown) -> Event | None:
        """It is before somebody's eyes at once."""
        self.shown.append(event)
        return HandedOut(event.envelopes) if isinstance(event, shown.Messages) and not event.mine else None

    def _connect(self, connect: Connect) -> None:
        self.attempts += 1
        if self.deaf:
            self.inbox.append(Lost("refused"))
        elif connect.key != self.world.key:
            self.inbox.append(Lost("handshake"))
        else:
            self.ticket = self.world.knock(self, self.key, self.address)

    def _ask_key(self, ask: AskKey) -> None:
        self.asked_keys += 1
        offered = self.world.offers
        if self.unanswered:
            return
        if self.deaf or not offered:
            self.inbox.append(NotOffered("refused"))
        else:
            self.inbox.append(Offered(offered))

    def _pin(self, pin: Pin) -> None:
        self.world.knows[self.notebook] = Known(pin.key, since="2026-11-21", broker=pin.broker)

    def _drop(self) -> None:
        """No connection, and none on the way."""
        if self.peer is not None:
            self.world.wires.pop(self.peer, None)
        self.peer = self.ticket = None

    def _disconnect(self, disconnect: Disconnect) -> None:
        if self.peer is not None:
            self.world.inbox.append(Gone(self.peer))
        self._drop()

    def _send(self, send: Send) -> None:
        assert len(send.frame) <= limits.PART_BYTES, "ZeroMQ would cut the connection"
        if self.peer is not None:
            self.world.receive(self.peer, send.frame, self.key, self.address)

    def _derive(self, derive: Derive) -> Event | None:
        return None if self.thinks else Derived(self.password.encode(), self.permit if derive.lacks_permit else "")

    def _derive_new(self, derive: DeriveNew) -> Event | None:
        if self.thinks:
            return None
        if not self.new_password:
            return PasswordsDerived(derive.question, code="no-terminal")
        return PasswordsDerived(derive.question, self.password.encode(), self.new_password.encode())

    def _renew(self, renew: Renew) -> Event:
        memory = self.notebook.renew(renew.epoch)
        return Renewed(memory.device, memory.cursors)

    def _go_back(self, back: GoBack) -> Event:
        settled = self.core.outbox.settled
        memory, gone = self.notebook.go_back(back)
        again = [each for each in memory.outbox if each.n <= settled]
        for each in again:
            each.told = True
        return WentBack(again, gone, memory.cursors, memory.known)

    # -- what it has seen --

    def seen(self, kind: type[Any]) -> list[Any]:
        """Everything of a kind that was shown."""
        return [event for event in self.shown if isinstance(event, kind)]

    def lines(self) -> list[str]:
        """The messages that were shown, as ``author>to text``."""
        return [f"{envelope.author}>{envelope.to} {envelope.body.decode()}" for envelope in self.envelopes()]

    def envelopes(self) -> Iterator[Any]:
        """The messages that were shown."""
        for messages in self.seen(shown.Messages):
            yield from messages.envelopes

    def accepted(self) -> list[str]:
        """The messages that were shown as accepted, by id."""
        return [sent.id for sent in self.seen(shown.Sent)]

    def codes(self) -> list[str]:
        """What was refused, by code."""
        return [event.code for event in self.seen(shown.Refused)]
