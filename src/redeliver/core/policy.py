"""What the user wants of a run, as values: which events to leave alone, and how to run."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from redeliver.core.event_filter import ALL_EVENTS, EventFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Which events to leave alone, for good or for this run."""

    give_up_after: timedelta
    """Since the first attempt."""
    max_attempts: int | None = None
    """Including the first attempt; None is no limit."""
    events: EventFilter = ALL_EVENTS
    skip_status_codes: frozenset[int] = frozenset()
    """Failures that another attempt would not mend."""
    max_redeliveries: int | None = None
    """Per run, for all webhooks together; None is no limit."""


class ScanMode(Enum):
    """How a log is read, by the values of the input `scan`."""

    FULL = "full"
    FAILURES = "failures"
    """First what GitHub's filter counts as a failure, then only as much else as is needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a run goes."""

    lookback: timedelta
    """How far to look back when there is no checkpoint."""
    policy: Policy
    retention: timedelta
    """How long GitHub keeps the logs."""
    scan: ScanMode = ScanMode.FULL
    probe: int | None = None
    """How many events of a webhook must show first that its receiver is not down."""
    verify: timedelta = timedelta()
    """How long to read the logs, at most, until they show the outcomes of the redeliveries."""
    fail_unrecovered: bool = False
    """Whether the run fails when events are still failing or were given up."""
    dry_run: bool = False
