"""One seeded story: who is there, what they do, and what goes wrong. Then the faults stop, and all must be well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import msgspec

from core import retention, sends, typed
from core.retention import Keep
from protocol import limits, remarks
from protocol.frames import Item, encode
from store import memory, turn
from tests.simulation.agenda import BEGINNING
from tests.simulation.device import Client, Device
from tests.simulation.ending import check_all
from tests.simulation.folder import Folder
from tests.simulation.network import DOWN, UP
from tests.simulation.scene import Scene
from tests.simulation.seen import Seen

# Who comes at the beginning: accounts by device; the last only sends.
CAST = ("alice", "alice", "bob", "bob", "carol", "Dora", "Dora")
LATE = "eve"  # registers in the middle, if at all
ADDRESSES = ("#lobby", "#lobby", "#garden", "#garden", "#Cellar", "alice", "Bob", "carol", "dora", "nobody", LATE)
ROOMS = ("#garden", "#Garden", "#Cellar")
PLACES = ("127.0.0.1", "192.0.2.1", "192.0.2.2", "2001:db8::1")

# After so long without faults everybody must be back, with everything: the longest silence that nobody notices, the
# longest pauses between attempts, and some.
RECOVERY_S = 150.0
# And then so long nothing may happen but signs of life.
QUIET_S = 25.0
# So long after the end of all faults somebody says a last word, and dies; after so long again they are back.
LAST_WORD_S, AFTER_IT_S = 50.0, 40.0
# So long the broker must have known the time before it forgets anything.
STEADY_S = 3.0
MOST_DEVICES = 11


class Sizes(msgspec.Struct):
    """Limits of one story: with small ones windows fill."""

    window: int = 256
    pack: int = 64
    window_bytes: int = limits.WINDOW_BYTES
    frame_bytes: int = limits.FRAME_BYTES
    turn_sends: int = 4096
    keep_s: int = 0  # for so long messages are kept; 0: for ever


def draw_sizes(chance: Random) -> Sizes:
    sizes = Sizes()
    if chance.random() < 0.6:
        sizes.window = chance.choice((2, 5, 16, 40))
        sizes.pack = max(1, sizes.window // chance.choice((1, 2, 4)))
        sizes.turn_sends = chance.choice((64, 4096))
    if chance.random() < 0.2:
        sizes.frame_bytes, sizes.window_bytes = 600, 1500
    if chance.random() < 0.1:
        sizes.keep_s = chance.choice((8, 20, 60))
    return sizes


@contextmanager
def using(sizes: Sizes) -> Iterator[None]:
    """The program reads its limits when it needs them; so they can be others for a while."""
    drawn: tuple[tuple[ModuleType, str, float], ...] = (
        (limits, "WINDOW_MESSAGES", sizes.window),
        (limits, "PACK_MESSAGES", sizes.pack),
        (limits, "WINDOW_BYTES", sizes.window_bytes),
        (limits, "FRAME_BYTES", sizes.frame_bytes),
        (memory, "REFUSALS_KEPT", sizes.window),
        (turn, "REFUSALS_KEPT", sizes.window),
        (sends, "SHARE_LEAST", min(sends.SHARE_LEAST, sizes.window)),
        (sends, "TURN_SENDS", sizes.turn_sends),
        (retention, "STEADY_S", STEADY_S),
    )
    before = [(module, name, getattr(module, name)) for module, name, _ in drawn]
    for module, name, value in drawn:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


class Story:
    """``play`` plays it. ``root``: with a real store and real journals, there."""

    def __init__(self, seed: int, root: Path | None = None) -> None:
        self.chance = Random(seed)
        self.sizes = draw_sizes(self.chance)
        keep = Keep(age_ms=self.sizes.keep_s * 1000) if self.sizes.keep_s else None
        self.scene = Scene(self.chance, root, keep)
        self.agenda = self.scene.agenda
        self.disk = self.scene.disk
        self._texts = 0
        length = self.chance.choice((40.0, 80.0, 120.0))
        self._end = self.agenda.tick + length
        self._pace = length / 80
        self._saved: list[tuple[Device, Folder, Seen]] = []  # copies of folders
        self._by_hand = self.chance.random() < 0.2
        self.faults = self._draw_faults()

    @property
    def lasted(self) -> float:
        """Seconds of simulated time."""
        return self.agenda.tick - BEGINNING

    def _draw_faults(self) -> dict[str, tuple[Callable[[], None], float]]:
        """What goes wrong, and every how many seconds. Not all at once, or each would hide the others."""
        kinds: tuple[tuple[Callable[[], None], float], ...] = (
            (self.cut, 8.0),
            (self.roam, 15.0),
            (self.hurry, 10.0),
            (self.deafen, 20.0),
            (self.freeze, 10.0),
            (self.kill, 8.0),
            (self.part, 15.0),
            (self.crash, 12.0),
            (self.close, 40.0),
            (self.fill, 25.0),
            (self.doubt, 20.0),
            (self.delay_disk, 25.0),
            (self.storm, 20.0),
            (self.hold_worker, 30.0),
            (self.slip, 15.0),
            (self.change_password, 15.0),
            *([] if self.sizes.keep_s else [(self.set_clock, 30.0)]),
        )
        share = self.chance.choice((0.0, 0.2, 0.4, 0.6))
        chosen = [each for each in kinds if self.chance.random() < share]
        # Who gives back what the broker has lost must be there: so not both.
        past = self.chance.choice(("", "", "store", "folders"))
        if past == "store":
            chosen += [(self.copy_store, 10.0), (self.put_back, 20.0)]
        elif past == "folders":
            chosen += [(self.delay_disk, 10.0)] if self.chance.random() < 0.5 else []
            chosen += [(self.copy_folder, 20.0), (self.save_folder, 8.0), (self.replace_folder, 20.0)]
        self._is_late = any(kind in (self.delay_disk, self.doubt) for kind, _ in chosen)
        return {kind.__name__: (kind, every * self.chance.choice((0.5, 1.0, 3.0))) for kind, every in chosen}

    # -- the whole --

    def play(self) -> None:
        """All of it; Broken if a law was broken."""
        with using(self.sizes):
            self.scene.note("story", "faults", {name: every for name, (_, every) in self.faults.items()})
            self.scene.note("story", "sizes", self.sizes)
            self._begin()
            self.scene.run_until(self._end)
            self._heal()
            if self.chance.random() < 0.2:
                self.agenda.after(LAST_WORD_S, self._last_word)
            self.scene.run_until(self.agenda.tick + RECOVERY_S)
            self.scene.checker.is_calm = True
            self.scene.run_until(self.agenda.tick + QUIET_S)
            check_all(self.scene)

    def _begin(self) -> None:
        for name in CAST:
            device = self.scene.adds(name, reads=not (name == "Dora" and self._has("Dora")))
            device.given = self.chance.random() < 0.3
            # An account's further devices come when it is there: two that register at once would both be right.
            self.agenda.after(self.chance.random() * (8 if device.label.endswith("2") else 1), device.start)
        life: tuple[tuple[Callable[[], None], float], ...] = (
            (self.speak, 0.8),
            (self.burst, 12.0),
            (self.move_house, 6.0),
            (self.ask, 8.0),
            (self.remark, 3.0),
            (self.forge, 15.0),
            (self.arrive, 40.0),
            (self.revoke, 60.0),
        )
        for act, every in (*life, *self.faults.values()):
            self._repeat(act, every * self._pace)

    def _has(self, name: str) -> bool:
        return any(each.name == name for each in self.scene.devices)

    def _repeat(self, act: Callable[[], None], every: float) -> None:
        def go() -> None:
            if self.agenda.tick < self._end:
                act()
                self.agenda.after(self.chance.expovariate(1 / every), go)

        self.agenda.after(self.chance.expovariate(1 / every), go)

    def _heal(self) -> None:
        """From now on nothing goes wrong, and everybody comes back."""
        scene = self.scene
        scene.note("story", "all is healed")
        scene.weather.calm()
        self.disk.calm()
        scene.is_healed, scene.doom, scene.busy, scene.worker_s = True, 0, False, 0.1
        for device in scene.devices:
            if device.client:
                device.client.doom = 0
                device.client.frees()
            device.start()

    def _last_word(self) -> None:
        """Somebody says something, and they and the broker die before it is stored. It is, later: in silence."""
        device = self._one()
        if device.runs and not device.revoked and not device.is_replaced:
            self.disk.late_s, self.disk.outlives = 4.0, 1.0
            self._say(device, 1)
            self.agenda.after(0.1, lambda: self._falls_silent(device))

    def _falls_silent(self, device: Device) -> None:
        self.scene.crash(down_s=0.0)
        self.disk.calm()
        if device.client:
            device.client.perishes()
        self.agenda.after(AFTER_IT_S, device.start)

    def _later(self, most_s: float, act: Callable[[], Any]) -> None:
        self.agenda.after(self.chance.random() * most_s, act)

    def _one(self) -> Device:
        return self.chance.choice(self.scene.devices)

    # -- life --

    def speak(self) -> None:
        self._say(self._one(), self.chance.choice((1, 1, 1, 2, 5)))

    def burst(self) -> None:
        """As much as fills windows."""
        many = min(self.sizes.window * 3, 60)
        self._say(self._one(), many, self.chance.choice(ADDRESSES))

    def _say(self, device: Device, count: int, to: str = "") -> None:
        if not device.runs:
            return
        for _ in range(count):
            self._texts += 1
            text = f"{self._texts}" + "." * self.chance.choice((0, 0, 0, 60))
            where = to or self.chance.choice(ADDRESSES)
            self.scene.checker.typed(device, text, where)
            self.scene.note(device.label, "types", (where, text))
            device.types(typed.Wrote(text=text, to=where))

    def remark(self) -> None:
        """Somebody goes somewhere, and changes, takes back or reacts to what was said there."""
        device, back = self._one(), self.chance.choice((1, 1, 2))
        place = self.chance.choice(ADDRESSES[:-2])
        self._texts += 1
        kinds = (
            typed.Edited(text=f"edit {self._texts}", back=back),
            typed.Deleted(back=back),
            typed.Reacted(sign="+1", back=back),
        )
        device.types(typed.Chose(to=place), self.chance.choice(kinds))

    def forge(self) -> None:
        """A client that is no honest one wants to change or take back what somebody else has said."""
        client = self._one().client
        if client is None or client.frozen or not client.let_in:
            return
        others = [each for each in client.folder.whole("#lobby") if each.author != client.name]
        if others:
            message = self.chance.choice(others)
            seqs = [self.chance.randint(1, len(others))]
            lie: remarks.Remark = remarks.Delete(message.device, message.n, seqs)
            if self.chance.random() < 0.5:
                lie = remarks.Edit(message.device, message.n, seqs, "a lie")
            item = Item("#lobby", remarks.enc(lie), encode(lie))
            client.does_now(client.core.posting.keep(item, typed.Typed(), client.core.online))

    def move_house(self) -> None:
        self._move_house(self._one())

    def _move_house(self, device: Device) -> None:
        """Into a room, or out of one."""
        kind = self.chance.choice((typed.JoinedRoom, typed.JoinedRoom, typed.LeftRoom))
        device.types(kind(room=self.chance.choice(ROOMS)))

    def ask(self) -> None:
        questions = (typed.AskedWho(), typed.AskedContacts(), typed.AskedDevices(), typed.AddedContact(account="bob"))
        self._one().types(self.chance.choice(questions))

    def arrive(self) -> None:
        """One more device, of somebody who is there or of somebody new."""
        if len(self.scene.devices) < MOST_DEVICES:
            name = self.chance.choice(("alice", "carol", LATE))
            self.scene.adds(name).start()

    def revoke(self) -> None:
        self._revoke(self._one())

    def _revoke(self, device: Device) -> None:
        """Somebody lets one of their devices in no more, perhaps the one they sit at."""
        own = [each for each in self.scene.devices if each.name == device.name]
        if device.runs and len(own) > 1 and sum(not each.revoked for each in own) > 1:
            lost = self.chance.choice(own)
            for each in own:  # a copy of its folder has the same key
                each.revoked |= self.scene.keys[each.folder] == self.scene.keys[lost.folder]  # type: ignore[index]
            self.scene.note(device.label, "revokes", lost.label)
            device.types(typed.RevokedDevice(device=lost.folder.device))

    # -- faults: of the network --

    def cut(self) -> None:
        client = self._one().client
        if client:
            self._cut(client, self.chance.choice((0.0, 0.2, 5.0, None)), lingers=self.chance.random() < 0.5)

    def _cut(self, client: Client, notice_s: float | None, lingers: bool) -> None:
        if client.line and client.line.stands:
            client.line.cut("cut", notice_s, lingers)

    def roam(self) -> None:
        """Another network: the old connection is dead, and nobody says so to the broker. Perhaps it is so once more."""
        device = self._one()
        device.address = self.chance.choice(PLACES)
        device.strays = self.chance.random() < 0.5
        if device.client:
            device.client.address = device.address
            self._cut(device.client, None, lingers=True)

    def hurry(self) -> None:
        """Somebody asks for something that takes several commits, and is gone before the answer."""
        device = self._one()
        client = device.client
        if client and client.core.online and device.runs:
            self.chance.choice((self._move_house, self._move_house, self._revoke))(device)
            self._later(0.1, lambda: self._cut(client, self.chance.random() * 0.1, lingers=True))

    def deafen(self) -> None:
        client = self._one().client
        if client and client.line:
            client.line.deaf |= set(self.chance.choice(((UP,), (DOWN,), (UP, DOWN))))

    def storm(self) -> None:
        """For a while frames are lost, doubled, or slow."""
        weather = self.scene.weather
        weather.lose, weather.double = self.chance.choice(((0.1, 0.0), (0.0, 0.1), (0.05, 0.05), (0.0, 0.0)))
        weather.delay_s = self.chance.choice((0.02, 0.5, 3.0))
        self._later(20.0, weather.calm)

    # -- of clients --

    def freeze(self) -> None:
        """Somebody stops a client; what is said meanwhile waits."""
        client = self._one().client
        if client and not client.frozen:
            client.frozen = True
            self.scene.note(client.label, "is stopped")
            self._later(self.chance.choice((2.0, 20.0, 80.0)), client.frees)

    def kill(self) -> None:
        device = self._one()
        if device.client:
            device.client.doom = self.chance.randint(1, 12)
            self._later(30.0, device.start)

    def part(self) -> None:
        """Somebody says good-bye, and comes back."""
        device = self._one()
        if device.client and device.runs:
            device.client.quits()
            self._later(60.0, device.start)

    # -- of folders --

    def copy_folder(self) -> None:
        """From now on there are two of it."""
        device = self._one()
        if len(self.scene.devices) < MOST_DEVICES + 2 and not device.revoked:
            self._rests(device)
            twin = self.scene.copies_folder(device)
            self.scene.devices.append(twin)
            self.scene.checker.knows(twin, self.scene.checker.copied(device))
            self.scene.note(device.label, "is copied", twin.label)
            self._later(self.chance.choice((0.0, 5.0, 40.0)), twin.start)
            for each in (device, twin):  # both have something to say while the one comes and the other goes
                self._later(0.5, partial(self._say, each, 1))

    def _rests(self, device: Device) -> None:
        """Where a commit may end later than its turn, what a running client has on its way when its folder is copied
        can't be told from what its copy says: so nobody runs there.
        """
        if self._is_late and device.client:
            device.client.perishes()
            self._later(5.0, device.start)

    def save_folder(self) -> None:
        device = self._one()
        if not device.revoked and self.scene.checker.seen[device.label].last:
            self._rests(device)
            twin = self.scene.copies_folder(device)
            self._saved.append((device, twin.folder, self.scene.checker.copied(device)))

    def replace_folder(self) -> None:
        """An old copy of a folder is put in its place."""
        if self._saved:
            device, folder, seen = self._saved.pop(self.chance.randrange(len(self._saved)))
            if device.client:
                device.client.perishes()
            self.scene.note(device.label, "is replaced")
            self.scene.checker.replaced(device, seen)
            device.folder.close()
            device.folder = folder
            self._later(10.0, device.start)

    # -- of passwords --

    def slip(self) -> None:
        """Somebody starts a client, and types a wrong password."""
        device = self._one()
        device.given = device.slips = True
        if device.client and device.runs:
            device.client.quits()
            self._later(10.0, device.start)

    def change_password(self) -> None:
        device = self._one()
        if device.client and device.runs and device.client.core.online:
            known = self.scene.passwords[device.account]
            known.append(f"secret {len(known)}")
            device.client.new_password = known[-1]
            device.types(typed.AskedPassword())

    # -- of the broker --

    def copy_store(self) -> None:
        self.scene.copy_store()

    def put_back(self) -> None:
        """An older state of the broker: mostly the last copy, sometimes one from before, sometimes twice the same."""
        last = len(self.scene.copies) - 1
        if last >= 0:
            self.scene.put_back(self.chance.choice((last, last, self.chance.randint(0, last))), self._by_hand)

    def crash(self) -> None:
        self.scene.doom = self.chance.randint(1, 25)

    def close(self) -> None:
        self.scene.ends()

    def fill(self) -> None:
        self.disk.refuses = self.chance.choice(("store-full", "store-down"))
        self._later(8.0, self.disk.calm)

    def doubt(self) -> None:
        """For a while it is often not known what was kept; a store that says so is one that takes its time."""
        self.disk.doubts, self.disk.late_s = self.chance.choice((0.1, 0.5)), self.chance.choice((0.0, 0.05, 0.5))
        self._later(15.0, self.disk.calm)

    def delay_disk(self) -> None:
        self.disk.late_s = self.chance.choice((0.02, 0.3))
        self.disk.outlives = self.chance.choice((0.0, 0.5))
        self._later(15.0, self.disk.calm)

    def set_clock(self) -> None:
        """The clock on the wall; the one that counts seconds can't be set."""
        self.scene.wall_ms += self.chance.choice((-86_400_000, -3000, 3000, 86_400_000))

    def hold_worker(self) -> None:
        """Passwords take long, or are not taken at all."""
        self.scene.busy, self.scene.worker_s = self.chance.random() < 0.5, 5.0
        self._later(10.0, self._free_worker)

    def _free_worker(self) -> None:
        self.scene.busy, self.scene.worker_s = False, 0.1
