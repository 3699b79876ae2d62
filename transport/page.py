"""One page that others fetch by HTTP, served from the loop that waits for everything else: no thread, and no waiting.

Nobody who fetches it can hold up the loop. What is read and written is what the kernel has or takes at that moment: a
page is smaller than what it takes of a new connection. There is no time limit because none is needed: who says nothing
holds one of a few places, until others come.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket

from transport.context import endpoint
from transport.router import NoAddress

# Connections at a time: a scraper or two, and somebody who looks by hand. The longest there gives way to one more.
PLACES = 4
# A scraper's request has some 300 bytes.
REQUEST_BYTES = 8 * 1024
# What the kernel holds of an answer: more than ten times what a page has.
ANSWER_BYTES = 256 * 1024

_ENDS = b"\r\n\r\n", b"\n\n"


class PagePort:
    """The page lies at ``path``; everything else there is an error. The port of a PagePort is ``port``."""

    def __init__(self, address: str, port: int, path: str) -> None:
        self._path = path.encode()
        self._listener = _listen(address, port, path)
        self.port: int = self._listener.getsockname()[1]
        self.place = endpoint(address, self.port).replace("tcp://", "http://") + path
        self._asking: dict[socket.socket, bytes] = {}  # what each has said so far, the longest there first
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)

    @property
    def source(self) -> int:
        """What to wait on: one descriptor that stands for all."""
        return self._selector.fileno()  # epoll has one, and so has kqueue

    def drain(self) -> list[socket.socket]:
        """Who has asked for the page; each is to be answered."""
        asked = []
        for key, _ in self._selector.select(0):
            line = key.fileobj
            assert isinstance(line, socket.socket)
            if line is self._listener:
                self._accept()
            elif line in self._asking and self._hear(line):
                asked.append(line)
        return asked

    def answer(self, line: socket.socket, kind: str, page: bytes) -> None:
        """Give it the page, and hang up."""
        self._answer(line, "200 OK", kind, page)

    def close(self) -> None:
        """Serve no more."""
        for line in list(self._asking):
            self._drop(line)
        self._selector.close()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # it has gone again, or there is no descriptor left
            line, _ = self._listener.accept()
            line.setblocking(False)
            self._asking[line] = b""
            self._selector.register(line, selectors.EVENT_READ)
            if len(self._asking) > PLACES:
                self._drop(next(iter(self._asking)))

    def _hear(self, line: socket.socket) -> bool:
        """Whether this one has now asked for the page; whoever wants something else is told so."""
        try:
            news = line.recv(REQUEST_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            news = b""
        said = self._asking[line] = self._asking[line] + news
        if not news:
            self._drop(line)
        elif any(end in said for end in _ENDS):
            return self._wants_page(line, said.split(b"\n", 1)[0].split())
        elif len(said) > REQUEST_BYTES:
            self._answer(line, "431 Request Header Fields Too Large")
        return False

    def _wants_page(self, line: socket.socket, request: list[bytes]) -> bool:
        if len(request) != 3 or not request[2].startswith(b"HTTP/"):
            self._answer(line, "400 Bad Request")
        elif request[0] != b"GET":
            self._answer(line, "405 Method Not Allowed")
        elif request[1].split(b"?")[0] != self._path:
            self._answer(line, "404 Not Found")
        else:
            return True
        return False

    def _answer(self, line: socket.socket, status: str, kind: str = "text/plain", page: bytes = b"") -> None:
        page = page or f"{status}: the page is {self._path.decode()}\n".encode()
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(page)}\r\nConnection: close\r\n\r\n"
        with contextlib.suppress(OSError):  # nobody waits for it any more
            line.send(head.encode() + page)
            line.shutdown(socket.SHUT_WR)
        self._drop(line)

    def _drop(self, line: socket.socket) -> None:
        if self._asking.pop(line, None) is not None:
            self._selector.unregister(line)
            line.close()


def _listen(address: str, port: int, path: str) -> socket.socket:
    """A listening socket; NoAddress if it can't be had."""
    try:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.create_server(("" if address == "*" else address, port), family=family, backlog=PLACES)
    except OSError as error:
        raise NoAddress(
            "can't serve {path} on {address} port {port}: {why}; nothing was started: choose another place",
            path=path,
            address=address,
            port=port,
            why=os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror,  # not Python's
        ) from None
    listener.setblocking(False)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ANSWER_BYTES)
    return listener
