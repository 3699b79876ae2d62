"""A world in which every frame of the broker is checked against the laws, as it is sent."""

from __future__ import annotations

from typing import Any

from core.commands import Send
from protocol import frames
from protocol.frames import Accepted, Deliver, Run, decode
from tests.core.world import World


class Witness(World):
    """Compares what the broker says with what its store really holds at that moment."""

    accepts = 0  # frames that were looked at
    delivers = 0

    def _send(self, send: Send) -> None:
        frame: Any = decode(send.frame)
        if isinstance(frame, Accepted):
            self.accepts += 1
            self._saw_accepted(send.peer, frame)
        elif isinstance(frame, Deliver):
            self.delivers += 1
            for run in frame.runs:
                self._saw_run(run)
        super()._send(send)

    def _saw_accepted(self, peer: bytes, accepted: Accepted) -> None:
        device = self.broker.core.sessions.by_peer[peer].device
        last = self.store.devices([device])[device].last
        assert accepted.n <= last, f"{device} was told {accepted.n}, on disk is {last}"

    def _saw_run(self, run: Run) -> None:
        kept = self.store.read(run.log, run.first - 1, len(run.envelopes), 10**9)
        there = [frames.decode_envelope(packed) for packed in kept.envelopes]
        assert (kept.first, there) == (run.first, run.envelopes), f"{run.log} {run.first} is not so on disk"
