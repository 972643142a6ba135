"""A signal interrupts a run, and then again when its time is up."""

import signal
import threading
import time

import pytest

from redeliver.errors import Interrupted
from redeliver.interruption import LAST_SECONDS, TICK, interruptible, uninterrupted


def stop() -> None:
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)


def test_an_interruption_comes_again_at_the_deadline() -> None:
    with interruptible():
        with pytest.raises(Interrupted):
            stop()
        with pytest.raises(Interrupted):
            time.sleep(10 * LAST_SECONDS)


def test_a_signal_that_ends_no_system_call_is_still_noticed() -> None:
    """As one does that comes the moment before the call begins; here another thread gets it."""
    interrupted, over = threading.Event(), threading.Lock()
    heard = list[bool]()

    def stop_elsewhere() -> None:
        time.sleep(TICK)
        stop()
        heard.append(interrupted.wait(10 * TICK))
        over.release()

    over.acquire()
    with interruptible():
        elsewhere = threading.Thread(target=stop_elsewhere)
        elsewhere.start()
        with pytest.raises(Interrupted):
            over.acquire()
        interrupted.set()
        elsewhere.join()
    assert heard == [True]


def test_a_signal_during_the_start_of_a_thread_is_delayed() -> None:
    reached = list[str]()

    def start() -> None:
        with uninterrupted():
            stop()
            reached.append("the end")

    with interruptible(), pytest.raises(Interrupted):
        start()
    assert reached == ["the end"]


@pytest.mark.unmeasured  # coverage has a lock, which an exception at any point leaves held
def test_a_signal_before_the_start_of_a_thread_blocks_none() -> None:
    """At whatever moment it comes, of which as many are tried as the old fault took to show."""
    here, before = threading.get_ident(), signal.pthread_sigmask(signal.SIG_BLOCK, ())

    def begin_without_end() -> None:
        with uninterrupted():
            threading.Timer(0.0005, signal.pthread_kill, (here, signal.SIGTERM)).start()
        while True:
            with uninterrupted():
                pass

    for _ in range(300):
        with interruptible(), pytest.raises(Interrupted):
            begin_without_end()
        assert signal.pthread_sigmask(signal.SIG_SETMASK, before) == before
