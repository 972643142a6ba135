"""How long an event waits that has failed again, so that frequent runs do not hammer its receiver.

An event waits almost twice as long as the time between its last two attempts. So the waits grow
with each attempt, whatever the time between two runs. After an outage, no event waits: its last
attempt fell into the outage, and says nothing about the receiver as it is now.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta

from redeliver.core.checkpoint import EPOCH, MINUTE
from redeliver.core.delivery import Delivery

MAX_WAIT = timedelta(minutes=45)
"""How long an event waits at most.

It is less than an hour, so that a run each hour tries every event, even if it starts early.
"""

MAX_GAP = 2 * MAX_WAIT
"""If its last two attempts are further apart, an event does not wait: runs are rare, and one that
comes between the others does no harm."""

GROWTH = 1.8
"""An event waits this many times as long as the time between its last two attempts. It is less than
2, because runs are not punctual."""


class Times:
    """When something happened: the first and the last time in each minute."""

    def __init__(self) -> None:
        self._minutes: dict[int, tuple[datetime, datetime]] = {}
        self._newest = EPOCH
        self._sorted: list[int] = []
        """The minutes, if no other has been added since they were sorted."""

    def add(self, instant: datetime) -> None:
        """Add a time."""
        minute = (instant - EPOCH) // MINUTE
        first, last = self._minutes.get(minute, (instant, instant))
        self._minutes[minute] = min(first, instant), max(last, instant)
        self._newest = max(self._newest, instant)

    def any_after(self, instant: datetime) -> bool:
        """Whether there is a time after `instant`."""
        return self._newest > instant

    def last(self, until: datetime) -> datetime:
        """Return the last time that is not after `until`; the epoch if there is none."""
        if len(self._sorted) != len(self._minutes):
            self._sorted = sorted(self._minutes)
        minutes = self._sorted
        end = bisect_right(minutes, (until - EPOCH) // MINUTE)
        # In the minute of `until`, all times can be after it; in the one before it, none can.
        times = (
            time for minute in minutes[max(end - 2, 0) : end] for time in self._minutes[minute]
        )
        return max((time for time in times if time <= until), default=EPOCH)


class Receiver:
    """What the log tells of a webhook's receiver."""

    def __init__(self) -> None:
        self._accepted = Times()
        self._failed = Times()
        """First attempts only: events that never succeed would always look like an outage."""

    def add(self, delivery: Delivery) -> None:
        """Add a row of the log."""
        if delivery.succeeded:
            self._accepted.add(delivery.delivered_at)
        elif not delivery.redelivery:
            self._failed.add(delivery.delivered_at)

    def works_since(self, instant: datetime) -> bool:
        """Whether it has accepted a delivery after `instant`."""
        return self._accepted.any_after(instant)

    def was_down(self, at: datetime) -> bool:
        """Whether a new event had failed since it last accepted a delivery.

        This is also so if the part of the log that was read has neither.
        """
        return self._failed.last(at) >= self._accepted.last(at)


def waits_until(attempts: Sequence[Delivery], receiver: Receiver) -> datetime | None:
    """Return until when a failed event waits; None if it need not, as far as the log was read.

    `attempts` are those that were read, newest first.
    """
    newest, *earlier = attempts
    if not newest.redelivery or not earlier:
        return None
    at = newest.delivered_at
    gap = at - earlier[0].delivered_at
    is_after_outage = receiver.works_since(at) and receiver.was_down(at)
    return None if gap > MAX_GAP or is_after_outage else at + min(GROWTH * gap, MAX_WAIT)
