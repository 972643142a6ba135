"""What a run did, as a value: its results, what they add up to, and its exit status."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from signal import Signals

from redeliver.core.checkpoint import Window
from redeliver.core.delivery import Webhook
from redeliver.core.outcome import ACCEPTED, EventResult, Outcome
from redeliver.core.policy import RunOptions
from redeliver.core.scan import ScanResult
from redeliver.reporting.event_row import EventRow

NEEDS_ATTENTION = (Outcome.REFUSED, Outcome.UNANSWERED, Outcome.UNREAD)
"""The outcomes that make a run fail."""

UNRECOVERED = (Outcome.FAILING, Outcome.GIVEN_UP, Outcome.GONE)
"""The outcomes that make it fail with `fail-on: unrecovered` as well."""

LEFT_FOR_LATER = (Outcome.DEFERRED, Outcome.UNANSWERED, Outcome.UNREAD, Outcome.UNSETTLED)
"""The outcomes of events that a later run tries again."""

NOT_FAILED = (Outcome.DELIVERED, Outcome.FILTERED)
"""The outcomes of events that do not count as failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run did."""

    store: str
    """Where the checkpoint is kept; empty if nowhere."""
    options: RunOptions
    window: Window
    scans: tuple[ScanResult, ...]
    results: tuple[EventResult, ...]
    checkpoint: datetime | None
    """As it is after the run; None if there is none yet."""
    trouble: tuple[str, ...] = ()
    """What stopped the redeliveries, or kept the checkpoint from being saved, with advice."""
    limit: str = ""
    """The rate limit that stopped the redeliveries, with its end; empty if there was none."""
    unverified: Mapping[Webhook, str] = field(default_factory=dict)
    """Why the outcomes of a webhook's redeliveries could not be read from its log."""
    interrupted: Signals | None = None

    def count(self, *outcomes: Outcome) -> int:
        """Return how many events have one of `outcomes`."""
        return sum(result.outcome in outcomes for result in self.results)

    def reasons(self, *outcomes: Outcome) -> Mapping[str, int]:
        """Return why events have one of `outcomes`, and how many for each reason, most first."""
        reasons = Counter(result.because for result in self.results if result.outcome in outcomes)
        return dict(reasons.most_common())

    def rows(self, *outcomes: Outcome) -> Iterator[EventRow]:
        """Yield the failed events with one of `outcomes`, or all of them.

        Those that need attention come first, then the oldest.
        """
        wanted = set(outcomes or Outcome) - set(NOT_FAILED)
        ranked = sorted(
            (result for result in self.results if result.outcome in wanted),
            key=lambda r: (r.outcome not in NEEDS_ATTENTION, r.outcome not in UNRECOVERED),
        )
        for result in ranked:
            yield EventRow.of(result, now=self.window.now, dry_run=self.options.dry_run)

    @property
    def scanned(self) -> int:
        """How many rows were read."""
        return sum(scan.scanned for scan in self.scans)

    @property
    def unclassified(self) -> int:
        """How many failed events `scan: failures` would not find."""
        return sum(scan.unclassified for scan in self.scans)

    @property
    def failed(self) -> int:
        """How many events have no success and were not filtered out."""
        return len(self.results) - self.count(*NOT_FAILED)

    @property
    def counts(self) -> dict[str, int]:
        """All counts, by the names of the action's outputs.

        `failed` is the sum of `redelivered`, `given-up`, `refused` and `deferred`, in a dry run
        also of what would be redelivered; `redelivered` is the sum of its three outcomes.
        """
        return {
            "scanned": self.scanned,
            "failed": self.failed,
            "unclassified": self.unclassified,
            "redelivered": self.count(*ACCEPTED),
            "recovered": self.count(Outcome.RECOVERED),
            "failing": self.count(Outcome.FAILING),
            "pending": self.count(Outcome.PENDING),
            "given-up": self.count(Outcome.GIVEN_UP),
            "refused": self.count(Outcome.REFUSED, Outcome.GONE),
            "deferred": self.count(*LEFT_FOR_LATER),
        }

    @property
    def unseen(self) -> tuple[datetime, datetime] | None:
        """From when to when deliveries may have left the log before a run dealt with them."""
        return self.window.unseen(self.options.retention)

    @property
    def leaving(self) -> int:
        """How many of the events that are left may be gone from the log in the next run.

        This assumes that the next run comes as long after this one as this one after the last.
        """
        if self.window.saved is None:
            return 0
        since_last = self.window.now - self.window.saved.written
        gone_by = self.window.now + since_last - self.options.retention
        return sum(
            result.outcome in {*LEFT_FOR_LATER, Outcome.REFUSED}
            and result.latest.delivered_at < gone_by
            for result in self.results
        )

    @property
    def is_failed(self) -> bool:
        """Whether the run is to be marked as failed; `messages.problem` says why."""
        return bool(
            self.interrupted
            or self.trouble
            or any(scan.error for scan in self.scans)
            or self.count(*NEEDS_ATTENTION)
            or (
                self.options.fail_unrecovered
                and (self.count(*UNRECOVERED) or self.leaving or self.unseen)
            )
        )

    @property
    def status(self) -> int:
        """The exit status; that of an interrupted run is what a shell makes of the signal."""
        return 128 + self.interrupted if self.interrupted else int(self.is_failed)
