"""Looking back: history with pages from the broker, search, what is unread, and whose messages are not shown."""

from __future__ import annotations

import pytest

from core import shown, typed
from core.commands import Trim
from core.events import Searched
from core.lookback import HISTORY_PAGES
from core.typed import AskedHistory, AskedSearch, AskedUnread, Chose, IgnoredAccount, UnignoredAccount
from protocol import frames, limits
from tests.core.actor import Actor
from tests.core.faults import FaultyStore
from tests.core.world import World


@pytest.fixture
def world() -> World:
    return World(FaultyStore())


def says(actor: Actor, *texts: str, to: str | None = None) -> None:
    """Messages, one after the other."""
    actor.does(*(typed.Wrote(text=text, to=to) for text in texts))


def looks(actor: Actor, question: typed.Typed) -> list[str]:
    """What a question about the past shows."""
    actor.shown.clear()
    actor.does(question)
    return actor.lines()


def pages(world: World) -> int:
    """How many pages the broker has sent."""
    return sum(isinstance(frame, frames.Page) for _, frame in world.sent)


# ---- history ------------------------------------------------------------------------------------------------


def test_history_is_shown_again_from_the_journal_alone_if_that_is_enough(world: World) -> None:
    bob = world.come("bob")
    says(bob, "one", "two", "three")
    assert looks(bob, AskedHistory(count=2)) == ["bob>#lobby two", "bob>#lobby three"]
    assert {event.mine for event in bob.seen(shown.Messages)} == {True}
    assert pages(world) == 0


def test_a_new_device_fetches_what_is_older_page_by_page_and_keeps_it(world: World) -> None:
    bob = world.come("bob")
    texts = [str(n) for n in range(limits.PAGE_MESSAGES + 30)]
    says(bob, *texts)
    phone = world.come("bob")
    says(phone, "from the phone")
    cursors = dict(phone.notebook.cursors)
    wanted = [f"bob>#lobby {text}" for text in [*texts, "from the phone"]]
    assert looks(phone, AskedHistory(count=200)) == wanted
    assert (pages(world), phone.notebook.cursors) == (2, cursors)
    assert [event.first for event in phone.seen(shown.Messages)] == [1]
    phone.kill()
    phone = world.person("bob", notebook=phone.notebook)
    phone.deaf = True
    assert looks(phone, AskedHistory(count=200)) == wanted, "with the broker away, too"


def test_pages_go_no_further_back_than_when_the_account_came_or_than_the_broker_keeps(world: World) -> None:
    alice = world.come("alice")
    says(alice, "before bob")
    bob = world.come("bob")
    says(alice, "one", "two", "three")
    world.store.submit([Trim("#lobby", 3)], world.now)
    world.store.poll()
    assert looks(world.come("bob"), AskedHistory(count=50)) == ["alice>#lobby two", "alice>#lobby three"]
    assert looks(bob, AskedHistory(count=50)) == ["alice>#lobby one", "alice>#lobby two", "alice>#lobby three"]


def test_a_private_conversation_is_looked_for_in_several_pages(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    says(bob, "for alice", to="alice")
    says(bob, *(str(n) for n in range(limits.PAGE_MESSAGES + 50)), to="bob")
    phone = world.come("bob")
    assert looks(phone, AskedHistory(count=5, place="Alice")) == ["bob>alice for alice"]
    assert pages(world) == 2
    assert looks(alice, AskedHistory(count=5, place="BOB")) == ["bob>alice for alice"]


def test_one_question_brings_so_many_pages_at_most(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PAGE_MESSAGES", 3)
    bob = world.come("bob")
    says(bob, *(str(n) for n in range(3 * HISTORY_PAGES + 5)))
    phone = world.come("bob")
    assert len(looks(phone, AskedHistory(count=1000))) == 3 * HISTORY_PAGES
    assert len(looks(phone, AskedHistory(count=1000))) == 3 * HISTORY_PAGES + 5


def test_history_of_a_time_ends_there(world: World) -> None:
    bob = world.come("bob")
    says(bob, "long ago")
    world.wait(7200, step=600)
    says(bob, "just now")
    assert looks(bob, AskedHistory(count=20, seconds=3600)) == ["bob>#lobby just now"]
    assert looks(bob, AskedHistory(count=20, seconds=10_000)) == ["bob>#lobby long ago", "bob>#lobby just now"]
    phone = world.come("bob")
    assert looks(phone, AskedHistory(count=20, seconds=3600)) == ["bob>#lobby just now"]
    assert looks(phone, AskedHistory(count=20, seconds=10_000)) == ["bob>#lobby long ago", "bob>#lobby just now"]


def test_a_page_that_does_not_come_leaves_what_the_journal_has(world: World) -> None:
    bob = world.come("bob")
    says(bob, "old")
    phone = world.come("bob")
    says(phone, "new")
    phone.shown.clear()
    phone.inbox.append(AskedHistory(count=9))
    phone.turn()
    phone.cut()
    world.run()
    assert phone.lines() == ["bob>#lobby new"]
    assert phone.codes() == []


def test_a_room_that_one_has_left_shows_what_one_has_of_it(world: World) -> None:
    bob = world.come("bob")
    bob.does(typed.JoinedRoom(room="#club"))
    says(bob, "then")
    bob.does(typed.LeftRoom())
    assert looks(bob, AskedHistory(count=9, place="#club")) == ["bob>#club then"]
    assert bob.codes() == []


def test_where_nothing_was_said_history_says_so(world: World) -> None:
    bob = world.come("bob")
    assert looks(bob, AskedHistory(count=9, place="alice")) == []
    assert [notice.text for notice in bob.seen(shown.Notice)] == ["there is nothing of alice in the history"]


def test_a_run_ends_only_when_its_history_has_come(world: World) -> None:
    bob = world.come("bob")
    says(bob, "old")
    phone = world.come("bob")
    phone.inbox.append(AskedHistory(count=9))
    phone.turn()
    assert not phone.core.settled
    world.run()
    assert phone.core.settled


# ---- search -------------------------------------------------------------------------------------------------


def test_words_are_found_with_their_place_also_while_the_broker_is_away(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    says(alice, "tea for all")
    says(alice, "tea for two", to="bob")
    bob.kill()
    bob = world.person("bob", notebook=bob.notebook)
    bob.deaf = True
    bob.does(AskedSearch(words="TEA"))
    (found,) = bob.seen(shown.Found)
    assert [(log, seq, each.body) for log, seq, each in found.items] == [
        ("#lobby", 1, b"tea for all"),
        ("@bob", 1, b"tea for two"),
    ]
    assert (found.words, found.more) == ("TEA", False)


def test_a_search_that_takes_several_steps_lets_others_have_their_turn(world: World) -> None:
    bob = world.come("bob")
    says(bob, "tea")
    steps = [True, True, False]
    bob._table[type(bob.core.lookback._asked_search(AskedSearch(words=""), world.now)[0])] = lambda search: (
        Searched(search, [], more=False, unfinished=True) if steps.pop(0) else bob.notebook.search(search)
    )
    bob.does(AskedSearch(words="tea"))
    assert (bob.seen(shown.Found), bob.core.settled) == ([], False)
    world.wait(0.1, step=0.02)
    assert (len(bob.seen(shown.Found)), bob.core.settled, steps) == (1, True, [])


# ---- unread -------------------------------------------------------------------------------------------------


def unread(actor: Actor) -> list[tuple[str, int]]:
    actor.shown.clear()
    actor.does(AskedUnread())
    (event,) = actor.seen(shown.Unread)
    return event.items


def test_unread_is_what_others_said_elsewhere_since_one_was_there(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    says(alice, "to all")
    says(alice, "one", "two", to="bob")
    assert unread(bob) == [("alice", 2)]
    bob.does(Chose(to="alice"))
    says(alice, "three", to="bob")
    says(alice, "to all again")
    assert unread(bob) == [("#lobby", 1)]
    bob.does(Chose(to="#lobby"))
    assert unread(bob) == []


def test_whoever_leaves_has_seen_what_was_said_where_they_were(world: World) -> None:
    alice, bob = world.come("alice"), world.come("bob")
    says(alice, "to all")
    bob.does(typed.Left())
    bob.kill()
    bob = world.come("bob", notebook=bob.notebook)
    bob.does(Chose(to="alice"))
    assert unread(bob) == []


# ---- who is ignored -----------------------------------------------------------------------------------------


def test_what_those_write_whom_one_ignores_is_kept_and_not_shown(world: World) -> None:
    alice, eve, bob = world.come("alice"), world.come("Eve"), world.come("bob")
    bob.does(IgnoredAccount(account="EVE"))
    says(eve, "spam")
    says(eve, "more spam", to="bob")
    says(alice, "hello", to="bob")
    assert bob.lines() == ["alice>bob hello"]
    assert looks(bob, AskedHistory(count=9)) == []
    assert unread(bob) == [("alice", 1)]
    bob.does(AskedSearch(words="spam"))
    assert bob.seen(shown.Found)[0].items == []
    bob.kill()
    bob = world.come("bob", notebook=bob.notebook)
    says(eve, "again")
    assert bob.lines() == [], "it is kept with the journal"
    bob.does(UnignoredAccount(account="eve"))
    assert looks(bob, AskedHistory(count=9)) == ["Eve>#lobby spam", "Eve>#lobby again"]
    says(eve, "hello")
    assert bob.lines()[-1] == "Eve>#lobby hello"


def test_messages_between_two_that_are_not_shown_keep_their_places(world: World) -> None:
    alice, eve, bob = world.come("alice"), world.come("eve"), world.come("bob")
    bob.does(IgnoredAccount(account="eve"))
    bob.frozen = True
    for speaker in (eve, alice, alice, eve, alice, eve):
        says(speaker, "x")
    bob.thaw()
    world.run()
    places = [(event.first, len(event.envelopes)) for event in bob.seen(shown.Messages)]
    assert [first + n for first, count in places for n in range(count)] == [2, 3, 5]


def test_an_invitation_of_somebody_ignored_is_not_shown(world: World) -> None:
    eve, bob = world.come("eve"), world.come("bob")
    bob.does(IgnoredAccount(account="eve"))
    eve.does(typed.JoinedRoom(room="#club", private=True))
    eve.does(typed.InvitedAccount(account="bob"))
    assert bob.seen(shown.News) == []


def test_whom_one_ignores_is_listed_and_what_makes_no_sense_refused(world: World) -> None:
    bob = world.come("bob")
    bob.does(IgnoredAccount(account="Eve"), IgnoredAccount(account="eve"), typed.AskedIgnored())
    assert [event.accounts for event in bob.seen(shown.Ignored)] == [["Eve"]] * 3
    bob.does(IgnoredAccount(account="BOB", line=1), UnignoredAccount(account="alice", line=2))
    assert [(event.code, event.line) for event in bob.seen(shown.Refused)] == [("own-name", 1), ("not-ignored", 2)]
