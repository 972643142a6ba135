"""GitHub's two rate limits: requests per hour (primary) and points per minute (secondary).

Pure: no HTTP and no clock. The caller passes in the time.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

PRIMARY_LIMIT = 5000
PRIMARY_WINDOW = timedelta(hours=1)

SECONDARY_WINDOW = timedelta(minutes=1)
READ_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
READ_POINTS = 1
WRITE_POINTS = 5


def request_points(method: str) -> int:
    """Return how many points a request costs."""
    return READ_POINTS if method in READ_METHODS else WRITE_POINTS


@dataclass(slots=True, kw_only=True)
class PrimaryLimit:
    """Requests per hour. GitHub counts them per user, so all tokens share one limit."""

    reset_at: datetime
    remaining: int = PRIMARY_LIMIT

    @property
    def used(self) -> int:
        """How many requests were counted since the last reset."""
        return PRIMARY_LIMIT - self.remaining

    @property
    def reset_timestamp(self) -> int:
        """When the limit is reset, in whole seconds since 1970."""
        # Rounded up, so that a client that waits until then is not too early.
        return math.ceil(self.reset_at.timestamp())

    def reset_if_due(self, now: datetime) -> None:
        """Start a new hour if the old one is over."""
        if now >= self.reset_at:
            self.remaining = PRIMARY_LIMIT
            self.reset_at = now + PRIMARY_WINDOW

    def spend(self, now: datetime) -> bool:
        """Count one request, or return False if no request remains."""
        self.reset_if_due(now)
        if self.remaining == 0:
            return False
        self.remaining -= 1
        return True


@dataclass(slots=True, kw_only=True)
class SecondaryLimit:
    """Points per minute: within any 60 seconds, requests may cost `points` in total."""

    points: int
    _spent: deque[tuple[datetime, int]] = field(default_factory=deque, init=False, repr=False)

    def spend(self, method: str, now: datetime) -> bool:
        """Count the points of one request, or return False if they would exceed the limit."""
        while self._spent and self._spent[0][0] <= now - SECONDARY_WINDOW:
            self._spent.popleft()
        cost = request_points(method)
        if sum(points for _, points in self._spent) + cost > self.points:
            return False
        self._spent.append((now, cost))
        return True
