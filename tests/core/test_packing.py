"""What goes to many is packed once in a turn, and as it is in the next."""

from __future__ import annotations

from core.events import Arrived
from core.packing import Packing
from protocol import limits
from protocol.frames import Deliver, Envelope, decode, encode


def arrived(first: int, *texts: str, log: str = "#tea") -> Arrived:
    envelopes = [Envelope("abcdefghijklmnop", n, "anna", log, 0, "none", t.encode()) for n, t in enumerate(texts, 1)]
    return Arrived(log, first, [encode(each) for each in envelopes])


def told(frames: list[bytes]) -> list[tuple[str, int, bytes]]:
    """Log, seq and text of all that these frames bear."""
    runs = [run for frame in map(decode, frames) if isinstance(frame, Deliver) for run in frame.runs]
    return [(run.log, seq, each.body) for run in runs for seq, each in enumerate(run.envelopes, run.first)]


def test_the_same_pieces_make_the_same_frames_and_others_do_not() -> None:
    packing = Packing()
    tea, lobby = packing.cut(arrived(1, "a", "b")), packing.cut(arrived(1, "c", log="#lobby"))
    both = packing.frames([*tea, *lobby])
    assert packing.frames([*tea, *lobby])[0] is both[0]
    assert told(both) == [("#tea", 1, b"a"), ("#tea", 2, b"b"), ("#lobby", 1, b"c")]
    assert told(packing.frames(list(lobby))) == [("#lobby", 1, b"c")]


def test_who_begins_elsewhere_gets_other_pieces() -> None:
    packing = Packing()
    whole, rest = packing.cut(arrived(1, "a", "b")), packing.cut(arrived(2, "b"))
    assert [piece.first for piece in (*whole, *rest)] == [1, 2]
    assert packing.cut(arrived(1, "a", "b")) is whole


def test_nothing_is_remembered_behind_the_turn() -> None:
    packing = Packing()
    packing.frames(packing.cut(arrived(1, "a")))
    packing.forget()
    assert told(packing.frames(packing.cut(arrived(1, "z")))) == [("#tea", 1, b"z")]


def test_nothing_to_say_is_no_frame_and_much_is_several() -> None:
    packing = Packing()
    assert packing.frames([]) == []
    pieces = packing.cut(arrived(1, *("x" * limits.BODY_BYTES for _ in range(5))))
    frames = packing.frames(pieces)
    assert len(frames) > 1
    assert max(map(len, frames)) <= limits.FRAME_BYTES
    assert [seq for _, seq, _ in told(frames)] == [1, 2, 3, 4, 5]
