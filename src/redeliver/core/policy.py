"""The user's options for a run: which events not to redeliver, and how to run."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import TypeAlias

from redeliver.core.delivery import Delivery, Guid
from redeliver.core.event_filter import ALL_EVENTS, EventFilter
from redeliver.core.repository_filter import ALL_REPOSITORIES, RepositoryFilter

RETENTION = timedelta(days=3)
"""How long github.com keeps a delivery log:
https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/viewing-webhook-deliveries
"""

LONGEST_RETENTION = timedelta(days=30)
"""The longest time for which any GitHub has kept a delivery log; today it is 3 to 7 days."""

RECEIVER_TIMEOUT = timedelta(seconds=10)
"""How long github.com waits for a receiver's response:
https://docs.github.com/en/webhooks/using-webhooks/best-practices-for-using-webhooks
"""

AS_LONG_AS_LOGGED = timedelta.max
"""The `give_up_after` of a policy until it is known how long GitHub keeps its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Which events not to redeliver, in this run or ever."""

    give_up_after: timedelta = AS_LONG_AS_LOGGED
    """Since the first attempt."""
    max_attempts: int | None = None
    """Including the first attempt; None is no limit."""
    events: EventFilter = ALL_EVENTS
    repositories: RepositoryFilter = ALL_REPOSITORIES
    skip_status_codes: frozenset[int] = frozenset()
    """The codes of failures that another attempt would not change."""
    at_once: bool = False
    """Whether events are tried at once that would wait because they have failed again."""
    max_redeliveries: int | None = None
    """Per run, for all webhooks together; None is no limit."""
    guids: frozenset[Guid] = frozenset()
    """The events to redeliver, whatever became of them; empty to redeliver what failed."""
    include_delivered: bool = False
    """Whether events are redelivered that have been delivered already."""

    def includes_delivered(self, delivery: Delivery) -> bool:
        """Whether the event of a successful delivery is redelivered all the same."""
        return self.include_delivered and self.wants(delivery)

    def wants(self, delivery: Delivery) -> bool:
        """Whether neither `events` nor `repositories` excludes an event."""
        is_wanted_event = self.events.matches(delivery.event, delivery.action)
        return is_wanted_event and self.repositories.matches(delivery.repository_id)


def format_duration(span: timedelta) -> str:
    """Write a time span as inputs have it: 3d, 36h, 90m, and 24h for one day."""
    minutes = span // timedelta(minutes=1)
    if minutes % 60:
        return f"{minutes}m"
    hours = minutes // 60
    days, odd_hours = divmod(hours, 24)
    return f"{days}d" if days > 1 and not odd_hours else f"{hours}h"


Moment: TypeAlias = datetime | timedelta
"""A time, or how long before the start of the run."""


class ScanMode(Enum):
    """How a log is read: the values of the input `scan`."""

    FULL = "full"
    FAILURES = "failures"
    """First what GitHub's filter counts as a failure, then as few other rows as are needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """The options of a run."""

    lookback: timedelta
    """How far to look back when there is no checkpoint."""
    policy: Policy
    since: Moment | None = None
    """The start of the time range of a replay; None if `guids` names the events, or no replay."""
    until: Moment | None = None
    """The end of that range; None for the start of the run."""
    retention: timedelta = RETENTION
    """How long GitHub keeps the logs."""
    receiver_timeout: timedelta = RECEIVER_TIMEOUT
    """How long GitHub waits for a receiver's response."""
    scan: ScanMode = ScanMode.FULL
    probe: int | None = None
    """How many events of a webhook to redeliver first, to see whether its receiver is down."""
    verify: timedelta = timedelta()
    """How long at most to read the logs until they show the outcomes of the redeliveries."""
    fail_unrecovered: bool = False
    """Whether the run fails when events are still failing or were given up."""
    dry_run: bool = False
    by_hand: bool = False
    """Whether somebody started the run by hand, and not a schedule."""

    @property
    def is_replay(self) -> bool:
        """Whether the run looks at a time range or at named events, and uses no checkpoint."""
        return self.since is not None or bool(self.policy.guids)

    @property
    def max_age(self) -> timedelta:
        """How old the first attempt of an event may be before it is given up or lost."""
        return min(self.policy.give_up_after, self.retention)

    def with_retention(self, retention: timedelta) -> "RunOptions":
        """Return the options for a GitHub that keeps its logs for `retention`."""
        policy = self.policy
        if policy.give_up_after == AS_LONG_AS_LOGGED:
            policy = replace(policy, give_up_after=retention)
        return replace(self, policy=policy, retention=retention)
