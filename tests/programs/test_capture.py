"""What a listener on the line sees of a real conversation: nothing of what was said, nor who said it."""

from __future__ import annotations

import base64
import signal
from pathlib import Path

from tests.programs.programs import Broker, Clients
from tests.programs.wires import side_by_side

ALICE, BOB = "alicethelistenedto", "bobwholistens"
PASSWORD = "a-password-of-its-own"
LINES = ["the tulips are in the teapot", "at the seventh hour of the eighth day", "täglich außer montags 🌷"]


def forms(text: str) -> list[bytes]:
    """How a text could stand on a line."""
    raw = text.encode()
    return [raw, raw.upper(), base64.b64encode(raw)[:-4], base64.b32encode(raw)[:-8], raw.hex().encode()]


def converse(clients: Clients) -> None:
    """Both register; each says something to the other, and to all."""
    alice, bob = (clients.start(name, "--json", "--follow", RESTANTE_PASSWORD=PASSWORD) for name in (ALICE, BOB))
    for each in (alice, bob):
        each.hear("online")
    for one, another, name in ((alice, bob, BOB), (bob, alice, ALICE)):
        for line in LINES:
            one.type(f"{name}: {line}\n{line}\n")
            another.hear("message", text=line, to=name)
            another.hear("message", text=line, to="#lobby")
    for each in (alice, bob):
        assert each.end(signal.SIGTERM).code == 0


def test_a_listener_learns_nothing(broker: Broker, tmp_path: Path) -> None:
    first, second = side_by_side(broker.port)
    with first, second, Clients(first.port, tmp_path / "clients") as clients:
        converse(clients)
        seen = bytes(first.seen), bytes(second.seen)
    assert len(seen[0]) > sum(len(line) for line in LINES) * 4  # it was this line on which they talked
    assert base64.b32decode(broker.key.upper() + "====") in seen[1]  # the only thing that is not secret
    for secret in (ALICE, BOB, PASSWORD, *LINES):
        for form in forms(secret):
            assert not any(form in each for each in seen), form
