"""Nothing lost, nothing twice, nothing out of order: what the evidence says about that.

Nothing of ours is imported here. A check is a generator of sentences, one for each promise that was broken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from tests.torture.evidence import Actor, Book, Evidence, Line, Message, Run

LOBBY = "#lobby"


def faults(evidence: Evidence) -> list[str]:
    """What is wrong, a sentence each; nothing if every promise was kept."""
    checks = (_origins, _copies, _orders, _agreements, _numbers, _takings, _acceptances, _prints, _devices, _rests)
    return [fault for check in checks for fault in check(evidence)]


def unsettled(evidence: Evidence) -> list[str]:
    """What is still to come, while the programs run: nothing once all outboxes are empty, all cursors at the heads."""
    heads = evidence.broker.cursors
    found = []
    for actor in evidence.actors:
        wanted = {log: heads.get(log, 0) for log in _entitled(actor)}
        if actor.journal.waiting or any(actor.journal.cursors.get(log, 0) < head for log, head in wanted.items()):
            found.append(
                f"{actor.name}: {len(actor.journal.waiting)} in the outbox, {actor.journal.cursors} of {wanted}"
            )
    return found


def _entitled(actor: Actor) -> tuple[str, ...]:
    """The logs that a device reads."""
    return LOBBY, "@" + actor.account


def _account(name: str) -> str:
    return name.partition("-")[0]


def _places(author: str, to: str) -> set[str]:
    """The logs that a message enters."""
    return {LOBBY} if to == LOBBY else {"@" + to, "@" + author}


def _books(evidence: Evidence) -> Iterator[tuple[Book, tuple[str, ...]]]:
    """Every database, and the logs that it may know."""
    yield evidence.broker, tuple(evidence.broker.logs)
    for actor in evidence.actors:
        yield actor.journal, _entitled(actor)


# ---- the checks ----------------------------------------------------------------------------------------


def _origins(evidence: Evidence) -> Iterator[str]:
    """What is stored was typed, by that author, for that address; and it is nowhere where it does not belong."""
    lines = evidence.lines()
    for book, allowed in _books(evidence):
        for log, messages in book.logs.items():
            for seq, message in messages.items():
                line = lines.get(message.text)
                if line is None or (_account(line.actor), line.to) != (message.author, message.to):
                    yield f"{book.name}: {log} {seq} was never said so: {message}"
                elif log not in allowed or log not in _places(message.author, message.to):
                    yield f"{book.name}: {log} {seq} is not meant to be there: {message}"


def _copies(evidence: Evidence) -> Iterator[str]:
    """Whatever is stored somewhere stands once in each log where it belongs, in every book that has that log."""
    lines = evidence.lines()
    stored = {message.text for book, _ in _books(evidence) for log in book.logs.values() for message in log.values()}
    for book, allowed in _books(evidence):
        found = {log: Counter(message.text for message in book.logs.get(log, {}).values()) for log in allowed}
        for text in sorted(stored & lines.keys()):
            line = lines[text]
            for log in _places(_account(line.actor), line.to) & found.keys():
                if found[log][text] != 1:
                    yield f"{book.name}: {text!r} is {found[log][text]} times in {log}"


def _orders(evidence: Evidence) -> Iterator[str]:
    """In every log seq is 1, 2, 3 …, and each sender's messages stand in the order of n, as they were typed."""
    lines = evidence.lines()
    for book, _ in _books(evidence):
        for log, messages in book.logs.items():
            if sorted(messages) != list(range(1, len(messages) + 1)):
                yield f"{book.name}: {log} has holes: {len(messages)} messages up to {max(messages)}"
            for device, said in _by_device(messages).items():
                for earlier, later in pairwise(said):
                    if earlier.n >= later.n or not _typed_before(lines, earlier, later):
                        yield f"{book.name}: {log}, {device}: {earlier} stands before {later}"


def _by_device(messages: dict[int, Message]) -> dict[str, list[Message]]:
    said: dict[str, list[Message]] = {}
    for _, message in sorted(messages.items()):
        said.setdefault(message.device, []).append(message)
    return said


def _typed_before(lines: dict[str, Line], earlier: Message, later: Message) -> bool:
    before, after = lines.get(earlier.text), lines.get(later.text)
    return before is None or after is None or (before.run, before.number) < (after.run, after.number)


def _agreements(evidence: Evidence) -> Iterator[str]:
    """A journal has each log as the broker has it, seq by seq."""
    for actor in evidence.actors:
        for log in _entitled(actor):
            ours, theirs = actor.journal.logs.get(log, {}), evidence.broker.logs.get(log, {})
            for seq in sorted(ours.keys() | theirs.keys()):
                if ours.get(seq) != theirs.get(seq):
                    yield f"{actor.name}: {log} {seq} is {ours.get(seq)}, at the broker {theirs.get(seq)}"


def _numbers(evidence: Evidence) -> Iterator[str]:
    """A device has used every n once, up to the last that the broker knows: none was refused or skipped."""
    used: dict[str, dict[int, str]] = {device: {} for device in evidence.broker.lasts}
    for messages in evidence.broker.logs.values():
        for message in messages.values():
            if used.setdefault(message.device, {}).setdefault(message.n, message.text) != message.text:
                yield f"{message.device} has said two things as its {message.n}th"
    for device, numbers in used.items():
        last = evidence.broker.lasts.get(device, 0)
        if sorted(numbers) != list(range(1, last + 1)):
            yield f"{device} has said {last} messages, {len(numbers)} are there"


def _takings(evidence: Evidence) -> Iterator[str]:
    """Of each run a beginning was taken: all of it, unless the run was killed; never a line behind a missing one."""
    stored = {message.text for messages in evidence.broker.logs.values() for message in messages.values()}
    for actor in evidence.actors:
        for number, run in actor.runs.items():
            taken = [line.text in stored for line in run.lines]
            first_missing = taken.index(False) if False in taken else len(taken)
            if any(taken[first_missing:]):
                yield f"{actor.name}: run {number} has a hole at line {first_missing + 1}"
            elif first_missing < len(taken) and not run.killed:
                yield f"{actor.name}: run {number} was not killed, and lost line {first_missing + 1}"


def _acceptances(evidence: Evidence) -> Iterator[str]:
    """What was said to be accepted is stored, and is said once; nothing was refused."""
    stored = {f"{each.device}:{each.n}" for log in evidence.broker.logs.values() for each in log.values()}
    for actor in evidence.actors:
        printed = [event for run in actor.runs.values() for event in run.printed]
        yield from (f"{actor.name}: {event}" for event in printed if event["event"] == "refused")
        accepted = [event["id"] for event in printed if event["event"] == "accepted"]
        yield from (f"{actor.name}: {each} was accepted and is lost" for each in accepted if each not in stored)
        yield from (
            f"{actor.name}: {each} was accepted twice" for each, times in Counter(accepted).items() if times > 1
        )


def _prints(evidence: Evidence) -> Iterator[str]:
    """What was printed stands so in the journal, and follows on what was before; only after a kill it may repeat."""
    for actor in evidence.actors:
        reached: dict[str, int] = {}
        killed = False
        for number, run in actor.runs.items():
            yield from _run_prints(actor, number, run, reached, killed)
            killed = run.killed
        for log in _entitled(actor):
            kept = len(actor.journal.logs.get(log, {}))
            if reached.get(log, 0) != kept:
                yield f"{actor.name}: of {log} the journal has {kept}, but {reached.get(log, 0)} were printed"


def _run_prints(actor: Actor, number: int, run: Run, reached: dict[str, int], after_kill: bool) -> Iterator[str]:
    here: dict[str, int] = {}  # in this run
    for event in run.printed:
        if event["event"] != "message":
            continue
        log, seq = event["log"], event["seq"]
        due = here[log] + 1 if log in here else reached.get(log, 0) + 1
        if seq > due or (seq < due and (log in here or not after_kill)):
            yield f"{actor.name}: run {number} has printed {log} {seq}, not {due}"
        here[log], reached[log] = seq, max(seq, reached.get(log, 0))
        message = actor.journal.logs.get(log, {}).get(seq)
        if not message or (message.author, message.to, message.text) != (event["from"], event["to"], event["text"]):
            yield f"{actor.name}: run {number} has printed {event}, its journal has {message}"


def _devices(evidence: Evidence) -> Iterator[str]:
    """Who was killed is the same device as before: only another store, or a copy of its folder, makes it a new one."""
    for actor in evidence.actors:
        events = [event for run in actor.runs.values() for event in run.printed if event["event"] == "online"]
        known = {event["device"] for event in events} | {actor.journal.device}
        if len(known) != 1:
            yield f"{actor.name} was {len(known)} devices"


def _rests(evidence: Evidence) -> Iterator[str]:
    """When all is quiet nothing waits."""
    yield from unsettled(evidence)
