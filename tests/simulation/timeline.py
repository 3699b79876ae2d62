"""One line of time of the broker's store, as the checker's own book has it: a copy of the store has a copy of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

from protocol import frames
from protocol.frames import Envelope
from store import Store
from tests.simulation.said import Broken, Id, Register, Said

# A broker may need so long to notice what it was told itself: a commit of unknown outcome is made again meanwhile, and
# some things need several commits.
GRACE_S = 5.0


class Timeline:
    """What has been stored in it, and what the broker has said of it."""

    def __init__(self) -> None:
        self.register = Register()
        self.logs: dict[str, list[Envelope]] = {}
        self.firsts: dict[str, int] = {}  # log → the first seq that is kept
        self.places: dict[Said, dict[tuple[str, Id], None]] = {}  # where something stands, and under which number
        self.refused: dict[Id, str] = {}  # what the broker called refused: code
        self.told: dict[str, int] = {}  # device → the highest n that the broker has called accepted
        self._orders: dict[tuple[str, str], int] = {}  # (label, log) → order of the last message there

    def copy(self) -> Timeline:
        """As it is now."""
        other = Timeline()
        other.register = deepcopy(self.register)
        other.logs = {log: list(envelopes) for log, envelopes in self.logs.items()}
        other.places = {said: dict(places) for said, places in self.places.items()}
        other.firsts, other.refused, other.told = dict(self.firsts), dict(self.refused), dict(self.told)
        other._orders = dict(self._orders)
        return other

    def is_on_disk(self, dump: Iterable[tuple[Any, ...]]) -> None:
        """What a copy holds as stored or refused when it is put in place: that may not have been told before."""
        self.told = {}
        for kind, name, *rest in dump:
            if kind == "device":
                self.told[name] = rest[0]
            elif kind == "refusal":
                self.refused[name.partition("/")[2], rest[0]] = rest[1]

    def logs_of(self, said: Said) -> list[str]:
        """The logs that something stands in."""
        return sorted({log for log, _ in self.places.get(said, ())})

    def is_settled(self, said: Said) -> bool:
        """Whether it is stored, or refused under one of its numbers."""
        return bool(self.places.get(said)) or any(each in self.refused for each in said.ids)

    def read(self, store: Store, log: str, find: Callable[[Envelope], Said | None]) -> list[Said]:
        """What is new in a log."""
        known = self.logs.setdefault(log, [])
        arrived = store.read(log, len(known), 10**6, 10**9)
        if arrived.envelopes and arrived.first != len(known) + 1:
            raise Broken("I3", f"{log} goes on with {arrived.first} after {len(known)}")
        return [self._enters(log, frames.decode_envelope(packed), find) for packed in arrived.envelopes]

    def _enters(self, log: str, envelope: Envelope, find: Callable[[Envelope], Said | None]) -> Said:
        self.logs[log].append(envelope)
        said, send_id = find(envelope), (envelope.device, envelope.n)
        if said is None or send_id not in said.ids:
            raise Broken("I5", f"{log} holds what nobody has sent so: {envelope}")
        if send_id in self.refused or (envelope.author, envelope.to.lower()) != (said.device.name, said.to.lower()):
            raise Broken("I5", f"{log} holds {envelope}, but {said} was refused, or is another")
        if said.final and said.folders == 1:
            raise Broken("I10", f"{log} holds {said}, and its author was told that it was refused ({said.final})")
        self._stands(log, said, send_id)
        # Another device of the account may be about to leave, and the broker has not answered it yet.
        if log.startswith("#") and not self.register.member_since(said.device.account, log, said.kept - GRACE_S):
            raise Broken("I5", f"{said} is in {log}, whose member its author is not")
        return said

    def _stands(self, log: str, said: Said, send_id: Id) -> None:
        places = self.places.setdefault(said, {})
        before = sum(each == log for each, _ in places)
        if (log, send_id) in places or before >= said.folders:
            raise Broken("I1", f"{said} is in {log} twice, and was waiting in {said.folders} folders")
        places[(log, send_id)] = None
        author = (said.device.label, log)
        if said.folders == 1 and said.enc == "none":  # of several folders one may come late; remarks nobody numbers
            if said.order < self._orders.get(author, -1):
                raise Broken("I4", f"{said} is in {log} behind what was typed later")
            self._orders[author] = said.order

    def trimmed(self, log: str, first: int, limit: int) -> None:
        """A log begins here now; what was sent after ``limit`` may not be forgotten."""
        young = [each for each in self.logs.get(log, [])[self.firsts.get(log, 1) - 1 : first - 1] if each.at >= limit]
        if young:
            raise Broken("I1", f"{log} below {first} is forgotten, and {young[0]} is too young for that")
        self.firsts[log] = max(first, self.firsts.get(log, 1))
