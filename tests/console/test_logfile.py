from __future__ import annotations

import json
import stat
from pathlib import Path

from console.logfile import Style, close_log, line, open_log


def written(path: Path, style: Style, *lines: tuple[str, dict[str, object]]) -> str:
    log = open_log(path, style)
    for what, fields in lines:
        log.info(line(what, fields))
    close_log(log)
    return path.read_text("utf-8")


def test_a_line_of_json_holds_what_a_line_of_text_holds(tmp_path: Path) -> None:
    fields = {"account": "Zoë\x1b[2J", "n": 3, "from": Path("x")}
    text = written(tmp_path / "text", Style(), ("joined", fields))
    assert text.endswith(" INFO joined account=Zoë^[[2J n=3 from=x\n")
    written_as_json = written(tmp_path / "json", Style(json=True), ("joined", fields))
    assert written_as_json.isascii()
    said = json.loads(written_as_json)
    assert said.pop("at").endswith("Z")
    assert said == {"level": "info", "what": "joined", "account": "Zoë\x1b[2J", "n": 3, "from": "x"}


def test_a_file_that_is_long_enough_gives_way_and_so_many_are_kept(tmp_path: Path) -> None:
    lines = [("counted", {"n": n}) for n in range(100)]
    written(tmp_path / "log", Style(file_bytes=500, old_files=2), *lines)
    files = sorted(tmp_path.iterdir())
    assert [path.name for path in files] == ["log", "log.1", "log.2"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert all(path.stat().st_size <= 500 for path in files)


def test_what_is_below_the_level_is_left_out(tmp_path: Path) -> None:
    assert written(tmp_path / "log", Style("warning"), ("joined", {})) == ""
