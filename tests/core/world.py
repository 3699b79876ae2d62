"""A broker's core and clients' cores back to back: real machines, a wire without faults, a clock that is turned."""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Callable
from itertools import count
from typing import Any, Protocol

from broker import Turns
from core.broker import Broker
from core.clock import Instant
from core.commands import Note, Prove, Send
from core.door import House
from core.events import Closing, Garbled, Gone, ProofArrived
from core.received import Event, Proved, Received
from protocol import limits
from protocol.frames import ProtocolError, decode
from store import Store
from store.memory import MemoryStore
from store.notebook import Notebook
from tests.core.actor import Actor
from tests.core.faults import Crash

BROKER = b"restante-testing"
DUMMY = "no secret"


class Wire(Protocol):
    """Whoever is at the other end of a connection."""

    def hears(self, frame: Any) -> None: ...


def hashed(secret: bytes) -> str:
    """What stands for Argon2 here."""
    return "hash of " + secret.hex()


class World:
    """Everything there is. ``run`` lets it talk until it is quiet."""

    def __init__(self, store: Store | None = None, is_open: bool = True) -> None:
        self.now = Instant(1000.0, 1_750_000_000_000)
        self.store: Any = store or MemoryStore(epoch="first", broker=BROKER)
        self.is_open = is_open
        self.wires: dict[bytes, Wire] = {}  # by connection
        self.actors: list[Actor] = []  # in the order in which they came
        self.inbox: list[Event] = []
        self.notes: list[Note] = []
        self.sent: list[tuple[bytes, Any]] = []  # every frame that the broker has sent
        self.proofs: list[Prove] = []
        self.checked: list[str | None] = []  # what the worker has checked secrets against
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
        self.inbox, self.proofs, self.wires = [], [], {}
        self.start()
        for actor in self.actors:
            actor.cut()

    def close(self) -> None:
        """The broker is asked to end."""
        self.inbox.append(Closing())
        self.run()

    def _send(self, send: Send) -> None:
        assert len(send.frame) <= limits.PART_BYTES, "ZeroMQ would cut the connection"
        frame = decode(send.frame)
        self.sent.append((send.peer, frame))
        wire = self.wires.get(send.peer)
        if wire is None:
            self.inbox.append(Gone(send.peer))
        else:
            wire.hears(frame)

    def _prove(self, prove: Prove) -> Event | None:
        if self.busy:
            return ProofArrived(prove.cause, None)
        self.proofs.append(prove)
        return None

    def _answer_proofs(self) -> None:
        proofs, self.proofs = self.proofs, []
        for prove in proofs:
            self.checked.append(prove.stored)
            fresh = hashed(prove.secret)
            right = prove.stored in (None, fresh, "old " + fresh)
            damaged = prove.stored == "damaged"
            outdated = right and prove.stored != fresh
            proof = Proved(prove.stored, right, fresh if outdated else None, damaged)
            self.inbox.append(ProofArrived(prove.cause, proof))

    # -- time --

    def turn(self) -> bool:
        """Everybody does one turn; whether anything happened."""
        busy = self._has_work()
        for actor in self.actors:
            busy |= actor.turn()
        if not self.slow:
            self._answer_proofs()
        events, self.inbox = self.inbox, []
        try:
            self.broker.turn(events, self.now)
        except Crash:
            self.restart()
        return busy or self._has_work()

    def _has_work(self) -> bool:
        waits = self.broker.pending or getattr(self.store, "owes", False)
        return bool(self.inbox) or waits or (bool(self.proofs) and not self.slow)

    def run(self, turns: int = 2000) -> None:
        """Turn after turn until nothing happens any more."""
        for _ in range(turns):
            if not self.turn():
                return self._check_sleep()
        raise AssertionError("the world does not come to rest")

    def _check_sleep(self) -> None:
        """Who has nothing to do sleeps: a deadline that has passed and does nothing would keep a loop spinning."""
        awake = [actor.core for actor in self.actors if actor.alive and not actor.frozen]
        dues = [core.deadline() for core in (self.broker.core, *awake)]
        assert all(due is None or due > self.now.tick for due in dues), dues

    def wait(self, seconds: float, step: float = 1.0) -> None:
        """Let time pass, in steps."""
        end = self.now.tick + seconds
        while self.now.tick < end:
            tick = min(end, self.now.tick + step)
            self.now = Instant(tick, self.now.at + round((tick - self.now.tick) * 1000))
            self.run()

    # -- people --

    def person(
        self,
        name: str,
        password: str = "secret",
        notebook: Notebook | None = None,
        reads: bool = True,
        chance: Callable[[], float] = lambda: 0.5,
    ) -> Actor:
        """Somebody with a client, who has not connected yet."""
        actor = Actor(self, name, password, notebook or Notebook(lambda: next(self._ids)), reads, chance)
        self.actors.append(actor)
        return actor

    def come(self, name: str, password: str = "secret", **more: Any) -> Actor:
        """Somebody who comes, and is let in or not."""
        actor = self.person(name, password, **more)
        self.run()
        return actor

    def peer(self) -> bytes:
        """A return address that nobody has."""
        return next(self._peers)

    def device(self) -> str:
        """A device's id that nobody has."""
        return next(self._ids)

    def receive(self, peer: bytes, data: bytes, address: str = "192.0.2.1") -> None:
        """These bytes come in from a connection."""
        try:
            self.inbox.append(Received(peer, decode(data), address))
        except ProtocolError as error:
            self.inbox.append(Garbled(peer, str(error), error.version, address))
