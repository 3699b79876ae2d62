"""Who has come and gone, gathered: a thousand logins in a moment are a few notices, not a million."""

from __future__ import annotations

from protocol import frames, limits

# Notices go out at once when things are quiet, and at most so often when they are not: nobody reads faster.
PRESENCE_S = 0.2
# And the more readers there are, the longer they wait: ten thousand who log in at once are not told of each other
# fifty thousand times a second.
READER_S = 0.0002


class Pace:
    """When the next notice may go out."""

    def __init__(self) -> None:
        self.next = float("-inf")  # a tick

    def told(self, tick: float, readers: int) -> None:
        """So many were told just now."""
        self.next = tick + max(PRESENCE_S, readers * READER_S)


class Presence:
    """What was last told, and what has changed since."""

    def __init__(self) -> None:
        self._changed: dict[str, tuple[str, bool]] = {}  # account → name as shown, whether it was there before
        self.pace = Pace()

    def change(self, account: str, name: str, before: bool) -> None:
        """An account came or went; ``before``: whether it had been there."""
        self._changed.setdefault(account, (name, before))

    def due(self) -> float | None:
        """The tick at which the next notice may go out; None: there is nothing to tell."""
        return self.pace.next if self._changed else None

    def take(self, here: dict[str, bool]) -> tuple[list[str], list[str]]:
        """Names of those who came and of those who went since the last notice; who did both did neither."""
        came = [name for account, (name, before) in self._changed.items() if here[account] and not before]
        went = [name for account, (name, before) in self._changed.items() if before and not here[account]]
        self._changed = {}
        return came, went

    @property
    def accounts(self) -> list[str]:
        """Those of whom something may have to be told."""
        return list(self._changed)


class Comings:
    """Who has joined and left rooms, gathered in the same way."""

    def __init__(self) -> None:
        self._rooms: dict[str, tuple[str, dict[str, tuple[bool, bool]]]] = {}  # log → name, who → before, now
        self.pace = Pace()

    def change(self, log: str, room: str, name: str, inside: bool) -> None:
        """An account is in a room now, or no longer."""
        _, changed = self._rooms.setdefault(log, (room, {}))
        before, _ = changed.get(name, (not inside, inside))
        changed[name] = before, inside

    def due(self) -> float | None:
        """The tick at which the next notices may go out; None: there is nothing to tell."""
        return self.pace.next if self._rooms else None

    def take(self) -> dict[str, frames.Presence]:
        """What is to be told to the members of each room; who did both did neither."""
        rooms, self._rooms = self._rooms, {}
        told = {}
        for log, (room, changed) in rooms.items():
            joined, more = listed([name for name, (before, now) in changed.items() if now and not before])
            left, others = listed([name for name, (before, now) in changed.items() if before and not now])
            if joined or left:
                told[log] = frames.Presence(room, joined, left, more + others)
        return told


def listed(names: list[str]) -> tuple[list[str], int]:
    """As many names as one frame takes, and how many more there are."""
    return names[: limits.LISTED_NAMES], max(0, len(names) - limits.LISTED_NAMES)
