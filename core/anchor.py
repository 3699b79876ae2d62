"""What the client knows of the broker's public key: remembered, given, or to be believed once, on first use.

After that only what is remembered counts. What is offered on the broker's second port never changes it: it only
explains why a broker that should own the key can't show that it does.
"""

from __future__ import annotations

import msgspec

from core import shown
from core.commands import AskKey, Command, Connect, Pin, Show
from protocol import errors, keys


class Known(msgspec.Struct, frozen=True):
    """What was known of a broker when the client started."""

    key: str = ""  # "": nothing, this is the first time
    given: bool = False  # the person said so just now; False: it is remembered
    since: str = ""  # the date of the first time
    broker: bytes = b""  # the id that goes with it, b"": not known
    others: dict[bytes, str] = {}  # ids of other brokers that are remembered → their keys


class Anchor:
    """The key of the broker at one address."""

    def __init__(self, known: Known, address: str) -> None:
        self._address = address
        self.known = known
        self.key = known.key
        self.broker = known.broker
        self._doubted = False

    def seek(self) -> Command:
        """The next thing to do on the way to the broker."""
        return AskKey() if self._doubted or not self.key else Connect(self.key)

    def doubt(self) -> bool:
        """The handshake failed without a reason: ask whether there is another key by now. False: that was asked."""
        self._doubted = not self._doubted
        return self._doubted

    def meet(self, key: str) -> list[Command]:
        """The first time: believe it."""
        self.key = key
        return [Pin(key), Show(shown.Met(broker=self._address, key=key))]

    def changed(self, offered: str, account: str) -> Command:
        """What to tell when another key is offered."""
        text = errors.sentence("key-changed", broker=self._address)
        return Show(
            shown.KeyChanged(
                code="key-changed",
                text=text,
                broker=self._address,
                account=account,
                given=self.known.given,
                since=self.known.since,
                key=self.key,
                offered=offered,
            )
        )

    def proved(self, broker: bytes) -> list[Command]:
        """The broker has shown its key, and said who it is: remember both."""
        known, self.broker = self.broker, broker
        return [] if known == broker else [Pin(self.key, broker)]

    def settle(self) -> None:
        """There is an answer, or there will be none."""
        self._doubted = False

    def foreign(self, broker: bytes) -> str:
        """What to tell if this broker's id is remembered under another key; "" if there is nothing against it.

        Whoever copies another broker's id would be shown the credentials that let people in there.
        """
        key = self.known.others.get(broker, self.key)
        if key == self.key:
            return ""
        return errors.sentence("other-broker", broker=self._address, key=keys.grouped(key))
