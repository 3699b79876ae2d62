"""The few forms of PromQL that the dashboard and the alerts keep to, evaluated over pages that were scraped.

    name   name{label="value"}   rate(name[10s])   sum(…)   sum by (label) (…)
    histogram_quantile(0.99, sum by (le) (rate(name_bucket[10s])))   time()   number   … + - * / > < == …

As in Prometheus, but for one thing: rate() divides by the time between the first and the last sample of its window, and
does not guess how it went on up to the window's edges. A broker that was restarted begins to count anew; rate() sees
that. While nobody answers there are no samples.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]
"""A value for each set of labels; a plain number has none."""

# A sample counts until a later scrape did not bring it, but never longer.
STALE_S = 5.0
_UNIT_S = {"s": 1.0, "m": 60.0, "h": 3600.0}
_TOKEN = re.compile(r'\s*([a-zA-Z_:][\w:]*|\d+\.?\d*|"[^"]*"|==|[-+*/<>(){},=\[\]])')
_ORDER: tuple[dict[str, Callable[[float, float], float]], ...] = (
    {">": operator.gt, "<": operator.lt, "==": operator.eq},
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": lambda one, other: one / other if other else float("nan")},
)
"""Operators, those that bind least first; those of the first row leave out what they are not true of."""


class BadQuery(ValueError):
    """None of those forms."""


class Scrapes:
    """Pages, in the order in which they were scraped."""

    def __init__(self) -> None:
        self.at: list[float] = []
        self._samples: list[dict[str, Vector]] = []  # one for each page, by series; {}: nobody answered

    def add(self, at: float, page: str) -> None:
        """A page; "" if nobody answered."""
        samples: dict[str, Vector] = {}
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                samples.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
        self.at.append(at)
        self._samples.append(samples)

    @property
    def names(self) -> set[str]:
        """All series that were ever there."""
        return {name for samples in self._samples for name in samples}

    def last(self, name: str, at: float) -> Vector:
        """What the latest page up to then says."""
        for time, samples in zip(reversed(self.at), reversed(self._samples), strict=True):
            if time <= at:
                return samples.get(name, {}) if at - time <= STALE_S else {}
        return {}

    def within(self, name: str, begin: float, end: float) -> dict[Labels, list[tuple[float, float]]]:
        """The samples of a series behind one moment, up to another."""
        found: dict[Labels, list[tuple[float, float]]] = {}
        for time, samples in zip(self.at, self._samples, strict=True):
            if begin < time <= end:
                for labels, value in samples.get(name, {}).items():
                    found.setdefault(labels, []).append((time, value))
        return found


class Use(NamedTuple):
    """One mention of a series in a query."""

    name: str
    labels: Labels


class Query:
    """A query. BadQuery if it is of another form. ``uses`` are the series that it names."""

    def __init__(self, text: str) -> None:
        self.uses: list[Use] = []
        self._tokens = list(_tokens(text))
        self._evaluate = self._binary(0)
        if self._tokens:
            raise BadQuery(f"{text!r}: what is {self._tokens[0]!r}?")

    def at(self, scrapes: Scrapes, time: float) -> Vector:
        """Its value at a moment."""
        return self._evaluate(scrapes, time)

    # -- reading --

    def _next(self, *wanted: str) -> str:
        token = self._tokens.pop(0) if self._tokens else ""
        if wanted and token not in wanted:
            raise BadQuery(f"{token!r} stands where one of {wanted} is meant")
        return token

    def _is_next(self, *wanted: str) -> bool:
        return bool(self._tokens) and self._tokens[0] in wanted

    def _binary(self, level: int) -> Evaluate:
        if level == len(_ORDER):
            return self._term()
        left = self._binary(level + 1)
        while self._is_next(*_ORDER[level]):
            left = _both(_ORDER[level][self._next()], left, self._binary(level + 1), keeps=level == 0)
        return left

    def _term(self) -> Evaluate:
        token = self._next()
        if token == "(":
            inner = self._binary(0)
            self._next(")")
            return inner
        if token[:1].isdigit():
            number = {Labels(): float(token)}
            return lambda scrapes, time: number
        forms = {"time": self._time, "rate": self._rate, "sum": self._sum, "histogram_quantile": self._quantile}
        if token in forms and self._is_next("(", "by"):
            return forms[token]()
        if not re.match(r"[a-zA-Z_]", token):
            raise BadQuery(f"what is {token!r}?")
        return self._selector(token)

    def _time(self) -> Evaluate:
        self._next("(")
        self._next(")")
        return lambda scrapes, time: {Labels(): time}

    def _selector(self, name: str) -> Evaluate:
        wanted = self._matched(name)
        return lambda scrapes, time: {
            labels: value for labels, value in scrapes.last(name, time).items() if wanted <= labels
        }

    def _matched(self, name: str) -> Labels:
        wanted = set()
        if self._is_next("{"):
            self._next()
            while not self._is_next("}"):
                label, _, value = self._next(), self._next("="), self._next()
                wanted.add((label, value.strip('"')))
                if self._is_next(","):
                    self._next()
            self._next("}")
        self.uses.append(Use(name, Labels(wanted)))
        return Labels(wanted)

    def _rate(self) -> Evaluate:
        self._next("(")
        name = self._next()
        wanted = self._matched(name)
        self._next("[")
        window = float(self._next()) * _UNIT_S[self._next(*_UNIT_S)]
        self._next("]")
        self._next(")")
        return lambda scrapes, time: {
            labels: _rate(samples)
            for labels, samples in scrapes.within(name, time - window, time).items()
            if wanted <= labels and len(samples) > 1
        }

    def _sum(self) -> Evaluate:
        by = ""
        if self._next("by", "(") == "by":
            self._next("(")
            by = self._next()
            self._next(")")
            self._next("(")
        inner = self._binary(0)
        self._next(")")
        return lambda scrapes, time: _sum(inner(scrapes, time), by)

    def _quantile(self) -> Evaluate:
        self._next("(")
        part = float(self._next())
        self._next(",")
        inner = self._binary(0)
        self._next(")")
        return lambda scrapes, time: _quantile(part, inner(scrapes, time))


Evaluate = Callable[[Scrapes, float], Vector]


def _tokens(text: str) -> Iterator[str]:
    place = 0
    while place < len(text.rstrip()):
        found = _TOKEN.match(text, place)
        if not found:
            raise BadQuery(f"what is {text[place:]!r}?")
        yield found[1]
        place = found.end()


# ---- values -------------------------------------------------------------------------------------------


def _both(work: Callable[[float, float], float], left: Evaluate, right: Evaluate, keeps: bool) -> Evaluate:
    """Two vectors with the same labels, or one of them a number."""

    def evaluate(scrapes: Scrapes, time: float) -> Vector:
        one, other = left(scrapes, time), right(scrapes, time)
        number = other.get(Labels()) if set(other) == {Labels()} else None
        if set(one) == {Labels()} and number is None:
            one = dict.fromkeys(other, one[Labels()])
        pairs = ((labels, value, other.get(labels, number)) for labels, value in one.items())
        both = [(labels, value, against) for labels, value, against in pairs if against is not None]
        if keeps:
            return {labels: value for labels, value, against in both if work(value, against)}
        return {labels: work(value, against) for labels, value, against in both}

    return evaluate


def _rate(samples: list[tuple[float, float]]) -> float:
    """Growth a second; a value below the one before it has begun anew."""
    values = [value for _, value in samples]
    grown = sum(now - before if now >= before else now for before, now in pairwise(values))
    return grown / (samples[-1][0] - samples[0][0])


def _sum(vector: Mapping[Labels, float], by: str) -> Vector:
    sums: Vector = {}
    for labels, value in vector.items():
        kept = Labels(pair for pair in labels if pair[0] == by)
        sums[kept] = sums.get(kept, 0.0) + value
    return sums


def _quantile(part: float, buckets: Mapping[Labels, float]) -> Vector:
    """Between two bounds it is taken for evenly spread; beyond the last one it is that bound."""
    edges = sorted((float(dict(labels)["le"]), value) for labels, value in buckets.items())
    if not edges or edges[-1][1] == 0:
        return {}
    rank, low, below = part * edges[-1][1], 0.0, 0.0
    for bound, up_to in edges:
        if up_to >= rank and up_to > below:
            share = (rank - below) / (up_to - below)
            return {Labels(): low if bound == float("inf") else low + (bound - low) * share}
        low, below = bound, up_to
    return {}


def evaluated(query: Query, scrapes: Scrapes, times: Iterable[float]) -> dict[Labels, list[tuple[float, float]]]:
    """A line for each set of labels."""
    lines: dict[Labels, list[tuple[float, float]]] = {}
    for time in times:
        for labels, value in query.at(scrapes, time).items():
            lines.setdefault(labels, []).append((time, value))
    return lines
