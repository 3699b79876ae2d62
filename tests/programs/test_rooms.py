"""Rooms, with real programs: made, joined, private, left, listed; people in them; and who may do what."""

from __future__ import annotations

import signal

from tests.programs.programs import Clients, Program


def online(clients: Clients, name: str) -> Program:
    """Somebody who is there, reads everything as JSON, and types."""
    client = clients.start(name, "--json", "--follow")
    client.hear("online")
    return client


def test_a_room_from_its_making_to_its_topic(clients: Clients, alice: str, bob: str) -> None:
    maker, guest = online(clients, alice), online(clients, bob)
    room = f"#Club-{alice}"
    maker.type(f"/join {room}\nhello, whoever comes\n")
    assert maker.hear("joined", account=alice, room=room) == {"event": "joined", "account": alice, "room": room}
    maker.hear("place", to=room)
    assert maker.hear("message", text="hello, whoever comes")["to"] == room, "nothing goes to the lobby by mistake"
    guest.type(f"/join {room.lower()}\n/me waves\n")
    maker.hear("joined", account=bob, room=room)
    said = maker.hear("message", text="/me waves")
    assert (said["from"], said["action"]) == (bob, True)
    guest.type("/topic roses, and what eats them\n")
    assert maker.hear("topic", room=room)["by"] == bob
    maker.type("/names\n/rooms\n")
    assert maker.hear("members", room=room)["here"] == sorted([alice, bob])
    listed = {each["room"]: each for each in maker.hear("rooms")["rooms"]}[room]
    assert (listed["members"], listed["topic"], listed["inside"]) == (2, "roses, and what eats them", True)
    guest.type(f"/leave\n/whois {alice}\n")
    maker.hear("left", account=bob, room=room)
    guest.hear("place", to="#lobby")
    profile = guest.hear("account", account=alice)
    assert (profile["here"], profile["rooms"]) == (True, ["#lobby"])


def test_a_private_room_and_its_owner(clients: Clients, alice: str, bob: str) -> None:
    owner, guest = online(clients, alice), online(clients, bob)
    room = f"#secret-{alice}"
    owner.type(f"/join {room} private\n")
    owner.hear("joined", room=room)
    guest.type(f"/join {room}\n")
    guest.hear("refused", code="not-invited")
    owner.type(f"/invite {bob}\n")
    assert guest.hear("invited", room=room)["by"] == alice
    guest.type(f"/join {room}\ncosy in here\n")
    owner.hear("message", text="cosy in here")
    owner.type(f"/ban {bob}\n")
    assert guest.hear("left", account=bob, room=room)["banned"] is True
    guest.type("am I still there?\n")
    assert guest.hear("refused", code="not-a-member")
    guest.type(f"/join {room}\n")
    guest.hear("refused", code="banned")
    guest.type(f"/history {room}\n")
    assert guest.hear("message", text="cosy in here", history=True)["to"] == room
    owner.type(f"/unban {bob}\n/names\n")
    owner.hear("unbanned", account=bob)
    assert owner.hear("members", room=room)["here"] == [alice]


def test_an_invitation_waits_for_who_is_away(clients: Clients, alice: str, bob: str) -> None:
    clients.register(bob)
    room = f"#waiting-{alice}"
    clients.run(alice, "--json", typed=f"/join {room} private\n/invite {bob}\n")
    assert online(clients, bob).hear("invited", room=room)["by"] == alice


def test_a_pipe_may_join_and_speak_in_one_go(clients: Clients, alice: str) -> None:
    room = f"#pipe-{alice}"
    ended = clients.run(alice, "--json", typed=f"/join {room}\none\ntwo\n/leave\nthree\n")
    assert ended.code == 0
    ended = clients.run(alice, "--json", "--wait", "5", typed=f"/history {room}\n/history 1\n")
    shown = [(event["to"], event["text"]) for event in ended.events if event.get("history")]
    assert shown[:2] == [(room, "one"), (room, "two")]


def test_who_is_ignored_is_not_shown_and_not_lost(clients: Clients, alice: str, bob: str) -> None:
    clients.register(alice)
    reader = online(clients, bob)
    reader.type(f"/ignore {alice}\n")
    reader.hear("ignored", accounts=[alice])
    clients.run(alice, "-m", f"{bob}: spam")
    clients.run(f"{alice}x", "-m", f"{bob}: no spam")
    reader.hear("message", text="no spam")
    assert reader.end(signal.SIGTERM).texts == ["no spam"]
    clients.run(alice, "-m", f"{bob}: more spam")
    assert clients.fetch(bob).texts == []
    ended = clients.run(bob, "--fetch", "--json", typed=f"/unignore {alice}\n/history {alice}\n")
    assert [event["text"] for event in ended.events if event.get("history")] == ["spam", "more spam"]
    assert len(ended.texts) == 2, "none of them is shown as new"
