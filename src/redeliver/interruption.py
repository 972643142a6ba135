"""Turn the signals of a cancelled job into one exception.

A runner sends SIGINT, 7.5 s later SIGTERM, and kills 2.5 s after that:
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation

Windows has no alarm and cannot hold signals back. There, how GitHub answers may make the
saving last until the runner kills, which loses nothing.
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
"""How long the checkpoint may take to be saved after a signal, however GitHub answers."""

TICK = 0.1
"""Seconds between alarms. Python hears of a signal when its next instruction is due, and a system
call ends early for one. But a signal that comes when the call is about to begin would be heard
only at its end, as late as GitHub answers. The next alarm ends the call."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise `Interrupted` in the block at the first signal, and again when time is up.

    Further signals change nothing; nor does any that comes after the block, where only
    moments of telling are left.
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
    """Let a signal that comes in the block count only after it.

    For what does not bear an exception at any point, as `threading` does not.
    """
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        # For a signal that has just come this raises, when it has held them back already.
        signal.pthread_sigmask(signal.SIG_BLOCK, {*SIGNALS, signal.SIGALRM})
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _tick_every(seconds: float) -> None:
    """Have `SIGALRM` come again and again; never, for 0."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, seconds, seconds)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Do nothing; SIG_IGN would have Python complain of a signal that is already on its way."""
