"""How often something may be done."""

from __future__ import annotations

import pytest

from core.rates import NAMES, Delays, Rates, origin


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("127.0.0.1", ""),
        ("127.9.9.9", ""),
        ("::1", ""),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:9:9:9:9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("somewhere", "somewhere"),
        ("", ""),
    ],
)
def test_by_what_an_address_is_counted(address: str, counted: str) -> None:
    assert origin(address, local_limits=False) == counted


@pytest.mark.parametrize(("address", "counted"), [("127.0.0.1", "127.0.0.1"), ("::1", "::/64")])
def test_this_machine_is_counted_too_if_that_was_asked_for(address: str, counted: str) -> None:
    assert origin(address, local_limits=True) == counted


def test_so_many_at_once_and_then_one_every_so_often() -> None:
    rates = Rates(3, 2.0)
    assert [rates.take("a", 10.0) for _ in range(5)] == [0.0, 0.0, 0.0, 2.0, 2.0]
    assert [rates.take("a", 12.0) for _ in range(2)] == [0.0, 2.0]
    assert rates.take("a", 13.5) == 0.5


def test_after_a_while_all_of_it_is_free_again_and_no_more() -> None:
    rates = Rates(3, 2.0)
    for _ in range(3):
        rates.take("a", 10.0)
    assert [rates.take("a", 1000.0) for _ in range(4)] == [0.0, 0.0, 0.0, 2.0]


def test_names_are_counted_apart_and_looking_does_not_count() -> None:
    rates = Rates(1, 2.0)
    assert [rates.wait("a", 0.0) for _ in range(9)] == [0.0] * 9
    rates.take("a", 0.0)
    assert (rates.wait("a", 0.0), rates.wait("b", 0.0)) == (2.0, 0.0)


def test_a_table_of_rates_is_bounded_and_forgets_what_was_not_used_for_longest() -> None:
    rates = Rates(1, 1e9)
    for n in range(NAMES + 1):
        rates.take(str(n), 0.0)
    assert rates.wait("0", 0.0) == 0.0
    assert rates.wait("1", 0.0) > 0
    assert rates.wait(str(NAMES), 0.0) > 0


def test_each_failure_doubles_the_delay_up_to_a_bound() -> None:
    delays = Delays(1.0, 60.0)
    waits = []
    for _ in range(9):
        delays.failed("a", 0.0)
        waits.append(delays.wait("a", 0.0))
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]
    assert (delays.wait("a", 59.0), delays.wait("a", 61.0), delays.wait("b", 0.0)) == (1.0, 0.0, 0.0)


def test_a_success_clears_it() -> None:
    delays = Delays(1.0, 60.0)
    delays.failed("a", 0.0)
    delays.failed("a", 0.0)
    delays.cleared("a")
    assert (delays.wait("a", 0.0), delays.known("a")) == (0.0, False)
    delays.failed("a", 0.0)
    assert delays.wait("a", 0.0) == 1.0


def test_a_failure_of_long_ago_does_not_count() -> None:
    delays = Delays(1.0, 60.0)
    for _ in range(5):
        delays.failed("a", 0.0)
    delays.failed("a", 16.0 + 60.0 + 1.0)
    assert delays.wait("a", 77.0) == 1.0


def test_a_delay_may_be_asked_to_be_longer_and_is_bounded_after_any_number_of_failures() -> None:
    delays = Delays(1.0, 60.0)
    delays.failed("a", 0.0, 5.0)
    assert delays.wait("a", 0.0) == 5.0
    for _ in range(5000):
        delays.failed("a", 0.0)
    assert delays.wait("a", 0.0) == 60.0
