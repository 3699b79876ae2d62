from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from console.order import merged
from core.shown import Messages
from protocol.frames import Envelope

DEVICE = "a" * 16


def run(log: str, first: int, *times: int) -> Messages:
    envelopes = [Envelope(DEVICE, at + 1, "alice", log, at, "none", b"x") for at in times]
    return Messages(log=log, first=first, envelopes=envelopes, waited=first)


def placed(runs: list[Messages]) -> list[tuple[str, int]]:
    return [(one.log, seq) for one in runs for seq in range(one.first, one.first + len(one.envelopes))]


def test_two_logs_are_told_in_the_order_of_their_time() -> None:
    told = list(merged([[run("#lobby", 5, 10, 30)], [run("@alice", 1, 20, 40)]]))
    assert placed(told) == [("#lobby", 5), ("@alice", 1), ("#lobby", 6), ("@alice", 2)]
    assert [one.waited for one in told] == [5, 1, 5, 1]


def test_what_one_device_sent_in_one_moment_is_told_as_it_was_numbered() -> None:
    private = Envelope(DEVICE, 1, "alice", "bob", 7, "none", b"first")
    public = Envelope(DEVICE, 2, "alice", "#lobby", 7, "none", b"second")
    told = list(
        merged(
            [
                [Messages(log="#lobby", first=1, envelopes=[public], waited=0)],
                [Messages(log="@alice", first=1, envelopes=[private], waited=0)],
            ]
        )
    )
    assert [one.envelopes[0].body for one in told] == [b"first", b"second"]


@given(st.lists(st.lists(st.integers(0, 50), min_size=1, max_size=8), min_size=1, max_size=4))
def test_a_log_is_never_told_out_of_its_own_order_whatever_the_clocks_say(times: list[list[int]]) -> None:
    told = placed(list(merged([[run(f"#{number}", 1, *some)] for number, some in enumerate(times)])))
    for number, some in enumerate(times):
        assert [seq for log, seq in told if log == f"#{number}"] == list(range(1, len(some) + 1))
    assert len(told) == sum(map(len, times))
