"""Keep a part of the primary rate limit unused for what a run has to do later."""

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock

from redeliver.errors import UnavailableError
from redeliver.github_api.response import Response

SAME_RESET = 60.0
"""Seconds by which two responses may differ about the next reset. Resets are an hour apart, but
times are rounded, and responses can take a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """How many requests to leave unused: `most`, or less if the limit is small."""

    most: int
    thirds: int
    """A small limit must leave something for each step: a third of it for reading the logs, a
    third for redeliveries, and a third for the checkpoint."""
    purpose: str

    def size(self, limit: int) -> int:
        """Return the number for a limit that was once seen to have `limit` requests left."""
        return min(self.most, limit * self.thirds // 3)


FOR_REDELIVERIES = Reserve(most=500, thirds=2, purpose="redelivering what was found")
"""What reading the logs leaves. Otherwise, a long log could use up the limit in each run, and no
run would redeliver anything."""

FOR_CHECKPOINT = Reserve(most=20, thirds=1, purpose="saving the checkpoint")
"""What redeliveries leave."""


class PrimaryLimit:
    """What responses tell about the primary rate limit of a credential, for any thread."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._latest: Response | None = None
        self._remaining = 0
        """The smallest number that was seen since the last reset: responses of several threads
        arrive in any order."""
        self._resets_at = -math.inf
        self._limit = 0
        """The largest number of remaining requests that was seen."""
        self._under_way = 0
        """How many requests have no response yet, and may not be in `_remaining`."""

    def start(self, reserve: Reserve | None = None) -> tuple[Response, float] | None:
        """Count a request that is about to be sent, unless only `reserve` is left.

        In that case, return the latest response, and in how many seconds the limit resets.
        """
        with self._lock:
            if reserve and self._latest:
                left = self._remaining - self._under_way
                seconds = self._resets_at - self._clock()
                if left <= reserve.size(self._limit) and seconds > 0:
                    return self._latest, seconds
            self._under_way += 1
            return None

    def end(self, response: Response | None) -> None:
        """Learn from the response to a request that was counted; None if there was none."""
        with self._lock:
            self._under_way -= 1
            if response is None:
                self._remaining -= 1  # GitHub may have counted it
            elif response.remaining is not None:
                with suppress(UnavailableError):  # it has no valid date
                    self._learn(response, response.remaining)

    def _learn(self, response: Response, remaining: int) -> None:
        resets_at = self._clock() + response.seconds_until_reset
        if abs(resets_at - self._resets_at) < SAME_RESET:
            remaining = min(remaining, self._remaining)
        self._latest, self._remaining, self._resets_at = response, remaining, resets_at
        self._limit = max(self._limit, remaining)
