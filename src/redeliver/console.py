"""Where a run prints lines and progress: one interface for a workflow's log and a terminal."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Protocol

SECONDS_BETWEEN_LINES = 15
"""How often a log shows progress, so that a long run is seen to be alive."""


class Console(Protocol):
    """Prints what a run does.

    A single run prints all lines. Runs in a loop leave out what is no news.
    """

    def say(self, line: str) -> None:
        """Print a line about something that the run has done."""
        ...

    def remark(self, line: str) -> None:
        """Print a line about something that the next run may find unchanged."""
        ...

    def detail(self, line: str) -> None:
        """Print a line that every run has, so it matters only with others."""
        ...

    def progress(self, what: str, done: int, total: int | None) -> None:
        """Show that `done` of `total` is done; `total` is None if it is unknown."""
        ...

    def mask(self, secret: str) -> None:
        """Never show `secret`, such as a token that GitHub issued during the run."""
        ...


class LockedConsole:
    """A console that several threads may use."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = Lock()

    def say(self, line: str) -> None:
        """Print a line."""
        with self._lock:
            self._console.say(line)

    def remark(self, line: str) -> None:
        """Print a line that may be the same in the next run."""
        with self._lock:
            self._console.remark(line)

    def detail(self, line: str) -> None:
        """Print a line that every run has."""
        with self._lock:
            self._console.detail(line)

    def progress(self, what: str, done: int, total: int | None) -> None:
        """Show how much of something is done."""
        with self._lock:
            self._console.progress(what, done, total)

    def mask(self, secret: str) -> None:
        """Never show `secret`."""
        with self._lock:
            self._console.mask(secret)


class ProgressLines:
    """Prints progress as lines, at most one each `SECONDS_BETWEEN_LINES`."""

    def __init__(
        self, say: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say = say
        self._clock = clock
        self._last_line_at = clock()

    def __call__(self, what: str, done: int, total: int | None) -> None:
        """Print a line unless the last one was less than `SECONDS_BETWEEN_LINES` ago."""
        now = self._clock()
        if now - self._last_line_at >= SECONDS_BETWEEN_LINES:
            self._last_line_at = now
            self._say(f"{what} {done:,} of {total:,}" if total is not None else f"{what} {done:,}")
