"""Several things done at once, in threads that cannot be interrupted."""

import signal
import threading
from datetime import timedelta
from functools import partial
from threading import Barrier, Event

import pytest

from redeliver.crew import Crew

SOON = 30.0
"""Seconds until a test is given up that waits for what does not come."""


def test_as_many_things_are_done_at_once_as_there_are_workers_and_no_more() -> None:
    together = Barrier(3)

    def meet() -> None:
        together.wait(SOON)

    with Crew[str](3) as crew:
        for name in ("a", "b", "c"):
            assert not crew.is_busy
            crew.give(name, meet)
        assert crew.is_busy

        heard = [crew.hear(), crew.hear(), crew.hear()]

        assert sorted(name for name, _ in filter(None, heard)) == ["a", "b", "c"]
        assert crew.at_work == 0


def test_what_is_given_out_is_begun_in_that_order() -> None:
    begun = list[int]()
    with Crew[int](1) as crew:
        for number in range(9):
            crew.give(number, partial(begun.append, number))
        heard = [crew.hear() for _ in range(9)]

    assert begun == [*range(9)]
    assert heard == [(number, None) for number in range(9)]


def test_what_a_worker_raises_is_told_to_who_gave_it_out() -> None:
    fault = KeyError("no")

    def fails() -> None:
        raise fault

    with Crew[str](1) as crew:
        crew.give("a", fails)

        assert crew.hear() == ("a", fault)


def test_nobody_waits_where_nothing_is_at_work_or_for_longer_than_wanted() -> None:
    hangs = Event()

    def wait() -> None:
        hangs.wait(SOON)

    with Crew[str](1) as crew:
        assert crew.hear() is None
        crew.give("a", wait)
        assert crew.hear(within=timedelta(milliseconds=1)) is None

        hangs.set()
        assert crew.hear() == ("a", None)


@pytest.mark.parametrize("hanging", [0, 2])
def test_workers_go_when_they_are_done_and_nobody_waits_for_them(hanging: int) -> None:
    hangs, before = Event(), set(threading.enumerate())

    def wait() -> None:
        hangs.wait(SOON)

    with Crew[int](3) as crew:
        for number in range(3):
            crew.give(number, wait if number < hanging else lambda: None)
        for _ in range(3 - hanging):
            crew.hear()

    workers = set(threading.enumerate()) - before
    hangs.set()
    for worker in workers:
        worker.join(SOON)
        assert not worker.is_alive()
        assert worker.daemon


def test_a_worker_leaves_signals_to_who_waits_for_it() -> None:
    masks = list[set[int]]()

    def look() -> None:
        masks.append({*signal.pthread_sigmask(signal.SIG_BLOCK, [])})

    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    with Crew[str](1) as crew:
        crew.give("a", look)
        crew.hear()

    assert masks[0] >= {signal.SIGINT, signal.SIGTERM, signal.SIGALRM}
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before
