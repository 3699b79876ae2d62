"""NATS: its core, which keeps nothing, and JetStream, which keeps a stream on disk and syncs it as often as told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.tongue import MARK, ROOM, Line, body, found

_CONNECT = b'CONNECT {"verbose":false,"pedantic":false,"lang":"bench","headers":false}\r\n'


class Core:
    """Subjects and subscriptions."""

    name = "NATS"
    promise = "none"
    program = "nats-server"
    window = 2048
    stores = acknowledges = False
    fans = True
    batch = 1

    def command(self, folder: Path, port: int, accounts: Sequence[str]) -> list[str]:
        """With its own settings."""
        return [str(found(self.program)), "-a", "127.0.0.1", "-p", str(port)]

    def enter(self, line: Line, reads: bool) -> None:
        """Connect, and subscribe to what is for this account and for the room."""
        line.wait(b"\r\n")
        subscribe = f"SUB m.{line.account} 1\r\nSUB m.{ROOM} 2\r\n".encode() if reads else b""
        line.ask(_CONNECT + subscribe + b"PING\r\n", b"PONG\r\n")

    def publish(self, line: Line, count: int, size: int) -> bytes:
        """PUB."""
        return (f"PUB m.{line.to} {size}\r\n".encode() + body(size) + b"\r\n") * count

    def take(self, line: Line, data: bytes) -> None:
        """Count."""
        line.got += data.count(MARK)
        if b"PING\r\n" in data:
            line.out += b"PONG\r\n"


class JetStream(Core):
    """One stream of all messages, on disk, and a durable consumer for each account that acknowledges cumulatively."""

    window = 256
    stores = acknowledges = True
    fans = False

    def __init__(self, sync: str) -> None:
        self._sync = sync
        always = sync == "always"
        self.name = "JetStream, sync always" if always else f"JetStream, sync every {sync}"
        self.promise = "on disk" if always else "accepted before the sync"

    def command(self, folder: Path, port: int, accounts: Sequence[str]) -> list[str]:
        """With its store in this folder."""
        config = folder / "config"
        config.write_text(f'jetstream {{ store_dir: "{folder}", sync_interval: {self._sync} }}\n')
        return [*super().command(folder, port, accounts), "-c", str(config)]

    def enter(self, line: Line, reads: bool) -> None:
        """The stream is made by whoever comes first, an account's consumer by its own first login."""
        super().enter(line, False)
        line.ask(f"SUB i.{line.account} 9\r\nPING\r\n".encode(), b"PONG\r\n")
        self._request(line, "STREAM.CREATE.S", {"name": "S", "subjects": ["m.*"], "storage": "file"})
        consumer = {
            "durable_name": line.account,
            "deliver_subject": f"d.{line.account}",
            "filter_subject": f"m.{line.account}",
            "ack_policy": "all",
            "deliver_policy": "all",
        }
        asked = {"stream_name": "S", "config": consumer}
        self._request(line, f"CONSUMER.DURABLE.CREATE.S.{line.account}", asked)
        if reads:
            # What has waited may come before the answer.
            self.take(line, line.ask(f"SUB d.{line.account} 1\r\nPING\r\n".encode(), b"PONG\r\n"))

    def _request(self, line: Line, subject: str, said: object) -> None:
        packed = json.dumps(said).encode()
        request = f"PUB $JS.API.{subject} i.{line.account} {len(packed)}\r\n".encode() + packed + b"\r\n"
        answer = line.ask(request, b"}\r\n")
        if b'"error"' in answer and b"in use" not in answer:
            raise ConnectionError(answer.decode())

    def publish(self, line: Line, count: int, size: int) -> bytes:
        """PUB with a subject for the answer, which says that it is stored."""
        return (f"PUB m.{line.to} i.{line.account} {size}\r\n".encode() + body(size) + b"\r\n") * count

    def take(self, line: Line, data: bytes) -> None:
        """Count messages, and answers; acknowledge the last message that came whole with its head."""
        super().take(line, data)
        line.accepted += data.count(b"{")
        if b'"error"' in data:
            raise ConnectionError(data.decode(errors="replace"))
        line.rest = (line.rest + data)[-65536:]
        end = line.rest.rfind(b"\r\n" + MARK)
        begin = line.rest.rfind(b"MSG m.", 0, max(0, end))
        if begin >= 0:
            line.out += b"PUB " + line.rest[begin:end].split(b" ")[3] + b" 0\r\n\r\n"
            line.rest = line.rest[end:]
