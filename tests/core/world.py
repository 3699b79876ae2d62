"""A broker's core and clients' cores back to back: real machines, a wire without faults, a clock that is turned."""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Callable
from itertools import count
from typing import Any, Protocol

from msgspec import structs

from core import records
from core.anchor import Known
from core.broker import Broker
from core.clock import Instant
from core.commands import Admit, HangUp, Note, Prove, Reply, Send, Trust
from core.door import House
from core.events import Closing, Garbled, Gone, ProofArrived
from core.orders import AnyOrder
from core.received import Event, Knocked, Ordered, Proved, Received
from core.retention import Keep
from protocol import keys, limits
from protocol.frames import ProtocolError, decode
from store import Store
from store.memory import MemoryStore
from store.notebook import Notebook
from tests.core.actor import Actor
from tests.core.faults import Crash
from turns import Turns

BROKER = b"restante-testing"
DUMMY = "no secret"
HERE = "127.0.0.1"  # this machine, which is not held to the limits for addresses


class Wire(Protocol):
    """Whoever is at the other end of a connection."""

    def hears(self, frame: Any) -> None: ...

    def ends(self) -> None: ...


class Knocker(Protocol):
    """Whoever wants to connect."""

    def admitted(self, code: int) -> None: ...


def hashed(secret: bytes) -> str:
    """What stands for Argon2 here."""
    return "hash of " + secret.hex()


def key(n: int) -> str:
    """The public key of the nth pair."""
    return keys.written(n.to_bytes(keys.KEY_BYTES, "big"))


class World:
    """Everything there is. ``run`` lets it talk until it is quiet."""

    def __init__(
        self,
        store: Store | None = None,
        is_open: bool = True,
        local_limits: bool = False,
        keep: Keep | None = None,
        permits: bool = False,
    ) -> None:
        self.permits = permits
        self.keep = keep or Keep()
        self.now = Instant(1000.0, 1_750_000_000_000)
        self.store: Any = store or MemoryStore(epoch="first", broker=BROKER)
        self.is_open = is_open
        self.local_limits = local_limits
        self.key = key(0)  # the broker's
        self.offers = self.key  # what is told on the second port; "": nobody is there
        self.wires: dict[bytes, Wire] = {}  # by connection
        self.knockers: dict[tuple[bytes, bytes], Knocker] = {}  # who waits for an answer, by ticket
        self.trusted: dict[bytes, bool] = {}  # what was said of each connection last
        self.hung_up: list[bytes] = []  # connections that the broker has ended
        self.knows: dict[Notebook, Known] = {}  # what each client's folder knows of the broker
        self.keys: dict[Notebook, str] = {}  # and the key that lies in it
        self.actors: list[Actor] = []  # in the order in which they came
        self.inbox: list[Event] = []
        self.notes: list[Note] = []
        self.replies: list[dict[str, Any]] = []  # to an operator
        self.sent: list[tuple[bytes, Any]] = []  # every frame that the broker has sent
        self.proofs: list[Prove] = []
        self.checked: list[str | None] = []  # what the worker has checked secrets against
        self.busy = False  # the worker takes nothing
        self.slow = False  # the worker finishes nothing
        self._ids = (b32encode(n.to_bytes(10, "big")).decode().lower() for n in count(1))
        self._peers = (n.to_bytes(5, "big") for n in count(1))
        self.runs = count(1)  # a number for each run of a client
        known = len(self.store.browse(records.key(""), 1_000_000))
        self._keys = (key(n) for n in count(known + 1))
        self.start()

    # -- the broker --

    def start(self) -> None:
        """A broker with nothing but its store."""
        house = House(self.store.broker, self.store.epoch, self.is_open, DUMMY, self.local_limits, self.keep)
        house = structs.replace(house, permits=self.permits, began_at=self.now.at)
        outside = {
            Send: self._send,
            Prove: self._prove,
            Note: self.notes.append,
            Reply: lambda reply: self.replies.append(reply.said),
            Trust: lambda trust: self.trusted.update({trust.peer: trust.trusted}),
            HangUp: self._hang_up,
            Admit: lambda admit: self.knockers.pop(admit.ticket).admitted(admit.code),
        }
        self.broker = Turns(Broker(house), self.store, outside)

    def restart(self) -> None:
        """The broker dies and comes back: sessions are gone, connections are cut."""
        self.inbox, self.proofs, self.wires, self.knockers = [], [], {}, {}
        self.start()
        for actor in self.actors:
            actor.cut()

    def order(self, *orders: AnyOrder) -> list[dict[str, Any]]:
        """An operator asks this, all in one turn; what is answered."""
        before = len(self.replies)
        self.inbox += [Ordered(1, order) for order in orders]
        self.run()
        return self.replies[before:]

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

    def _hang_up(self, hang_up: HangUp) -> None:
        self.hung_up.append(hang_up.peer)
        wire = self.wires.pop(hang_up.peer, None)
        if wire:
            self.inbox.append(Gone(hang_up.peer))
            wire.ends()

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
        proves: bool = True,
        key: str = "",
        permit: str = "",
    ) -> Actor:
        """Somebody with a client, who has not connected yet. ``proves``: the password is given, not asked for."""
        notebook = notebook or self.folder()
        self.keys[notebook] = key or self.keys.get(notebook) or self.new_key()
        actor = Actor(self, name, password, notebook, reads, chance, proves, permit)
        self.actors.append(actor)
        return actor

    def come(self, name: str, password: str = "secret", **more: Any) -> Actor:
        """Somebody who comes, and is let in or not."""
        actor = self.person(name, password, **more)
        self.run()
        return actor

    def folder(self) -> Notebook:
        """A client's folder that nobody has."""
        return Notebook(lambda: next(self._ids))

    def new_key(self) -> str:
        """A public key that nobody has."""
        return next(self._keys)

    def peer(self) -> bytes:
        """A return address that nobody has."""
        return next(self._peers)

    def device(self) -> str:
        """A device's id that nobody has."""
        return next(self._ids)

    def knock(self, knocker: Knocker, key: str, address: str = HERE) -> tuple[bytes, bytes]:
        """Somebody who owns this key wants to connect."""
        ticket = (self.peer(), b"")
        self.knockers[ticket] = knocker
        self.inbox.append(Knocked(ticket, key, address))
        return ticket

    def receive(self, peer: bytes, data: bytes, key: str, address: str = HERE) -> None:
        """These bytes come in from a connection of this key."""
        try:
            self.inbox.append(Received(peer, decode(data), address, key, int.from_bytes(peer, "big"), len(data)))
        except ProtocolError as error:
            self.inbox.append(Garbled(peer, str(error), error.version, address, key))
