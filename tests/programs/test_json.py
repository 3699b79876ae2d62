"""--json: each event has exactly the fields that the contract names."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable

from tests.programs.programs import HOST, Broker, Clients, Event

AT = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
DEVICE = re.compile(r"[a-z2-7]{16}")


def without(event: Event, *fields: str) -> Event:
    """An event without those fields that differ in each run."""
    return {name: value for name, value in event.items() if name not in fields}


def test_online(broker: Broker, clients: Clients, alice: str, bob: str) -> None:
    clients.register(bob)
    clients.run(alice, typed=f"one\n{bob}: two\n")
    for name, waiting, registered in ((bob, 2, False), (f"{alice}x", 0, True)):
        online = clients.fetch(name).events[0]
        assert DEVICE.fullmatch(online["device"])
        assert without(online, "device", "key") == {
            "event": "online",
            "account": name,
            "broker": f"tcp://{HOST}:{broker.port}",
            "waiting": waiting,
            "registered": registered,
        }
        assert isinstance(online["key"], str)


def test_message_and_accepted(clients: Clients, alice: str, bob: str) -> None:
    clients.register(bob)
    talk = clients.start(alice, "--json", "--follow")
    device = talk.hear("online")["device"]
    talk.type(f"hello \x1b[31m«é» 🎉\n{bob}: psst\n")
    private = talk.hear("message", text="psst")
    public = talk.hear("message", log="#lobby")
    assert talk.hear("accepted") == {"event": "accepted", "id": f"{device}:1"}
    assert talk.hear("accepted", id=f"{device}:2") == {"event": "accepted", "id": f"{device}:2"}
    order = [(event["event"], event["id"]) for event in talk.events if event["event"] in ("accepted", "message")]
    for n in (1, 2):
        assert order.index(("accepted", f"{device}:{n}")) < order.index(("message", f"{device}:{n}"))
    assert AT.fullmatch(public["at"])
    assert without(public, "at", "seq") == {
        "event": "message",
        "log": "#lobby",
        "id": f"{device}:1",
        "from": alice,
        "to": "#lobby",
        "text": "hello \x1b[31m«é» 🎉",
        "waited": False,
    }
    assert without(private, "at") == {
        "event": "message",
        "log": f"@{alice}",
        "seq": 1,
        "id": f"{device}:2",
        "from": alice,
        "to": bob,
        "text": "psst",
        "waited": False,
    }
    ended = talk.end(signal.SIGTERM)
    assert ended.out.isascii()
    assert "\x1b" not in ended.out
    arrived = [event for event in clients.fetch(bob).events if event["event"] == "message"]
    assert {(event["log"], event["waited"]) for event in arrived} == {("#lobby", True), (f"@{bob}", True)}


def test_who_contacts_joined_and_left(clients: Clients, alice: str, bob: str) -> None:
    watch = clients.start(alice, "--json", "--follow")
    watch.hear("online")
    assert alice in watch.hear("who")["accounts"]
    guest = clients.start(bob, "--json")
    assert watch.hear("joined", account=bob) == {"event": "joined", "account": bob, "room": "#lobby"}
    guest.end(signal.SIGTERM)
    assert watch.hear("left", account=bob) == {"event": "left", "account": bob, "room": "#lobby"}
    watch.type(f"/add {bob}\n")
    added = watch.hear("contacts", contacts=[bob])
    assert set(added) == {"event", "contacts", "possible"}
    assert not {alice, bob} & set(added["possible"])
    watch.type("/who\n")
    assert watch.hear("who", accounts=[alice]) == {"event": "who", "accounts": [alice]}
    assert watch.end(signal.SIGTERM).err == ""


def test_refused(clients: Clients, alice: str) -> None:
    ended = clients.run(alice, "--json", typed="/shrug\nfine\nnobody-here: hi\n")
    assert ended.code == 65
    refusals = [event for event in ended.events if event["event"] == "refused"]
    assert [without(event, "text") for event in refusals] == [
        {"event": "refused", "code": "unknown-command", "line": 1},
        {"event": "refused", "code": "no-such-account", "line": 3},
    ]
    assert all(event["text"] in ended.err for event in refusals)


def test_bye_and_offline(
    start_broker: Callable[..., Broker], clients_of: Callable[[Broker], Clients], alice: str
) -> None:
    broker = start_broker()
    clients = clients_of(broker)
    clients.register(alice)
    assert clients.run(alice, "wrong", "--json").events == [{"event": "bye", "reason": "wrong-password"}]
    watch = clients.start(alice, "--json", "--follow")
    watch.hear("online")
    broker.end(signal.SIGTERM)
    offline = watch.hear("offline")
    assert set(offline) == {"event", "retry_in"}
    assert 0 < offline["retry_in"] < 1
    broker = start_broker(port=broker.port)
    watch.wait(lambda: [event["event"] for event in watch.events].count("online") == 2, "online again")
    assert watch.end(signal.SIGTERM).code == 0


def test_a_line_comes_as_soon_as_something_happens(clients: Clients, alice: str) -> None:
    """Each is flushed: a bot that reads line by line is never kept waiting for the next one."""
    talk = clients.start(alice, "--json", "--follow")
    for number in range(20):
        talk.type(f"{number}\n")
        talk.hear("message", text=str(number))
        assert talk.out.endswith("\n")
    assert talk.end(signal.SIGTERM).code == 0
