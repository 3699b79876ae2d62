"""Sends that follow one another are one event: with nothing lost, doubled or out of order, and never too large."""

from __future__ import annotations

from random import Random

from core.events import Gone
from core.received import Event, Received, gathered
from protocol import limits
from protocol.frames import Ack, Item, Post

ANN, BOB = b"ann", b"bob"


def sends(peer: bytes, n: int, *texts: str, size: int = 10, key: str = "key") -> Received:
    return Received(peer, Post(n, [Item("#tea", "none", text.encode()) for text in texts]), "", key, 1, size)


def says(event: Event) -> object:
    """Who says what, without the bytes."""
    if isinstance(event, Received) and isinstance(event.frame, Post):
        return event.peer, event.frame.n, [item.body.decode() for item in event.frame.items]
    return event


def test_of_each_connection_what_continues_becomes_one() -> None:
    events = [sends(ANN, 1, "a"), sends(BOB, 7, "x"), sends(ANN, 2, "b", "c"), sends(BOB, 8, "y"), sends(ANN, 4, "d")]
    assert [says(each) for each in gathered(events)] == [(ANN, 1, ["a", "b", "c", "d"]), (BOB, 7, ["x", "y"])]


def test_what_repeats_or_leaves_something_out_stays_by_itself() -> None:
    events = [sends(ANN, 1, "a"), sends(ANN, 1, "a"), sends(ANN, 3, "c"), sends(ANN, 4, "d")]
    assert [says(each) for each in gathered(events)] == [(ANN, 1, ["a"]), (ANN, 1, ["a"]), (ANN, 3, ["c", "d"])]


def test_nothing_passes_what_its_connection_said_in_between() -> None:
    ack = Received(ANN, Ack({"#tea": 1}), key="key")
    events = [sends(ANN, 1, "a"), ack, sends(ANN, 2, "b")]
    assert [says(each) for each in gathered(events)] == [(ANN, 1, ["a"]), ack, (ANN, 2, ["b"])]


def test_nothing_passes_the_end_of_a_connection() -> None:
    events: list[Event] = [sends(ANN, 1, "a"), Gone(BOB), sends(ANN, 2, "b")]
    assert [says(each) for each in gathered(events)] == [(ANN, 1, ["a"]), Gone(BOB), (ANN, 2, ["b"])]


def test_two_keys_are_two_senders() -> None:
    events = [sends(ANN, 1, "a"), sends(ANN, 2, "b", key="another")]
    assert len(gathered(events)) == 2


def test_together_they_are_no_more_than_a_frame_may_bear() -> None:
    many = [sends(ANN, n, str(n)) for n in range(1, 2 * limits.PACK_MESSAGES + 2)]
    assert [len(each.frame.items) for each in gathered(many)] == [64, 64, 1]  # type: ignore[attr-defined]
    large = [sends(ANN, n, str(n), size=limits.FRAME_BYTES // 2) for n in range(1, 6)]
    assert [len(each.frame.items) for each in gathered(large)] == [2, 2, 1]  # type: ignore[attr-defined]


def test_whatever_comes_each_connection_is_heard_in_its_order(seed: int) -> None:
    chance = Random(seed)
    next_n = {ANN: 1, BOB: 1}
    events: list[Event] = []
    for _ in range(500):
        peer, count = chance.choice((ANN, BOB)), chance.choice((1, 1, 2, 30))
        if chance.random() < 0.1:
            events.append(Received(peer, Ack({"#tea": len(events)}), key="key"))
            continue
        n = next_n[peer] + chance.choice((0, 0, 0, 1, -1))
        events.append(sends(peer, n, *(str(each) for each in range(n, n + count)), size=chance.choice((100, 9000))))
        next_n[peer] = n + count
    said = {peer: heard(events, peer) for peer in next_n}
    whole = gathered(events)
    assert len(whole) < 450
    assert {peer: heard(whole, peer) for peer in next_n} == said


def heard(events: list[Event], peer: bytes) -> list[object]:
    """What one connection says, message by message."""
    said: list[object] = []
    for event in events:
        if isinstance(event, Received) and event.peer == peer:
            post = event.frame if isinstance(event.frame, Post) else None
            said += [(post.n + at, item) for at, item in enumerate(post.items)] if post else [event.frame]
    return said
