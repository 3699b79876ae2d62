"""Nothing lost, nothing twice, nothing out of order: what the evidence says about that.

Nothing of ours is imported here. A check is a generator of faults, one for each promise that was broken. It is a
program, too: ``python -m tests.torture.checker FOLDER`` judges what a run has left there.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from tests.torture.evidence import Actor, Book, Evidence, Line, Message, Printed, Run, read
from tests.torture.table import DISORDER, DOUBLED, LOST, OTHER, read_tally, table

LOBBY = "#lobby"
# Exit codes of a run: all was accepted; the broker was never reached; something is kept.
DONE, UNREACHED, KEPT = 0, 69, 75
# So many faults are named; the others are only counted.
NAMED_FAULTS = 50
SENTENCE_CHARS = 300


class Fault(NamedTuple):
    """A promise that was broken: which one, and how."""

    kind: str
    sentence: str


def faults(evidence: Evidence) -> list[Fault]:
    """What is wrong; nothing if every promise was kept."""
    checks = (
        *(_origins, _copies, _orders, _agreements, _numbers, _takings),
        *(_acceptances, _prints, _codes, _devices, _rests),
    )
    return [fault for check in checks for fault in check(evidence)]


def unsettled(evidence: Evidence) -> list[Fault]:
    """What is still to come, while the programs run: nothing once all outboxes are empty, all cursors at the heads."""
    heads = evidence.broker.cursors
    found = []
    for actor in evidence.actors:
        book = actor.journal
        wanted = {log: heads.get(log, 0) for log in _entitled(actor)}
        if book.waiting or any(book.cursors.get(log, 0) < head for log, head in wanted.items()):
            sentence = f"{actor.name}: {len(book.waiting)} in the outbox, {book.cursors} of {wanted}"
            found.append(Fault(LOST, sentence))
    return found


def _entitled(actor: Actor) -> tuple[str, ...]:
    """The logs that a device reads."""
    return (LOBBY, "@" + actor.account) if actor.reads else ()


def _account(name: str) -> str:
    return name.partition("-")[0]


def _places(author: str, to: str) -> set[str]:
    """The logs that a message enters."""
    return {to} if to.startswith("#") else {"@" + to, "@" + author}


def _books(evidence: Evidence) -> Iterator[tuple[Book, tuple[str, ...]]]:
    """Every database, and the logs that it may know."""
    yield evidence.broker, tuple(evidence.broker.logs)
    for actor in evidence.actors:
        yield actor.journal, _entitled(actor)


# ---- what is stored ------------------------------------------------------------------------------------


def _origins(evidence: Evidence) -> Iterator[Fault]:
    """What is stored was typed, by that author, for that address; and it is nowhere where it does not belong."""
    lines = evidence.lines()
    for book, allowed in _books(evidence):
        for log, messages in book.logs.items():
            for seq, message in messages.items():
                line = lines.get(message.text)
                if line is None or (_account(line.actor), line.to) != (message.author, message.to):
                    yield Fault(OTHER, f"{book.name}: {log} {seq} was never said so: {message}")
                elif log not in allowed or log not in _places(message.author, message.to):
                    yield Fault(OTHER, f"{book.name}: {log} {seq} is not meant to be there: {message}")


def _copies(evidence: Evidence) -> Iterator[Fault]:
    """Whatever is stored somewhere stands once in each log where it belongs, in every book that has that log."""
    lines = evidence.lines()
    stored = {message.text for book, _ in _books(evidence) for log in book.logs.values() for message in log.values()}
    for book, allowed in _books(evidence):
        found = {log: Counter(message.text for message in book.logs.get(log, {}).values()) for log in allowed}
        for text in sorted(stored & lines.keys()):
            line = lines[text]
            for log in _places(_account(line.actor), line.to) & found.keys():
                times = found[log][text]
                if times != 1:
                    yield Fault(DOUBLED if times else LOST, f"{book.name}: {text!r} is {times} times in {log}")


def _orders(evidence: Evidence) -> Iterator[Fault]:
    """In every log seq is 1, 2, 3 …, and each sender's messages stand in the order of n, as they were typed."""
    lines = evidence.lines()
    for book, _ in _books(evidence):
        for log, messages in book.logs.items():
            if sorted(messages) != list(range(1, len(messages) + 1)):
                yield Fault(LOST, f"{book.name}: {log} has holes: {len(messages)} messages up to {max(messages)}")
            for device, said in _by_device(messages).items():
                for earlier, later in pairwise(said):
                    if earlier.n >= later.n or not _typed_before(lines, earlier, later):
                        yield Fault(DISORDER, f"{book.name}: {log}, {device}: {earlier} stands before {later}")


def _by_device(messages: dict[int, Message]) -> dict[str, list[Message]]:
    said: dict[str, list[Message]] = {}
    for _, message in sorted(messages.items()):
        said.setdefault(message.device, []).append(message)
    return said


def _typed_before(lines: dict[str, Line], earlier: Message, later: Message) -> bool:
    before, after = lines.get(earlier.text), lines.get(later.text)
    return before is None or after is None or (before.run, before.number) < (after.run, after.number)


def _agreements(evidence: Evidence) -> Iterator[Fault]:
    """A journal has each log as the broker has it, seq by seq."""
    for actor in evidence.actors:
        for log in _entitled(actor):
            ours, theirs = actor.journal.logs.get(log, {}), evidence.broker.logs.get(log, {})
            for seq in sorted(ours.keys() | theirs.keys()):
                if ours.get(seq) != theirs.get(seq):
                    sentence = f"{actor.name}: {log} {seq} is {ours.get(seq)}, at the broker {theirs.get(seq)}"
                    yield Fault(OTHER if seq in ours else LOST, sentence)


def _numbers(evidence: Evidence) -> Iterator[Fault]:
    """A device has used every n once, up to the last that the broker knows: none was refused or skipped."""
    used: dict[str, dict[int, str]] = {device: {} for device in evidence.broker.lasts}
    for messages in evidence.broker.logs.values():
        for message in messages.values():
            if used.setdefault(message.device, {}).setdefault(message.n, message.text) != message.text:
                yield Fault(OTHER, f"{message.device} has said two things as its {message.n}th")
    for device, n in evidence.broker.receipts:
        used.setdefault(device, {}).setdefault(n, "")
    for device, numbers in used.items():
        last = evidence.broker.lasts.get(device, 0)
        if sorted(numbers) != list(range(1, last + 1)):
            yield Fault(LOST, f"{device} has said {last} messages, {len(numbers)} are there")


def _takings(evidence: Evidence) -> Iterator[Fault]:
    """Of each run a beginning was taken: all of it, unless the run was killed; never a line behind a missing one."""
    stored = {message.text for messages in evidence.broker.logs.values() for message in messages.values()}
    for actor in evidence.actors:
        for number, run in actor.runs.items():
            taken = [line.text in stored for line in run.lines]
            first_missing = taken.index(False) if False in taken else len(taken)
            if any(taken[first_missing:]):
                yield Fault(LOST, f"{actor.name}: run {number} has a hole at line {first_missing + 1}")
            elif first_missing < len(taken) and not run.killed:
                yield Fault(LOST, f"{actor.name}: run {number} was not killed, and lost line {first_missing + 1}")


# ---- what was said about it ----------------------------------------------------------------------------


def _acceptances(evidence: Evidence) -> Iterator[Fault]:
    """What was said to be accepted is stored, and is said once; nothing was refused, nobody was sent away."""
    stored = {f"{each.device}:{each.n}" for log in evidence.broker.logs.values() for each in log.values()}
    for actor in evidence.actors:
        printed = [event for run in actor.runs.values() for event in run.printed]
        for event in printed:
            if event.event in ("refused", "bye", "torn"):
                yield Fault(OTHER, f"{actor.name} has printed {event}")
        accepted = Counter(event.id for event in printed if event.event == "accepted")
        for each, times in accepted.items():
            if each not in stored:
                yield Fault(LOST, f"{actor.name}: {each} was accepted and is lost")
            if times > 1:
                yield Fault(DOUBLED, f"{actor.name}: {each} was accepted twice")


def _prints(evidence: Evidence) -> Iterator[Fault]:
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
                sentence = f"{actor.name}: of {log} the journal has {kept}, but {reached.get(log, 0)} were printed"
                yield Fault(LOST, sentence)


def _run_prints(actor: Actor, number: int, run: Run, reached: dict[str, int], after_kill: bool) -> Iterator[Fault]:
    here: dict[str, int] = {}  # in this run
    for event in run.printed:
        if event.event != "message":
            continue
        log, seq = event.log, event.seq
        due = here[log] + 1 if log in here else reached.get(log, 0) + 1
        if seq > due or (seq < due and (log in here or not after_kill)):
            kind = LOST if seq > due else DOUBLED
            yield Fault(kind, f"{actor.name}: run {number} has printed {log} {seq}, not {due}")
        here[log], reached[log] = seq, max(seq, reached.get(log, 0))
        if not _same(event, actor.journal.logs.get(log, {}).get(seq)):
            yield Fault(OTHER, f"{actor.name}: run {number} has printed {event}, which its journal does not have")


def _same(event: Printed, message: Message | None) -> bool:
    if message is None:
        return False
    said = f"{message.device}:{message.n}", message.author, message.to, message.text
    return said == (event.id, event.author, event.to, event.text)


def _codes(evidence: Evidence) -> Iterator[Fault]:
    """An exit code tells the truth: 0, nothing is left to send; 75, something is kept; 69, there was nothing to send.

    Whoever talks to the end ends with 0.
    """
    for actor in evidence.actors:
        for number, run in actor.runs.items():
            if run.code is None:
                continue
            truth = {DONE: not run.left, KEPT: bool(run.left), UNREACHED: not run.left and not run.lines}
            if not truth.get(run.code, False):
                sentence = f"{actor.name}: run {number} ended with {run.code} and {run.left} messages in the outbox"
                yield Fault(OTHER, sentence)


def _devices(evidence: Evidence) -> Iterator[Fault]:
    """Who was killed is the same device as before: only another store, or a copy of its folder, makes it a new one."""
    for actor in evidence.actors:
        events = [event for run in actor.runs.values() for event in run.printed if event.event == "online"]
        known = {event.device for event in events} | {actor.journal.device}
        if len(known) != 1:
            yield Fault(OTHER, f"{actor.name} was {len(known)} devices")


def _rests(evidence: Evidence) -> Iterator[Fault]:
    """When all is quiet nothing waits."""
    yield from unsettled(evidence)


# ---- as a program --------------------------------------------------------------------------------------


def main(folder: Path) -> int:
    """Judge what is left in this folder; the exit code is 1 if a promise was broken."""
    evidence = read(folder)
    found = faults(evidence)
    for fault in found[:NAMED_FAULTS]:
        print(f"{fault.kind}: {fault.sentence:.{SENTENCE_CHARS}}")
    if len(found) > NAMED_FAULTS:
        print(f"… and {len(found) - NAMED_FAULTS} faults more")
    accepted = sum(evidence.broker.lasts.values())
    print(table(read_tally(folder), accepted, Counter(fault.kind for fault in found)))
    return 1 if found or not accepted else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
