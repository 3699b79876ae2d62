"""A journal and a notebook side by side, and random things that a client's core could ask of both."""

from __future__ import annotations

import random
from base64 import b32encode
from pathlib import Path

from core.commands import Backfill, Begin, Command, Drop, GoBack, Keep, Read, Record, Remember, Renew
from protocol import remarks
from protocol.frames import Envelope, encode
from store.journal import Journal
from store.lock import Lock
from store.notebook import Notebook

LOGS = ("@anna", "#lobby", "#чай")
PEOPLE = ("anna", "Bob", "дина")
WORDS = ("tea", "teapot", "Tulip", "чай", "чайник", "traceback", "foo-bar", "a_b", "x")


def both(folder: Path, start: bytes) -> tuple[Journal, Notebook]:
    """One of each, that draw the same ids."""
    chance, same = random.Random(start), random.Random(start)
    notebook = Notebook(lambda: b32encode(same.randbytes(10)).lower().decode())
    return Journal(folder, Lock(folder), chance.randbytes), notebook


def drawn(rng: random.Random, notebook: Notebook) -> list[Command] | Renew | GoBack:
    """What comes next: commands of one turn; or this becomes another device, or goes back with its broker."""
    memory = notebook.memory()
    last, cursors, settled = memory.last, dict(notebook.cursors), memory.last - len(memory.outbox)
    epoch = rng.choice(("first", "second", "third"))
    if rng.random() < 0.1:
        bases = {log: rng.randint(0, pos + 3) for log, pos in cursors.items() if rng.random() < 0.9}
        return rng.choice((Renew(epoch), GoBack(epoch, rng.randint(0, settled), bases)))
    commands: list[Command] = []
    for _ in range(rng.randrange(5)):
        kind = rng.choice((Keep, Keep, Drop, Record, Record, Begin, Remember, Backfill, Read))
        if kind is Keep:
            last += 1
            commands.append(Keep(last, rng.choice(("#lobby", *PEOPLE)), "none", rng.randbytes(rng.randrange(1, 50))))
        elif kind is Drop and settled < last:
            before, settled = settled, rng.randint(settled + 1, last)
            commands.append(Drop(settled, [n for n in range(before + 1, settled + 1) if rng.random() < 0.2]))
        elif kind is Record and cursors:
            commands.append(record(rng, cursors))
        elif kind is Begin:
            log = rng.choice(LOGS)
            cursors[log] = cursors.get(log, 0) + rng.randrange(5)
            commands.append(Begin(log, cursors[log]))
        elif kind is Remember:
            commands.append(remember(rng))
        elif kind is Backfill and not commands:  # a page is asked for once all that came before it is kept
            commands += page(rng, notebook)
        elif kind is Read:
            log = rng.choice(LOGS)
            commands.append(Read(log, "" if log.startswith("#") else rng.choice(("anna", "bob", "дина"))))
    return commands


def record(rng: random.Random, cursors: dict[str, int]) -> Record:
    """What comes next in a log that is read."""
    log = rng.choice(sorted(cursors))
    first = cursors[log] + 1
    envelopes = [said(rng, log) for _ in range(rng.randrange(1, 5))]
    cursors[log] += len(envelopes)
    return Record(log, first, envelopes)


def page(rng: random.Random, notebook: Notebook) -> list[Command]:
    """What the broker has just below the history of a log, perhaps with a little of what is there already."""
    log = rng.choice(LOGS)
    _, oldest = notebook.oldest(log)
    if oldest <= 1:
        return []
    first = max(1, oldest - rng.randrange(1, 6))
    return [Backfill(log, first, [said(rng, log) for _ in range(first, oldest + rng.randrange(2))])]


def said(rng: random.Random, log: str) -> Envelope:
    """A message: of anyone to anna, of anna to anyone, or to a room; sometimes no text at all."""
    author, to = rng.choice(PEOPLE), rng.choice(PEOPLE)
    if log.startswith("#"):
        to = log
    elif author != "anna":
        to = "anna"
    body = rng.randbytes(9) if rng.random() < 0.1 else " ".join(rng.choices(WORDS, k=rng.randrange(1, 5))).encode()
    number, at = rng.randrange(1, 99), rng.randrange(5)
    if rng.random() < 0.25:
        about = "b" * 16, rng.randrange(1, 99)
        remark = rng.choice(
            (
                remarks.Edit(*about, [], rng.choice(WORDS)),
                remarks.Delete(*about, []),
                remarks.React(*about, rng.choice("+-"), rng.random() < 0.3),
            )
        )
        return Envelope("b" * 16, number, author, to, at, remarks.enc(remark), encode(remark))
    return Envelope("b" * 16, number, author, to, at, "none", body)


def remember(rng: random.Random) -> Remember:
    """A fact that is read back."""
    facts = {
        "epoch": (b"first", b"second"),
        "visits": (b"", b"7", b"7 8"),
        "contacts": (b"", b"bob", "bob\nдина".encode()),
        "offered": (b"", b"0", b"7"),
        "ignored": (b"", b"bob", "bob\nдина".encode()),
    }
    key = rng.choice(sorted(facts))
    return Remember(key, rng.choice(facts[key]))
