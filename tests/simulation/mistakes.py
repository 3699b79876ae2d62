"""Deliberate mistakes in what every story needs: accepting, delivering, who may, the client and its journal."""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """One mistake: in this file the old text, which stands there once, becomes the new one."""

    name: str
    file: str
    old: str
    new: str
    laws: str  # any of these may be the one that is seen broken
    within: int = 100  # seeds

    @property
    def is_quick(self) -> bool:
        """Whether it is tried with all tests; the others take longer, and ``make mutants`` tries them."""
        return self.within <= 100


COMMON = (
    # -- accepting --
    Mutant(
        "accepted before it is stored",
        "core/sends.py",
        "        session.last += len(items)\n",
        "        session.last += len(items)\n        session.durable = session.last\n",
        "I1",
    ),
    Mutant(
        "no dedupe in the store",
        "store/memory.py",
        "            if n > device.last:\n",
        "            if True:\n",
        "I1",
    ),
    Mutant(
        "no dedupe before the store",
        "core/sends.py",
        "        news = post.items[known:] if known else post.items\n",
        "        news = post.items\n",
        "I1 I4 I5 I10",
    ),
    Mutant(
        "dedupe in memory only",
        "core/door.py",
        "session.last = session.durable = session.told = state.last",
        "session.last = session.durable = session.told = 0",
        "I1 I4",
    ),
    Mutant(
        "a number ahead of its turn is taken",
        "core/sends.py",
        "        if known < 0:\n",
        "        known = max(0, known)\n        if known < 0:\n",
        "I1 I4 I5",
        1000,
    ),
    Mutant(
        "a gap is no gap for the store",
        "store/memory.py",
        "        if append.n > device.last + 1:\n",
        "        if append.n < 1:\n",
        "I1 I4",
        1000,
    ),
    Mutant(
        "only the addressee's mailbox",
        "store/memory.py",
        "            for name in logs:\n",
        "            for name in logs[:1]:\n",
        "I1",
    ),
    Mutant(
        "a refused send frees its number",
        "store/memory.py",
        "        last, refused = device.last + 1, device.refused\n",
        "        last, refused = device.last + (not isinstance(envelope, tuple)), device.refused\n",
        "I1 I4 I8 I10",
    ),
    Mutant(
        "refusals are forgotten at a login",
        "core/door.py",
        "        session.refused = state.refused\n",
        "        session.refused = {}\n",
        "I1 I10",
    ),
    Mutant(
        "a refusal without its code",
        "core/session.py",
        "            if not self.told < n <= self.durable:\n",
        "            if n % 7 == 0 or not self.told < n <= self.durable:\n",
        "I1 I10",
    ),
    # -- a store that fails --
    Mutant(
        "what failed counts as handed over",
        "core/sends.py",
        "        session.last = session.durable\n",
        "        session.durable = session.durable\n",
        "I1 I8 I10",
    ),
    Mutant(
        "nobody is told of a full disk",
        "core/broker.py",
        "        return [*commands, *(Send(refused, peer) for peer in losers), *note]\n",
        "        return [*commands, *note]\n",
        "I8",
    ),
    Mutant(
        "what is uncertain is taken for kept",
        "core/broker.py",
        "        return list(event.group)\n",
        "        return []\n",
        "I1 I8 I10",
        300,
    ),
    Mutant(
        "what is uncertain is taken for lost",
        "core/broker.py",
        "        self._doubts = True\n        return list(event.group)\n",
        '        return self._store_failed(StoreFailed(event.group, "store-down"), now)\n',
        "I1 I8 I10",
        300,
    ),
    # -- delivering --
    Mutant(
        "delivered when received",
        "core/sends.py",
        "        session.last += len(items)\n",
        "        session.last += len(items)\n"
        "        from core.events import Arrived\n"
        "        from core.packing import cut\n"
        "        for route, envelope in zip(append.logs, append.envelopes, strict=True):\n"
        "            for log in route:\n"
        "                for each in self._sessions.readers.get(log, {}).values():\n"
        "                    each.offer(log, cut(Arrived(log, each.readings[log].head + 1, [envelope])))\n"
        "                    self._sessions.touch(each)\n",
        "I1",
    ),
    Mutant(
        "the window is one too large",
        "core/session.py",
        "return messages <= limits.WINDOW_MESSAGES and",
        "return messages <= limits.WINDOW_MESSAGES + 1 and",
        "I9",
    ),
    Mutant(
        "the window is counted in messages only",
        "core/session.py",
        " and self.size + piece.size <= limits.WINDOW_BYTES",
        "",
        "I9",
    ),
    Mutant(
        "what was not acknowledged lands, too",
        "core/session.py",
        "        while reading.flights and reading.flights[0][0] <= pos:\n",
        "        while reading.flights:\n",
        "I9",
    ),
    Mutant(
        "what is behind is not fetched on",
        "core/session.py",
        "reading.head = last if complete else max(reading.head, last + 1)",
        "reading.head = last",
        "I8 I9",
    ),
    Mutant(
        "what did not fit is forgotten",
        "core/session.py",
        "        if reading.sent < reading.head:\n            self.behind[log] = None\n\n    def fetched",
        "\n    def fetched",
        "I8",
    ),
    Mutant(
        "a run that does not continue is sent",
        "core/session.py",
        "reading.sent + 1 != piece.first or ",
        "",
        "I3",
    ),
    Mutant(
        "a cursor moves when a message is sent",
        "core/broker.py",
        "                    session.offer(arrived.log, pieces)\n",
        "                    session.offer(arrived.log, pieces)\n"
        "                    self._moves[(session.device, arrived.log)] = pieces[-1].last\n"
        "                    self._moves_due = 0.0\n",
        "I7",
    ),
    Mutant(
        "cursors are not written",
        "core/broker.py",
        "        return [Move(device, log, pos) for (device, log), pos in moves.items()]\n",
        "        return []\n",
        "I8",
    ),
    Mutant(
        "a copy of a cursor goes back",
        "store/memory.py",
        "pos = max(cursors.get(move.log, 0), min(move.pos, self._log(move.log).head))",
        "pos = min(move.pos - 1, self._log(move.log).head)",
        "I8",
    ),
    # -- who may --
    Mutant(
        "a stranger is not told",
        "core/broker.py",
        "            self._strangers[event.peer] = None\n",
        "",
        "I8",
    ),
    Mutant(
        "who left a room still reads it",
        "core/sessions.py",
        "            self.forget(each, log)\n",
        "",
        "I5",
        300,
    ),
    Mutant(
        "members only: not any more",
        "core/sends.py",
        "    if key in session.rooms:\n",
        '    if key in session.rooms or key.startswith("#"):\n        session.rooms.setdefault(key, to)\n',
        "I1 I5",
    ),
    Mutant(
        "what was before one joined is shown",
        "core/door.py",
        "        floor = max(joined, first - 1)\n",
        "        floor = first - 1\n",
        "I5",
    ),
    Mutant(
        "a new device begins at the end",
        "core/door.py",
        "        start = max([floor, *(state.cursors.get(log, 0) for state in known)])\n",
        "        start = max([head, *(state.cursors.get(log, 0) for state in known)])\n",
        "I6",
    ),
    Mutant(
        "a revoked device stays",
        "core/devices.py",
        "            if session.key == letters:\n",
        "            if session.key == letters != letters:\n",
        "I5",
        300,
    ),
    Mutant(
        "who asked and went leaves it half done",
        "core/broker.py",
        '        if "done" not in cause.found and not self._doubts:\n',
        "        if not self._doubts:\n",
        "I5 I8",
        1000,
    ),
    # -- the client --
    Mutant(
        "nothing is sent again after a loss",
        "core/past.py",
        "        outbox.rewind(outbox.settled)\n",
        "",
        "I1 I8 I10",
    ),
    Mutant(
        "what the broker expects is not sent",
        "core/client.py",
        "        self.outbox.rewind(frame.n - 1)\n",
        "",
        "I8",
        300,
    ),
    Mutant(
        "a client that says nothing for ever",
        "core/link.py",
        "return self.phase == ONLINE and tick >= self.spoke_at + limits.PING_S",
        "return False",
        "I8",
    ),
    Mutant(
        "silence is not noticed",
        "core/link.py",
        "return self.phase == ONLINE and tick >= self.heard_at + limits.SILENCE_S",
        "return False",
        "I8",
    ),
    Mutant(
        "a client that is a stranger stays one",
        "core/client.py",
        "        hello = self._hello(now) if self.link.phase == ONLINE else []\n",
        "        hello = list[Command]()\n",
        "I8",
    ),
    Mutant(
        "a hole is read over",
        "core/reader.py",
        "            if run.first > cursor + 1:\n                return commands, True\n",
        "            cursor = max(cursor, run.first - 1)\n",
        "I3",
    ),
    Mutant(
        "what a Pong misses is not missed",
        "core/reader.py",
        "return any(self._cursors.get(log, pos) < pos for log, pos in frame.sent.items())",
        "return False",
        "I8",
        1000,
    ),
    Mutant(
        "what comes again is shown again",
        "core/reader.py",
        "            news = run.envelopes[cursor + 1 - run.first :]\n",
        "            news = run.envelopes\n",
        "I3 I5",
    ),
    Mutant(
        "the client's window is one too large",
        "core/outbox.py",
        "messages - (self.posted - self.settled), ",
        "messages + 1 - (self.posted - self.settled), ",
        "I9",
    ),
    Mutant(
        "acknowledged before it is in the journal",
        "tests/simulation/device.py",
        "            self._point()\n            self.folder.commit(writes)\n"
        "            self.scene.checker.journaled(self, writes)\n            self._point()\n"
        "        for command in commands:\n            if not isinstance(command, COMMITTED):\n"
        "                self._point()\n                self._do(command)\n",
        "            self.alarm.set(self.scene.agenda.tick)\n"
        "        for command in commands:\n            if not isinstance(command, COMMITTED):\n"
        "                self._point()\n                self._do(command)\n"
        "        if writes:\n            self._point()\n            self.folder.commit(writes)\n"
        "            self.scene.checker.journaled(self, writes)\n",
        "I3 I4 I7",
    ),
    # -- the notebook --
    Mutant(
        "a number is given twice",
        "store/notebook.py",
        "last=self.settled + len(outbox)",
        "last=max(outbox[-1].n if outbox else 0, self.settled - 1)",
        "I4",
    ),
    Mutant(
        "the outbox forgets one too many",
        "store/notebook.py",
        "        self.settled = drop.n\n",
        "        self.settled = drop.n + (drop.n % 4 == 0)\n",
        "I1 I4 I7 I8 I10",
    ),
    Mutant(
        "the cursor of the journal runs ahead",
        "store/notebook.py",
        "self.cursors[record.log] = record.first + len(record.envelopes) - 1",
        "self.cursors[record.log] = record.first + len(record.envelopes)",
        "I7",
    ),
    Mutant(
        "no history in the journal",
        "store/notebook.py",
        "            self.history.setdefault(place, envelope)\n",
        "            place[2] % 5 and self.history.setdefault(place, envelope)\n",
        "I2 I3",
    ),
)
