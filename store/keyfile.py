"""A pair of keys in a file of its own, made once: ``broker.key``, and each device's ``device.key``.

Two lines of text, ``public KEY`` and ``secret KEY``, both in base32; only the owner may read it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from protocol import keys
from protocol.keys import BadKey, KeyPair
from store import StoreDamaged, StoreExposed
from store.lock import sync

_OTHERS = 0o077


def open_pair(path: Path, make: Callable[[], KeyPair], public_of: Callable[[bytes], str], loss: str) -> KeyPair:
    """The pair in this file; a new one, synced, if there is no file. The folder's lock is held.

    StoreExposed if others may read it, StoreDamaged if it is no pair; ``loss`` says, as the end of a sentence, what
    becomes of a pair that is lost.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return _write(path, make())
    if mode & _OTHERS:
        raise StoreExposed(
            "others can read {path}, so it may be known to them; if it is not, chmod 600 it, else {cure}",
            path=path,
            cure=loss,
        )
    return _read(path, public_of, loss)


def _read(path: Path, public_of: Callable[[bytes], str], loss: str) -> KeyPair:
    try:
        words = path.read_text("ascii").split()
        pair = KeyPair(words[1], keys.raw(keys.read(words[3])))
        if words[::2] == ["public", "secret"] and public_of(pair.secret) == pair.public:
            return pair
    except (BadKey, ValueError, IndexError):
        pass
    raise StoreDamaged("{path} is no pair of keys; restore it from a backup, or {cure}", path=path, cure=loss)


def _write(path: Path, pair: KeyPair) -> KeyPair:
    """Whole or not at all, and on disk before anybody is told of it."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)  # of a start that was cut short
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"public {pair.public}\nsecret {keys.written(pair.secret)}\n")
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)
    sync(path.parent)
    return pair
