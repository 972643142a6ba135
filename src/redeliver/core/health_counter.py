"""Count what the rows of a log tell of its webhook's receiver, and judge how well that works.

A run reads these rows anyway, so this takes no further request.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from math import ceil

from redeliver.core.checkpoint import EPOCH
from redeliver.core.delivery import MAX_DURATION, Delivery
from redeliver.core.health import FailureKind, Health, HealthVerdict, Timeline
from redeliver.core.window import Window

DOWN_AFTER = 5
"""After this many failures in a row, the receiver counts as down."""

DOWN_FOR = timedelta(hours=1)
"""If failures in a row are spread over this time, or the log has no success at all, `MIN_NUMBER`
are enough."""

MIN_NUMBER = 2
"""A single delivery that fails or is slow tells nothing, even if there are only few deliveries."""

FAILING_SHARE = 0.05
"""From this share of failed deliveries on, the receiver is failing."""

SLOW_SHARE = 0.05
"""From this share of slow responses on, the receiver is slow."""

SLOW_FROM = 0.8
"""A response is slow if it takes more than this part of the time for which GitHub waits."""

STEPS = [timedelta(minutes=n) for n in (1, 5, 10, 30, 60, 2 * 60, 3 * 60, 6 * 60)]
"""The steps that a timeline may have."""

MAX_STEPS = 48
"""The most steps of a timeline, so that its bars stay readable."""

PER_SECOND = 10
"""How many counters for durations a second has."""

COUNTERS = MAX_DURATION * PER_SECOND + 1
"""How many counters for durations there are."""


class HealthCounter:
    """Counts the rows of a log, newest first, in memory of a fixed size.

    Durations are counted in tenths of a second. That is as exact as anybody needs to know a 95th
    percentile, and one addition per row. A library such as T-Digest or HdrHistogram would be more
    exact, but slower, and every run would have to load it.
    """

    def __init__(self, window: Window) -> None:
        self._since = window.since
        span = window.now - window.since
        self._step = next((step for step in STEPS if span < MAX_STEPS * step), STEPS[-1])
        end = -((EPOCH - window.now) // self._step)  # rounded up
        begin = max((window.since - EPOCH) // self._step, end - MAX_STEPS)
        self._start = EPOCH + begin * self._step
        self._delivered = [0] * (end - begin)
        self._failed = [0] * (end - begin)
        self._durations = [0] * COUNTERS
        self._failures = Counter[FailureKind]()
        self._throttled = 0
        self._last_success = self._last_failure = EPOCH
        self._in_a_row = 0
        self._down_since = window.now
        self._is_older = False
        """Whether there are deliveries from before the window."""

    def add(self, rows: Iterable[Delivery]) -> None:
        """Count the rows of the next page. This is fast, because logs can have a million rows."""
        since, durations, delivered = self._since, self._durations, self._delivered
        step, begin, end = 0, since, since
        for row in rows:
            if not row.succeeded:
                self._add_failure(row)
                continue
            at = row.delivered_at
            if at > self._last_success:  # noqa: PLR1730 - faster than a call of max()
                self._last_success = at
            if row.redelivery:
                continue
            if at < since:
                self._is_older = True
                continue
            if not begin <= at < end:  # mostly, it is in the same step as the row before
                step = self._step_of(at)
                begin = self._start + step * self._step
                end = begin + self._step
            delivered[step] += 1
            if row.throttled:
                self._throttled += 1
            if row.duration is not None:
                durations[ceil(row.duration * PER_SECOND)] += 1

    def _add_failure(self, row: Delivery) -> None:
        if row.redelivery:
            return
        at = row.delivered_at
        self._last_failure = max(self._last_failure, at)
        if self._last_success == EPOCH:
            self._in_a_row += 1
            self._down_since = min(self._down_since, at)
        if at < self._since:
            self._is_older = True
            return
        kind = FailureKind.of(row)
        self._failures[kind] += 1
        self._failed[self._step_of(at)] += 1
        self._throttled += row.throttled
        if row.duration is not None and kind is not FailureKind.NO_CONNECTION:
            self._durations[ceil(row.duration * PER_SECOND)] += 1

    def _step_of(self, instant: datetime) -> int:
        """Return the step of the timeline; the first and the last one have what is beyond, too."""
        step = (instant - self._start) // self._step
        return min(max(step, 0), len(self._failed) - 1)

    def result(self, receiver_timeout: timedelta, *, is_complete: bool) -> Health | None:
        """Return the health of a receiver for which GitHub waits for `receiver_timeout`.

        Return None if nothing is known: no delivery was read, or none of the window, although the
        log was not read completely.
        """
        delivered, failed = sum(self._delivered), sum(self._failed)
        deliveries, responses = delivered + failed, sum(self._durations)
        if not deliveries and not (is_complete and self._is_older):
            return None
        limit = SLOW_FROM * receiver_timeout.total_seconds()
        slow = sum(self._durations[int(limit * PER_SECOND) + 1 :])
        spread = self._last_failure - self._down_since
        no_success = self._last_success == EPOCH
        is_down = self._in_a_row >= DOWN_AFTER or (
            self._in_a_row >= MIN_NUMBER and (spread >= DOWN_FOR or no_success)
        )
        if failed >= max(MIN_NUMBER, FAILING_SHARE * deliveries) or (failed and not delivered):
            verdict = HealthVerdict.FAILING
        elif slow >= max(MIN_NUMBER, SLOW_SHARE * responses):
            verdict = HealthVerdict.SLOW
        else:
            verdict = HealthVerdict.HEALTHY if deliveries else HealthVerdict.SILENT
        return Health(
            verdict=HealthVerdict.DOWN if is_down else verdict,
            unless_down=verdict,
            deliveries=deliveries,
            failed=failed,
            failures=dict(self._failures.most_common()),
            responses=responses,
            slow=slow,
            p95=self._percentile(95),
            throttled=self._throttled,
            last_success=None if self._last_success == EPOCH else self._last_success,
            last_failure=None if self._last_failure == EPOCH else self._last_failure,
            down_since=self._down_since if is_down else None,
            in_a_row=self._in_a_row,
            timeline=Timeline(
                start=self._start,
                step=self._step,
                delivered=tuple(self._delivered),
                failed=tuple(self._failed),
            ),
        )

    def _percentile(self, percent: int) -> float | None:
        """Return the time, in seconds, in which this percentage of the responses came."""
        wanted, counted = sum(self._durations) * percent / 100, 0
        for tenths, number in enumerate(self._durations):
            counted += number
            if number and counted >= wanted:
                return tenths / PER_SECOND
        return None
