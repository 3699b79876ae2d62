"""The socket by which an operator's command asks a running broker."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import zmq

from tests.transport.wires import BOUND_S, Context, until
from transport.control import (
    NAME,
    PATH_BYTES,
    REQUEST_BYTES,
    TURN_REQUESTS,
    Control,
    NoControl,
    Request,
    ask,
    open_control,
)

WAIT_MS = int(BOUND_S * 1000)


@pytest.fixture
def control(context: Context, tmp_path: Path) -> Iterator[Control]:
    control = Control(context, tmp_path)
    yield control
    control.close()


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Callable[..., Future[dict[str, Any]]]]:
    """Asks from a thread of its own."""
    with ThreadPoolExecutor() as threads:
        yield lambda wait_ms=WAIT_MS, **said: threads.submit(ask, tmp_path, wait_ms, **said)


@pytest.fixture
def raw(context: Context, tmp_path: Path) -> Iterator[Callable[[], zmq.Socket[bytes]]]:
    """Connects without rules."""
    with ExitStack() as stack:

        def raw() -> zmq.Socket[bytes]:
            socket = context.socket(zmq.DEALER)
            stack.callback(socket.close, 0)
            socket.connect(f"ipc://{tmp_path / NAME}")
            return socket

        yield raw


def taken(control: Control, count: int = 1) -> list[Request]:
    """Wait for so many requests."""
    requests: list[Request] = []

    def enough() -> bool:
        requests.extend(control.drain())
        return len(requests) >= count

    until(enough, control.socket)
    return requests


Asking = Callable[..., Future[dict[str, Any]]]
Raw = Callable[[], zmq.Socket[bytes]]


def test_a_question_and_its_answer(control: Control, asking: Asking) -> None:
    answer = asking(do="copy", to="/somewhere/else")
    (request,) = taken(control)
    assert request.said == {"do": "copy", "to": "/somewhere/else"}
    control.answer(request, done=True)
    assert answer.result(BOUND_S) == {"done": True}


def test_each_gets_its_own_answer(control: Control, asking: Asking) -> None:
    answers = [asking(do="copy", number=number) for number in range(3)]
    for request in taken(control, 3):
        control.answer(request, number=request.said["number"])
    assert [answer.result(BOUND_S)["number"] for answer in answers] == [0, 1, 2]


def test_only_its_owner_may_ask(control: Control, tmp_path: Path) -> None:
    found = (tmp_path / NAME).stat().st_mode
    assert stat.S_ISSOCK(found)
    assert stat.S_IMODE(found) == 0o600


def test_what_others_may_do_with_new_files_is_as_before(control: Control, tmp_path: Path) -> None:
    os.close(os.open(tmp_path / "new", os.O_CREAT | os.O_WRONLY, 0o640))
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_nothing_stays_of_it(context: Context, tmp_path: Path) -> None:
    Control(context, tmp_path).close()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_broker_has_left_is_replaced(context: Context, tmp_path: Path, asking: Asking) -> None:
    (tmp_path / NAME).write_bytes(b"")
    control = Control(context, tmp_path)
    answer = asking(do="copy")
    control.answer(taken(control)[0], done=True)
    assert answer.result(BOUND_S) == {"done": True}
    control.close()


GARBAGE = [
    [b""],
    [b"", b""],
    [b"no JSON"],
    [b"\xff\xfe\x00"],
    [b"[]"],
    [b"null"],
    [b'"do"'],
    [b"{"],
    [b'{"do":' + b"[" * 15_000],
    [b'{"do":"\xff"}'],
    [b'{"do":"copy"}', b""],
]


@pytest.mark.parametrize("parts", GARBAGE, ids=repr)
def test_garbage_is_passed_by(control: Control, raw: Raw, asking: Asking, parts: list[bytes]) -> None:
    socket = raw()
    socket.send_multipart(parts)
    socket.send(b'{"do":"copy"}')
    assert [request.said for request in taken(control)] == [{"do": "copy"}]


def test_whoever_says_too_much_is_hung_up_on_and_others_are_heard(control: Control, raw: Raw, asking: Asking) -> None:
    raw().send(b'{"do":"' + b"x" * REQUEST_BYTES + b'"}')
    answer = asking(do="copy")
    (request,) = taken(control)
    assert request.said == {"do": "copy"}
    control.answer(request, done=True)
    assert answer.result(BOUND_S) == {"done": True}


def test_of_many_some_are_taken_in_each_turn(control: Control, raw: Raw) -> None:
    socket = raw()
    for number in range(5 * TURN_REQUESTS):
        socket.send(b'{"do":%d}' % number)
    counts: list[int] = []
    numbers: list[Any] = []

    def all_of_them() -> bool:
        some = control.drain()
        counts.append(len(some))
        numbers.extend(each.said["do"] for each in some)
        return len(numbers) == 5 * TURN_REQUESTS

    until(all_of_them, control.socket)
    assert max(counts) <= TURN_REQUESTS
    assert numbers == list(range(5 * TURN_REQUESTS))


def test_nobody_waits_for_an_operator_who_has_gone(control: Control, context: Context, raw: Raw) -> None:
    socket = raw()
    socket.send(b'{"do":"copy"}')
    (request,) = taken(control)
    socket.close(0)
    for _ in range(10_000):
        control.answer(request, error="x" * 1000)
    other = raw()
    other.send(b'{"do":"other"}')
    assert [each.said for each in taken(control)] == [{"do": "other"}]


def test_a_broker_that_says_nothing(control: Control, asking: Asking) -> None:
    with pytest.raises(NoControl, match="does not answer; stop it, then try again"):
        asking(wait_ms=1, do="copy").result(BOUND_S)


def test_a_broker_that_ends_meanwhile(control: Control, asking: Asking) -> None:
    answer = asking(do="copy")
    taken(control)
    control.close()
    with pytest.raises(NoControl, match="has ended meanwhile; try again"):
        answer.result(BOUND_S)


def test_a_broker_that_answers_and_ends(context: Context, tmp_path: Path, asking: Asking) -> None:
    for _ in range(20):
        control = Control(context, tmp_path)
        answer = asking(do="copy")
        (request,) = taken(control)
        control.answer(request, done=True)
        control.close()
        assert answer.result(BOUND_S) == {"done": True}


def test_whoever_holds_the_folder_may_be_no_broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transport.control.CONNECT_MS", 1)
    with pytest.raises(NoControl, match="can't be asked; wait until that one has ended"):
        ask(tmp_path, WAIT_MS, do="copy")


def test_a_name_that_is_not_utf_8(control: Control, tmp_path: Path) -> None:
    with pytest.raises(NoControl, match="a name that is UTF-8"):
        ask(tmp_path, WAIT_MS, do="copy", to=os.fsdecode(b"/tmp/\xff"))


def _deep(tmp_path: Path, size: int) -> Path:
    """A folder so that the socket's path has this many bytes."""
    folder = tmp_path
    while (left := size - len(os.fsencode(folder / NAME))) > 0:
        folder /= "d" * max(1, min(left - 1, 50))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_the_longest_path_that_fits(context: Context, tmp_path: Path) -> None:
    folder = _deep(tmp_path, PATH_BYTES)
    if len(os.fsencode(folder / NAME)) != PATH_BYTES:
        pytest.skip("this machine's own paths are too long")
    control = open_control(context, folder)
    assert control
    said: list[dict[str, Any]] = []
    asker = threading.Thread(target=lambda: said.append(ask(folder, WAIT_MS, do="copy")))
    asker.start()
    control.answer(taken(control)[0], done=True)
    asker.join(BOUND_S)
    assert said == [{"done": True}]
    control.close()


def test_a_path_that_is_too_long(context: Context, tmp_path: Path) -> None:
    folder = _deep(tmp_path, PATH_BYTES + 1)
    assert open_control(context, folder) is None
    with pytest.raises(NoControl, match="too long for a socket; with a shorter --data"):
        ask(folder, WAIT_MS, do="copy")
    assert list(folder.iterdir()) == []


def test_a_folder_in_which_nothing_can_be_made(context: Context, tmp_path: Path) -> None:
    assert open_control(context, tmp_path / "nowhere") is None
