"""What one turn delivers, packed once however many get it."""

from __future__ import annotations

from typing import NamedTuple

from core.events import Arrived
from protocol import frames, limits


class Piece(NamedTuple):
    """Some envelopes of one log, as many as a window and a frame can take."""

    log: str
    first: int
    last: int
    size: int  # bytes of envelopes
    packed: bytes


class Packing:
    """Pieces and frames of one turn: most readers of a room get the same ones."""

    def __init__(self) -> None:
        self._pieces: dict[tuple[str, int, int], list[Piece]] = {}  # log, first, how many
        self._frames: dict[tuple[int, ...], tuple[list[Piece], list[bytes]]] = {}  # by which pieces, which live here

    def cut(self, arrived: Arrived) -> list[Piece]:
        """What arrived in a log, or was fetched from it, in pieces."""
        place = arrived.log, arrived.first, len(arrived.envelopes)
        if place not in self._pieces:
            self._pieces[place] = cut(arrived)
        return self._pieces[place]

    def frames(self, pieces: list[Piece]) -> list[bytes]:
        """As few Deliver frames as their size allows."""
        if not pieces:
            return []
        which = tuple(map(id, pieces))
        if which not in self._frames:
            self._frames[which] = pieces, _gathered(pieces)
        return self._frames[which][1]

    def forget(self) -> None:
        """The turn is over."""
        self._pieces.clear()
        self._frames.clear()


def cut(arrived: Arrived) -> list[Piece]:
    """What arrived in a log, in pieces that windows and frames can take."""
    starts = range(0, len(arrived.envelopes), limits.PACK_MESSAGES)
    parts = ((start, arrived.envelopes[start : start + limits.PACK_MESSAGES]) for start in starts)
    return [piece for start, some in parts for piece in _pieces(arrived.log, arrived.first + start, some)]


def _pieces(log: str, first: int, envelopes: list[bytes]) -> list[Piece]:
    """One piece, or two halves of what is too large for one."""
    size, half = sum(map(len, envelopes)), len(envelopes) // 2
    if size > limits.FRAME_BYTES // 2 and half:
        return [*_pieces(log, first, envelopes[:half]), *_pieces(log, first + half, envelopes[half:])]
    return [Piece(log, first, first + len(envelopes) - 1, size, frames.pack_run(log, first, envelopes))]


def _gathered(pieces: list[Piece]) -> list[bytes]:
    gathered: list[bytes] = []
    some: list[bytes] = []
    size = 0
    for piece in pieces:
        if some and size + len(piece.packed) > limits.FRAME_BYTES:
            gathered.append(frames.pack_deliver(some))
            some, size = [], 0
        some.append(piece.packed)
        size += len(piece.packed)
    return [*gathered, frames.pack_deliver(some)]
