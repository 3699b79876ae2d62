"""asyncio's one wait, made of ZeroMQ's: sockets and descriptors in one poll, so that no thread is needed for keys."""

from __future__ import annotations

import math
import selectors
from collections.abc import Mapping
from typing import Any

import zmq

_READ = zmq.POLLIN | zmq.POLLERR  # an end is an error alone on some descriptors, and is for reading
_WRITE = zmq.POLLOUT | zmq.POLLERR


class ZmqSelector(selectors.BaseSelector):
    """Level-triggered. What is registered may be a ZeroMQ socket itself, or a descriptor."""

    def __init__(self) -> None:
        self._poller = zmq.Poller()
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Wait on this too."""
        if fileobj in self._keys:
            raise KeyError(f"{fileobj!r} is registered already")
        number = fileobj if isinstance(fileobj, int) else int(fileobj.fileno())
        key = self._keys[fileobj] = selectors.SelectorKey(fileobj, number, events, data)
        self._poller.register(fileobj, _wanted(events))
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Wait on this no longer; KeyError if nobody did."""
        key = self._keys.pop(fileobj)
        self._poller.unregister(fileobj)
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Wait on this for something else."""
        self.unregister(fileobj)
        return self.register(fileobj, events, data)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now; nothing when the time (s) is over."""
        limit = None if timeout is None else max(0, math.ceil(timeout * 1000))
        ready = []
        for source, mask in self._poller.poll(limit):
            key = self._keys[source]
            found = selectors.EVENT_READ if mask & _READ else 0
            found |= selectors.EVENT_WRITE if mask & _WRITE else 0
            if found & key.events:
                ready.append((key, found & key.events))
        return ready

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """Everything that is waited on."""
        return self._keys

    def close(self) -> None:
        """Wait on nothing any more."""
        for source in list(self._keys):
            self.unregister(source)


def _wanted(events: int) -> int:
    wanted = zmq.POLLIN if events & selectors.EVENT_READ else 0
    return wanted | (zmq.POLLOUT if events & selectors.EVENT_WRITE else 0)
