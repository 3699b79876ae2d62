"""Commands that are orders to the core: made of the words of a command line, carried out, and told.

A running broker is asked, through the socket in its folder. On a folder that no broker works on the same core does the
same turns with the folder's store, which is locked meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from console import prompts
from console.broker_options import Settings
from console.language import reworded, told, worded
from core.broker import Broker
from core.clock import Instant
from core.commands import Command, Note, Reply, Send, Trust
from core.door import House
from core.orders import (
    AddAccount,
    AddPermit,
    Announce,
    AnyOrder,
    Bar,
    CloseRoom,
    EndDevice,
    EndPermit,
    GiveRoom,
    LetReset,
    ListAccounts,
    ListDevices,
    ListPermits,
    ListRooms,
    ListSessions,
    OpenRoom,
    SetPassword,
    TellStats,
)
from core.received import Event, Ordered
from core.records import FOREVER
from operating import rows
from operating.telling import Refused, existing, lock, say, why
from protocol import names, passwords, permits
from store import StoreUnwritable
from store.copies import FILE
from store.sqlite import SqliteStore
from transport import standard
from transport.control import NoControl, ask
from turns import Turns

EXIT_USAGE, EXIT_REFUSED, EXIT_ABSENT = 2, 65, 69
# A running broker answers between two turns; to empty a room of thousands takes it some of them for each.
ANSWER_WAIT_MS = 600_000
CHECK_WAIT_MS = 5_000
# A permit is good for so long unless told otherwise.
PERMIT_S = 7 * 86_400.0
ANNOUNCER = "broker"

Answer = dict[str, Any]
Ask = Callable[[AnyOrder], Answer]


def carry_out(settings: Settings) -> int:
    """Carry out a command; the exit code. Refused, NoControl or StoreError if it can't be."""
    command, in_rows = COMMANDS[settings.command]
    if settings.command == "check":
        return _check(settings)
    with _asking(settings) as carried:
        for fact in command(settings, carried):
            if settings.json:
                standard.write(1, msgspec.json.encode(fact) + b"\n")
            else:
                for row in in_rows(fact):
                    say(row)
    return 0


# ---- whom to ask --------------------------------------------------------------------------------------


@contextlib.contextmanager
def _asking(settings: Settings) -> Iterator[Ask]:
    """Asks the broker that works on the folder, or the folder's store itself."""
    with lock(settings.data) as locked, contextlib.ExitStack() as stack:
        if not locked:
            yield lambda order: _judged(_ask_running(settings.data, _sound(order)))
        elif settings.command in RUNNING:
            raise Refused(
                EXIT_ABSENT,
                worded("no broker works on {folder}; nothing was done: start it first", folder=settings.data),
            )
        else:
            store = SqliteStore.open(existing(str(settings.data / FILE)))
            stack.callback(store.close)
            asked = _Here(store)
            yield lambda order: _judged(asked.ask(_sound(order)))


def _sound(order: AnyOrder) -> AnyOrder:
    """The same order, if no broker would have to refuse it for its form."""
    try:
        return msgspec.convert(msgspec.to_builtins(order), type(order))
    except msgspec.ValidationError as error:
        raise Refused(EXIT_USAGE, worded("that can't be asked ({error}); nothing was done", error=error)) from None


def _judged(answer: Answer) -> Answer:
    if "error" in answer:
        raise Refused(EXIT_REFUSED, why(answer))
    return answer


def _ask_running(folder: Path, order: AnyOrder, wait_ms: int = ANSWER_WAIT_MS) -> Answer:
    return ask(folder, wait_ms, **msgspec.to_builtins(order))


class _Here:
    """The core, with a store that no broker works on. Nobody is connected, so what it says to others is not sent."""

    def __init__(self, store: SqliteStore) -> None:
        self._answers: list[Answer] = []
        house = House(store.broker, store.epoch, False, passwords.DUMMY)
        outside: dict[type[Command], Callable[[Any], Event | None]] = {
            Reply: lambda reply: self._answers.append(reply.said),
            **dict.fromkeys((Send, Trust, Note), lambda command: None),
        }
        self._turns = Turns(Broker(house), store, outside)

    def ask(self, order: AnyOrder) -> Answer:
        """Turn after turn until it is answered."""
        self._turns.turn([Ordered(0, order)], _now())
        while not self._answers:
            self._turns.turn([], _now())
        return self._answers.pop()


def _now() -> Instant:
    return Instant(time.monotonic(), time.time_ns() // 1_000_000)


# ---- commands: each gives facts -----------------------------------------------------------------------

Facts = Iterable[Answer]


def _list(order: Any, kind: str) -> Callable[[Settings, Ask], Facts]:
    """A command that tells a whole list, page after page."""

    def command(settings: Settings, asked: Ask) -> Facts:
        answer = asked(order)
        yield from answer[kind]
        while answer["after"]:
            answer = asked(msgspec.structs.replace(order, after=answer["after"]))
            yield from answer[kind]

    return command


def _with_permit(order: Callable[[Settings, str, int], AnyOrder]) -> Callable[[Settings, Ask], Facts]:
    """A command that a permit belongs to: only this program ever sees it, and whoever it is shown to."""

    def command(settings: Settings, asked: Ask) -> Facts:
        permit, until = permits.written(os.urandom(permits.PERMIT_BYTES)), _until(settings, PERMIT_S)
        answer = asked(order(settings, permits.mark(permit), until))
        return [{**_facts(answer), "code": permit}]

    return command


def _until(settings: Settings, usual_s: float) -> int:
    lasts_s = usual_s if settings.lasts_s is None else settings.lasts_s
    return min(_now().at + round(lasts_s * 1000), FOREVER - 1)


def _facts(answer: Answer) -> Answer:
    return {name: value for name, value in answer.items() if name != "done"}


def _one(order: Callable[..., AnyOrder]) -> Callable[[Settings, Ask], Facts]:
    """A command that is one order about what its words name."""
    return lambda settings, asked: [_facts(asked(order(*settings.names)))]


def _ban(settings: Settings, asked: Ask) -> Facts:
    if settings.lasts_s is None:
        raise Refused(EXIT_USAGE, worded("a ban wants its time, as in --for 2h; nothing was done"))
    return [_facts(asked(Bar(settings.name, _until(settings, 0.0))))]


def _passwd(settings: Settings, asked: Ask) -> Facts:
    """The password leaves this program only as a hash of what a client would show."""
    try:
        account = names.key(settings.name)
    except names.BadName as error:
        reason = reworded(str(error), names.REASONS)
        sentence = worded("{name} can't be a name: {why}; nothing was changed", name=settings.name, why=reason)
        raise Refused(EXIT_REFUSED, sentence) from None
    broker = bytes.fromhex(asked(TellStats())["broker"])
    credential = passwords.derive(_password(settings), account, broker)
    order = SetPassword(settings.name, passwords.SCHEME, passwords.hash_secret(credential))
    return [_facts(asked(order))]


def _password(settings: Settings) -> str:
    if settings.password == "-":
        password = sys.stdin.readline().rstrip("\n")
    elif prompts.terminal():
        password = prompts.ask_twice()
    else:
        sentence = worded("a password is asked for on a terminal, and there is none: --password - reads it")
        raise Refused(EXIT_USAGE, sentence)
    if not password:
        raise Refused(EXIT_USAGE, worded("no password was given; nothing was changed"))
    return password


def _end_permit(settings: Settings, asked: Ask) -> Facts:
    """By the code itself, or by how its mark begins, as invites lists it."""
    typed = settings.name
    mark = permits.mark(typed) if permits.is_whole(typed) else typed
    return [_facts(asked(EndPermit(mark)))]


def _announce(settings: Settings, asked: Ask) -> Facts:
    return [_facts(asked(Announce(settings.speaker or ANNOUNCER, settings.name)))]


def _check(settings: Settings) -> int:
    """Whether a running broker answers."""
    try:
        with lock(settings.data) as locked:
            if locked:
                raise NoControl("no broker works on {folder}", folder=settings.data)
            answer = _ask_running(settings.data, TellStats(), CHECK_WAIT_MS)
    except (NoControl, StoreUnwritable) as error:
        raise Refused(EXIT_ABSENT, told(error)) from None
    if settings.json:
        standard.write(1, msgspec.json.encode(_facts(answer)) + b"\n")
    return 0


RUNNING = ("sessions", "stats", "announce")
"""What only a running broker can be asked."""

COMMANDS: dict[str, tuple[Callable[[Settings, Ask], Facts], Callable[[Answer], Iterable[str]]]] = {
    "accounts": (_list(ListAccounts(), "accounts"), rows.account),
    "accounts add": (_with_permit(lambda settings, *permit: AddAccount(settings.name, *permit)), rows.added),
    "accounts reset": (_with_permit(lambda settings, *permit: LetReset(settings.name, *permit)), rows.let_reset),
    "accounts close": (_one(lambda name: Bar(name, FOREVER)), rows.closed),
    "accounts open": (_one(lambda name: Bar(name, 0)), rows.opened),
    "accounts ban": (_ban, rows.banned),
    "accounts unban": (_one(lambda name: Bar(name, 0)), rows.opened),
    "passwd": (_passwd, rows.password),
    "devices": (lambda settings, asked: asked(ListDevices(settings.name))["devices"], rows.device),
    "devices revoke": (_one(EndDevice), rows.revoked),
    "invites": (_list(ListPermits(), "permits"), rows.permit),
    "invites new": (_with_permit(lambda settings, mark, until: AddPermit(mark, settings.uses, until)), rows.invited),
    "invites revoke": (_end_permit, rows.taken_back),
    "rooms": (_list(ListRooms(), "rooms"), rows.room),
    "rooms close": (_one(CloseRoom), rows.room_closed),
    "rooms open": (_one(OpenRoom), rows.room_opened),
    "rooms own": (_one(GiveRoom), rows.room_given),
    "sessions": (_list(ListSessions(), "sessions"), rows.session),
    "announce": (_announce, rows.announced),
    "stats": (_one(TellStats), rows.stats),
    "check": (_one(TellStats), lambda fact: ()),
}
"""What each command asks for, and how its facts look as rows."""
