"""When a run ends, and with which exit code: each row of the table, each kind of run."""

from __future__ import annotations

from copy import deepcopy

import pytest

from core import shown, typed
from core.clock import Instant
from core.errand import DONE, KEPT, REFUSED, REFUSED_LINES, UNREACHED, Errand, Wish
from protocol import frames
from store.notebook import Notebook
from tests.core.faults import FaultyStore
from tests.core.visitor import Visitor
from tests.core.world import World

SEND = Wish(reads=False)


class Run:
    """One run of a client: it types, what it is shown is noted, and it ends when its errand is over."""

    def __init__(
        self, world: World, wish: Wish, notebook: Notebook | None = None, password: str = "secret", deaf: bool = False
    ) -> None:
        self.world = world
        self.actor = world.person("cron", password, notebook=notebook, reads=wish.reads)
        self.actor.deaf = deaf
        self.errand = Errand(wish, "account" not in self.actor.notebook.facts, world.now.tick)
        self._noted = 0
        self._began = world.now.tick

    def types(self, *texts: str, to: str | None = None) -> Run:
        """Input, as far as it is read: not before it is clear that there is somebody to send it as."""
        self._look()
        self.actor.does(*(typed.Wrote(text=text, to=to) for text in texts))
        return self

    def ends_input(self) -> Run:
        self._look()
        self.errand.input_ended(self.world.now.tick)
        return self

    def wait(self, seconds: float) -> Run:
        """So long it goes on."""
        end = self.world.now.tick + seconds
        while self.world.now.tick < end:
            assert not self._over(), "it has ended too early"
            self.world.wait(0.5, step=0.5)
        return self

    def code(self) -> int:
        """Its exit code, when it has ended."""
        for _ in range(400):
            if self._over():
                return self.errand.code(self.actor.core)
            self.world.wait(0.5, step=0.5)
        raise AssertionError("it does not end")

    @property
    def seconds(self) -> float:
        """For how long it has run."""
        return self.world.now.tick - self._began

    def _over(self) -> bool:
        """A turn, and whether it was the last. What deadline() promises is kept: nothing ends before it."""
        due = self.errand.deadline(self.world.now.tick)
        assert due is None or due > self.world.now.tick - 0.5
        self._look()
        return self.errand.over(self.actor.core, self.world.now.tick)

    def _look(self) -> None:
        self.world.run()
        for event in self.actor.shown[self._noted :]:
            self.errand.note(event, self.world.now.tick)
        self._noted = len(self.actor.shown)


@pytest.fixture
def world() -> World:
    return World(FaultyStore())


@pytest.fixture
def known(world: World) -> Notebook:
    """The notebook of a device that has been here before."""
    actor = world.come("cron")
    actor.kill()
    return actor.notebook


# ---- a run that only sends --------------------------------------------------------------------------------


def test_everything_accepted_is_0_and_ends_with_the_input(world: World) -> None:
    run = Run(world, SEND).types("one", "two").wait(60).types("three")
    assert run.ends_input().code() == DONE
    assert len(run.actor.accepted()) == 3


def test_a_refused_line_is_65_and_the_others_are_sent(world: World) -> None:
    run = Run(world, SEND).types("one").types("psst", to="nobody").types("three").ends_input()
    assert run.code() == REFUSED_LINES
    assert len(run.actor.accepted()) == 2


def test_a_line_that_could_not_be_read_is_65(world: World) -> None:
    run = Run(world, SEND)
    run.actor.does(typed.Mistook(code="unknown-command", text="what?"))
    assert run.ends_input().code() == REFUSED_LINES


def test_a_broker_that_was_never_reached_at_a_first_start_is_69(world: World) -> None:
    run = Run(world, SEND, deaf=True).ends_input()
    assert (run.code(), run.seconds) == (UNREACHED, 10.0)


def test_a_broker_that_was_never_reached_with_nothing_to_send_is_69(world: World, known: Notebook) -> None:
    assert Run(world, SEND, known, deaf=True).ends_input().code() == UNREACHED


def test_what_could_not_be_sent_is_kept_and_75(world: World, known: Notebook) -> None:
    run = Run(world, SEND, known, deaf=True).types("one").ends_input()
    assert (run.code(), run.seconds) == (KEPT, 10.0)
    run.actor.kill()
    later = Run(world, SEND, known).ends_input()
    assert later.code() == DONE
    assert len(later.actor.accepted()) == 1


def test_what_was_not_accepted_in_time_is_75(world: World, known: Notebook) -> None:
    world.store.refuses = "store-full"
    run = Run(world, SEND, known).types("one").ends_input()
    assert (run.code(), run.seconds) == (KEPT, 10.0)


def test_waiting_goes_on_for_as_long_as_there_is_progress(world: World) -> None:
    run = Run(world, SEND)
    for _ in range(20):
        run.types("one").wait(8)
    world.store.refuses = "store-full"
    run.types("last").ends_input().wait(8)
    world.store.refuses = ""
    assert run.code() == DONE


@pytest.mark.parametrize("wait_s", [0.0, 2.0, 30.0])
def test_patience_is_as_long_as_was_asked_for(world: World, wait_s: float) -> None:
    run = Run(world, Wish(reads=False, wait_s=wait_s), deaf=True)
    assert run.ends_input().code() == UNREACHED
    assert wait_s <= run.seconds <= wait_s + 0.5


def test_a_refused_login_is_77_whatever_else_holds(world: World, known: Notebook) -> None:
    run = Run(world, SEND, known, password="guess")
    run.actor.inbox.append(typed.Wrote(text="one"))
    assert run.code() == REFUSED
    assert len(run.actor.core.outbox) == 1


def test_what_is_kept_counts_more_than_what_was_refused(world: World, known: Notebook) -> None:
    run = Run(world, SEND, known).types("psst", to="nobody")
    world.store.refuses = "store-down"
    assert run.types("one").ends_input().code() == KEPT


def test_a_pipe_that_is_still_open_is_waited_for_though_the_broker_is_away(world: World) -> None:
    run = Run(world, SEND).types("one")
    run.actor.deaf = True
    run.actor.cut()
    run.wait(120)
    run.actor.deaf = False
    assert run.wait(30).types("two").ends_input().code() == DONE


def test_an_answer_that_was_asked_for_is_waited_for(world: World) -> None:
    run = Run(world, SEND)
    world.run()
    run.actor.loses = [frames.Present]
    run.actor.does(typed.AskedWho())
    run.ends_input().wait(9)
    assert run.code() == DONE, "but not for ever"


def test_what_was_answered_holds_nobody_up(world: World) -> None:
    Visitor(world).enters("bob")
    run = Run(world, SEND).types()
    run.actor.does(typed.AskedWho(), typed.AskedContacts(), typed.AddedContact(account="bob"))
    run.actor.does(typed.RemovedContact(account="bob"), typed.JoinedRoom(room="#club"))
    run.actor.does(typed.LeftRoom(room="#club"))
    assert (run.ends_input().code(), run.seconds) == (DONE, 0.0)


# ---- runs that receive ------------------------------------------------------------------------------------


def say(world: World, *texts: str) -> None:
    """Somebody says this in the lobby."""
    alice = Visitor(world)
    alice.enters("alice", reads=False)
    for start in range(0, len(texts), 50):
        alice.posts(start + 1, *texts[start : start + 50])


def test_fetch_receives_what_waits_and_ends(world: World, known: Notebook) -> None:
    say(world, *["text"] * 300)
    run = Run(world, Wish(reads=True, fetch=True), known)
    assert run.code() == DONE
    assert len(run.actor.lines()) == 300
    assert run.seconds < 1


def test_fetch_ends_though_nothing_waits(world: World, known: Notebook) -> None:
    assert Run(world, Wish(reads=True, fetch=True), known).code() == DONE


def test_fetch_sends_what_was_written_before_it_ends(world: World, known: Notebook) -> None:
    run = Run(world, Wish(reads=True, fetch=True), known)
    run.errand.input_waits = True
    run.wait(5).types("one")
    run.errand.input_waits = False
    assert run.code() == DONE
    assert len(run.actor.accepted()) == 1


def test_fetch_does_not_end_while_the_device_goes_back_with_a_broker_that_was_put_back(
    world: World, known: Notebook
) -> None:
    say(world, "one")
    backup = deepcopy(world.store)
    run = Run(world, Wish(reads=True, fetch=True), known)
    run.actor.loses = [frames.Deliver]
    run.types()
    assert run.actor.core.online
    backup.begin_epoch("second")
    world.store = backup
    world.restart()
    world.turn()
    world.now = Instant(world.now.tick + 1, world.now.at + 1000)
    for _ in range(20):
        assert run.actor.lines() or not run.errand.over(run.actor.core, world.now.tick), "it has ended too early"
        world.turn()
    assert run.actor.lines() == ["alice>#lobby one"]
    assert run.code() == DONE


def test_fetch_does_not_wait_for_a_broker_for_ever(world: World, known: Notebook) -> None:
    run = Run(world, Wish(reads=True, fetch=True), known, deaf=True)
    assert (run.code(), run.seconds) == (UNREACHED, 10.0)


def test_count_ends_after_so_many_messages(world: World, known: Notebook) -> None:
    say(world, "one", "two")
    run = Run(world, Wish(reads=True, count=3), known).wait(60)
    assert run.errand.room() == 1
    say(world, "three")
    assert run.code() == DONE
    assert run.errand.room() == 0


def test_an_idle_run_that_counts_outlives_a_short_absence_of_the_broker(world: World, known: Notebook) -> None:
    run = Run(world, Wish(reads=True, count=1), known).wait(60)
    world.restart()
    run.wait(5)
    assert run.actor.core.online
    say(world, "one")
    assert run.code() == DONE


def test_a_run_that_counts_gives_up_when_the_broker_stays_away(world: World, known: Notebook) -> None:
    run = Run(world, Wish(reads=True, count=1), known).wait(60)
    run.actor.deaf = True
    run.actor.cut()
    run.wait(9).code()


def test_a_run_for_some_seconds_ends_after_them_in_any_case(world: World, known: Notebook) -> None:
    wish = Wish(reads=True, seconds=25.0)
    run = Run(world, wish, known).ends_input()
    assert (run.code(), run.seconds) == (DONE, 25.0)
    run.actor.kill()
    away = Run(world, wish, known, deaf=True).ends_input()
    assert (away.code(), away.seconds) == (UNREACHED, 25.0)


def test_following_does_not_end_by_itself(world: World, known: Notebook) -> None:
    run = Run(world, Wish(reads=True, follow=True), known).ends_input().wait(60)
    run.actor.deaf = True
    run.actor.cut()
    run.wait(60)
    run.actor.deaf = False
    run.wait(30)
    assert run.errand.code(run.actor.core) == DONE


def test_history_that_is_shown_again_counts_for_nothing(world: World, known: Notebook) -> None:
    run = Run(world, Wish(reads=True, count=1), known)
    run.errand.note(shown.Messages(log="#lobby", first=1, envelopes=[], waited=0, mine=True), world.now.tick)
    assert run.errand.room() == 1


def test_how_many_are_wanted_is_told_only_where_it_was_asked_for(world: World) -> None:
    assert Run(world, SEND).errand.room() is None


@pytest.mark.parametrize("wish", [Wish(reads=True, count=9), Wish(reads=True, follow=True), Wish(reads=True)])
def test_whoever_says_good_bye_may_go_once_everything_is_accepted(world: World, known: Notebook, wish: Wish) -> None:
    run = Run(world, wish, known).types("one")
    run.errand.left(world.now.tick)
    run.errand.left(world.now.tick)  # saying it twice changes nothing
    assert (run.code(), len(run.actor.accepted())) == (DONE, 1)


# ---- somebody at a terminal -------------------------------------------------------------------------------


def test_a_person_is_patient_and_slips_are_no_failure(world: World, known: Notebook) -> None:
    run = Run(world, Wish(reads=True, person=True), known, deaf=True).types("one").wait(120)
    run.actor.deaf = False
    run.wait(30).types("psst", to="nobody")
    assert run.ends_input().code() == DONE
    assert run.actor.codes() == ["no-such-account"]


def test_a_person_who_leaves_while_the_broker_is_away_need_not_wait(world: World, known: Notebook) -> None:
    run = Run(world, Wish(reads=True, person=True), known, deaf=True).types("one").ends_input()
    assert (run.code(), run.seconds) == (KEPT, 0.0)


def test_a_person_who_never_reached_the_broker_at_a_first_start_is_told_so(world: World) -> None:
    run = Run(world, Wish(reads=True, person=True), deaf=True)
    assert (run.code(), run.seconds) == (UNREACHED, 10.0)


def test_only_who_stays_to_talk_is_told_whom_one_could_talk_to() -> None:
    lingering = [Wish(reads=True), Wish(reads=True, follow=True), Wish(reads=True, person=True)]
    passing = [SEND, Wish(reads=True, fetch=True), Wish(reads=True, count=1), Wish(reads=True, seconds=1.0)]
    assert [wish.lingers for wish in lingering + passing] == [True] * 3 + [False] * 4
