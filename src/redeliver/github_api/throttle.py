"""How fast requests may go by GitHub's rate limits, and how long a run waits for it.

Shared by all threads that ask.
"""

import math
import time
from collections import deque
from collections.abc import Callable
from threading import Lock

READ_POINTS, WRITE_POINTS = 1, 5
"""What a request costs of the points that GitHub takes in a minute."""

MAX_POINTS = 860
"""GitHub takes 900 points in any minute: a redelivery costs 5, so that is 180 of them. Some are
left for what is urgent, and for whoever else asks with the same token.
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
"""

URGENT_POINTS = 20
"""How many more are for urgent requests. What keeps the checkpoint is urgent: it costs six points
to read and save it, a few times in a minute, and must not wait for what it is about."""

MINUTE = 61.0
"""Seconds that something stays in the account. GitHub's minute begins when a request arrives
there, so one that took its time would else be met by others that are sooner."""

MAX_WAIT_SECONDS = 300
"""How long a run waits for GitHub, all in all. A secondary rate limit mostly asks for a minute;
what takes longer than this is better left to the next run than paid for on a runner."""

MIN_RATE_FACTOR = 1 / 8
"""How slow a run goes at most when GitHub keeps saying that it is too fast. A server to which even
that is too much uses up the patience."""

MIN_LOGGED_WAIT = 1.0
"""Seconds of a wait. When the account is full, every request has to wait a little."""


class WaitBudget:
    """The time that a run has for waiting, all in all.

    Who waits at the same time as another takes no more of it than that one.
    """

    def __init__(self) -> None:
        self._left: float = MAX_WAIT_SECONDS
        self._until = -math.inf
        """Up to when somebody waits already."""

    def take(self, seconds: float, now: float) -> float | None:
        """Take what nobody waits for yet, and return that; None if there is not so much left."""
        more = max(now + seconds - max(now, self._until), 0)
        if more > self._left:
            return None
        self._left -= more
        self._until = max(self._until, now + seconds)
        return more


class Throttle:
    """An account of what was asked in the last minute, and how to wait when it is full.

    At most `per_minute` redeliveries go in any minute, and at most `MAX_POINTS` of all requests
    unless GitHub has no limits. As long as there is room they go at full speed.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        *,
        per_minute: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """With 0 a minute, let as many redeliveries go as the points allow."""
        self._say = say
        self._per_minute = per_minute or math.inf
        self._clock = clock
        self._sleep = sleep
        self._lock = Lock()
        self._asked = deque[tuple[float, int, int]]()
        """When something was asked, its points, and whether it was a redelivery."""
        self._points = 0
        self._redeliveries = 0
        self._rate_factor = 1.0
        """How much of the usual pace is left after GitHub has asked for less."""
        self._has_limits: bool | None = None
        self._held_until = -math.inf
        self._is_in_a_hurry = False
        self._wait_budget = WaitBudget()

    def seconds_until_turn(self) -> float:
        """Tell how many seconds it is until the next redelivery may be asked for."""
        with self._lock:
            return self._seconds_until_room(WRITE_POINTS, redeliveries=1)

    def wait_for_turn(self) -> None:
        """Return when the next redelivery may be asked for, and count it as asked for."""
        self._wait(WRITE_POINTS, redeliveries=1)

    def wait(self, points: int, *, urgent: bool = False) -> None:
        """Return when a request of so many points may go that is no redelivery, and count it."""
        self._wait(points, urgent=urgent)

    def hurry(self) -> None:
        """Let urgent requests go at once from now on, for a run that has a moment left."""
        self._is_in_a_hurry = True

    def learn_limits(self, *, has_limits: bool) -> None:
        """Learn from an answer whether this GitHub has rate limits.

        Enterprise Server has none unless they are switched on. Once seen, they are believed in.
        https://docs.github.com/en/enterprise-server/admin/configuring-settings/configuring-user-applications-for-your-enterprise/configuring-rate-limits
        """
        with self._lock:
            self._has_limits = has_limits or bool(self._has_limits)

    def back_off(self, seconds: float, why: str) -> bool:
        """Wait before something is asked once more, and return True; or False if that is too long.

        It is too long when a run would wait for more than `MAX_WAIT_SECONDS`. Who waits at the
        same time as another costs no more than that one.
        """
        with self._lock:
            granted = self._wait_budget.take(seconds, self._clock())
        return self._waited(seconds, granted, why)

    def hold(self, seconds: float, why: str, *, is_too_fast: bool) -> bool:
        """Wait likewise while nothing else is asked, and go on half as fast if it was too fast."""
        with self._lock:
            now = self._clock()
            granted = self._wait_budget.take(seconds, now)
            if granted is not None:
                # What was asked in the meantime is answered likewise, and tells nothing new.
                if is_too_fast and now >= self._held_until:
                    self._rate_factor = max(self._rate_factor / 2, MIN_RATE_FACTOR)
                    self._has_limits = True
                    why = f"{why}, then half as fast"
                self._held_until = max(self._held_until, now + seconds)
        return self._waited(seconds, granted, why)

    def _wait(self, points: int, *, redeliveries: int = 0, urgent: bool = False) -> None:
        has_said = False
        while True:
            with self._lock:
                pause = self._seconds_until_room(points, redeliveries=redeliveries, urgent=urgent)
                is_held = self._held_until > self._clock()
                if pause <= 0 or (urgent and self._is_in_a_hurry):
                    self._asked.append((self._clock(), points, redeliveries))
                    self._points += points
                    self._redeliveries += redeliveries
                    return
            # Why it is held was said when that began.
            if pause >= MIN_LOGGED_WAIT and not has_said and not is_held:
                has_said = True
                self._say(f"Waiting {pause:.0f} s: {self._bounds(redeliveries)}")
            self._sleep(pause)

    def _seconds_until_room(self, points: int, *, redeliveries: int, urgent: bool = False) -> float:
        """Tell how many seconds it is until there is room for this."""
        now = self._clock()
        while self._asked and self._asked[0][0] + MINUTE <= now:
            _, spent, redelivered = self._asked.popleft()
            self._points -= spent
            self._redeliveries -= redelivered
        at = max(now, self._held_until)
        points += self._points - (URGENT_POINTS if urgent else 0)
        # What is no redelivery need not wait for one.
        redeliveries += self._redeliveries if redeliveries else 0
        for when, spent, redelivered in self._asked:
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
        return max(self._per_minute * self._rate_factor, 1)

    def _bounds(self, redeliveries: int) -> str:
        if redeliveries and self._max_redeliveries * WRITE_POINTS <= self._max_points:
            return f"at most {self._max_redeliveries:.0f} redeliveries a minute"
        return (
            f"GitHub takes only so many requests a minute, here at most {self._max_points:.0f} "
            f"points, of which to read costs {READ_POINTS} and to redeliver {WRITE_POINTS}"
        )

    def _waited(self, seconds: float, granted: float | None, why: str) -> bool:
        if granted is None:
            return False
        if granted > seconds / 2:  # else somebody has just said so
            self._say(f"Waiting {seconds:.1f} s: {why}")
        self._sleep(seconds)
        return True
