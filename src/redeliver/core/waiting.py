"""How long an event waits that has failed again, so that frequent runs do not hammer its receiver.

An event waits almost twice as long as the time between its last two attempts. So the waits grow
with each attempt, whatever the time between two runs. After an outage, no event waits: its last
attempts fell into the outage, and say nothing about the receiver as it is now.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from redeliver.core.checkpoint import EPOCH, MINUTE
from redeliver.core.delivery import Delivery

MAX_WAIT = timedelta(minutes=45)
"""How long an event waits at most.

It is less than an hour, so that a run each hour tries every event, even if it starts early. An
event that waits holds the checkpoint, so each run reads the log back to its last attempt.
"""

GROWTH = 1.8
"""How many times as long as before an event waits: less than 2, because runs are not punctual."""


LONG_HENCE = datetime.max.replace(tzinfo=UTC)


class Successes:
    """When a webhook's receiver accepted a delivery: the first and the last time in each minute."""

    def __init__(self) -> None:
        self._minutes: dict[int, tuple[datetime, datetime]] = {}
        self._oldest, self._newest = LONG_HENCE, EPOCH

    def add(self, instant: datetime) -> None:
        """Add the time of a delivery that succeeded."""
        minute = (instant - EPOCH) // MINUTE
        first, last = self._minutes.get(minute, (instant, instant))
        self._minutes[minute] = min(first, instant), max(last, instant)
        self._oldest = min(self._oldest, instant)
        self._newest = max(self._newest, instant)

    def has_any_after(self, instant: datetime) -> bool:
        """Whether a delivery after `instant` succeeded."""
        return self._newest > instant

    def has_any_between(self, start: datetime, end: datetime) -> bool:
        """Whether a delivery after `start` and not after `end` succeeded."""
        first = (max(start, self._oldest) - EPOCH) // MINUTE
        last = (min(end, self._newest) - EPOCH) // MINUTE
        return any(
            start < instant <= end
            for minute in range(last, first - 1, -1)
            for instant in self._minutes.get(minute, ())
        )


def waits_until(
    attempts: Sequence[Delivery], successes: Successes, *, known_since: datetime
) -> datetime | None:
    """Return until when a failed event waits at least; None if it need not, or may not have to.

    `attempts` are those that were read, newest first. The log was read back to `known_since`. If it
    was read further, the event may have to wait longer, and it may turn out that it has to wait.
    """
    newest, *earlier = attempts
    if not newest.redelivery or newest.delivered_at < known_since:
        return None
    before = earlier[0].delivered_at if earlier else known_since
    if successes.has_any_after(newest.delivered_at) and not successes.has_any_between(
        max(before, known_since), newest.delivered_at
    ):
        return None  # the last attempt fell into an outage that is over
    wait = min(GROWTH * (newest.delivered_at - before), MAX_WAIT)
    return newest.delivered_at + wait
