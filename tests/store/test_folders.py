"""Which folder a run of the client gets, and who else may look into it."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest

from core.commands import Keep
from store.journal import FOLDERS, open_journal
from store.lock import Lock, Locked, private_folder

WAITS = Keep(1, "#lobby", "none", b"hello")


def test_only_the_owner_may_enter_the_folders_and_read_the_files(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        journal = open_journal(tmp_path / "root", "anna", sends_only=False)
        journal.commit([WAITS])
        files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in journal.folder.iterdir()}
        names = ("journal.sqlite", "journal.sqlite-shm", "journal.sqlite-wal", "lock")
        assert files == dict.fromkeys(names, 0o600)
        assert {stat.S_IMODE(each.stat().st_mode) for each in (journal.folder, journal.folder.parent)} == {0o700}
        journal.close()
    finally:
        os.umask(old)


def test_the_first_free_folder_is_taken(tmp_path: Path) -> None:
    first, second, third = (open_journal(tmp_path, "anna", sends_only=False) for _ in range(3))
    assert [journal.folder.name for journal in (first, second, third)] == ["1", "2", "3"]
    device = second.memory().device
    second.close()
    again = open_journal(tmp_path, "anna", sends_only=False)
    assert (again.folder, again.memory().device) == (second.folder, device)
    for journal in (first, third, again):
        journal.close()


def test_each_folder_is_a_device_of_its_own(tmp_path: Path) -> None:
    journals = [open_journal(tmp_path, account, sends_only=False) for account in ("anna", "anna", "bob")]
    assert [journal.folder for journal in journals] == [tmp_path / place for place in ("anna/1", "anna/2", "bob/1")]
    devices = {journal.memory().device for journal in journals}
    assert len(devices) == 3
    assert all(re.fullmatch("[a-z2-7]{16}", device) for device in devices)
    for journal in journals:
        journal.close()


def test_a_run_that_sends_takes_the_folder_that_still_holds_something(tmp_path: Path) -> None:
    journals = [open_journal(tmp_path, "anna", sends_only=False) for _ in range(3)]
    journals[1].commit([WAITS])
    for journal in journals:
        journal.close()
    sends = open_journal(tmp_path, "anna", sends_only=True)
    assert (sends.folder.name, sends.waiting()) == ("2", 1)
    reads = open_journal(tmp_path, "anna", sends_only=False)
    assert reads.folder.name == "1", "what the other looked at and did not choose is free again"
    also = open_journal(tmp_path, "anna", sends_only=True)
    assert also.folder.name == "3"
    for journal in (reads, sends, also):
        journal.close()


def test_who_reads_wants_the_device_that_has_read_and_no_other(tmp_path: Path) -> None:
    first, second = (open_journal(tmp_path, "anna", sends_only=False) for _ in range(2))
    second.commit([WAITS])
    first.close()
    second.close()
    reads = open_journal(tmp_path, "anna", sends_only=False)
    assert reads.folder.name == "1"
    reads.close()


def test_a_run_that_sends_is_content_with_the_first_folder_and_makes_none(tmp_path: Path) -> None:
    for journal in [open_journal(tmp_path, "anna", sends_only=False) for _ in range(2)]:
        journal.close()
    sends = open_journal(tmp_path, "anna", sends_only=True)
    assert sends.folder.name == "1"
    assert sorted(each.name for each in (tmp_path / "anna").iterdir()) == ["1", "2"]
    sends.close()


def test_with_all_folders_in_use_nothing_is_opened(tmp_path: Path) -> None:
    locks = [Lock(private_folder(tmp_path / "anna" / str(number))) for number in range(1, FOLDERS + 1)]
    with pytest.raises(Locked, match="anna"):
        open_journal(tmp_path, "anna", sends_only=False)
    locks.pop().close()
    journal = open_journal(tmp_path, "anna", sends_only=False)
    assert journal.folder.name == str(FOLDERS)
    journal.close()
    for lock in locks:
        lock.close()
