"""The time window that a run is responsible for, and what earlier runs may have done in it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from redeliver.core.checkpoint import EPOCH, Claim, Ended, SavedCheckpoint, slot_end
from redeliver.core.delivery import Delivery
from redeliver.core.policy import LONGEST_RETENTION, Moment
from redeliver.errors import InputError

OVERLAP = timedelta(minutes=10)
"""How far a window reaches back before its checkpoint.

GitHub writes a row when the attempt is over, which can take minutes, and `delivered_at` may lack
the milliseconds. So a run can miss failures of its last minutes; the next run reads them again.
"""

MAX_SILENCE = timedelta(minutes=6)
"""How long after it wrote the checkpoint a run may still request redeliveries.

It writes the checkpoint every 30 seconds (`checkpointing.SAVE_INTERVAL`), may wait five minutes for
GitHub (`throttle.MAX_WAIT_SECONDS`), and then 30 seconds for a response
(`transport.DEADLINE_SECONDS`). A test checks that this is the sum of these.
"""

SETTLING_TIME = OVERLAP + MAX_SILENCE
"""How long after a run wrote the checkpoint its redeliveries may be missing from the log."""

MAX_RUN = timedelta(hours=6)
"""How long a run may take; GitHub ends a job after this time:
https://docs.github.com/en/actions/reference/limits
"""

HOURS_PER_ROTATION = 62
"""In how many hours the position at which runs begin moves through a whole queue.

That is less than the 72 hours for which GitHub keeps its log. It is twice a prime number, so runs
begin at many positions, whatever the interval between them.
"""


SETTLED = (
    f"at least {SETTLING_TIME // timedelta(minutes=1)} minutes after the last run that redelivered "
    "(sooner, events may be delivered twice)"
)
"""When a checkpoint may be deleted: without one, the next run does not know of the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The part of the log that a run is responsible for: from `since` to `until`.

    `saved` is None when there is no checkpoint. Failures after `now`, the start of the run, are
    left to the next run: the new checkpoint is at most `now`.
    """

    saved: SavedCheckpoint | None
    since: datetime
    until: datetime
    """`now`, unless a replay has a range that ends earlier."""
    now: datetime
    is_replay: bool = False

    @classmethod
    def starting(
        cls, saved: SavedCheckpoint | None, *, now: datetime, lookback: timedelta
    ) -> "Window":
        """Return the window of a run that starts `now`."""
        since = saved.checkpoint.time - OVERLAP if saved else now - lookback
        return cls(saved=saved, since=since, until=now, now=now)

    @classmethod
    def of_replay(
        cls,
        since: Moment | None,
        until: Moment | None,
        *,
        now: datetime,
        margin: timedelta = timedelta(),
    ) -> "Window":
        """Return the window of a replay that starts `now`, or raise `InputError`.

        Without `since`, it is as long as a log can be. It ends `margin` before `now` at the latest.
        """
        start = _instant(LONGEST_RETENTION if since is None else since, now)
        latest = now - margin
        end = latest if until is None else min(_instant(until, now), latest)
        if start >= latest:
            raise InputError("input 'since' must be before the start of this run")
        if start >= end:
            raise InputError("input 'until' must be later than 'since'")
        return cls(saved=None, since=start, until=end, now=now, is_replay=True)

    def is_of_this_run(self, newest: Delivery) -> bool:
        """Whether an event with this newest attempt is not left to the next run.

        After a replay, no other run is sure to look at the same events.
        """
        return self.is_replay or newest.delivered_at <= self.now

    def contains(self, attempt: Delivery) -> bool:
        """Whether an attempt is from the window."""
        return self.since <= attempt.delivered_at <= self.until

    @property
    def checkpoint(self) -> datetime:
        """The checkpoint at the start of the run: all failures before it are dealt with."""
        return self.saved.checkpoint.time if self.saved else self.since

    @property
    def is_claimed(self) -> bool:
        """Whether the checkpoint was not written at the end of a run: one may be redelivering."""
        return self.saved is not None and isinstance(self.saved.checkpoint.mark, Claim)

    @property
    def unknown(self) -> tuple[datetime, ...]:
        """When earlier runs requested redeliveries whose outcome they did not see.

        These are the ends of slots. For a run that has not ended, this is the slot of its last
        write; it may request redeliveries for `MAX_SILENCE` after that.
        """
        if self.saved is None:
            return ()
        mark, written = self.saved.checkpoint.mark, self.saved.written
        if isinstance(mark, Ended):
            return mark.unknown
        return (slot_end(written),) if self.now < written + SETTLING_TIME else ()

    @property
    def last_unknown(self) -> datetime | None:
        """When at the latest such a redelivery was requested; None if the log shows all by now."""
        if not self.saved or not self.unknown or self.now >= self.settled_at:
            return None
        return min(self.unknown[-1], self.saved.written)

    @property
    def settled_at(self) -> datetime:
        """From when on the log shows all redeliveries of earlier runs."""
        if self.saved and self.is_claimed:
            return self.saved.written + SETTLING_TIME
        return self.unknown[-1] + SETTLING_TIME if self.unknown else self.now

    def may_be_under_way(self, attempt: Delivery) -> bool:
        """Whether an earlier run may have redelivered `attempt` without the log showing it yet.

        Each slot in `unknown` has a request whose outcome is unknown. If one was for this attempt,
        it was in the first such slot after it, because later runs have deferred the event. If that
        is the attempt's own slot, the request may have been before the attempt, so the next slot
        counts as well.
        """
        if not self.saved or attempt.delivered_at > self.saved.written:
            return False
        if self.is_claimed:
            return self.now < self.settled_at
        slot = slot_end(attempt.delivered_at)
        ends = [end for end in self.unknown if end >= slot][:2]
        first = ends[-1] if ends and ends[0] == slot else next(iter(ends), EPOCH)
        return self.now < first + SETTLING_TIME

    def was_seen(self, attempt: Delivery) -> bool:
        """Whether an earlier run may have seen `attempt`, and have requested a redelivery.

        GitHub can refuse a redelivery, or accept it and never make it. Then the log has no trace
        of the request.
        """
        return self.saved is not None and attempt.delivered_at <= self.saved.written

    def may_have_been_requested(self, attempt: Delivery) -> bool:
        """Whether an earlier run may have requested a redelivery after `attempt`, the newest one.

        A failed redelivery that is newer than 16 minutes before the last run's last write is mostly
        that run's own.
        """
        if not self.saved or not self.was_seen(attempt) or self.saved.checkpoint.mark == Ended():
            return False
        return not attempt.redelivery or attempt.delivered_at < self.saved.written - SETTLING_TIME

    @property
    def phase(self) -> float:
        """Where in a queue this run begins, from 0 to 1.

        The positions of the runs within three days are spread evenly. Random positions would leave
        some events out. A dry run begins where a real run does in the same hour.
        """
        hours = (self.now - EPOCH) // timedelta(hours=1)
        return hours % HOURS_PER_ROTATION / HOURS_PER_ROTATION

    def unseen(self, retention: timedelta) -> tuple[datetime, datetime] | None:
        """Return from when to when deliveries may have left the log before a run saw them.

        Return None if there is no such time. GitHub keeps the log for `retention`.
        """
        kept_from = self.now - retention
        if self.saved is None or self.since >= kept_from:
            return None
        return self.since, kept_from


def _instant(moment: Moment, now: datetime) -> datetime:
    return now - moment if isinstance(moment, timedelta) else moment
