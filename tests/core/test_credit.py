"""How much each sender may have on its way: all there is alone, a fair share beside others, and never more."""

from __future__ import annotations

import pytest

from core import gate
from core.sends import OVER_S, SHARE_LEAST, SHARE_S, TURN_SENDS
from core.typed import Wrote
from protocol import limits
from protocol.frames import Accepted, Refused, decode_envelope
from tests.core.faults import LateStore
from tests.core.visitor import Visitor, post
from tests.core.world import World

# So many senders at once that each has less than a whole window.
CROWD = 2 * TURN_SENDS // limits.WINDOW_MESSAGES
# So many that their shares would be less than the least.
FLOOD = 2 * TURN_SENDS // SHARE_LEAST


@pytest.fixture
def world() -> World:
    return World()


def senders(world: World, count: int) -> list[Visitor]:
    """So many who only send."""
    visitors = [Visitor(world) for _ in range(count)]
    for n, visitor in enumerate(visitors):
        visitor.enters(f"sender{n}", reads=False)
    return visitors


def all_post(world: World, visitors: list[Visitor], n: int) -> list[int]:
    """Each sends one message, in one turn; what window each was told of, 0 if none."""
    for visitor in visitors:
        visitor.heard.clear()
        visitor.utters(post(n, "x"))
    world.run()
    return [visitor.got(Accepted)[0].window_messages for visitor in visitors]


def stored(world: World) -> list[bytes]:
    """The lobby's texts."""
    return [decode_envelope(packed).body for packed in world.store.read("#lobby", 0, 10**6, 10**9).envelopes]


# ---- shares --------------------------------------------------------------------------------------------------


def test_who_sends_alone_keeps_the_whole_window(world: World) -> None:
    (alone,) = senders(world, 1)
    assert [all_post(world, [alone], n) for n in (1, 2, 3)] == [[0]] * 3


def test_a_share_shrinks_when_many_send_and_is_told_once(world: World) -> None:
    crowd = senders(world, CROWD)
    assert set(all_post(world, crowd, 1)) == {limits.WINDOW_MESSAGES // 2}
    assert set(all_post(world, crowd, 2)) == {0}, "nothing new"


def test_a_share_grows_again_when_the_others_are_done(world: World) -> None:
    crowd = senders(world, CROWD)
    all_post(world, crowd, 1)
    world.wait(SHARE_S)
    assert all_post(world, crowd[:1], 2) == [limits.WINDOW_MESSAGES]


def test_however_many_send_each_has_a_little(world: World) -> None:
    crowd = senders(world, FLOOD)
    assert set(all_post(world, crowd, 1)) == {SHARE_LEAST}


def test_a_client_keeps_to_its_share_and_loses_nothing(world: World) -> None:
    alice = world.come("alice")
    crowd = senders(world, CROWD)
    all_post(world, crowd, 1)
    alice.types("first")
    before = len(world.store.read("#lobby", 0, 10**6, 10**9).envelopes)
    world.sent.clear()
    alice.does(*(Wrote(text=str(n)) for n in range(500)))
    own = [frame for peer, frame in world.sent if peer == alice.peer and isinstance(frame, Accepted)]
    steps = [later.n - sooner.n for sooner, later in zip([Accepted(1), *own], own, strict=False)]
    assert max(steps) <= TURN_SENDS // CROWD
    assert stored(world)[before:] == [str(n).encode() for n in range(500)]
    assert len(alice.accepted()) == 501


# ---- beyond the window ---------------------------------------------------------------------------------------


def slow() -> tuple[World, Visitor]:
    """A store that takes its time, so that much can be on its way; and somebody who sends."""
    world = World(LateStore(turns=6))
    (sender,) = senders(world, 1)
    return world, sender


def floods(sender: Visitor, count: int) -> None:
    """So many messages one after the other, as fast as they can be said."""
    for n in range(1, count + 1, limits.PACK_MESSAGES):
        sender.utters(post(n, *(str(each) for each in range(n, min(n + limits.PACK_MESSAGES, count + 1)))))


def test_a_sender_that_keeps_to_its_window_is_never_refused() -> None:
    world, sender = slow()
    floods(sender, limits.WINDOW_MESSAGES)
    world.run()
    assert (sender.got(Refused), sender.got(Accepted)[-1].n) == ([], limits.WINDOW_MESSAGES)


def test_a_sender_beyond_its_window_is_told_once_a_turn_and_may_send_it_again() -> None:
    world, sender = slow()
    count = limits.WINDOW_MESSAGES + 4 * limits.PACK_MESSAGES
    floods(sender, count)
    world.run()
    (refused,) = sender.got(Refused)
    assert (refused.code, refused.retry_s) == ("too-many-sends", OVER_S)
    taken = sender.got(Accepted)[-1].n
    assert taken < count
    sender.utters(post(taken + 1, *(str(n) for n in range(taken + 1, taken + 2))))
    world.run()
    assert stored(world) == [str(n).encode() for n in range(1, taken + 2)]


def test_more_bytes_than_a_window_in_one_turn_are_refused_and_nothing_is_lost(world: World) -> None:
    (sender,) = senders(world, 1)
    text = "x" * limits.BODY_BYTES
    count = 2 * limits.WINDOW_BYTES // limits.BODY_BYTES
    for n in range(1, count + 1):
        sender.utters(post(n, text))
    world.run()
    assert [each.code for each in sender.got(Refused)] == ["too-many-bytes"]
    taken = sender.got(Accepted)[-1].n
    assert limits.WINDOW_BYTES // limits.BODY_BYTES <= taken < count
    assert sender.posts(taken + 1, text)[0].n == taken + 1
    assert len(stored(world)) == taken + 1


def test_whoever_is_beyond_the_window_again_and_again_is_hung_up_on(world: World) -> None:
    (sender,) = senders(world, 1)
    far = post(limits.WINDOW_MESSAGES + limits.PACK_MESSAGES + 1, "x")
    for _ in range(gate.OFFENCES):
        assert world.hung_up == []
        sender.says(far, far)
    assert world.hung_up == [sender.peer]
    assert stored(world) == []
