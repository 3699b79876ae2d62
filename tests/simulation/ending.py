"""What must be so when the faults have stopped and everybody has come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocol import frames, names
from tests.simulation.device import Device
from tests.simulation.said import Broken

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
    if found != {log: envelopes for log, envelopes in scene.checker.logs.items() if envelopes}:
        raise Broken("I1", "the logs are not what they were")


def check_sends(scene: Scene) -> None:
    """Whatever was kept has arrived, was refused, or is still there."""
    for said in scene.checker.said.values():
        if said.kept < 0 and said.places:
            raise Broken("I5", f"{said} was never sent")
        if said.kept < 0 or said.device.revoked:
            continue
        if bool(said.places) == bool(said.refused):
            raise Broken("I10", f"{said} stands in {said.places}, and its refusal is {said.refused!r}")


def check_device(scene: Scene, device: Device) -> None:
    """It is there, has nothing to say any more, and has everything that it may read."""
    client = device.client
    if client is None or not client.core.online or not client.core.settled or client.typed:
        raise Broken("I8", f"{device.label} is not there, or is not done: {client and vars(client.core.link)}")
    seen, checker = scene.checker.seen[device.label], scene.checker
    logs = [names.mailbox(device.account), *checker.register.accounts[device.account].rooms]
    for log in logs if device.reads else []:
        head = len(checker.logs.get(log, []))
        if seen.cursors.get(log, 0) != head:
            raise Broken("I8", f"{device.label} has {log} up to {seen.cursors.get(log)}, and its head is {head}")
    for log, runs in seen.kept.items():
        if seen.owed[log]:
            raise Broken("I2", f"{device.label} was never shown {log} {list(seen.owed[log])}")
        kept = [envelope for first, last in runs for envelope in checker.logs[log][first - 1 : last]]
        if device.folder.whole(log) != kept:
            raise Broken("I2", f"the journal of {device.label} has not what was written of {log}")


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
        for log in cursors if device.reads and not device.revoked else []:
            # What was only skipped was never acknowledged, and rooms that were left are acknowledged no more.
            runs = scene.checker.seen[device.label].kept.get(log)
            read = runs and runs[-1][1] == cursors[log] and (log in rooms or log.startswith("@"))
            if read and copies.get(log, 0) != cursors[log]:
                raise Broken("I8", f"the broker believes {device.label} to have {log} up to {copies.get(log, 0)}")
    if scene.broker.pending or scene.disk.due is not None:
        raise Broken("I8", "the broker still has something to do")
