"""The answer to TellStats in Prometheus's form: the one table of series, and how each follows from the facts.

Nothing is counted here. A fact that the machine can't tell has no series. This is the only module that needs
prometheus-client, and is imported only where metrics are wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import Any, NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

KIND = CONTENT_TYPE_LATEST
"""The page's content type."""

Stats = Mapping[str, Any]
Family = Callable[[str, str, Any], Metric]


def _counter(name: str, help_: str, value: float) -> Metric:
    return CounterMetricFamily(name, help_, value=value)


def _gauge(name: str, help_: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_, value=value)


def _by(label: str, make: type[CounterMetricFamily] | type[GaugeMetricFamily]) -> Family:
    """One series for each name of a mapping."""

    def family(name: str, help_: str, values: Mapping[str, float]) -> Metric:
        metric = make(name, help_, labels=(label,))
        for each, value in sorted(values.items()):
            metric.add_metric((each,), value)
        return metric

    return family


def _spread(unit: float) -> Family:
    """A histogram of measures.Spread; ``unit`` is what its bounds are counted in."""

    def family(name: str, help_: str, spread: Stats) -> Metric:
        names = [*(f"{bound * unit:g}" for bound in spread["bounds"]), "+Inf"]
        up_to = accumulate(spread["counts"])
        return HistogramMetricFamily(name, help_, list(zip(names, up_to, strict=True)), spread["sum"] * unit)

    return family


def _about(name: str, help_: str, protocol: str) -> Metric:
    return _by("protocol", GaugeMetricFamily)(name, help_, {protocol: 1})


class Series(NamedTuple):
    """One row: a name, what it means, of which fact it is made, and how."""

    name: str
    help: str
    fact: str
    make: Family
    unit: float = 1  # what a fact that is a number is counted in


MICROSECOND, MILLISECOND = 1e-6, 1e-3

SERIES = (
    Series("restante_broker", "1; which protocol it speaks.", "protocol", _about),
    Series("restante_start_time_seconds", "Unix time at which it was started.", "began_at", _gauge, MILLISECOND),
    Series("restante_turn_seconds", "Length of one turn of the loop.", "turn_us", _spread(MICROSECOND)),
    Series("restante_drain_frames", "Frames that one turn took in.", "drain_frames", _spread(1)),
    Series("restante_commit_seconds", "Length of one synced commit.", "commit_us", _spread(MICROSECOND)),
    Series("restante_accepted", "Messages, and remarks about them, that were put on disk.", "accepted", _counter),
    Series("restante_delivered", "Messages handed to sessions, once for each reader.", "delivered", _counter),
    Series("restante_duplicates", "Sends that came again; they were stored before.", "duplicates", _counter),
    Series("restante_gaps", "Times that a device's numbers had a hole.", "gaps", _counter),
    Series("restante_sends_refused", "Messages refused for good.", "refused", _by("code", CounterMetricFamily)),
    Series("restante_refusals", "Requests and logins refused.", "refusals", _by("code", CounterMetricFamily)),
    Series("restante_store_failures", "Commits that the store did not take.", "store_failures", _counter),
    Series("restante_damaged", "Messages that could not be read whole.", "damaged", _counter),
    Series("restante_sessions", "Devices that are logged in.", "sessions", _gauge),
    Series("restante_accounts_here", "Accounts that read just now.", "here", _gauge),
    Series("restante_connections", "Connections, strangers' among them.", "connections", _gauge),
    Series("restante_unconfirmed_messages", "Messages on their way to sessions.", "on_their_way", _gauge),
    Series("restante_windows_full", "Sessions that messages wait for.", "windows_full", _gauge),
    Series(
        "restante_backlog_messages",
        "Messages that wait for sessions, by how long the session has been behind.",
        "backlog",
        _by("behind_for", GaugeMetricFamily),
    ),
    Series("restante_login_queue", "Passwords that wait to be checked.", "login_queue", _gauge),
    Series("restante_memory_bytes", "Memory of the process.", "memory", _gauge),
    Series("restante_descriptors", "Open file descriptors.", "descriptors", _gauge),
    Series("restante_descriptors_limit", "As many as there may be.", "descriptors_limit", _gauge),
    Series("restante_cpu_seconds", "Time of a processor that was used.", "cpu_ms", _counter, MILLISECOND),
    Series("restante_store_bytes", "What the store holds.", "size", _gauge),
    Series("restante_disk_free_bytes", "What is free on the disk of the broker's folder.", "disk_free", _gauge),
)


class _Told(Collector):
    """The facts of one answer."""

    def __init__(self, stats: Stats) -> None:
        self._stats = stats

    def collect(self) -> Iterator[Metric]:
        for each in SERIES:
            fact = self._stats.get(each.fact)
            if fact is not None:
                yield each.make(each.name, each.help, fact if each.unit == 1 else fact * each.unit)


def page(stats: Stats) -> bytes:
    """The page."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(stats))
    return generate_latest(registry)
