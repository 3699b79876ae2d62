"""What people were shown, what their journals know, and what stands in a log: by its text."""

from __future__ import annotations

from protocol import frames
from tests.core.actor import Actor
from tests.core.world import World


def texts(actor: Actor) -> list[str]:
    """What it was shown."""
    return [envelope.body.decode() for envelope in actor.envelopes()]


def known(actor: Actor) -> list[str]:
    """What stands in its journal, of all eras."""
    return [envelope.body.decode() for envelope in actor.notebook.history.values()]


def stored(world: World, log: str = "#lobby") -> list[str]:
    """What stands in a log."""
    packed = world.store.read(log, 0, 10_000, 10**9).envelopes
    return [frames.decode_envelope(each).body.decode() for each in packed]
