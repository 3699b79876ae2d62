"""The one thread for what takes long."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.transport.wires import BOUND_S, until
from transport.poller import Poller, Waker
from transport.worker import QUEUE_JOBS, Worker


class Gate:
    """Work that goes on only when it may."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.open = threading.Event()
        self.did: list[int] = []

    def work(self, job: int) -> int:
        self.begun.release()
        assert self.open.wait(BOUND_S)
        self.did.append(job)
        return job * job


@contextmanager
def working(work: Callable[[int], object], waker: Waker) -> Iterator[Worker[int, object]]:
    """A worker that is gone afterwards."""
    worker = Worker(work, waker)
    try:
        yield worker
    finally:
        worker.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "worker"]


def test_answers_come_in_order_with_their_jobs_and_wake_the_loop(waker: Waker) -> None:
    with working(lambda job: job * job, waker) as worker:
        assert worker.answers() == []
        assert all(worker.submit(job) for job in range(10))
        came: list[tuple[int, object]] = []
        until(lambda: waker.take() or came.extend(worker.answers()) or len(came) == 10, waker.fileno())
    assert came == [(job, job * job) for job in range(10)]


def test_the_loop_is_woken(waker: Waker) -> None:
    poller = Poller()
    poller.add(waker.fileno())
    with working(lambda job: job, waker) as worker:
        worker.submit(1)
        assert poller.wait(None) == [waker.fileno()]
        assert worker.answers() == [(1, 1)]


def test_it_works_on_a_thread_of_its_own(waker: Waker) -> None:
    with working(lambda job: threading.get_ident(), waker) as worker:
        worker.submit(1)
        ((_, thread),) = until(worker.answers, waker.fileno())
    assert thread != threading.get_ident()


def test_too_many_jobs_are_refused_and_the_others_done(waker: Waker) -> None:
    gate = Gate()
    with working(gate.work, waker) as worker:
        worker.submit(0)
        assert gate.begun.acquire(timeout=BOUND_S)  # it is being done, so the queue is empty
        taken = [worker.submit(job) for job in range(1, QUEUE_JOBS + 3)]
        assert taken == [True] * QUEUE_JOBS + [False, False]
        gate.open.set()
        came: list[tuple[int, object]] = []
        until(lambda: came.extend(worker.answers()) or len(came) == QUEUE_JOBS + 1, waker.fileno())
    assert gate.did == list(range(QUEUE_JOBS + 1))


class Job:
    """One that shows when nobody holds it any more."""


def test_closing_ends_what_is_begun_and_drops_the_rest(waker: Waker) -> None:
    begun, gate = threading.Event(), threading.Event()
    done: list[Job] = []

    def work(job: Job) -> None:
        begun.set()
        assert gate.wait(BOUND_S)
        done.append(job)

    worker: Worker[Job, None] = Worker(work, waker)
    jobs = [Job() for _ in range(QUEUE_JOBS)]
    held = [weakref.ref(job) for job in jobs]
    assert all(worker.submit(job) for job in jobs)
    del jobs
    assert begun.wait(BOUND_S)
    closing = threading.Thread(target=worker.close)
    closing.start()
    until(lambda: not any(job() for job in held[1:]))
    gate.set()
    closing.join(BOUND_S)
    assert not closing.is_alive()
    assert done == [held[0]()]


def test_our_own_mistake_is_raised_in_the_loop(waker: Waker) -> None:
    def work(job: int) -> int:
        return 1 // job

    with working(work, waker) as worker:
        worker.submit(0)
        with pytest.raises(ZeroDivisionError):
            until(worker.answers, waker.fileno())
        worker.submit(1)
        assert until(worker.answers, waker.fileno()) == [(1, 1)]
