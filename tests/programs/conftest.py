"""What the tests with real programs share: a broker for each file, and clients for each test."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.programs.programs import Broker, Clients, Program
from tests.programs.upkeep_commands import fill, stop

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
def start_broker(tmp_path: Path) -> Iterator[Callable[..., Broker]]:
    """Starts brokers, one after the other, in one folder that is this test's own."""
    with ExitStack() as stack:
        yield lambda *options, port=0: stack.enter_context(Broker(tmp_path / "broker", *options, port=port))


@pytest.fixture
def filled(start_broker: Callable[..., Broker]) -> Broker:
    """A broker whose store is large."""
    broker = start_broker()
    stop(broker)
    fill(broker.folder)
    return start_broker()


@pytest.fixture
def begin() -> Iterator[Callable[..., Program]]:
    """Begins an operator's commands, and sees to it that none stays."""
    with ExitStack() as stack:
        yield lambda *options, **more: stack.enter_context(Program("broker", *options, **more))


@pytest.fixture
def clients_of(tmp_path: Path) -> Iterator[Callable[[Broker], Clients]]:
    """Clients of a broker, with folders that are this test's own."""
    with ExitStack() as stack:
        yield lambda broker: stack.enter_context(Clients(broker.port, tmp_path / "clients", broker.key))


@pytest.fixture
def clients(broker: Broker, clients_of: Callable[[Broker], Clients]) -> Clients:
    """Clients of the broker that all tests of a file share."""
    return clients_of(broker)


@pytest.fixture(scope="module")
def reader(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Somebody of this name who is always there, reads everything as JSON, and says what a test types."""
    with Clients(broker.port, tmp_path_factory.mktemp("reader"), broker.key) as clients:
        reader = clients.start("reader", "--json", "--follow")
        reader.hear("online")
        yield reader
        assert reader.end(signal.SIGTERM).err == ""


@pytest.fixture
def alice() -> str:
    """A name that no other test has used."""
    return f"alice{next(_count)}"


@pytest.fixture
def bob() -> str:
    """Another one."""
    return f"bob{next(_count)}"
