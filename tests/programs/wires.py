"""A wire between clients and a broker that can be looked at: it passes everything on, and keeps a copy."""

from __future__ import annotations

import selectors
import socket
import threading

from tests.programs.programs import BOUND_S, HOST

_READ_BYTES = 65536


class Wire:
    """Listens on a port and passes each connection on to another port. ``seen`` is all that has passed, both ways."""

    def __init__(self, to: int, server: socket.socket | None = None) -> None:
        self._to = to
        self._server = server or socket.create_server((HOST, 0))
        self.port = int(self._server.getsockname()[1])
        self.seen = bytearray()
        self._over: dict[socket.socket, socket.socket] = {}  # one end of a connection → the other
        self._selector = selectors.DefaultSelector()
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        for source in (self._server, self._stopped):
            self._selector.register(source, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select(BOUND_S):
                source = key.fileobj
                assert isinstance(source, socket.socket)
                if source is self._stopped:
                    return
                if source is self._server:
                    self._join(self._server.accept()[0])
                elif source in self._over:
                    self._pass_on(source)

    def _join(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection((HOST, self._to), timeout=BOUND_S)
        except OSError:
            near.close()
            return
        for one, another in ((near, far), (far, near)):
            self._over[one] = another
            self._selector.register(one, selectors.EVENT_READ)

    def _pass_on(self, source: socket.socket) -> None:
        try:
            read = source.recv(_READ_BYTES)
            self.seen += read
            self._over[source].sendall(read)
        except OSError:
            read = b""
        if not read:
            for end in (source, self._over[source]):
                self._selector.unregister(end)
                del self._over[end]
                end.close()

    def __enter__(self) -> Wire:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.send(b"x")
        self._thread.join()
        for end in (*self._over, self._server, self._stop, self._stopped):
            end.close()
        self._selector.close()


def side_by_side(port: int) -> tuple[Wire, Wire]:
    """Wires to a broker's port and to the one behind it, themselves one behind the other."""
    while True:
        first = socket.create_server((HOST, 0))
        try:
            second = socket.create_server((HOST, first.getsockname()[1] + 1))
        except OSError:
            first.close()
        else:
            return Wire(port, first), Wire(port + 1, second)
