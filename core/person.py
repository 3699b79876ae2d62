"""Who a client is for, and how: what its core is told when it is made."""

from __future__ import annotations

import msgspec

from core.anchor import Known
from protocol import names


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
    bot: bool = False  # it is a program that talks
    run: int = 0  # a random number of this run of the program
