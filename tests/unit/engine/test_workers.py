"""Jobs run in parallel, each in a thread."""

import signal
import threading
from contextlib import suppress
from datetime import timedelta
from functools import partial
from threading import Barrier, BrokenBarrierError, Event

import pytest

from redeliver.engine.workers import WorkerPool, run_all
from redeliver.errors import Interrupted
from redeliver.interruption import interruptible

SOON = 30.0
"""Seconds after which a test that hangs fails."""


def test_a_pool_runs_as_many_jobs_as_it_has_workers() -> None:
    together = Barrier(3)

    def meet() -> None:
        together.wait(SOON)

    with WorkerPool[str](3) as pool:
        for name in ("a", "b", "c"):
            assert not pool.is_full
            pool.submit(name, meet)
        assert pool.is_full

        results = [pool.next_result(), pool.next_result(), pool.next_result()]

        assert sorted(name for name, _ in filter(None, results)) == ["a", "b", "c"]
        assert pool.pending == 0


def test_jobs_start_in_submission_order() -> None:
    started = list[int]()
    with WorkerPool[int](1) as pool:
        for number in range(9):
            pool.submit(number, partial(started.append, number))
        results = [pool.next_result() for _ in range(9)]

    assert started == [*range(9)]
    assert results == [(number, None) for number in range(9)]


def test_an_exception_goes_to_the_submitting_thread() -> None:
    error = KeyError("no")

    def fail() -> None:
        raise error

    with WorkerPool[str](1) as pool:
        pool.submit("a", fail)

        assert pool.next_result() == ("a", error)


def test_next_result_waits_no_longer_than_the_timeout() -> None:
    hangs = Event()

    def wait() -> None:
        hangs.wait(SOON)

    with WorkerPool[str](1) as pool:
        assert pool.next_result() is None
        pool.submit("a", wait)
        assert pool.next_result(timeout=timedelta(milliseconds=1)) is None

        hangs.set()
        assert pool.next_result() == ("a", None)


def test_a_signal_interrupts_the_wait_for_a_result() -> None:
    hangs = Event()

    def wait() -> None:
        hangs.wait(SOON)

    with interruptible(), WorkerPool[str](1) as pool:
        pool.submit("a", wait)
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Interrupted):
            pool.next_result()

        hangs.set()
        assert pool.next_result() == ("a", None), "no result is lost"


@pytest.mark.parametrize("hanging", [0, 2])
def test_threads_end_after_their_job_and_the_pool_never_waits(hanging: int) -> None:
    hangs, before = Event(), set(threading.enumerate())

    def wait() -> None:
        hangs.wait(SOON)

    with WorkerPool[int](3) as pool:
        for number in range(3):
            pool.submit(number, wait if number < hanging else lambda: None)
        for _ in range(3 - hanging):
            pool.next_result()

    workers = set(threading.enumerate()) - before
    hangs.set()
    for worker in workers:
        worker.join(SOON)
        assert not worker.is_alive()
        assert worker.daemon


def test_jobs_that_run_at_once_end_in_any_order() -> None:
    together = Barrier(2)
    jobs = {name: partial(together.wait, SOON) for name in ("a", "b", "c", "d")}

    assert sorted(run_all(jobs, size=2)) == ["a", "b", "c", "d"]


def test_no_more_jobs_run_at_once_than_there_are_workers() -> None:
    """With a third thread, three of the nine jobs would run at the same time."""
    three, met = Barrier(3), list[int]()

    def meet() -> None:
        with suppress(BrokenBarrierError):
            met.append(three.wait(timeout=0.1))

    assert len(list(run_all(dict.fromkeys(range(9), meet), size=2))) == 9
    assert met == []


def test_what_one_of_several_jobs_raises_is_raised() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(run_all({"a": fail}, size=2))
