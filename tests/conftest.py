"""What all tests share: one seed for everything that is random."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, settings

# A slow machine is no bug, so there are no deadlines; and no database of failures, for the seed repeats them.
settings.register_profile(
    "restante", database=None, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("restante")


def pytest_addoption(parser: pytest.Parser) -> None:
    drawn = random.SystemRandom().randrange(2**32)
    parser.addoption("--seed", type=int, default=drawn, help="repeat the random tests of an earlier run")
    parser.addoption("--every-python", action="store_true", help="install under every supported Python that is here")


@pytest.hookimpl(tryfirst=True)  # before hypothesis reads its own option
def pytest_configure(config: pytest.Config) -> None:
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = str(config.option.seed)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if terminalreporter.stats.get("failed"):
        terminalreporter.write_line(f"random tests repeat with --seed {config.option.seed}")


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """This run's seed."""
    return int(request.config.option.seed)
