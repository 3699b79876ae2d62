"""One session: an authenticated device behind a connection, its window, and where it is in each log.

A session is soft state. It holds no messages that wait: only those on their way (the window) are counted,
and what does not fit stays in the log until there is room (law 4).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from core.commands import Command, Fetch, Reason, Send
from core.packing import Packing, Piece
from core.records import Key, pack_visits
from protocol import frames, limits


class Reading:
    """One log as one session reads it."""

    __slots__ = ("acked", "flights", "head", "sent")

    def __init__(self, sent: int, head: int) -> None:
        self.acked = 0  # the highest seq that the device has said to have, in this session
        self.sent = sent  # the highest seq sent, or known to be in the journal
        self.head = head  # the highest seq that may exist
        self.flights: deque[tuple[int, int, int]] = deque()  # (last seq, messages, bytes) not yet acked


class Session:
    """Who is behind a connection, and what is on the way to it."""

    def __init__(self, peer: bytes, account: str, name: str, device_id: str, device: str, reads: bool) -> None:
        self.peer = peer
        self.account = account  # the compared form
        self.name = name  # as registered
        self.device_id = device_id
        self.device = device  # the store's name of it
        self.reads = reads
        self.bot = False  # a program talks here: what it sends is marked
        self.address = ""
        self.origin = ""  # by what its address is counted
        self.key = ""  # the public key that it came with: nobody else may speak for it
        self.connection = 0  # the number of its connection
        self.seen: Key | None = None  # what is written down about that key
        self.seen_version = 0
        self.asked = 0  # questions in this turn
        self.taken = 0  # bytes of sends in this turn
        self.offended = False  # in this turn: one refusal is enough
        self.granted = limits.WINDOW_MESSAGES  # sends that it was told to have on their way at most
        self.heard_at = 0.0  # tick of the last frame
        self.began_at = 0  # Unix time in ms
        self.last = 0  # the highest n handed to the store
        self.durable = 0  # the highest n on disk
        self.told = 0  # the highest n that this session has been told about
        self.refused: dict[int, Reason] = {}  # by n, as long as it may be asked for
        self.visit = 0  # this session, as its device numbers it
        self.visits: list[frames.Visit] = []  # in which the device's last sends were made
        self.visit_packed = b""  # the same, packed, once this session has sent something
        self.expects = False  # a number is missing: say so
        self.rooms: dict[str, str] = {}  # log → the room's name as shown
        self.routes: dict[str, tuple[tuple[str, ...], str]] = {}  # address as typed → logs, name as shown
        self.readings: dict[str, Reading] = {}
        self.behind: dict[str, None] = {}  # logs that hold more than was sent, in order of service
        self.behind_since: float | None = None  # tick at which that began
        self.messages = 0  # on the way
        self.size = 0  # bytes on the way
        self.outgoing: list[Piece] = []
        self.delivered = 0  # messages that were sent to it

    def visit_begun(self) -> bytes:
        """The visits up to this one, packed: the first send of a session makes it one of them."""
        if not self.visit_packed:
            if not self.visits or self.visits[-1].id != self.visit:
                self.visits = [*self.visits, frames.Visit(self.visit, self.last)][-limits.DEVICE_VISITS :]
            self.visit_packed = pack_visits(self.visits)
        return self.visit_packed

    # -- delivery --

    def read(self, log: str, sent: int, head: int) -> None:
        """Begin to read a log behind seq ``sent``."""
        self.readings[log] = Reading(sent, head)
        if sent < head:
            self.behind[log] = None

    def forget(self, log: str) -> None:
        """Read a log no longer: what was about to leave is not said either, for it counts no longer."""
        reading = self.readings.pop(log, None)
        self.behind.pop(log, None)
        self.outgoing = [piece for piece in self.outgoing if piece.log != log]
        if reading:
            self._land(reading, reading.sent)

    def offer(self, log: str, pieces: list[Piece]) -> None:
        """Take what continues this session's reading and fits its window; the rest is fetched later."""
        reading = self.readings[log]
        reading.head = max(reading.head, pieces[-1].last)
        for piece in pieces:
            if reading.sent + 1 != piece.first or not self._fits(piece):
                break
            self._launch(reading, piece)
        if reading.sent < reading.head:
            self.behind[log] = None

    def fetched(self, log: str, first: int, pieces: list[Piece], complete: bool) -> None:
        """The store answered a Fetch: what there is from ``first`` on; complete: there was nothing more behind it."""
        reading = self.readings[log]
        # What was pruned meanwhile can't be had: the device will see the hole, say Hello, and learn where to begin.
        reading.sent = max(reading.sent, first - 1)
        last = pieces[-1].last if pieces else reading.sent
        # A hint says that there is more, not how much; so does an answer that stops before the end.
        reading.head = last if complete else max(reading.head, last + 1)
        if pieces:
            self.offer(log, pieces)
        if reading.sent >= reading.head:
            self.behind.pop(log, None)

    def ack(self, log: str, pos: int) -> int:
        """The device has everything up to pos; the cursor that follows from it, -1 if that says nothing new."""
        reading = self.readings.get(log)
        if reading is None:
            return -1
        pos = min(pos, reading.sent)  # what was never sent can't have been received
        if pos <= reading.acked:
            return -1
        reading.acked = pos
        self._land(reading, pos)
        return pos

    def wish(self, tick: float) -> Fetch | None:
        """What to read next from the store: the window moves in steps, one log after the other."""
        if not self.behind:
            self.behind_since = None
            return None
        if self.behind_since is None:
            self.behind_since = tick
        room = limits.WINDOW_MESSAGES - self.messages
        size = limits.WINDOW_BYTES - self.size
        if self.messages and (room < limits.PACK_MESSAGES or size < limits.FRAME_BYTES):
            return None
        log = next(iter(self.behind))
        self.behind[log] = self.behind.pop(log)
        return Fetch(self.peer, log, self.readings[log].sent, room, size)

    @property
    def backlog(self) -> int:
        """How many messages there are, or may be, that were not sent to it yet."""
        return sum(max(0, each.head - each.sent) for each in self.readings.values())

    # -- what is said at the end of a turn --

    def speak(self, grant: int, packing: Packing) -> Iterator[Command]:
        """The frames that this turn's events have left for this session, gathered; ``grant`` is its window from now."""
        self.asked, self.taken, self.offended = 0, 0, False
        if self.told < self.durable:
            for accepted in self._accepts(grant):
                yield Send(frames.encode(accepted), self.peer)
            self.told = self.durable
        if self.expects:
            self.expects = False
            yield Send(frames.encode(frames.Expected(self.last + 1)), self.peer)
        for packed in packing.frames(self.outgoing):
            yield Send(packed, self.peer)
        self.outgoing = []

    def _accepts(self, grant: int) -> Iterator[frames.Accepted]:
        """One Accepted, unless so much was refused that its sentences need more frames."""
        news, self.granted = grant if grant != self.granted else 0, grant
        refusals, size = list[frames.Refusal](), 0
        asked = limits.WINDOW_MESSAGES + limits.PACK_MESSAGES  # what may be unconfirmed, and asked about again
        if len(self.refused) > asked:
            self.refused = {n: why for n, why in self.refused.items() if n > self.durable - asked}
        for n in sorted(self.refused):
            if not self.told < n <= self.durable:
                continue
            refusal = frames.Refusal(n, *self.refused[n])
            size += len(frames.encode(refusal))
            if size > limits.FRAME_BYTES or len(refusals) == limits.WINDOW_MESSAGES:
                yield frames.Accepted(n - 1, refusals)
                refusals, size = [], len(frames.encode(refusal))
            refusals.append(refusal)
        yield frames.Accepted(self.durable, refusals, news)

    def _fits(self, piece: Piece) -> bool:
        messages = self.messages + piece.last - piece.first + 1
        return messages <= limits.WINDOW_MESSAGES and self.size + piece.size <= limits.WINDOW_BYTES

    def _launch(self, reading: Reading, piece: Piece) -> None:
        messages = piece.last - piece.first + 1
        reading.flights.append((piece.last, messages, piece.size))
        reading.sent = piece.last
        self.messages += messages
        self.delivered += messages
        self.size += piece.size
        self.outgoing.append(piece)

    def _land(self, reading: Reading, pos: int) -> None:
        while reading.flights and reading.flights[0][0] <= pos:
            _, messages, size = reading.flights.popleft()
            self.messages -= messages
            self.size -= size
