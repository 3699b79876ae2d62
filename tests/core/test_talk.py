from __future__ import annotations

from core import shown
from tests.core.world import World


def test_what_is_said_in_the_lobby_reaches_everyone_once_and_its_author_too():
    world = World()
    alice, bob = world.come("alice"), world.come("bob")
    alice.types("good evening")
    assert alice.lines() == bob.lines() == ["alice>#lobby good evening"]
    assert [sent.id for sent in alice.seen(shown.Sent)] == [f"{alice.notebook.device}:1"]


def test_a_private_message_waits_for_whoever_is_away():
    world = World()
    alice, bob, carol = world.come("alice"), world.come("bob"), world.come("carol")
    bob.kill()
    alice.types("psst", to="Bob")
    bob = world.come("bob", notebook=bob.notebook)
    assert bob.lines() == ["alice>bob psst"]
    assert bob.seen(shown.Online)[0].waiting == 1
    assert alice.lines() == ["alice>bob psst"]
    assert carol.lines() == []
