"""Who a client is for, and how: what its core is told when it is made."""

from __future__ import annotations

import msgspec

from core import shown
from core.anchor import Known
from protocol import frames, limits, names


class Person(msgspec.Struct, frozen=True):
    """A person or a script at their client."""

    account: str  # as typed
    broker: str  # its address, for people
    reads: bool
    release: str
    place: str = names.LOBBY
    proves: bool = False  # a password was given, which is to be checked; False: it is asked for if the key does not do
    known: Known = Known()  # what is known of the broker
    device_name: str = ""
    permit: str = ""  # the code of an invitation, or one that sets another password
    at_once: bool = False  # what is shown was read; else what is shown of the place where one is
    bot: bool = False  # it is a program that talks
    run: int = 0  # a random number of this run of the program

    def hello(self, device: str, cursors: dict[str, int], epoch: str, visit: int) -> frames.Hello:
        """How this client knocks, but for what proves it."""
        return frames.Hello(
            major=limits.MAJOR_VERSION,
            minor=limits.MINOR_VERSION,
            account=self.account,
            device=device,
            reads=self.reads,
            cursors=cursors,
            release=self.release,
            name=self.device_name,
            epoch=epoch,
            visit=visit,
            bot=self.bot,
        )

    def status(self, account: str, device: str, online: bool, place: str, waiting: int) -> shown.Status:
        """How things stand. ``waiting`` counts the messages that are not accepted yet."""
        return shown.Status(
            account=account, device=device, broker=self.broker, online=online, place=place, outbox=waiting
        )
