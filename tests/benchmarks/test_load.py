"""The load generators really send, really receive, and count what came."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import pytest

from benchmarks import seed
from benchmarks.guard_run import TURN_MESSAGES, play
from benchmarks.load import Crowd, Silence, Traffic, pack_tail
from benchmarks.pace import Paced
from benchmarks.running import broker
from benchmarks.scenes import login
from benchmarks.shapes import ROOM, enter
from protocol import limits, names
from store.sqlite import SqliteStore

SECONDS = 0.2
SYNC_MS = 20.0


def town(*accounts: str, rooms: dict[str, list[str]] | None = None) -> partial[None]:
    return partial(seed.settle, town=seed.Town(accounts, rooms))


@pytest.mark.parametrize("pack", [1, limits.PACK_MESSAGES])
def test_all_that_is_sent_is_accepted_and_delivered_once(pack: int) -> None:
    with broker(town("sender", "reader")) as running, Crowd(running) as crowd:
        sending, reading = enter(crowd, ["sender"], False), enter(crowd, ["reader"], True)
        sending[0].post = pack_tail("reader", pack, 200)
        traffic = Traffic(crowd, sending, reading, pack)
        traffic.run(SECONDS)
        assert traffic.posted > limits.WINDOW_MESSAGES
        assert traffic.accepted == traffic.got == traffic.posted
        assert reading[0].cursors == {names.mailbox("reader"): traffic.posted}


def test_a_room_brings_each_message_to_each_member() -> None:
    members = seed.people("member", 5)
    with broker(town(*members, rooms={ROOM: members})) as running, Crowd(running) as crowd:
        sending, reading = enter(crowd, members[:1], False), enter(crowd, members[1:], True)
        sending[0].post = pack_tail(ROOM, 1, 200)
        traffic = Traffic(crowd, sending, reading, 1, 256)
        traffic.run(SECONDS, 4)
        assert traffic.posted > 0
        assert [member.cursors[ROOM] for member in reading] == [traffic.posted] * 4


def test_a_refusal_ends_the_measuring() -> None:
    with broker(town("sender")) as running, Crowd(running) as crowd:
        sending = enter(crowd, ["sender"], False)
        sending[0].post = pack_tail("nobody", 1, 200)
        with pytest.raises(Silence, match="no-such-account"):
            Traffic(crowd, sending, []).run(SECONDS, 0)


def test_what_was_due_arrives_once_though_both_sides_lose_the_connection() -> None:
    with broker(town("sender", "reader")) as running, Crowd(running) as crowd:
        (sender,), (reader,) = enter(crowd, ["sender"], True), enter(crowd, ["reader"], True)
        paced = Paced(crowd, 100)
        for number in range(300):
            paced.post(sender, "reader", time.perf_counter())
            if number == 100:
                sender = paced.again(sender)
            if number == 200:
                reader = paced.again(reader)
            paced.listen(time.perf_counter())
        paced.finish(600)  # the sender's mailbox has them too
        assert len(paced.accepted) == 300
        assert len(paced.delivered) == 600
        assert len(paced.logins) == 2
        assert reader.cursors == {names.mailbox("reader"): 300}


def test_a_wait_on_a_slow_disk_holds_the_sync() -> None:
    with broker(town("sender", "reader"), sync_ms=SYNC_MS) as running, Crowd(running) as crowd:
        (sender,) = enter(crowd, ["sender"], False)
        paced = Paced(crowd, 100)
        paced.post(sender, "reader", time.perf_counter())
        paced.finish(0)
        assert paced.accepted[0] >= SYNC_MS / 1000


def test_a_login_is_timed_from_the_connection_on() -> None:
    with broker(town("reader")) as running:
        assert login(running, ["reader"] * 3) > 0


def test_a_store_is_filled_as_it_says(tmp_path: Path) -> None:
    logs = [names.mailbox(account) for account in seed.people("person", 7)]
    seed.fill(tmp_path, logs, 1000)
    store = SqliteStore.open(tmp_path / "restante.sqlite")
    assert sum(head for _, head in store.heads(logs).values()) == 1000
    store.close()


def test_the_guards_run_is_played_to_its_end(tmp_path: Path) -> None:
    assert play(tmp_path, 3) == 3 * TURN_MESSAGES
