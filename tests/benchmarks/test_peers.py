"""Others are spoken to in their own protocols, and what comes is counted right."""

from __future__ import annotations

import os
import socket

import pytest

from benchmarks.bench_peers import PEERS
from benchmarks.peers.mqtt import Mosquitto, next_packet, packet
from benchmarks.peers.nats import JetStream
from benchmarks.peers.tongue import Line, Tongue, body, found
from benchmarks.peers.traffic import fan, offline, one_to_one
from benchmarks.running import ROOT

SECONDS = 0.1


@pytest.fixture
def line() -> Line:
    with socket.socket() as sock:
        return Line(sock, "reader")


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384])
def test_a_packet_is_found_again_once_it_is_whole(size: int) -> None:
    packed = packet(0x30, b"x" * size)
    assert next_packet(packed, 0) == (len(packed) - size, len(packed))
    assert next_packet(packed[:-1], 0) is None


def test_messages_with_qos_1_are_acknowledged_however_they_are_cut(line: Line) -> None:
    mosquitto = Mosquitto(1)
    line.to = "reader"
    data = mosquitto.publish(line, 300, 200)
    for begin in range(0, len(data), 97):
        mosquitto.take(line, data[begin : begin + 97])
    assert line.got == 300
    assert line.out == b"".join(b"\x40\x02" + number.to_bytes(2, "big") for number in range(1, 301))
    assert line.rest == b""


def test_jetstream_acknowledges_the_last_message_that_came(line: Line) -> None:
    stream = JetStream("always")
    heads = [b"MSG m.reader 1 $JS.ACK.S.reader.1.%d.%d.7.0 20\r\n" % (n, n) for n in (1, 2, 3)]
    data = b"".join(head + body(20) + b"\r\n" for head in heads)
    stream.take(line, data[:-60])
    stream.take(line, data[-60:])
    assert line.got == 3
    assert line.out.endswith(b"PUB $JS.ACK.S.reader.1.3.3.7.0 0\r\n\r\n")


@pytest.mark.parametrize("tongue", PEERS, ids=lambda tongue: tongue.name)
def test_a_peer_that_is_here_takes_and_brings_everything(tongue: Tongue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join([os.environ["PATH"], str(ROOT / ".venv" / "bin")]))
    if not found(tongue.program):
        pytest.skip(f"{tongue.program} is not here")
    assert one_to_one(tongue, SECONDS, None).messages > 0
    if tongue.fans:
        assert fan(tongue, 3, SECONDS, None).messages % 3 == 0
    if tongue.stores:
        stored, drained = offline(tongue, SECONDS, None)
        assert stored.messages == drained.messages > 0
