"""A minute of what ``make torture`` does for as long as one likes: nothing lost, nothing twice, in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.torture.run import act, judge

pytestmark = pytest.mark.timeout(3600)  # for machines that are slow: each wait has a bound of its own

# Until all is at rest again it is a minute: long enough for one silence beyond its limit.
MINUTES = 0.75


def test_nothing_is_lost_twice_or_out_of_order_whatever_is_done(tmp_path: Path, seed: int) -> None:
    act(tmp_path, MINUTES, seed)
    assert judge(tmp_path) == 0, tmp_path
