"""A device and its clients: one process after the other over the same folder, each of which may die at any step."""

from __future__ import annotations

from collections import deque
from math import inf
from typing import TYPE_CHECKING, Any

from core import shown, typed
from core.commands import COMMITTED, Command, Connect, Disconnect, GoBack, Renew, Review, Send, Show
from core.events import Connected, HandedOut, Heard, Lost
from core.received import Event
from tests.core.actor import Actor
from tests.simulation.agenda import Alarm
from tests.simulation.folder import Folder
from tests.simulation.network import Line

if TYPE_CHECKING:
    from tests.simulation.scene import Scene

# Turns of one settle: more means that it never ends.
MOST_SETTLES = 200


WRONG = "oops"


class Died(Exception):
    """A client's process dies here."""


class Device:
    """One installation: a folder with a key in it, and the client that runs there at the moment."""

    def __init__(self, scene: Scene, name: str, number: int, folder: Folder, reads: bool) -> None:
        self.scene = scene
        self.name = name  # the account's
        self.account = name.lower()
        self.label = f"{name}/{number}"
        self.folder = folder
        self.reads = reads
        self.address = "127.0.0.1"
        self.given = True  # the password is given at each start, and checked
        self.revoked = False  # somebody has asked for it
        self.is_copied = False  # its folder was copied, or is a copy
        self.is_replaced = False  # its other copy is there, and it has nothing to say
        self.strays = False  # what it says first over its next connection comes when that is long over
        self.slips = False  # the next password that is typed is a wrong one
        self.tries = 0  # passwords that were wrong
        self.client: Client | None = None
        scene.keys[folder] = scene.new_key()  # type: ignore[index]

    def start(self) -> None:
        """A process begins, if none runs and it has not been told to stay away."""
        if self.client is None:
            self.is_replaced = False
            self.client = Client(self)
            self.client.begin()

    @property
    def password(self) -> str:
        """What somebody types who is asked for it: they try one after the other."""
        slips, self.slips = self.slips, False
        known, register = [WRONG, *self.scene.passwords[self.account]], self.scene.checker.register
        if self.scene.is_healed:
            return next((each for each in known if register.right_since(self.account, each, inf)), known[-1])
        return WRONG if slips and self.account in register.accounts else known[-1 - self.tries % (len(known) - 1)]

    @property
    def runs(self) -> bool:
        return self.client is not None and not self.client.frozen

    def types(self, *intents: typed.Typed) -> None:
        """Somebody writes this, if somebody is there."""
        if self.client and self.runs:
            self.client.typed += intents
            self.client.alarm.set(self.scene.agenda.tick)


class Client(Actor):
    """One process of the client: what client.py is, over a simulated network."""

    at_once = True

    def __init__(self, device: Device) -> None:
        scene = device.scene
        folder: Any = device.folder
        super().__init__(
            scene, device.name, device.password, folder, device.reads, scene.chance.random, proves=device.given
        )
        self.scene = scene
        self.device = device
        self.folder: Folder = folder
        self.label = device.label
        self.address = device.address
        self.typed: deque[typed.Typed] = deque()
        self.line: Line | None = None
        self.alarm = Alarm(scene.agenda, self._wakes)
        self.doom = 0  # it dies after so many steps; 0: it does not
        self.let_in = self.folder.fact("account") is not None  # before that nothing is kept
        self._table[Show] = lambda show: self._show(show.shown)

    # -- its life --

    def begin(self) -> None:
        """What was kept and not shown comes first."""
        self.scene.note(self.label, "starts")
        if self.device.reads:
            for log in self.folder.cursors:
                for first, envelopes in list(self.folder.replay(log)):
                    name = log if log.startswith("#") else "@" + self.name
                    messages = shown.Messages(log=name, first=first, envelopes=envelopes, waited=0)
                    reviewed = self.core.lookback.remarking.reviewed(self.folder.review(Review(messages)))
                    for each in reviewed:
                        handed_out = self._show(each)
                        self._perform(self.core.handle(handed_out, self.scene.now) if handed_out else [])
        self.alarm.set(self.scene.agenda.tick)

    def perishes(self) -> None:
        """The process is no more."""
        self.scene.note(self.label, "dies")
        self.alive = False
        self.device.client = None
        self.alarm.stop()
        if self.line:
            self.line.at_client = False
            chance = self.scene.chance
            self.line.cut("died", chance.choice((0.0, 0.5, 5.0, None)), lingers=chance.random() < 0.5)

    def quits(self) -> None:
        """Somebody says good-bye."""
        self.scene.note(self.label, "quits")
        try:
            self._perform(self.core.handle(typed.Left(), self.scene.now))
        except Died:
            return self.perishes()
        self.alive = False
        self.device.client = None
        return self.alarm.stop()

    def _ends(self, code: str) -> None:
        """It was sent away. Whoever sits there tries another password, or comes back while there is more to say."""
        device = self.device
        if code == "wrong-password":
            device.tries += 1
        elif code == "replaced":
            device.is_replaced = self.core.settled and not self.typed
        if not device.revoked:
            self.alive, device.client = False, None
            self.alarm.stop()
            if not (device.is_replaced and self.scene.is_healed):
                self.scene.agenda.after(self.scene.chance.random() * 10, device.start)

    def frees(self) -> None:
        """It was stopped, and goes on."""
        self.frozen = False
        self.alarm.set(self.scene.agenda.tick)

    # -- what comes --

    def hears_on(self, line: Line, frame: Any) -> None:
        """The broker has said something."""
        if line is self.line:
            self._comes(Heard(frame))

    def connected(self, line: Line) -> None:
        if line is self.line:
            strays, self.device.strays = self.device.strays, False
            if strays:
                line.strays()
            self._comes(Connected())

    def lost(self, line: Line, reason: str) -> None:
        """The connection is no more."""
        if line is self.line:
            self.scene.note(self.label, "is cut", reason)
            self.scene.checker.client_lost(self, reason)
            self._comes(Lost(reason))

    def _comes(self, event: Event) -> None:
        self.inbox.append(event)
        self.alarm.set(self.scene.agenda.tick)

    # -- one turn, as in client.py --

    def _wakes(self) -> None:
        if self.alive and not self.frozen:
            try:
                self._turn()
            except Died:
                self.perishes()

    def _turn(self) -> None:
        now = self.scene.now
        events, self.inbox = self.inbox, []
        self._perform([command for event in events for command in self.core.handle(event, now)])
        self._perform(self._type())
        for _ in range(MOST_SETTLES):
            commands = self.core.settle(now)
            if not commands:
                break
            self._perform(commands)
        else:
            self.scene.checker.restless(self.label)
        self.alarm.set(self.core.deadline())

    def does_now(self, commands: list[Command]) -> None:
        """Do this beside what it would do by itself."""
        try:
            self._perform(commands)
            self.alarm.set(self.scene.agenda.tick)
        except Died:
            self.perishes()

    def _type(self) -> list[Command]:
        commands: list[Command] = []
        while self.let_in and self.typed and self.core.hungry:
            commands += self.core.handle(self.typed.popleft(), self.scene.now)
        return commands

    def _perform(self, commands: list[Any]) -> None:
        """The journal first: nothing is sent or shown that is not on disk."""
        writes = [command for command in commands if isinstance(command, COMMITTED)]
        if writes:
            self._point()
            self.folder.commit(writes)
            self.scene.checker.journaled(self, writes)
            self._point()
        for command in commands:
            if not isinstance(command, COMMITTED):
                self._point()
                self._do(command)

    def _do(self, command: Command) -> None:
        event = self._table[type(command)](command)
        if event:
            self._perform(self.core.handle(event, self.scene.now))

    def _point(self) -> None:
        """Here the process may die."""
        if self.doom:
            self.doom -= 1
            if not self.doom:
                raise Died

    # -- what it asks for --

    def _connect(self, connect: Connect) -> None:
        self.attempts += 1
        self.line = Line(self.scene, self)
        self.line.knock()

    def _disconnect(self, disconnect: Disconnect) -> None:
        if self.line:
            self.line.close()
        self.line = None

    def _send(self, send: Send) -> None:
        if self.line and self.line.at_client:
            self.line.up(send.frame)

    def _renew(self, renew: Renew) -> Event:
        event = super()._renew(renew)
        self.scene.checker.renewed(self, self.folder.cursors)
        return event

    def _go_back(self, back: GoBack) -> Event:
        event = super()._go_back(back)
        self.scene.checker.went_back(self, back, self.folder.cursors)
        return event

    def _show(self, event: shown.Shown) -> Event | None:
        self.scene.note(self.label, "shows", event)
        if isinstance(event, shown.Online):
            self.let_in = True
        self.scene.checker.shows(self, event)
        if isinstance(event, shown.Bye):
            self._ends(event.code)
        if isinstance(event, shown.Messages):
            log = event.log if event.log.startswith("#") else "@" + self.device.account
            self.folder.mark(log, event.first + len(event.envelopes) - 1)
            return HandedOut(event.envelopes)
        return None
