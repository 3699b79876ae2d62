"""Turns at a terminal: keys before messages."""

from __future__ import annotations

import asyncio
import os
from selectors import DefaultSelector

from console.terminal.turns import Turns


class Typist:
    """A key is there together with a message; it is drawn as the toolkit draws, one round of the loop later."""

    def __init__(self, keys: int, seen: list[str]) -> None:
        self._keys = keys
        self._seen = seen
        self._left = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(self._keys, self._pressed)
        await self._left.wait()
        loop.remove_reader(self._keys)

    def _pressed(self) -> None:
        os.read(self._keys, 1)
        asyncio.get_running_loop().call_soon(self._seen.append, "drawn")

    def leave(self) -> None:
        self._left.set()


def test_a_key_is_drawn_before_the_messages_that_came_with_it() -> None:
    seen: list[str] = []
    keys, press = os.pipe()
    messages, send = os.pipe()
    turns = Turns(DefaultSelector(), Typist(keys, seen), lambda: None)

    def turn() -> int | None:
        if not seen:  # the first turn: now both come at once
            seen.append("begun")
            os.write(send, b"m")
            os.write(press, b"k")
            return None
        seen.append("turn")
        return 0

    turns.add(messages)
    turns.begin()
    try:
        assert turns.run(turn, lambda: None) == 0
    finally:
        for descriptor in (keys, press, messages, send):
            os.close(descriptor)
    assert seen == ["begun", "drawn", "turn"]
