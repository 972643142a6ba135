"""The report of a run, as a value: its results, their counts, and the exit status."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from signal import Signals

from redeliver.core.checkpoint import Mark
from redeliver.core.delivery import Delivery, Guid, Webhook
from redeliver.core.health import HealthVerdict
from redeliver.core.outcome import DEFERRED_KINDS, EventResult, Outcome
from redeliver.core.policy import RunOptions
from redeliver.core.scan import ScanResult
from redeliver.core.window import Window
from redeliver.reporting.counts import NOT_FAILED_OUTCOMES, count_by_output
from redeliver.reporting.event_row import EventRow

NEEDS_ATTENTION = (Outcome.REFUSED, Outcome.UNANSWERED, Outcome.UNREAD)
"""The outcomes that make a run fail."""

UNRECOVERED = (Outcome.STILL_FAILING, Outcome.GIVEN_UP)
"""The outcomes that make it fail with `fail-on: unrecovered` as well."""

OPEN = (*DEFERRED_KINDS, Outcome.REFUSED, Outcome.PENDING)
"""The outcomes of events that the next run must still deal with."""

USUAL_INTERVAL = timedelta(hours=6)
"""The time between two runs that is assumed if nothing is known about it, as in the examples."""

FAIL_FOR_TOKEN = timedelta(days=3)
"""How long before a token expires a run with `fail-on: unrecovered` fails. Somebody then
has time to replace it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run did."""

    store: str
    """What messages call the checkpoint's store; empty if no checkpoint is kept."""
    is_shared: bool
    """Whether another run can write the checkpoint while this one uses it."""
    options: RunOptions
    window: Window
    scans: tuple[ScanResult, ...]
    results: tuple[EventResult, ...]
    holds: tuple[datetime, ...]
    """The times of rows that could not be read, which the checkpoint does not pass."""
    older: tuple[Delivery, ...]
    """Without a checkpoint: the newest failure of each event that failed before the window."""
    checkpoint: datetime | None
    """The checkpoint after the run; None if there is none."""
    mark: Mark
    """What is saved with it."""
    trouble: tuple[str, ...]
    """What stopped the redeliveries, or kept the checkpoint from being saved, with advice."""
    limit: str
    """The rate limit that stopped the redeliveries, with its end; empty if there was none."""
    unverified: Mapping[Webhook, str]
    """Why the outcomes of a webhook's redeliveries could not be read from its log."""
    token_expirations: Mapping[str, datetime]
    """When tokens expire, by the input that has the token, as far as GitHub has told."""
    interrupted: Signals | None

    def count(self, *outcomes: Outcome) -> int:
        """Return how many events have one of `outcomes`."""
        return len(self.results_with(*outcomes))

    def results_with(self, *outcomes: Outcome) -> list[EventResult]:
        """Return the results of events with one of `outcomes`."""
        return [result for result in self.results if result.outcome in outcomes]

    def reasons(self, *outcomes: Outcome) -> Mapping[str, int]:
        """Return the reasons of events with one of `outcomes`, and their numbers, largest first."""
        reasons = Counter(result.because for result in self.results_with(*outcomes))
        return dict(reasons.most_common())

    def rows(self, *outcomes: Outcome) -> Iterator[EventRow]:
        """Yield the failed events with one of `outcomes`, or all of them.

        Those in NEEDS_ATTENTION come first, then those in UNRECOVERED; among each, the oldest. What
        would be redelivered is in the order of the requests.
        """
        wanted = set(outcomes or Outcome) - set(NOT_FAILED_OUTCOMES)
        ranked = sorted(
            (result for result in self.results if result.outcome in wanted),
            key=lambda r: (
                r.outcome not in NEEDS_ATTENTION,
                r.outcome not in UNRECOVERED,
                r.decision.failing_since if r.outcome is not Outcome.DUE else self.window.since,
            ),
        )
        yield from map(self.row, ranked)

    def row(self, result: EventResult) -> EventRow:
        """Return the row for a result of this run."""
        return EventRow.of(result, now=self.window.now, dry_run=self.options.dry_run)

    @property
    def failed(self) -> int:
        """How many events have no success and were not filtered out."""
        return len(self.results) - self.count(*NOT_FAILED_OUTCOMES)

    @property
    def counts(self) -> dict[str, int]:
        """All counts of all webhooks, by the names of the action's outputs."""
        return count_by_output(self.scans, self.results)

    @property
    def counts_by_webhook(self) -> Mapping[Webhook, dict[str, int]]:
        """The counts of each webhook."""
        results = defaultdict[Webhook, list[EventResult]](list)
        for result in self.results:
            results[result.key.webhook].append(result)
        return {scan.webhook: count_by_output([scan], results[scan.webhook]) for scan in self.scans}

    @property
    def health(self) -> HealthVerdict | None:
        """The worst of what is known of the webhooks' receivers; None if nothing is known."""
        return HealthVerdict.worst(scan.health.verdict for scan in self.scans if scan.health)

    @property
    def unseen(self) -> tuple[datetime, datetime] | None:
        """From when to when deliveries may have left the log before a run dealt with them."""
        return self.window.unseen(self.options.retention)

    @property
    def kept_from(self) -> datetime:
        """Since when GitHub's log has all deliveries."""
        return self.window.now - self.options.retention

    @property
    def is_incomplete(self) -> bool:
        """Whether a log was not read as far back as it should have been."""
        return any(scan.error for scan in self.scans)

    @property
    def since_last(self) -> timedelta | None:
        """How long before this run the last one saved the checkpoint; None if that says nothing.

        If it is longer than GitHub keeps the log, runs were interrupted, or this is a new start.
        """
        saved = self.window.saved
        if saved is None or self.window.now - saved.written >= self.options.retention:
            return None
        return self.window.now - saved.written

    @property
    def until_next(self) -> timedelta:
        """How long after this run the next one is assumed to start at the latest.

        That is half as much again as between the last run and this one, because schedules are late.
        A run that somebody has started by hand says nothing about the schedule.
        """
        return max(self.since_last or USUAL_INTERVAL, USUAL_INTERVAL) * 3 / 2

    @property
    def leaving(self) -> list[EventResult]:
        """The events that the next run must still deal with, and that may be too old by then.

        Their age counts from the first attempt, as it does when an event is given up. A replay has
        no next run, and warns of all events that it leaves.
        """
        if self.options.is_replay:
            return []
        return [r for r in self.results_with(*OPEN) if r.decision.failing_since < self._too_old]

    @property
    def rows_leaving(self) -> int:
        """How many rows that could not be read may have left the log before the next run."""
        is_replay = self.options.is_replay
        return 0 if is_replay else sum(time < self._too_old for time in self.holds)

    @property
    def _too_old(self) -> datetime:
        """What is older than this may have left the log, or be given up, before the next run."""
        return self.window.now + self.until_next - self.options.max_age

    @property
    def not_shown(self) -> int:
        """How many events had a failed redelivery, and have not been shown as recovered."""
        return sum(
            result.decision.delivery.redelivery and not result.decision.was_delivered
            for result in self.results_with(*OPEN)
        )

    def expiring(self, within: timedelta) -> Mapping[str, datetime]:
        """Return the tokens that expire within this time: by input, when."""
        ends = self.token_expirations
        return {name: end for name, end in ends.items() if end - self.window.now < within}

    @property
    def is_failed(self) -> bool:
        """Whether the run failed; `messages.problem` says why."""
        return bool(
            self.interrupted
            or self.trouble
            or self.is_incomplete
            or any(scan.has_unknown_format for scan in self.scans)
            or not_found(self)
            or (self.options.policy.guids and left_by_replay(self))
            or is_too_old(self)
            or self.count(*NEEDS_ATTENTION)
            or (
                self.options.fail_unrecovered
                and (
                    self.count(*UNRECOVERED)
                    or self.not_shown
                    or self.leaving
                    or self.unseen
                    or self.rows_leaving
                    or self.expiring(FAIL_FOR_TOKEN)
                )
            )
        )

    @property
    def status(self) -> int:
        """The exit status; after a signal, 128 plus its number, as in a shell."""
        return 128 + self.interrupted if self.interrupted else int(self.is_failed)


def is_too_old(report: Report) -> bool:
    """Whether a replay has a range of which GitHub's log has nothing any more."""
    has_range = report.options.is_replay and not report.options.policy.guids
    is_found = any(scan.in_window or scan.unreadable for scan in report.scans)
    return has_range and report.window.until <= report.kept_from and not is_found


def not_found(report: Report) -> list[Guid]:
    """Return the events that a replay names, and of which no log has a delivery."""
    found = frozenset[Guid]().union(*(scan.seen for scan in report.scans))
    return sorted(report.options.policy.guids - found)


def left_by_replay(report: Report) -> list[EventResult]:
    """Return the events that a replay should have redelivered, but did not."""
    is_real = report.options.is_replay and not report.options.dry_run
    return report.results_with(*DEFERRED_KINDS, Outcome.REFUSED) if is_real else []


def delivered_before(report: Report) -> int:
    """Return how many events a replay redelivers although they had been delivered."""
    return sum(
        result.decision.was_delivered and result.outcome not in NOT_FAILED_OUTCOMES
        for result in report.results
    )
