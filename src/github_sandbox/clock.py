"""Clocks for a sandbox: the real time, or a time that a test controls."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the real time."""
    return datetime.now(UTC)


class VirtualClock:
    """A clock that stands still until a test advances it, which any thread may do."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._lock = Lock()

    def __call__(self) -> datetime:
        """Return the time."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move the time forward."""
        with self._lock:
            self._now += by
