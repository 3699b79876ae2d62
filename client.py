"""The Restante client: settings, and the one loop.

Read core/client.py next. One thread waits for the broker, for standard input and for signals in one poller. A turn:
take what has come, decide, commit the journal, then send and show. So nothing is posted that is not on disk, and
nothing is acknowledged that is not in the journal.
"""

from __future__ import annotations

import contextlib
import logging
import random
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from choices import Choices, NotKept
from console import client_options, prompts, words
from console.client_options import Settings
from console.language import told
from console.logfile import close_log, line, open_log
from console.order import merged
from console.release import VERSION
from console.sanitise import clean_line
from console.standing import Standing
from core import shown, typed
from core.client import Client
from core.clock import Instant
from core.commands import (
    COMMITTED,
    AskKey,
    Command,
    Connect,
    Derive,
    DeriveNew,
    Disconnect,
    GoBack,
    Pin,
    Point,
    Recall,
    Renew,
    Review,
    Search,
    Send,
    Show,
    Tally,
)
from core.errand import UNREACHED, Errand, Wish
from core.events import Derived, HandedOut, Lost, NotOffered, PasswordsDerived, Renewed, WentBack
from core.handed import Handed
from core.marks import count, first_messages
from core.person import Person
from core.received import Event
from core.shown import Shown
from front import Front, make_front
from protocol import errors, limits, names, passwords
from store import StoreDamaged, StoreError, StoreNewer, configfile
from store.journal import Journal, open_journal
from store.keyfile import open_pair
from store.known_brokers import KnownBroker, KnownBrokers
from store.lock import Locked, private_folder
from transport import curve, standard
from transport.context import endpoint, make_context
from transport.curve import NoCurve
from transport.dealer import Dealer
from transport.keyrecord import KeyQuestion
from transport.poller import Waker

# Frames taken in one turn: few enough that keys are answered while a flood comes in.
TURN_FRAMES = 200
# A random number for each run: two copies of one folder meet the same one once in 10^11 times.
RUN_BITS = 37
# Messages shown at once of what was kept in the journal.
REPLAY_MESSAGES = 200
# What becomes of a device's key that is lost.
KEY_LOSS = "delete it: the device then makes another one, which the password has to let in"

EXIT_USAGE, EXIT_DAMAGED, EXIT_NO_FOLDER, EXIT_IN_USE, EXIT_INTERRUPTED, EXIT_NO_READER = 2, 65, 73, 75, 130, 141


class Loop:
    """The one loop: events in, commands out, one commit a turn."""

    def __init__(
        self, settings: Settings, wish: Wish, front: Front, journal: Journal, waker: Waker, log: logging.Logger
    ) -> None:
        memory = journal.memory()
        self._settings = settings
        self.front = front
        self._journal = journal
        self._waker = waker
        self._log = log
        self._account_key = names.key(settings.name)
        self._brokers = KnownBrokers(settings.data)
        self._choices = Choices(settings.config, settings.preferences)
        self._pair = open_pair(journal.folder / "device.key", curve.make_pair, curve.public_of, KEY_LOSS)
        self._address = endpoint(settings.host, settings.port)
        person = Person(
            settings.name,
            self._address,
            wish.reads,
            f"restante {VERSION}",
            settings.to,
            settings.password not in ("", "-"),
            self._brokers.known(self._address, settings.key, settings.accept_key),
            socket.gethostname()[: limits.DEVICE_NAME_CHARS],
            settings.invite,
            not wish.person,
            wish.bot,
            random.getrandbits(RUN_BITS),
        )
        self.core = Client(person, memory, random.random)
        self.errand = Errand(wish, journal.fact("account") is None, time.monotonic())
        self._input_open = settings.message is None and not (wish.fetch and standard.is_terminal(0))
        self._reads_input = self._input_open
        self._turned_away = ""  # why the broker was not reached the last time
        self._handed = Handed(settings.ack)
        self.takes = True  # False: what comes stays at the broker, for whoever reads has enough for now
        self._context = make_context()
        self._ipv6 = ":" in settings.host
        self._line: Dealer | KeyQuestion | None = None
        front.add(waker.fileno())
        self._table: dict[type[Command], Callable[[Any], Event | None]] = {
            AskKey: self._ask_key,
            Pin: self._pin,
            Connect: self._connect,
            Disconnect: self._disconnect,
            Send: self._send,
            Derive: self._derive,
            DeriveNew: self._derive_new,
            Renew: self._renew,
            GoBack: self._go_back,
            Recall: journal.recall,
            Search: journal.search,
            Tally: journal.tally,
            Point: journal.point,
            Review: journal.review,
            Show: lambda show: self._show(show.shown),
        }

    # -- turns --

    def run(self) -> int:
        """Turn after turn until the errand is done; the exit code."""
        self.greet()
        return self.front.run(self.turn, self.patience)

    def turn(self) -> int | None:
        """Take what has come, decide, commit, send and show; the exit code if that was the last turn."""
        now = clock()
        if self.front.closed:
            self._input_open = False
        self._turn(now)
        if signals := self._waker.take():
            return self._leave(now, signals)
        idle = self.front.input.empty and self.core.hungry
        self.front.listen(self._reads_input and not self.front.closed and not self.errand.first_start and idle)
        self.errand.input_waits = self.front.waits() or (self._input_open and self._handed.owed)
        return self._leave(now, []) if self.errand.over(self.core, now.tick) else None

    def _turn(self, now: Instant) -> None:
        events: list[Event] = []
        if self._line:
            happened = self._line.happened()  # looked at first and told last: what was said before the end is here
            events = [*(self._line.drain(TURN_FRAMES) if self.takes else ()), *happened]
            self._choose_family(happened)
        commands = [command for event in events for command in self.core.handle(event, now)]
        self._perform(commands, now)
        self._perform(self._type(now), now)
        while commands := self.core.settle(now):
            self._perform(commands, now)
        self._write(now)

    def _perform(self, commands: list[Command], now: Instant) -> None:
        """The journal first: nothing is sent or shown that is not on disk."""
        writes = [command for command in commands if isinstance(command, COMMITTED)]
        if writes:
            self._journal.commit(writes)
        for command in commands:
            if not isinstance(command, COMMITTED):
                event = self._table[type(command)](command)
                if event:
                    then = clock()  # somebody may have been asked for it, who took their time
                    self._perform(self.core.handle(event, then), then)

    def patience(self) -> float | None:
        """Seconds after which there is something to do though nothing happens."""
        now = clock()
        dues = [self.core.deadline(), self.errand.deadline(now.tick)]
        wait = min((due for due in dues if due is not None), default=None)
        return None if wait is None else max(0.0, wait - now.tick)

    def _leave(self, now: Instant, signals: list[int]) -> int:
        """Say good-bye and what is left undone."""
        self._perform([command for each in self.front.unsent() for command in self.core.handle(each, now)], now)
        self._perform(self.core.handle(typed.Left(), now), now)
        code = self.errand.code(self.core)
        left = self.core.outbox.messages
        if left:
            self.front.note(words.kept(left))
        elif code == UNREACHED:
            self.front.note(words.unreached_end(self.core.person.broker, self._turned_away))
        self._write(now, last=True)
        self._log.info(line("ended", {"code": code, "outbox": left}))
        return EXIT_INTERRUPTED if signal.SIGINT in signals else code

    # -- what is typed --

    def greet(self) -> None:
        """What is there before anybody has said anything."""
        for complaint in self._settings.complaints:
            self.front.note(complaint)
        if self._settings.message is not None:
            self.front.input.say(client_options.message(self._settings))
        if self.errand.wish.reads:
            for messages in merged(self._replay(log) for log in self._journal.unshown()):
                self._show(messages)
                self._write(clock())
            if self.errand.room() != 0:  # of those who are ignored, too
                self._handed.passed(self.core.reader.cursors)

    def _replay(self, log: str) -> Iterator[shown.Messages]:
        """What is in the journal and was never handed out: a run was killed, or wanted no more."""
        name = log if log.startswith("#") else "@" + self._name()
        for first, envelopes in self._journal.replay(log, REPLAY_MESSAGES):
            last = first + len(envelopes) - 1
            messages = shown.Messages(log=name, first=first, envelopes=envelopes, waited=last)
            reviewed = self.core.lookback.remarking.reviewed(self._journal.review(Review(messages)))
            yield from (some for each in reviewed for some in self.core.lookback.ignored.sift(each))

    def _name(self) -> str:
        return (self._journal.fact("account") or self._settings.name.encode()).decode()

    def _type(self, now: Instant) -> list[Command]:
        """Hand over what was typed, as fast as the outbox takes it, once it is clear that we are who we say."""
        if self.errand.first_start:
            return []
        commands: list[Command] = []
        while self.core.hungry and (intent := self.front.input.next(not len(self.core.outbox))):
            if isinstance(intent, typed.Left):
                self._input_open = False
                self.front.input.stop()
                self.errand.left(now.tick)
            elif isinstance(intent, typed.AskedHelp):
                self.front.tell(words.help_text(intent.command))
            elif isinstance(intent, typed.AskedSettings | typed.ChangedSetting):
                self._choose(intent)
            elif isinstance(intent, typed.Confirmed):
                commands += self._confirm(intent, now)
            else:
                commands += self.core.handle(intent, now)
        if self.front.input.stopped or (not self._input_open and self.front.input.empty):
            self._reads_input = False
            self.errand.input_ended(now.tick)
        return commands

    def _confirm(self, confirmed: typed.Confirmed, now: Instant) -> list[Command]:
        """What is dealt with is marked at once: any answer that comes later proves it."""
        if self._handed.confirms and self._handed.confirm(confirmed.log, confirmed.seq):
            self._mark(now)
            return []
        code = "not-handed-out" if self._handed.confirms else "no-acks"
        text = words.refusal(code, log=clean_line(confirmed.log), seq=confirmed.seq)
        return self.core.handle(typed.Mistook(code=code, text=text, tag=confirmed.tag, line=confirmed.line), now)

    def _choose(self, intent: typed.AskedSettings | typed.ChangedSetting) -> None:
        try:
            self.front.tell(self._choices.answer(intent))
        except NotKept as why:
            self._show(shown.Refused(code=why.code, text=str(why), tag=intent.tag, line=intent.line))

    # -- commands --

    def _ask_key(self, ask: AskKey) -> None:
        self._open(KeyQuestion(self._context, self._settings.host, self._settings.port, self._ipv6))

    def _connect(self, connect: Connect) -> None:
        settings = self._settings
        self._open(Dealer(self._context, settings.host, settings.port, self._ipv6, self._pair, connect.key))

    def _open(self, line: Dealer | KeyQuestion) -> None:
        self._line = line
        self.front.add(line.socket)
        self.front.add(line.monitor)

    def _choose_family(self, happened: list[Event]) -> None:
        """IPv4 and IPv6 in turn: which of them "localhost" means here, only an attempt can tell."""
        refused = any(isinstance(event, Lost | NotOffered) and event.reason == "refused" for event in happened)
        self._ipv6 = ":" in self._settings.host or self._ipv6 != refused

    def _disconnect(self, disconnect: Disconnect) -> None:
        if self._line:
            self.front.drop(self._line.socket)
            self.front.drop(self._line.monitor)
            self._line.close()
            self._line = None

    def _send(self, send: Send) -> None:
        if isinstance(self._line, Dealer):
            self._line.send(send.frame)

    def _derive(self, derive: Derive) -> Event:
        password, permit = self._settings.password, self._settings.invite
        if prompts.terminal() and (password in ("", "-") or derive.lacks_permit):
            with self.front.aside(), self._waker.obeying():
                permit, password = prompts.ask_to_enter(self._settings, derive)
        if derive.lacks_permit and not permit:
            self._turn_away("permit-needed")
            return Derived(b"")
        if password in ("", "-"):
            self._turn_away("name-taken" if derive.taken else "no-account")
            return Derived(b"")
        return Derived(passwords.derive(password, self._account_key, derive.broker), permit)

    def _derive_new(self, derive: DeriveNew) -> Event:
        if not prompts.terminal():
            return PasswordsDerived(derive.question, code="no-terminal")
        with self.front.aside(), self._waker.obeying():
            old, new = prompts.ask_new_password()
        if not new:
            return PasswordsDerived(derive.question, code="not-given")
        both = [passwords.derive(each, self._account_key, derive.broker) for each in (old, new)]
        return PasswordsDerived(derive.question, both[0], both[1])

    # -- which broker --

    def _pin(self, pin: Pin) -> None:
        met = KnownBroker(self._address, pin.key, pin.broker, time.strftime("%Y-%m-%d"))
        self._brokers.pin(met, self._settings.accept_key)

    def _turn_away(self, code: str) -> None:
        self._show(shown.Bye(code=code, text=errors.sentence(code, name=self._settings.name)))

    def _renew(self, renew: Renew) -> Event:
        memory = self._journal.renew(renew.epoch)
        self._log.info(line("renewed", {"device": memory.device}))
        return Renewed(memory.device, memory.cursors)

    def _go_back(self, back: GoBack) -> Event:
        settled = self.core.outbox.settled
        memory, gone = self._journal.go_back(back)
        again = [each for each in memory.outbox if each.n <= settled]
        self._log.warning(line("put-back", {"again": len(again) - gone, "gone": gone}))
        for each in again:
            each.told = True
        return WentBack(again, gone, memory.cursors, memory.known)

    # -- showing --

    def _show(self, event: Shown) -> None:
        if self._unasked(event):
            return
        now = clock()
        if isinstance(event, shown.Messages) and not event.mine:
            event = self._measured(event)
        if isinstance(event, shown.Offline):
            self._turned_away = event.reason
        self.errand.note(event, now.tick)
        if isinstance(event, shown.Refused):
            self.front.input.refused(event.to, event.body)
        if isinstance(event, shown.Online | shown.Offline | shown.Refused | shown.Bye):
            self._note(event)
        self.front.show(event, now.at)
        if isinstance(event, shown.Online) and event.first and self.errand.wish.lingers:
            self.front.input.greet()

    def _unasked(self, event: Shown) -> bool:
        """Whether nobody misses this: only the greeting's questions, which no script has asked, were not answered."""
        if not isinstance(event, shown.Refused) or self.errand.wish.person:
            return False
        return event.code in ("not-connected", "no-answer") and event.tag is None and not event.line

    def _measured(self, event: shown.Messages) -> shown.Messages:
        """As many as are wanted; what is too much stays in the journal for the next run."""
        room = self.errand.room()
        if room is not None and room < count(event.envelopes):
            event = msgspec.structs.replace(event, envelopes=first_messages(event.envelopes, room))
        if event.envelopes:
            log = names.mailbox(self._account_key) if event.log.startswith("@") else event.log
            private = event.envelopes if event.log.startswith("@") else []
            self._handed.out(log, event.first + len(event.envelopes) - 1, private)
        return event

    def _note(self, event: Shown) -> None:
        fields = {
            name: getattr(event, name) for name in ("account", "device", "reason", "code") if hasattr(event, name)
        }
        self._log.info(line(type(event).__name__.lower(), fields))

    def _write(self, now: Instant, last: bool = False) -> None:
        """Show what has gathered, then mark what need not be shown again: a killed client repeats rather than loses."""
        if self.front.write(self._standing(), now, last):
            self._mark(now)

    def _mark(self, now: Instant) -> None:
        marks, read = self._handed.take()
        if marks:
            self._journal.mark(marks)
            self._perform(self.core.handle(HandedOut(read), now), now)

    def _standing(self) -> Standing:
        core = self.core
        return Standing(
            account=core.account,
            device=core.device,
            place=core.place,
            online=core.online,
            typing=self._input_open and not self.errand.first_start,
            due=core.link.due,
            waiting=core.outbox.typed,
            rooms=core.places.rooms.values(),
            arrangement=core.arrangement,
        )

    def close(self) -> None:
        """Let go of the network."""
        if self._line:
            self._line.close(0)
        self._context.term()


def clock() -> Instant:
    """Now."""
    return Instant(time.monotonic(), time.time_ns() // 1_000_000)


def run(settings: Settings) -> int:
    """One run of the client; the exit code."""
    this = client_options.wish(settings, standard.is_terminal(0))
    with opened(settings, this, partial(make_front, settings, this)) as loop:
        return loop.run()


@contextlib.contextmanager
def opened(settings: Settings, this: Wish, front: Callable[[Path, int], Front]) -> Iterator[Loop]:
    """Open everything that a run needs, its front end last; and close everything in the opposite order."""
    with contextlib.ExitStack() as stack:
        place = quote(f"{settings.host}_{settings.port}", safe="")
        home = private_folder(private_folder(settings.data) / place)
        journal = open_journal(home, names.key(settings.name), sends_only=not this.reads)
        stack.callback(journal.close)
        log = open_log(journal.folder / "client.log")
        stack.callback(close_log, log)
        waker = Waker()
        stack.callback(waker.close)
        waker.watch((signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
        loop = Loop(settings, this, front(journal.folder, waker.fileno()), journal, waker, log)
        stack.callback(loop.close)
        yield loop


def _fail(code: int, sentence: str) -> int:
    with contextlib.suppress(OSError):  # nobody reads it
        standard.write(2, f"restante: {clean_line(sentence)}\n".encode())
    return code


def main(arguments: list[str] | None = None, program: str = "python client.py") -> int:
    """Run the client; the exit code. ``program`` is what one types to start it."""
    standard.guard()
    settings = client_options.read(arguments, configfile.read, program)
    try:
        curve.check_library()
        if not settings.name and prompts.terminal():
            settings = msgspec.structs.replace(settings, name=prompts.ask_name())
        names.key(settings.name)
        return run(settings)
    except names.BadName as error:
        return _fail(
            EXIT_USAGE, words.said("bad-name", errors.sentence("bad-name", name=settings.name or "that", why=error))
        )
    except Locked as error:
        return _fail(EXIT_IN_USE, words.IN_USE(folder=error))
    except (StoreError, NoCurve) as error:
        return _fail(EXIT_DAMAGED if isinstance(error, StoreDamaged | StoreNewer) else EXIT_NO_FOLDER, told(error))
    except (BrokenPipeError, KeyboardInterrupt) as error:
        return EXIT_NO_READER if isinstance(error, BrokenPipeError) else EXIT_INTERRUPTED
    except OSError as error:
        return _fail(EXIT_NO_FOLDER, words.UNWRITABLE(folder=settings.data, why=error.strerror))


if __name__ == "__main__":
    sys.exit(main())
