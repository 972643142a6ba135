"""GitHub's time, from the `Date` headers of its responses."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock


class ServerClock:
    """GitHub's clock, because the runner's may be wrong.

    Between responses it advances with `elapsed`, a monotonic clock in seconds.
    """

    def __init__(self, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._elapsed = elapsed
        self._lock = Lock()
        self._latest: datetime | None = None
        self._synced_at = 0.0

    @property
    def is_set(self) -> bool:
        """Whether GitHub's time is known."""
        return self._latest is not None

    def sync(self, instant: datetime) -> None:
        """Set the clock to the time of a response; it never goes back."""
        with self._lock:
            self._latest = max(self._now(), instant) if self._latest else instant
            self._synced_at = self._elapsed()

    def __call__(self) -> datetime:
        """Return the time, rounded down to the second."""
        with self._lock:
            return self._now()

    def _now(self) -> datetime:
        if self._latest is None:
            raise RuntimeError("no response has told the time yet")
        return self._latest + timedelta(seconds=int(self._elapsed() - self._synced_at))
