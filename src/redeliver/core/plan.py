"""Decide what to do about each event whose delivery failed.

Pure. Each webhook's log is judged for itself, for the webhooks that subscribe to an event share
its GUID; the plan is one for all of them.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from redeliver.core.checkpoint import SavedCheckpoint
from redeliver.core.delivery import Delivery
from redeliver.core.events import ALL_EVENTS, EventFilter
from redeliver.core.webhook import Webhook
from redeliver.errors import RedeliverError

OVERLAP = timedelta(minutes=10)
"""How far a window reaches back behind its checkpoint.

A row is written when its attempt is over, which GitHub says can take minutes, and
its `delivered_at` may lack the milliseconds. So a run can miss failures of its
last minutes; the next run looks there again.
"""

MAX_SILENCE = timedelta(minutes=6)
"""How long after it wrote the checkpoint a run may still ask for redeliveries.

It writes once a minute while it asks (`work.SAVE_EVERY`), and may wait five more for a rate
limit (`throttle.MAX_WAIT_SECONDS`): tested to be the sum of these.
"""

SETTLING_TIME = OVERLAP + MAX_SILENCE
"""How long after a run wrote the checkpoint some redelivery it asked for may not show yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Which events to leave alone, for good or for this run."""

    give_up_after: timedelta
    """Counted from the first attempt."""
    max_attempts: int | None = None
    """Counting the first one; None: as many as there is time for."""
    events: EventFilter = ALL_EVENTS
    skip_status_codes: frozenset[int] = frozenset()
    """Failures that another try would not mend."""
    max_redeliveries: int | None = None
    """How many to ask for in one run, of all webhooks together; None: all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The part of the log that a run answers for: from `since` to `now`.

    `saved` is None when there is no checkpoint to go by. What fails after `now`, while the run
    reads, is the next one's: the checkpoint will say that this run did not look there.
    """

    saved: SavedCheckpoint | None
    since: datetime
    now: datetime

    @classmethod
    def starting(
        cls, saved: SavedCheckpoint | None, *, now: datetime, lookback: timedelta
    ) -> "Window":
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
        return self.saved.written + SETTLING_TIME if self.saved else self.since

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
        """Return from when to when deliveries may have left the log before a run saw them.

        None if none can have. `retention` is how long GitHub keeps the log.
        """
        kept_from = self.now - retention
        if self.saved is None or self.since >= kept_from:
            return None
        return self.since, kept_from


class Verdict(Enum):
    """What is decided for a GUID, in words fit for the run summary."""

    REDELIVER = "failed"
    DELIVERED = "another attempt succeeded"
    UNWANTED_EVENT = "not among the 'events' that are wanted"
    UNWANTED_STATUS = "its status code is one of 'skip-status-codes'"
    TOO_OLD = "first attempt older than 'give-up-after', or than GitHub keeps its log"
    EXHAUSTED = "as many attempts as 'max-attempts' allows"
    UNREAD = "the log could not be read back to its first attempt"
    UNSETTLED = "an earlier run may have asked for it, and the log may not show that yet"
    HELD = "an earlier run may have asked for others, and the log may not show that yet"
    SURPLUS = "more than 'max-redeliveries' are due"


NO_FAILURE = frozenset({Verdict.DELIVERED, Verdict.UNWANTED_EVENT, Verdict.UNWANTED_STATUS})
"""The verdicts on what does not count as failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The verdict on one GUID of one webhook; `delivery` is the newest attempt at it."""

    webhook: Webhook
    delivery: Delivery
    attempts: int
    """As far as the log was read; all of them when it is to be redelivered."""
    failing_since: datetime
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanResult:
    """What the log of one webhook gives, and how many rows were read for it."""

    webhook: Webhook
    scanned: int
    decisions: tuple[Decision, ...]
    unclassified: int = 0
    """How many events failed that the server's own filter does not take for failures."""
    error: RedeliverError | None = None
    """Why the log was not read as far back as it should have been."""

    @property
    def is_unread(self) -> bool:
        """Whether there is nothing to decide on."""
        return self.error is not None and not self.scanned


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Every decision of a run, the oldest event first."""

    readings: tuple[ScanResult, ...]
    decisions: tuple[Decision, ...]

    @classmethod
    def of(cls, readings: Iterable[ScanResult], policy: Policy) -> "Plan":
        """Put together what to do about all webhooks."""
        readings = tuple(readings)
        decisions = [decision for reading in readings for decision in reading.decisions]
        decisions.sort(key=lambda d: (d.failing_since, d.delivery.id))
        planned = cls(readings=readings, decisions=tuple(decisions))
        # Nothing at all is asked for as long as something is unsettled. Were the rest redelivered,
        # a webhook that keeps failing would never be settled when runs follow close on another.
        if planned.is_unsettled:
            return planned.held()
        return planned._at_most(policy.max_redeliveries)

    @property
    def is_incomplete(self) -> bool:
        """Whether some log was not read as far back as it should have been."""
        return any(reading.error for reading in self.readings)

    @property
    def due(self) -> tuple[Decision, ...]:
        """What is to be asked for."""
        return tuple(d for d in self.decisions if d.verdict is Verdict.REDELIVER)

    @property
    def is_unsettled(self) -> bool:
        """Whether this run comes so soon after another that it has to keep still."""
        return any(decision.verdict is Verdict.UNSETTLED for decision in self.decisions)

    def held(self) -> "Plan":
        """Leave everything that is due to the next run."""
        return self._instead(Verdict.HELD, self.due)

    @property
    def surplus(self) -> tuple[Decision, ...]:
        """What is left to the next run for being too much, the first to move up first."""
        return _in_turn(d for d in self.decisions if d.verdict is Verdict.SURPLUS)

    def _at_most(self, most: int | None) -> "Plan":
        """Leave to the next run what is too much for this one."""
        return self if most is None else self._instead(Verdict.SURPLUS, _in_turn(self.due)[most:])

    def _instead(self, verdict: Verdict, decisions: Iterable[Decision]) -> "Plan":
        places = {(decision.webhook, decision.delivery.guid) for decision in decisions}
        changed = (
            replace(each, verdict=verdict) if (each.webhook, each.delivery.guid) in places else each
            for each in self.decisions
        )
        return replace(self, decisions=tuple(changed))


def _in_turn(decisions: Iterable[Decision]) -> tuple[Decision, ...]:
    """Sort by whose turn it is when not all can be asked for.

    The webhooks take turns, and of each those come first that were tried least, then the oldest.
    Were it just the oldest, a few events that their receiver never takes, or one webhook whose
    receiver is down, would keep all others back until it is too late for them.
    """
    taken = Counter[Webhook]()
    ranked = []
    for decision in sorted(decisions, key=lambda d: (d.attempts, d.failing_since, d.delivery.id)):
        ranked.append((taken[decision.webhook], decision))
        taken[decision.webhook] += 1
    ranked.sort(key=lambda pair: (pair[0], pair[1].failing_since))
    return tuple(decision for _, decision in ranked)


def decide(  # noqa: PLR0911 - one for each reason
    attempts: Sequence[Delivery], window: Window, policy: Policy, *, is_read: bool = True
) -> Verdict:
    """Decide the fate of one GUID from all attempts at it, newest first.

    `is_read` tells whether they are all, as far back as the log goes or is wanted.
    """
    newest = attempts[0]
    if any(attempt.succeeded for attempt in attempts):
        return Verdict.DELIVERED
    if not policy.events.wants(newest.event, newest.action):
        return Verdict.UNWANTED_EVENT
    if newest.status_code in policy.skip_status_codes:
        return Verdict.UNWANTED_STATUS
    if not is_read:
        return Verdict.UNREAD
    originals = [attempt for attempt in attempts if not attempt.redelivery]
    # Were it not for this, an event whose receiver is gone for good would be tried for ever:
    # each redelivery that fails is a new failure in the next window.
    if not originals or originals[0].delivered_at < window.now - policy.give_up_after:
        return Verdict.TOO_OLD
    if policy.max_attempts is not None and len(attempts) >= policy.max_attempts:
        return Verdict.EXHAUSTED
    if window.may_be_under_way(newest):
        return Verdict.UNSETTLED
    return Verdict.REDELIVER


class ScanMode(Enum):
    """How a log is read, by the values of the input `scan`."""

    FULL = "full"
    FAILURES = "failures"
    """What GitHub takes for a failure first, and of the rest only what is needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What is wanted of a run."""

    lookback: timedelta
    """How far to look back without a checkpoint."""
    policy: Policy
    retention: timedelta
    """How long GitHub keeps the logs."""
    scan: ScanMode = ScanMode.FULL
    probe: int | None = None
    """How many of a webhook's events have to show first that its receiver is not down."""
    verify: timedelta = timedelta()
    """How long to read the logs, at most, until they show what came of the asking."""
    fail_unrecovered: bool = False
    """Whether what is still failing or was given up makes the run fail."""
    dry_run: bool = False
