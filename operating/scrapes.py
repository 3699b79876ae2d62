"""Metrics: what ``stats`` tells, as a page in Prometheus's form, for those who scrape it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

from protocol.errors import Told
from transport.page import PagePort
from transport.poller import Source

PATH = "/metrics"
PACKAGE = "prometheus_client"
# A page serves all who ask within this time: however often somebody asks, it costs the broker little.
PAGE_S = 0.5


Page = Callable[[dict[str, Any]], bytes]


class NoMetrics(Told):
    """Metrics can't be written."""


class Scrapes:
    """Asks for stats, once for all who wait, and hands out the page that ``page`` makes of them, of this ``kind``."""

    def __init__(self, port: PagePort, page: Page, kind: str) -> None:
        self._port = port
        self._make_page = page
        self._kind = kind
        self.place = port.place
        self._waiting: list[socket.socket] = []
        self._page = b""
        self._made_at = 0.0

    @property
    def source(self) -> Source:
        """What to wait on."""
        return self._port.source

    def ask(self) -> bool:
        """Take what has come; whether the core is to be asked for stats, which tell() then wants."""
        self._waiting += self._port.drain()
        if not self._waiting:
            return False
        if self._page and time.monotonic() < self._made_at + PAGE_S:
            self._hand_out()
            return False
        return True

    def tell(self, stats: dict[str, Any]) -> None:
        """The core has answered."""
        self._page, self._made_at = self._make_page(stats), time.monotonic()
        self._hand_out()

    def _hand_out(self) -> None:
        waiting, self._waiting = self._waiting, []
        for line in waiting:
            self._port.answer(line, self._kind, self._page)

    def close(self) -> None:
        """Serve no more."""
        self._port.close()


def open_scrapes(place: tuple[str, int] | None) -> Scrapes | None:
    """Metrics at this address and port; None if there is none. NoMetrics, or NoAddress, if they can't be served."""
    if place is None:
        return None
    try:
        # Imported only here: it needs a package that is installed only where metrics are wanted.
        from operating.exposition import KIND, page
    except ModuleNotFoundError as error:
        if error.name != PACKAGE:
            raise
        raise NoMetrics(
            "metrics need the package prometheus-client, which is not here; the broker was not started:"
            " install it (docs/OPERATING.md says how), or leave --metrics away"
        ) from None
    return Scrapes(PagePort(*place, PATH), page, KIND)
