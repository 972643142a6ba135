"""Decide what to do about each event whose delivery failed.

Pure: the log comes in as an iterable, newest first, and is read no further back
than the decision needs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from redeliver.delivery import Delivery, Guid

OVERLAP = timedelta(minutes=10)
"""How far a window reaches back behind its checkpoint.

A row is written when its attempt is over, which GitHub says can take minutes, and
its `delivered_at` may lack the milliseconds. So a run can miss failures of its
last minutes; the next run looks there again.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The part of the log that a run answers for: from `since` to `now`.

    `checkpoint` is None when there is none to go by. What fails after `now`, while the run
    reads, is the next one's: the checkpoint will say that this run did not look there.
    """

    checkpoint: datetime | None
    since: datetime
    now: datetime

    @classmethod
    def starting(
        cls, checkpoint: datetime | None, *, now: datetime, lookback: timedelta
    ) -> "Window":
        """Open the window of a run that starts `now`."""
        since = now - lookback if checkpoint is None else checkpoint - OVERLAP
        return cls(checkpoint=checkpoint, since=since, now=now)

    @property
    def mark(self) -> datetime:
        """The checkpoint as it stands: all failures before it are dealt with."""
        return self.since if self.checkpoint is None else self.checkpoint

    def may_be_under_way(self, attempt: Delivery) -> bool:
        """Whether the previous run may have redelivered `attempt` a moment ago.

        It had the chance to see it, and what came of that may not show yet.
        """
        return (
            self.checkpoint is not None
            and attempt.delivered_at <= self.checkpoint
            and self.now < self.checkpoint + OVERLAP
        )


class Verdict(Enum):
    """What is decided for a GUID, in words fit for the run summary."""

    REDELIVER = "failed"
    DELIVERED = "another attempt succeeded"
    GIVEN_UP = "its first attempt has left GitHub's log"
    UNSETTLED = "the previous run may have redelivered it a moment ago"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The verdict on one GUID; `delivery` is the newest attempt at it."""

    delivery: Delivery
    attempts: int
    """As far as the log was read; all of them when it is to be redelivered."""
    failing_since: datetime
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Every decision, the oldest event first, and how many rows were read for it."""

    scanned: int
    decisions: tuple[Decision, ...]


def decide(attempts: Sequence[Delivery], window: Window) -> Verdict:
    """Decide the fate of one GUID from all attempts at it, newest first."""
    newest = attempts[0]
    if any(attempt.succeeded for attempt in attempts):
        return Verdict.DELIVERED
    if all(attempt.redelivery for attempt in attempts):
        # The log was read to its end and the original was not there. Were it not
        # for this, an event whose receiver is gone for good would be tried for ever:
        # each redelivery that fails is a new failure in the next window.
        return Verdict.GIVEN_UP
    if window.may_be_under_way(newest):
        return Verdict.UNSETTLED
    return Verdict.REDELIVER


def plan(log: Iterable[Delivery], window: Window) -> Plan:
    """Read `log`, newest first, as far back as the decisions need, and decide.

    That is to the start of the window, and on from there only while some GUID that
    may be redelivered has not shown its original: an earlier success might hide
    there. What is kept grows with failures and redeliveries, not with deliveries.
    """
    attempts: dict[Guid, list[Delivery]] = {}
    incomplete: set[Guid] = set()
    scanned = 0
    for delivery in log:
        before = delivery.delivered_at < window.since
        if before and not incomplete:
            break
        scanned += 1
        tried = attempts.get(delivery.guid, [])
        if not tried:
            if before or (delivery.succeeded and not delivery.redelivery):
                continue
            attempts[delivery.guid] = tried
        tried.append(delivery)
        if delivery.succeeded or not delivery.redelivery:
            incomplete.discard(delivery.guid)
        elif len(tried) == 1 and delivery.delivered_at <= window.now:
            incomplete.add(delivery.guid)
    decisions = (
        Decision(
            delivery=tried[0],
            attempts=len(tried),
            failing_since=tried[-1].delivered_at,
            verdict=decide(tried, window),
        )
        for tried in attempts.values()
        if tried[0].delivered_at <= window.now and not all(attempt.succeeded for attempt in tried)
    )
    return Plan(
        scanned=scanned,
        decisions=tuple(sorted(decisions, key=lambda d: (d.failing_since, d.delivery.id))),
    )
