"""GitHub's time, by the responses that it sends."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock


class ServerClock:
    """GitHub's clock as its answers tell it: a runner's own may be wrong.

    In between it goes on by `elapsed`, in seconds, which is not set by anybody.
    """

    def __init__(self, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._elapsed = elapsed
        self._lock = Lock()
        self._latest: datetime | None = None
        self._heard_at = 0.0

    @property
    def is_set(self) -> bool:
        """Whether GitHub has told the time yet."""
        return self._latest is not None

    def sync(self, instant: datetime) -> None:
        """Set the clock; it never goes back."""
        with self._lock:
            self._latest = max(self._tell(), instant) if self._latest else instant
            self._heard_at = self._elapsed()

    def __call__(self) -> datetime:
        """Tell the time, to the second below."""
        with self._lock:
            return self._tell()

    def _tell(self) -> datetime:
        if self._latest is None:
            raise RuntimeError("nothing has been asked yet")
        return self._latest + timedelta(seconds=int(self._elapsed() - self._heard_at))
