"""The least time of a case at redeliver's limits: what GitHub's responses and the limits take.

Pure: a calculation. It counts nothing that a program does itself, such as its start.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, inf

from bench.cases import Case

AT_ONCE = 8
"""How many requests are sent at the same time, as redeliver does."""
POINTS_PER_MINUTE = 900
"""GitHub's secondary rate limit."""
READ_POINTS, WRITE_POINTS = 1, 5
MINUTE = 60.0
LATENCY = "latency"


@dataclass(frozen=True, slots=True, kw_only=True)
class Minimum:
    """The least time, and what takes it."""

    seconds: float
    limit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """Requests that are sent at the same time, once the responses to those before are there."""

    requests: int
    points: int
    is_redelivery: bool = False


class _Window:
    """At most `most` in any minute."""

    def __init__(self, most: float) -> None:
        self._most = most
        self._sent = deque[tuple[float, int]]()
        self._sum = 0

    def earliest(self, now: float, cost: int) -> float:
        """Return when a request of this cost may be sent."""
        while self._sum + cost > self._most:
            at, spent = self._sent.popleft()
            self._sum -= spent
            now = max(now, at + MINUTE)
        return now

    def count(self, at: float, cost: int) -> None:
        """Count a request that is sent at this time."""
        self._sent.append((at, cost))
        self._sum += cost


def minimum(case: Case, latency: float) -> Minimum:
    """Return the least time of a case, if each response takes `latency` seconds.

    A program has to read each log one page after the other, because each page names the next, up to
    the first page with a delivery that is older than the checkpoint. Then it can redeliver, and
    then save the checkpoint.
    """
    points = _Window(POINTS_PER_MINUTE if case.has_limits else inf)
    per_minute = case.redeliveries_per_minute or inf
    redeliveries = _Window(per_minute)
    now, limit = 0.0, LATENCY
    for batch in _batches(case):
        for _ in range(batch.requests):
            at = points.earliest(now, batch.points)
            if at > now:
                limit = f"{POINTS_PER_MINUTE} points a minute"
            points.count(at, batch.points)
            now = at
            if batch.is_redelivery:
                at = redeliveries.earliest(now, 1)
                if at > now:
                    limit = f"{per_minute} redeliveries a minute"
                redeliveries.count(at, 1)
                now = at
        now += latency
    return Minimum(seconds=now, limit=limit)


def _batches(case: Case) -> Iterator[_Batch]:
    pages = case.pages * case.webhooks
    for number in range(max(case.pages, ceil(pages / AT_ONCE))):
        at_once = min(AT_ONCE, case.webhooks, pages - number * min(AT_ONCE, case.webhooks))
        yield _Batch(requests=at_once, points=READ_POINTS)
    for sent in range(0, case.all_failures, AT_ONCE):
        requests = min(AT_ONCE, case.all_failures - sent)
        yield _Batch(requests=requests, points=WRITE_POINTS, is_redelivery=True)
    yield _Batch(requests=1, points=WRITE_POINTS)
