"""Whatever bytes come in, ``decode`` gives a frame or ProtocolError, and nothing else.

A frame that was read can be written and read again, and is the same then. The same holds for stored envelopes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # imports are absolute from the root

with atheris.instrument_imports():
    from protocol.frames import ProtocolError, decode, decode_envelope, encode
    from tests.fuzz.drawn import FRAMES, Drawn


def check(drawn_from: bytes) -> None:
    """The fuzzer's bytes as they are, and what they say of frames that are nearly right."""
    drawn = Drawn(drawn_from)
    for said in (drawn_from, drawn.nearly(drawn.one_of(FRAMES))):
        for read in (decode, decode_envelope):
            check_read(read, said)


def check_read(read: Callable[[bytes], Any], said: bytes) -> None:
    """What was read comes out of its own bytes unchanged."""
    try:
        thing = read(said)
    except ProtocolError:
        return
    packed = encode(thing)
    assert encode(read(packed)) == packed, thing


if __name__ == "__main__":
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()
