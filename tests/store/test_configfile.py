"""The file of settings on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from store import configfile


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down" / "client.toml"
    assert configfile.read(path) == ""
    configfile.write(path, 'bell = "off"\r\n# ½\n')
    assert configfile.read(path) == 'bell = "off"\r\n# ½\n'
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_link_stays_one_and_rights_stay(tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles" / "client.toml", tmp_path / "client.toml"
    real.parent.mkdir()
    real.write_text("old\n")
    real.chmod(0o644)
    link.symlink_to(real)
    configfile.write(link, "new\n")
    assert link.is_symlink()
    assert real.read_text() == "new\n"
    assert real.stat().st_mode & 0o777 == 0o644


def test_what_is_no_file_of_settings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="directory"):
        configfile.read(tmp_path)
    path = tmp_path / "client.toml"
    path.write_bytes(b"\xff")
    with pytest.raises(ValueError, match="utf-8"):
        configfile.read(path)
    path.write_bytes(b"#" * (configfile.FILE_BYTES + 1))
    with pytest.raises(configfile.TooLarge):
        configfile.read(path)


def test_a_write_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "client.toml"
    path.write_text("old\n")
    (tmp_path / "client.toml.new").mkdir()
    with pytest.raises(OSError, match="directory"):
        configfile.write(path, "new\n")
    assert path.read_text() == "old\n"
