"""Carries out a play, step by step, and says at the first step that goes wrong what was to be seen and what was."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable
from typing import Any

from demos import reader
from demos.reader import BROKER, EVERYONE, Play, Step
from demos.stage import Actor, Fallen, Place, Stage
from demos.transcript import Transcript

# A failed step shows so much of a screen: the end of it, where the answer should have been.
_SHOWN_LINES = 20
# A client that follows ends on a signal: with 0, or with 65 if one of its lines was refused.
_GOOD_CODES = (0, 65)


class Performance:
    """One performance of one play. Only the play's own sentences are given names here; the stage knows none of them."""

    def __init__(self, play: Play, transcript: Transcript, patience: float) -> None:
        self._play, self._transcript = play, transcript
        self._stage = Stage(patience, self._heard)
        self._broker = Actor(BROKER)
        self._place = Place("0")  # any free port; the one that was given, when the broker comes back
        self._cast: dict[str, Actor] = {}
        self._here: dict[str, Actor] = {}  # those who are there as the play has it
        self._passwords: dict[tuple[str, str], str] = {}  # person, account
        self._typed: Counter[str] = Counter()
        self._missed: list[tuple[Actor, str]] = []
        self._deeds: dict[type[Step], Callable[[Any], None]] = {
            reader.Told: lambda step: transcript.told(step.sentence),
            reader.BrokerStarts: self._broker_starts,
            reader.BrokerStops: self._broker_stops,
            reader.BrokerIsKilled: self._broker_is_killed,
            reader.BrokerPrints: lambda step: self._see(self._broker, step.text),
            reader.Comes: self._comes,
            reader.Types: self._types,
            reader.Sees: self._sees,
            reader.Misses: self._misses,
            reader.Leaves: self._leaves,
            reader.IsKilled: self._is_killed,
            reader.Ends: self._ends,
        }

    def run(self) -> bool:
        """Carry out all steps, let everyone leave, look over all screens. False, and told: something went wrong."""
        file, where = self._play.path.name, ""
        self._transcript.title(self._play.path.stem, self._play.title)
        with self._stage:
            try:
                for step in self._play.steps:
                    where = f"{file}:{step.line}: {step.sentence}"
                    self._deeds[type(step)](step)
                where = f"{file}: when the play was over"
                self._close()
            except Fallen as fallen:
                self._transcript.failed(self._report(where, fallen))
                return False
        self._transcript.ended(self._play.path.stem, len(self._play.steps))
        return True

    # ---- the broker -----------------------------------------------------------------------------------

    def _broker_starts(self, step: reader.BrokerStarts) -> None:
        self._transcript.broker("starts")
        self._place = self._stage.start_broker(self._broker, self._place.port)

    def _broker_stops(self, step: reader.BrokerStops) -> None:
        self._stop_broker()

    def _stop_broker(self) -> None:
        self._stage.signal(self._broker, signal.SIGTERM)
        self._transcript.broker("stops")
        self._expect_code(self._broker, 0)

    def _broker_is_killed(self, step: reader.BrokerIsKilled) -> None:
        self._stage.signal(self._broker, signal.SIGKILL)
        self._transcript.broker("is killed")

    # ---- the people -----------------------------------------------------------------------------------

    def _comes(self, step: reader.Comes) -> None:
        actor = self._here[step.who] = self._cast.setdefault(step.who, Actor(step.who))
        known = (step.who.partition("'s ")[0], step.account)
        self._passwords[known] = password = step.password or self._passwords.get(known, "")
        options = ["-n", step.account, *self._place.options(), "--plain", "--follow", *["--menu"] * step.menu]
        before = len(actor.screen.lines)
        self._stage.start(actor, "client.py", *options, password=password)
        self._transcript.came(step.who, step.sentence.removeprefix(step.who).strip())
        if not self._stage.wait(actor, lambda: len(actor.screen.lines) > before):
            raise Fallen(actor, "was told nothing")

    def _types(self, step: reader.Types) -> None:
        # A private line comes back without its address.
        self._typed.update({step.text, step.text.partition(":")[2].strip()})
        self._transcript.typed(step.who, step.text)
        self._actor(step.who).type(step.text)

    def _sees(self, step: reader.Sees) -> None:
        for actor in self._actors(step.who):
            self._see(actor, step.text)

    def _see(self, actor: Actor, text: str) -> None:
        if not self._stage.wait(actor, lambda: actor.screen.see(text)):
            raise Fallen(actor, "did not see it")

    def _misses(self, step: reader.Misses) -> None:
        for actor in self._actors(step.who):
            self._missed.append((actor, step.text))
        self._check_missed()

    def _leaves(self, step: reader.Leaves) -> None:
        self._leave(self._actor(step.who))

    def _leave(self, actor: Actor) -> None:
        self._stage.signal(actor, signal.SIGTERM)
        self._gone(actor, "leaves")
        self._expect_code(actor, *_GOOD_CODES)

    def _is_killed(self, step: reader.IsKilled) -> None:
        actor = self._actor(step.who)
        self._stage.signal(actor, signal.SIGKILL)
        # It may not have noted that its last lines were shown, and may rightly show them again.
        self._check_doubles(actor)
        actor.screen.begin_anew()
        self._gone(actor, "is killed")

    def _ends(self, step: reader.Ends) -> None:
        actor = self._actor(step.who)
        self._stage.wait_for_end(actor)
        self._gone(actor, f"ends with {actor.code}")
        self._expect_code(actor, step.code)

    def _gone(self, actor: Actor, how: str) -> None:
        self._transcript.went(actor.name, how)
        self._here.pop(actor.name, None)

    # ---- at the end -----------------------------------------------------------------------------------

    def _close(self) -> None:
        """Whoever is still there leaves in good order; then all screens are complete."""
        for actor in list(self._here.values()):
            self._leave(actor)
        if self._broker.running:
            self._stop_broker()
        self._check_missed()
        for actor in self._cast.values():
            self._check_doubles(actor)

    def _check_doubles(self, actor: Actor) -> None:
        if doubles := actor.screen.doubles(self._typed):
            raise Fallen(actor, f"saw this more than once: {doubles[0]}")

    def _check_missed(self) -> None:
        for actor, text in self._missed:
            if actor.screen.holds(text):
                raise Fallen(actor, f"saw what was not meant to be seen: {text}")

    # ---- who and what ---------------------------------------------------------------------------------

    def _heard(self, actor: Actor, line: str) -> None:
        self._transcript.received(actor.name, line)

    def _actor(self, who: str) -> Actor:
        if who not in self._cast:
            raise Fallen(Actor(who), "has not come yet")
        return self._cast[who]

    def _actors(self, who: tuple[str, ...]) -> list[Actor]:
        return list(self._here.values()) if who == (EVERYONE,) else [self._actor(name) for name in who]

    def _expect_code(self, actor: Actor, *codes: int) -> None:
        if actor.code not in codes:
            raise Fallen(actor, f"ended with {actor.code}, not with {codes[0]}")

    def _report(self, where: str, fallen: Fallen) -> str:
        """Where it happened, what was wrong, and what stood on the screens that matter."""
        broker_died = self._broker.code > 0 and self._broker is not fallen.actor
        lines = [where, f"    {fallen}"]
        for actor in [fallen.actor, *[self._broker] * broker_died]:
            lines += [f"    on the screen of {actor.name}:"]
            lines += [f"        {line}" for line in actor.screen.lines[-_SHOWN_LINES:]]
        return "\n".join(lines)
