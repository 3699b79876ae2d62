"""Questions and their answers: who is here, contacts, pages of history, and what a client answers by itself."""

from __future__ import annotations

import pytest

from core import records, shown, typed
from core.commands import Put, Trim
from protocol import frames, limits
from protocol.frames import AddContact, AskContacts, AskPage, AskWho, Contacts, Join, Leave, RemoveContact
from tests.core.faults import FaultyStore
from tests.core.visitor import Visitor
from tests.core.world import World


@pytest.fixture
def world() -> World:
    return World(FaultyStore())


@pytest.fixture
def alice(world: World) -> Visitor:
    return visitor(world, "alice")


def visitor(world: World, name: str, **changes: object) -> Visitor:
    """Somebody who is in."""
    came = Visitor(world)
    came.enters(name, **changes)
    return came


def register(world: World, names: list[str]) -> None:
    """Accounts that nobody is logged in to."""
    made = ((name, records.pack(records.Account(name, "a2split1", "", 0))) for name in names)
    world.store.submit([Put(records.account(name), packed, 0) for name, packed in made], world.now)
    world.store.poll()


# ---- who --------------------------------------------------------------------------------------------------


def test_who_is_everyone_who_reads_each_once_in_the_order_of_their_names(world: World, alice: Visitor) -> None:
    for name in ("dave", "Bob", "bob", "carol"):
        visitor(world, name)
    visitor(world, "cron", reads=False)
    (present,) = alice.says(AskWho(3))
    assert present == frames.Present(3, ["alice", "Bob", "carol", "dave"], more=0)


def test_a_crowd_is_counted_where_it_cannot_be_listed(world: World) -> None:
    crowd = [visitor(world, f"{'語' * 28}{number:04}") for number in range(limits.LISTED_NAMES + 3)]
    (present,) = crowd[0].says(AskWho(1))
    assert (len(present.accounts), present.more) == (limits.LISTED_NAMES, 3)


# ---- contacts -----------------------------------------------------------------------------------------------


def test_contacts_are_added_and_removed_and_the_others_are_possible(world: World, alice: Visitor) -> None:
    register(world, ["bob", "carol"])
    (none,) = alice.says(AskContacts(1))
    (added,) = alice.says(AddContact(2, "BOB"))
    (removed,) = alice.says(RemoveContact(3, "Bob"))
    assert none == Contacts(1, [], ["bob", "carol"])
    assert added == Contacts(2, ["bob"], ["carol"])
    assert removed == Contacts(3, [], ["bob", "carol"])


def test_contacts_belong_to_the_account_and_outlive_the_broker(world: World, alice: Visitor) -> None:
    register(world, ["bob"])
    alice.says(AddContact(1, "bob"))
    world.restart()
    assert visitor(world, "alice").says(AskContacts(1)) == [Contacts(1, ["bob"], [])]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (AddContact(1, "nobody"), "unknown-account"),
        (AddContact(1, "no name"), "bad-name"),
        (AddContact(1, "ALICE"), "own-name"),
        (AddContact(1, "Bob"), "already-contact"),
        (RemoveContact(1, "carol"), "not-a-contact"),
        (RemoveContact(1, "no name"), "not-a-contact"),
    ],
)
def test_contacts_that_cannot_be_are_refused_and_nothing_changes(
    world: World, alice: Visitor, said: AddContact | RemoveContact, code: str
) -> None:
    register(world, ["bob", "carol"])
    alice.says(AddContact(9, "bob"))
    before = list(world.store.dump())
    (refused,) = alice.says(said)
    assert (refused.code, refused.ask) == (code, 1)
    assert list(world.store.dump()) == before


def test_a_list_of_contacts_has_an_end(world: World, alice: Visitor) -> None:
    register(world, [f"friend{number:03}" for number in range(limits.ACCOUNT_CONTACTS + 1)])
    for number in range(limits.ACCOUNT_CONTACTS):
        alice.says(AddContact(number + 1, f"friend{number:03}"))
    (refused,) = alice.says(AddContact(900, f"friend{limits.ACCOUNT_CONTACTS:03}"))
    assert refused.code == "too-many-contacts"


def test_possible_contacts_are_a_part_where_there_are_many(world: World, alice: Visitor) -> None:
    names = [f"{'語' * 28}{number:04}" for number in range(2 * limits.LISTED_NAMES)]
    register(world, names)
    alice.says(AddContact(1, names[0]))
    (contacts,) = alice.says(AskContacts(2))
    assert contacts == Contacts(2, names[:1], names[1 : limits.LISTED_NAMES + 1], more=True)


def test_two_devices_that_add_at_once_lose_neither(world: World, alice: Visitor) -> None:
    register(world, ["bob", "carol"])
    other = visitor(world, "alice")
    alice.utters(AddContact(1, "bob"))
    other.utters(AddContact(1, "carol"))
    world.run()
    assert alice.says(AskContacts(2)) == [Contacts(2, ["bob", "carol"], [])]


def test_names_are_read_anew_when_too_many_are_remembered(
    world: World, alice: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.registered.NAMES", 1)
    register(world, ["bob", "carol"])
    (first,) = alice.says(AskContacts(1))
    renamed = records.pack(records.Account("Bob", "a2split1", "", 0))
    world.store.submit([Put(records.account("bob"), renamed, 1)], world.now)
    world.store.poll()
    (second,) = alice.says(AskContacts(2))
    assert (first.possible, second.possible) == (["bob", "carol"], ["Bob", "carol"])


# ---- pages --------------------------------------------------------------------------------------------------


def test_pages_go_back_from_the_end_in_the_order_of_the_log(world: World, alice: Visitor) -> None:
    alice.posts(1, *(str(seq) for seq in range(1, 26)))
    pages, before = [], 0
    for ask in range(1, 5):
        (page,) = alice.says(AskPage(ask, "#lobby", before, 10))
        pages.append([int(envelope.body) for envelope in page.run.envelopes])
        assert (page.ask, page.run.log) == (ask, "#lobby")
        assert page.more == (ask < 3)
        before = page.run.first
    assert pages == [list(range(16, 26)), list(range(6, 16)), list(range(1, 6)), []]


def test_a_page_of_long_messages_is_cut_at_its_far_end(world: World, alice: Visitor) -> None:
    for n in range(1, 11):
        alice.posts(n, f"{n}".ljust(limits.BODY_BYTES, "."))
    seen, before = [], 11
    while before > 1:
        (page,) = alice.says(AskPage(1, "#lobby", before, 100))
        last = page.run.first + len(page.run.envelopes) - 1
        assert last == before - 1, "nothing is skipped"
        assert page.more == (page.run.first > 1)
        before = page.run.first
        seen.append(len(page.run.envelopes))
    assert sum(seen) == 10


def test_nobody_sees_a_page_from_before_they_came(world: World, alice: Visitor) -> None:
    alice.posts(1, "one", "two")
    alice.says(Join(1, "#club"))
    alice.posts(3, "early", to="#club")
    bob = visitor(world, "bob")
    bob.says(Join(1, "#club"))
    alice.posts(4, "late", to="#club")
    (lobby,), (club,) = (bob.says(AskPage(2, log, 0, 100)) for log in ("#lobby", "#club"))
    assert (lobby.run.envelopes, lobby.more) == ([], False)
    assert ([each.body for each in club.run.envelopes], club.run.first, club.more) == ([b"late"], 2, False)


def test_a_mailbox_is_its_owners_alone(world: World, alice: Visitor) -> None:
    bob = visitor(world, "bob")
    alice.posts(1, "psst", to="bob")
    (page,) = bob.says(AskPage(1, "@bob", 0, 10))
    assert [each.body for each in page.run.envelopes] == [b"psst"]
    codes = [visitor(world, "eve").says(AskPage(1, log, 0, 10))[0].code for log in ("@bob", "@alice", "#nowhere")]
    assert codes == ["no-such-log"] * 3


def test_whoever_left_a_room_sees_its_pages_no_longer(world: World, alice: Visitor) -> None:
    alice.says(Join(1, "#club"))
    alice.posts(1, "psst", to="#club")
    alice.says(Leave(2, "#club"))
    assert [frame.code for frame in alice.says(AskPage(3, "#club", 0, 10))] == ["no-such-log"]


def test_a_page_ends_where_the_log_was_pruned(world: World, alice: Visitor) -> None:
    alice.posts(1, "one", "two", "three")
    world.store.submit([Trim("#lobby", 3)], world.now)
    world.store.poll()
    (page,) = alice.says(AskPage(1, "#lobby", 0, 10))
    assert ([each.body for each in page.run.envelopes], page.more) == ([b"three"], False)


def test_a_client_shows_a_page_as_history_and_moves_nothing(world: World) -> None:
    bob = world.come("bob")
    bob.types("note to myself", to="bob")
    before = dict(bob.notebook.cursors)
    envelope = next(bob.envelopes())
    bob.hears(frames.Page(1, frames.Run("@bob", 1, [envelope]), more=False))
    world.run()
    page = bob.seen(shown.Messages)[-1]
    assert (page.log, page.mine, len(page.envelopes), bob.notebook.cursors) == ("@bob", True, 1, before)


# ---- what a client makes of it --------------------------------------------------------------------------------


def test_a_client_shows_answers_and_remembers_its_contacts_while_it_is_away(world: World) -> None:
    register(world, ["carol"])
    bob = world.come("bob")
    bob.does(typed.AskedWho(), typed.AddedContact(account="carol"))
    bob.does(typed.AskedContacts())
    assert bob.seen(shown.Who) == [shown.Who(accounts=["bob"])]
    assert [event.contacts for event in bob.seen(shown.Contacts)] == [["carol"], ["carol"]]
    bob.kill()
    bob = world.person("bob", notebook=bob.notebook)
    bob.deaf = True
    bob.does(typed.AskedContacts(), typed.AskedWho(tag="t1"))
    assert bob.seen(shown.Contacts) == [shown.Contacts(contacts=["carol"], possible=[])]
    assert [(event.code, event.tag) for event in bob.seen(shown.Refused)] == [("not-connected", "t1")]


def test_contacts_that_were_never_heard_of_cannot_be_told_while_away(world: World) -> None:
    bob = world.person("bob")
    bob.deaf = True
    bob.does(typed.AskedContacts())
    assert bob.codes() == ["not-connected"]


def test_a_refused_question_finds_its_line(world: World) -> None:
    bob = world.come("bob")
    bob.does(typed.AddedContact(account="nobody", line=3), typed.RemovedContact(account="carol", tag="t2"))
    assert [(event.code, event.line, event.tag) for event in bob.seen(shown.Refused)] == [
        ("unknown-account", 3, None),
        ("not-a-contact", 0, "t2"),
    ]


def test_what_the_broker_refuses_unasked_is_shown_and_stops_nothing(world: World) -> None:
    bob = world.come("bob")
    bob.hears(frames.Refused("malformed", "that was no frame"))
    bob.types("still here")
    assert (bob.codes(), bob.lines()) == (["malformed"], ["bob>#lobby still here"])


def test_a_question_whose_answer_was_lost_is_told_so(world: World) -> None:
    bob = world.come("bob")
    bob.inbox.append(typed.AskedWho(line=4))
    bob.turn()
    bob.cut()
    world.run()
    assert [(event.code, event.line) for event in bob.seen(shown.Refused)] == [("no-answer", 4)]


def test_a_question_to_a_session_that_is_no_more_is_told_so_though_hello_was_said_already(world: World) -> None:
    bob = world.come("bob")
    bob.types("one")
    world.receive(bob.peer or b"", frames.encode(frames.Quit()), bob.key)
    bob.inbox.append(typed.JoinedRoom(room="#garden", line=1))
    bob.turn()
    bob.hears(frames.Expected(1))  # the broker has lost something, it seems: Welcome will tell
    world.run()
    bob.types("two")
    assert [(event.code, event.line) for event in bob.seen(shown.Refused)] == [("no-answer", 1)]
    assert bob.lines() == ["bob>#lobby one", "bob>#lobby two"]
    assert bob.core.settled


def test_a_refused_question_does_not_end_a_client_that_is_just_saying_hello_again(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    bob.loses = [frames.Deliver]
    alice.types("lost on its way")
    alice.inbox.append(typed.Wrote(text="this one shows the hole"))
    while not bob.inbox:
        world.turn()
    bob.inbox.insert(0, typed.AddedContact(account="nobody", line=1))
    world.run()
    assert bob.seen(shown.Bye) == []
    assert bob.codes() == ["unknown-account"]
    assert bob.lines() == ["alice>#lobby lost on its way", "alice>#lobby this one shows the hole"]


def test_status_outbox_and_place_are_answered_here(world: World) -> None:
    bob = world.person("bob")
    bob.deaf = True
    bob.does(typed.Chose(to="alice"), typed.Wrote(text="psst"), typed.AskedStatus(), typed.AskedOutbox())
    assert bob.seen(shown.Place) == [shown.Place(to="alice")]
    (status,) = bob.seen(shown.Status)
    assert (status.online, status.place, status.outbox, status.account) == (False, "alice", 1, "bob")
    assert bob.seen(shown.Outbox)[0].items == [("alice", "psst")]


def test_history_is_that_of_the_current_place(world: World) -> None:
    bob = world.come("bob")
    alice = world.come("alice")
    alice.types("one")
    alice.types("two")
    bob.types("three", to="Alice")
    bob.shown.clear()
    bob.does(typed.AskedHistory(count=1), typed.Chose(to="Alice"), typed.AskedHistory(count=7))
    assert bob.lines() == ["alice>#lobby two", "bob>alice three"]


def test_a_line_that_could_not_be_understood_is_refused_and_sent_nowhere(world: World) -> None:
    bob = world.come("bob")
    bob.does(typed.Mistook(code="unknown-command", text="what?", line=2))
    assert [(event.code, event.text, event.line) for event in bob.seen(shown.Refused)] == [
        ("unknown-command", "what?", 2)
    ]
    assert bob.lines() == []
