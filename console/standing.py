"""How things stand after a turn, for the front end to show."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from core.arrangement import Arrangement
from core.outbox import Waiting


class Standing(msgspec.Struct):
    """How things stand after a turn, as the core has it."""

    account: str
    device: str
    place: str
    online: bool
    typing: bool  # a line may be typed: the device has been let in once, and its person has not left
    due: float | None  # the tick at which the broker is tried again
    waiting: Sequence[Waiting]  # what it has not accepted yet
    rooms: Collection[str]  # that the account is in
    arrangement: Arrangement
