"""What happened becomes styled lines for the scrollback. Pure: clock, time zone, colours and width are passed in.

A line that is printed is never touched again. What comes between two paints is gathered, and what comes faster than
anybody reads is counted instead of shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import chain

import msgspec

from console import words
from console.colours import Names
from console.order import merged
from console.output import Plain, found_sentence, is_action, marked, readable, spoken_text
from console.preferences import Preferences
from console.rows import Fragments, Signs, Unread, measured
from console.sanitise import clean, clean_line
from core import shown, typed
from core.shown import Shown
from protocol import names
from protocol.frames import Envelope

# Messages painted at once: several screenfuls.
PAINTED_MESSAGES = 200
# Rows of one message that are shown at once, and characters of one row.
FOLDED_ROWS = 20
ROW_CHARS = 4000

# Marks a question of the screen's own.
HEADS = "heads"

_JOINING = (shown.Came, shown.Went)


class Page:
    """The scrollback as it grows: ``show`` what happens, ``take`` the lines. Bells and unread counts beside it."""

    def __init__(
        self,
        local: Callable[[int], str],
        day: Callable[[int], str],
        colours: Names,
        signs: Signs,
        preferences: Preferences,
    ) -> None:
        self._local = local  # HH:MM
        self._day_of = day
        self._colours = colours
        self.signs = signs
        self.preferences = preferences
        self._plain = Plain(local)
        self._gathered: list[tuple[Shown | str, int]] = []
        self._day = ""  # of the line printed last
        self._waited = -1  # messages of the block that came while we were away; -1: no block stands open
        self._expected = 0  # as the broker counts them
        self._account = ""
        self._mention: re.Pattern[str] | None = None
        self._present: dict[str, str] = {}
        self._asked_heads = False  # we have asked who is here, not the person
        self.place = names.LOBBY
        self.width = 80
        self.unread: dict[str, Unread] = {}
        self.known: dict[str, str] = {}  # folded name → name, of everybody who was met
        self.rings = False  # a mention or a private line has come since somebody looked

    @property
    def heads(self) -> int:
        """How many are here."""
        return len(self._present)

    @property
    def _margin(self) -> str:
        """As wide as a time, and the blank behind it."""
        return " " * (len(self._local(0)) + 1)

    @property
    def empty(self) -> bool:
        """Whether nothing has gathered."""
        return not self._gathered

    def is_called(self, account: str) -> None:
        """Whose screen this is."""
        if account != self._account:
            self._account = account
            self._mention = re.compile(rf"(?<!\w){re.escape(account)}(?!\w)", re.IGNORECASE)

    def goes_to(self, place: str) -> None:
        """Where one is now: what came there is read."""
        self.place = place
        self.unread.pop(place, None)

    def show(self, event: Shown, at: int) -> None:
        """Gather this."""
        self._gathered.append((event, at))

    def tell(self, text: str) -> None:
        """Lines of the program's own: what somebody has asked it for."""
        self._gathered.append((text, 0))

    def note(self, sentence: str) -> None:
        """A sentence of the program's own."""
        self._gathered.append((f"restante: {sentence}", 0))

    # -- lines --

    def take(self) -> list[Fragments]:
        """The lines that have gathered."""
        gathered, self._gathered = self._gathered, []
        lines: list[Fragments] = []
        held: list[shown.Messages] = []
        for event, at in _joined(gathered):
            if isinstance(event, shown.Messages) and not event.mine:
                held.append(event)
                continue
            lines += self._runs(held)
            held = []
            lines += [[("", event)]] if isinstance(event, str) else self._event(event, at)
        return lines + self._runs(held)

    def _event(self, event: Shown, at: int) -> list[Fragments]:
        if isinstance(event, shown.Messages):
            return self._history(event)
        if isinstance(event, shown.Found):
            return self._found(event, at)
        self._learn(event)
        if self._is_unasked(event):
            return []
        if isinstance(event, shown.Refused):
            event = msgspec.structs.replace(event, line=0)
        lines = [self._notice(event, at, sentence) for sentence in self._plain.sentences(event)]
        if isinstance(event, shown.Online) and event.waiting:
            self._expected = event.waiting
            del lines[-1]  # the block that comes now says so
        return self._dated(at, lines) if lines else []

    def _learn(self, event: Shown) -> None:
        """Who is here, and who is there at all."""
        if isinstance(event, shown.Who):
            self._present = {name.casefold(): name for name in event.accounts}
            self.known |= self._present
        elif isinstance(event, shown.Came):
            came = {name.casefold(): name for name in event.accounts}
            self.known |= came
            self._present |= came if event.room == names.LOBBY else {}
        elif isinstance(event, shown.Went) and event.room == names.LOBBY:
            for name in event.accounts:
                self._present.pop(name.casefold(), None)
        elif isinstance(event, shown.Contacts):
            self.known |= {name.casefold(): name for name in (*event.contacts, *event.possible)}
        elif isinstance(event, shown.Offline):
            self._present, self._asked_heads = {}, False

    def _is_unasked(self, event: Shown) -> bool:
        """An answer to what was asked for the head count alone."""
        if isinstance(event, shown.Who) and self._asked_heads:
            self._asked_heads = False
            return True
        return isinstance(event, shown.Refused) and event.tag == HEADS

    def asks_heads(self) -> typed.Intent:
        """After an absence: who is here is asked, and only counted."""
        self._asked_heads = True
        return typed.AskedWho(tag=HEADS)

    def _notice(self, event: Shown, at: int, sentence: str) -> Fragments:
        sign, style = self._sign(event)
        first, *further = clean(sentence).split("\n")
        line = [("class:time", self._local(at)), (style, f" {sign} {first}")]
        return line + self._behind_gutter([(style, row)] for row in further)

    def _sign(self, event: Shown) -> tuple[str, str]:
        if isinstance(event, shown.Came):
            return self.signs.came, "class:notice"
        if isinstance(event, shown.Went):
            return self.signs.went, "class:notice"
        if isinstance(event, shown.Offline | shown.Refused | shown.Bye | shown.Gone | shown.PutBack):
            return "!", "class:warning"
        return "*", "class:notice"

    # -- messages --

    def _runs(self, held: list[shown.Messages]) -> list[Fragments]:
        """Messages by time, those of several logs together; the last of them if they are too many."""
        by_log: dict[str, list[shown.Messages]] = {}
        for run in held:
            by_log.setdefault(run.log, []).append(run)
        runs = merged(by_log.values()) if len(by_log) > 1 else chain.from_iterable(by_log.values())
        over = sum(len(run.envelopes) for run in held) - PAINTED_MESSAGES
        lines: list[Fragments] = []
        passed = 0
        for run in runs:
            for seq, envelope in enumerate(run.envelopes, run.first):
                called = self._calls(envelope)
                lines += self._block(seq <= run.waited, envelope.at)
                over -= 1
                if over >= 0 and not called:
                    passed += 1
                    continue
                lines += self._passed(passed) + self._message(envelope)
                passed = 0
        return lines + self._passed(passed)

    def _passed(self, count: int) -> list[Fragments]:
        return [[("class:notice", f"{self._margin}{self.signs.more} {words.passed_by(count)}")]] if count else []

    def _calls(self, envelope: Envelope) -> bool:
        """Whether this is meant for us before all others. Counts it where it is not seen at once."""
        if self._is_own(envelope.author):
            self.unread.pop(envelope.to, None)
            return False
        private = not envelope.to.startswith("#")
        calls = private or bool(self._mention and self._mention.search(readable(envelope)))
        place = envelope.author if private else envelope.to
        if place.casefold() != self.place.casefold():
            unread = self.unread.setdefault(place, Unread())
            unread.messages += 1
            unread.mentions += calls and not private
        self.known.setdefault(envelope.author.casefold(), envelope.author)
        self.rings |= calls
        return calls

    def _block(self, waited: bool, at: int) -> list[Fragments]:
        """The line above what came while we were away, and the one below it."""
        if not waited:
            return self._close_block()
        if self._waited >= 0:
            self._waited += 1
            return []
        self._waited = 1
        count, self._expected = self._expected, 0
        day = self._day_of(_possible(at))
        since = self._local(_possible(at)) if day == self._day else f"{day}, {self._local(_possible(at))}"
        return [self._rule(words.away(count, since))]

    def _close_block(self) -> list[Fragments]:
        if self._waited < 0:
            return []
        self._waited = -1
        return [self._rule(words.NEW_FROM_HERE())]

    def _message(self, envelope: Envelope, whole: bool = False) -> list[Fragments]:
        own = self._is_own(envelope.author)
        first, *further = self._rows(envelope, whole, own)
        line = [("class:time", self._local(_possible(envelope.at))), ("", " "), *self._head(envelope), *first]
        line += self._behind_gutter(further)
        if own:
            line.append(("class:tick", f" {self.signs.accepted}"))
        return self._dated(envelope.at, [line])

    def _head(self, envelope: Envelope) -> Fragments:
        """Who says it; and to whom, if that is one person: to be seen without colour."""
        style, name = self._name(envelope.author)
        author, gap = (style, marked(envelope, name)), "  "
        if is_action(envelope):
            author, gap = (author[0], f"~ {author[1]}"), " "
        if envelope.to.startswith("#"):
            place = [] if envelope.to == self.place else [("class:place", f" {clean_line(envelope.to)}")]
            return [author, *place, ("", gap)]
        to = ("bold", words.YOU()) if self._is_own(envelope.to) else self._name(envelope.to)
        return [author, ("class:private", f" {self.signs.to} "), to, ("", gap)]

    def _is_own(self, account: str) -> bool:
        return account.casefold() == self._account.casefold()

    def _name(self, account: str) -> tuple[str, str]:
        return ("bold" if self._is_own(account) else self._colours.style(account), clean_line(account))

    def _rows(self, envelope: Envelope, whole: bool, own: bool) -> list[Fragments]:
        """The text in rows, each with its mentions marked; folded unless it was asked for."""
        rows = clean(spoken_text(envelope)).split("\n")
        over = 0 if whole else len(rows) - FOLDED_ROWS
        styled = [self._marked(_short(row, whole, self.signs.more), own) for row in rows[: len(rows) - max(0, over)]]
        if over > 0:
            styled.append([("class:notice", f"{self.signs.more} {words.folded(over)}")])
        return styled

    def _marked(self, row: str, own: bool) -> Fragments:
        if own or self._mention is None:
            return [("", row)]
        left, right = self.signs.marked
        fragments: Fragments = []
        at = 0
        for found in self._mention.finditer(row):
            fragments += [("", row[at : found.start()]), ("class:mention", f"{left}{found[0]}{right}")]
            at = found.end()
        return [*fragments, ("", row[at:])]

    def _behind_gutter(self, rows: Iterable[Fragments]) -> Fragments:
        """Further rows: no text can pass for a line of somebody else's."""
        return [each for row in rows for each in (("class:gutter", f"\n{self._margin}{self.signs.gutter}"), *row)]

    def _history(self, event: shown.Messages) -> list[Fragments]:
        lines = [line for envelope in event.envelopes for line in self._message(envelope, whole=True)]
        return [self._rule(words.HISTORY_OF()), *lines, self._rule(words.END_OF_HISTORY())]

    def _found(self, event: shown.Found, at: int) -> list[Fragments]:
        lines = [line for _, _, envelope in event.items for line in self._message(envelope, whole=True)]
        told = found_sentence(event)
        return [*lines, *self._dated(at, [self._notice(event, at, told)] if told else [])]

    # -- lines between --

    def _dated(self, at: int, lines: list[Fragments]) -> list[Fragments]:
        """A line for the day, where it is another than before."""
        day = self._day_of(_possible(at))
        if day == self._day:
            return lines
        before, self._day = self._day, day
        return [self._rule(day), *lines] if before else lines

    def _rule(self, text: str) -> Fragments:
        head = f"{self.signs.rule * 2} {text} "
        return [("class:rule", head + self.signs.rule * max(2, self.width - 1 - measured(head)))]


def _short(row: str, whole: bool, more: str) -> str:
    return row if whole or len(row) <= ROW_CHARS else f"{row[:ROW_CHARS]}{more} {words.cut_row(len(row) - ROW_CHARS)}"


def _possible(at: int) -> int:
    """A broker's clock may say anything; the local calendar ends somewhere."""
    return min(max(at, 0), 253_370_764_800_000)


def _joined(gathered: list[tuple[Shown | str, int]]) -> list[tuple[Shown | str, int]]:
    """Joins in a row become one, and so do those who leave."""
    joined: list[tuple[Shown | str, int]] = []
    for event, at in gathered:
        last = joined[-1][0] if joined else None
        if isinstance(event, _JOINING) and isinstance(last, type(event)) and last.room == event.room:
            accounts = [*last.accounts, *event.accounts]
            joined[-1] = (type(event)(room=event.room, accounts=accounts, more=last.more + event.more), at)
        else:
            joined.append((event, at))
    return joined
