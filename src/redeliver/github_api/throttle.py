"""Keep requests within GitHub's rate limits, and limit how long a run waits for them.

All threads that send requests share one throttle.
"""

import math
import time
from collections import deque
from collections.abc import Callable
from threading import Lock

from redeliver import interruption
from redeliver.github_api.response_time import ResponseTime
from redeliver.github_api.wait_budget import WaitBudget

READ_POINTS, WRITE_POINTS = 1, 5
"""The points that GitHub counts for a request."""

MAX_POINTS = 860
"""Points per minute. GitHub allows 900, which are 180 redeliveries. The rest is left for urgent
requests, and for other programs that use the same token.
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
"""

URGENT_POINTS = 20
"""Points per minute for urgent requests only: to read and save the checkpoint costs six, a few
times a minute, and a new token of an App five. They must not wait for redeliveries."""

MINUTE = 61.0
"""Seconds for which a request counts. GitHub counts from when a request arrives, so a slow request
could otherwise fall into the same minute as later ones."""

MAX_WAIT_SECONDS = 300
"""How long a run waits for GitHub in total, for rate limits, before it repeats a request, and for
requests that get no response. A secondary rate limit mostly lasts a minute. Longer waits are left
to the next run, because a runner costs money while it waits."""

MAX_EVENLY = 60
"""Redeliveries per minute. Up to this rate, they are sent evenly, one after the other. GitHub asks
for that, with a second between two of them, which is this rate. Above it, a minute's redeliveries
are sent at once.
https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#pause-between-mutative-requests
"""

MIN_RATE_FACTOR = 1 / 8
"""The slowest rate, as a part of the usual one, when GitHub keeps limiting requests. If even that
is too fast, the wait budget runs out."""

MIN_LOGGED_WAIT = 1.0
"""Seconds. Shorter waits are not logged: near the limit, every request waits a little."""


class Throttle:
    """Counts the requests of the last minute, and makes further ones wait when there are too many.

    At most `per_minute` redeliveries are sent in any minute, and requests of at most `MAX_POINTS`
    unless GitHub has no limits. Below these, requests do not wait, but redeliveries are sent evenly
    if `MAX_EVENLY` or fewer are allowed.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        *,
        per_minute: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = interruption.sleep,
    ) -> None:
        """With a `per_minute` of 0, only the points limit redeliveries."""
        self._say = say
        self._per_minute = per_minute or math.inf
        self._clock = clock
        self._sleep = sleep
        self._lock = Lock()
        self._sent = deque[tuple[float, int, int]]()
        """When each request was sent, its points, and 1 if it was a redelivery."""
        self._points = 0
        self._redeliveries = 0
        self._latest_redelivery = -math.inf
        self._logged_interval = 0.0
        """The seconds between two redeliveries that the log already shows."""
        self._rate_factor = 1.0
        """The rate as a part of the usual one; lower after a secondary rate limit."""
        self._has_limits: bool | None = None
        self._held_until = -math.inf
        self._is_in_a_hurry = False
        self._wait_budget = WaitBudget(MAX_WAIT_SECONDS)
        self._response_time = ResponseTime(counts_for=MINUTE)

    def seconds_until_turn(self) -> float:
        """Return how many seconds to wait before the next redelivery may be requested."""
        with self._lock:
            return self._seconds_until_room(WRITE_POINTS, redeliveries=1)

    def wait_for_turn(self) -> None:
        """Block until the next redelivery may be requested, and count it."""
        self._wait(WRITE_POINTS, redeliveries=1)

    def wait(self, points: int, *, urgent: bool = False) -> None:
        """Block until a request that is not a redelivery may be sent, and count its points."""
        self._wait(points, urgent=urgent)

    def hurry(self) -> None:
        """From now on, let urgent requests go without waiting: the run ends in a moment."""
        self._is_in_a_hurry = True

    def learn_limits(self, *, has_limits: bool) -> None:
        """Learn from a response whether this GitHub has rate limits.

        Enterprise Server has none unless they are switched on. One response with limits suffices.
        https://docs.github.com/en/enterprise-server/admin/configuring-settings/configuring-user-applications-for-your-enterprise/configuring-rate-limits
        """
        with self._lock:
            self._has_limits = has_limits or bool(self._has_limits)

    def back_off(self, seconds: float, why: str) -> bool:
        """Wait before a request is repeated, and return True; return False if that is too long.

        It is too long if the run would wait for more than `MAX_WAIT_SECONDS` in total.
        """
        with self._lock:
            granted = self._wait_budget.take(seconds, self._clock())
        return self._waited(seconds, granted, why)

    def hold(self, seconds: float, why: str, *, is_too_fast: bool) -> bool:
        """Wait likewise, make all other requests wait too, and halve the rate if `is_too_fast`."""
        with self._lock:
            now = self._clock()
            granted = self._wait_budget.take(seconds, now)
            if granted is not None:
                # Requests that were under way get the same response and must not halve it again.
                if is_too_fast and now >= self._held_until:
                    self._has_limits = True
                    if self._rate_factor > MIN_RATE_FACTOR:
                        self._rate_factor /= 2
                        why = f"{why}. After that, redeliver continues half as fast"
                self._held_until = max(self._held_until, now + seconds)
        return self._waited(seconds, granted, why)

    @property
    def has_waited_too_long(self) -> bool:
        """Whether the run has waited for more than `MAX_WAIT_SECONDS`, so that it must end."""
        return self._wait_budget.is_exceeded

    @property
    def has_planned_too_long(self) -> bool:
        """Whether missing responses have taken so long that a run must begin to redeliver."""
        return self._wait_budget.without_response >= MAX_WAIT_SECONDS / 2

    def now(self) -> float:
        """Return the time in seconds, for `charge_since`."""
        return self._clock()

    def mark_sent(self, *, is_redelivery: bool) -> float:
        """Return the time, and let the interval before the next redelivery begin at it."""
        now = self._clock()
        if is_redelivery:
            self._latest_redelivery = now
        return now

    def charge_since(self, start: float) -> None:
        """Count the time since `start` as a wait: a request got no response."""
        with self._lock:
            self._wait_budget.charge(start, self._clock())

    def responded(self, seconds: float) -> None:
        """Count a response that took `seconds`."""
        self._response_time.add(seconds, self._clock())

    def _wait(self, points: int, *, redeliveries: int = 0, urgent: bool = False) -> None:
        has_logged = False
        while True:
            with self._lock:
                pause = self._seconds_until_room(points, redeliveries=redeliveries, urgent=urgent)
                is_held = self._held_until > self._clock()
                if pause <= 0 or (urgent and self._is_in_a_hurry):
                    now = self.mark_sent(is_redelivery=bool(redeliveries))
                    self._sent.append((now, points, redeliveries))
                    self._points += points
                    self._redeliveries += redeliveries
                    return
            # `hold` has logged its own wait.
            if pause >= MIN_LOGGED_WAIT and not has_logged and not is_held:
                has_logged = True
                self._log_wait(pause, redeliveries)
            self._sleep(pause)

    def _seconds_until_room(self, points: int, *, redeliveries: int, urgent: bool = False) -> float:
        """Return how many seconds to wait until the limits allow this request."""
        now = self._clock()
        while self._sent and self._sent[0][0] + MINUTE <= now:
            _, spent, redelivered = self._sent.popleft()
            self._points -= spent
            self._redeliveries -= redelivered
        at = max(now, self._held_until)
        if self._has_limits is not False and not urgent:
            at = max(at, now + self._response_time.seconds_until_room(now))
        if redeliveries:  # only a redelivery has to wait for other redeliveries
            at = max(at, self._latest_redelivery + self._interval)
            redeliveries += self._redeliveries
        points += self._points - (URGENT_POINTS if urgent else 0)
        for when, spent, redelivered in self._sent:
            if points <= self._max_points and redeliveries <= self._max_redeliveries:
                break
            points -= spent
            redeliveries -= redelivered
            at = max(at, when + MINUTE)
        return at - now

    @property
    def _max_points(self) -> float:
        return math.inf if self._has_limits is False else MAX_POINTS * self._rate_factor

    @property
    def _max_redeliveries(self) -> float:
        rate = self._per_minute * self._rate_factor
        return rate if rate == math.inf else max(math.floor(rate), 1)

    @property
    def _interval(self) -> float:
        """The seconds between two redeliveries; 0 if those of a minute may be sent at once."""
        rate = self._max_redeliveries
        return MINUTE / rate if rate <= MAX_EVENLY else 0.0

    def _log_wait(self, pause: float, redeliveries: int) -> None:
        interval, limit = self._interval if redeliveries else 0.0, self._limit(redeliveries)
        if pause - interval >= MIN_LOGGED_WAIT:
            for_responses = self._response_time.seconds_until_room(self._clock())
            if self._has_limits is not False and for_responses > pause - MIN_LOGGED_WAIT:
                limit = "GitHub limits how much CPU time its responses of a minute take"
            self._say(f"Waiting {pause:.0f} s: {limit}")
        elif interval != self._logged_interval:  # logged once, not before each redelivery
            self._logged_interval = interval
            self._say(f"Requesting a redelivery every {interval:.1f} s: {limit}")

    def _limit(self, redeliveries: int) -> str:
        if redeliveries and self._max_redeliveries * WRITE_POINTS <= self._max_points:
            return f"the limit is {self._max_redeliveries:.0f} redeliveries per minute"
        return (
            f"redeliver uses at most {self._max_points:.0f} points of GitHub's rate limit per "
            f"minute (a read costs {READ_POINTS}, a redelivery {WRITE_POINTS})"
        )

    def _waited(self, seconds: float, granted: float | None, why: str) -> bool:
        if granted is None:
            return False
        if granted > seconds / 2:  # otherwise another thread has just logged this wait
            self._say(f"Waiting {seconds:.1f} s before the next request: {why}")
        self._sleep(seconds)
        return True
