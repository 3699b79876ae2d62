"""The dashboard's picture: ``python -m benchmarks.watched docs``.

A real broker with metrics, scraped once a second while eight people write to eight others: calmly, in a hurry, with
lines that are cut, with one who stops reading; then it is stopped, and comes back. What is drawn is what the
dashboard's own queries (install/grafana/restante.json) say of the pages, evaluated by benchmarks/queries.py.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import seed
from benchmarks.load import Crowd, Member
from benchmarks.pace import Paced
from benchmarks.queries import Labels, Query, Scrapes, evaluated
from benchmarks.running import ROOT, Running, end
from benchmarks.traces import Panel, sheet

DASHBOARD = ROOT / "install" / "grafana" / "restante.json"
PICTURE = "dashboard.svg"
PEOPLE, SIZE_BYTES = 8, 200
# What Grafana puts for $__rate_interval; it would take four scrapes.
WINDOW = "4s"
AWAY_S = 7.0
# One line is cut each time that so many messages were sent, when what went over it has come, and the answer has not.
CUT_EACH, ON_ITS_WAY_S = 25, 0.002
REMARK = (
    "Grey: the broker was stopped. Before that 200 messages a second, 4,000, 500 with lines that are cut,"
    " 300 with a reader who sleeps."
)
_DEADLINE_S = 5.0
_SCRAPE_S = 1.0


class Broker:
    """A broker that is started again in the same place."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = ["0", "0"]

    @contextmanager
    def running(self) -> Iterator[tuple[Running, str]]:
        """It, and where its metrics are, until the end of the block."""
        port, metrics = self._ports
        options = ["-a", "127.0.0.1", "-p", port, "--data", str(self._folder), "--metrics", metrics, "--lang", "en"]
        began = time.perf_counter()
        command = [sys.executable, str(ROOT / "broker.py"), *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        try:
            assert process.stdout
            listening = re.search(r":(\d+), key (\w+)", process.stdout.readline())
            page = re.search(r"http://\S+:(\d+)/\S+", process.stdout.readline())
            assert listening and page, "the broker did not start"
            self._ports = [listening[1], page[1]]
            threading.Thread(target=process.stdout.read, daemon=True).start()
            yield Running(process.pid, int(listening[1]), listening[2], time.perf_counter() - began), page[0]
        finally:
            end(process)


class Watch:
    """Scrapes once a second, in a thread of its own, as Prometheus would."""

    def __init__(self, place: str) -> None:
        self.scrapes = Scrapes()
        self._place = place
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._end.wait(_SCRAPE_S - time.time() % _SCRAPE_S):
            at = time.time()
            try:
                with urllib.request.urlopen(self._place, timeout=_DEADLINE_S) as page:
                    self.scrapes.add(at, page.read().decode())
            except (urllib.error.URLError, OSError):
                self.scrapes.add(at, "")

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()


class Talk(NamedTuple):
    """Who writes, to whom."""

    crowd: Crowd
    paced: Paced
    senders: list[Member]
    readers: list[str]

    def go_on(self, rate: int, seconds: float, cuts: bool = False, also: str = "") -> None:
        """So many messages a second; one in a hundred to nobody, and every fourth to ``also`` if there is one."""
        began = time.perf_counter()
        for number in range(int(rate * seconds)):
            due = began + number / rate
            if due > time.perf_counter():
                self.paced.listen(due)
            place = number % len(self.senders)
            to = "nobody" if number % 100 == 99 else also if also and number % 4 == 0 else self.readers[place]
            self.paced.post(self.senders[place], to, due)
            if cuts and number % CUT_EACH == 0 and not self.paced.is_away(self.senders[place]):
                time.sleep(ON_ITS_WAY_S)
                self.senders[place] = self.paced.again(self.senders[place])
        self.paced.finish(0)


def play(folder: Path, stack: ExitStack) -> tuple[Scrapes, tuple[float, float]]:
    """The run: its pages, and when the broker was away."""
    senders, readers, idler = seed.people("sender", PEOPLE), seed.people("reader", PEOPLE), "idler"
    seed.settle(folder, seed.Town([*senders, *readers, idler]))
    broker = Broker(folder)
    with broker.running() as (running, place):
        watch = stack.enter_context(Watch(place))
        with Crowd(running) as crowd, Crowd(running) as deaf:
            talk = _talk(crowd, senders, readers)
            talk.go_on(200, 12)
            talk.go_on(4000, 12)
            talk.go_on(500, 10, cuts=True)
            deaf.enter([seed.device(idler)], True)
            talk.go_on(300, 14, also=idler)
    left = time.time()
    time.sleep(AWAY_S)  # nobody is there: that is to be seen
    with broker.running() as (running, _), Crowd(running) as crowd:
        back = time.time()
        talk = _talk(crowd, senders, readers)
        talk.go_on(200, 8)
        talk.go_on(4000, 8)
        stack.close()
    return watch.scrapes, (left, back)


def _talk(crowd: Crowd, senders: Sequence[str], readers: Sequence[str]) -> Talk:
    members = crowd.enter(map(seed.device, senders), False)
    crowd.enter(map(seed.device, readers), True)
    return Talk(crowd, Paced(crowd, SIZE_BYTES), members, list(readers))


# ---- what the dashboard says of it ---------------------------------------------------------------------


def dashboard() -> list[dict[str, Any]]:
    """The panels of the dashboard."""
    panels: list[dict[str, Any]] = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return panels


def query(expression: str) -> Query:
    """A query of the dashboard."""
    return Query(expression.replace("$__rate_interval", WINDOW))


def drawn(panel: dict[str, Any], scrapes: Scrapes) -> Panel:
    """One panel, with a line for each set of labels that has ever been more than nothing."""
    lines = []
    for target in panel["targets"]:
        for labels, points in evaluated(query(target["expr"]), scrapes, scrapes.at).items():
            if not labels or any(value for _, value in points):
                lines.append((_called(target["legendFormat"], labels), points))
    return Panel(panel["title"], panel["fieldConfig"]["defaults"]["unit"], lines)


def _called(form: str, labels: Labels) -> str:
    for name, value in labels:
        form = form.replace("{{" + name + "}}", value)
    return form


def main(folder: str) -> None:
    """Play, and draw."""
    with tempfile.TemporaryDirectory(prefix="restante-watched-") as data, ExitStack() as stack:
        scrapes, away = play(Path(data), stack)
    panels = [drawn(panel, scrapes) for panel in dashboard()]
    title = "The dashboard, as it was while a broker was calm, busy, stopped and started again"
    picture = sheet(panels, (scrapes.at[0], scrapes.at[-1]), away, title, REMARK)
    Path(folder, PICTURE).write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
