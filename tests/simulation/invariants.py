"""The laws, checked at every step, from outside: at the borders between the cores and the world.

I1   What is accepted is on the broker's disk, in each of its logs exactly once.
I2   Every device has each envelope of each log that it may read, once, and hands it out once.
I3   What a device sees of a log is in order of seq, without a hole.
I4   What a device sends stands in each log in the order in which it was typed, and its numbers are dense.
I5   Nobody sees what was never sent, was refused, or is not theirs.
I6   Who was away has everything after coming back; nothing that nobody has read is skipped.
I7   No cursor goes back or runs past what is there, and the broker's copy and every ack stay behind the journal.
I8   When the faults stop, everything arrives and the world goes quiet; whoever speaks without a session is told so.
I9   What is on the way to a session, or to the broker, stays within its window.
I10  What was typed and kept is accepted, or refused with a code, or still in the outbox.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from core import shown
from core.commands import Append, Begin, Drop, Keep, Move, Put, Record
from core.events import Done, Stored
from core.received import Received
from protocol import frames, limits, names
from protocol.frames import (
    Accepted,
    Ack,
    Deliver,
    Envelope,
    Hello,
    Joined,
    Left,
    Ping,
    Pong,
    Post,
    Run,
    Stranger,
    Welcome,
)
from store import Store
from tests.simulation.said import Broken, Register, Said

if TYPE_CHECKING:
    from core.received import Event
    from core.session import Session
    from tests.simulation.device import Client, Device
    from tests.simulation.scene import Scene

# A broker may need so long to notice what it was told itself: a commit of unknown outcome is made again meanwhile.
GRACE_S = 5.0


class Seen:
    """One device as its journal and its reader know it."""

    def __init__(self) -> None:
        self.last = 0  # the highest number that it gave
        self.settled = 0  # the highest number that was settled
        self.cursors: dict[str, int] = {}
        self.kept: dict[str, list[tuple[int, int]]] = {}  # log → seqs in the journal: first, last
        self.owed: dict[str, deque[int]] = {}  # log → seqs in the journal, not shown yet


class Checker:
    """Watches."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.register = Register()
        self.said: dict[bytes, Said] = {}
        self.logs: dict[str, list[Envelope]] = {}
        self.seen: dict[str, Seen] = {}  # by device's label
        self.accepted = 0
        self.refused = 0
        self.cuts = 0
        self.may_renew = False  # a folder was copied, or a store put back
        self.is_calm = False  # the faults have stopped, and everybody has had the time to come back
        self._ids: dict[tuple[str, int], Said] = {}  # (device, n)
        self._orders: dict[tuple[str, str], int] = {}  # (label, log) → order of the last message there
        self._told: dict[str, int] = {}  # device → the highest n that the broker has called accepted
        self._flights: dict[bytes, dict[str, list[int]]] = {}  # peer → log → acked, sent
        self._speaks: dict[bytes, None] = {}  # who spoke in this turn without a session

    def knows(self, device: Device) -> None:
        """A new device."""
        self.seen[device.label] = Seen()

    def typed(self, device: Device, text: str, to: str) -> None:
        """Somebody has typed this."""
        self.said[text.encode()] = Said(device, text, to, len(self.said))

    def restless(self, who: str) -> None:
        raise Broken("I8", f"{who} does one thing after the other, and time stands still")

    # -- the broker's disk --

    def committed(self, store: Store, stored: Stored) -> None:
        """A group is on disk."""
        touched: dict[str, None] = {each.log: None for each in stored.arrived}
        for operation, result in zip(stored.group, stored.results, strict=True):
            if isinstance(operation, Append):
                touched.update((log, None) for logs in operation.logs for log in logs)
            elif isinstance(operation, Put) and isinstance(result, Done):
                self.register.read(store, operation.key, self._scene.agenda.tick)
            elif isinstance(operation, Move):
                self._moved(store, operation)
        news = {id(said): said for log in touched for said in self._read(store, log)}
        for said in news.values():
            if sorted(said.places) != self.register.route(said):
                raise Broken("I1", f"{said} stands in {said.places}, and belongs to {self.register.route(said)}")

    def _read(self, store: Store, log: str) -> list[Said]:
        """What is new in a log."""
        known = self.logs.setdefault(log, [])
        arrived = store.read(log, len(known), 10**6, 10**9)
        if arrived.envelopes and arrived.first != len(known) + 1:
            raise Broken("I3", f"{log} goes on with {arrived.first} after {len(known)}")
        return [self._enters(log, frames.decode_envelope(packed)) for packed in arrived.envelopes]

    def _enters(self, log: str, envelope: Envelope) -> Said:
        self.logs[log].append(envelope)
        said = self.said.get(envelope.body)
        if said is None or said.kept < 0 or self._ids.get((envelope.device, envelope.n)) is not said:
            raise Broken("I5", f"{log} holds what nobody has sent so: {envelope}")
        if said.refused or (envelope.author, envelope.to.lower()) != (said.device.name, said.to.lower()):
            raise Broken("I5", f"{log} holds {envelope}, but {said} was refused ({said.refused}) or is another")
        if log in said.places:
            raise Broken("I1", f"{said} is in {log} twice")
        if log.startswith("#") and not self.register.member_since(said.device.account, log, said.kept):
            raise Broken("I5", f"{said} is in {log}, whose member its author is not")
        order = self._orders.get((said.device.label, log), -1)
        if said.order < order:
            raise Broken("I4", f"{said} is in {log} behind what was typed later")
        self._orders[(said.device.label, log)] = said.order
        said.places.append(log)
        return said

    def _moved(self, store: Store, move: Move) -> None:
        """The broker's copy of a cursor."""
        pos = store.devices([move.device])[move.device].cursors.get(move.log, 0)
        device_id = move.device.partition("/")[2]
        known = [self.seen[each.label] for each in self._scene.devices if each.folder.device == device_id]
        if known and pos > known[0].cursors.get(move.log, 0):
            raise Broken("I7", f"the broker believes {move.device} to have {move.log} up to {pos}; it has not")

    # -- what the broker does --

    def broker_died(self) -> None:
        """All it knew is gone."""
        self._flights, self._speaks = {}, {}

    def turn_begins(self, events: list[Event]) -> None:
        """These are what the broker hears now."""
        self._speaks = {}
        by_peer = self._scene.broker.core.sessions.by_peer
        for event in events:
            if isinstance(event, Received) and not isinstance(event.frame, Hello):
                if event.peer not in by_peer:
                    self._speaks[event.peer] = None
                elif isinstance(event.frame, Ack | Ping):
                    self._acked(event.peer, event.frame.cursors)

    def _acked(self, peer: bytes, cursors: dict[str, int]) -> None:
        for log, flight in self._flights.get(peer, {}).items():
            flight[0] = max(flight[0], min(flight[1], cursors.get(log, 0)))

    def turn_ends(self) -> None:
        """The broker has said all it had to say."""
        for peer in self._speaks:
            raise Broken("I8", f"{self._scene.name(peer)} speaks without a session, and is not told")
        for session in self._scene.broker.core.sessions.by_peer.values():
            self._bounded(session)

    def _bounded(self, session: Session) -> None:
        if session.messages > limits.WINDOW_MESSAGES or session.size > limits.WINDOW_BYTES:
            raise Broken("I9", f"{session.device} has {session.messages} on the way: more than its window")
        if session.outgoing or len(session.refused) > 2 * (limits.WINDOW_MESSAGES + limits.PACK_MESSAGES):
            raise Broken(
                "I9", f"{session.device} keeps {len(session.outgoing)} pieces, {len(session.refused)} refusals"
            )
        if session.messages or session.size:
            self._counted(session)

    def _counted(self, session: Session) -> None:
        flights = [flight for reading in session.readings.values() for flight in reading.flights]
        counted = sum(flight[1] for flight in flights), sum(flight[2] for flight in flights)
        if counted != (session.messages, session.size):
            raise Broken("I9", f"{session.device} has {counted} on the way, and counts {session.messages}")

    def broker_says(self, peer: bytes, frame: Any) -> None:
        """A frame leaves the broker."""
        if self.is_calm and not isinstance(frame, Pong):
            raise Broken("I8", f"the broker says {frame}, though all has long been said")
        session = self._scene.broker.core.sessions.by_peer.get(peer)
        if isinstance(frame, Stranger):
            self._speaks.pop(peer, None)
        elif session is None:
            return
        elif isinstance(frame, Deliver):
            for run in frame.runs:
                self._delivers(session, run)
        elif isinstance(frame, Accepted):
            self._accepts(session, frame)
        elif isinstance(frame, Welcome):
            self._welcomes(session, frame)
        elif isinstance(frame, Joined | Left):
            self._flights.get(peer, {}).pop(frame.log, None)

    def _accepts(self, session: Session, frame: Accepted) -> None:
        last = self._scene.disk.devices([session.device])[session.device].last
        if frame.n > last:
            raise Broken("I1", f"{session.device} is told {frame.n}, on disk is {last}")
        for refusal in frame.refused:
            said = self._ids.get((session.device_id, refusal.n))
            if said is None or said.places or self.register.had_to_go(said):
                raise Broken(
                    "I10", f"{refusal} of {session.device}: {said} is in {said and said.places}, and had to be"
                )
            said.refused = refusal.code
        for n in range(self._told.get(session.device, 0) + 1, frame.n + 1):
            said = self._ids.get((session.device_id, n))
            if said is None or not (said.places or said.refused):
                raise Broken("I1", f"{session.device} is told that {n} is accepted ({said}), and it stands nowhere")
        self._told[session.device] = max(frame.n, self._told.get(session.device, 0))

    def _delivers(self, session: Session, run: Run) -> None:
        log, since = self.logs.get(run.log, []), self._scene.agenda.tick - GRACE_S
        if log[run.first - 1 : run.first - 1 + len(run.envelopes)] != run.envelopes:
            raise Broken("I1", f"{session.device} gets {run}, which is not so on disk")
        if not self.register.reads(session.account, run.log, since):
            raise Broken("I5", f"{session.device} gets {run}, and is no member")
        if run.log.startswith("#") and run.first <= self._joined(session.account, run.log):
            raise Broken("I5", f"{session.device} gets {run}, which is from before it joined")
        if not self.register.bound_since(session.account, session.key, since):
            raise Broken("I5", f"{session.device} gets {run}, and was revoked")
        flights = self._flights.setdefault(session.peer, {})
        flight = flights.setdefault(run.log, [run.first - 1, run.first - 1])
        if run.first != flight[1] + 1:
            raise Broken("I3", f"{session.device} gets {run} after {flight[1]}")
        flight[1] = run.first + len(run.envelopes) - 1
        if sum(sent - acked for acked, sent in flights.values()) > limits.WINDOW_MESSAGES:
            raise Broken("I9", f"{session.device} gets more than its window of {limits.WINDOW_MESSAGES}: {flights}")

    def _joined(self, account: str, log: str) -> int:
        return self.register.accounts[account].rooms.get(log, 0)

    def _welcomes(self, session: Session, frame: Welcome) -> None:
        self._flights[session.peer] = {}
        last = self._scene.disk.devices([session.device])[session.device].last
        if frame.last != last:
            raise Broken("I1", f"{session.device} is told that its last is {frame.last}, on disk is {last}")
        if session.key in self.register.revoked:
            raise Broken("I5", f"{session.device} is let in with a key that was revoked")
        for log, extent in frame.logs.items():
            if not self.register.reads(session.account, log, self._scene.agenda.tick):
                raise Broken("I5", f"{session.device} may read {log}, and is no member")
            if log.startswith("#") and extent.floor < self._joined(session.account, log):
                raise Broken("I5", f"{session.device} may read {log} from before it joined")

    # -- what a client does --

    def client_says(self, client: Client, frame: Any) -> None:
        """A frame leaves a client."""
        if self.is_calm and not isinstance(frame, Ping):
            raise Broken("I8", f"{client.label} says {frame}, though all has long been said")
        cursors = frame.cursors if isinstance(frame, Ack | Ping | Hello) else {}
        for log, pos in cursors.items():
            if pos > self.seen[client.label].cursors.get(log, 0):
                raise Broken("I7", f"{client.label} says that it has {log} up to {pos}: not in its journal")
        if isinstance(frame, Post):
            self._posts(client, frame)

    def _posts(self, client: Client, post: Post) -> None:
        seen = self.seen[client.label]
        for n, item in enumerate(post.items, post.n):
            said = self._ids.get((client.folder.device, n))
            if said is None or said.text.encode() != item.body:
                raise Broken("I4", f"{client.label} posts {item} as {n}, which is {said} in its journal")
        way = post.n + len(post.items) - 1 - seen.settled
        if way > limits.WINDOW_MESSAGES:
            raise Broken("I9", f"{client.label} has {way} sends on the way, with a window of {limits.WINDOW_MESSAGES}")

    def journaled(self, client: Client, writes: list[Any]) -> None:
        """This is on the client's disk now."""
        seen = self.seen[client.label]
        for each in writes:
            if isinstance(each, Keep):
                self._kept(client, seen, each)
            elif isinstance(each, Drop):
                self._dropped(client, seen, each)
            elif isinstance(each, Record):
                self._recorded(client, seen, each)
            elif isinstance(each, Begin):
                self._began(client, seen, each)
        known = client.folder.cursors
        if any(isinstance(each, Record | Begin) for each in writes) and known != seen.cursors:
            raise Broken("I7", f"the cursors of {client.label} are {known}, and should be {seen.cursors}")

    def _kept(self, client: Client, seen: Seen, keep: Keep) -> None:
        if keep.n != seen.last + 1:
            raise Broken("I4", f"{client.label} numbers {keep} after {seen.last}")
        seen.last = keep.n
        said = self.said[keep.body]
        said.kept = self._scene.agenda.tick
        self._ids[(client.folder.device, keep.n)] = said

    def _dropped(self, client: Client, seen: Seen, drop: Drop) -> None:
        for n in range(seen.settled + 1, drop.n + 1):
            said = self._ids[(client.folder.device, n)]
            if not (said.places or said.refused):
                raise Broken("I10", f"{client.label} forgets {said}, which nobody has accepted or refused")
        seen.settled = max(seen.settled, drop.n)

    def _recorded(self, client: Client, seen: Seen, record: Record) -> None:
        log, first, last = record.log, record.first, record.first + len(record.envelopes) - 1
        if first != seen.cursors.get(log, 0) + 1:
            raise Broken("I3", f"{client.label} writes {log} {first} after {seen.cursors.get(log)}")
        if self.logs.get(log, [])[first - 1 : last] != record.envelopes:
            raise Broken("I5", f"{client.label} writes {record}, which is not so at the broker")
        seen.cursors[log] = last
        seen.kept.setdefault(log, []).append((first, last))
        seen.owed.setdefault(log, deque()).extend(range(first, last + 1))

    def _began(self, client: Client, seen: Seen, begin: Begin) -> None:
        """Where a device begins what it has not read: where it joined, or where its account has read up to."""
        account = client.device.account
        known = seen.cursors.get(begin.log)
        if known is not None and begin.pos <= known:
            raise Broken("I7", f"{client.label} goes back in {begin.log} from {known} to {begin.pos}")
        most = self.register.floors.get((account, begin.log), 0)
        if known is None:
            own = [self.seen[each.label] for each in self._scene.devices if each.account == account]
            most = max([most, *(each.cursors.get(begin.log, 0) for each in own)])
        if begin.pos > most:
            raise Broken("I6", f"{client.label} begins {begin.log} at {begin.pos}, and nobody has read beyond {most}")
        seen.cursors[begin.log] = begin.pos

    def renews(self, client: Client, epoch: str) -> None:
        """A device becomes another one."""
        if not self.may_renew:
            raise Broken("I4", f"{client.label} begins anew, though nothing was copied and nothing put back")

    def renewed(self, client: Client) -> None:
        """It has."""

    def shows(self, client: Client, event: shown.Shown) -> None:
        """This is handed to the person or the script."""
        if isinstance(event, shown.Messages) and not event.mine:
            self._shown(client, event)
        elif isinstance(event, shown.Sent):
            self._sent(client, event)
        elif isinstance(event, shown.Refused) and event.id:
            self._not_sent(client, event)
        elif isinstance(event, shown.Bye) and not client.device.revoked:
            raise Broken("I8", f"{client.label} is sent away: {event.code}")

    def _shown(self, client: Client, event: shown.Messages) -> None:
        log = event.log if event.log.startswith("#") else names.mailbox(client.device.account)
        owed = self.seen[client.label].owed.get(log, deque())
        for seq, envelope in enumerate(event.envelopes, event.first):
            if not owed or owed[0] != seq:
                raise Broken("I3", f"{client.label} is shown {log} {seq}, and expects {owed[0] if owed else 'nothing'}")
            owed.popleft()
            if self.logs[log][seq - 1] != envelope:
                raise Broken("I5", f"{client.label} is shown {envelope} as {log} {seq}")

    def _own(self, client: Client, send_id: str) -> Said:
        device, _, n = send_id.partition(":")
        said = self._ids[(device, int(n))]
        if said.device is not client.device or said.told:
            raise Broken("I10", f"{client.label} is told again, or as another, what became of {said}")
        return said

    def _sent(self, client: Client, event: shown.Sent) -> None:
        said = self._own(client, event.id)
        if not said.places:
            raise Broken("I1", f"{client.label} is shown that {said} was accepted, and it stands nowhere")
        said.told = "accepted"
        self.accepted += 1

    def _not_sent(self, client: Client, event: shown.Refused) -> None:
        said = self._own(client, event.id)
        if said.places or not event.code or event.body != said.text:
            raise Broken("I10", f"{client.label} is shown that {said} was refused ({event.code}); it is {said.places}")
        said.told = event.code
        self.refused += 1

    def client_lost(self, client: Client, reason: str) -> None:
        """A connection is no more."""
        self.cuts += 1
        if self.is_calm:
            raise Broken("I8", f"{client.label} loses its connection ({reason}), though there are no faults any more")
