"""How long to wait before each further try of a request, and when to give up."""

import random
from itertools import islice

from redeliver.github_api.failure import Failure

PAUSES = (0.5, 1, 2, 4)
"""Seconds before each further try, times a random factor from 0.5 to 1.5: many workflows start in
the same minute and must not all retry in the same second."""

NEW_TOKEN_PAUSES = (1, 2, 4, 8)
"""Likewise, after GitHub refused a token because it is new. A token that GitHub never accepts is an
error within half a minute."""

SLOW_SECONDS = 5
"""After a try that took this long without a response, a request of the plan is tried only once
more: a run has to have time left to redeliver."""


class Backoff:
    """The further tries of one request."""

    def __init__(self, *, once: bool, is_planning: bool) -> None:
        """With `once`, allow none after a try that GitHub may have executed."""
        self._once = once
        self._is_planning = is_planning
        self._pauses = iter(PAUSES)
        self._new_token_pauses = iter(NEW_TOKEN_PAUSES)

    def next_pause(self, failure: Failure, *, took: float) -> float | None:
        """Return how many seconds to wait after a try that took `took` seconds; None to end."""
        if not failure.is_transient or (self._once and failure.may_be_done):
            return None
        if self._is_planning and failure.is_without_response and took >= SLOW_SECONDS:
            self._pauses = islice(self._pauses, 1)
        pauses = self._new_token_pauses if failure.new_token_response else self._pauses
        pause = next(pauses, None)
        if pause is None:
            return None
        return pause * random.uniform(0.5, 1.5)  # noqa: S311 - no secret depends on it
