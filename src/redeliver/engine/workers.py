"""Run several jobs at the same time, each in a thread, and collect their results."""

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, Self, TypeVar

from redeliver import interruption

K = TypeVar("K")


class WorkerPool(Generic[K]):
    """At most `size` threads, started when there is work for them.

    Jobs start in submission order. Results, tagged with the job's key, go to the submitting
    thread only, so nothing else has to be shared. Leaving the pool does not wait for its threads,
    as the executors of the standard library do: a run that is interrupted must not hang because
    GitHub does not respond.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._workers = 0
        self._jobs = SimpleQueue[tuple[K, Callable[[], object]] | None]()
        self._finished = SimpleQueue[tuple[K, BaseException | None]]()
        self.pending = 0
        """How many submitted jobs have no collected result yet."""

    def __enter__(self) -> Self:
        """Open the pool."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Let each thread end after its current job."""
        for _ in range(self._workers):
            self._jobs.put(None)

    @property
    def is_full(self) -> bool:
        """Whether every thread has a job."""
        return self.pending == self._size

    def submit(self, key: K, job: Callable[[], object]) -> None:
        """Start a job, or if the pool is full, as soon as a thread is free."""
        self.pending += 1
        if self._workers < min(self.pending, self._size):
            self._workers += 1
            Thread(target=self._work, name=f"worker-{self._workers}", daemon=True).start()
        self._jobs.put((key, job))

    def next_result(
        self, *, timeout: timedelta | None = None
    ) -> tuple[K, BaseException | None] | None:
        """Wait for the next job to end; return its key and the exception that it raised, if any.

        Return None if no job is pending, or none ends within `timeout`.
        """
        if not self.pending:
            return None
        try:
            seconds = math.inf if timeout is None else timeout.total_seconds()
            result = interruption.get(self._finished, timeout=seconds)
        except Empty:
            return None
        self.pending -= 1
        return result

    def _work(self) -> None:
        while (submitted := self._jobs.get()) is not None:
            key, job = submitted
            raised = None
            try:
                job()
            except BaseException as error:  # noqa: BLE001 - the submitting thread raises it
                raised = error
            self._finished.put((key, raised))


def run_all(jobs: Mapping[K, Callable[[], object]], *, size: int) -> Iterator[K]:
    """Run jobs, at most `size` at the same time, and yield the key of each that has ended.

    Raise what a job raises.
    """
    with WorkerPool[K](size) as pool:
        for key, job in jobs.items():
            pool.submit(key, job)
        while finished := pool.next_result():
            key, error = finished
            if error:
                raise error
            yield key
