"""Whatever several connections say, cut or wait for, in whatever order, the broker's core keeps its laws.

It never raises. Accepted is said only of what the store holds, and so is Deliver. Nothing is said to a connection of
which it knows that it is gone, every knock is answered once, and a key that was revoked is never let in. Once all is
quiet no session is that of a connection that is gone, none holds more than its window, and no deadline has passed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # imports are absolute from the root

with atheris.instrument_imports(include=["core", "protocol", "broker"]):
    from core import records
    from core.clock import Instant
    from core.commands import Send
    from core.events import Gone
    from core.gate import COME_BACK, KEY_CONNECTS, LET_IN, NEVER
    from core.sends import ROUTES
    from core.session import Session
    from protocol import limits
    from protocol.frames import decode
    from tests.core.faults import FaultyStore
    from tests.core.visitor import Visitor
    from tests.core.witness import Witness
    from tests.fuzz.drawn import ACCOUNTS, FROM_CLIENT, Drawn

VISITORS = 4
STEPS = 60
SECONDS = (0.1, 1.0, 10.0, 40.0)
ORIGINS = ("127.0.0.1", "192.0.2.1", "2001:db8::1", "fe80::1%eth0", "")


class Strict(Witness):
    """A world that allows no word to a connection once the broker has been told of its end."""

    def __init__(self, store: FaultyStore, local_limits: bool) -> None:
        self.buried: set[bytes] = set()
        super().__init__(store, local_limits=local_limits)

    def turn(self) -> bool:
        """One turn; what it is told in it, it knows from its end on."""
        gone = {event.peer for event in self.inbox if isinstance(event, Gone)}
        busy = super().turn()
        self.buried |= gone
        return busy

    def restart(self) -> None:
        """A broker that begins anew knows nothing, and neither does anybody have a connection to it."""
        super().restart()
        self.buried.clear()

    def _send(self, send: Send) -> None:
        assert send.peer not in self.buried, f"{decode(send.frame)} to a connection that is gone"
        super()._send(send)


class Caller:
    """Somebody who knocks. The world waits for one answer, and knows nobody to give a second one to."""

    def __init__(self, world: Witness, key: str, address: str) -> None:
        self._revoked = is_revoked(world, key)
        world.knock(self, key, address)

    def admitted(self, code: int) -> None:
        """The broker has answered."""
        assert code in (LET_IN, COME_BACK, NEVER)
        assert not (self._revoked and code == LET_IN), "a revoked key was let in"


class Story:
    """One run, told by a fuzzer's bytes."""

    def __init__(self, drawn: Drawn) -> None:
        self.drawn = drawn
        self.store = FaultyStore()
        self.world = Strict(self.store, local_limits=bool(drawn.below(2)))
        self.visitors = [Visitor(self.world) for _ in range(VISITORS)]
        for visitor, account in zip(self.visitors, ACCOUNTS, strict=False):
            visitor.enters(account)
        self.acts = (
            self.speak,
            self.speak,
            self.speak,
            self.log_in,
            self.leave,
            self.pass_time,
            self.trouble,
            self.knock,
            self.doubt,
            self.die,
        )

    def play(self) -> None:
        """Some steps, with turns between them; then all heals, comes to rest, and is looked at."""
        for _ in range(STEPS):
            if not self.drawn.more:
                break
            self.drawn.one_of(self.acts)(self.drawn.below(VISITORS))
            for _ in range(self.drawn.below(3)):
                self.world.turn()
        self.world.slow = self.world.busy = False
        self.store.refuses = self.store.dies = ""
        self.world.run()
        assert not self.world.knockers, "a knock that was not answered"
        for peer, session in self.world.broker.core.sessions.by_peer.items():
            assert peer in self.world.wires, "a session of a connection that is gone"
            check_window(session)

    # -- what may happen --

    def speak(self, index: int) -> None:
        if self.visitors[index].peer in self.world.wires:
            self.visitors[index].utters(self.drawn.nearly(self.drawn.one_of(FROM_CLIENT)))

    def log_in(self, index: int) -> None:
        """In the same place, or with the key and device of somebody who was here."""
        if self.visitors[index].peer not in self.world.wires:
            old = self.drawn.one_of(self.visitors)
            self.visitors[index] = Visitor(self.world, old.device, old.key)
        scheme, credential = self.drawn.one_of((("", b""), ("a2split1", b"secret"), ("a2split1", b"wrong")))
        hello = self.visitors[index].hello(self.drawn.one_of(ACCOUNTS), scheme=scheme, credential=credential)
        self.visitors[index].utters(hello)

    def leave(self, index: int) -> None:
        """The connection ends, and perhaps what it was about to do goes on."""
        if self.world.wires.pop(self.visitors[index].peer, None):
            self.world.inbox.append(Gone(self.visitors[index].peer))

    def pass_time(self, index: int) -> None:
        seconds, now = self.drawn.one_of(SECONDS), self.world.now
        self.world.now = Instant(now.tick + seconds, now.at + round(seconds * 1000))

    def trouble(self, index: int) -> None:
        """A store that keeps nothing, a slow worker, one that takes nothing; or the end of that."""
        self.store.refuses = self.drawn.one_of(("", "store-full", "store-down"))
        self.world.slow, self.world.busy = self.drawn.one_of(((False, False), (True, False), (False, True)))

    def knock(self, index: int) -> None:
        """Somebody connects with a key that is known, or with one of their own, as often as they like."""
        key = self.drawn.one_of((self.visitors[index].key, self.world.new_key()))
        for _ in range(self.drawn.one_of((1, 1, 2, KEY_CONNECTS + 2))):
            Caller(self.world, key, self.drawn.one_of(ORIGINS))

    def doubt(self, index: int) -> None:
        """Of the next commit nobody learns whether it was kept."""
        self.store.doubts.append(bool(self.drawn.below(2)))

    def die(self, index: int) -> None:
        """The broker dies now or at its next commit, and comes back over the same store; all connections are cut."""
        self.store.dies = self.drawn.one_of(("", "before", "after"))
        if not self.store.dies:
            self.world.restart()


def is_revoked(world: Witness, key: str) -> bool:
    """Whether the store says that this key is let in no more."""
    record = world.store.get([records.key(key)])[records.key(key)]
    return record is not None and records.unpack(records.Key, record[1]).revoked


def check_window(session: Session) -> None:
    """What a session holds in memory."""
    flights = [flight for reading in session.readings.values() for flight in reading.flights]
    assert session.messages == sum(messages for _, messages, _ in flights) <= limits.WINDOW_MESSAGES
    assert session.size == sum(size for _, _, size in flights) <= limits.WINDOW_BYTES
    assert session.outgoing == []
    assert len(session.refused) <= limits.WINDOW_MESSAGES + limits.PACK_MESSAGES
    assert len(session.routes) <= ROUTES + limits.PACK_MESSAGES
    assert len(session.readings) <= limits.SESSION_LOGS


def check(drawn_from: bytes) -> None:
    """One story."""
    Story(Drawn(drawn_from)).play()


if __name__ == "__main__":
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()
