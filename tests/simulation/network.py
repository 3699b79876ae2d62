"""The simulated network: connections that are slow, lose and double frames, go deaf on one side, and are cut."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from core.events import Gone
from core.gate import COME_BACK, LET_IN, NEVER
from core.received import Knocked
from protocol.frames import Accepted, Ack, AnyFrame, Deliver, Ping, Pong, Post, decode

if TYPE_CHECKING:
    from tests.simulation.device import Client
    from tests.simulation.scene import Scene

# ZeroMQ keeps what stands between two high-water marks, and our windows stay below them; so what is lost without the
# connection's end is what the protocol says may be lost: deliveries, and signs of life.
LOSABLE = (Deliver, Ping, Pong, Ack)
# And what may come twice without harm.
DOUBLED = (Deliver, Post, Ack, Ping, Pong, Accepted)

UP, DOWN = "up", "down"
# A connection that breaks so soon, and what was said over it comes so late.
SOON_S, STRAYS_S = 0.05, 2.0


class Weather(msgspec.Struct):
    """How the network is: chances are those of one frame."""

    delay_s: float = 0.02  # a frame's, at most
    lose: float = 0.0
    double: float = 0.0

    def calm(self) -> None:
        """From now on nothing goes wrong."""
        self.delay_s, self.lose, self.double = 0.02, 0.0, 0.0


class Line:
    """One connection: what it carries arrives in order, some time later, or not at all."""

    def __init__(self, scene: Scene, client: Client) -> None:
        self._scene = scene
        self._client = client
        self.key = client.key
        self.address = client.address
        self.label = client.label
        self.peer = scene.peer()
        self.stands = False  # the handshake is over
        self.at_client = True  # the client's end is open
        self.at_broker = True  # the broker's end is open
        self.deaf: set[str] = set()  # directions in which nothing arrives any more, though nobody is told
        self._last = {UP: 0.0, DOWN: 0.0}

    # -- the handshake --

    def knock(self) -> None:
        """The client wants to connect."""
        scene = self._scene
        if scene.is_down:
            scene.agenda.after(self._delay(), partial(self._lost, "refused"))
        else:
            scene.agenda.after(self._delay(), self._knocked)

    def _knocked(self) -> None:
        if self._scene.is_down:
            return self.cut("refused")
        if not (self.at_client and self.at_broker):
            return None
        self._scene.lines[self.peer] = self
        ticket = (self.peer, b"")
        self._scene.knockers[ticket] = self
        self._scene.comes(Knocked(ticket, self.key, self.address))
        return None

    def admitted(self, code: int) -> None:
        """The broker has answered the knock."""
        if code == LET_IN:
            self.stands = True
            self._scene.agenda.after(self._delay(), self._stands)
        else:
            reason = {COME_BACK: "handshake", NEVER: "revoked"}[code]
            self._scene.agenda.after(self._delay(), partial(self._lost, reason))

    def _stands(self) -> None:
        if self.at_client:
            self._client.connected(self)

    # -- frames --

    def up(self, data: bytes) -> None:
        """The client says this."""
        frame = decode(data)
        self._scene.checker.client_says(self._client, frame)
        self._scene.note(self.label, "says", frame)
        self._carry(UP, frame, partial(self._reaches_broker, data))

    def down(self, frame: AnyFrame) -> None:
        """The broker says this."""
        self._carry(DOWN, frame, partial(self._reaches_client, frame))

    def _carry(self, way: str, frame: AnyFrame, action: Callable[[], None]) -> None:
        weather, chance = self._scene.weather, self._scene.chance
        if way in self.deaf or (weather.lose and isinstance(frame, LOSABLE) and chance.random() < weather.lose):
            self._scene.note(self.label, f"lost, {way}", type(frame).__name__)
            return
        twice = weather.double and isinstance(frame, DOUBLED) and chance.random() < weather.double
        for _ in range(2 if twice else 1):
            self._last[way] = max(self._last[way], self._scene.agenda.tick + self._delay())
            self._scene.agenda.at(self._last[way], action)

    def _reaches_broker(self, data: bytes) -> None:
        if self.at_broker and not self._scene.is_down:
            self._scene.hears(self, data)

    def _reaches_client(self, frame: Any) -> None:
        if self.at_client:
            self._client.hears_on(self, frame)

    def _delay(self) -> float:
        return self._scene.chance.random() * self._scene.weather.delay_s

    # -- its end --

    def close(self) -> None:
        """The client ends it; what it said before still arrives."""
        if self.at_client:
            self.at_client = False
            self._scene.agenda.at(self._last[UP] + self._delay(), self.gone)

    def cut(self, reason: str = "cut", notice_s: float | None = 0.0, lingers: bool = False) -> None:
        """It breaks. The broker hears of it after so long, or never; ``lingers``: what was on its way up arrives."""
        if self.at_client:
            self._lost(reason)
        if not lingers:
            self.deaf.add(UP)
            self.at_broker = False
        if notice_s is not None:
            self._scene.agenda.after(notice_s, self.gone)

    def strays(self) -> None:
        """It will soon break, and what is said over it until then arrives when the next one stands."""
        self._last[UP] = self._scene.agenda.tick + STRAYS_S
        self._scene.agenda.after(SOON_S, partial(self.cut, "cut", None, lingers=True))

    def _lost(self, reason: str) -> None:
        if self.at_client:
            self.at_client = False
            self._client.lost(self, reason)

    def gone(self) -> None:
        """The broker hears that it has ended."""
        if self._scene.lines.pop(self.peer, None):
            self.at_broker = False
            self._scene.comes(Gone(self.peer))

    def hung_up(self) -> None:
        """The broker ends it; the client hears of it soon."""
        self.gone()
        self._scene.agenda.at(self._last[DOWN] + self._delay(), partial(self._lost, "cut"))
