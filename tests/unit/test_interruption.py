"""A signal interrupts a run in its next wait, and again at the deadline."""

import signal
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue

import pytest

from redeliver.errors import Interrupted
from redeliver.interruption import SLICE, get, holding, interruptible, sleep

LONG = 20
"""Seconds that a test never waits."""


def send(number: signal.Signals = signal.SIGTERM) -> None:
    """Send a signal to this thread."""
    signal.pthread_kill(threading.get_ident(), number)


def test_an_interruption_comes_again_at_the_deadline() -> None:
    with interruptible():
        send()
        sent_at = time.monotonic()
        with pytest.raises(Interrupted):
            sleep(LONG)
        with pytest.raises(Interrupted):
            sleep(LONG)
        assert 2 <= time.monotonic() - sent_at < 4

        sleep(2 * SLICE)  # there is no third one


@pytest.mark.parametrize(
    "wait",
    [
        pytest.param(lambda: sleep(LONG), id="sleep"),
        pytest.param(lambda: get(SimpleQueue[None]()), id="get"),
        pytest.param(lambda: get(SimpleQueue[None](), timeout=LONG), id="get with a timeout"),
        pytest.param(lambda: sleep(0), id="a sleep of no time"),
    ],
)
def test_a_signal_before_a_wait_ends_the_wait(wait: Callable[[], None]) -> None:
    with interruptible():
        send()
        with pytest.raises(Interrupted):
            wait()


def test_a_signal_ends_the_wait_for_a_lock() -> None:
    """Another thread may hold it during a request that hangs."""
    lock = threading.Lock()
    with lock, interruptible():
        send()
        with pytest.raises(Interrupted), holding(lock):
            pass


def test_a_lock_is_held_in_the_block_and_released_after_it() -> None:
    lock = threading.Lock()

    with holding(lock):
        assert lock.locked()

    assert not lock.locked()


def test_a_signal_that_another_thread_gets_ends_a_wait() -> None:
    """It does not end a system call of the main thread."""

    def send_from_thread() -> None:
        time.sleep(SLICE)
        send()

    with interruptible():
        thread = threading.Thread(target=send_from_thread)
        thread.start()
        with pytest.raises(Interrupted):
            sleep(LONG)
        thread.join()


def test_only_the_first_of_several_signals_counts() -> None:
    with interruptible():
        send(signal.SIGINT)
        send(signal.SIGTERM)
        with pytest.raises(Interrupted) as caught:
            sleep(LONG)
        sleep(2 * SLICE)
        send(signal.SIGTERM)
        sleep(2 * SLICE)

    assert caught.value.signal is signal.SIGINT


def test_a_signal_does_not_interrupt_what_is_not_a_wait() -> None:
    """The main thread may be starting another thread, or hold a lock."""
    with interruptible():
        send()
        lock = threading.Lock()
        with lock:
            threading.Thread(target=lambda: None).start()
        with pytest.raises(Interrupted):
            sleep(LONG)

    assert not lock.locked()


def test_no_signal_interrupts_what_follows_the_block() -> None:
    with interruptible():
        send()
    send()
    sleep(2 * SLICE)


def test_a_wait_of_another_thread_is_not_interrupted() -> None:
    slept, queue = list[str](), SimpleQueue[str]()

    def wait() -> None:
        sleep(2 * SLICE)
        slept.append(get(queue))

    with interruptible():
        send()
        thread = threading.Thread(target=wait)
        thread.start()
        queue.put("an item")
        thread.join()

    assert slept == ["an item"]


def test_a_sleep_takes_its_time() -> None:
    start = time.monotonic()

    sleep(2.5 * SLICE)

    assert time.monotonic() - start >= 2.5 * SLICE


@pytest.mark.parametrize("timeout", [0, 1.5 * SLICE])
def test_an_empty_queue_is_an_error_after_the_timeout(timeout: float) -> None:
    start = time.monotonic()

    with pytest.raises(Empty):
        get(SimpleQueue[None](), timeout=timeout)

    assert time.monotonic() - start >= timeout


def test_an_item_that_is_there_is_returned_at_once() -> None:
    queue = SimpleQueue[str]()
    queue.put("an item")

    assert get(queue, timeout=0) == "an item"
