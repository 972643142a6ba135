"""Compute how many requests redeliver needs, and how long they take: figures of docs/scale.md.

Deliveries are evenly spread over the day. `tests/long/test_scale.py` compares the results
with the requests of real runs. All numbers are for one webhook that is read in full, unless a
function says otherwise.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from redeliver.core.policy import RETENTION
from redeliver.core.waiting import GROWTH, MAX_GAP, MAX_WAIT
from redeliver.core.window import OVERLAP
from redeliver.engine.checkpoint_reader import MAX_AGE
from redeliver.engine.checkpointing import SAVE_INTERVAL
from redeliver.engine.verification import SERVER_CLOCK_SKEW
from redeliver.github_api import throttle
from redeliver.github_api.reserve import FOR_CHECKPOINT, FOR_REDELIVERIES
from redeliver.github_api.response_time import MAX_SECONDS
from redeliver.wiring import WORKERS

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MONTH = 30 * DAY
UNTIL_REQUESTED = timedelta(seconds=1)
"""How long after the start of a run its redelivery is made."""
PER_PAGE = 100
PER_MINUTE = 75
"""The default of `max-per-minute`."""
CHECKPOINT_IF_QUIET = 2
"""Requests for the checkpoint in a run that redelivers nothing: to read it and to save it. If it
has read it more than `MAX_AGE` seconds ago, it reads it once more."""
CHECKPOINT = 6
"""The same in a run that redelivers: also before its first redelivery. A run that reads the log
within 0.2 seconds takes one request less."""
SAVING = 2
"""What it takes to save the checkpoint once more, every 30 seconds."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A webhook, and how often a run reads its log."""

    per_day: int
    """The deliveries of a day."""
    every: timedelta
    """The time between two runs."""

    def rows(self, span: timedelta) -> float:
        """Return how many deliveries there are in a time span."""
        return self.per_day * (span / DAY)

    def pages(self, span: timedelta) -> int:
        """Return how many pages a run reads to see all deliveries of the last `span`.

        It reads on until it has seen a hundred older ones.
        """
        return math.ceil(round(self.rows(span) / PER_PAGE, 6)) + 1

    @property
    def quiet_run(self) -> int:
        """The requests of a run that finds no failure."""
        return CHECKPOINT_IF_QUIET + self.pages(self.every + OVERLAP)

    @property
    def quiet_hour(self) -> int:
        """The most requests in an hour in which nothing fails."""
        return self.quiet_run * max(HOUR // self.every, 1)

    @property
    def jobs_a_month(self) -> int:
        """How many runs start in a month. GitHub bills at least a minute for each."""
        return MONTH // self.every

    @property
    def quiet_month(self) -> int:
        """The requests of a month in which nothing fails."""
        return self.quiet_run * self.jobs_a_month


@dataclass(frozen=True, kw_only=True)
class ManyWebhooks:
    """A run with `hook-id: all` that finds no failure, and reads one page of each log."""

    number: int
    latency: timedelta
    """After how long GitHub responds."""

    @property
    def requests(self) -> int:
        """All requests of the run."""
        return self._lists + self.number + CHECKPOINT_IF_QUIET + self._reads_again

    @property
    def _lists(self) -> int:
        """The requests that list the webhooks: the last page is not full."""
        return self.number // PER_PAGE + 1

    @property
    def _rounds(self) -> int:
        """How many requests follow one another while the logs are read.

        The checkpoint is read together with the first logs.
        """
        return math.ceil((1 + self.number) / WORKERS)

    @property
    def _reads_again(self) -> int:
        """1 if the checkpoint is read again before it is saved, else 0."""
        return int(self._rounds * self.latency > timedelta(seconds=MAX_AGE))

    @property
    def duration(self) -> timedelta:
        """How long its requests take."""
        rounds = self._lists + self._rounds + self._reads_again + 1
        # When the responses have taken too long, some are still under way.
        until_too_long = math.ceil(MAX_SECONDS / self.latency.total_seconds()) + WORKERS - 1
        a_minute = min(throttle.MAX_POINTS, until_too_long)
        minutes, rest = divmod(self.requests, a_minute)
        waits = minutes * timedelta(seconds=throttle.MINUTE)
        return max(rounds * self.latency, waits + math.ceil(rest / WORKERS) * self.latency)


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run while the receiver always refuses one event, and accepts all others."""

    at: timedelta
    """Since the event's first attempt."""
    redelivers: bool
    """Whether the event is tried again. Otherwise it waits."""
    pages: int
    """Those that it reads, also to see the outcome, which GitHub's log shows at once."""

    @property
    def requests(self) -> int:
        """All requests of the run."""
        return self.pages + (CHECKPOINT + 1 if self.redelivers else CHECKPOINT_IF_QUIET)


def runs_with_a_refused_event(schedule: Schedule, until: timedelta = RETENTION) -> Iterator[Run]:
    """Yield the runs from the first attempt of such an event until it is given up.

    Several other deliveries succeed between any two attempts.
    """
    attempts = [timedelta()]
    checkpoint = timedelta()
    now = schedule.every
    while now < until:
        pages = schedule.pages(now - checkpoint + OVERLAP)
        waits = now < attempts[-1] + _wait(attempts)
        if waits:
            # The time between its last two attempts says how long the event waits.
            pages = max(pages, _pages_back_to(schedule, now - attempts[-2]))
            checkpoint = attempts[-1]
        else:
            # An earlier attempt could have succeeded, so the run reads back to the first.
            pages = max(pages, _pages_back_to(schedule, now))
            pages += schedule.pages(SERVER_CLOCK_SKEW)
            attempts.append(now + UNTIL_REQUESTED)
            checkpoint = now
        yield Run(at=now, redelivers=not waits, pages=pages)
        now += schedule.every


def _wait(attempts: list[timedelta]) -> timedelta:
    """Return how long the event waits after its last attempt."""
    gap = attempts[-1] - attempts[-2] if len(attempts) > 1 else timedelta()
    return timedelta() if gap > MAX_GAP else min(GROWTH * gap, MAX_WAIT)


def _pages_back_to(schedule: Schedule, age: timedelta) -> int:
    """Return how many pages a run reads to find an attempt of this age."""
    return math.floor(schedule.rows(age) / PER_PAGE) + 1


def refused_hours(schedule: Schedule, until: timedelta = RETENTION) -> list[int]:
    """Return the requests of each hour while the receiver always refuses one event."""
    hours = [0] * math.ceil(until / HOUR)
    for run in runs_with_a_refused_event(schedule, until):
        hours[run.at // HOUR] += run.requests
    return hours


def most_a_day(every: timedelta, limit: int) -> int:
    """Return how many deliveries a day can be read in full with a rate limit of `limit` an hour.

    Nothing fails. Reading stops when 500 requests are left.
    """
    allowed = limit - FOR_REDELIVERIES.most
    low, high = 0, 10**9
    while high - low > 1:
        middle = (low + high) // 2
        if Schedule(per_day=middle, every=every).quiet_hour <= allowed:
            low = middle
        else:
            high = middle
    return low


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """What is left after an outage in which every delivery of a webhook failed."""

    per_day: int
    outage: timedelta

    @property
    def failures(self) -> int:
        """How many events failed."""
        return round(self.per_day * (self.outage / DAY))

    @property
    def at_full_speed(self) -> timedelta:
        """How long their redeliveries take at 75 a minute."""
        return self.failures / PER_MINUTE * MINUTE

    def hours(self, limit: int) -> int | None:
        """Return in which hour the last event is redelivered, if a run starts each hour.

        Each run reads the log back to the beginning of the outage; it may need less. Return None
        if the first event leaves GitHub's log before the last one is redelivered.
        """
        schedule = Schedule(per_day=self.per_day, every=HOUR)
        left, hour = self.failures, 0
        while left > 0:
            pages = schedule.pages(self.outage + hour * HOUR + OVERLAP)
            saving = CHECKPOINT + SAVING * (HOUR // SAVE_INTERVAL)
            requests = limit - FOR_CHECKPOINT.most - pages - saving
            left -= min(requests, PER_MINUTE * 60)
            hour += 1
            if requests <= 0 or self.outage + hour * HOUR > RETENTION:
                return None
        return hour
