"""One's own lines on disk: whose eyes they are for, how many there are, what a damaged file costs."""

from __future__ import annotations

import os
from pathlib import Path

from console.typedlines import BYTES_KEPT, LINES_KEPT, TypedLines


def test_lines_are_found_again_by_place_the_last_first(tmp_path: Path) -> None:
    lines = TypedLines(tmp_path / "typed")
    for place, text in (("#Lobby", "one"), ("bob", "two\nrows"), ("#lobby", "half \ud83d a pair")):
        lines.add(place, text)
    for one in (lines, TypedLines(tmp_path / "typed")):
        assert one.of("#lobby") == ["half ? a pair", "one"]
        assert one.of("Bob") == ["two\nrows"]


def test_nobody_else_may_read_them(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        path = tmp_path / "typed"
        lines = TypedLines(path)
        lines.add("bob", "a secret")
        assert path.stat().st_mode & 0o777 == 0o600
        for number in range(2 * LINES_KEPT + 1):
            lines.add("bob", str(number))
        assert path.stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)
    assert [each.name for each in tmp_path.iterdir()] == ["typed"]


def test_not_more_are_kept_than_anybody_looks_for(tmp_path: Path) -> None:
    path = tmp_path / "typed"
    lines = TypedLines(path)
    for number in range(2 * LINES_KEPT + 1):
        lines.add("bob", str(number))
    assert path.read_bytes().count(b"\n") == LINES_KEPT
    assert TypedLines(path).of("bob") == lines.of("bob") == [str(n) for n in range(2 * LINES_KEPT, LINES_KEPT, -1)]
    for number in range(10):
        lines.add("bob", str(number) * (BYTES_KEPT // 3))
        assert path.stat().st_size < 3 * BYTES_KEPT
    assert lines.of("bob")[0].startswith("9")


def test_a_damaged_file_costs_only_what_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "typed"
    path.write_bytes(b'["bob","one"]\n\xff\xfe\n{}\n["bob"]\n["bob","two"]\n["bob","cut o')
    lines = TypedLines(path)
    assert lines.of("bob") == ["two", "one"]
    lines.add("bob", "three")
    assert TypedLines(path).of("bob") == ["three", "two", "one"]


def test_a_disk_that_fails_costs_no_line(tmp_path: Path) -> None:
    lines = TypedLines(tmp_path / "gone" / "typed")
    lines.add("bob", "one")
    assert lines.of("bob") == ["one"]
