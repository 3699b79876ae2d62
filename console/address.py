"""Where a broker is, as people write it: tcp://HOST:PORT, perhaps with its key behind a #."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from console.broker_options import LAST_PORT
from console.language import worded
from protocol import keys

PORT = 7777
FORM = "tcp://HOST:PORT[#KEY]"
# What ZeroMQ takes for a host. A longer name has no address, and names no folder either.
_HOST = re.compile(r"[A-Za-z0-9:][A-Za-z0-9._:%-]{0,200}")


class BadAddress(ValueError):
    """Not a broker's address; its text says why, as the end of a sentence."""


class Address(NamedTuple):
    """A broker's address."""

    host: str
    port: int
    key: str  # 52 letters, or ""


def written(broker: Address) -> str:
    """The text of an address."""
    host = f"[{broker.host}]" if ":" in broker.host else broker.host
    return f"tcp://{host}:{broker.port}" + (f"#{broker.key}" if broker.key else "")


def is_host(text: str) -> bool:
    """Whether this can be a host's name or address."""
    return bool(_HOST.fullmatch(text))


def read(text: str) -> Address:
    """An address from its text; BadAddress if it is none."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", PORT if parts.port is None else parts.port
        if parts.scheme == "tcp" and is_host(host) and 0 < port <= LAST_PORT:
            return Address(host, port, keys.read(parts.fragment) if parts.fragment else "")
    except ValueError:
        pass
    raise BadAddress(worded("{text!r} must look like tcp://HOST:PORT, or tcp://HOST:PORT#KEY", text=text))
