"""What is measured around the core, and what becomes of it on the page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

import broker
from operating.exposition import SERIES, page
from operating.measures import FRAMES, Measures, Spread, Times

# What the core adds to the measures, in a broker that has just been started.
COUNTED: dict[str, Any] = {
    **dict.fromkeys(("accepted", "delivered", "duplicates", "gaps", "store_failures", "sessions", "here"), 0),
    **dict.fromkeys(("on_their_way", "windows_full", "size"), 0),
    "protocol": "1.0",
    "began_at": 1_750_000_000_500,
    "refused": {"no-such-account": 2, "bad-name": 1},
    "backlog": {"1s": 0, "longer": 7},
}


def samples(stats: dict[str, Any]) -> dict[str, float]:
    """The page's values, by their names and labels."""
    families = text_string_to_metric_families(page(stats).decode())
    found = [sample for family in families for sample in family.samples]
    return {" ".join([each.name, *each.labels.values()]): each.value for each in found}


@pytest.mark.parametrize(
    ("amount", "counts"), [(0, [1, 0, 0]), (10, [1, 0, 0]), (11, [0, 1, 0]), (20, [0, 1, 0]), (21, [0, 0, 1])]
)
def test_an_amount_is_counted_at_the_first_bound_that_it_is_not_above(amount: int, counts: list[int]) -> None:
    spread = Spread((10, 20))
    spread.add(amount)
    assert spread.fact() == {"bounds": (10, 20), "counts": counts, "sum": amount}


def test_what_takes_time_is_timed_though_it_fails() -> None:
    times = Times()
    with pytest.raises(ZeroDivisionError), times:
        raise ZeroDivisionError
    with times:
        pass
    assert sum(times.fact()["counts"]) == 2


def test_a_full_turn_is_told_from_a_nearly_full_one() -> None:
    assert FRAMES[-2:] == (broker.TURN_FRAMES - 1, broker.TURN_FRAMES)


def test_the_page_counts_up_to_each_bound() -> None:
    measures = Measures({"memory": lambda: 5e6, "disk_free": lambda: None})
    for frames in (0, 3, 3, 2000):
        measures.drain.add(frames)
    measures.turn.add(150)
    told = samples(COUNTED | measures.facts())
    buckets = [told[f"restante_drain_frames_bucket {bound}"] for bound in ("0", "2", "5", "1999", "2000", "+Inf")]
    assert buckets == [1, 1, 3, 3, 4, 4]
    assert (told["restante_drain_frames_sum"], told["restante_drain_frames_count"]) == (2006, 4)
    assert (told["restante_turn_seconds_bucket 0.0001"], told["restante_turn_seconds_bucket 0.00025"]) == (0, 1)
    assert told["restante_turn_seconds_sum"] == pytest.approx(150e-6)


def test_names_units_and_labels() -> None:
    told = samples(COUNTED | Measures({"memory": lambda: 5e6, "cpu_ms": lambda: 1500}).facts())
    assert told["restante_start_time_seconds"] == pytest.approx(1_750_000_000.5)
    assert (told["restante_memory_bytes"], told["restante_cpu_seconds_total"]) == (5e6, 1.5)
    assert told["restante_sends_refused_total no-such-account"] == 2
    assert told["restante_backlog_messages longer"] == 7
    assert told["restante_broker 1.0"] == 1


def test_what_this_machine_cannot_tell_has_no_series() -> None:
    told = samples(COUNTED | Measures({"memory": lambda: None}).facts())
    assert [name for name in told if "memory" in name] == []


def test_every_series_has_a_name_that_others_would_give_it() -> None:
    assert [each.name for each in SERIES if not re.fullmatch(r"restante(_[a-z]+)+", each.name)] == []
    assert [each.name for each in SERIES if not each.help.endswith(".")] == []
