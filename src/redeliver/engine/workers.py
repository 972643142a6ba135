"""Have several things done at once, each in a thread of its own, and hear how each went."""

from collections.abc import Callable
from datetime import timedelta
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, Self, TypeVar

from redeliver.interruption import uninterrupted

T = TypeVar("T")


class WorkerPool(Generic[T]):
    """At most `size` workers, who start when there is something to do for them.

    What is given out is begun in that order, and named by a `T` when it is over. Only who gives
    it out hears of it, so nothing else has to be shared. In the end they go when they are done,
    but nobody waits for them: a run that is told to stop must not hang on a GitHub that does not
    answer.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._workers = 0
        # These can be interrupted by a signal at any point and still be used after it.
        self._jobs = SimpleQueue[tuple[T, Callable[[], None]] | None]()
        self._done = SimpleQueue[tuple[T, BaseException | None]]()
        self.pending = 0
        """How many things were given out whose end was not heard of yet."""

    def __enter__(self) -> Self:
        """Take the crew on."""
        return self

    def __exit__(self, *_raised: object) -> None:
        """Let them go."""
        for _ in range(self._workers):
            self._jobs.put(None)

    @property
    def is_full(self) -> bool:
        """Whether nobody is free to begin with something else."""
        return self.pending == self._size

    def submit(self, name: T, job: Callable[[], None]) -> None:
        """Have something done; only if the crew is not busy."""
        self.pending += 1
        if self._workers < self.pending:
            self._workers += 1
            # The worker keeps these signals blocked, so that they interrupt who waits for it.
            with uninterrupted():
                Thread(target=self._work, name=f"worker-{self._workers}", daemon=True).start()
        self._jobs.put((name, job))

    def next_result(
        self, *, within: timedelta | None = None
    ) -> tuple[T, BaseException | None] | None:
        """Wait for the next thing to be over, and return what it raised, if it did.

        Return None if nothing is at work, or nothing is over `within` so long.
        """
        if not self.pending:
            return None
        try:
            heard = self._done.get(timeout=None if within is None else within.total_seconds())
        except Empty:
            return None
        self.pending -= 1
        return heard

    def _work(self) -> None:
        while (given := self._jobs.get()) is not None:
            name, job = given
            raised = None
            try:
                job()
            except BaseException as error:  # noqa: BLE001 - whoever hears of it raises it
                raised = error
            self._done.put((name, raised))
