"""A wall clock that a film can turn: on the path of a program (PYTHONPATH) it makes time.time say what a file says.

The file holds a time (Unix, ns), at which it stood when it was written; from there the clock goes on.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

_FACE = os.environ.get("FILM_CLOCK")
_real = time.time_ns


def _time_ns() -> int:
    face = Path(str(_FACE))
    return int(face.read_text("ascii")) + _real() - face.stat().st_mtime_ns


def _time() -> float:
    return _time_ns() / 1e9


if _FACE:
    time.time_ns, time.time = _time_ns, _time
