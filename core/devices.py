"""An account's devices and its password: what its owner may look at and change.

Like other questions these are handled again with what was found, until nothing is missing; each step is safe to repeat.
"""

from __future__ import annotations

from core import records
from core.clock import Instant
from core.commands import Command, Look, Note, Prove, Put, Send, Trust
from core.door import refuse, refuse_for
from core.gate import Gate
from core.received import Received
from core.records import Account, Key
from core.session import Session
from core.sessions import Sessions
from protocol import frames
from protocol.passwords import AUTH_BYTES, SCHEME

# What stands in ``found`` beside records: what an earlier step has decided.
_TARGET, _ENDED, _RIGHT = "target", "ended", "right"


class Devices:
    """Answers."""

    def __init__(self, gate: Gate, sessions: Sessions) -> None:
        self._gate = gate
        self._sessions = sessions

    # -- devices --

    def devices(self, event: Received, ask: frames.AskDevices, session: Session, now: Instant) -> list[Command]:
        """All that are let in, the one seen last first."""
        return _look_account(event, session) or self._listed(event, ask.ask, session, now)

    def _listed(self, event: Received, ask: int, session: Session, now: Instant) -> list[Command]:
        bound = _own(event, session)[1].bound
        missing = [record for key in bound.values() if (record := records.key(key)) not in event.found]
        if missing:
            return [Look(event, keys=tuple(missing))]
        known = [self._known(event, session, device, key, now) for device, key in bound.items()]
        known.sort(key=lambda each: (-each.seen_at, each.device))
        return [Send(frames.encode(frames.Devices(ask, known)), session.peer)]

    def _known(self, event: Received, session: Session, device: str, letters: str, now: Instant) -> frames.Known:
        here = self._sessions.by_device.get(records.device(session.account, device))
        seen = here.seen if here else None
        key = seen or _key(event, letters) or Key(session.account, device, "", 0, 0, "")
        return frames.Known(
            device, key.name, key.first_at, now.at if here else key.seen_at, key.address, here is not None
        )

    def revoke(self, event: Received, ask: frames.RevokeDevice, session: Session, now: Instant) -> list[Command]:
        """First its key is never let in again, then it is none of the devices, then its session ends."""
        missing = _look_account(event, session)
        if missing:
            return missing
        version, account = _own(event, session)
        if _TARGET not in event.found:
            found = [device for device in account.bound if device.startswith(ask.device)]
            if len(found) != 1:
                return refuse(event, "no-such-device", device=ask.device)
            event.found[_TARGET] = found[0], account.bound[found[0]]
        device, letters = event.found[_TARGET]
        record = records.key(letters)
        if record not in event.found:
            return [Look(event, keys=(record,))]
        key = _key(event, letters) or Key(session.account, device, "", now.at, now.at, "")
        if not key.revoked:
            key.revoked = True
            return [Put(record, records.pack(key), (event.found[record] or (0,))[0], event)]
        if account.devices.get(device) == letters:
            account.devices[device] = ""
            return [Put(records.account(session.account), records.pack(account), version, event)]
        ended = self._end(session, device, letters) if _ENDED not in event.found else []
        event.found[_ENDED] = True
        return [*ended, *self._listed(event, ask.ask, session, now)]

    def _end(self, asker: Session, device: str, letters: str) -> list[Command]:
        """Every session of this key: a copied folder may have come with it under another id."""
        commands: list[Command] = []
        for session in self._sessions.of(asker.account):
            if session.key == letters:
                self._sessions.remove(session)
                commands += [Send(frames.encode(frames.Bye("revoked")), session.peer), Trust(session.peer, False)]
        note = Note("revoked", {"account": asker.name, "device": device, "from": asker.address}, loud=True)
        return [note, *commands]

    # -- the password --

    def password(self, event: Received, ask: frames.ChangePassword, session: Session, now: Instant) -> list[Command]:
        """The old credential is checked, of the new one a hash is made, and that is stored if nothing has changed."""
        if ask.scheme != SCHEME or len(ask.new) != AUTH_BYTES:
            code = "weak-credential" if ask.scheme == SCHEME else "scheme"
            return refuse(event, code, scheme=ask.scheme, size=len(ask.new))
        missing = _look_account(event, session)
        if missing:
            return missing
        if "done" in event.found:
            note = Note("password-changed", {"account": session.name, "from": session.address}, loud=True)
            return [Send(frames.encode(frames.Changed(ask.ask)), session.peer), note]
        version, account = _own(event, session)
        if event.found.get(_RIGHT) != account.hash:
            return self._check(event, ask, session, account, now)
        if event.proof is None or event.proof.fresh is None:
            return [Prove(event, ask.new, None)]
        account.scheme, account.hash = ask.scheme, event.proof.fresh
        return [Put(records.account(session.account), records.pack(account), version, event)]

    def _check(
        self, event: Received, ask: frames.ChangePassword, session: Session, account: Account, now: Instant
    ) -> list[Command]:
        proof = event.proof
        if proof is None or proof.stored != account.hash:
            wait = self._gate.login(event.address, session.account, now.tick)
            return refuse_for(wait, event, "too-many-logins") if wait else [Prove(event, ask.old, account.hash)]
        if proof.damaged:
            return refuse(event, "damaged-account", name=account.name)
        self._gate.judged(event.address, session.account, proof.right, now.tick)
        if not proof.right:
            return refuse(event, "wrong-old-password", name=account.name)
        event.found[_RIGHT] = account.hash
        return [Prove(event, ask.new, None)]


def _look_account(event: Received, session: Session) -> list[Command]:
    key = records.account(session.account)
    return [] if key in event.found else [Look(event, keys=(key,))]


def _own(event: Received, session: Session) -> tuple[int, Account]:
    version, value = event.found[records.account(session.account)]
    return version, records.unpack(Account, value)


def _key(event: Received, letters: str) -> Key | None:
    record = event.found[records.key(letters)]
    return records.unpack(Key, record[1]) if record else None
