"""Restante as people meet it: at fixed rates, with very many who are only there, with a long past, on an evening."""

from __future__ import annotations

import random
import resource
import time
from functools import partial
from pathlib import Path

from benchmarks import seed
from benchmarks.gauge import Figure, Span, resident_mib, spread
from benchmarks.load import Crowd, Member
from benchmarks.pace import Paced
from benchmarks.report import Shape
from benchmarks.running import Running, broker
from benchmarks.shapes import SIZE_BYTES, enter, exchange, noted, pairs
from protocol import frames, limits, names

SENDERS = 8
# A moderately slow disk: what a sync takes on a hard disk with a cache, or on a cheap cloud volume.
SLOW_MS = 5.0
EVENING_PEOPLE, EVENING_ROOMS = 1000, 50
# What all of them say, and how often one of them loses the connection, in a second of a lively evening.
EVENING_LINES_S, EVENING_CUTS_S = 200, 10
EVENING_SEED = 2026
# Descriptors of this process that are no connections.
_SPARE_DESCRIPTORS = 200


def latency(rate: int, seconds: float, disk: str | None = None, sync_ms: float = 0.0) -> Figure:
    """So many messages a second, evenly, from eight people to eight others."""
    senders, readers = seed.people("sender", SENDERS), seed.people("reader", SENDERS)
    town = seed.Town(senders + readers)
    with broker(partial(seed.settle, town=town), disk, sync_ms) as running, Crowd(running) as crowd:
        sending, paced = enter(crowd, senders, False), Paced(crowd, SIZE_BYTES)
        enter(crowd, readers, True)
        span, began = Span(running.pid), time.perf_counter()
        for number in range(int(rate * seconds)):
            due = began + number / rate
            if due > time.perf_counter():
                paced.listen(due)
            paced.post(sending[number % SENDERS], readers[number % SENDERS], due)
        paced.finish(paced.posted)
        figure = noted(span.figure(f"at {rate:,}/s", paced.posted))
        figure.ms = spread(paced.accepted)
        figure.more = {f"delivered_{name}_ms": wait for name, wait in spread(paced.delivered).items()}
        return figure


def idle(count: int, seconds: float, disk: str | None = None) -> Figure:
    """So many log in at once by their devices' keys, and then say nothing but Ping, as often as clients do."""
    count = min(count, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _SPARE_DESCRIPTORS)
    accounts = seed.people("person", count)
    with broker(partial(seed.settle, town=seed.Town(accounts)), disk) as running:
        empty = resident_mib(running.pid)
        with Crowd(running) as crowd:
            span = Span(running.pid)
            members = enter(crowd, accounts, True)
            logins = span.figure(f"{count:,} clients", count)
            memory = resident_mib(running.pid) - empty
            span = Span(running.pid)
            _ping(crowd, members, seconds)
            resting = span.figure("", count)
            logins.more = {
                "logins_s": logins.rate,
                "kib_each": memory * 1024 / count,
                "idle_core": resting.busy,
                "idle_s": resting.seconds,
            }
            return logins


def _ping(crowd: Crowd, members: list[Member], seconds: float) -> None:
    """Each says Ping once in ``PING_S``, not all at the same time."""
    ping, began = frames.encode(frames.Ping({})), time.perf_counter()
    every_s = limits.PING_S / len(members)
    for number in range(int(seconds / every_s)):
        due = began + number * every_s
        if (left := due - time.perf_counter()) > 0:
            time.sleep(left)
        crowd.say(members[number % len(members)], ping)
        for _ in crowd.ready():
            pass  # Pong, and who has come: read, so that nothing gathers


def past(messages: int, seconds: float, disk: str | None = None) -> Figure:
    """A store that holds so many messages already: its start, a login with nothing waiting, and its throughput."""
    accounts = seed.people("person", 1000)
    senders, readers = seed.people("sender", SENDERS), seed.people("reader", SENDERS)
    logs = [names.mailbox(account) for account in accounts]

    def prepare(folder: Path) -> None:
        seed.settle(folder, seed.Town([*accounts, *senders, *readers]))
        seed.fill(folder, logs, messages)

    with broker(prepare, disk) as running:
        login_ms = login(running, accounts[:20], messages // len(logs)) * 1000
        figure = exchange(running, f"{messages:,} stored", senders, readers, seconds)
        figure.more = {"start_ms": running.start_s * 1000, "login_ms": login_ms}
        return figure


def login(running: Running, accounts: list[str], head: int = 0) -> float:
    """The median of what a login by key takes, from the new connection to Welcome, in s; nothing waits."""
    took = []
    with Crowd(running) as crowd:
        for account in accounts:
            began = time.perf_counter()
            member = crowd.connect(seed.device(account), True, {names.mailbox(account): head} if head else None)
            crowd.greet(member)
            took.append(time.perf_counter() - began)
            crowd.part(member)
    return sorted(took)[len(took) // 2]


def slow_disk(seconds: float, disk: str | None = None) -> list[Figure]:
    """A disk that takes its time with every sync."""
    full = pairs(8, seconds, 1, disk, SLOW_MS)
    paced = latency(1000, seconds, disk, SLOW_MS)
    full.name, paced.name = (f"sync +{SLOW_MS:.0f} ms, {figure.name}" for figure in (full, paced))
    return [full, paced]


def evening(seconds: float, disk: str | None = None, people: int = EVENING_PEOPLE) -> Figure:
    """A thousand people in fifty rooms talk at moments of their own choice, and some lose the connection on the way."""
    accounts, rng, rooms = seed.people("person", people), random.Random(EVENING_SEED), EVENING_ROOMS
    halls = {f"#hall{number}": accounts[number::rooms] for number in range(rooms)}
    with broker(partial(seed.settle, town=seed.Town(accounts, halls)), disk) as running, Crowd(running) as crowd:
        members, paced = enter(crowd, accounts, True), Paced(crowd, SIZE_BYTES)
        span, began = Span(running.pid), time.perf_counter()
        due, cut_at, deliveries = began, began, 0
        while due < began + seconds:
            due += rng.expovariate(EVENING_LINES_S)
            paced.listen(due)
            who = rng.randrange(people)
            paced.post(members[who], f"#hall{who % rooms}", due)
            deliveries += len(halls[f"#hall{who % rooms}"])
            if due > cut_at:
                cut_at += rng.expovariate(EVENING_CUTS_S)
                who = rng.randrange(people)
                if not paced.is_away(members[who]):
                    members[who] = paced.again(members[who])
        paced.finish(deliveries)
        figure = noted(span.figure(f"evening, {people:,} people, {rooms} rooms", paced.posted))
        figure.ms = spread(paced.accepted)
        figure.more = {f"delivered_{name}_ms": wait for name, wait in spread(paced.delivered).items()}
        return figure


def suite(seconds: float, most_stored: int, clients: int, disk: str | None) -> list[Shape]:
    """All of them."""
    paces = [Shape(f"latency {rate}", partial(latency, rate, seconds, disk)) for rate in (1_000, 10_000, 20_000)]
    return [
        *paces,
        Shape("slow disk", partial(slow_disk, seconds, disk)),
        Shape("idle 1000", partial(idle, 1_000, seconds, disk)),
        Shape(f"idle {clients}", partial(idle, clients, limits.PING_S, disk)),
        *(Shape(f"past {stored}", partial(past, stored, seconds, disk)) for stored in (0, most_stored)),
        Shape("evening", partial(evening, seconds, disk)),
    ]
