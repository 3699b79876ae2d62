"""What a device reads: how far it is in each log, what waited when it came, and what is to be acknowledged."""

from __future__ import annotations

from itertools import groupby

from core import shown
from core.commands import Begin, Command, Record, Review, Show
from core.ignored import Ignored
from core.outbox import Memory, SendId
from core.places import shown_log
from core.receipts import Receipts
from core.remarking import Remarking
from protocol import limits
from protocol.frames import Deliver, Envelope, Extent, Pong, Run


class Reader:
    """Cursors, one a log. ``reads`` is False for a session that only sends, which has none."""

    def __init__(self, reads: bool, memory: Memory, ignored: Ignored, receipts: Receipts, remarking: Remarking) -> None:
        self._reads = reads
        self._cursors = memory.cursors
        self._receipts = receipts
        self._remarking = remarking
        self._known = memory.known  # what was read in another epoch and may come again
        self._ignored = ignored
        self._waited: dict[str, int] = {}  # per log its head when we came
        self._begun = False  # we know those heads
        self._acks: dict[str, int] = {}

    @property
    def cursors(self) -> dict[str, int]:
        """As Hello, Ack and Ping say them."""
        return dict(list(self._cursors.items())[: limits.SESSION_LOGS]) if self._reads else {}

    @property
    def waiting(self) -> int:
        """How many messages waited when we came."""
        messages = ((log, head) for log, head in self._waited.items() if not log.startswith("+"))
        return sum(max(0, head - self._cursors[log]) for log, head in messages)

    @property
    def caught_up(self) -> bool:
        """Whether everything that waited when we came has come."""
        return self._begun and all(self._cursors.get(log, 0) >= head for log, head in self._waited.items())

    def go_to(self, cursors: dict[str, int]) -> None:
        """Begin from other cursors, once Welcome says how far it is from there."""
        self._cursors, self._waited, self._acks, self._begun = cursors, {}, {}, False

    def go_back(self, cursors: dict[str, int], known: set[SendId]) -> None:
        """Begin from where the broker was put back to, and pass over what is known."""
        self.go_to(cursors)
        self._known = known

    def ahead(self, logs: dict[str, Extent]) -> bool:
        """Whether something was read that is not there, or no longer."""
        return any(self._cursors.get(log, 0) > extent.base for log, extent in logs.items())

    def begin(self, logs: dict[str, Extent]) -> list[Command]:
        """Welcome: where reading begins in logs that the journal does not know, or knows less of than is left."""
        self._begun = True
        if not self._reads:
            return []
        self._acks = {}
        self._waited = {log: extent.head for log, extent in logs.items()}
        return [command for log, extent in logs.items() for command in self._start(log, extent)]

    def join(self, log: str, extent: Extent) -> list[Command]:
        """One more log, from now on. What was said there since one left it the last time is not for us."""
        if not self._reads or self._cursors.get(log, -1) >= extent.floor:
            return []
        self._cursors[log] = extent.start
        return [Begin(log, extent.start)]

    def _start(self, log: str, extent: Extent) -> list[Command]:
        pos = max(self._cursors.get(log, extent.start), extent.floor)
        known = self._cursors.get(log)
        if known == pos:
            return []
        self._cursors[log] = pos
        gone = 0 if known is None or log.startswith("+") else extent.gone - known
        return [Begin(log, pos), *([Show(shown.Gone(log=log, messages=gone))] if gone > 0 else [])]

    def leave(self, log: str) -> None:
        """One log less."""
        self._waited.pop(log, None)

    def deliver(self, frame: Deliver, account: str) -> tuple[list[Command], bool]:
        """What is new in it, to be kept and shown; and whether something before it was lost on the way."""
        commands: list[Command] = []
        for run in frame.runs:
            cursor = self._cursors.get(run.log)
            if cursor is None:
                continue
            if run.first > cursor + 1:
                return commands, True
            news = run.envelopes[cursor + 1 - run.first :]
            if news:
                self._cursors[run.log] = cursor + len(news)
                commands += self._news(Run(run.log, cursor + 1, news), account)
            self._acks[run.log] = self._cursors[run.log]
        return commands, False

    def _news(self, run: Run, account: str) -> list[Command]:
        if not self._known:
            return self._whole_news(run, account)
        commands: list[Command] = []
        for is_known, places in groupby(enumerate(run.envelopes, run.first), key=self._is_known):
            some = list(places)
            if is_known:
                commands.append(Begin(run.log, some[-1][0]))
            else:
                commands += self._whole_news(Run(run.log, some[0][0], [each for _, each in some]), account)
        return commands

    def _is_known(self, place: tuple[int, Envelope]) -> bool:
        return (place[1].device, place[1].n) in self._known

    def _whole_news(self, run: Run, account: str) -> list[Command]:
        if run.log.startswith("+"):
            return [Record(run.log, run.first, run.envelopes), *map(Show, self._receipts.told(run.envelopes))]
        messages = shown.Messages(
            log=shown_log(run.log, account),
            first=run.first,
            envelopes=run.envelopes,
            waited=self._waited.get(run.log, 0),
        )
        news = [self._remarking.shows(some, account) for some in self._ignored.sift(messages)]
        return [
            Record(run.log, run.first, run.envelopes),
            *self._receipts.came(run.envelopes, account),
            *(each if isinstance(each, Review) else Show(each) for each in news),
        ]

    def missed(self, frame: Pong) -> bool:
        """All that was sent before a Pong came before it, so what is missing now was lost."""
        return any(self._cursors.get(log, pos) < pos for log, pos in frame.sent.items())

    def take_acks(self) -> dict[str, int]:
        """What has come since the last call."""
        acks, self._acks = self._acks, {}
        return acks
