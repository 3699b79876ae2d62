"""What must be so when the faults have stopped and everybody has come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocol import frames, names
from tests.simulation.changes import Changes, agree, is_remark, receipts
from tests.simulation.device import Device
from tests.simulation.said import Broken

# So much later than it may be something is forgotten at the latest.
FORGOTTEN_MS = 20_000

if TYPE_CHECKING:
    from tests.simulation.scene import Scene


def check_all(scene: Scene) -> None:
    """Everything, once."""
    check_store(scene)
    for device in scene.devices:
        if not device.revoked:
            check_device(scene, device)
    check_sends(scene)
    check_broker(scene)


def check_store(scene: Scene) -> None:
    """What is on the broker's disk is what was there when it was accepted."""
    found: dict[str, list[frames.Envelope]] = {}
    for entry in scene.disk.dump():
        if entry[0] == "envelope":
            found.setdefault(entry[1], []).append(frames.decode_envelope(entry[3]))
    line = scene.checker.line
    kept = {log: envelopes[line.firsts.get(log, 1) - 1 :] for log, envelopes in line.logs.items()}
    kept = {log: envelopes for log, envelopes in kept.items() if envelopes}
    if found.keys() != kept.keys() or not all(agree(found[log], kept[log]) for log in found):
        raise Broken("I1", "the logs are not what they were")
    if not scene.checker.was_put_back and not scene.keep.age_ms:
        check_withheld(found)
    limit = scene.now.at - (scene.keep.age_ms or 0) - FORGOTTEN_MS
    old = [each for envelopes in found.values() for each in envelopes[:1] if each.at < limit]
    if old and scene.keep.age_ms is not None:
        raise Broken("I8", f"{old[0]} should be forgotten by now")


def check_withheld(found: dict[str, list[frames.Envelope]]) -> None:
    """What was taken back by its author is nowhere, and what was not is as it was."""
    for log, envelopes in found.items():
        changes = Changes()  # that come after it
        for each in reversed(envelopes):
            changes.add(each)
            if each.enc == "none" and changes.text(each) is None:
                raise Broken("I11", f"{each} of {log} was taken back, and its text is still there")
            if each.enc == "gone" and not changes.may_change(each):
                raise Broken("I11", f"{each} of {log} has lost its text, and its author has not asked for that")


def check_sends(scene: Scene) -> None:
    """Whatever was kept has arrived, was refused, or is still there."""
    line = scene.checker.line
    for said in (*scene.checker.said.values(), *scene.checker.remarks):
        stands = said in line.places
        if said.kept < 0 and stands:
            raise Broken("I5", f"{said} was never sent")
        if said.kept < 0 or said.device.revoked or said.is_gone:
            continue
        if not (said.final or line.is_settled(said)):
            raise Broken("I10", f"{said} stands nowhere, and was not refused")
        if stands and said.folders == 1 and scene.checker.was_refused(said):
            raise Broken("I10", f"{said} stands in {line.logs_of(said)}, and was refused")


def check_device(scene: Scene, device: Device) -> None:
    """It is there, has nothing to say any more, and has everything that it may read."""
    client = device.client
    if device.is_replaced and client is None and not device.folder.memory().outbox:
        return
    if client is None or not client.core.online or not client.core.settled or client.typed:
        raise Broken("I8", f"{device.label} is not there, or is not done: {client and vars(client.core.link)}")
    seen, checker = scene.checker.seen[device.label], scene.checker
    logs = [
        names.mailbox(device.account),
        names.receipts(device.account),
        *checker.register.accounts[device.account].rooms,
    ]
    for log in logs if device.reads else []:
        head = len(checker.line.logs.get(log, []))
        if seen.cursors.get(log, 0) != head:
            raise Broken("I8", f"{device.label} has {log} up to {seen.cursors.get(log)}, and its head is {head}")
    for log, kept in seen.kept.items():
        check_history(scene, device, log, kept)
    for log in logs if device.reads and not checker.is_blind else []:
        line = [(each.device, each.n) for each in checker.line.logs.get(log, [])]
        if any(known not in (None, there) for known, there in zip(seen.lines.get(log, []), line, strict=True)):
            raise Broken("I2", f"{device.label} has {log} as {seen.lines[log]}, and it is {line}")


def check_history(scene: Scene, device: Device, log: str, kept: list[frames.Envelope]) -> None:
    """The journal has what was written of a log, each message as it stands, and its person was shown it."""
    seen, is_blind = scene.checker.seen[device.label], scene.checker.is_blind
    if log.startswith("+"):
        if device.folder.memory().receipts != receipts(kept) and not is_blind:
            raise Broken("I12", f"{device.label} knows other receipts than it was told: {kept}")
        return
    if owed := [place for place in seen.owed[log] if not is_remark(place[1])]:
        raise Broken("I2", f"{device.label} was never shown {log} {owed}")
    whole, messages = device.folder.whole(log), [each for each in kept if not is_remark(each)]
    if not is_blind and [(each.device, each.n) for each in whole] != [(each.device, each.n) for each in messages]:
        raise Broken("I2", f"the journal of {device.label} has not what was written of {log}")
    for each, came in zip(whole, messages, strict=True) if not is_blind else ():
        said = seen.text_of(log, came)
        if each.body != (said or b""):
            raise Broken("I11", f"to {device.label} {came} says {each.body!r}, not {said!r}")


def check_broker(scene: Scene) -> None:
    """Nothing waits, nothing is on the way, and the copies of the cursors are where the cursors are."""
    core = scene.broker.core
    online = [device.client for device in scene.devices if device.client and device.client.core.online]
    if len(core.sessions.by_peer) != len(online):
        raise Broken("I8", f"{len(core.sessions.by_peer)} sessions of {len(online)} clients")
    for session in core.sessions.by_peer.values():
        if session.messages or session.size or session.behind or session.told < session.durable:
            raise Broken("I9", f"{session.device} has {session.messages} on the way, {session.behind} behind")
        if session.key in scene.checker.register.revoked:
            raise Broken("I5", f"{session.device} is still there, and its key was revoked")
    for device in scene.devices:
        name = f"{device.account}/{device.folder.device}"
        copies = scene.disk.devices([name])[name].cursors
        cursors = scene.checker.seen[device.label].cursors
        rooms = scene.checker.register.accounts[device.account].rooms
        for log in cursors if device.reads and not device.revoked and not device.is_replaced else []:
            # What was only skipped was never acknowledged, and rooms that were left are acknowledged no more.
            is_read = scene.checker.seen[device.label].acked.get(log) == cursors[log]
            if is_read and (log in rooms or log.startswith("@")) and copies.get(log, 0) != cursors[log]:
                raise Broken("I8", f"the broker believes {device.label} to have {log} up to {copies.get(log, 0)}")
    if scene.broker.pending or scene.disk.due is not None:
        raise Broken("I8", "the broker still has something to do")
