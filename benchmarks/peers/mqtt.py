"""MQTT 3.1.1: mosquitto, with QoS 0 (at most once) and QoS 1 (at least once, kept in memory for who is away)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.tongue import ROOM, Line, body, found

_CONFIG = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_queued_messages 0
max_queued_bytes 0
max_inflight_messages 0
set_tcp_nodelay true
log_type error
user root
"""
_PUBLISH, _PUBACK, _SUBACK = 0x30, 0x40, 0x90
_IDS = 65535


class Mosquitto:
    """One topic for each account, one for the room."""

    program = "mosquitto"
    fans = True
    batch = 1

    def __init__(self, qos: int) -> None:
        self.name = f"mosquitto QoS {qos}"
        self.promise = "queued in memory, no sync" if qos else "none"
        self.stores = self.acknowledges = bool(qos)
        self.window = 256 if qos else 2048
        self._qos = qos

    def command(self, folder: Path, port: int, accounts: Sequence[str]) -> list[str]:
        """With no limits on queues."""
        config = folder / "config"
        config.write_text(_CONFIG.format(port=port))
        return [str(found(self.program)), "-c", str(config)]

    def enter(self, line: Line, reads: bool) -> None:
        """Connect; with QoS 1 the session and its subscriptions stay while the account is away."""
        session = 0 if self._qos else 2
        said = _text("MQTT") + bytes((4, session)) + struct.pack(">H", 600) + _text(line.account)
        heard = line.ask(packet(0x10, said), b"\x20\x02")
        if reads:
            topics = [f"m/{line.account}", f"m/{ROOM}"]
            wanted = b"".join(_text(topic) + bytes((self._qos,)) for topic in topics)
            line.sock.sendall(packet(0x82, b"\x00\x01" + wanted))
            self.take(line, heard[4:])
            while not line.ready:  # what had waited may come before the answer
                self.take(line, line.wait(b""))

    def publish(self, line: Line, count: int, size: int) -> bytes:
        """PUBLISH, with numbers that begin anew after 65535."""
        topic, text = _text(f"m/{line.to}"), body(size)
        if not self._qos:
            return packet(_PUBLISH, topic + text) * count
        head = packet(_PUBLISH | 2, topic + b"\0\0" + text)[: -len(text) - 2]
        ids = ((line.sent + number) % _IDS + 1 for number in range(count))
        return b"".join(head + number.to_bytes(2, "big") + text for number in ids)

    def take(self, line: Line, data: bytes) -> None:
        """Read packet by packet; a message with QoS 1 is acknowledged."""
        data, place, answers = line.rest + data, 0, []
        while (found_ := next_packet(data, place)) is not None:
            begin, end = found_
            kind = data[place]
            if kind & 0xF0 == _PUBLISH:
                line.got += 1
                if kind & 6:
                    topic = int.from_bytes(data[begin : begin + 2], "big")
                    answers.append(b"\x40\x02" + data[begin + 2 + topic : begin + 4 + topic])
            elif kind & 0xF0 == _PUBACK:
                line.accepted += 1
            elif kind & 0xF0 == _SUBACK:
                line.ready = True
            place = end
        line.rest = data[place:]
        line.out += b"".join(answers)


def packet(kind: int, content: bytes) -> bytes:
    """A packet: its kind, the length of its content in groups of seven bits, its content."""
    length, left = bytearray(), len(content)
    while True:
        left, group = divmod(left, 128)
        length.append(group | 128 if left else group)
        if not left:
            return bytes((kind, *length)) + content


def next_packet(data: bytes, place: int) -> tuple[int, int] | None:
    """Where the content of the packet at this place begins and ends; None if it has not come whole."""
    length = shift = 0
    for begin in range(place + 1, min(place + 5, len(data))):
        length |= (data[begin] & 127) << shift
        shift += 7
        if data[begin] < 128:
            end = begin + 1 + length
            return (begin + 1, end) if end <= len(data) else None
    return None


def _text(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode()
