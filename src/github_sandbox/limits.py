"""How much may be asked in a while: the primary and the secondary rate limit.

Pure: no HTTP and no clock; what time it is comes in as an argument.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

PRIMARY_LIMIT = 5000
LIMIT_WINDOW = timedelta(hours=1)

POINTS_WINDOW = timedelta(minutes=1)
READS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(slots=True, kw_only=True)
class RateLimit:
    """The primary rate limit. GitHub counts per user, so all tokens share it."""

    reset_at: datetime
    remaining: int = PRIMARY_LIMIT

    @property
    def used(self) -> int:
        """How many requests were counted."""
        return PRIMARY_LIMIT - self.remaining

    @property
    def reset(self) -> int:
        """When to come back, in whole seconds since 1970."""
        # Rounded up: who comes at exactly this time must not be too early.
        return math.ceil(self.reset_at.timestamp())

    def renew(self, now: datetime) -> None:
        """Begin anew if it is time."""
        if now >= self.reset_at:
            self.remaining = PRIMARY_LIMIT
            self.reset_at = now + LIMIT_WINDOW

    def spend(self, now: datetime) -> bool:
        """Count one request, or tell that there is none left."""
        self.renew(now)
        if self.remaining == 0:
            return False
        self.remaining -= 1
        return True


@dataclass(slots=True, kw_only=True)
class PointLimit:
    """The secondary rate limit: what the requests of any one minute may cost together."""

    per_minute: int
    _spent: deque[tuple[datetime, int]] = field(default_factory=deque, init=False, repr=False)

    def spend(self, method: str, now: datetime) -> bool:
        """Count one request, or tell that it would cost too much."""
        while self._spent and self._spent[0][0] <= now - POINTS_WINDOW:
            self._spent.popleft()
        cost = 1 if method in READS else 5
        if sum(points for _, points in self._spent) + cost > self.per_minute:
            return False
        self._spent.append((now, cost))
        return True
