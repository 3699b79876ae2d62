"""Edits, deletions, reactions and receipts, between real cores."""

from __future__ import annotations

import pytest

from core import shown, typed
from core.marks import Marks
from protocol import frames, limits, remarks
from protocol.frames import Envelope, Item, decode_envelope, encode
from protocol.remarks import Delete, Edit, React
from tests.core.actor import Actor
from tests.core.world import World


@pytest.fixture
def world() -> World:
    return World()


def looks_back(actor: Actor, place: str = "") -> list[tuple[str, Marks]]:
    """What a history shows: each message as it stands, and what is behind it."""
    actor.shown.clear()
    actor.does(typed.AskedHistory(count=20, place=place))
    runs = [each for each in actor.seen(shown.Messages) if each.mine]
    return [
        (said.body.decode() if said.enc == "none" else said.enc, run.marks.get((said.device, said.n), Marks()))
        for run in runs
        for said in run.envelopes
    ]


def kinds(actor: Actor) -> list[str]:
    """What was shown as it came, by its encoding."""
    return [envelope.enc for envelope in actor.envelopes()]


def refusals(actor: Actor) -> list[str]:
    return [refused.code for refused in actor.seen(shown.Refused)]


def stored(world: World, log: str) -> list[Envelope]:
    return [decode_envelope(packed) for packed in world.store.read(log, 0, 100, 10**6).envelopes]


def test_an_edit_is_seen_live_and_in_every_history(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    alice.types("helo")
    alice.does(typed.Edited(text="hello"))
    assert kinds(alice) == kinds(bob) == ["none", "edit"]
    assert looks_back(alice) == looks_back(bob) == [("hello", Marks(edited=True))]


def test_who_comes_later_does_not_get_the_former_texts(world: World) -> None:
    alice = world.come("alice")
    bob = world.come("bob")
    bob.kill()
    alice.types("one")
    alice.does(typed.Edited(text="two"))
    alice.does(typed.Edited(text="three"))
    assert [each.enc for each in stored(world, "#lobby")] == ["gone", "void", "edit"]
    bob = world.come("bob", notebook=bob.notebook)
    assert kinds(bob) == ["gone", "edit"]
    assert looks_back(bob) == [("three", Marks(edited=True))]


def test_what_is_taken_back_is_gone_everywhere_and_no_edit_brings_it_back(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    alice.types("one")
    first = world.store.read("#lobby", 0, 1, 10**6).envelopes[0]
    alice.does(typed.Edited(text="two"))
    alice.does(typed.Deleted())
    alice.inbox += []
    late = Edit(decode_envelope(first).device, 1, [1], "three")
    alice._perform(alice.core.posting.keep(Item("#lobby", "edit", encode(late)), typed.Typed(), online=True))
    world.run()
    assert looks_back(alice) == looks_back(bob) == [("gone", Marks(edited=True, deleted=True))]
    assert [each.enc for each in stored(world, "#lobby")][:3] == ["gone", "void", "delete"]


def test_a_private_message_is_withheld_from_both_mailboxes(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    alice.does(typed.Chose(to="bob"))
    alice.types("psst")
    alice.does(typed.Deleted())
    assert [each.enc for each in stored(world, "@alice")] == ["gone", "delete"]
    assert [each.enc for each in stored(world, "@bob")] == ["gone", "delete"]
    assert looks_back(bob, "alice")[0][0] == "gone"


def test_the_nth_last_is_counted_among_ones_own_in_its_conversation(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    alice.types("elsewhere", to="bob")
    for who, text in ((alice, "a1"), (bob, "b1"), (alice, "a2"), (bob, "b2")):
        who.types(text)
    alice.does(typed.Edited(text="A1", back=2), typed.Reacted(sign="+1", back=2))
    assert [text for text, _ in looks_back(bob)] == ["A1", "b1", "a2", "b2"]
    assert looks_back(bob)[1][1].reactions == {"+1": ["alice"]}


def test_what_is_meant_was_said_where_somebody_spoke_last_and_not_where_one_is(world: World) -> None:
    """Or a correction of what was for one person would go to everybody."""
    alice, bob = world.come("alice"), world.come("bob")
    alice.types("to all")
    alice.types("for bob", to="bob")
    bob.types("to you", to="alice")
    alice.does(typed.Edited(text="for you"), typed.Reacted(sign="+1"))
    assert [text for text, _ in looks_back(bob)] == ["to all"]
    assert looks_back(bob, "alice") == [("for you", Marks(edited=True)), ("to you", Marks(reactions={"+1": ["alice"]}))]
    alice.does(typed.Chose(to="#lobby"), typed.Edited(text="to everybody"))
    assert [text for text, _ in looks_back(bob)] == ["to everybody"]


def test_the_same_sign_once_more_takes_it_away(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    alice.types("hi")
    bob.does(typed.Reacted(sign="+1"))
    assert looks_back(alice)[0][1].reactions == {"+1": ["bob"]}
    bob.does(typed.Reacted(sign="+1"))
    assert looks_back(alice)[0][1].reactions == {}


@pytest.mark.parametrize("change", [Edit, Delete])
def test_nobody_changes_what_another_has_said(world: World, change: type[Edit] | type[Delete]) -> None:
    alice, mallory = world.come("alice"), world.come("mallory")
    alice.types("mine")
    device = alice.notebook.device
    lie = Edit(device, 1, [1], "yours") if change is Edit else Delete(device, 1, [1])
    item = Item("#lobby", remarks.enc(lie), encode(lie))
    mallory._perform(mallory.core.posting.keep(item, typed.Typed(), online=True))
    world.run()
    assert kinds(alice) == ["none"]
    assert looks_back(alice) == [("mine", Marks())]
    assert stored(world, "#lobby")[0].body == b"mine"


def test_what_can_not_be_read_is_refused_and_uses_up_its_number(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    for item in (Item("#lobby", "edit", b"nonsense"), Item("#lobby", "receipt", encode(remarks.Receipt({}, {})))):
        alice._perform(alice.core.posting.keep(item, typed.Typed(), online=True))
    world.run()
    alice.types("on")
    assert refusals(alice) == ["bad-remark"]  # nobody is told what became of a receipt
    assert bob.lines() == ["alice>#lobby on"]


def test_after_a_day_it_stays_as_it_is(world: World) -> None:
    alice = world.come("alice")
    alice.types("once")
    world.wait(limits.REMARK_MS / 1000 + 60)
    alice.does(typed.Edited(text="twice"))
    assert refusals(alice) == ["too-late"]
    assert looks_back(alice) == [("once", Marks())]


def test_while_something_is_on_its_way_nobody_guesses_which_is_the_last(world: World) -> None:
    alice = world.come("alice")
    alice.types("first")
    alice.deaf = True
    alice.cut()
    world.run()
    alice.types("secnd")
    alice.does(typed.Edited(text="second"))
    assert refusals(alice) == ["not-accepted-yet"]


def test_an_edit_that_is_typed_with_the_line_is_about_that_line(world: World) -> None:
    alice = world.come("alice")
    alice.types("first")
    alice.does(typed.Wrote(text="secnd"), typed.Edited(text="second"))
    assert [text for text, _ in looks_back(alice)] == ["first", "second"]


def talks_on(world: World, actor: Actor, seconds: int) -> None:
    """The lobby is never silent for as long as it takes until a client says Ping by itself."""
    for _ in range(seconds // 5):
        actor.types("and so on")
        world.wait(5)


def test_what_came_back_before_it_was_accepted_is_not_waited_for_in_a_room_that_is_never_silent(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    alice.loses = [frames.Accepted, frames.Deliver]
    alice.types("helo")
    alice.cut()
    world.wait(2)
    assert (alice.lines(), len(alice.core.outbox)) == (["alice>#lobby helo"], 0)
    alice.does(typed.Edited(text="hello"))
    talks_on(world, bob, 60)
    assert alice.core.hungry
    assert next(text for text, _ in looks_back(alice)) == "hello"


@pytest.mark.parametrize("when", range(4))
def test_what_was_said_while_one_left_elsewhere_is_not_waited_for_beside_a_room_that_is_never_silent(
    world: World, when: int
) -> None:
    alice, bob, phone = world.come("alice"), world.come("bob"), world.come("bob")
    bob.does(typed.JoinedRoom(room="#club"))
    phone.inbox.append(typed.LeftRoom(room="#club"))
    for turn in range(5):
        if turn == when:
            bob.inbox.append(typed.Wrote(text="helo", to="#club"))
        world.turn()
    bob.does(typed.Edited(text="hello"))
    talks_on(world, alice, 60)
    assert bob.core.hungry


def test_there_is_nothing_to_change(world: World) -> None:
    alice = world.come("alice")
    alice.does(typed.Deleted(), typed.Reacted(sign="+1"))
    assert refusals(alice) == ["no-message"] * 2


def test_who_only_sends_can_not_know_which_is_meant(world: World) -> None:
    alice = world.come("alice", reads=False)
    alice.does(typed.Deleted())
    assert refusals(alice) == ["sends-only"]


def test_edited_words_are_found_and_former_ones_are_not(world: World) -> None:
    alice = world.come("alice")
    alice.types("yesterday")
    alice.does(typed.Edited(text="tomorrow"))
    alice.does(typed.AskedSearch(words="tomorrow"), typed.AskedSearch(words="yesterday"))
    assert [len(found.items) for found in alice.seen(shown.Found)] == [1, 0]


# ---- receipts --------------------------------------------------------------------------------------------


def receipts(actor: Actor) -> list[tuple[str, list[int], list[int]]]:
    """What it was told: by whom, and up to which numbers delivered and read."""
    return [(e.by, [*e.delivered.values()], [*e.read.values()]) for e in actor.seen(shown.Receipted)]


def settle(world: World) -> None:
    """Receipts are gathered for a moment."""
    world.wait(1)


def test_an_author_is_told_what_has_come_and_later_what_was_read(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    alice.types("psst", to="bob")
    settle(world)
    assert receipts(alice) == [("bob", [1], [])]
    bob.does(typed.Chose(to="alice"))
    settle(world)
    assert receipts(alice) == [("bob", [1], []), ("bob", [], [1])]
    assert looks_back(alice, "bob") == [("psst", Marks(receipt="read"))]


def test_who_is_in_the_place_tells_both_in_one(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    bob.does(typed.Chose(to="alice"))
    for n in range(5):
        alice.types(f"psst {n}", to="bob")
    settle(world)
    assert receipts(alice)[-1][1:] == ([5], [5])
    assert len(stored(world, "+alice")) <= 5


def test_receipts_survive_the_absence_of_either_side(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    bob.kill()
    alice.types("psst", to="bob")
    alice.kill()
    bob = world.come("bob", notebook=bob.notebook)
    bob.kill()  # before it has told
    bob = world.come("bob", notebook=bob.notebook)
    settle(world)
    alice = world.come("alice", notebook=alice.notebook)
    assert receipts(alice) == [("bob", [1], [])]
    assert alice.seen(shown.Online)[0].waiting == 0  # it counts messages


def test_who_does_not_want_to_tell_of_reading_tells_only_of_coming(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    bob.does(typed.SwitchedReceipts(on=False))
    bob.kill()
    bob = world.come("bob", notebook=bob.notebook)
    bob.does(typed.Chose(to="alice"))
    alice.types("psst", to="bob")
    settle(world)
    bob.does(typed.SwitchedReceipts(on=True))
    settle(world)
    assert receipts(alice) == [("bob", [1], [])]  # nor is what was read before told later
    alice.types("again", to="bob")
    settle(world)
    assert receipts(alice)[1:] == [("bob", [2], [2])]


def test_nobody_tells_those_whom_they_ignore_nor_of_rooms_nor_of_receipts(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    bob.does(typed.IgnoredAccount(account="alice"))
    alice.types("psst", to="bob")
    alice.types("hello")
    alice.types("note to self", to="alice")
    settle(world)
    assert (stored(world, "+alice"), stored(world, "+bob")) == ([], [])
    assert bob.core.outbox.last == 0


def test_a_receipt_is_no_message_anywhere(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    alice.types("psst", to="bob")
    settle(world)
    alice.does(typed.AskedUnread(), typed.AskedOutbox())
    assert alice.seen(shown.Unread)[0].items == []
    assert alice.seen(shown.Outbox)[0].items == []
    assert (len(alice.seen(shown.Sent)), bob.seen(shown.Sent)) == (1, [])


def test_all_devices_of_the_author_know(world: World) -> None:
    alice, desk, bob = world.come("alice"), world.come("alice"), world.come("bob")
    alice.types("psst", to="bob")
    settle(world)
    assert looks_back(desk, "bob") == [("psst", Marks(receipt="delivered"))]
    assert bob.core.settled


def test_a_reaction_to_a_message_that_is_not_here_is_not_shown(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    alice.types("hi")
    stray = React("z" * limits.DEVICE_CHARS, 9, "+1")
    bob._perform(bob.core.posting.keep(Item("#lobby", "react", encode(stray)), typed.Typed(), online=True))
    world.run()
    assert kinds(alice) == ["none"]
