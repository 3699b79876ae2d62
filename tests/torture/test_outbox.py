"""What was typed is in the outbox, and comes out of it once: whoever dies, forgets everything, or is copied."""

from __future__ import annotations

import shutil
import signal

import pytest

from tests.torture.checker import LOBBY, faults
from tests.torture.evidence import Book, journal_book, read
from tests.torture.stage import Broker, Device, Stage

pytestmark = pytest.mark.timeout(900)  # for machines that are slow: each wait has a bound of its own

LINES = 30


def journal(device: Device) -> Book:
    """The one journal in this device's folder."""
    (path,) = device.home.glob("**/journal.sqlite")
    return journal_book(path, device.name)


def type_lines(device: Device, to: str, count: int = LINES) -> list[str]:
    texts = [device.type(to) for _ in range(count)]
    assert all(texts)
    return texts


def keep(device: Device, texts: list[str]) -> None:
    """Wait until these are in the outbox."""
    device.wait(lambda: journal(device).waiting[-len(texts) :] == texts, "has put what was typed into the outbox")


def forget_everything(broker: Broker) -> None:
    """A broker's store is lost. Its key is not: with another one no client would speak to it."""
    for path in broker.folder.iterdir():
        if path.name != "broker.key":
            path.unlink()


def test_a_killed_client_sends_its_outbox_once_when_it_is_back(stage: Stage) -> None:
    alice, bob = stage.device("alice-1"), stage.device("bob-1")
    alice.come()
    bob.come()
    stage.broker.kill()
    texts = type_lines(alice, "bob")
    keep(alice, texts)
    alice.kill()
    stage.broker.start()
    alice.start()
    alice.wait_for(*texts)
    bob.wait_for(*texts)
    assert [each.stop() for each in (alice, bob, stage.broker)] == [0, 0, 0]
    assert faults(read(stage.folder)) == []


def test_lines_before_while_and_after_the_broker_is_dead_arrive_in_order(stage: Stage) -> None:
    alice, bob = stage.device("alice-1"), stage.device("bob-1")
    alice.come()
    bob.come()
    texts = type_lines(alice, "bob")
    stage.broker.kill()
    texts += type_lines(alice, "bob")
    stage.broker.start()
    texts += type_lines(alice, "bob")
    bob.wait_for(*texts)
    assert bob.texts() == texts
    alice.wait_for(*texts)
    assert [each.stop() for each in (alice, bob, stage.broker)] == [0, 0, 0]
    assert faults(read(stage.folder)) == []


def test_two_clients_in_one_folder_are_two_devices_and_lose_nothing(stage: Stage) -> None:
    bob = stage.device("bob-1")
    pair = [stage.device(f"alice-{number}", home="alice") for number in (1, 2)]
    for each in (bob, *pair):
        each.come()
    stage.broker.kill()
    texts = [type_lines(each, "bob") for each in pair]
    outboxes = list(pair[0].home.glob("**/journal.sqlite"))
    pair[0].wait(
        lambda: sorted(journal_book(path, "alice").waiting for path in outboxes) == texts, "and the other keep all"
    )
    for each in pair:
        each.kill()
    stage.broker.start()
    for each in pair:
        each.start()
    bob.wait_for(*texts[0], *texts[1])
    for said in texts:
        assert [text for text in bob.texts() if text in said] == said
    assert len({event["device"] for each in pair for event in each.events("online")}) == len(pair)


def test_a_new_store_under_the_same_address_gets_what_was_not_accepted(stage: Stage) -> None:
    alice, bob = stage.device("alice-1"), stage.device("bob-1")
    alice.come()
    bob.come()
    before = type_lines(alice, LOBBY)
    alice.wait_for(*before)
    bob.wait_for(*before)
    stage.broker.kill()
    forget_everything(stage.broker)
    kept = type_lines(alice, LOBBY)
    keep(alice, kept)
    stage.broker.start()
    alice.wait_for(*kept)
    after = type_lines(alice, LOBBY)
    alice.wait_for(*after)
    assert alice.texts() == [*before, *kept, *after]
    first, *_, last = [event["device"] for event in alice.events("online")]
    assert first != last
    # The account that was made meanwhile has the same password: who comes anew is let in.
    alice.kill()
    alice.come()


def test_a_copied_journal_becomes_a_device_of_its_own(stage: Stage) -> None:
    """Both have said the same number of things since the copy was made; else the numbers alone would tell."""
    bob, alice = stage.device("bob-1"), stage.device("alice-1")
    bob.come()
    alice.come()
    texts = type_lines(alice, "bob", 3)
    alice.wait_for(*texts)
    assert alice.stop() == 0
    copy = stage.device("alice-2")
    shutil.copytree(alice.home, copy.home)
    for each in (alice, copy):
        each.start()
        said = type_lines(each, "bob", 2)  # before it could hear from the broker what the other one has said
        each.wait_for(*said)
        texts += said
        assert each.stop() == 0
    bob.wait_for(*texts)
    assert bob.texts() == texts
    first, second = (each.events("online")[-1]["device"] for each in (alice, copy))
    assert first != second


def test_what_was_on_its_way_when_the_folder_was_copied_arrives_once(stage: Stage) -> None:
    bob, alice = stage.device("bob-1"), stage.device("alice-1")
    bob.come()
    alice.come()
    stage.broker.signal(signal.SIGSTOP)
    texts = type_lines(alice, "bob", 3)
    keep(alice, texts)
    alice.kill()
    copy = stage.device("alice-2")
    shutil.copytree(alice.home, copy.home)
    stage.broker.signal(signal.SIGCONT)
    for each in (alice, copy):
        each.start()
        texts += type_lines(each, "bob", 2)
        each.wait_for(texts[-1])
        assert each.stop() == 0
    bob.wait_for(*texts)
    assert bob.texts() == texts
