"""The checkpoint, and the time window that a run is responsible for.

A checkpoint is an instant: every failure before it has been dealt with. Its text is what GitHub's
own script writes, the milliseconds since the epoch:
https://docs.github.com/en/webhooks/using-webhooks/automatically-redelivering-failed-deliveries-for-an-organization-webhook
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from redeliver.core.delivery import Delivery

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CLOCK_SKEW = timedelta(minutes=5)
"""How far in the future a checkpoint may be: GitHub's script uses the runner's clock."""

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
class SavedCheckpoint:
    """A checkpoint as it was read, and when it was written, by GitHub's clock."""

    checkpoint: datetime
    written: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The part of the log that a run is responsible for: from `since` to `now`.

    `saved` is None when there is no checkpoint. Failures after `now` are left to the next run: the
    new checkpoint is at most `now`.
    """

    saved: SavedCheckpoint | None
    since: datetime
    now: datetime

    @classmethod
    def starting(
        cls, saved: SavedCheckpoint | None, *, now: datetime, lookback: timedelta
    ) -> "Window":
        """Return the window of a run that starts `now`."""
        since = saved.checkpoint - OVERLAP if saved else now - lookback
        return cls(saved=saved, since=since, now=now)

    @property
    def mark(self) -> datetime:
        """The checkpoint at the start of the run: all failures before it are dealt with."""
        return self.saved.checkpoint if self.saved else self.since

    @property
    def settled_at(self) -> datetime:
        """From when on the log shows all redeliveries of earlier runs."""
        return self.saved.written + SETTLING_TIME if self.saved else self.since

    def may_be_under_way(self, attempt: Delivery) -> bool:
        """Whether an earlier run may have redelivered `attempt` without the log showing it yet."""
        return self.was_seen(attempt) and self.now < self.settled_at

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
        if not self.saved or not self.was_seen(attempt):
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


def format_checkpoint(instant: datetime) -> str:
    """Write a checkpoint as text, rounded down to the millisecond."""
    return str((instant - EPOCH) // timedelta(milliseconds=1))


def parse_checkpoint(text: str, *, now: datetime) -> datetime | None:
    """Read a checkpoint from text; return None when `text` cannot be one.

    Thirteen digits are the years 2001 to 2286. A port, a count or seconds since the epoch have
    fewer, so a variable with another purpose is not taken for a checkpoint.
    """
    if not re.fullmatch(r"[0-9]{13}", text.strip()):
        return None
    instant = EPOCH + timedelta(milliseconds=int(text))
    return instant if instant <= now + CLOCK_SKEW else None
