"""The laws, checked at every step, from outside: at the borders between the cores and the world.

I1   What is accepted is on the broker's disk, in each of its logs exactly once. If the store was put back: at the end.
I2   Every device has each envelope of each log that it may read, once, and hands it out once, in whatever epoch.
I3   What a device sees of a log is in order of seq, without a hole.
I4   What a device sends stands in each log in the order in which it was typed, and its numbers are dense.
I5   Nobody sees what was never sent, was refused, or is not theirs.
I6   Who was away has everything after coming back; nothing is skipped but what was read or is forgotten.
I7   No cursor runs past what is there, or goes back, unless the store does: then to where its log is still the same.
     The broker's copy and every ack stay behind the journal.
I8   When the faults stop, everything arrives and the world goes quiet; whoever speaks without a session is told so.
I9   What is on the way to a session, or to the broker, stays within its window.
I10  What was typed and kept is accepted, or refused with a code, or still in the outbox; what was refused stays so.
I11  A message says to everybody what its author has last made of it; what was taken back is not on the broker's disk.
I12  Others are told of what has come and was shown, and of nothing else; what they are told only grows.

Where a folder was copied, I1 has one exception: a message that was waiting, unconfirmed, in the outbox when the copy
was made may be sent from each of the two folders, and stands in a log at most once for each of them. Neither of them
can know that the other has sent it, and rather twice than never. What was typed on either later stands there once. And
of a message that was refused more than a window of numbers ago a copy hears that it was accepted, for nobody has kept
the reason.

Where a store was put back by hand, and keeps the name of its epoch, its logs may have grown over what a device has read
before it can notice. Then I2, I5, I6 and I7 hold no longer for what was read; those of what is sent hold.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from core import shown
from core.commands import Append, Begin, Drop, GoBack, Keep, Move, Put, Record, Trim
from core.events import Done, Stored
from core.outbox import NOBODY
from core.received import Received
from protocol import limits, names, remarks
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
from tests.simulation.changes import agree, is_remark
from tests.simulation.said import Broken, Id, Register, Said
from tests.simulation.seen import Flight, Seen
from tests.simulation.timeline import GRACE_S, Timeline

if TYPE_CHECKING:
    from core.received import Event
    from core.session import Session
    from tests.simulation.device import Client, Device
    from tests.simulation.scene import Scene

LOGIN_S = 30.0  # a login may need so long from its Hello to what its person sees


class Checker:
    """Watches."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.line = Timeline()
        self._lines: dict[str, Timeline] = {}  # by epoch
        self._former: list[Timeline] = []
        self.said: dict[bytes, Said] = {}
        self.remarks: list[Said] = []
        self.seen: dict[str, Seen] = {}  # by device's label
        self.accepted = 0
        self.refused = 0
        self.cuts = 0
        self.is_blind = False  # a store was put back by hand
        self.is_calm = False  # the faults have stopped, and everybody has had the time to come back
        self._ids: dict[Id, list[Said]] = {}  # several, if a folder was copied
        self._reached: dict[tuple[str, str], int] = {}  # (device or account, log) → the highest cursor ever
        self._flights: dict[bytes, dict[str, Flight]] = {}  # peer → log
        self._speaks: dict[bytes, None] = {}  # who spoke in this turn without a session

    @property
    def register(self) -> Register:
        """Accounts as they are on disk."""
        return self.line.register

    def knows(self, device: Device, seen: Seen | None = None) -> None:
        """A new device, or a folder that was copied."""
        self.seen[device.label] = seen or Seen()

    def copied(self, device: Device) -> Seen:
        """Somebody copies this one's folder."""
        seen = self.seen[device.label].copy()
        for said in seen.waiting:
            said.folders += 1
        return seen

    def replaced(self, device: Device, by: Seen) -> None:
        """In place of this one's folder there is an older copy: what it alone held is gone."""
        seen = self.seen[device.label]
        older = dict.fromkeys(by.numbers.values())
        for said in seen.numbers.values():
            said.is_gone |= said not in older
        self.seen[device.label] = by

    def begins(self, epoch: str) -> None:
        """A store was opened."""
        self._lines.setdefault(epoch, self.line)

    def put_back(self, line: Timeline, epoch: str, by_hand: bool) -> None:
        """The store is as it was when it was copied."""
        if epoch in self._lines and not by_hand:
            raise Broken("I7", f"a copy was put in the place of the store, and goes on as {epoch}")
        self._former.append(self.line)
        self.line = line.copy()
        self.line.register.follows(self._former[-1].register, self._scene.agenda.tick)
        self.line.is_on_disk(self._scene.disk.dump())
        self.is_blind |= epoch in self._lines
        self._lines[epoch] = self.line

    @property
    def was_put_back(self) -> bool:
        """Whether what its authors know of places is no longer so."""
        return bool(self._former)

    def _line_of(self, client: Client) -> Timeline:
        """The line of time that a client is in; who has met no broker is in the one that is told."""
        return self._lines.get((client.folder.fact("epoch") or b"").decode(), self.line)

    def _is_settled(self, client: Client, said: Said) -> bool:
        blind = self.is_blind and any(line.is_settled(said) for line in (*self._former, self.line))
        return blind or self._line_of(client).is_settled(said)

    def typed(self, device: Device, text: str, to: str) -> None:
        """Somebody has typed this."""
        self.said[text.encode()] = Said(device, text, to, len(self.said))

    def _find(self, envelope: Envelope) -> Said | None:
        """What an envelope was when it was typed; one whose text is withheld is known by its number."""
        if envelope.enc == "none":
            return self.said.get(envelope.body)
        every = [said for said in self._ids.get((envelope.device, envelope.n), []) if said.enc != "none"]
        same = [said for said in every if said.body == envelope.body]
        return next(iter(same or self._ids.get((envelope.device, envelope.n), [])), None)

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
                for each in (operation, *operation.also):
                    self.register.read(store, each.key, self._scene.agenda.tick)
            elif isinstance(operation, Move):
                self._moved(operation)
        news = {said: None for log in touched for said in self.line.read(store, log, self._find)}
        for said in news:
            if self.line.logs_of(said) != self.register.route(said):
                raise Broken("I1", f"{said} stands in {self.line.logs_of(said)}, not {self.register.route(said)}")
        for operation, result in zip(stored.group, stored.results, strict=True):
            if isinstance(operation, Trim) and isinstance(result, Done):
                assert self._scene.keep.age_ms is not None
                self.line.trimmed(operation.log, result.value, self._scene.now.at - self._scene.keep.age_ms)

    def was_refused(self, said: Said) -> bool:
        """Whether the broker has called it refused, and not what another copy of its folder gave the same number."""
        return any(each in self.line.refused and self._ids[each] == [said] for each in said.ids)

    def _moved(self, move: Move) -> None:
        """The broker's copy of a cursor."""
        device_id = move.device.partition("/")[2]
        known = [self.seen[each.label] for each in self._scene.devices if each.folder.device == device_id]
        reached = [self._reached.get((device_id, move.log), 0), *(seen.reached.get(move.log, 0) for seen in known)]
        if move.pos > max(reached):
            raise Broken("I7", f"the broker believes {move.device} to have {move.log} up to {move.pos}; it has not")

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
            flight.lands(cursors.get(log, 0))

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
            send_id = (session.device_id, refusal.n)
            every = self._ids.get(send_id, [])
            stands = any(each == send_id for said in every for _, each in self.line.places.get(said, ()))
            if stands or all(self.register.had_to_go(said) and not said.final for said in every):
                raise Broken("I10", f"{refusal} of {session.device}: {every} had to be stored ({stands})")
            self.line.refused[send_id] = refusal.code
        for n in range(self.line.told.get(session.device, 0) + 1, frame.n + 1):
            every = self._ids.get((session.device_id, n), [])
            if not any(self.line.is_settled(said) for said in every):
                raise Broken("I1", f"{session.device} is told that {n} is accepted ({every}), and it stands nowhere")
        self.line.told[session.device] = max(frame.n, self.line.told.get(session.device, 0))

    def _delivers(self, session: Session, run: Run) -> None:
        log, since = self.line.logs.get(run.log, []), self._scene.agenda.tick - GRACE_S
        if not agree(run.envelopes, log[run.first - 1 : run.first - 1 + len(run.envelopes)]):
            raise Broken("I1", f"{session.device} gets {run}, which is not so on disk")
        if not self.register.reads(session.account, run.log, since):
            raise Broken("I5", f"{session.device} gets {run}, and is no member")
        if run.log.startswith("#") and run.first <= self._joined(session.account, run.log):
            raise Broken("I5", f"{session.device} gets {run}, which is from before it joined")
        if not self.register.bound_since(session.account, session.key, since):
            raise Broken("I5", f"{session.device} gets {run}, and was revoked")
        flights = self._flights.setdefault(session.peer, {})
        flight = flights.setdefault(run.log, Flight(run.first - 1))
        if run.first != flight.sent + 1 and run.first > self.line.firsts.get(run.log, 1):
            raise Broken("I3", f"{session.device} gets {run} after {flight.sent}")
        flight.leaves(run.first, len(run.envelopes))
        if sum(len(each.seqs) for each in flights.values()) > limits.WINDOW_MESSAGES:
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
            said = seen.numbers.get(n)
            if said is None or (said.body != item.body and not (said.final and item.to == NOBODY)):
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
            if isinstance(each, Begin | Record):
                for place in ((client.folder.device, each.log), (client.device.account, each.log)):
                    self._reached[place] = max(seen.cursors[each.log], self._reached.get(place, 0))
        known = client.folder.cursors
        if any(isinstance(each, Record | Begin) for each in writes) and known != seen.cursors:
            raise Broken("I7", f"the cursors of {client.label} are {known}, and should be {seen.cursors}")

    def _kept(self, client: Client, seen: Seen, keep: Keep) -> None:
        if keep.n != seen.last + 1:
            raise Broken("I4", f"{client.label} numbers {keep} after {seen.last}")
        said = self.said[keep.body] if keep.enc == "none" else self._remarked(client, seen, keep)
        said.kept, said.folders = self._scene.agenda.tick, said.folders + 1
        said.ids[(client.folder.device, keep.n)] = None
        seen.last, seen.numbers[keep.n] = keep.n, said
        self._ids.setdefault((client.folder.device, keep.n), []).append(said)

    def _remarked(self, client: Client, seen: Seen, keep: Keep) -> Said:
        remark, every = remarks.read(keep.enc, keep.body), self._ids.get((client.folder.device, keep.n), [])
        twins = (each for each in every if (each.to, each.enc, each.body) == (keep.to, keep.enc, keep.body))
        new = Said(client.device, getattr(remark, "text", ""), keep.to, len(self.said), keep.enc, keep.body)
        said = next(twins, new)  # two copies of a folder may say the same under one number
        self.remarks.append(said)
        if isinstance(remark, remarks.Receipt) and not self.is_blind and (early := seen.early(remark)):
            raise Broken("I12", f"{client.label} says that it has {remark}, and was not shown {early}")
        return said

    def _dropped(self, client: Client, seen: Seen, drop: Drop) -> None:
        for n in range(seen.settled + 1, drop.n + 1):
            if not self._is_settled(client, seen.numbers[n]):
                raise Broken("I10", f"{client.label} forgets {seen.numbers[n]}, which nobody has accepted or refused")
        for n in drop.refused:
            said = seen.numbers[n]
            said.final = said.final or self._line_of(client).refused.get((client.folder.device, n), "refused")
        seen.settled = max(seen.settled, drop.n)

    def _recorded(self, client: Client, seen: Seen, record: Record) -> None:
        log, first, last = record.log, record.first, record.first + len(record.envelopes) - 1
        if first != seen.cursors.get(log, 0) + 1:
            raise Broken("I3", f"{client.label} writes {log} {first} after {seen.cursors.get(log)}")
        stored = self._line_of(client).logs.get(log, [])[first - 1 : last]
        if not self.is_blind and not agree(record.envelopes, stored):
            raise Broken("I5", f"{client.label} writes {record}, which is not so at the broker")
        if self.is_blind:
            seen.have.get(log, {}).clear()
        seen.records(client.label, log, first, record.envelopes)

    def _began(self, client: Client, seen: Seen, begin: Begin) -> None:
        """Where a device begins what it has not read: where it joined, or where its account has read up to."""
        account = client.device.account
        known = seen.cursors.get(begin.log)
        if known is not None and begin.pos <= known:
            raise Broken("I7", f"{client.label} goes back in {begin.log} from {known} to {begin.pos}")
        line = self._line_of(client)
        most = max(line.register.floors.get((account, begin.log), 0), line.firsts.get(begin.log, 1) - 1)
        if known is None:
            most = max(most, self._reached.get((account, begin.log), 0))
        skipped = [(each.device, each.n) for each in line.logs.get(begin.log, [])[known or 0 : begin.pos]]
        have = seen.have.get(begin.log, {})
        for seq, send_id in enumerate(skipped, (known or 0) + 1):
            if seq > most and send_id not in have and not self.is_blind:
                raise Broken("I6", f"{client.label} begins {begin.log} at {begin.pos}, and has not read {seq}: {most}")
        places = seen.lines.setdefault(begin.log, [])
        places += [send_id if send_id in have else None for send_id in skipped]
        places += [None] * (begin.pos - len(places))
        seen.moves(begin.log, begin.pos)

    def renewed(self, client: Client, cursors: dict[str, int]) -> None:
        """A device has become another one."""
        if not client.device.is_copied:
            raise Broken("I4", f"{client.label} begins anew, though nothing was copied")
        seen = self.seen[client.label]
        if cursors != seen.cursors:
            raise Broken("I7", f"{client.label} begins anew with {cursors}, and had {seen.cursors}")
        seen.renews(client.folder.device, cursors)
        for n, said in seen.numbers.items():
            self._ids.setdefault((client.folder.device, n), []).append(said)

    def went_back(self, client: Client, back: GoBack, cursors: dict[str, int]) -> None:
        """A device has gone back with its broker."""
        seen, line = self.seen[client.label], self._lines[back.epoch]
        if not self._former or back.last > seen.settled or any(pos > seen.cursors[log] for log, pos in cursors.items()):
            raise Broken("I7", f"{client.label} goes back to {back} from {seen.settled}, {seen.cursors}")
        for log, pos in cursors.items() if not self.is_blind else ():
            there = [(each.device, each.n) for each in line.logs.get(log, [])[:pos]]
            read = seen.lines.get(log, [])[:pos]
            if len(there) < pos or any(each not in (None, known) for each, known in zip(read, there, strict=True)):
                raise Broken("I7", f"{client.label} goes back to {log} {pos}, where it has read {read}, not {there}")
        seen.goes_back(back, cursors)

    def shows(self, client: Client, event: shown.Shown) -> None:
        """This is handed to the person or the script."""
        if isinstance(event, shown.Messages) and not event.mine:
            self._shown(client, event)
        elif isinstance(event, shown.Sent):
            self._sent(client, event)
        elif isinstance(event, shown.Refused) and event.id:
            self._not_sent(client, event)
        elif isinstance(event, shown.Online):
            self._online(client, event)
        elif isinstance(event, shown.Bye) and not client.device.revoked:
            self._sent_away(client, event)

    def _online(self, client: Client, event: shown.Online) -> None:
        account, since = client.device.account, self._scene.agenda.tick - LOGIN_S
        right = self._line_of(client).register.right_since(account, client.password, since)  # it may be a while ago
        if event.first and client.core.person.proves and not right:
            raise Broken("I5", f"{client.label} is let in with {client.password!r}, which is not its password")

    def _sent_away(self, client: Client, event: shown.Bye) -> None:
        right = self.register.right_since(client.device.account, client.password, self._scene.agenda.tick)
        wrong = event.code == "wrong-password" and not right
        if not wrong and not (event.code == "replaced" and client.device.is_copied):
            raise Broken("I8", f"{client.label} is sent away: {event.code}")

    def _shown(self, client: Client, event: shown.Messages) -> None:
        log = event.log if event.log.startswith("#") else names.mailbox(client.device.account)
        owed = self.seen[client.label].owed.get(log, deque())
        for seq, envelope in enumerate(event.envelopes, event.first):
            send_id = envelope.device, envelope.n
            # What a remark is about may not be here, or not be its author's: then nobody is shown it.
            while owed and is_remark(owed[0][1]) and owed[0] != (seq, envelope):
                owed.popleft()
            self.seen[client.label].shown[send_id] = None
            if not owed or owed[0][0] != seq:
                raise Broken("I3", f"{client.label} is shown {log} {seq}, and expects {owed[0] if owed else 'nothing'}")
            came = owed.popleft()[1]
            changed = self.seen[client.label].text_of(log, came) if came.enc in ("none", "gone") else came.body
            if came != envelope and (changed or b"") != envelope.body:
                raise Broken("I5", f"{client.label} is shown {envelope} as {log} {seq}, and it is {came}")

    def _own(self, client: Client, send_id: str) -> tuple[Seen, Said]:
        seen, (device, _, n) = self.seen[client.label], send_id.partition(":")
        said = seen.numbers.get(int(n))
        if said is None or (device, int(n)) not in said.ids or said in seen.told:
            raise Broken("I10", f"{client.label} is told again, or as another, what became of {said}")
        return seen, said

    def _sent(self, client: Client, event: shown.Sent) -> None:
        seen, said = self._own(client, event.id)
        line, (device, _, n) = self._line_of(client), event.id.partition(":")
        last = line.told.get(f"{client.device.account}/{device}", 0)
        is_old = client.device.is_copied and int(n) <= last - limits.WINDOW_MESSAGES
        if not (line.places.get(said) or ((self.is_blind or is_old) and self._is_settled(client, said))):
            raise Broken("I1", f"{client.label} is shown that {said} was accepted, and it stands nowhere")
        seen.told[said] = "accepted"
        self.accepted += 1

    def _not_sent(self, client: Client, event: shown.Refused) -> None:
        seen, said = self._own(client, event.id)
        device, _, n = event.id.partition(":")
        stands = any(each == (device, int(n)) for _, each in self._line_of(client).places.get(said, ()))
        if stands or not event.code or event.body != said.text:
            raise Broken("I10", f"{client.label} is shown that {said} was refused ({event.code}), and it stands there")
        seen.told[said] = event.code
        self.refused += 1

    def client_lost(self, client: Client, reason: str) -> None:
        """A connection is no more."""
        self.cuts += 1
        if self.is_calm:
            raise Broken("I8", f"{client.label} loses its connection ({reason}), though there are no faults any more")
