"""One's own lines, by place, to be found again with the keys: kept on disk, for their writer's eyes only."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import msgspec

LINES_KEPT = 1000
BYTES_KEPT = 1 << 20

_decode = msgspec.json.Decoder(tuple[str, str]).decode


class TypedLines:
    """``path`` holds a JSON array a line: place, text. A disk that fails costs this comfort, and nothing else."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: list[tuple[str, str]] = _read(path)

    def of(self, place: str) -> list[str]:
        """What was typed there, the last first."""
        return [text for there, text in reversed(self._lines) if there == place.casefold()]

    def add(self, place: str, text: str) -> None:
        """One more."""
        line = (place.casefold(), text.encode("utf-8", "replace").decode())
        self._lines.append(line)
        with contextlib.suppress(OSError):
            if len(self._lines) > 2 * LINES_KEPT or _size(self._path) > 2 * BYTES_KEPT:
                self._lines = _last(self._lines)
                self._write_anew()
            else:
                _append(self._path, _packed(line))

    def _write_anew(self) -> None:
        """Beside it first: what is cut off in between must not be all that is left."""
        beside = self._path.with_suffix(".new")
        beside.unlink(missing_ok=True)
        _append(beside, b"".join(map(_packed, self._lines)))
        beside.replace(self._path)


def _last(lines: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """As many of the last as are kept."""
    room, kept = BYTES_KEPT, lines[-LINES_KEPT:]
    for at, line in enumerate(reversed(kept)):
        room -= len(_packed(line))
        if room < 0:
            return kept[len(kept) - at :]
    return kept


def _packed(line: tuple[str, str]) -> bytes:
    """The line end comes first: so a line that was cut off does not swallow the next."""
    return b"\n" + msgspec.json.encode(line)


def _append(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, data)
    finally:
        os.close(descriptor)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _read(path: Path) -> list[tuple[str, str]]:
    """What is there; a line that was cut off, or is damaged, is left out."""
    lines = []
    with contextlib.suppress(OSError):
        for line in path.read_bytes().splitlines():
            with contextlib.suppress(msgspec.DecodeError):
                lines.append(_decode(line))
    return lines
