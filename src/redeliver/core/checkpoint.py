"""The checkpoint, and the time window that a run is responsible for.

A checkpoint is an instant: every failure before it has been dealt with. Its text is what GitHub's
own script reads and writes, the milliseconds since the epoch, in 13 digits:
https://docs.github.com/en/webhooks/using-webhooks/automatically-redelivering-failed-deliveries-for-an-organization-webhook

The instant has whole seconds. The last three digits, which are milliseconds for the script, say who
wrote the checkpoint, and which redeliveries may still be under way:

* 001: a run, at its end. It knew the outcome of each redelivery.
* 010 to 029: a run, at its end. The last redelivery whose outcome is unknown was requested before
  the end of the minute whose number since the epoch, modulo 20, is this number minus 10.
* 100 to 999: a run that redelivers, or was killed meanwhile. The number is random, so that a run
  recognises what it has written itself.
* anything else, and by chance any of these: the script, a person, or another program.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from redeliver.core.delivery import Delivery

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)

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


ENDED_SETTLED = 1
FIRST_MINUTE = 10
MINUTES = 20
"""Enough to tell the minutes of the settling time from each other."""
SIGNATURES = range(100, 1000)


@dataclass(frozen=True, slots=True)
class Claim:
    """A checkpoint that no run wrote at its end.

    A run wrote it that still redelivers or was killed; or the script, a person or another program.
    """

    signature: int = 0
    """The milliseconds, less than 1,000."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A checkpoint that a run wrote after it had requested its last redelivery."""

    last_unknown: datetime | None = None
    """When at the latest a redelivery was requested whose outcome is unknown, in whole minutes.

    It is None if the outcomes of all redeliveries are known.
    """

    @classmethod
    def after(cls, last_unknown: datetime | None) -> "Ended":
        """Return the mark of a run, with the time rounded up to the minute."""
        return cls(last_unknown and EPOCH - (EPOCH - last_unknown) // MINUTE * MINUTE)


Mark: TypeAlias = Claim | Ended

UNMARKED = Claim()
"""A mark that no run writes."""


def new_claim(number: int, standing: Mark | None) -> Claim:
    """Return a claim with a signature that follows from any number, and is not the standing one.

    So each write changes the value. GitHub does not document that it updates `updated_at` if the
    value stays the same.
    """
    claim = Claim(SIGNATURES[number % len(SIGNATURES)])
    return new_claim(number + 1, standing) if claim == standing else claim


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Up to when every failure has been dealt with, and what is known of the run that wrote it."""

    time: datetime
    """In whole seconds."""
    mark: Mark = UNMARKED


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedCheckpoint:
    """A checkpoint as it was read, and when it was written, by GitHub's clock."""

    checkpoint: Checkpoint
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
        since = saved.checkpoint.time - OVERLAP if saved else now - lookback
        return cls(saved=saved, since=since, now=now)

    @property
    def checkpoint(self) -> datetime:
        """The checkpoint at the start of the run: all failures before it are dealt with."""
        return self.saved.checkpoint.time if self.saved else self.since

    @property
    def is_claimed(self) -> bool:
        """Whether the checkpoint was not written at the end of a run: one may be redelivering."""
        return self.saved is not None and isinstance(self.saved.checkpoint.mark, Claim)

    @property
    def last_unknown(self) -> datetime | None:
        """When at the latest an earlier run requested a redelivery whose outcome it did not see.

        It is None if there is no such redelivery, or if the log shows all redeliveries by now. A
        run that has not written the checkpoint at its end can have requested events that it saw
        before it wrote the checkpoint.
        """
        if self.saved is None:
            return None
        mark = self.saved.checkpoint.mark
        last = self.saved.written if isinstance(mark, Claim) else mark.last_unknown
        return last if last and self.now < last + SETTLING_TIME else None

    @property
    def settled_at(self) -> datetime:
        """From when on the log shows all redeliveries of earlier runs."""
        return self.last_unknown + SETTLING_TIME if self.last_unknown else self.now

    def may_be_under_way(self, attempt: Delivery) -> bool:
        """Whether an earlier run may have redelivered `attempt` without the log showing it yet."""
        return self.last_unknown is not None and attempt.delivered_at <= self.last_unknown

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


def format_checkpoint(time: datetime, mark: Mark = UNMARKED) -> str:
    """Write a checkpoint as text: 13 digits."""
    if isinstance(mark, Claim):
        number = mark.signature
    elif mark.last_unknown is None:
        number = ENDED_SETTLED
    else:
        number = FIRST_MINUTE + (mark.last_unknown - EPOCH) // MINUTE % MINUTES
    return f"{(time - EPOCH) // SECOND}{number:03}"


def parse_checkpoint(
    text: str, *, written: datetime | None = None, now: datetime
) -> SavedCheckpoint | None:
    """Read a checkpoint from text; return None when `text` cannot be one.

    `written` is when it was written, None if that is unknown.
    Thirteen digits are the years 2001 to 2286. A port, a count or seconds since the epoch have
    fewer, so a variable with another purpose is not taken for a checkpoint.
    """
    if not re.fullmatch(r"[0-9]{13}", text.strip()):
        return None
    seconds, number = divmod(int(text), 1000)
    time = EPOCH + timedelta(seconds=seconds)
    if time > now + CLOCK_SKEW:
        return None
    if written is None or written > now + CLOCK_SKEW:
        written = time  # with a time in the future, every run would wait until then
    return SavedCheckpoint(checkpoint=Checkpoint(time, _mark(number, written)), written=written)


def _mark(number: int, written: datetime) -> Mark:
    """Return what the milliseconds of a checkpoint say."""
    if number == ENDED_SETTLED:
        return Ended()
    if number not in range(FIRST_MINUTE, FIRST_MINUTE + MINUTES):
        return Claim(number)
    # GitHub's servers can have different clocks, so the minute can seem to be after the writing.
    latest = (written + CLOCK_SKEW / 2 - EPOCH) // MINUTE
    return Ended(EPOCH + (latest - (latest - (number - FIRST_MINUTE)) % MINUTES) * MINUTE)
