"""What the tests with real programs share: a broker for each file, and clients for each test."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs.programs import Broker, Clients

_count = itertools.count(1)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker for tests that leave it as it was. It must not have complained, and must end well."""
    with Broker(tmp_path_factory.mktemp("broker")) as broker:
        yield broker
        ended = broker.end(signal.SIGTERM)
        assert (ended.code, ended.err) == (0, "")
        assert "Traceback" not in broker.log


@pytest.fixture
def clients(broker: Broker, tmp_path: Path) -> Iterator[Clients]:
    """Clients of that broker."""
    clients = Clients(broker.port, tmp_path / "clients")
    yield clients
    clients.close()


@pytest.fixture
def alice() -> str:
    """A name that no other test has used."""
    return f"alice{next(_count)}"


@pytest.fixture
def bob() -> str:
    """Another one."""
    return f"bob{next(_count)}"
