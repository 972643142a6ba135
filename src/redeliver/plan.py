"""Decide what to do about each event whose delivery failed.

Pure: the log comes in as an iterable, newest first, and is read no further back
than the decision needs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from redeliver.checkpoint import Saved
from redeliver.delivery import Delivery, Guid
from redeliver.errors import UnavailableError

OVERLAP = timedelta(minutes=10)
"""How far a window reaches back behind its checkpoint.

A row is written when its attempt is over, which GitHub says can take minutes, and
its `delivered_at` may lack the milliseconds. So a run can miss failures of its
last minutes; the next run looks there again.
"""

LONGEST_SILENCE = timedelta(minutes=6)
"""How long after it wrote the checkpoint a run may still ask for redeliveries.

It writes once a minute while it asks, and may wait five more for a rate limit.
"""

SETTLING = OVERLAP + LONGEST_SILENCE
"""How long after a run wrote the checkpoint some redelivery it asked for may not show yet."""

STRAGGLERS = 20
"""How many rows in a row must be older than the window before it counts as read.

That the log is newest first is only implied. A row or two in the wrong place, such as one that
was written late, must not hide what is behind it.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When to leave an event alone for good."""

    give_up_after: timedelta
    """Counted from the first attempt."""
    max_attempts: int | None
    """Counting the first one; None: as many as there is time for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The part of the log that a run answers for: from `since` to `now`.

    `saved` is None when there is no checkpoint to go by. What fails after `now`, while the run
    reads, is the next one's: the checkpoint will say that this run did not look there.
    """

    saved: Saved | None
    since: datetime
    now: datetime

    @classmethod
    def starting(cls, saved: Saved | None, *, now: datetime, lookback: timedelta) -> "Window":
        """Open the window of a run that starts `now`."""
        since = saved.checkpoint - OVERLAP if saved else now - lookback
        return cls(saved=saved, since=since, now=now)

    @property
    def mark(self) -> datetime:
        """The checkpoint as it stands: all failures before it are dealt with."""
        return self.saved.checkpoint if self.saved else self.since

    @property
    def settled_at(self) -> datetime:
        """When all that earlier runs asked for shows in the log."""
        return self.saved.written + SETTLING if self.saved else self.since

    def may_be_under_way(self, attempt: Delivery) -> bool:
        """Whether an earlier run may have redelivered `attempt` a moment ago.

        It had the chance to see it, and what came of that may not show yet.
        """
        return (
            self.saved is not None
            and attempt.delivered_at <= self.saved.written
            and self.now < self.settled_at
        )

    def unseen(self, retention: timedelta) -> tuple[datetime, datetime] | None:
        """Return the time from which deliveries may have left the log before a run saw them.

        `retention` is how long GitHub keeps the log.
        """
        kept_from = self.now - retention
        if self.saved is None or self.since >= kept_from:
            return None
        return self.since, kept_from


class Verdict(Enum):
    """What is decided for a GUID, in words fit for the run summary."""

    REDELIVER = "failed"
    DELIVERED = "another attempt succeeded"
    TOO_OLD = "first attempt older than 'give-up-after', or than GitHub keeps its log"
    EXHAUSTED = "as many attempts as 'max-attempts' allows"
    UNREAD = "the log could not be read back to its first attempt"
    UNSETTLED = "an earlier run may have asked for it, and the log may not show that yet"
    HELD = "an earlier run may have asked for others, and the log may not show that yet"


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
    broken_off: str = ""
    """Why the log was not read as far back as it should have been; empty if it was."""

    @property
    def is_anything_due(self) -> bool:
        """Whether there is something to ask for."""
        return any(decision.verdict is Verdict.REDELIVER for decision in self.decisions)

    @property
    def is_unsettled(self) -> bool:
        """Whether this run comes so soon after another that it has to keep still."""
        return any(decision.verdict is Verdict.UNSETTLED for decision in self.decisions)

    def held(self) -> "Plan":
        """Leave everything that is due to the next run."""
        return replace(self, decisions=tuple(map(_held, self.decisions)))


def decide(
    attempts: Sequence[Delivery], window: Window, policy: Policy, *, is_read: bool = True
) -> Verdict:
    """Decide the fate of one GUID from all attempts at it, newest first.

    `is_read` tells whether the log was read as far back as it goes or is wanted.
    """
    newest = attempts[0]
    if any(attempt.succeeded for attempt in attempts):
        return Verdict.DELIVERED
    originals = [attempt for attempt in attempts if not attempt.redelivery]
    if not originals and not is_read:
        return Verdict.UNREAD
    # Were it not for this, an event whose receiver is gone for good would be tried for ever:
    # each redelivery that fails is a new failure in the next window.
    if not originals or originals[0].delivered_at < window.now - policy.give_up_after:
        return Verdict.TOO_OLD
    if policy.max_attempts is not None and len(attempts) >= policy.max_attempts:
        return Verdict.EXHAUSTED
    if window.may_be_under_way(newest):
        return Verdict.UNSETTLED
    return Verdict.REDELIVER


def plan(log: Iterable[Delivery], window: Window, policy: Policy) -> Plan:
    """Read `log`, newest first, as far back as the decisions need, and decide.

    That is to the start of the window, and on from there only while some GUID that
    may be redelivered has not shown its original: an earlier success might hide
    there. What is kept grows with failures and redeliveries, not with deliveries.

    A log that breaks off after its first row gives the decisions that need no more of it.
    """
    reading = _Reading(window, policy)
    broken_off = ""
    try:
        reading.read(log)
    except UnavailableError as error:
        if not reading.scanned:
            raise
        broken_off = str(error)
    decisions = []
    for tried in reading.attempts.values():
        # Rows need not come in the order of the attempts.
        newest_first = sorted(tried, key=lambda d: (d.delivered_at, d.id), reverse=True)
        if newest_first[0].delivered_at > window.now or all(d.succeeded for d in tried):
            continue
        decision = Decision(
            delivery=newest_first[0],
            attempts=len(tried),
            failing_since=newest_first[-1].delivered_at,
            verdict=decide(newest_first, window, policy, is_read=not broken_off),
        )
        decisions.append(decision)
    planned = Plan(
        scanned=reading.scanned,
        decisions=tuple(sorted(decisions, key=lambda d: (d.failing_since, d.delivery.id))),
        broken_off=broken_off,
    )
    # Nothing at all is asked for as long as something is unsettled. Were the rest redelivered,
    # a hook that keeps failing would never be settled when the runs follow close on another.
    return planned.held() if planned.is_unsettled else planned


class _Reading:
    """The attempts found so far at each GUID that matters."""

    def __init__(self, window: Window, policy: Policy) -> None:
        self.attempts: dict[Guid, list[Delivery]] = {}
        self.scanned = 0
        self._window = window
        self._horizon = window.now - policy.give_up_after
        self._incomplete: set[Guid] = set()
        """GUIDs that may have to be redelivered, and whose original is still to come."""

    def read(self, log: Iterable[Delivery]) -> None:
        older = 0
        for delivery in log:
            self.scanned += 1
            is_before = delivery.delivered_at < self._window.since
            self._take(delivery, is_before=is_before)
            older = older + 1 if is_before else 0
            wanted = self._incomplete and delivery.delivered_at >= self._horizon
            if older >= STRAGGLERS and not wanted:
                return

    def _take(self, delivery: Delivery, *, is_before: bool) -> None:
        tried = self.attempts.get(delivery.guid, [])
        if not tried:
            if is_before or (delivery.succeeded and not delivery.redelivery):
                return
            self.attempts[delivery.guid] = tried
        elif any(attempt.id == delivery.id for attempt in tried):
            return  # pages can repeat rows
        tried.append(delivery)
        if any(attempt.succeeded or not attempt.redelivery for attempt in tried):
            self._incomplete.discard(delivery.guid)
        elif tried[0].delivered_at <= self._window.now:
            self._incomplete.add(delivery.guid)


def _held(decision: Decision) -> Decision:
    is_due = decision.verdict is Verdict.REDELIVER
    return replace(decision, verdict=Verdict.HELD) if is_due else decision


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondLook:
    """What the log shows of redeliveries that were asked for without a clear answer."""

    attempted: frozenset[Guid]
    """GUIDs with an attempt that was not there before."""
    gone: frozenset[Guid]
    """GUIDs whose delivery is no longer there."""


def look_again(log: Iterable[Delivery], asked: Iterable[Delivery]) -> SecondLook:
    """Read `log` back to the oldest delivery that was asked for, and see what became of each."""
    known = {delivery.guid: delivery for delivery in asked}
    missing, attempted = set(known), set[Guid]()
    oldest = min(delivery.delivered_at for delivery in known.values())
    older = 0
    for row in log:
        older = older + 1 if row.delivered_at < oldest else 0
        if older >= STRAGGLERS:
            break
        if row.guid in known and row.id == known[row.guid].id:
            missing.discard(row.guid)
        elif row.guid in known and row.delivered_at > known[row.guid].delivered_at:
            attempted.add(row.guid)
    return SecondLook(attempted=frozenset(attempted), gone=frozenset(missing))
