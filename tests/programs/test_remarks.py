"""Edits, deletions, reactions and receipts, with real programs, and what is left on the broker's disk."""

from __future__ import annotations

import signal
from collections.abc import Callable

from tests.programs.programs import Broker, Clients


def test_what_was_changed_and_taken_back_is_so_for_all_and_withheld_from_who_comes_later(
    start_broker: Callable[..., Broker], clients_of: Callable[[Broker], Clients]
) -> None:
    broker = start_broker()
    clients = clients_of(broker)
    clients.register("bob")
    alice = clients.start("alice", "--json", "--follow", "--to", "bob")
    alice.type("first-draft\nsecond-draft\n/edit 2 first\n/delete\n")
    alice.hear("deleted")
    bob = clients.start("bob", "--json", "--follow", "--to", "alice")
    assert bob.hear("edited")["text"] == "first"
    assert [event["text"] for event in bob.events if event["event"] == "message"] == [None, None]
    bob.type("/react 👍\n/history\n")
    assert alice.hear("reacted", sign="👍")["id"] == alice.hear("edited")["id"]
    edited, deleted = bob.hear("message", edited=True), bob.hear("message", deleted=True)
    assert (edited["text"], deleted["text"]) == ("first", None)
    assert alice.hear("read")["by"] == "bob"
    for each in (alice, bob):
        assert each.end(signal.SIGTERM).code == 0
    broker.end(signal.SIGTERM)
    stored = b"".join(path.read_bytes() for path in broker.folder.glob("*.sqlite*"))
    assert (b"-draft" in stored, b"first" in stored) == (False, True)


def test_a_receipt_waits_for_its_author_and_the_history_shows_it(clients: Clients, alice: str, bob: str) -> None:
    clients.register(bob)
    clients.run(alice, "--to", bob, typed="psst\n")
    assert clients.fetch(bob).texts[-1:] == ["psst"]
    clients.fetch(alice)
    ended = clients.run(alice, "--fetch", "--to", bob, typed="/history\n")
    assert f"{alice} -> {bob}: psst (read)" in ended.out


def test_who_does_not_tell_is_asked_once_and_remembered(clients: Clients, alice: str, bob: str) -> None:
    clients.register(bob)
    clients.run(bob, "--json", typed="/receipts off\n")
    clients.run(alice, "--to", bob, typed="psst\n")
    clients.fetch(bob)
    clients.fetch(alice)
    ended = clients.run(alice, "--fetch", "--to", bob, typed="/history\n")
    assert f"{alice} -> {bob}: psst (delivered)" in ended.out
