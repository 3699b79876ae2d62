"""Bots: programs that talk, in a few lines, on the client's own core, journal and loop.

    from restante.bots import Bot

    with Bot("echo") as bot:
        for message in bot.messages():
            bot.reply(message, message.text)

Where the broker is, the password and the folder come from the environment, as for every script (docs/SCRIPTING.md).
What a bot sends is marked as a bot's; it is not handed what other bots say, nor what was said while it was away,
unless it asks for that.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

# Installed, this is restante.bots: the modules of the programs lie beside it, in a package's folder.
if (_tree := str(Path(__file__).resolve().parent)) not in sys.path:
    sys.path.insert(0, _tree)

from client import opened
from console import client_options, menu, words
from console.input import Typing, build
from console.output import Plain
from console.pipe import Input
from console.spoken import is_action, spoken_text
from console.standing import Standing
from core import shown, typed
from core.clock import Instant
from core.errand import DONE, REFUSED_LINES, UNREACHED, Wish
from core.shown import Shown
from protocol import names
from store import configfile
from transport.poller import Poller

__all__ = ["Bot", "Message", "Refused"]

# Messages that wait in memory; the others wait at the broker.
INBOX_MESSAGES = 1000

_log = logging.getLogger("restante.bots")


class Refused(Exception):
    """What was asked was not done. ``code`` is for programs (docs/CODES.md), the text for people."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has said."""

    id: str  # device:n, the same whenever it is handed over again
    author: str
    to: str  # #room, or an account
    text: str
    at: datetime
    waited: bool  # it came while the bot was away
    action: bool  # it tells what its author does: /me
    bot: bool  # a program has said it

    @property
    def private(self) -> bool:
        """Whether it was said to the bot alone."""
        return not self.to.startswith("#")


class Bot:
    """A program that talks as an account of its own; in the main thread, one thing after the other.

    ``options`` are those of the client's command line: ``Bot("echo", "-p", "9000")``. ``reads``: False for a bot that
    only speaks. ``waited``: hand over what was said while it was away, too, and what it had not dealt with when it
    ended: each message at least once. ``bots``: and what other bots say.
    """

    def __init__(self, name: str, *options: str, reads: bool = True, waited: bool = False, bots: bool = False) -> None:
        settings = client_options.read([name, *options, "--bot"], configfile.read)
        self._settings = msgspec.structs.replace(settings, ack=True)
        self._wish = Wish(reads=reads, follow=True, bot=True, wait_s=settings.wait_s)
        account = names.key(settings.name)
        self._front = _Front(account, lambda each: (waited or not each.waited) and (bots or not each.bot))
        self._timers: list[tuple[float, int, float, Callable[[], object]]] = []  # due, number, again after, what
        self._numbers = itertools.count(1)
        self._stack = contextlib.ExitStack()
        self._code: int | None = None  # the run is over

    @property
    def name(self) -> str:
        """The account's name."""
        return self._loop.core.account

    # -- a run --

    def connect(self) -> Self:
        """Log in. Refused if the broker does not let it in, or is not reached (``--wait`` says how long to try)."""
        with contextlib.ExitStack() as stack:
            self._loop = stack.enter_context(opened(self._settings, self._wish, lambda folder, wake: self._front))
            self._loop.greet()
            if not self._until(lambda: self._loop.core.online, self._wish.wait_s):
                raise Refused("not-connected", words.UNREACHED_END(broker=self._loop.core.person.broker))
            self._stack = stack.pop_all()
        return self

    def close(self) -> None:
        """Log out, once what was sent is accepted, or ``--wait`` is over; what is not, goes out with the next run."""
        if self._code is None:
            self._front.input.say(typed.Left())
            self._until(lambda: False)
        self._stack.close()

    def run(self, hear: Callable[[Message], object] | None = None) -> int:
        """Connect, hear every message, run the timers, until a signal comes; the exit code, as the client's."""
        try:
            with self:
                for message in self.messages():
                    if hear:
                        hear(message)
        except Refused as refusal:
            if self._code != UNREACHED:  # a first run that has given up has said so
                _log.error("%s", refusal)
            return UNREACHED if self._code is None else self._code or REFUSED_LINES
        return DONE if self._code in (None, REFUSED_LINES) else self._code  # the bot was told of each refusal

    def __enter__(self) -> Self:
        return self.connect()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Whatever has happened, what was sent is not forgotten."""
        self.close()

    # -- what it says --

    def send(self, to: str, text: str) -> bool:
        """Say this to an account or a #room: True once it is on the broker's disk; False if the broker is away, and it
        is kept, and goes out by itself. Refused if it can't go there.
        """
        return self._ask("msg", to, text)

    def reply(self, message: Message, text: str) -> bool:
        """Say this where the message was said."""
        return self.send(message.author if message.private else message.to, text)

    def join(self, room: str) -> None:
        """Become a member of a #room; it is made if there is none. Nothing is done if it is one."""
        self._ask("join", room)

    def leave(self, room: str) -> None:
        """Be a member no longer."""
        self._ask("leave", room)

    def _ask(self, command: str, *arguments: str) -> bool:
        """Do one thing, and wait for what becomes of it; whether it was a message that is accepted."""
        intent = build(menu.BY_NAME[command], list(arguments))
        if isinstance(intent, typed.Mistook):
            raise Refused(intent.code, words.said(intent.code, intent.text))
        intent.tag = tag = str(next(self._numbers))
        self._front.outcomes = {tag: None}
        self._front.input.say(intent)
        self._until(self._settled)
        outcome = self._front.outcomes.pop(tag)
        if isinstance(outcome, shown.Refused):
            raise Refused(outcome.code, words.said(outcome.code, outcome.text))
        return outcome is not None

    def _settled(self) -> bool:
        """Whether the broker owes no word, or is away."""
        core = self._loop.core
        return self._front.input.empty and (core.settled or not core.online)

    # -- what it hears --

    def messages(self) -> Iterator[Message]:
        """What is said, one after the other; the timers in between. It ends when a signal comes.

        Whoever comes back for the next message has dealt with the last one, which is not handed over again.
        """
        while self._code is None:
            self._run_timers()
            if not self._front.inbox:
                self._until(lambda: bool(self._front.inbox), self._pause())
                continue
            log, seq, message = self._front.inbox.popleft()
            if message:
                yield message
            self._front.input.say(typed.Confirmed(log=log, seq=seq))
            if message and self._code is None:
                self._until(lambda: True)

    # -- what it does by itself --

    def after(self, seconds: float, call: Callable[[], object]) -> None:
        """Call this once, so many seconds from now, between two messages."""
        self._set(seconds, 0.0, call)

    def every(self, seconds: float, call: Callable[[], object]) -> None:
        """Call this again and again, with so many seconds in between; now, too."""
        self._set(0.0, seconds, call)

    def _set(self, first: float, again: float, call: Callable[[], object]) -> None:
        heapq.heappush(self._timers, (time.monotonic() + first, next(self._numbers), again, call))

    def _run_timers(self) -> None:
        """Those that are due now; each once, however long they take."""
        now = time.monotonic()
        due = []
        while self._timers and self._timers[0][0] <= now:
            due.append(heapq.heappop(self._timers))
        for _, _, again, call in due:
            call()
            if again:
                self._set(again, again, call)

    def _pause(self) -> float | None:
        """Seconds until the next timer is due."""
        return max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None

    # -- turns --

    def _until(self, done: Callable[[], bool], seconds: float | None = None) -> bool:
        """Turn after turn, one at least, until this holds, or the time or the run is over; whether it holds."""
        end = None if seconds is None else time.monotonic() + seconds

        def turn() -> int | None:
            self._loop.takes = len(self._front.inbox) < INBOX_MESSAGES
            self._code = self._loop.turn()
            late = end is not None and time.monotonic() >= end
            return 0 if self._code is not None or late or done() else None

        def patience() -> float | None:
            left = [self._loop.patience(), None if end is None else max(0.0, end - time.monotonic())]
            return min((each for each in left if each is not None), default=None)

        if self._code is None:
            self._front.run(turn, patience)
        if self._front.bye:
            raise Refused(self._front.bye.code, " ".join(self._front.told(self._front.bye)))
        return done()


class _Front:
    """The front end of a bot: what comes waits in memory until the bot takes it; what the client says is logged."""

    def __init__(self, account: str, wants: Callable[[Message], bool]) -> None:
        self.input = Input(Typing(raw=True), strict=False)
        self.closed = False
        self.inbox: deque[tuple[str, int, Message | None]] = deque()  # log, seq; None: not for this bot
        self.outcomes: dict[str, Shown | None] = {}  # of what is waited for, by tag
        self.bye: shown.Bye | None = None
        self.told = Plain(lambda at: "").sentences
        self._wants = wants
        self._account = account
        self._poller = Poller()
        self.add, self.drop = self._poller.add, self._poller.drop

    def run(self, turn: Callable[[], int | None], patience: Callable[[], float | None]) -> int:
        """See front.Front; so for all that follows."""
        while (code := turn()) is None:
            self._poller.wait(patience())
        return code

    def listen(self, wanted: bool) -> None:
        """Nobody types."""

    def waits(self) -> bool:
        """What the bot wants to say."""
        return not self.input.empty

    def show(self, event: Shown, at: int) -> None:
        """Keep it for the bot, or log it."""
        if isinstance(event, shown.Messages):
            if not event.mine:
                self._take(event)
            return
        if isinstance(event, shown.Sent | shown.Refused) and event.tag in self.outcomes:
            self.outcomes[event.tag] = event
            return
        if isinstance(event, shown.Bye):
            self.bye = event
        else:
            level = logging.WARNING if isinstance(event, shown.Refused | shown.Met) else logging.INFO
            for sentence in self.told(event):
                _log.log(level, "%s", sentence)

    def _take(self, event: shown.Messages) -> None:
        log = names.mailbox(names.key(event.log[1:])) if event.log.startswith("@") else event.log
        for seq, envelope in enumerate(event.envelopes, event.first):
            message = Message(
                id=f"{envelope.device}:{envelope.n}",
                author=envelope.author,
                to=envelope.to,
                text=spoken_text(envelope),
                at=datetime.fromtimestamp(envelope.at / 1000, UTC),
                waited=seq <= event.waited,
                action=is_action(envelope),
                bot=envelope.bot,
            )
            wanted = envelope.enc == "none" and names.key(envelope.author) != self._account and self._wants(message)
            self.inbox.append((log, seq, message if wanted else None))

    def tell(self, text: str) -> None:
        """Nobody asks."""

    def note(self, sentence: str) -> None:
        """Log it."""
        _log.warning("%s", sentence)

    def write(self, standing: Standing, now: Instant, last: bool = False) -> bool:
        """It is kept already; the bot confirms what it has dealt with."""
        return True

    def unsent(self) -> list[typed.Intent]:
        """It has said all that it wanted."""
        return []

    def aside(self) -> contextlib.AbstractContextManager[None]:
        """Nothing is in the way."""
        return contextlib.nullcontext()
