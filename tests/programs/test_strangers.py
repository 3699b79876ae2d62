"""Those who do not speak as they should, or not at all: they are hung up on, and the others notice nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from core.gate import STRANGER_S
from tests.programs.peers import Peer
from tests.programs.programs import BOUND_S, HOST, Broker, Clients, Program, until
from tests.programs.test_floods import HARD_FILES, NEEDED_FILES, SILENT, Flood, open_files
from transport.context import HANDSHAKE_MS

# What the slowest machine takes on top of what the broker allows.
SLACK_S = 20.0
GARBAGE = {
    "silence": b"",
    "a web browser": b"GET / HTTP/1.1\r\n\r\n",
    "noise": bytes(range(256)) * 40,
}


@pytest.fixture
def alice_talks(clients: Clients, alice: str) -> Iterator[Program]:
    """An honest client; whatever happened, all that it has said was accepted, over one connection."""
    program = clients.start(alice, "--json", "--follow")
    program.hear("online")
    yield program
    for number in range(3):
        talk(program, f"and on {number}")
    assert [event["event"] for event in program.events].count("offline") == 0


def talk(program: Program, text: str) -> None:
    """Say something; wait until the broker has it."""
    program.type(f"{text}\n")
    program.hear("message", text=text)


def is_hung_up_on(line: socket.socket, left_s: float) -> bool:
    """Whether the broker ends this connection within so long."""
    line.settimeout(left_s)
    try:
        while line.recv(4096):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


@pytest.mark.parametrize("said", GARBAGE.values(), ids=GARBAGE)
@pytest.mark.parametrize("behind", [0, 1], ids=["broker", "key"])
def test_no_zmtp(broker: Broker, alice_talks: Program, said: bytes, behind: int) -> None:
    with socket.create_connection((HOST, broker.port + behind)) as line:
        line.sendall(said)
        assert is_hung_up_on(line, HANDSHAKE_MS / 1000 + SLACK_S)


def ends(kind: int, port: int, mechanism: str) -> int:
    """Knock without CURVE; the event that says how it ended."""
    with zmq.Context() as context, context.socket(kind) as knocker:
        knocker.linger = 0
        if mechanism == "PLAIN":
            knocker.plain_username, knocker.plain_password = b"alice", b"tulips"
        failed = zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
        with knocker.get_monitor_socket(failed | zmq.EVENT_HANDSHAKE_SUCCEEDED) as monitor:
            knocker.connect(f"tcp://{HOST}:{port}")
            assert monitor.poll(int(BOUND_S * 1000))
            event = int.from_bytes(monitor.recv_multipart()[0][:2], "little")
            knocker.disable_monitor()
    return event


@pytest.mark.parametrize("mechanism", ["NULL", "PLAIN"])
def test_without_encryption_nobody_gets_in(broker: Broker, alice_talks: Program, mechanism: str) -> None:
    assert ends(zmq.DEALER, broker.port, mechanism) != zmq.EVENT_HANDSHAKE_SUCCEEDED


def test_who_never_logs_in_is_hung_up_on(broker: Broker, alice_talks: Program) -> None:
    """A CURVE handshake alone does not keep a connection."""
    with Peer(broker) as peer, peer.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED) as monitor:
        assert monitor.poll(int((STRANGER_S + SLACK_S) * 1000))
        peer.socket.disable_monitor()


@pytest.mark.skipif(HARD_FILES < NEEDED_FILES, reason=f"a process may have {HARD_FILES} descriptors here")
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="descriptors are told by /proc")
def test_a_thousand_who_say_nothing(broker: Broker, clients: Clients, alice_talks: Program, bob: str) -> None:
    """Honest ones go on, and get in, meanwhile and afterwards; when all are hung up on, nothing of them is left."""
    talk(alice_talks, "before")
    before = open_files(broker)
    with Flood(broker, "thousand") as flood:
        until(lambda: open_files(broker) > before + SILENT // 2, "the broker has taken them")
        clients.register(bob)
        for number in range(50):
            talk(alice_talks, f"still talking {number}")
        assert flood.came_to() == 0
    until(lambda: open_files(broker) <= before, f"{before} descriptors again")
    assert clients.fetch(bob).code == 0
