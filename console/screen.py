"""What happened becomes styled lines for the scrollback. Pure: clock, time zone, colours and width are passed in.

A line that is printed is never touched again. What comes between two paints is gathered, and what comes faster than
anybody reads is counted instead of shown.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import chain, groupby

import msgspec

from console import remark_words, remarked, words
from console.colours import Names
from console.completion import Around
from console.conversations import Conversations
from console.order import merged
from console.output import Plain, found_sentence
from console.preferences import Preferences
from console.rows import Fragments, Signs, measured, wrapped
from console.sanitise import clean, clean_line
from console.spoken import is_action, marked, readable, send_id, spoken_text
from core import shown, typed
from core.marks import READ, Marks, is_remark
from core.shown import Shown
from protocol import names
from protocol.frames import Envelope

# Messages painted at once: several screenfuls.
PAINTED_MESSAGES = 200
# Rows of one message that are shown at once, and characters of one row.
FOLDED_ROWS = 20
ROW_CHARS = 4000
# Blanks before what goes below what it is about.
BELOW = 4

# Marks a question of the screen's own.
HEADS = "heads"

_COLUMN = re.compile(r"\S.*?  +")
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
        self._minutes: dict[int, tuple[str, str]] = {}  # of this paint → time and day: most messages share theirs
        self._day = ""  # of the line printed last
        self._meanwhile: Counter[str] = Counter()  # messages of the block that came while we were away, by conversation
        self._expected = 0  # as the broker counts them
        self._account = ""
        self._mention: re.Pattern[str] | None = None
        self._present: dict[str, str] = {}
        self._asked_heads = False  # we have asked who is here, not the person
        self.place = names.LOBBY
        self.width = 80
        self.talks = Conversations()
        self.known: dict[str, str] = {}  # folded name → name, of everybody who was met
        self._rooms: dict[str, str] = {}  # that were listed, folded → as they are written
        self.caller: Envelope | None = None  # a mention or a private line that has come since somebody looked

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
        self.talks.look(place)

    def around(self, asked: bool) -> Around:
        """What can be named; nothing that could not be shown as it is."""
        rooms = {place: place for place in self.talks.places.values() if place.startswith("#")}
        found = ({**self.known}.values(), {**rooms, **self._rooms}.values())
        names_, rooms_ = ([each for each in some if clean_line(each) == each] for some in found)
        return Around([each for each in names_ if not self._is_own(each)], rooms_, asked, self.preferences.aliases)

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
        self._colours.look()
        self._minutes.clear()  # how a time is written is a setting, which counts at once
        lines: list[Fragments] = []
        for _, group in groupby(_joined(gathered), key=_block_of):
            some = list(group)
            runs = [event for event, _ in some if isinstance(event, shown.Messages)]
            if runs:
                lines += self._history(runs, some[0][1]) if runs[0].mine else self._runs(runs)
            else:
                lines += [line for event, at in some for line in self._other(event, at)]
        return lines

    def _other(self, event: Shown | str, at: int) -> list[Fragments]:
        """What is no message."""
        if isinstance(event, str):
            rows = [row for line in event.split("\n") for row in _told(line, self.width)]
            return [[("", "\n".join(rows))]]
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
        elif isinstance(event, shown.Rooms):
            self._rooms |= {each.room.casefold(): each.room for each in event.rooms}
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
        time, head = self._local(at), f" {sign} "
        told = wrapped(time + head + first, self.width, measured(time + head))
        line = [("class:time", time), (style, "\n".join(told)[len(time) :])]
        room = self.width - measured(self._margin + self.signs.gutter)
        return line + self._behind_gutter([(style, row)] for text in further for row in wrapped(text, room, 0))

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
                lines += self._block(seq <= run.waited, envelope)
                over -= 1
                if over >= 0 and not called:
                    passed += 1
                    continue
                lines += self._passed(passed) + self._message(envelope, run)
                passed = 0
        return lines + self._passed(passed)

    def _passed(self, count: int) -> list[Fragments]:
        return [[("class:notice", f"{self._margin}{self.signs.more} {words.passed_by(count)}")]] if count else []

    def _calls(self, envelope: Envelope) -> bool:
        """Whether this is meant for us before all others. Counts it where it is not seen at once."""
        if self._is_own(envelope.author):
            self.talks.look(envelope.to)
            return False
        if is_remark(envelope):
            return False
        private = not envelope.to.startswith("#")
        place = self._conversation(envelope)
        calls = private or bool(self._mention and self._mention.search(readable(envelope)))
        if place.casefold() != self.place.casefold():
            self.talks.came(place, mentions=calls and not private)
        self.known.setdefault(envelope.author.casefold(), envelope.author)
        if calls and not self.talks.mutes(place):
            self.caller = envelope
        return calls

    def _block(self, waited: bool, envelope: Envelope) -> list[Fragments]:
        """The line above what came while we were away, and the one below it."""
        if not waited:
            return self._close_block()
        opening = [] if self._meanwhile else [self._away_rule(envelope.at)]
        self._meanwhile[self._conversation(envelope)] += 1
        return opening

    def _away_rule(self, at: int) -> Fragments:
        count, self._expected = self._expected, 0
        day = self._calendar(at)
        since = self._clock(at) if day == self._day else f"{day}, {self._clock(at)}"
        return self._rule(words.away(count, since))

    def _close_block(self) -> list[Fragments]:
        """What that was, by conversation, if it was more than one."""
        came, self._meanwhile = self._meanwhile, Counter()
        if not came:
            return []
        places = ", ".join(f"{clean_line(place)} {count}" for place, count in came.items())
        told = wrapped(f"{self._margin}* {words.MEANWHILE(places=places)}", self.width, len(self._margin) + 2)
        counts: list[Fragments] = [[("class:notice", "\n".join(told))]] if len(came) > 1 else []
        return [*counts, self._rule(words.NEW_FROM_HERE())]

    def _conversation(self, envelope: Envelope) -> str:
        """Where it belongs: a room, or with whom."""
        own = self._is_own(envelope.author)
        return envelope.to if own or envelope.to.startswith("#") else envelope.author

    def _message(self, envelope: Envelope, run: shown.Messages | shown.Found, whole: bool = False) -> list[Fragments]:
        text = remarked.new_text(envelope)
        if is_remark(envelope) and not text:
            return self._said_about(envelope, run.targets if isinstance(run, shown.Messages) else {})
        own, marks = self._is_own(envelope.author), run.marks.get(send_id(envelope))
        first, *further = self._rows(text or spoken_text(envelope), whole, own)
        told = [("class:notice", remark_words.NEWLY())] if text else []
        line = [("class:time", self._clock(envelope.at)), ("", " "), *self._head(envelope), *told, *first]
        line += self._behind_gutter(further)
        line += [("class:notice", behind)] if (behind := remarked.behind_ticks(marks)) else []
        if own:
            line.append(("class:tick", self._tick(marks)))
        return self._dated(envelope.at, [line])

    def _tick(self, marks: Marks | None) -> str:
        """Accepted; delivered, with a second tick; read, in a word."""
        receipt = marks.receipt if marks else ""
        ticks = self.signs.accepted * (2 if receipt else 1)
        return f" {ticks} {remark_words.RECEIPTS[receipt]()}" if receipt == READ else f" {ticks}"

    def _said_about(self, envelope: Envelope, targets: remarked.Targets) -> list[Fragments]:
        """A deletion or a reaction, as a notice."""
        sentence = remarked.sentence(envelope, targets, self._clock)
        line = [("class:time", self._clock(envelope.at)), ("class:notice", f" * {sentence}")]
        return self._dated(envelope.at, [line]) if sentence else []

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

    def _rows(self, text: str, whole: bool, own: bool) -> list[Fragments]:
        """The text in rows, each with its mentions marked; folded unless it was asked for."""
        rows = clean(text).split("\n")
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

    def _history(self, runs: list[shown.Messages], at: int) -> list[Fragments]:
        """One block, with the days in it; below it, it is today again."""
        today = self._day = self._calendar(at)
        lines = [line for run in runs for each in run.envelopes for line in self._message(each, run, whole=True)]
        self._day = today
        return [self._rule(words.HISTORY_OF()), *lines, self._rule(words.END_OF_HISTORY())]

    def _found(self, event: shown.Found, at: int) -> list[Fragments]:
        today = self._day = self._calendar(at)
        lines = [line for _, _, envelope in event.items for line in self._message(envelope, event, whole=True)]
        told = found_sentence(event)
        back = [self._rule(today)] if self._day != today else []
        self._day = today
        return [*lines, *back, *([self._notice(event, at, told)] if told else [])]

    # -- times --

    def _clock(self, at: int) -> str:
        return self._minute(at)[0]

    def _calendar(self, at: int) -> str:
        return self._minute(at)[1]

    def _minute(self, at: int) -> tuple[str, str]:
        """How a time (Unix, ms) is written, and its day."""
        possible = _possible(at)
        minute = possible // 60_000
        if minute not in self._minutes:
            self._minutes[minute] = self._local(possible), self._day_of(possible)
        return self._minutes[minute]

    # -- lines between --

    def _dated(self, at: int, lines: list[Fragments]) -> list[Fragments]:
        """A line for the day, where it is another than before."""
        day = self._calendar(at)
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


def _block_of(gathered: tuple[Shown | str, int]) -> tuple[str, bool]:
    """What belongs together: what is new, what one log's history says, all else."""
    event = gathered[0]
    if not isinstance(event, shown.Messages):
        return "", False
    return (event.log, True) if event.mine else ("messages", False)


def _told(line: str, width: int) -> list[str]:
    """A line of the program's own, which may have columns. Where one takes half the room, the next goes below."""
    column = _second_column(line)
    if column <= width // 2:
        return wrapped(line, width, column)
    return [*wrapped(line[:column].rstrip(), width, BELOW), *wrapped(" " * BELOW + line[column:], width, BELOW)]


def _second_column(line: str) -> int:
    """Where the second column of a row begins; 0 if it has but one."""
    found = _COLUMN.match(line)
    return found.end() if found else 0


def _joined(gathered: list[tuple[Shown | str, int]]) -> list[tuple[Shown | str, int]]:
    """Joins in a row become one, and so do those who leave, and the runs of one history."""
    joined: list[tuple[Shown | str, int]] = []
    for event, at in gathered:
        last = joined[-1][0] if joined else None
        if isinstance(event, _JOINING) and isinstance(last, type(event)) and last.room == event.room:
            accounts = [*last.accounts, *event.accounts]
            joined[-1] = (type(event)(room=event.room, accounts=accounts, more=last.more + event.more), at)
        elif isinstance(event, shown.Messages) and isinstance(last, shown.Messages) and _goes_on(last, event):
            joined[-1] = (msgspec.structs.replace(last, envelopes=[*last.envelopes, *event.envelopes]), at)
        else:
            joined.append((event, at))
    return joined


def _goes_on(last: shown.Messages, event: shown.Messages) -> bool:
    """Whether both belong to one look back: what stands between them is no message."""
    return last.mine and event.mine and last.marks is event.marks and last.log == event.log
