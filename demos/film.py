"""A film: terminals side by side, what stands on them, and for how long. What is waited for is not filmed."""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable
from typing import NamedTuple

from demos.stage import PATIENCE_S
from demos.terminal import Still, Terminal

# So long nothing comes from a program that has painted all that it had to.
CALM_S = 0.1
# Keys that are pressed between two shots, and how long such a shot stands.
KEYS_A_SHOT = 2
KEY_S = 0.12


class Shot(NamedTuple):
    """What is seen for a while."""

    lasts: float  # s
    stills: tuple[Still, ...]  # one a terminal
    caption: str


class Film:
    """Terminals that are watched together, and what was filmed of them. ``names``: one a terminal."""

    def __init__(self, terminals: dict[str, Terminal]) -> None:
        self.names = list(terminals)
        self.shots: list[Shot] = []
        self.caption = ""
        self._terminals = terminals
        self._selector = selectors.DefaultSelector()
        for terminal in terminals.values():
            self._selector.register(terminal.descriptor, selectors.EVENT_READ, terminal)

    def close(self) -> None:
        """Let go of the terminals."""
        self._selector.close()

    def hold(self, lasts: float) -> None:
        """Film what stands there, for so long (s)."""
        stills = tuple(terminal.still() for terminal in self._terminals.values())
        self.shots.append(Shot(lasts, stills, self.caption))

    def type(self, who: str, line: str) -> None:
        """Type a line, a few keys a shot; it stands there, not entered yet."""
        terminal = self._terminals[who]
        for at in range(0, len(line), KEYS_A_SHOT):
            before = terminal.still()
            terminal.press(line[at : at + KEYS_A_SHOT])
            self._wait(lambda old=before: terminal.still() != old, f"{who} typing {line}")  # type: ignore[misc]
            self._calm()
            self.hold(KEY_S)
        self.hold(2 * KEY_S)

    def enter(self, who: str, sees: dict[str, str], lasts: float = 1.0) -> None:
        """Press Enter, wait until everyone sees what they shall, and film it."""
        self._terminals[who].press("\r")
        self.see(sees, lasts)

    def see(self, sees: dict[str, str], lasts: float = 1.0) -> None:
        """Wait until everyone sees what they shall, and film it; TimeoutError if they don't."""
        for who, text in sees.items():
            terminal = self._terminals[who]
            self._wait(lambda seen=text, on=terminal: seen in on.text, f"{who} seeing {text}")  # type: ignore[misc]
        self._calm()
        self.hold(lasts)

    def _wait(self, holds: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > end:
                screens = "\n\n".join(terminal.text for terminal in self._terminals.values())
                raise TimeoutError(f"waited in vain for {what}\n{screens}")
            self._read(PATIENCE_S)

    def _calm(self) -> None:
        while self._read(CALM_S):
            pass

    def _read(self, wait_s: float) -> bool:
        ready = self._selector.select(wait_s)
        for key, _ in ready:
            key.data.read()
        return bool(ready)
