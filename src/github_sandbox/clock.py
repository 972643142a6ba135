"""The clocks a sandbox can run by: the real time, or a time that a test controls."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the real time."""
    return datetime.now(UTC)


class VirtualClock:
    """A clock that stands still until a test advances it."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def __call__(self) -> datetime:
        """Return the time."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move the time forward."""
        self._now += by
