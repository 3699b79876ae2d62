"""Metrics of a real broker: they are true, dashboard and alarms ask for what is there, and nobody has to wait."""

from __future__ import annotations

import json
import re
import signal
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks.queries import Query, Scrapes, Use
from benchmarks.watched import dashboard, query
from tests.programs.programs import BOUND_S, HOST, ROOT, Broker, Clients, Program, until
from tests.programs.upkeep_commands import command
from transport.page import PLACES

StartBroker = Callable[..., Broker]
ClientsOf = Callable[[Broker], Clients]

OPERATING = (ROOT / "docs" / "OPERATING.md").read_text("utf-8")
SECTION = OPERATING.partition("\n## Metrics\n")[2].partition("\n## ")[0]
# What Prometheus makes itself, of each target.
ITS_OWN = {"up"}
# A histogram's three.
PARTS = re.compile(r"_(bucket|sum|count)$")


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker, after an evening in which a bit of everything has happened; nobody comes any more."""
    folder = tmp_path_factory.mktemp("busy")
    with Broker(folder / "broker", "--metrics", "0") as broker:
        with Clients(broker.port, folder / "clients", broker.key) as clients:
            clients.register("bob")
            assert clients.run("alice", typed="bob: one\nbob: two\nnobody: three\n").code == 65
            strange = Clients(broker.port, folder / "elsewhere", broker.key)
            assert strange.run("alice", "-m", "hm", RESTANTE_PASSWORD="no").code == 77
            assert clients.fetch("bob").texts == ["one", "two"]
        yield broker


@pytest.fixture
def house(start_broker: StartBroker) -> Broker:
    """A broker with metrics, for a test that does something to it."""
    return start_broker("--metrics", "0")


def place_of(broker: Broker) -> str:
    """Where its metrics are."""
    broker.wait(lambda: "restante: metrics on" in broker.out, "it serves metrics")
    found = re.search(r"^restante: metrics on (http://127\.0\.0\.1:\d+/metrics)$", broker.out, re.MULTILINE)
    assert found
    return found[1]


def scrape(place: str) -> str:
    with urllib.request.urlopen(place, timeout=BOUND_S) as page:
        return str(page.read().decode())


def scraped(place: str) -> Scrapes:
    """Two pages, the second made anew, so that there is a rate of everything."""
    scrapes = Scrapes()
    scrapes.add(0.0, scrape(place))
    before = turns(place)
    until(lambda: turns(place) != before, "another page")
    scrapes.add(1.0, scrape(place))
    return scrapes


def turns(place: str) -> str:
    """What differs from page to page: the time of a processor, and how many turns there were."""
    return "".join(re.findall(r"^restante_(?:cpu|turn_seconds_count).*$", scrape(place), re.MULTILINE))


def values(page: str) -> dict[str, float]:
    """Series and their labels as they stand there, with their values."""
    lines = (line.rpartition(" ") for line in page.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def documented() -> set[str]:
    rows = re.findall(r"^\| (`restante_[^|]+)\|", SECTION, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(restante_\w+)`", row)}


def alarms() -> list[str]:
    return re.findall(r"^\| `([^`]+)` \| \d+[smh] \|", SECTION, re.MULTILINE)


def absent(uses: list[Use], scrapes: Scrapes) -> list[Use]:
    """The mentions of series that the pages do not have."""
    return [use for use in uses if use.name not in ITS_OWN and not with_labels(use, scrapes)]


def with_labels(use: Use, scrapes: Scrapes) -> bool:
    return any(use.labels <= labels for labels in scrapes.last(use.name, scrapes.at[-1]))


def test_the_dashboard_and_the_alarms_ask_for_what_is_there(busy: Broker) -> None:
    scrapes = scraped(place_of(busy))
    targets = [query(target["expr"]) for panel in dashboard() for target in panel["targets"]]
    watched = [Query(alarm) for alarm in alarms()]
    assert len(targets) > 15
    assert len(watched) > 8
    assert absent([use for each in (*targets, *watched) for use in each.uses], scrapes) == []
    plain = [each for each in targets if each.uses[0].name != "restante_commit_seconds_bucket"]
    assert [each.uses for each in plain if not each.at(scrapes, 1.0)] == [], "each says something"


def test_a_query_for_what_is_not_there_is_found(busy: Broker) -> None:
    scrapes = scraped(place_of(busy))
    wrong = ("restante_acepted_total", 'restante_backlog_messages{behind_for="2m"}', "restante_turn_seconds")
    assert all(absent(Query(each).uses, scrapes) for each in wrong)


def test_every_series_is_documented_and_no_other_is(busy: Broker) -> None:
    assert {PARTS.sub("", name) for name in scraped(place_of(busy)).names} == documented()


def test_every_series_is_on_the_dashboard() -> None:
    asked = {use.name for panel in dashboard() for each in panel["targets"] for use in query(each["expr"]).uses}
    assert documented() - {PARTS.sub("", name) for name in asked} == {"restante_broker"}


def test_the_figures_are_true_and_the_same_as_those_of_stats(busy: Broker) -> None:
    page = values(scrape(place_of(busy)))
    (stats,) = map(json.loads, command(busy.folder, "stats", "--json").out.splitlines())
    assert page["restante_accepted_total"] == stats["accepted"] == 3, "two messages, and the receipt for them"
    assert page["restante_delivered_total"] == stats["delivered"] == 2
    assert page['restante_sends_refused_total{code="no-such-account"}'] == 1
    assert page['restante_refusals_total{code="wrong-password"}'] == stats["refusals"]["wrong-password"] == 1
    assert page["restante_commit_seconds_count"] == page['restante_commit_seconds_bucket{le="+Inf"}'] > 3
    assert page["restante_start_time_seconds"] * 1000 == pytest.approx(stats["began_at"])
    assert page["restante_descriptors"] > 10
    assert stats["key"] == busy.key
    assert 10e6 < page["restante_memory_bytes"] < 200e6
    text = command(busy.folder, "stats").out
    assert "since then: 3 accepted, 2 delivered, 0 came again, 1 refused" in text


def test_who_comes_and_goes_is_seen(house: Broker, clients_of: ClientsOf) -> None:
    place = place_of(house)
    bob = clients_of(house).start("bob", "--json", "--follow")
    bob.hear("online")
    until(lambda: values(scrape(place))["restante_sessions"] == 1, "bob is counted")
    assert values(scrape(place))["restante_connections"] == 1
    bob.end(signal.SIGTERM)
    until(lambda: values(scrape(place))["restante_sessions"] == 0, "bob has left")


@pytest.fixture
def dial(house: Broker) -> Iterator[Callable[[], socket.socket]]:
    """Connects to the page's port."""
    port = int(place_of(house).rpartition(":")[2].partition("/")[0])
    with ExitStack() as stack:
        yield lambda: stack.enter_context(socket.create_connection((HOST, port), BOUND_S))


def test_rude_scrapers_hold_up_nobody(house: Broker, dial: Callable[[], socket.socket], clients_of: ClientsOf) -> None:
    """Silent ones, those that never read, and as many requests as fit: a person beside them notices nothing."""
    place = place_of(house)
    clients_of(house).register("bob")
    silent = [dial() for _ in range(3 * PLACES)]
    deaf = dial()
    deaf.sendall(b"GET /metrics HTTP/1.1\r\n\r\n" * 1000)
    alice = clients_of(house).start("alice", "--json")
    alice.hear("online")
    end = time.monotonic() + 1.0
    asked = 0
    while time.monotonic() < end:
        alice.type(f"bob: {asked}\n")
        scrape(place)
        asked += 1
    alice.hear("accepted")
    alice.wait(lambda: sum(each["event"] == "accepted" for each in alice.events) == asked, "all is accepted")
    page = values(scrape(place))
    slow = page["restante_turn_seconds_count"] - page['restante_turn_seconds_bucket{le="1"}']
    assert (slow, len(silent)) == (0, 3 * PLACES)


def refused(begin: Callable[..., Program], folder: Path, *options: str, **env: str) -> tuple[int, str]:
    ended = begin("-a", HOST, "-p", "0", "--data", folder, *options, **env).end()
    return ended.code, ended.err


def test_without_the_package_it_says_so_and_does_not_start(begin: Callable[..., Program], tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    absent = 'raise ModuleNotFoundError("No module named \'prometheus_client\'", name="prometheus_client")\n'
    (hidden / "prometheus_client.py").write_text(absent)
    code, err = refused(begin, tmp_path / "broker", "--metrics", "0", PYTHONPATH=str(hidden))
    assert code == 2
    assert err == (
        "restante: metrics need the package prometheus-client, which is not here; the broker was not started:"
        " install it (docs/OPERATING.md says how), or leave --metrics away\n"
    )


def test_a_port_that_is_taken(busy: Broker, begin: Callable[..., Program], tmp_path: Path) -> None:
    port = place_of(busy).rpartition(":")[2].partition("/")[0]
    code, err = refused(begin, tmp_path / "other", "--metrics", port)
    assert (code, err.count("\n")) == (69, 1)
    assert f"can't serve /metrics on 127.0.0.1 port {port}: Address already in use; nothing was started" in err


@pytest.mark.parametrize("place", ["", "x", ":9777", "10.0.0.5:", "70000"])
def test_a_place_that_is_none(begin: Callable[..., Program], tmp_path: Path, place: str) -> None:
    code, err = refused(begin, tmp_path / "broker", "--metrics", place)
    assert code == 2
    assert repr(place.rpartition(":")[2]) in err or repr(place) in err
