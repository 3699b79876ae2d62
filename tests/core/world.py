"""A broker's core and clients' cores back to back: real machines, a wire without faults, a clock that is turned."""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from broker import Turns
from core import shown
from core.broker import Broker
from core.client import Client, Person
from core.clock import Instant
from core.commands import COMMITTED, Connect, Derive, Disconnect, Note, Prove, Recall, Renew, Send, Show
from core.door import House
from core.events import (
    Closing,
    Connected,
    Derived,
    Event,
    Garbled,
    Gone,
    Heard,
    Lost,
    ProofArrived,
    Proved,
    Received,
    Renewed,
)
from core.typed import Typed, Wrote
from protocol.frames import ProtocolError, decode
from store import Store
from store.memory import MemoryStore
from store.notebook import Notebook

BROKER = b"restante-testing"
DUMMY = "no secret"


def hashed(secret: bytes) -> str:
    """What stands for Argon2 here."""
    return "hash of " + secret.hex()


class World:
    """Everything there is. ``run`` lets it talk until it is quiet."""

    def __init__(self, store: Store | None = None, is_open: bool = True) -> None:
        self.now = Instant(1000.0, 1_750_000_000_000)
        self.store: Any = store or MemoryStore(epoch="first", broker=BROKER)
        self.is_open = is_open
        self.clients: dict[bytes, Actor] = {}  # by connection
        self._everybody: list[Actor] = []
        self.inbox: list[Event] = []
        self.notes: list[Note] = []
        self.sent: list[tuple[bytes, Any]] = []  # every frame that the broker has sent
        self.proofs: list[Prove] = []
        self.busy = False  # the worker takes nothing
        self.slow = False  # the worker finishes nothing
        self._ids = (b32encode(n.to_bytes(10, "big")).decode().lower() for n in count(1))
        self._peers = (n.to_bytes(5, "big") for n in count(1))
        self.start()

    # -- the broker --

    def start(self) -> None:
        """A broker with nothing but its store."""
        house = House(self.store.broker, self.store.epoch, self.is_open, DUMMY)
        self.broker = Turns(Broker(house), self.store, self._send, self._prove, self.notes.append)

    def restart(self) -> None:
        """The broker dies and comes back: sessions are gone, connections are cut."""
        self.inbox, self.proofs = [], []
        self.start()
        for actor in list(self.clients.values()):
            actor.cut()

    def _send(self, send: Send) -> None:
        frame = decode(send.frame)
        self.sent.append((send.peer, frame))
        actor = self.clients.get(send.peer)
        if actor is None:
            self.inbox.append(Gone(send.peer))
        elif not actor.frozen:
            actor.inbox.append(Heard(frame))
        else:
            actor.stuck.append(Heard(frame))

    def _prove(self, prove: Prove) -> Event | None:
        if self.busy:
            return ProofArrived(prove.cause, None)
        self.proofs.append(prove)
        return None

    def _answer_proofs(self) -> None:
        proofs, self.proofs = self.proofs, []
        for prove in proofs:
            fresh = hashed(prove.secret)
            right = prove.stored in (None, fresh, "old " + fresh)
            outdated = right and prove.stored != fresh
            self.inbox.append(ProofArrived(prove.cause, Proved(prove.stored, right, fresh if outdated else None)))

    # -- time --

    def turn(self) -> bool:
        """Everybody does one turn; whether anything happened."""
        busy = bool(self.inbox) or self.broker.pending
        for actor in self.actors():
            busy |= actor.turn()
        if not self.slow:
            busy |= bool(self.proofs)
            self._answer_proofs()
        events, self.inbox = self.inbox, []
        self.broker.turn(events, self.now)
        return busy or bool(self.inbox)

    def run(self, turns: int = 2000) -> None:
        """Turn after turn until nothing happens any more."""
        for _ in range(turns):
            if not self.turn():
                return
        raise AssertionError("the world does not come to rest")

    def wait(self, seconds: float, step: float = 1.0) -> None:
        """Let time pass, in steps."""
        end = self.now.tick + seconds
        while self.now.tick < end:
            tick = min(end, self.now.tick + step)
            self.now = Instant(tick, self.now.at + round((tick - self.now.tick) * 1000))
            self.run()

    # -- people --

    def actors(self) -> list[Actor]:
        """Everybody, in the order in which they came."""
        return list(self._everybody)

    def person(
        self, name: str, password: str = "secret", notebook: Notebook | None = None, reads: bool = True
    ) -> Actor:
        """Somebody with a client, who has not connected yet."""
        actor = Actor(self, name, password, notebook or Notebook(lambda: next(self._ids)), reads)
        self._everybody.append(actor)
        return actor

    def come(self, name: str, password: str = "secret", **more: Any) -> Actor:
        """Somebody who comes, and is let in or not."""
        actor = self.person(name, password, **more)
        self.run()
        return actor

    def peer(self) -> bytes:
        """A return address that nobody has."""
        return next(self._peers)

    def raw(self, peer: bytes, data: bytes, address: str = "192.0.2.7") -> None:
        """Somebody sends these bytes."""
        try:
            self.inbox.append(Received(peer, decode(data), address))
        except ProtocolError as error:
            self.inbox.append(Garbled(peer, str(error), error.version, address))

    def heard(self, peer: bytes) -> list[Any]:
        """What the broker has said to a connection."""
        return [frame for to, frame in self.sent if to == peer]


class Actor:
    """One client, with its notebook."""

    def __init__(self, world: World, name: str, password: str, notebook: Notebook, reads: bool) -> None:
        self.world = world
        self.name = name
        self.password = password
        self.notebook = notebook
        self.core = Client(Person(name, "tcp://broker:7777", reads, "test"), notebook.memory(), chance=lambda: 0.5)
        self.inbox: list[Event | Typed] = []
        self.stuck: list[Event] = []  # what came while it was frozen
        self.shown: list[shown.Shown] = []
        self.peer: bytes | None = None
        self.frozen = False
        self.deaf = False  # connections fail
        self.alive = True
        self._table: dict[type[Any], Callable[[Any], Event | None]] = {
            Connect: self._connect,
            Disconnect: self._disconnect,
            Send: self._send,
            Derive: lambda derive: Derived(self.password.encode()),
            Renew: self._renew,
            Recall: lambda recall: None,
            Show: lambda show: self.shown.append(show.shown),
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
        """The connection is lost."""
        if self.peer is not None:
            del self.world.clients[self.peer]
            self.peer = None
            self.inbox = [event for event in self.inbox if not isinstance(event, Heard)]
            self.inbox.append(Lost("cut"))

    def kill(self) -> None:
        """The process dies; the notebook stays."""
        self.alive = False
        if self.peer is not None:
            self.world.inbox.append(Gone(self.peer))
            del self.world.clients[self.peer]

    def thaw(self) -> None:
        """Go on after having been frozen."""
        self.frozen = False
        self.inbox += self.stuck
        self.stuck = []

    def turn(self) -> bool:
        """One turn; whether anything happened."""
        if self.frozen or not self.alive:
            return False
        events, self.inbox = self.inbox, []
        busy = bool(events)
        for event in events:
            self._perform(self.core.handle(event, self.world.now))
        while commands := self.core.settle(self.world.now):
            busy = True
            self._perform(commands)
        return busy

    def _perform(self, commands: list[Any]) -> None:
        self.notebook.commit([command for command in commands if isinstance(command, COMMITTED)])
        for command in commands:
            if not isinstance(command, COMMITTED):
                event = self._table[type(command)](command)
                if event:
                    self._perform(self.core.handle(event, self.world.now))

    def _connect(self, connect: Connect) -> None:
        if self.deaf:
            self.inbox.append(Lost("refused"))
            return
        self.peer = self.world.peer()
        self.world.clients[self.peer] = self
        self.inbox.append(Connected())

    def _disconnect(self, disconnect: Disconnect) -> None:
        if self.peer is not None:
            self.world.clients.pop(self.peer, None)
            self.world.inbox.append(Gone(self.peer))
            self.peer = None

    def _send(self, send: Send) -> None:
        if self.peer is not None:
            self.world.inbox.append(Received(self.peer, decode(send.frame), "192.0.2.1"))

    def _renew(self, renew: Renew) -> Event:
        memory = self.notebook.renew(renew.epoch)
        return Renewed(memory.device, memory.cursors)

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

    def codes(self) -> list[str]:
        """What was refused, by code."""
        return [event.code for event in self.seen(shown.Refused)]


def close(world: World) -> None:
    """The broker is asked to end."""
    world.inbox.append(Closing())
    world.run()
