"""Turn the signals of a cancelled job into one exception.

A runner sends SIGINT, 7.5 s later SIGTERM, and kills 2.5 s after that:
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation

Windows has no alarm and cannot block signals. There, a slow response can delay saving the
checkpoint until the runner kills the process, which loses nothing.
"""

import math
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from redeliver.errors import Interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM)

LAST_SECONDS = 2.0
"""How long saving the checkpoint may take after a signal, even if GitHub does not respond."""

TICK = 0.1
"""Seconds between alarms.

A signal ends a system call early, and Python runs the handler before its next instruction. But if
the signal arrives just before the call begins, the handler would have to wait for the call's end,
which can be a slow response. The next alarm ends that call.
"""


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise `Interrupted` in the block at the first signal, and again `LAST_SECONDS` later.

    Further signals are ignored. So are all signals after the block, because only the report is
    left to write.
    """
    first: list[signal.Signals] = []
    until = math.inf

    def interrupt(number: int, _frame: FrameType | None) -> None:
        nonlocal until
        for handled in SIGNALS:
            signal.signal(handled, _ignore)
        first.append(signal.Signals(number))
        until = time.monotonic() + LAST_SECONDS
        raise Interrupted(first[0])

    def tick(_number: int, _frame: FrameType | None) -> None:
        nonlocal until
        if time.monotonic() >= until:
            until = math.inf
            raise Interrupted(first[0])

    if sys.platform != "win32":
        signal.signal(signal.SIGALRM, tick)
    for handled in SIGNALS:
        signal.signal(handled, interrupt)
    _tick_every(TICK)
    try:
        yield
    finally:
        _tick_every(0)
        for handled in SIGNALS:
            signal.signal(handled, _ignore)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Delay signals that arrive in the block until its end.

    Some code, such as `threading`, breaks if an exception is raised at any point of it.
    """
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        # If a signal has just arrived, this raises, but only after it has blocked the signals.
        signal.pthread_sigmask(signal.SIG_BLOCK, {*SIGNALS, signal.SIGALRM})
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _tick_every(seconds: float) -> None:
    """Have the system send `SIGALRM` at this interval; 0 ends that."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, seconds, seconds)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Do nothing. With SIG_IGN, Python would report an error for a signal that is pending."""
