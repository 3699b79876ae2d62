"""A reader that stands still costs the broker nothing, and gets everything when it goes on."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.torture.sender import Sender
from tests.torture.stage import Stage, wait

pytestmark = pytest.mark.timeout(900)  # for machines that are slow: each wait has a bound of its own

MESSAGES = 100_000
# So many fill the broker's caches (4 MiB of segments, 32 MiB of pages): what they hold is no debt to a reader.
WARM_UP_MESSAGES = 100_000
# A window is half a MiB. Without one ZeroMQ's own queues would take 12 MiB before the broker gave the reader up.
GROWTH_KIB = 8 * 1024
STATUS = Path("/proc/self/status")


def texts(begin: int, count: int) -> list[str]:
    """Numbered messages of 200 bytes."""
    return [f"{number:<200}" for number in range(begin, begin + count)]


def resident_kib(process: int) -> int:
    """What a process holds in memory."""
    lines = STATUS.parent.parent.joinpath(str(process), "status").read_text().splitlines()
    (size,) = (line.split()[1] for line in lines if line.startswith("VmRSS:"))
    return int(size)


@pytest.mark.skipif(not STATUS.exists(), reason="memory is measured by /proc")
def test_the_broker_holds_nothing_for_a_reader_that_stands_still(stage: Stage) -> None:
    reader = stage.device("reader-1")
    reader.come()
    with Sender(stage.broker.port, stage.broker.key, "sender") as sender:
        sender.send("reader", texts(1, WARM_UP_MESSAGES))
        wait(lambda: printed(reader.printed_path) == WARM_UP_MESSAGES, "the reader prints the first ones")
        before = resident_kib(stage.broker.process.pid)
        reader.signal(signal.SIGSTOP)
        began = time.monotonic()
        sender.send("reader", texts(WARM_UP_MESSAGES + 1, MESSAGES))
        grown = resident_kib(stage.broker.process.pid) - before
        seconds = time.monotonic() - began
        missing = WARM_UP_MESSAGES + MESSAGES - printed(reader.printed_path)
        reader.signal(signal.SIGCONT)
    wait(lambda: printed(reader.printed_path) >= WARM_UP_MESSAGES + MESSAGES, "the reader prints the others")
    assert [int(text) for text in reader.texts()] == list(range(1, WARM_UP_MESSAGES + MESSAGES + 1))
    assert missing > MESSAGES - 1000
    assert grown < GROWTH_KIB
    print(f"{MESSAGES} messages in {seconds:.1f} s to a stopped reader, broker {before} KiB, {grown:+} KiB")


def printed(path: Path) -> int:
    """How many messages a client has printed."""
    return path.read_bytes().count(b'"event":"message"')
