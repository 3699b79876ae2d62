"""Whatever several connections say, cut or wait for, in whatever order, the broker's core keeps its laws.

It never raises. Accepted is said only of what the store holds, and so is Deliver. Once all is quiet no session is that
of a connection that is gone, none holds more than its window, and no deadline has passed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # imports are absolute from the root

with atheris.instrument_imports(include=["core", "protocol", "broker"]):
    from core.clock import Instant
    from core.events import Gone
    from core.sends import ROUTES
    from core.session import Session
    from protocol import limits
    from tests.core.faults import FaultyStore
    from tests.core.visitor import Visitor
    from tests.core.witness import Witness
    from tests.fuzz.drawn import ACCOUNTS, FROM_CLIENT, Drawn

VISITORS = 4
STEPS = 60
SECONDS = (0.1, 1.0, 10.0, 40.0)


class Story:
    """One run, told by a fuzzer's bytes."""

    def __init__(self, drawn: Drawn) -> None:
        self.drawn = drawn
        self.store = FaultyStore()
        self.world = Witness(self.store)
        self.visitors = [Visitor(self.world) for _ in range(VISITORS)]
        for visitor, account in zip(self.visitors, ACCOUNTS, strict=False):
            visitor.enters(account)
        self.acts = (self.speak, self.speak, self.speak, self.log_in, self.leave, self.pass_time, self.trouble)

    def play(self) -> None:
        """Some steps, with turns between them; then all heals, comes to rest, and is looked at."""
        for _ in range(STEPS):
            if not self.drawn.more:
                break
            self.drawn.one_of(self.acts)(self.drawn.below(VISITORS))
            for _ in range(self.drawn.below(3)):
                self.world.turn()
        self.world.slow = self.world.busy = False
        self.store.refuses = ""
        self.world.run()
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
        """A full store, a slow worker, one that takes nothing; or the end of that."""
        self.store.refuses = self.drawn.one_of(("", "store-full"))
        self.world.slow, self.world.busy = self.drawn.one_of(((False, False), (True, False), (False, True)))


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
