"""One thread for what takes long: checking a password takes 25 ms of a processor, and the loop must not wait.

One thread, because two would slow the loop down more than they help; a bounded queue, because a login that would
wait for seconds should rather be told to come back.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from transport.poller import Waker

# Half a second of work.
QUEUE_JOBS = 20

Job = TypeVar("Job")
Answer = TypeVar("Answer")


class Worker(Generic[Job, Answer]):
    """Does jobs one after the other; its thread touches no socket."""

    def __init__(self, work: Callable[[Job], Answer], waker: Waker) -> None:
        self._work = work
        self._waker = waker
        self._jobs: queue.Queue[Job | None] = queue.Queue(QUEUE_JOBS)
        self._answers: queue.SimpleQueue[tuple[Job, Answer] | BaseException] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> bool:
        """Queue a job; False if there are too many already."""
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            return False
        return True

    def queued(self) -> int:
        """How many jobs nobody has begun yet."""
        return self._jobs.qsize()

    def answers(self) -> list[tuple[Job, Answer]]:
        """What is done. A job that failed by our own mistake raises here, in the loop."""
        done: list[tuple[Job, Answer]] = []
        while not self._answers.empty():
            answer = self._answers.get()
            if isinstance(answer, BaseException):
                raise answer
            done.append(answer)
        return done

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                self._answers.put((job, self._work(job)))
            except BaseException as error:
                self._answers.put(error)
            self._waker.wake()

    def close(self) -> None:
        """Finish what is being done and drop the rest."""
        while True:
            try:
                self._jobs.get_nowait()
            except queue.Empty:
                break
        self._jobs.put(None)
        self._thread.join()
