"""Waiting at a terminal: one thread and one poll, for keys, the broker and the clock alike."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from selectors import BaseSelector
from typing import Any, Protocol

Source = Any  # a ZeroMQ socket or a descriptor: whatever the selector takes


class Keyboard(Protocol):
    """What reads keys, from the first line that may be typed until the end."""

    def run(self) -> Coroutine[Any, Any, None]:
        """Until leave(), or until the keyboard is gone."""

    def leave(self) -> None:
        """Read no more; nothing if it does not read."""


class Turns:
    """The client's turns on an asyncio loop of their own; ``gone`` is told when the keyboard is."""

    def __init__(self, selector: BaseSelector, keyboard: Keyboard, gone: Callable[[], None]) -> None:
        self._loop = asyncio.SelectorEventLoop(selector)
        self._keyboard = keyboard
        self._gone = gone
        self._turn: Callable[[], int | None] = lambda: None
        self._patience: Callable[[], float | None] = lambda: None
        self._timer: asyncio.TimerHandle | None = None
        self._scheduled = False
        self._begun = asyncio.Event()
        self._ended: asyncio.Future[int] = self._loop.create_future()
        self._failure: BaseException | None = None

    def run(self, turn: Callable[[], int | None], patience: Callable[[], float | None]) -> int:
        """Turns, and the keyboard once it is begun, until a turn gives the exit code."""
        self._turn, self._patience = turn, patience
        self._loop.set_exception_handler(self._fail)
        try:
            return self._loop.run_until_complete(self._main())
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def _main(self) -> int:
        self.wake()
        await self._begun.wait()
        if not self._ended.done():
            with contextlib.suppress(EOFError):
                await self._keyboard.run()
            self._gone()
            self.wake()
        code = await self._ended
        if self._failure:
            raise self._failure
        return code

    def begin(self) -> None:
        """Keys are wanted from now on."""
        self._begun.set()

    def wake(self) -> None:
        """A turn, soon."""
        if not self._scheduled and not self._ended.done():
            self._scheduled = True
            self._loop.call_soon(self._after_keys)

    def _after_keys(self) -> None:
        """A turn may take a while: keys that are there already are read and drawn before it."""
        self._loop.call_soon(self._take_turn)

    def _take_turn(self) -> None:
        self._scheduled = False
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._ended.done():
            return
        try:
            code = self._turn()
        except BaseException as failure:  # whatever it is: the terminal is to be left clean
            self._failure = failure
            code = 1
        if code is not None:
            self._end(code)
        elif (wait := self._patience()) is not None:
            self._timer = self._loop.call_later(wait, self.wake)

    def _end(self, code: int) -> None:
        if not self._ended.done():
            self._ended.set_result(code)
            self._begun.set()
            self._keyboard.leave()

    def _fail(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A bug in a key's binding or in the toolkit: end cleanly, then say it."""
        self._failure = context.get("exception") or RuntimeError(context["message"])
        self._end(1)

    def add(self, source: Source) -> None:
        """Wait on this too: asyncio hands it to the selector untouched."""
        self._loop.add_reader(source, self.wake)

    def drop(self, source: Source) -> None:
        """Wait on this no longer."""
        self._loop.remove_reader(source)
