"""A pair of keys in its file: made once, private, and never half there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from protocol import keys
from protocol.keys import KeyPair
from store import StoreDamaged, StoreExposed
from store.keyfile import open_pair

LOSS = "make another one"
SECRET = bytes(range(32))


def public_of(secret: bytes) -> str:
    """What stands for CURVE here: the other way round."""
    return keys.written(secret[::-1])


PAIR = KeyPair(public_of(SECRET), SECRET)


def never() -> KeyPair:
    raise AssertionError("there is a pair already")


def test_the_pair_is_made_at_the_first_start_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "broker.key"
    assert open_pair(path, lambda: PAIR, public_of, LOSS) == PAIR
    assert open_pair(path, never, public_of, LOSS) == PAIR
    assert [each.name for each in tmp_path.iterdir()] == ["broker.key"]


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        open_pair(tmp_path / "broker.key", lambda: PAIR, public_of, LOSS)
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "broker.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_pair_that_others_may_read_or_change_is_not_used(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "broker.key"
    open_pair(path, lambda: PAIR, public_of, LOSS)
    path.chmod(mode)
    with pytest.raises(StoreExposed, match="chmod 600 it, else make another one"):
        open_pair(path, never, public_of, LOSS)
    path.chmod(0o600)
    assert open_pair(path, never, public_of, LOSS) == PAIR


GOOD = f"public {PAIR.public}\nsecret {keys.written(SECRET)}\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOD[:-1].rpartition("\n")[0],
        GOOD[:-5],
        GOOD.replace("public", "secret"),
        GOOD.replace(PAIR.public, keys.written(bytes(32))),
        GOOD.replace("secret ", "secret ä"),
        GOOD.replace(" ", ""),
    ],
    ids=["empty", "one line", "cut", "two secrets", "of two pairs", "no ASCII", "no words"],
)
def test_what_is_no_pair_is_neither_used_nor_replaced(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broker.key"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(StoreDamaged, match="restore it from a backup, or make another one"):
        open_pair(path, never, public_of, LOSS)
    assert path.read_text(encoding="utf-8") == text


def test_a_start_that_was_cut_short_leaves_no_half_pair(tmp_path: Path) -> None:
    (tmp_path / "broker.new").write_text("public ")
    assert open_pair(tmp_path / "broker.key", lambda: PAIR, public_of, LOSS) == PAIR
    assert [each.name for each in tmp_path.iterdir()] == ["broker.key"]


def test_the_secret_is_never_printed() -> None:
    assert keys.written(SECRET) not in repr(PAIR)
    assert repr(SECRET) not in repr(PAIR)
    assert PAIR.public in f"{PAIR}"
