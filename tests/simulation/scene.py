"""The simulated world: the broker's core and the clients' cores, between a simulated network, disk and clock."""

from __future__ import annotations

from base64 import b32encode
from pathlib import Path
from random import Random
from typing import Any

from core.clock import Instant
from core.commands import HangUp, Prove, Send
from core.events import Closing, Gone, ProofArrived
from core.received import Event
from core.retention import Keep
from protocol import limits
from protocol.frames import AnyFrame, decode
from tests.core.faults import Crash
from tests.core.world import BROKER, World
from tests.simulation.agenda import Agenda, Alarm
from tests.simulation.device import Device
from tests.simulation.disk import Disk
from tests.simulation.folder import Folders
from tests.simulation.invariants import Checker
from tests.simulation.network import Line, Weather
from tests.simulation.shelf import FileShelf, MemoryShelf, Shelf
from tests.simulation.timeline import Timeline
from tests.simulation.trace import Trace

WALL = 1_750_000_000_000
# Between what comes and the broker's turn: so that several things may come into one.
TURN_S = 0.005
# Actions at one moment of simulated time: more means that somebody spins.
MOST_AT_ONCE = 20_000
# What a run of a client is numbered with.
RUN_BITS = 37


class Scene(World):
    """Everything there is. ``step`` lets the next thing happen. ``root``: real files, there."""

    def __init__(self, chance: Random, root: Path | None = None, keep: Keep | None = None) -> None:
        self.chance = chance
        self.agenda = Agenda()
        self.trace = Trace()
        self.weather = Weather()
        self.lines: dict[bytes, Line] = {}
        self.devices: list[Device] = []
        self.is_down = False
        self.doom = 0  # the broker dies after so many steps; 0: it does not
        self.worker_s = 0.1  # how long a password takes at most
        self._worked = 0.0
        self.wall_ms = 0  # how far the wall clock has been put
        self.life = 0
        self.crashes = 0
        self.restores = 0
        self.is_healed = False  # nothing goes wrong any more
        self.steps = 0
        self.alarm = Alarm(self.agenda, self._broker_wakes)
        self.disk = Disk(self._shelf(root), self.agenda, chance)
        self.checker = Checker(self)
        self.folders = Folders(self._new_id, root, self._bytes)
        self._at_once = 0
        self.copies: list[tuple[Any, Timeline]] = []  # of the store
        self.passwords: dict[str, list[str]] = {}  # account → all that it ever had, the newest last
        super().__init__(self.disk, keep=keep)
        self.checker.begins(self.disk.epoch)
        self.runs = iter(lambda: chance.getrandbits(RUN_BITS), None)  # type: ignore[assignment]
        self.disk.point, self.disk.watch = self.point, self.checker.committed

    def _shelf(self, root: Path | None) -> Shelf:
        return MemoryShelf("epoch 1", BROKER) if root is None else FileShelf(root, self._bytes)

    def _bytes(self, size: int) -> bytes:
        return self.chance.randbytes(size)

    def _new_id(self) -> str:
        return b32encode(self._bytes(10)).decode().lower()

    # -- time --

    @property
    def now(self) -> Instant:
        tick = self.agenda.tick
        return Instant(tick, WALL + round((tick - 1000) * 1000) + self.wall_ms)

    @now.setter
    def now(self, now: Instant) -> None:
        """The agenda knows."""

    def step(self) -> None:
        """The next thing happens."""
        before = self.agenda.tick
        action = self.agenda.take()
        self._at_once = self._at_once + 1 if self.agenda.tick == before else 0
        if self._at_once > MOST_AT_ONCE:
            self.checker.restless("the world")
        self.steps += 1
        action()

    def run_until(self, tick: float) -> None:
        """Everything that is to happen up to then."""
        while self.agenda.next <= tick:
            self.step()
        self.agenda.tick = tick

    def note(self, who: str, what: str, thing: Any = "") -> None:
        self.trace.note(self.agenda.tick, who, what, thing)

    # -- the broker --

    def comes(self, event: Event) -> None:
        """Something for the broker."""
        if not self.is_down:
            self.inbox.append(event)
            self.alarm.set(self.agenda.tick + self.chance.random() * TURN_S)

    def hears(self, line: Line, data: bytes) -> None:
        """These bytes have come over a connection."""
        self.receive(line.peer, data, line.key, line.address)
        self.alarm.set(self.agenda.tick + self.chance.random() * TURN_S)

    def point(self, where: str) -> None:
        """Here the broker may die."""
        if self.doom:
            self.doom -= 1
            if not self.doom:
                self.note("broker", "dies", where)
                raise Crash

    def _broker_wakes(self) -> None:
        if self.is_down:
            return
        events, self.inbox = self.inbox, []
        self.checker.turn_begins(events)
        try:
            self.point("turn")
            self.broker.turn(events, self.now)
        except Crash:
            self.crash()
        else:
            self.checker.turn_ends()
            if self.inbox or self.broker.pending:
                self.alarm.set(self.agenda.tick + self.chance.random() * TURN_S)
            self.alarm.set(self.broker.core.deadline())
            self.alarm.set(self.disk.due)

    def crash(self, down_s: float | None = None) -> None:
        """The process is no more; after a while another one begins. Some connections seem to stand."""
        self.note("broker", "is down")
        self.crashes += 1
        self.is_down, self.doom = True, 0
        self.life += 1
        self.inbox, self.proofs = [], []
        self.knockers.clear()
        self.disk.crash()
        self.checker.broker_died()
        for line in list(self.lines.values()):
            if not (line.stands and line.at_client and line.at_broker and self.chance.random() < 0.2):
                self.lines.pop(line.peer)
                line.cut("cut", notice_s=None)
        self.agenda.after(self.chance.choice((0.0, 0.3, 8.0)) if down_s is None else down_s, self._comes_back)

    def copy_store(self) -> None:
        """An operator copies the store."""
        self.copies.append((self.disk.copy(), self.checker.line.copy()))
        self.note("operator", "copies", len(self.copies))

    def put_back(self, number: int, by_hand: bool) -> None:
        """The broker ends, and comes back with one of the copies."""
        if not self.is_down:
            self.crash()
        self.restores += 1
        copy, line = self.copies[number]
        self.disk.put_back(copy, "" if by_hand else f"epoch {self.restores + 1}")
        self.note("operator", "puts back", (number + 1, self.disk.epoch))
        self.checker.put_back(line, self.disk.epoch, by_hand)

    def _comes_back(self) -> None:
        if self.is_down:
            self.note("broker", "is back")
            self.is_down = False
            self.start()
            self.alarm.set(self.agenda.tick)

    def ends(self) -> None:
        """The broker is asked to end, and does."""
        if not self.is_down:
            self.inbox.append(Closing())
            self._broker_wakes()
            while not self.is_down and (self.broker.pending or self.disk.due is not None):
                self.agenda.tick = max(self.agenda.tick, self.disk.due or 0.0)
                self._broker_wakes()
            if not self.is_down:
                self.crash()

    def _send(self, send: Send) -> None:
        assert len(send.frame) <= limits.PART_BYTES, "ZeroMQ would cut the connection"
        self.point("send")
        frame: AnyFrame = decode(send.frame)
        line = self.lines.get(send.peer)
        self.note("broker", f"to {self.name(send.peer)}", frame)
        self.checker.broker_says(send.peer, frame)
        if line is None:
            self.inbox.append(Gone(send.peer))
        else:
            line.down(frame)

    def _hang_up(self, hang_up: HangUp) -> None:
        line = self.lines.get(hang_up.peer)
        if line:
            line.hung_up()

    def _prove(self, prove: Prove) -> Event | None:
        if self.busy:
            return ProofArrived(prove.cause, None)
        life = self.life
        self._worked = max(self._worked, self.agenda.tick + self.chance.random() * self.worker_s)  # one after the other
        self.agenda.at(self._worked, lambda: self._proved(prove, life))
        return None

    def _proved(self, prove: Prove, life: int) -> None:
        if life == self.life and not self.is_down:
            self.proofs = [prove]
            self._answer_proofs()
            self.alarm.set(self.agenda.tick)

    def name(self, peer: bytes) -> str:
        """Who is there, for people."""
        return self.lines[peer].label if peer in self.lines else "nobody"

    # -- devices --

    def adds(self, name: str, reads: bool = True) -> Device:
        """Somebody has installed the program."""
        number = 1 + sum(each.name == name for each in self.devices)
        device = Device(self, name, number, self.folders.make(), reads)
        self.devices.append(device)
        self.checker.knows(device)
        self.passwords.setdefault(device.account, ["secret"])
        return device

    def copies_folder(self, device: Device) -> Device:
        """Somebody copies a folder, with the key in it; the copy is a device that nobody has started."""
        number = 1 + sum(each.name == device.name for each in self.devices)
        twin = Device(self, device.name, number, self.folders.copy(device.folder), device.reads)
        self.keys[twin.folder] = self.keys[device.folder]  # type: ignore[index]
        device.is_copied = twin.is_copied = True
        twin.given, twin.revoked = device.given, device.revoked
        return twin

    def close(self) -> None:
        """Let go of real files."""
        self.disk.close()
        for device in self.devices:
            device.folder.close()
