"""Turn the signals of a cancelled job into one exception, which only waits raise.

A runner sends SIGINT, 7.5 s later SIGTERM, and kills 2.5 s after that:
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation

The main thread waits only with `sleep`, `get` and `holding`, which look for a signal ten times a
second. Everything else that it does is short, and an exception in the middle of it could do harm:
it could leave a lock held, or a thread half started.
"""

import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from threading import Lock, current_thread, main_thread
from types import FrameType
from typing import TypeVar

from redeliver.errors import Interrupted

T = TypeVar("T")

SIGNALS = (signal.SIGINT, signal.SIGTERM)

LAST_SECONDS = 2.0
"""How long saving the checkpoint may take after a signal, even if GitHub does not respond."""

SLICE = 0.1
"""Seconds after which a wait looks for a signal. The signal itself does not end the wait, because
Python continues to wait after a handler that does not raise."""

_due: list[tuple[float, signal.Signals]] = []
"""When to raise `Interrupted`, by the monotonic clock, and because of which signal."""


@contextmanager
def interruptible() -> Iterator[None]:
    """After the first signal, raise `Interrupted` in a wait, and again `LAST_SECONDS` later.

    Only waits of the main thread raise it. Further signals are ignored. So are all signals that
    no wait in the block has raised, because only the report is left to write.
    """
    _handle_signals_with(_interrupt)
    try:
        yield
    finally:
        _handle_signals_with(_ignore)
        _due.clear()


def sleep(seconds: float) -> None:
    """Sleep, or raise `Interrupted`. Use this instead of `time.sleep`."""
    until = time.monotonic() + seconds
    while True:
        _raise_if_due()
        left = until - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, SLICE))  # noqa: TID251 - short enough


def get(queue: SimpleQueue[T], *, timeout: float = math.inf) -> T:
    """Wait for an item and return it; raise `Empty` after `timeout` seconds, or `Interrupted`."""
    until = time.monotonic() + timeout
    while True:
        _raise_if_due()
        left = until - time.monotonic()
        try:
            return queue.get(timeout=max(min(left, SLICE), 0))
        except Empty:
            if left <= SLICE:
                raise


@contextmanager
def holding(lock: Lock) -> Iterator[None]:
    """Hold a lock that another thread may hold during a request, or raise `Interrupted`."""
    while not lock.acquire(timeout=SLICE):
        _raise_if_due()
    try:
        yield
    finally:
        lock.release()


def _raise_if_due() -> None:
    if _due and current_thread() is main_thread() and time.monotonic() >= _due[0][0]:
        _, number = _due.pop(0)
        raise Interrupted(number)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    now, received = time.monotonic(), signal.Signals(number)
    # If another signal has just come between these lines, this replaces what it has done.
    _due[:] = [(now, received), (now + LAST_SECONDS, received)]
    _handle_signals_with(_ignore)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Do nothing. With SIG_IGN, Python would report an error for a signal that is pending."""


def _handle_signals_with(handler: "signal._HANDLER") -> None:
    for handled in SIGNALS:
        signal.signal(handled, handler)
