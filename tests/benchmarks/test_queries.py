"""The dashboard's queries, evaluated over pages that are small enough to know the answer."""

from __future__ import annotations

import pytest

from benchmarks.queries import BadQuery, Query, Scrapes
from benchmarks.watched import WINDOW, dashboard, query


def page(sent: int, kinds: dict[str, int], waits: tuple[int, ...] = (0, 0, 0)) -> str:
    """Counters, one of them by kind, and a histogram with bounds 1, 2 and infinity."""
    by_kind = "".join(f'kind_total{{kind="{kind}"}} {count}\n' for kind, count in kinds.items())
    bounds = zip(("1", "2", "+Inf"), waits, strict=True)
    buckets = "".join(f'wait_bucket{{le="{bound}"}} {count}\n' for bound, count in bounds)
    return f"# TYPE sent_total counter\nsent_total {sent}\n{by_kind}{buckets}open 3\nlimit 12\n"


@pytest.fixture
def scrapes() -> Scrapes:
    """One a second. Between 4 and 5 it was started again, and at 7 nobody answered."""
    scrapes = Scrapes()
    for second, sent in enumerate((0, 10, 20, 30, 40, 5, 15)):
        scrapes.add(second, page(sent, {"a": second, "b": 2 * second}, (second, 3 * second, 4 * second)))
    scrapes.add(7, "")
    return scrapes


def plain(text: str, scrapes: Scrapes, at: float) -> dict[str, float]:
    """Values by the values of their labels."""
    return {
        ",".join(sorted(value for _, value in labels)): value for labels, value in Query(text).at(scrapes, at).items()
    }


@pytest.mark.parametrize(
    ("text", "at", "value"),
    [
        ("open", 3, {"": 3.0}),
        ("open", 7, {}),
        ("open", 60, {}),
        ('kind_total{kind="b"}', 3, {"b": 6.0}),
        ("rate(sent_total[3s])", 3, {"": 10.0}),
        ("rate(sent_total[3s])", 5, {"": 7.5}),
        ("rate(sent_total[3s])", 0, {}),
        ("rate(kind_total[4s])", 4, {"a": 1.0, "b": 2.0}),
        ("sum(kind_total)", 3, {"": 9.0}),
        ("sum by (kind) (rate(kind_total[4s]))", 4, {"a": 1.0, "b": 2.0}),
        ("open / limit", 3, {"": 0.25}),
        ("time() - open", 3, {"": 0.0}),
        ("1 - open / limit > 0.5", 3, {"": 0.75}),
        ("open > 3", 3, {}),
        ("limit * 2 + open", 3, {"": 27.0}),
        ("(limit - open) * 2", 3, {"": 18.0}),
        ("open == 3", 3, {"": 3.0}),
        ("histogram_quantile(0.5, sum by (le) (rate(wait_bucket[4s])))", 4, {"": 1.5}),
        ("histogram_quantile(0.99, sum by (le) (rate(wait_bucket[4s])))", 4, {"": 2.0}),
        ("histogram_quantile(0.1, sum by (le) (rate(wait_bucket[4s])))", 4, {"": 0.4}),
    ],
)
def test_forms(scrapes: Scrapes, text: str, at: float, value: dict[str, float]) -> None:
    assert plain(text, scrapes, at) == pytest.approx(value)


def test_a_histogram_without_anything_in_it_has_no_quantile() -> None:
    scrapes = Scrapes()
    for second in range(3):
        scrapes.add(second, page(0, {}))
    assert plain("histogram_quantile(0.5, sum by (le) (rate(wait_bucket[4s])))", scrapes, 2) == {}


@pytest.mark.parametrize("text", ["rate(sent_total)", "open open", "avg(open)", "open[5s]", "sum(open", "open &", ""])
def test_other_forms_are_no_queries(text: str) -> None:
    with pytest.raises(BadQuery):
        Query(text)


def test_a_query_knows_what_it_uses() -> None:
    names = [use.name for use in Query('sum(rate(one_total{code="x"}[5m])) / two').uses]
    assert names == ["one_total", "two"]


def test_the_dashboard_keeps_to_these_forms() -> None:
    assert WINDOW.endswith("s")
    targets = [target for panel in dashboard() for target in panel["targets"]]
    assert len(targets) > 15
    assert all(query(target["expr"]).uses for target in targets)
