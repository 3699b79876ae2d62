"""Who is here, as the client was told: so that nobody comes twice."""

from __future__ import annotations

from collections.abc import Iterable

from core import shown
from core.commands import Command, Show
from protocol import frames, names


class Company:
    """The others, while the connection stands."""

    def __init__(self) -> None:
        self._here: dict[str, None] = {}

    def are(self, accounts: Iterable[str]) -> None:
        """All who are here."""
        self._here = dict.fromkeys(accounts)

    def told(self, frame: frames.Presence, own: str) -> list[Command]:
        """Some have come, some have gone; one's own name is no news. In the lobby is who is here."""
        here = self._here if frame.room == names.LOBBY else {}
        came = [name for name in frame.joined if name != own and name not in here]
        went = [name for name in frame.left if name != own]
        here.update(dict.fromkeys(came))
        for name in went:
            here.pop(name, None)
        commands: list[Command] = []
        if came:
            commands.append(Show(shown.Came(room=frame.room, accounts=came, more=frame.more)))
        if went:
            commands.append(Show(shown.Went(room=frame.room, accounts=went)))
        return commands
