"""The Restante broker: settings, and the one loop.

Read this page first, then core/broker.py. One thread, one turn after the other: take what has come, decide, make
it durable in one commit, then say what is to be said.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from console import broker_options, broker_words
from console.broker_options import Settings
from console.language import told
from console.logfile import close_log, line, open_log
from console.sanitise import clean_line
from core import records
from core.broker import Broker
from core.clock import Instant
from core.commands import Admit, Command, HangUp, Note, Operation, Prove, Put, Reply, Send, Trust
from core.door import House
from core.events import Closing, ProofArrived
from core.gate import ADDRESS_CONNECTIONS, STRANGER_S
from core.rates import Rates
from core.received import Event, Proved
from core.retention import Keep
from operating.commands import carry_out
from operating.desk import Desk
from operating.gauges import gauges
from operating.measures import Measures
from operating.scrapes import NoMetrics, open_scrapes
from protocol import names, passwords
from store import Store, StoreDamaged, StoreError, StoreExposed, StoreNewer, StoreUnwritable
from store.keyfile import open_pair
from store.lock import Lock, Locked, private_folder
from store.sqlite import SqliteStore
from transport import curve, standard
from transport.connections import Connections
from transport.context import endpoint, make_context
from transport.control import open_control
from transport.curve import NoCurve
from transport.descriptors import raise_limit
from transport.notify import notify
from transport.poller import Poller, Source, Waker
from transport.router import NoAddress, Router
from transport.worker import Worker
from transport.zap import Zap
from turns import Turns

# Frames taken in one turn: large enough that a commit serves many, small enough that nobody waits long for it.
TURN_FRAMES = 2000
# And their bytes: what a turn may hold in memory.
TURN_BYTES = 1024 * 1024
# Connections let in within one turn.
TURN_KNOCKS = 100
# Refusals that are noted: so many at once, then one a second. A flood must not wear out the log file.
NOTED_REFUSALS, NOTED_REFUSAL_S = 100, 1.0
# What becomes of a key that is lost.
KEY_LOSS = "delete it: the broker then makes another key, and every client asks its owner before it trusts that"
# Accounts that --demo-accounts makes; their password is DEMO_PASSWORD.
DEMO_ACCOUNTS = ("Pavel", "Pavel_2", "Sveta", "Girl", "Me", "Alex")
DEMO_PASSWORD = "demo"

EXIT_BROKEN, EXIT_NO_FOLDER, EXIT_LOCKED = 1, 73, 75
EXITS: dict[type[Exception], int] = {
    NoMetrics: 2,
    StoreDamaged: 65,
    StoreNewer: 65,
    NoAddress: 69,
    StoreUnwritable: 73,
    StoreExposed: 73,
}


class Loop:
    """The one loop: wait, take what has come, do a turn."""

    def __init__(
        self,
        store: SqliteStore,
        router: Router,
        zap: Zap,
        desk: Desk,
        waker: Waker,
        house: House,
        log: logging.Logger,
        measures: Measures,
    ) -> None:
        self._store = store
        self._measures = measures
        self._desk = desk
        self._router = router
        self._zap = zap
        self._waker = waker
        self._log = log
        self._worker = Worker(_prove, waker)
        self._gone: list[Event] = []  # for the next turn
        self._refusals = Rates(NOTED_REFUSALS, NOTED_REFUSAL_S)
        self._unnoted = 0  # refusals since the last one noted
        outside: dict[type[Command], Callable[[Any], Event | None]] = {
            Send: lambda send: router.send(send.peer, send.frame),
            Trust: lambda trust: router.connections.trust(trust.peer, trust.trusted, time.monotonic()),
            HangUp: lambda hang_up: router.connections.hang_up(hang_up.peer),
            Admit: lambda admit: zap.answer(admit.ticket, admit.key, admit.code),
            Prove: self._check,
            Note: self._note,
            Reply: desk.reply,
        }
        self._turns = Turns(Broker(house), store, outside, measures)
        measures.gauges |= {"connections": lambda: router.connections.count, "login_queue": self._worker.queued}
        self._poller = Poller()
        self._poller.add(waker.fileno())
        for source in (*router.sources, zap.socket, *desk.sources):
            self._poller.add(source)

    def run(self) -> None:
        """Turn after turn, until a signal says otherwise."""
        while True:
            ready = self._poller.wait(self._patience())
            if self._waker.fileno() in ready and self._waker.take():
                break
            with self._measures.turn:
                self._turn(self._drain(ready))
        notify("STOPPING=1")
        self._turn([*self._drain(ready), Closing()])
        while self._turns.pending:
            self._turn([])
        self._router.part(time.monotonic)
        self._worker.close()

    def _turn(self, events: list[Event]) -> None:
        self._turns.turn(events, clock())
        self._gone = self._router.flush()
        self._desk.go_on()
        for log, seq in self._store.damaged:
            self._measures.damaged += 1
            self._log.error(line("damaged", {"log": log, "seq": seq}))
            say(f"restante: {broker_words.DAMAGED(seq=seq, log=log)}")
        self._store.damaged.clear()

    def _drain(self, ready: list[Source]) -> list[Event]:
        """What has come to where something waits: to look elsewhere in vain costs as much as a short message."""
        router, desk, zap = self._router, self._desk, self._zap
        if router.record.socket in ready:
            router.record.answer()
        proofs: list[Event] = [ProofArrived(prove.cause, proof) for prove, proof in self._worker.answers()]
        frames = router.drain(TURN_FRAMES, TURN_BYTES)  # before the connections' ends: a good-bye comes first
        self._measures.drain.add(len(frames))
        happened = router.happened(time.monotonic())
        orders = desk.drain() if any(source in ready for source in desk.sources) else []
        knocks = zap.drain(TURN_KNOCKS) if zap.socket in ready else []
        return [*proofs, *orders, *knocks, *frames, *self._gone, *happened]

    def _patience(self) -> float | None:
        if self._gone or self._turns.pending or self._desk.busy:
            return 0
        now = time.monotonic()
        dues = [self._turns.core.deadline(), self._router.due()]
        waits = [self._router.retry_s, *(None if due is None else max(0.0, due - now) for due in dues)]
        return min((wait for wait in waits if wait is not None), default=None)

    # -- commands --

    def _check(self, prove: Prove) -> Event | None:
        return None if self._worker.submit(prove) else ProofArrived(prove.cause, None)

    def _note(self, note: Note) -> None:
        if note.what == "refused":
            self._measures.refusals[note.fields["code"]] += 1
            if self._refusals.take(note.what, time.monotonic()):
                self._unnoted += 1
                return
            if self._unnoted:
                self._log.warning(line("refused-more", {"times": self._unnoted}))
                self._unnoted = 0
        self._log.info(line(note.what, note.fields))
        if note.loud:
            say(broker_words.note(note.what, note.fields))


def _prove(prove: Prove) -> Proved:
    """Check a secret against what is stored, or make what is to be stored. Runs on the worker's thread."""
    if prove.stored is None:
        return Proved(None, True, passwords.hash_secret(prove.secret))
    try:
        right = passwords.verify(prove.stored, prove.secret)
    except passwords.DamagedHash:
        return Proved(prove.stored, False, damaged=True)
    fresh = passwords.hash_secret(prove.secret) if right and passwords.outdated(prove.stored) else None
    return Proved(prove.stored, right, fresh)


def clock() -> Instant:
    """Now."""
    return Instant(time.monotonic(), time.time_ns() // 1_000_000)


def say(text: str) -> None:
    """A line for whoever watches; dropped rather than waited for if nobody reads. It is in the log file anyway."""
    if standard.writable(1):
        with contextlib.suppress(OSError):  # nobody watches any more
            standard.write(1, (clean_line(text) + "\n").encode())


def make_demo_accounts(store: Store) -> None:
    """The six demo accounts, those that are not there yet."""
    keys = {name: names.key(name) for name in DEMO_ACCOUNTS}
    there = store.get([records.account(key) for key in keys.values()])
    _, head = store.heads((names.LOBBY,))[names.LOBBY]
    now = clock()
    puts: list[Operation] = []
    for name, key in keys.items():
        if there[records.account(key)] is None:
            secret = passwords.hash_secret(passwords.derive(DEMO_PASSWORD, key, store.broker))
            account = records.Account(name, passwords.SCHEME, secret, now.at, {names.LOBBY: head})
            puts.append(Put(records.account(key), records.pack(account), 0))
    if puts:
        store.submit(puts, now)
        store.poll()
    accounts = ", ".join(DEMO_ACCOUNTS)
    say(f"restante: {broker_words.DEMO(accounts=accounts, password=DEMO_PASSWORD)}")


def serve(settings: Settings) -> None:
    """Open everything, run, and close everything in the opposite order."""
    with contextlib.ExitStack() as stack:
        waker = Waker()
        stack.callback(waker.close)
        waker.watch((signal.SIGINT, signal.SIGTERM))
        folder = private_folder(settings.data)
        stack.callback(Lock(folder).close)
        scrapes = open_scrapes(settings.metrics)
        if scrapes:
            stack.callback(scrapes.close)
        log = open_log(folder / "broker.log", settings.log)
        stack.callback(close_log, log)
        store = SqliteStore.open(folder / "restante.sqlite")
        stack.callback(store.close)
        pair = open_pair(folder / "broker.key", curve.make_pair, curve.public_of, KEY_LOSS)
        if settings.demo_accounts:
            make_demo_accounts(store)
        context = make_context()
        stack.callback(context.term)
        zap = Zap(context)
        stack.callback(zap.close)
        connections = Connections(raise_limit(), ADDRESS_CONNECTIONS, settings.local_limits, STRANGER_S)
        router = Router(context, settings.address, settings.port, pair, connections)
        stack.callback(router.close)
        keep = Keep(None if settings.keep_s is None else round(settings.keep_s * 1000), settings.keep_bytes)
        house = House(
            store.broker,
            store.epoch,
            settings.registration == "open",
            passwords.DUMMY,
            settings.local_limits,
            keep,
            permits=settings.registration == "invite",
            began_at=clock().at,
            key=pair.public,
        )
        control = open_control(context, folder)
        if control:
            stack.callback(control.close)
        else:
            log.warning(line("no-control", {"why": "the folder's path is too long for a socket"}))
        measures = Measures(gauges(folder))
        loop = Loop(store, router, zap, Desk(control, store, log, scrapes), waker, house, log, measures)
        place = endpoint(settings.address, router.port)
        say(f"restante: {broker_words.LISTENING(place=place, key=pair.public)}")
        log.info(line("listening", {"address": settings.address, "port": router.port}))
        if scrapes:
            say(f"restante: {broker_words.METRICS(place=scrapes.place)}")
        notify("READY=1")
        loop.run()
        log.info(line("ended", {}))


def _fail(code: int, sentence: str) -> int:
    with contextlib.suppress(OSError):  # nobody reads it
        standard.write(2, f"restante: {clean_line(sentence)}\n".encode())
    return code


def main(arguments: list[str] | None = None, program: str = "python broker.py") -> int:
    """Run the broker; the exit code. ``program`` is what one types to start it."""
    standard.guard()
    settings = broker_options.read(arguments, program)
    try:
        curve.check_library()
        if settings.command:
            return carry_out(settings)
        serve(settings)
    except Locked:
        return _fail(EXIT_LOCKED, broker_words.LOCKED(folder=settings.data))
    except (StoreError, NoAddress, NoCurve, NoMetrics) as error:
        return _fail(EXITS.get(type(error), EXIT_BROKEN), told(error))
    except OSError as error:
        return _fail(EXIT_NO_FOLDER, broker_words.UNWRITABLE(folder=settings.data, why=error.strerror))
    return 0


if __name__ == "__main__":
    sys.exit(main())
