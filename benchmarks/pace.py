"""Messages that are due at moments of their own, whatever the broker does: how long people wait.

A wait is counted from the moment at which a message was due, not from when it could be sent: a broker that stalls can't
hide its stall by holding the load generator back.
"""

from __future__ import annotations

import select
import time
from collections import deque
from typing import NamedTuple

from benchmarks.load import PATIENCE_S, Crowd, Member, Silence
from protocol import frames

# Nobody's clock is right to less than this.
_SOON_S = 20e-6
_DUE_CHARS = 20


class Flight(NamedTuple):
    """One message that was sent and is not yet accepted."""

    n: int
    due: float
    frame: bytes


class Lane:
    """What one device has to send: it outlives the connection."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[float, str]] = deque()  # due, for whom; a window was full
        self.flying: deque[Flight] = deque()
        self.connecting = 0.0  # since when; 0: it is logged in


class Paced:
    """A crowd that sends what is due. Its lists of waits are in seconds."""

    def __init__(self, crowd: Crowd, size: int) -> None:
        self._crowd = crowd
        self._size = size
        self._lanes: dict[str, Lane] = {}
        self.accepted: list[float] = []  # from due to Accepted
        self.delivered: list[float] = []  # from due to delivered, for each reader
        self.logins: list[float] = []  # from the connection to Welcome, of those that came back

    def lane(self, member: Member) -> Lane:
        """What this device has to send."""
        return self._lanes.setdefault(member.device.account, Lane())

    @property
    def posted(self) -> int:
        """How many messages are due or were."""
        return len(self.accepted) + sum(len(each.waiting) + len(each.flying) for each in self._lanes.values())

    def post(self, member: Member, to: str, due: float) -> None:
        """Send now what was due at this moment, or as soon as there is room."""
        self.lane(member).waiting.append((due, to))
        self._fill(member)

    def again(self, member: Member) -> Member:
        """Cut this device's connection and open another one, with the cursors that it has."""
        self._crowd.part(member)
        self.lane(member).connecting = time.perf_counter()
        fresh = self._crowd.connect(member.device, member.reads, member.cursors)
        fresh.sent = member.sent
        return fresh

    def is_away(self, member: Member) -> bool:
        """Whether it has not come back yet."""
        return bool(self.lane(member).connecting)

    def listen(self, until: float) -> None:
        """Take what comes until this moment, and at least what is there."""
        descriptor = self._crowd.socket.fileno()
        while True:
            heard = 0
            for member, data in self._crowd.ready():
                self._take(member, data)
                heard += 1
            left = until - time.perf_counter()
            if left <= _SOON_S:
                return
            if not heard and not self._crowd.socket.poll(0):
                select.select([descriptor], [], [], left)

    def finish(self, deliveries: int) -> None:
        """Listen until everything is accepted and so much was delivered."""
        end = time.perf_counter() + PATIENCE_S
        while len(self.accepted) < self.posted or len(self.delivered) < deliveries:
            if time.perf_counter() > end:
                raise Silence(f"{self.posted - len(self.accepted)} not accepted, {len(self.delivered)} of {deliveries}")
            self.listen(time.perf_counter() + 0.01)

    def _fill(self, member: Member) -> None:
        lane = self.lane(member)
        while lane.waiting and len(lane.flying) < member.window and not lane.connecting:
            due, to = lane.waiting.popleft()
            member.sent += 1
            body = f"{due:.9f}".rjust(_DUE_CHARS).ljust(self._size).encode()
            frame = frames.encode(frames.Post(member.sent, [frames.Item(to, "none", body)]))
            lane.flying.append(Flight(member.sent, due, frame))
            self._crowd.say(member, frame)

    def _take(self, member: Member, data: bytes) -> None:
        frame, now = frames.decode(data), time.perf_counter()
        if isinstance(frame, frames.Accepted):
            member.window = frame.window_messages or member.window
            self._settle(member, frame.n, now)
        elif isinstance(frame, frames.Deliver):
            self._deliver(member, frame, now)
        elif isinstance(frame, frames.Welcome):
            self._welcome(member, frame, now)
        elif isinstance(frame, frames.Refused | frames.Stranger | frames.Bye):
            raise Silence(f"{member.device.account}: {frame}")

    def _settle(self, member: Member, n: int, now: float) -> None:
        flying = self.lane(member).flying
        while flying and flying[0].n <= n:
            self.accepted.append(now - flying.popleft().due)
        self._fill(member)

    def _deliver(self, member: Member, deliver: frames.Deliver, now: float) -> None:
        for run in deliver.runs:
            known = member.cursors.get(run.log, 0)
            fresh = run.envelopes[max(0, known + 1 - run.first) :]
            self.delivered += [now - float(envelope.body[:_DUE_CHARS]) for envelope in fresh]
            member.cursors[run.log] = max(known, run.first + len(run.envelopes) - 1)
        self._crowd.say(member, frames.encode(frames.Ack(member.cursors)))

    def _welcome(self, member: Member, welcome: frames.Welcome, now: float) -> None:
        """What the broker has is accepted; the rest is sent again, under its numbers."""
        lane = self.lane(member)
        self.logins.append(now - lane.connecting)
        self._settle(member, welcome.last, now)
        for flight in lane.flying:
            self._crowd.say(member, flight.frame)
        lane.connecting = 0.0
        self._fill(member)
