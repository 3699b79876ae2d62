"""What the client's two kinds of connections have in common: one attempt each, and a monitor that says how it went."""

from __future__ import annotations

from collections.abc import Iterator

import zmq

from transport.context import HANDSHAKE_MS, endpoint, open_monitor
from transport.monitor import told

# A connection attempt that takes longer has failed.
CONNECT_MS = 5_000
# ZAP's answer to a key that was revoked.
_REVOKED = 400

_REASONS: dict[int, str] = {
    zmq.EVENT_HANDSHAKE_SUCCEEDED: "",
    zmq.EVENT_CLOSED: "refused",
    zmq.EVENT_DISCONNECTED: "cut",
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: "handshake",
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: "no-restante",
    zmq.EVENT_HANDSHAKE_FAILED_AUTH: "busy",
}


class Outgoing:
    """One socket for one attempt: the core alone decides when to try again."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], kind: int) -> None:
        self.socket = context.socket(kind)
        self.socket.linger = 0
        self.socket.reconnect_ivl = -1
        self.socket.connect_timeout = CONNECT_MS
        self.socket.handshake_ivl = HANDSHAKE_MS
        self.monitor = open_monitor(context, self.socket, sum(_REASONS))

    def connect(self, host: str, port: int, ipv6: bool) -> None:
        """Begin."""
        self.socket.ipv6 = ipv6
        try:
            self.socket.connect(endpoint(host, port))
        except zmq.ZMQError:
            self.close(0)
            raise

    def reasons(self) -> Iterator[str]:
        """What became of it: "" when it stands, else why it does not; send() would say nothing of it."""
        for event, value in told(self.monitor):
            revoked = event == zmq.EVENT_HANDSHAKE_FAILED_AUTH and value == _REVOKED
            yield "revoked" if revoked else _REASONS[event]

    def close(self, linger_ms: int = 0) -> None:
        """Let what was sent leave, for so long, and close."""
        self.socket.disable_monitor()
        self.monitor.close(0)
        self.socket.close(linger_ms)
