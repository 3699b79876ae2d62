"""What was said before, with real programs: shown again, searched, fetched from the broker, with it and without it."""

from __future__ import annotations

import signal
from collections.abc import Callable

from tests.programs.programs import Broker, Clients, Ended


def again(ended: Ended) -> list[str]:
    """What was shown again, in order."""
    return [event["text"] for event in ended.events if event.get("history")]


def test_words_are_found_with_the_broker_and_without_it(
    start_broker: Callable[..., Broker], clients_of: Callable[[Broker], Clients]
) -> None:
    broker = start_broker()
    clients = clients_of(broker)
    clients.register("bob")
    clients.run("alice", typed="bob: tracking at last\nthe key is под ковриком\nnothing\n")
    clients.fetch("bob")
    assert again(clients.run("bob", "--fetch", "--json", typed="/search КОВР\n")) == ["the key is под ковриком"]
    broker.end(signal.SIGTERM)
    ended = clients.run("bob", "--json", "--wait", "1", typed='/search track\n/search key ковр\n/search %* "\n')
    assert again(ended) == ["tracking at last", "the key is под ковриком"]
    found = [event for event in ended.events if event["event"] == "found"]
    assert [(event["words"], event["messages"]) for event in found] == [("track", 1), ("key ковр", 1), ('%* "', 0)]
    message = next(event for event in ended.events if event.get("text") == "tracking at last")
    assert (message["log"], message["from"], message["to"]) == ("@bob", "alice", "bob")


def test_people_see_day_and_place_of_what_is_found(clients: Clients, alice: str, bob: str) -> None:
    clients.register(bob)
    clients.run(alice, typed=f"{bob}: a Needle-{alice}\na second Needle-{alice}\n")
    clients.fetch(bob)
    ended = clients.run(bob, "--fetch", typed=f"/search needle-{alice}\n")
    for line in (rf"{alice} -> {bob}: a Needle-{alice}", rf"#lobby {alice}: a second Needle-{alice}"):
        assert any(row.startswith("20") and row.endswith(line) for row in ended.out.splitlines()), ended.out


def test_a_new_device_fetches_what_is_older_and_has_it_from_then_on(
    clients: Clients, clients_of: Callable[[Broker], Clients], broker: Broker, alice: str, bob: str
) -> None:
    clients.register(bob)
    texts = [f"line {n}" for n in range(250)]
    clients.run(alice, "--to", bob, typed="".join(f"{text}\n" for text in texts))
    assert clients.fetch(bob).texts[-250:] == texts
    phone = Clients(broker.port, clients.folder.parent / "phone", broker.key)
    with phone:
        ended = phone.run(bob, "--fetch", "--json", typed=f"/history {alice}\n")
        assert again(ended) == texts[-20:]
        ended = phone.run(bob, "--fetch", "--json", "--to", alice, typed="/history 230\n")
        assert again(ended) == texts[-230:]
        assert [event["seq"] for event in ended.events if event.get("history")] == list(range(21, 251))
        ended = phone.run(bob, "--json", "--wait", "1", typed=f"/search 249\n/history {alice}\n")
        assert again(ended)[0] == "line 249"


def test_what_one_has_not_looked_at_is_counted_by_place(clients: Clients, alice: str, bob: str) -> None:
    clients.register(alice, bob)
    reader = clients.start(bob, "--json", "--follow")
    reader.hear("online")
    clients.run(alice, typed=f"{bob}: one\n{bob}: two\nto all\n")
    reader.hear("message", text="to all")
    reader.type("/unread\n")
    assert reader.hear("unread")["places"] == [{"to": alice, "messages": 2}]
    reader.type(f"/to {alice}\n/unread\n")
    assert reader.hear("unread", places=[])
