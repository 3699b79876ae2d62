"""What was said: history, search, what nobody has looked at. The journal answers, with the broker away too.

What is older than the journal is asked of the broker, a page at a time, and kept.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

from core import shown, typed
from core.clock import Instant
from core.commands import Backfill, Command, Read, Recall, Search, Show, Tally
from core.events import HandedOut, Recalled, Reviewed, Searched, Tallied
from core.ignored import Ignored
from core.inquiries import Inquiries, WantedPage
from core.marks import Marks
from core.outbox import Memory, SendId
from core.places import Places, conversation, shown_log
from core.receipts import Receipts
from core.remarking import Remarking
from protocol import errors, frames, names
from protocol.frames import Envelope

# Pages of the broker's that one question may bring: a mailbox of many conversations may need several for one of them.
HISTORY_PAGES = 10
# What is shown of a time, at most.
HISTORY_MAX_MESSAGES = 1000
# After a step of a long search the network and the keys have their turn.
SEARCH_S = 0.01


class Lookback:
    """Questions about the past, and their answers."""

    def __init__(self, account: str, places: Places, inquiries: Inquiries, memory: Memory, at_once: bool) -> None:
        self.account = account
        self.ignored = Ignored(memory.ignored)
        self.receipts = Receipts(memory, places, self.ignored, at_once)
        self.remarking = Remarking(places, self.receipts)
        self._places = places
        self._inquiries = inquiries
        self._search: Search | None = None  # not finished
        self._search_due = 0.0
        self.table: dict[type[Any], Callable[[Any, Instant], list[Command]]] = {
            typed.AskedHistory: self._asked_history,
            typed.AskedSearch: self._asked_search,
            typed.AskedUnread: self._asked_unread,
            typed.AskedIgnored: self._asked_ignored,
            typed.IgnoredAccount: self._ignore,
            typed.UnignoredAccount: self._unignore,
            typed.AskedReceipts: self._asked_receipts,
            typed.SwitchedReceipts: self._switched_receipts,
            HandedOut: lambda event, now: self.receipts.seen(event.envelopes, self.account),
            Reviewed: lambda event, now: [Show(each) for each in self.remarking.reviewed(event)],
            Searched: self._searched,
            Tallied: self._tallied,
        }

    # -- history --

    def _asked_history(self, event: typed.AskedHistory, now: Instant) -> list[Command]:
        """The last messages of a place."""
        log, account = conversation(event.place or self._places.place, self.account)
        since = now.at - event.seconds * 1000 if event.seconds else 0
        count = HISTORY_MAX_MESSAGES if event.seconds else event.count
        return [Recall(log, account, count, since, self.ignored.keys, HISTORY_PAGES, event.tag)]

    def recalled(self, event: Recalled) -> list[Command] | WantedPage:
        """Show it; or ask the broker first for what is older, if more was wanted."""
        recall = event.recall
        enough = len(event.found) >= recall.count or (recall.since and 0 < event.oldest_at < recall.since)
        if enough or event.oldest <= 1 or not recall.pages:
            return self._show(event)
        return WantedPage(recall=recall, before=event.oldest, tag=recall.tag)

    def _show(self, event: Recalled) -> list[Command]:
        recall = event.recall
        if not event.found:
            place = recall.account or recall.log
            return [Show(shown.Notice(text=shown.NOTHING_THERE.format(place=place)))]
        log = shown_log(recall.log, self.account)
        return [Show(each) for each in runs(log, event.found, self._marked(event.found, event.marks))]

    def _marked(self, found: list[tuple[int, Envelope]], marks: dict[SendId, Marks]) -> dict[SendId, Marks]:
        return self.remarking.marked([envelope for _, envelope in found], marks, self.account)

    def page(self, frame: frames.Page) -> list[Command]:
        """Keep it, and look again."""
        question = self._inquiries.answered(frame.ask)
        run = frame.run
        if not isinstance(question, WantedPage):
            log = shown_log(run.log, self.account)
            return [Show(shown.Messages(log=log, first=run.first, envelopes=run.envelopes, waited=0, mine=True))]
        pages = question.recall.pages - 1 if frame.more else 0
        again = _with_pages(question.recall, pages)
        return [Backfill(run.log, run.first, run.envelopes), again] if run.envelopes else [again]

    def unanswered(self, question: WantedPage) -> list[Command]:
        """The broker can't say: what the journal has must do."""
        return [_with_pages(question.recall, 0)]

    # -- search --

    @property
    def due(self) -> float | None:
        """The tick at which the search goes on."""
        return self._search_due if self._search else None

    def _asked_search(self, event: typed.AskedSearch, now: Instant) -> list[Command]:
        """Look for words."""
        return [Search(event.words, event.count, self.ignored.keys)]

    def _searched(self, event: Searched, now: Instant) -> list[Command]:
        """Show it, or go on soon."""
        if event.unfinished:
            self._search, self._search_due = event.search, now.tick + SEARCH_S
            return []
        items = [(shown_log(log, self.account), seq, envelope) for log, seq, envelope in event.found]
        marks = self._marked([(seq, envelope) for _, seq, envelope in event.found], event.marks)
        return [Show(shown.Found(words=event.search.words, items=items, more=event.more, marks=marks))]

    def go_on(self, now: Instant) -> list[Command]:
        """The next step of a search."""
        if self._search is None or self._search_due > now.tick:
            return []
        search, self._search = self._search, None
        return [search]

    # -- what nobody has looked at --

    def read(self) -> Read:
        """Whoever is in a place sees what comes there."""
        return Read(*conversation(self._places.place, self.account))

    def _asked_unread(self, event: typed.AskedUnread, now: Instant) -> list[Command]:
        """Where something is to be looked at."""
        return [self.read(), Tally(names.key(self.account), self.ignored.keys)]

    def _tallied(self, event: Tallied, now: Instant) -> list[Command]:
        """Say so."""
        return [Show(shown.Unread(items=event.unread))]

    # -- who is not shown --

    def _asked_ignored(self, event: typed.AskedIgnored, now: Instant) -> list[Command]:
        """Name them."""
        return [Show(shown.Ignored(accounts=self.ignored.names))]

    def _ignore(self, event: typed.IgnoredAccount, now: Instant) -> list[Command]:
        """One more."""
        if names.key(event.account) == names.key(self.account):
            return [_refuse("own-name", event)]
        return [self.ignored.add(event.account), Show(shown.Ignored(accounts=self.ignored.names))]

    def _unignore(self, event: typed.UnignoredAccount, now: Instant) -> list[Command]:
        """One less."""
        remember = self.ignored.remove(event.account)
        if remember is None:
            return [_refuse("not-ignored", event)]
        return [remember, Show(shown.Ignored(accounts=self.ignored.names))]

    # -- what others are told --

    def _asked_receipts(self, event: typed.AskedReceipts, now: Instant) -> list[Command]:
        """Say whether."""
        return [Show(shown.TellsRead(on=self.receipts.on))]

    def _switched_receipts(self, event: typed.SwitchedReceipts, now: Instant) -> list[Command]:
        """From now on."""
        return [self.receipts.switch(event.on), Show(shown.TellsRead(on=event.on))]


def runs(log: str, found: list[tuple[int, Envelope]], marks: dict[SendId, Marks]) -> list[shown.Messages]:
    """What was found of a log, in runs of messages that follow one another."""
    groups = groupby(enumerate(found), key=lambda placed: placed[1][0] - placed[0])
    some = [[place for _, place in group] for _, group in groups]
    return [
        shown.Messages(log=log, first=run[0][0], envelopes=[each for _, each in run], waited=0, mine=True, marks=marks)
        for run in some
    ]


def _with_pages(recall: Recall, pages: int) -> Recall:
    return Recall(recall.log, recall.account, recall.count, recall.since, recall.hidden, pages, recall.tag)


def _refuse(code: str, asked: typed.IgnoredAccount | typed.UnignoredAccount) -> Show:
    text = errors.sentence(code, name=asked.account)
    return Show(shown.Refused(code=code, text=text, tag=asked.tag, line=asked.line))
