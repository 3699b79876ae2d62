"""A terminal of our own: keys through a pipe, what is painted into pyte; clock, time zone and size are fixed.

Of some marks and joiners pyte drops the rest of the line: what was written has to be looked at for those.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pyte
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.input.base import PipeInput

from choices import Choices
from console import words
from console.colours import Names, palette
from console.input import Typing
from console.pipe import Input
from console.preferences import Preferences
from console.rows import Signs
from console.screen import Page
from console.standing import Standing
from console.terminal.terminal import Terminal
from console.typedlines import TypedLines
from core.arrangement import Arrangement
from core.clock import Instant
from core.outbox import Waiting
from core.shown import Messages
from core.typed import AskedSettings, ChangedSetting, Chose, Intent
from protocol.frames import Envelope, Item
from transport.selector import ZmqSelector

DAY = 86_400_000
NOON = 1_795_262_400_000  # 2026-11-21 12:00 UTC
BOUND_S = 30.0
Script = Callable[["Scene"], Iterator[None]]


def local(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%H:%M")


def day(at: int) -> str:
    then = datetime.fromtimestamp(at / 1000, UTC)
    return words.day(then.year, then.month, then.day, then.weekday())


def page(environment: dict[str, str] | None = None, signs: Signs | None = None) -> Page:
    counted = Preferences(environment or {})
    colours = Names(partial(palette, counted, environment or {}))
    return Page(local, day, colours, signs or Signs(), counted)


def envelope(author: str, text: str, to: str = "#lobby", at: int = NOON, enc: str = "none") -> Envelope:
    return Envelope(author=author, device="d" * 8, n=1, to=to, enc=enc, body=text.encode("utf-8", "replace"), at=at)


def message(author: str, text: str, to: str = "#lobby", at: int = NOON, waited: bool = False) -> Messages:
    log = to if to.startswith("#") else "@me"
    return Messages(log=log, first=1, envelopes=[envelope(author, text, to, at)], waited=int(waited))


def arranged(**arranged: bytes) -> Arrangement:
    return Arrangement(arranged)


class Scene:
    """A terminal in which a script plays: it yields whenever the terminal may go on."""

    def __init__(
        self,
        columns: int,
        rows: int,
        keyboard: PipeInput,
        environment: dict[str, str],
        folder: Path,
        by_menu: bool = False,
    ) -> None:
        self.columns, self.rows = columns, rows
        self.screen = pyte.HistoryScreen(columns, rows, history=5000, ratio=1)
        self.stream = pyte.ByteStream(self.screen)
        self.written = bytearray()
        self.writes = 0
        self.keyboard = keyboard
        self.tick = 0.0
        self.at = NOON
        self.entered = Input(Typing(by_menu=by_menu), False)
        environment = {"TERM": "xterm-256color"} | environment
        size = lambda: (self.columns, self.rows)  # noqa: E731
        self.folder = folder
        lines = TypedLines(folder / "typed")
        shown = page(environment)
        self.choices = Choices(folder / "client.toml", shown.preferences)
        self.terminal = Terminal(shown, self.entered, lines, ZmqSelector(), environment, self._paint, size, keyboard)
        self.standing = Standing("me", "d" * 8, "#lobby", True, True, None, [], [], arranged())

    def _paint(self, data: bytes) -> None:
        self.writes += 1
        self.written += data
        self.stream.feed(data)

    def show(self, *events: object) -> None:
        """These have happened, in one turn."""
        self.tick += 1
        for event in events:
            self.terminal.show(event, self.at)  # type: ignore[arg-type]
        self.write()

    def write(self) -> bool:
        return self.terminal.write(self.standing, Instant(self.tick, self.at))

    def wait(self, *texts: tuple[str, str]) -> None:
        """These messages (whom for, what) are not accepted."""
        self.standing.waiting = [Waiting(n, Item(to, "none", text.encode())) for n, (to, text) in enumerate(texts, 1)]
        self.write()
        self.tick += 1

    def type(self, keys: str) -> None:
        self.keyboard.send_text(keys)

    def until(self, holds: Callable[[], object]) -> Iterator[None]:
        """Go on until this holds, within a bound."""
        end = time.monotonic() + BOUND_S
        while not holds():
            assert time.monotonic() < end, "\n".join(self.shown())
            self.write()
            yield

    def seen(self, text: str) -> Iterator[None]:
        return self.until(lambda: text in "\n".join(self.shown()))

    def typed(self) -> list[Intent]:
        """What was typed, and what it means."""
        intents = []
        while intent := self.entered.next(True):
            intents.append(intent)
        return intents

    def heed(self) -> list[Intent]:
        """Do what was typed, as far as it concerns settings, the arrangement and where one is."""
        intents = self.typed()
        for intent in intents:
            if isinstance(intent, Chose):
                self.standing.place = intent.to
            elif isinstance(intent, AskedSettings | ChangedSetting):
                self.terminal.tell(self.choices.answer(intent))
            elif does := self.standing.arrangement.table.get(type(intent)):
                does(intent, Instant(self.tick, self.at))
        self.write()
        return intents

    def press(self, keys: str) -> Iterator[None]:
        """Keys that ask for something, and what comes of it."""
        self.type(keys)
        yield from self.until(self.heed)

    def shown(self) -> list[str]:
        """The screen, without what is empty at its end."""
        lines = [line.rstrip() for line in self.screen.display]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def scrolled(self) -> list[str]:
        """All that was ever printed: what has left the screen, and the screen."""
        gone = [
            "".join(line[column].data for column in range(self.columns)).rstrip() for line in self.screen.history.top
        ]
        return gone + self.shown()

    def resize(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.screen.resize(rows, columns)
        self.terminal._canvas.resized()

    def play(self, script: Script) -> None:
        """To the end of the script; what it raises is raised."""
        acts = script(self)

        def turn() -> int | None:
            return None if next(acts, "over") is None else 0

        assert self.terminal.run(turn, lambda: 0.005) == 0


def play(script: Script, columns: int = 100, rows: int = 30, by_menu: bool = False, **environment: str) -> Scene:
    with create_pipe_input() as keyboard, TemporaryDirectory() as folder:
        scene = Scene(columns, rows, keyboard, environment, Path(folder), by_menu)
        scene.play(script)
        return scene
