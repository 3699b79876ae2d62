"""A slow reader costs a window and no more, and in the end has everything, in order."""

from __future__ import annotations

import random

import pytest

from core import shown
from core.commands import Fetch, Trim
from core.events import Arrived, Fetched, Rescanned, Woken
from core.packing import Packing, cut
from core.session import Session
from core.typed import Wrote
from protocol import frames, limits
from protocol.frames import Ack, Deliver, Ping
from tests.core.actor import Actor
from tests.core.faults import FaultyStore
from tests.core.visitor import Visitor, post
from tests.core.world import World


def fill(writer: Visitor, texts: list[str]) -> None:
    """Write all this to the lobby."""
    for start in range(0, len(texts), 16):
        writer.posts(start + 1, *texts[start : start + 16])


def on_the_way(actor: Actor) -> list[frames.Envelope]:
    """What was sent to somebody who does not read."""
    stuck = (event.frame for event in actor.stuck)
    return [each for frame in stuck if isinstance(frame, Deliver) for run in frame.runs for each in run.envelopes]


@pytest.fixture
def world() -> World:
    return World(FaultyStore())


@pytest.fixture
def writer(world: World) -> Visitor:
    writer = Visitor(world)
    writer.enters("writer", reads=False)
    return writer


# ---- a frozen reader --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [3, 1000, limits.BODY_BYTES])
def test_a_frozen_reader_is_sent_one_window_and_after_it_thaws_all_in_order(
    world: World, writer: Visitor, size: int
) -> None:
    texts = [f"{number:03}".ljust(size, ".") for number in range(700)]
    alice, bob = world.come("alice"), world.come("bob")
    bob.frozen = True
    fill(writer, texts)
    waiting = on_the_way(bob)
    assert 0 < len(waiting) <= limits.WINDOW_MESSAGES
    assert sum(len(frames.encode(envelope)) for envelope in waiting) <= limits.WINDOW_BYTES
    assert [line.split()[1] for line in alice.lines()] == texts, "nobody else waits for it"
    bob.thaw()
    world.run()
    assert [envelope.body.decode() for envelope in bob.envelopes()] == texts
    assert bob.notebook.cursors["#lobby"] == 700


def test_a_reader_that_slept_so_long_that_it_was_forgotten_still_gets_everything(world: World, writer: Visitor) -> None:
    bob = world.come("bob")
    bob.frozen = True
    for first in range(1, 400, 40):
        writer.posts(first, *(f"{number:03}" for number in range(first, first + 40)))
        world.wait(8)
    bob.thaw()
    world.wait(60)
    assert [int(envelope.body) for envelope in bob.envelopes()] == list(range(1, 401))


def test_a_visitor_who_never_acknowledges_hears_no_more_after_a_window(world: World, writer: Visitor) -> None:
    silent = Visitor(world)
    silent.enters("silent")
    fill(writer, ["text"] * 500)
    got = [seq for seq, _ in silent.delivered("#lobby")]
    assert got == list(range(1, limits.WINDOW_MESSAGES + 1))
    silent.says(Ack({"#lobby": 64}))
    assert [seq for seq, _ in silent.delivered("#lobby")] == list(range(1, limits.WINDOW_MESSAGES + 65))


def test_whoever_keeps_up_is_served_without_reading_the_log_again(world: World, writer: Visitor) -> None:
    bob = world.come("bob")
    fill(writer, [str(number) for number in range(100)])
    assert len(bob.lines()) == 100
    assert world.store.read_logs == []


def test_one_flooded_log_does_not_starve_another(world: World, writer: Visitor) -> None:
    bob = world.come("bob")
    bob.frozen = True
    fill(writer, ["noise"] * 1000)
    writer.posts(1001, "but read this", to="bob")
    bob.thaw()
    world.run()
    before = [envelope.to for envelope in bob.envelopes()].index("bob")
    assert before <= 2 * limits.WINDOW_MESSAGES


def test_no_frame_outgrows_its_bound_whatever_the_sizes(world: World, writer: Visitor, seed: int) -> None:
    chance = random.Random(seed)
    bob = world.come("bob")
    n = 1
    for _ in range(60):
        texts = ["x" * chance.choice((1, 40, 700, 9000, limits.BODY_BYTES)) for _ in range(chance.randint(1, 3))]
        bob.frozen = chance.random() < 0.5
        writer.posts(n, *texts)
        n += len(texts)
        bob.thaw()
    world.run()
    delivers = [frame for _, frame in world.sent if isinstance(frame, Deliver)]
    assert max(len(frames.encode(deliver)) for deliver in delivers) <= limits.FRAME_BYTES
    assert len(list(bob.envelopes())) == n - 1


def test_a_client_posts_within_the_window_that_it_was_given(world: World) -> None:
    alice = world.come("alice")
    alice.inbox += [Wrote(text="x" * 9000) for _ in range(300)]
    alice.turn()
    posted = [event.frame for event in world.inbox]
    assert sum(len(each.items) for each in posted) == limits.WINDOW_BYTES // 9000
    assert all(len(frames.encode(each)) <= limits.FRAME_BYTES for each in posted)
    world.run()
    assert len(alice.accepted()) == 300
    alice.inbox += [Wrote(text="x") for _ in range(300)]
    alice.turn()
    assert sum(len(event.frame.items) for event in world.inbox) == limits.WINDOW_MESSAGES


# ---- acknowledgements ---------------------------------------------------------------------------------------


def cursor(world: World, visitor: Visitor, log: str = "#lobby") -> int:
    """The store's copy of a cursor, once it has had time to be written."""
    world.wait(2)
    name = "reader/" + visitor.device
    return int(world.store.devices([name])[name].cursors.get(log, 0))


@pytest.fixture
def reader(world: World, writer: Visitor) -> Visitor:
    """Somebody to whom five messages were delivered."""
    reader = Visitor(world)
    reader.enters("reader")
    writer.posts(1, "1", "2", "3", "4", "5")
    return reader


def test_what_was_never_sent_cannot_be_acknowledged(world: World, reader: Visitor, writer: Visitor) -> None:
    reader.says(Ack({"#lobby": limits.NUMBER_MAX}))
    assert cursor(world, reader) == 5
    writer.posts(6, "6")
    assert reader.delivered("#lobby")[-1] == (6, b"6")


def test_no_acknowledgement_takes_a_cursor_back(world: World, reader: Visitor) -> None:
    reader.says(Ack({"#lobby": 4}), Ack({"#lobby": 2}))
    assert cursor(world, reader) == 4
    reader.says(Ack({"#lobby": 3}))
    assert cursor(world, reader) == 4


def test_acknowledgements_of_logs_that_one_does_not_read_are_nothing(world: World, reader: Visitor) -> None:
    reader.says(Ack({"@writer": 5, "#elsewhere": 3, "#lobby": 1}))
    assert (cursor(world, reader, "@writer"), cursor(world, reader, "#elsewhere"), cursor(world, reader)) == (0, 0, 1)


def test_an_acknowledgement_within_a_run_counts_for_the_cursor_at_once(world: World, reader: Visitor) -> None:
    reader.says(Ack({"#lobby": 3}))
    assert cursor(world, reader) == 3
    assert reader.enters("reader").logs["#lobby"].start == 3


def test_cursors_are_written_a_little_later_and_together(world: World, reader: Visitor) -> None:
    world.store.groups.clear()
    for seq in (1, 2, 3, 4):
        reader.says(Ack({"#lobby": seq}))
        world.wait(0.1, step=0.1)
    assert world.store.groups == []
    world.wait(1)
    assert [[(each.log, each.pos) for each in group] for group in world.store.groups] == [[("#lobby", 4)]]


def test_an_idle_clients_pings_write_nothing(world: World, writer: Visitor) -> None:
    world.come("bob")
    writer.posts(1, "text")
    world.wait(25)
    world.store.groups.clear()
    world.wait(60)
    assert world.store.groups == []


def test_a_broker_that_ends_writes_the_cursors_that_it_still_has(world: World, reader: Visitor) -> None:
    reader.says(Ack({"#lobby": 4}))
    world.close()
    name = "reader/" + reader.device
    assert world.store.devices([name])[name].cursors == {"#lobby": 4}
    assert reader.got(frames.Bye) == [frames.Bye("closing")]


# ---- hints --------------------------------------------------------------------------------------------------


def append_elsewhere(world: World, visitor: Visitor, n: int, *texts: str) -> None:
    """Another broker over the same store has taken these in, and nobody has told ours."""
    other = World(world.store)
    elsewhere = Visitor(other, visitor.device)
    elsewhere.enters("writer", reads=False)
    elsewhere.posts(n, *texts)


@pytest.mark.parametrize("hint", [Woken(["#lobby", "#unread"]), Rescanned()])
def test_what_another_broker_took_in_is_delivered_when_a_hint_comes(
    world: World, writer: Visitor, hint: Woken | Rescanned
) -> None:
    bob = world.come("bob")
    append_elsewhere(world, writer, 1, "one", "two")
    world.run()
    assert bob.lines() == []
    world.inbox.append(hint)
    world.run()
    world.inbox.append(hint)  # hints may repeat
    world.run()
    assert bob.lines() == ["writer>#lobby one", "writer>#lobby two"]


def test_a_lost_hint_is_made_good_by_the_next_message(world: World, writer: Visitor) -> None:
    bob, carol = world.come("bob"), world.come("carol")
    append_elsewhere(world, writer, 1, "one", "two")
    carol.types("three")
    assert [line.split()[1] for line in bob.lines()] == ["one", "two", "three"]


def test_a_hint_for_whoever_is_not_there_is_nothing(world: World) -> None:
    world.inbox += [Woken(["@nobody"]), Rescanned()]
    world.run()
    assert world.sent == []


def test_an_answer_of_the_store_that_comes_too_late_is_nothing(world: World, reader: Visitor) -> None:
    envelope = frames.encode(frames.Envelope(reader.device, 1, "writer", "#lobby", 0, "none", b"late"))
    for peer, log in ((b"gone", "#lobby"), (reader.peer, "#left")):
        world.inbox.append(Fetched(Fetch(peer, log, 5, 64, 1000), 6, [envelope], complete=True))
    assert reader.says() == []


def test_nothing_of_a_log_is_sent_that_is_read_no_longer() -> None:
    session = Session(b"peer", "alice", "alice", "a" * 16, "alice/a", True)
    session.read("#club", 0, 0)
    session.offer("#club", cut(Arrived("#club", 1, [b"\xc0"])))
    session.forget("#club")
    assert (list(session.speak(limits.WINDOW_MESSAGES, Packing())), session.messages, session.size) == ([], 0, 0)


# ---- what is gone -------------------------------------------------------------------------------------------


def test_a_slow_reader_goes_on_behind_what_was_pruned(world: World, writer: Visitor) -> None:
    bob = world.come("bob")
    bob.frozen = True
    fill(writer, [f"{number:03}" for number in range(1, 601)])
    world.store.submit([Trim("#lobby", 501)], world.now)
    world.store.poll()
    bob.thaw()
    world.run()
    got = [int(envelope.body) for envelope in bob.envelopes()]
    assert got == [*range(1, limits.WINDOW_MESSAGES + 1), *range(501, 601)]
    assert bob.notebook.cursors["#lobby"] == 600


def test_a_slow_reader_for_whom_nothing_is_left_hears_of_it(world: World, writer: Visitor) -> None:
    bob = world.come("bob")
    bob.frozen = True
    fill(writer, [f"{number:03}" for number in range(1, 601)])
    world.store.submit([Trim("#lobby", 601)], world.now)
    world.store.poll()
    bob.thaw()
    world.wait(2 * limits.PING_S)
    assert [event.messages for event in bob.seen(shown.Gone)] == [600 - limits.WINDOW_MESSAGES]
    assert bob.notebook.cursors["#lobby"] == 600


def test_a_device_that_comes_back_after_its_log_was_pruned_begins_behind_that(world: World, writer: Visitor) -> None:
    bob = world.come("bob")
    bob.kill()
    writer.says(post(1, "one", "two", "three"))
    world.store.submit([Trim("#lobby", 3)], world.now)
    world.store.poll()
    bob = world.come("bob", notebook=bob.notebook)
    assert bob.lines() == ["writer>#lobby three"]
    assert [event.messages for event in bob.seen(shown.Gone)] == [2]


def test_a_ping_says_how_far_everything_was_sent(world: World, reader: Visitor) -> None:
    (pong,) = reader.says(Ping({"#lobby": 2}))
    assert pong.sent == {"#lobby": 5, "@reader": 0, "+reader": 0}
    assert cursor(world, reader) == 2
