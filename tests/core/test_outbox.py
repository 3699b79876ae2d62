"""The outbox: numbers given once, a window's worth on its way, all of it again after a loss."""

from __future__ import annotations

import random

from core import shown
from core.commands import Drop, Show
from core.outbox import AHEAD_MESSAGES, KEPT_BYTES, KEPT_MESSAGES, NOBODY, NOTHING, Outbox, Waiting
from core.posting import Posting
from core.typed import Wrote
from protocol import limits
from protocol.frames import Accepted, Item, Post
from tests.core.faults import FaultyStore
from tests.core.world import World


def item(size: int = 1, to: str = "#lobby") -> Item:
    return Item(to, "none", b"x" * size)


def full(*sizes: int) -> Outbox:
    """An outbox that holds messages of these sizes."""
    return Outbox(len(sizes), [Waiting(n, item(size)) for n, size in enumerate(sizes, 1)])


def shape(posts: list[Post]) -> list[tuple[int, int]]:
    """First number and how many, of each post."""
    return [(post.n, len(post.items)) for post in posts]


def test_numbers_go_on_where_the_journal_left_off() -> None:
    outbox = Outbox(7, [])
    assert (outbox.settled, len(outbox)) == (7, 0)
    assert [outbox.add(item(), None, 0).n for _ in range(3)] == [8, 9, 10]
    assert shape(list(outbox.posts(256, 1000))) == [(8, 3)]


def test_what_waited_when_the_client_started_is_posted_first() -> None:
    outbox = Outbox(7, [Waiting(6, item()), Waiting(7, item())])
    outbox.add(item(), None, 0)
    assert shape(list(outbox.posts(256, 1000))) == [(6, 3)]


def test_several_messages_share_a_post_and_a_post_stays_small() -> None:
    posts = list(full(*[10] * 150).posts(256, limits.WINDOW_BYTES))
    assert shape(posts) == [(1, 64), (65, 64), (129, 22)]
    posts = list(full(*[9000] * 6, *[100] * 3).posts(256, limits.WINDOW_BYTES))
    assert shape(posts) == [(1, 2), (3, 2), (5, 5)]


def test_a_window_bounds_messages_and_bytes_and_opens_with_acceptances() -> None:
    outbox = full(*[100] * 100)
    assert shape(list(outbox.posts(10, 10_000))) == [(1, 10)]
    assert list(outbox.posts(10, 10_000)) == []
    outbox.settle(4)
    assert shape(list(outbox.posts(10, 10_000))) == [(11, 4)]
    outbox.settle(14)
    assert shape(list(outbox.posts(10, 500))) == [(15, 5)]
    outbox.settle(17)
    assert shape(list(outbox.posts(10, 500))) == [(20, 3)]


def test_one_message_may_always_go_however_small_the_window() -> None:
    outbox = full(16_000, 16_000)
    assert shape(list(outbox.posts(10, 1))) == [(1, 1)]
    outbox.settle(1)
    assert shape(list(outbox.posts(10, 1))) == [(2, 1)]


def test_after_a_rewind_everything_behind_it_goes_again() -> None:
    outbox = full(*[10] * 5)
    list(outbox.posts(256, 1000))
    outbox.settle(2)
    outbox.rewind(3)
    assert shape(list(outbox.posts(256, 1000))) == [(4, 2)]
    outbox.rewind(0)
    assert shape(list(outbox.posts(256, 1000))) == [(3, 3)], "what is settled is not sent again"
    outbox.rewind(99)
    assert list(outbox.posts(256, 1000)) == []


def test_settling_what_was_settled_is_nothing() -> None:
    outbox = full(10, 10, 10)
    assert [each.n for each in outbox.settle(2)] == [1, 2]
    assert outbox.settle(2) == []
    assert outbox.settle(1) == []
    assert (outbox.settled, outbox.size) == (2, 10)


def test_what_is_settled_before_it_was_posted_is_not_posted_any_more() -> None:
    outbox = full(10, 10, 10)
    outbox.settle(2)  # a journal put back in time: the broker knows more than we do
    assert shape(list(outbox.posts(256, 1000))) == [(3, 1)]


def test_whatever_happens_each_number_means_one_message_and_the_bytes_on_their_way_are_bounded(seed: int) -> None:
    chance = random.Random(seed)
    outbox, bodies, on_the_way = Outbox(0, []), {}, {}
    for _ in range(3000):
        act = chance.randrange(4)
        if act == 0:
            waiting = outbox.add(item(chance.randint(1, 5000)), None, 0)
            bodies[waiting.n] = waiting.item.body
        elif act == 1:
            for post in outbox.posts(20, 30_000):
                on_the_way |= {n: each.body for n, each in enumerate(post.items, post.n)}
        elif act == 2 and on_the_way:
            n = chance.choice(list(on_the_way))
            outbox.settle(n)
            on_the_way = {m: body for m, body in on_the_way.items() if m > n}
        elif act == 3:
            n = chance.randint(0, outbox.last)
            outbox.rewind(n)
            on_the_way = {m: body for m, body in on_the_way.items() if m <= n}
        assert len(on_the_way) <= 20
        assert sum(map(len, on_the_way.values())) <= 30_000
        assert all(bodies[m] == body for m, body in on_the_way.items())
        assert outbox.size == sum(len(bodies[m]) for m in range(outbox.settled + 1, outbox.last + 1))


# ---- with a client around it --------------------------------------------------------------------------------


def test_what_was_refused_is_not_called_accepted_by_a_broker_that_has_forgotten_that() -> None:
    """Its number was posted once more, to nobody: the broker had been put back. It was, again, to a later time."""
    outbox = Outbox(2, [Waiting(1, Item(NOBODY, "none", NOTHING)), Waiting(2, item())])
    taken, commands = Posting(outbox).settle(Accepted(2, []), 2, "device")
    assert [each.n for each in taken] == [2]
    assert commands == [Drop(2, []), Show(shown.Sent(id="device:2", tag=None))]


def test_a_pipe_is_slowed_down_rather_than_swallowed() -> None:
    world = World(FaultyStore())
    alice = world.come("alice")
    world.store.refuses = "store-full"
    alice.inbox += [Wrote(text=str(number)) for number in range(AHEAD_MESSAGES - 1)]
    world.run()
    assert alice.core.hungry
    alice.types("one more")
    assert not alice.core.hungry
    alice.deaf = True
    alice.cut()
    world.run()
    assert alice.core.hungry, "while the broker is away more is kept"
    world.store.refuses = ""
    alice.deaf = False
    world.wait(30)
    assert alice.core.hungry
    assert len(alice.accepted()) == AHEAD_MESSAGES


def test_what_is_kept_while_the_broker_is_away_has_an_end_in_messages_and_in_bytes() -> None:
    world = World()
    alice = world.person("alice")
    alice.core.outbox = Outbox(KEPT_MESSAGES - 1, [Waiting(n, item()) for n in range(1, KEPT_MESSAGES)])
    assert alice.core.hungry
    alice.core.outbox.add(item(), None, 0)
    assert not alice.core.hungry
    alice.core.outbox = Outbox(1, [Waiting(1, item(KEPT_BYTES))])
    assert not alice.core.hungry


def test_a_killed_client_sends_what_it_had_kept_and_nothing_twice() -> None:
    world = World()
    bob = world.come("bob")
    for number in range(20):
        alice = world.come("alice", notebook=world.actors[-1].notebook if number else None)
        alice.dies = True  # the text is in the journal and nowhere else
        alice.types(str(number))
        assert not alice.alive
    world.come("alice", notebook=alice.notebook)
    assert [line.split()[1] for line in bob.lines()] == [str(number) for number in range(20)]


def test_a_reader_that_dies_between_journal_and_acknowledgement_repeats_nothing() -> None:
    world = World()
    alice, bob = world.come("alice"), world.come("bob")
    for number in range(20):
        bob.dies = True
        alice.types(str(number))
        assert not bob.alive
        bob = world.come("bob", notebook=bob.notebook)
    lobby = [(seq, envelope.body) for (_, log, seq), envelope in bob.notebook.history.items() if log == "#lobby"]
    assert lobby == [(seq, str(seq - 1).encode()) for seq in range(1, 21)]


def test_a_lone_surrogate_is_sent_as_something_that_can_be() -> None:
    world = World()
    alice = world.come("alice")
    alice.types("half \ud83d a face")
    assert alice.lines() == ["alice>#lobby half ? a face"]
    assert len(alice.seen(shown.Sent)) == 1
