"""How long GitHub's responses of the last minute took, all threads together."""

from collections import deque
from threading import Lock

MAX_SECONDS = 80.0
"""Seconds per minute. GitHub allows 90 seconds of CPU time for 60 seconds of real time, and says
that the time of the responses is a rough estimate of it. A thread alone cannot use up more than 60
seconds; eight threads that read logs can.
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
"""


class ResponseTime:
    """The responses of the last minute, for any thread. All times are in seconds."""

    def __init__(self, *, counts_for: float) -> None:
        """Count each response for this many seconds."""
        self._counts_for = counts_for
        self._lock = Lock()
        self._responses = deque[tuple[float, float]]()
        """When each response was complete, and how long it took."""
        self._total = 0.0

    def add(self, seconds: float, now: float) -> None:
        """Count a response that took `seconds`."""
        with self._lock:
            self._responses.append((now, seconds))
            self._total += seconds

    def seconds_until_room(self, now: float) -> float:
        """Return how long to wait until the responses of a minute took less than they may."""
        with self._lock:
            while self._responses and self._responses[0][0] + self._counts_for <= now:
                self._total -= self._responses.popleft()[1]
            total, at = self._total, now
            for when, seconds in self._responses:
                if total < MAX_SECONDS:
                    break
                total -= seconds
                at = when + self._counts_for
            return at - now
