"""What goes out: into the outbox, from there within the broker's window, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterable

from core import shown, typed
from core.clock import Instant
from core.commands import Command, Drop, Keep, Remember, Show
from core.outbox import Outbox, Waiting
from protocol import frames, limits
from protocol.frames import Item

NOBODY_ASKED = typed.Typed()


class Posting:
    """The outbox, and how much of it may be on its way."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.window = (limits.WINDOW_MESSAGES, limits.WINDOW_BYTES)
        self.pause: float | None = None  # the tick until which the broker takes no sends
        self._pause_told = False  # and that was told, once until it takes some again

    def begin(self, welcome: frames.Welcome) -> None:
        """A session begins."""
        self.window, self.pause = (welcome.window_messages, welcome.window_bytes), None
        self.outbox.offer()

    def keep(self, item: Item, asked: typed.Typed, online: bool) -> list[Command]:
        """Give something the next number. What is sent while the broker is away is not known there."""
        held = not online and self.outbox.hold()
        waiting = self.outbox.add(item, asked.tag, asked.line)
        kept = Keep(waiting.n, item.to, item.enc, item.body)
        return [Remember("offered", str(self.outbox.offered).encode()), kept] if held else [kept]

    def posts(self, now: Instant) -> Iterable[frames.Post]:
        """What may go out, unless the broker asked for a pause."""
        if self.pause is not None:
            if self.pause > now.tick:
                return ()
            self.pause = None
        return self.outbox.posts(*self.window)

    def settle(self, accepted: frames.Accepted, n: int, device: str) -> tuple[list[Waiting], list[Command]]:
        """Everything up to n has its answer: what of it was accepted, and what is to be done about all of it."""
        refused = {refusal.n: refusal for refusal in accepted.refused}
        if accepted.window_messages:
            self.window = accepted.window_messages, self.window[1]
        done = self.outbox.settle(n)
        if not done:
            return [], []
        self._pause_told = False
        outcomes = [each.outcome(device, refused.get(each.n)) for each in done]
        drop = Drop(done[-1].n, [each.n for each in done if each.n in refused] if refused else [])
        # A broker that was put back to a time long ago may know no more that it refused what is nothing now.
        taken = [each for each in done if each.n not in refused and not each.is_nothing]
        return taken, [drop, *(Show(outcome) for outcome in outcomes if outcome)]

    def asked(self, event: typed.AskedOutbox, now: Instant) -> list[Command]:
        """Name what the broker has not accepted yet."""
        items = [(each.item.to, each.text) for each in self.outbox.waiting if not each.is_receipt]
        return [Show(shown.Outbox(items=items))]

    def wait(self, refused: frames.Refused, now: Instant) -> list[Command]:
        """The broker takes nothing for a while: that is told once."""
        told, self._pause_told = self._pause_told, True
        self.pause = now.tick + refused.retry_s
        self.outbox.rewind(self.outbox.settled)
        return [] if told else [Show(shown.Notice(text=refused.text))]
