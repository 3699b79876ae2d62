"""Who is there in a long run, and talks: clients that stay, clients that only send, clients that come and go."""

from __future__ import annotations

import random
from typing import Any

from tests.torture.checker import DONE, LOBBY, Fault, unsettled
from tests.torture.evidence import glance
from tests.torture.lines import Namespace, ProxyLine
from tests.torture.stage import HOST, Device, Stage, wait

THROUGH_PROXY = ("alice-1", "alice-2", "bob-1", "carol-1")
DIRECT = ("dave-1",)
BEHIND_LINK = ("erin-1", "frank-1")
# They only send: one beside a reader of the same account, one of an account that nobody reads.
SENDERS = ("bob-2", "cron-1")
# It fetches what waits, or listens for a moment, and goes.
VISITOR = "carol-2"
ACCOUNTS = ("alice", "bob", "carol", "dave", "erin", "frank")

BURST_LINES = 12
PIPED_LINES = 30
# How much is written behind a line's number; a line must stay below PIPE_BUF (4096).
FILLINGS = (0, 0, 0, 20, 20, 400, 3000)
# How long those wait for the broker who come and go.
PATIENCE_S = (1.0, 3.0, 10.0)
LISTENING_S = 1.5
# After one burst in so many somebody comes, if the one who is drawn is not there.
VISIT_SHARE = 0.1


class Party:
    """Everybody talks to everybody. A seed repeats who says what to whom; the machine adds the moment."""

    def __init__(self, stage: Stage, proxy: ProxyLine, link: Namespace, chance: random.Random) -> None:
        self._stage, self._chance = stage, chance
        through: dict[str, Any] = {"broker": (HOST, proxy.port)}
        behind: dict[str, Any] = {"broker": (link.host, stage.broker.port), "before": link.before}
        stay = "--json", "--follow", "--key", stage.broker.key
        self.behind = [stage.device(name, *stay, **({} if link.reason else behind)) for name in BEHIND_LINK]
        self.talkers = [stage.device(name, *stay, **through) for name in THROUGH_PROXY]
        self.talkers += [stage.device(name, *stay) for name in DIRECT] + self.behind
        self.senders = [stage.device(name, "--key", stage.broker.key, **through) for name in SENDERS]
        self.visitor = stage.device(VISITOR, "--json", "--key", stage.broker.key, **through)
        self.passing = [*self.senders, self.visitor]  # those who come and go
        self.devices = [*self.talkers, *self.passing]

    def begin(self) -> None:
        """Nobody speaks before all are there: so everyone's logs begin with 1. Their keys are known from then on."""
        for device in self.talkers:
            device.start()
        for device in self.talkers:
            device.wait(device.is_online, "is let in")
        for device in self.behind:
            device.shows_password = False  # passwords from an address that is not this machine's are counted
        self.visitor.start("--fetch")
        self.visitor.hang_up()
        self._wait_for_the_end(self.visitor)  # a new device begins where its account has read up to
        for sender in self.senders:
            sender.send(LOBBY)
        for sender in self.senders:
            self._wait_for_the_end(sender)

    def speak(self) -> None:
        """A burst of lines by somebody who is there; and who comes and goes may come."""
        device = self._chance.choice(self.talkers)
        if device.is_running:
            for _ in range(self._chance.randint(1, BURST_LINES)):
                device.type(self._place(device), self._filling())
        if self._chance.random() < VISIT_SHARE:
            self._visit(self._chance.choice(self.passing))

    def watch(self) -> None:
        """Who stays must not have ended by itself: an AssertionError, with its last words."""
        for program in (self._stage.broker, *self.talkers):
            assert not program.is_running or program.process

    def bring(self, device: Device) -> None:
        """Run somebody again; once with the password, once by the device's key alone."""
        if device not in self.behind:
            device.shows_password = self._chance.random() < 0.5
        if device in self.talkers:
            device.start()

    def _place(self, device: Device) -> str:
        return self._chance.choice([LOBBY, *(account for account in ACCOUNTS if account != device.account)])

    def _filling(self) -> str:
        return " " + "~" * self._chance.choice(FILLINGS)

    # -- those who come and go --

    def _visit(self, device: Device) -> None:
        if device.is_running and device.ended() is None:
            return
        self.bring(device)
        patience = "--wait", str(self._chance.choice(PATIENCE_S))
        if device is self.visitor:
            self.visitor.start(*self._chance.choice((("--fetch",), ("--for", str(LISTENING_S)))), *patience)
            self.visitor.hang_up()
        elif self._chance.random() < 0.5:
            device.send(self._place(device), self._filling(), *patience)
        else:
            device.start(*patience)
            for _ in range(self._chance.randint(1, PIPED_LINES)):
                device.type(self._place(device), self._filling())
            device.hang_up()

    def _wait_for_the_end(self, device: Device) -> int:
        codes: list[int | None] = [None]

        def ended() -> bool:
            codes.append(device.ended())
            return codes[-1] is not None

        if device.is_running:
            wait(ended, f"{device.name} ends")
        return codes[-1] or DONE

    # -- the end --

    def come_to_rest(self) -> None:
        """No more is done to anybody: whatever is still on its way arrives, and everybody goes home."""
        for sender in self.senders:
            self._wait_for_the_end(sender)
            sender.send(LOBBY, " the end", "--wait", "60")
            assert self._wait_for_the_end(sender) == DONE
        for device in self.talkers:
            self._see_a_last_line(device)
        self._wait_for_the_end(self.visitor)
        wait(lambda: not self._left_waiting(), "all but the visitor have sent and received everything")
        self.visitor.start("--fetch", "--wait", "60")
        self.visitor.hang_up()
        assert self._wait_for_the_end(self.visitor) == DONE
        assert unsettled(glance(self._stage.folder)) == []
        assert [device.stop() for device in self.talkers] == [DONE] * len(self.talkers)
        assert self._stage.broker.stop() == 0, self._stage.broker.errors()

    def _see_a_last_line(self, device: Device) -> None:
        """What a talker prints back was accepted, and so was everything that it had typed before."""
        start = device.printed_path.stat().st_size
        device.wait(lambda: device.type(LOBBY, " the end"), "takes a last line")
        device.wait(lambda: device.has_printed(device.last_text, start), "prints its own last line")

    def _left_waiting(self) -> list[Fault]:
        """What is still to come; not for the visitor, who comes last of all."""
        return [each for each in unsettled(glance(self._stage.folder)) if not each.sentence.startswith(VISITOR)]
