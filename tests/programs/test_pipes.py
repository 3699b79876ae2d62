"""A pipe is told the truth: an exit code says what became of the lines, and what it says, is so."""

from __future__ import annotations

import json
import re
import select
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.programs.programs import BOUND_S, Broker, Clients, Ended, Program, until
from tests.torture.stage import free_port

StartBroker = Callable[..., Broker]
ClientsOf = Callable[[Broker], Clients]

KEPT = "restante: 1 message is not accepted yet; it is kept, and goes out with the next run\n"
MANY = 20_000


class Absent(NamedTuple):
    """A broker that is away. These accounts have been there, so what they say is kept: ann, ben, cleo, dan, bob."""

    folder: Path
    clients: Clients

    def back(self) -> Broker:
        """It is back."""
        return Broker(self.folder, port=self.clients.port)


@pytest.fixture(scope="module")
def absent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Absent]:
    folder = tmp_path_factory.mktemp("absent")
    with (
        Broker(folder / "broker", port=free_port()) as broker,
        Clients(broker.port, folder / "clients", broker.key) as clients,
    ):
        clients.register("ann", "ben", "cleo", "dan", "bob")
        assert broker.end(signal.SIGTERM).code == 0
        yield Absent(folder / "broker", clients)


def test_nothing_is_said_when_all_is_well(clients: Clients, reader: Program, alice: str) -> None:
    clients.register(alice)
    ended = clients.run(alice, typed="one\ntwo\nreader: psst\n")
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert sorted(reader.hear_from(alice, 3)) == ["one", "psst", "two"]


def test_what_was_said_while_the_broker_was_away_arrives_once(absent: Absent) -> None:
    clients = absent.clients
    ended = clients.run("ann", "--wait", "0.3", typed="one\ntwo\nbob: psst\n")
    assert (ended.code, ended.out) == (75, "")
    assert ended.err == "restante: 3 messages are not accepted yet; they are kept, and go out with the next run\n"
    with absent.back():
        assert clients.run("ann").code == 0
        assert clients.run("ann", "-m", "three").code == 0
        assert sorted(clients.fetch("bob").texts) == ["one", "psst", "three", "two"]


def test_a_run_waits_for_a_broker_that_is_late(absent: Absent) -> None:
    client = absent.clients.start("ben", "--wait", "60", "--json")
    client.hear("offline")
    client.type("patience\n")
    client.end_input()
    with absent.back():
        assert client.end().code == 0
        assert absent.clients.fetch("bob").texts == ["patience"]


def test_a_broker_that_does_not_answer(start_broker: StartBroker, clients_of: ClientsOf) -> None:
    broker = start_broker()
    clients = clients_of(broker)
    clients.register("alice")
    broker.process.send_signal(signal.SIGSTOP)
    ended = clients.run("alice", "--wait", "0.5", "-m", "hi")
    assert (ended.code, ended.err) == (75, KEPT)
    assert clients.run("bob", "--wait", "0.5", "-m", "hi").code == 69
    broker.process.send_signal(signal.SIGCONT)
    assert clients.run("alice").code == 0


def test_the_gravest_of_several(absent: Absent) -> None:
    """77 before 75 before 65."""
    clients = absent.clients
    slip = clients.run("cleo", "--wait", "0.3", typed="/shrug\none\n")
    assert slip.code == 75
    assert "line 1: there is no command /shrug" in slip.err
    with absent.back():
        wrong = clients.run("cleo", "wrong", typed="/shrug\n")
        assert wrong.code == 77
        assert wrong.err.endswith(KEPT)
        assert clients.run("cleo", typed="/shrug\n").code == 65
        assert clients.fetch("bob").texts == ["one"]


def test_nothing_to_send_and_nobody_there(absent: Absent) -> None:
    assert absent.clients.run("bob", "--wait", "0.3").code == 69


def test_very_many_lines(clients: Clients, reader: Program, alice: str) -> None:
    lines = [f"line {number} of {alice}" for number in range(MANY)]
    assert clients.run(alice, typed="\n".join(lines)).code == 0
    assert reader.hear_from(alice, MANY) == lines


def test_killed_while_it_sends(clients: Clients, reader: Program, alice: str) -> None:
    """What it had read it sends with the next run, and each line once; what it had not read is still the writer's."""
    sender = clients.start(alice)
    sender.type("".join(f"{number}\n" for number in range(5000)))
    reader.hear_from(alice, 100)
    sender.kill()
    assert clients.run(alice, "-m", "end").code == 0
    reader.hear("message", **{"from": alice}, text="end")
    *come, end = reader.hear_from(alice, 101)
    assert end == "end"
    assert come == [str(number) for number in range(len(come))]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0), (signal.SIGHUP, 0)])
def test_a_signal(clients: Clients, alice: str, number: int, code: int) -> None:
    client = clients.start(alice, "--json")
    client.hear("online")
    ended = client.end(number)
    assert (ended.code, ended.err) == (code, "")


def test_a_signal_while_something_is_kept(absent: Absent) -> None:
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 75)):
        client = absent.clients.start("dan", "--json")
        client.hear("offline")
        client.type("hi\n/outbox\n")
        client.hear("outbox")
        ended = client.end(number)
        assert ended.code == code
        assert "kept" in ended.err


def test_whoever_reads_the_output_is_gone(clients: Clients, reader: Program, alice: str) -> None:
    client = clients.start(alice, "--json", "--follow")
    client.hear("who")
    reader.type(f"{alice}: one\n")
    client.hear("message", text="one")
    client.stop_reading()
    reader.type(f"{alice}: two\n")
    ended = client.end()
    assert (ended.code, ended.err) == (141, "")
    assert clients.fetch(alice).texts == ["two"]


def test_one_line_is_enough_for_it(clients: Clients, alice: str, bob: str) -> None:
    """More than a pipe holds: the client meets its end while it still writes."""
    clients.register(bob)
    assert clients.run(alice, typed=("x" * 100 + "\n") * 3000).code == 0
    client = clients.start(bob, "--fetch", stdin=subprocess.DEVNULL)
    client.see(rf"^\d\d:\d\d {alice}: x+\n")
    client.stop_reading()
    assert client.end().code == 141


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="there is no /proc, which tells whether a pipe is full")
def test_a_signal_ends_it_though_nobody_reads(clients: Clients, alice: str, bob: str) -> None:
    """More than a pipe holds: it stands in the middle of a line. What was not written comes with the next run."""
    clients.register(bob)
    assert clients.run(alice, typed="".join(f"{bob}: {number} {'x' * 1000}\n" for number in range(300))).code == 0
    client = clients.start(bob, "--json", "--follow")
    until(lambda: fills(client), "what it writes fills its pipe")
    client.process.send_signal(signal.SIGTERM)
    assert client.process.wait(BOUND_S) == 0
    whole = [json.loads(line) for line in client.end().out.splitlines() if line.endswith("}")]
    numbers = [int(each["text"].split()[0]) for each in whole if each["event"] == "message"]
    rest = [int(text.split()[0]) for text in clients.fetch(bob).texts]
    assert sorted({*numbers, *rest}) == list(range(300))
    assert rest == list(range(rest[0], 300))


def fills(program: Program) -> bool:
    """Whether what it writes fills its pipe, so that it waits for somebody to read.

    Only the end that it writes to can tell: what is in a pipe that is full depends on how much each write brought.
    """
    with Path(f"/proc/{program.process.pid}/fd/1").open("wb", buffering=0) as pipe:
        return not select.select([], [pipe], [], 0)[1]


def test_it_pauses_and_gets_everything(clients: Clients, reader: Program, alice: str) -> None:
    lines = [f"{number} " + "x" * 100 for number in range(3000)]  # more than a pipe holds, and nobody reads it yet
    assert clients.run(alice, typed="\n".join(lines)).code == 0
    assert reader.hear_from(alice, 3000) == lines


def test_two_runs_at_once_are_two_devices(clients: Clients, reader: Program, alice: str) -> None:
    clients.register(alice)
    both = [clients.start(alice, "--json", "--follow") for _ in range(2)]
    devices = {client.hear("online")["device"] for client in both}
    assert len(devices) == 2
    reader.type(f"{alice}: to all of you\n")
    for client in both:
        client.hear("message", text="to all of you")
    both[0].type("reader: from one of us\n")
    for client in both:
        client.hear("message", text="from one of us")
    assert [client.end(signal.SIGTERM).code for client in both] == [0, 0]
    assert sorted(path.name for path in clients.home(alice).parent.iterdir()) == ["1", "2"]


def test_what_a_killed_device_left_goes_out_with_a_run_that_only_sends(
    start_broker: StartBroker, clients_of: ClientsOf
) -> None:
    """Even if that device is not the first: somebody must send it."""
    broker = start_broker(port=free_port())
    clients = clients_of(broker)
    clients.register("bob", "alice")
    both = [clients.start("alice", "--json", "--follow") for _ in range(2)]
    for client in both:
        client.hear("online")
    assert broker.end(signal.SIGTERM).code == 0
    for number, client in enumerate(both, 1):
        client.hear("offline")
        client.type(f"from device {number}\n/outbox\n")
        client.hear("outbox")
        client.kill()
    start_broker(port=broker.port)
    for _ in range(2):
        assert clients.run("alice").code == 0
    assert sorted(clients.fetch("bob").texts) == ["from device 1", "from device 2"]


def ended_well(ended: Ended) -> bool:
    return ended.code == 0 and not re.search("not accepted", ended.err)


def test_the_broker_is_killed_while_many_send(start_broker: StartBroker, clients_of: ClientsOf) -> None:
    port = free_port()
    broker = start_broker(port=port)
    clients = clients_of(broker)
    watch = clients.start("bob", "--json", "--follow")
    watch.hear("online")
    senders = [clients.start(f"sender{number}", "--wait", "60") for number in range(3)]
    for number, sender in enumerate(senders):
        sender.type("".join(f"{number}.{line}\n" for line in range(2000)))
    watch.hear("message", text="1.100")
    broker.kill()
    start_broker(port=port)
    for sender in senders:
        sender.end_input()
    assert all(ended_well(sender.end()) for sender in senders)
    clients.run("alice", "-m", "end")
    watch.hear("message", text="end")
    texts = watch.end(signal.SIGTERM).texts
    for number in range(3):
        own = [text for text in texts if text.startswith(f"{number}.")]
        assert own == [f"{number}.{line}" for line in range(2000)]
