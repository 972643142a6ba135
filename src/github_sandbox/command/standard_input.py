"""Read the lines that a user types, without a thread and without delaying a signal."""

import os
import select
import sys
from collections.abc import Iterator
from threading import Event

SLICE = 0.2
"""Seconds after which a wait for input looks whether to stop."""

BACKGROUND_WAIT = 1.0
"""Seconds between two attempts to read while the shell has put this process in the background."""


def typed_lines(stop: Event) -> Iterator[str]:
    """Yield the lines of standard input, until it ends or `stop` is set.

    The caller has to ignore SIGTTIN, which stops a process that reads in the background.
    """
    if sys.stdin is None:  # it was closed when Python started
        return
    descriptor = sys.stdin.fileno()
    rest, has_ended = b"", False
    while not (has_ended or stop.is_set()):
        if not select.select([descriptor], [], [], SLICE)[0]:
            continue
        try:
            chunk = os.read(descriptor, 4096)
        except OSError:  # the terminal now belongs to another process
            stop.wait(BACKGROUND_WAIT)
            continue
        has_ended = not chunk
        *lines, rest = (rest + (chunk or b"\n")).split(b"\n")
        for line in lines:
            if not stop.is_set():
                yield line.decode(errors="replace")
