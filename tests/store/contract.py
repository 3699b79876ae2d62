"""The contract that every store keeps: after any groups of operations it answers as the memory store does."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from msgspec.structs import replace

from core.clock import Instant
from core.commands import Append, Move, Operation, Put, Trim
from core.events import Arrived, Result, Stored
from protocol import frames, limits, remarks
from store import Store
from store.memory import MemoryStore

NOW = Instant(0.0, 0)
DEVICES = ("anna/a", "anna/b", "bob/a", "clara/a", "дина/a", "eve/a")
LOGS = ("@anna", "@bob", "@дина", "#lobby", "#🫖")
KEYS = ("account/anna", "account/å", "account/～", "account/🫖", "member/#🫖/anna", "room/#🫖")
PREFIXES = ("", "account/", "account/a", "account/\uff5e", "member/", "nothing/")

RESENT, AHEAD, REFUSED, AGAIN, CHANGES = 0.12, 0.08, 0.05, 0.15, 0.05
SOMETHING = frames.encode(frames.Envelope("a" * limits.DEVICE_CHARS, 1, "anna", "#lobby", 0, "none", b"hello"))
# Why a send was refused.
TURNED_AWAY = ("no-such-account", "there is no account bop")


def stored(store: Store, *group: Operation) -> Stored:
    """Submit a group that must succeed; what the store says of it."""
    store.submit(group, NOW)
    (outcome,) = store.poll()
    assert isinstance(outcome, Stored)
    assert outcome.group == list(group)
    return outcome


def results(store: Store, *group: Operation) -> list[Result]:
    """Submit a group that must succeed; its results."""
    return stored(store, *group).results


def send(device: str, n: int, *logs: str, text: bytes | None = b"hello") -> Append:
    """One send of one device; a text of None was refused."""
    return Append(device, n, [()], [TURNED_AWAY]) if text is None else Append(device, n, [logs], [text])


def texts(store: Store, log: str, after: int = 0) -> list[bytes]:
    """All that a log holds behind a seq."""
    return read(store, log, after).envelopes


def read(store: Store, log: str, after: int = 0) -> Arrived:
    """The same, and its first seq."""
    return store.read(log, after, 1_000_000, 1 << 40)


class Draw:
    """Random groups that follow from what a store holds, and now and then don't."""

    def __init__(self, rng: random.Random, model: MemoryStore) -> None:
        self._rng = rng
        self._model = model
        self._sent = 0

    def group(self) -> list[Operation]:
        """1 to 25 operations in any order."""
        self._lasts = {device: state.last for device, state in self._model.devices(DEVICES).items()}
        kinds: list[Callable[[], Operation]] = [self._append, self._move, self._put, self._trim]
        chosen = self._rng.choices(kinds, (60, 20, 15, 5), k=self._rng.randint(1, 25))
        return [draw() for draw in chosen]

    def _append(self) -> Append:
        rng, device = self._rng, self._rng.choice(DEVICES)
        last, chance = self._lasts[device], self._rng.random()
        count = rng.choice((1, 1, 1, 2, 5, 20))
        if chance < RESENT:  # wholly or in part
            n = rng.randint(1, last + 1)
        elif chance < RESENT + AHEAD:
            return self._run(device, last + rng.randint(2, 5), count)
        else:
            n = last + 1
        self._lasts[device] = max(last, n + count - 1)
        return self._run(device, n, count)

    def _run(self, device: str, n: int, count: int) -> Append:
        append = Append(device, n, [], [], self._rng.choice((b"", b"first", b"second")))
        for number in range(n, n + count):
            refused = self._rng.random() < REFUSED
            append.logs.append(() if refused else tuple(self._rng.sample(LOGS, self._rng.choice((1, 2)))))
            append.envelopes.append(TURNED_AWAY if refused else self._envelope())
            if not refused and self._rng.random() < CHANGES:
                self._change(append, number)
        return append

    def _change(self, append: Append, n: int) -> None:
        """This one is about an earlier one, or so it says."""
        rng, log = self._rng, self._rng.choice(LOGS)
        placed = list(enumerate(self._model.read(log, 0, 10**6, 1 << 40).envelopes, self._model.heads([log])[log][0]))
        real = [(seq, packed) for seq, packed in placed if packed[:1] == SOMETHING[:1]]
        seq, packed = rng.choice(real) if real and rng.random() < 0.9 else (rng.randint(1, 90), SOMETHING)
        about = frames.decode_envelope(packed)
        seqs = [seq, *(rng.randint(1, 90) for _ in range(rng.randrange(3)))]
        remark: remarks.Remark = remarks.Delete(about.device, about.n, seqs)
        if rng.random() < 0.5:
            remark = remarks.Edit(about.device, about.n, seqs, "x" * rng.choice((1, 50)))
        author = about.author if rng.random() < 0.8 else "eve"
        changed = replace(about, n=n, author=author, at=1, enc=remarks.enc(remark), body=frames.encode(remark))
        append.envelopes[n - append.n] = frames.encode(changed)
        append.withholds[n] = (log, seqs)

    def _envelope(self) -> bytes:
        self._sent += 1
        if self._rng.random() < 0.3:
            text = b"%d" % self._sent
            return frames.encode(replace(frames.decode_envelope(SOMETHING), n=self._sent, body=text))
        return b"%d " % self._sent + self._rng.randbytes(self._rng.choice((0, 10, 200, 200, 600, 17_000)))

    def _move(self) -> Move:
        return Move(self._rng.choice(DEVICES), self._rng.choice((*LOGS, "@nobody")), self._rng.randint(0, 60))

    def _put(self) -> Put:
        first, *others = (self._one_put(key) for key in self._rng.sample(KEYS, self._rng.choice((1, 1, 2, 3))))
        first.also = tuple(others)
        return first

    def _one_put(self, key: str) -> Put:
        held = self._model.get([key])[key]
        version = held[0] if held else 0
        expect = version if self._rng.random() < 0.7 else self._rng.randint(0, 3)
        return Put(key, self._rng.choice((None, b"", b"one", b"two", b"three")), expect)

    def _trim(self) -> Trim:
        return Trim(self._rng.choice((*LOGS, "@nobody")), self._rng.randint(0, 40))


def compare(open_store: Callable[[], Store], seed: int, groups: int) -> None:
    """Give random groups to a store and to the memory store: all that they say must be equal.

    ``open_store`` opens the same store again each time: it is closed and reopened in between.
    """
    rng = random.Random(seed)
    store = open_store()
    model = MemoryStore(store.epoch, store.broker)
    draw = Draw(rng, model)
    for number in range(groups):
        group = draw.group()
        for _ in range(1 + (rng.random() < AGAIN)):
            assert stored(store, *group) == stored(model, *group), f"seed {seed}, group {number}"
        assert answers(store, random.Random(number)) == answers(model, random.Random(number)), f"seed {seed}, {number}"
        if rng.random() < 0.05:
            store.close()
            store = open_store()
    whole = list(store.dump())
    store.close()
    assert whole == list(model.dump()), f"seed {seed}"


def answers(store: Store, rng: random.Random) -> list[object]:
    """What a store answers to some questions."""
    return list(_answers(store, rng))


def _answers(store: Store, rng: random.Random) -> Iterator[object]:
    for log in (*LOGS, "@nobody"):
        yield store.read(log, rng.randint(0, 80), rng.randint(0, 50), rng.choice((1, 1_000, 40_000)))
    yield store.get((*KEYS, "nothing"))
    yield store.heads((*LOGS, "@nobody"))
    yield store.devices((*DEVICES, "nobody/a"))
    yield store.browse(rng.choice(PREFIXES), rng.randint(0, 8))
