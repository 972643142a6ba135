"""Tell what a run did: its counts, its exit status, the lines of its log."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from signal import Signals

from redeliver.core.checkpoint import OVERLAP, SETTLING_TIME, Window
from redeliver.core.decision import Verdict
from redeliver.core.delivery import Delivery, Webhook
from redeliver.core.outcome import ACCEPTED, NOT_REACHED, UNCONFIRMED, EventResult, Outcome
from redeliver.core.policy import RunOptions, ScanMode
from redeliver.core.scan import ScanResult
from redeliver.sanitize import quote_untrusted

NEEDS_ATTENTION = (Outcome.REFUSED, Outcome.UNANSWERED, Outcome.UNREAD)
"""What makes a run fail."""

UNRECOVERED = (Outcome.FAILING, Outcome.GIVEN_UP, Outcome.GONE)
"""What makes it fail with `fail-on: unrecovered`, too."""

LATER = (Outcome.DEFERRED, Outcome.UNANSWERED, Outcome.UNREAD, Outcome.UNSETTLED)
"""What the next run sees to."""

NOT_FAILED = (Outcome.DELIVERED, Outcome.FILTERED)

UNCLASSIFIED = "without a status code from 400 to 599, so that 'scan: failures' can miss them"
"""Said of events that GitHub's own filter does not count as failures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run did."""

    store: str
    """Where the checkpoint is kept; empty if none is."""
    options: RunOptions
    window: Window
    scans: tuple[ScanResult, ...]
    results: tuple[EventResult, ...]
    checkpoint: datetime | None
    """As it stands after the run; None if there is none yet."""
    trouble: tuple[str, ...] = ()
    """What ended the asking, or kept the checkpoint from being saved, with advice."""
    limit: str = ""
    """The rate limit that ended the asking, with when it ends; empty if there was none."""
    unverified: Mapping[Webhook, str] = field(default_factory=dict)
    """Why a webhook's log could not be read for what came of the asking."""
    interrupted: Signals | None = None

    def count(self, *outcomes: Outcome) -> int:
        """Return how many GUIDs met one of `outcomes`."""
        return sum(result.outcome in outcomes for result in self.results)

    def reasons(self, *outcomes: Outcome) -> Mapping[str, int]:
        """Return why GUIDs met one of `outcomes`, and how many for each reason, most first."""
        met = Counter(result.because for result in self.results if result.outcome in outcomes)
        return dict(met.most_common())

    @property
    def unseen(self) -> tuple[datetime, datetime] | None:
        """From when to when deliveries may have left the log before a run dealt with them."""
        return self.window.unseen(self.options.retention)

    @property
    def told(self) -> list[EventResult]:
        """The failed events, those first that somebody has to see to, then the oldest."""
        told = (result for result in self.results if result.outcome not in NOT_FAILED)
        return sorted(
            told, key=lambda o: (o.outcome not in NEEDS_ATTENTION, o.outcome not in UNRECOVERED)
        )

    @property
    def scanned(self) -> int:
        """Rows that were read."""
        return sum(scan.scanned for scan in self.scans)

    @property
    def unclassified(self) -> int:
        """GUIDs that failed and that `scan: failures` would not find."""
        return sum(scan.unclassified for scan in self.scans)

    @property
    def failed(self) -> int:
        """GUIDs without a single success that were not filtered out."""
        return len(self.results) - self.count(*NOT_FAILED)

    @property
    def status(self) -> int:
        """The exit status; that of a run which was stopped is what a shell makes of the signal."""
        if self.interrupted:
            return 128 + self.interrupted
        return 1 if self.problem else 0

    @property
    def problem(self) -> str | None:
        """Why the run is to be marked as failed, with advice; None if it is not."""
        problems = [*dict.fromkeys(str(r.error) for r in self.scans if r.error), *self.trouble]
        if self.interrupted:
            problems.insert(0, stopped(self.interrupted))
        if not problems and self.count(*NEEDS_ATTENTION):
            problems.append(
                f"of {count(self.failed, 'event')} that failed: "
                f"{_counted(self, NEEDS_ATTENTION)}. "
                "The step's log says why for each; the next run sees to them"
            )
        if self.options.fail_unrecovered:
            problems += self._unrecovered
        return "; ".join(problems) or None

    @property
    def _unrecovered(self) -> Iterator[str]:
        why = "and 'fail-on' is unrecovered"
        if self.count(*UNRECOVERED):
            told = _counted(self, UNRECOVERED)
            yield f"of {count(self.failed, 'event')} that failed: {told}, {why}"
        if self.leaving:
            yield f"{_may_leave(self.leaving)}, {why}"
        if self.unseen:
            yield f"{may_be_unseen(self.unseen)}; {why}"

    @property
    def leaving(self) -> int:
        """How many of those that are left for the next run it may not find any more.

        That is if it comes as long after this run as this one came after the last.
        """
        if self.window.saved is None:
            return 0
        since_last = self.window.now - self.window.saved.written
        gone_by = self.window.now + since_last - self.options.retention
        return sum(
            result.outcome in {*LATER, Outcome.REFUSED} and result.latest.delivered_at < gone_by
            for result in self.results
        )

    @property
    def warnings(self) -> list[str]:
        """What somebody should know although the run did all it could."""
        warnings = list(filter(None, [self.limit]))
        if not self.scans:
            warnings.append("there is no active webhook, so nothing was read")
        if self.count(Outcome.UNSETTLED):
            left = count(self.count(Outcome.UNSETTLED), "event")
            warnings.append(f"{left} left for a later run. {_kept_still(self.window)}")
        warnings += [
            f"{count(number, 'event')} left for the next run: {because}"
            for because, number in self.reasons(Outcome.DEFERRED).items()
            if because not in {NOT_REACHED, Verdict.SURPLUS.value}
        ]
        warnings += [
            f"{count(number, 'event')} given up ({because}): "
            "no attempt that was read succeeded, and the step's log names each"
            for because, number in self.reasons(Outcome.GIVEN_UP).items()
        ]
        if self.leaving:
            warnings.append(f"{_may_leave(self.leaving)}, and the step's log names each")
        if self.count(Outcome.GONE):
            warnings.append(
                f"{count(self.count(Outcome.GONE), 'event')} could not be redelivered, having just "
                "left GitHub's log, and the step's log names each"
            )
        warnings += self._unseen_outcomes
        if self.unseen:
            warnings.append(may_be_unseen(self.unseen))
        return warnings

    @property
    def _unseen_outcomes(self) -> Iterator[str]:
        webhooks = [each.decision.webhook for each in self.results if each.outcome in UNCONFIRMED]
        reasons = Counter(self.unverified[each] for each in webhooks if each in self.unverified)
        for because, number in reasons.items():
            told = count(number, "redelivery", "redeliveries")
            yield f"what came of {told} was not seen: {because}"

    @property
    def headline(self) -> str:
        """What happened, in one line."""
        prefix = "dry run, " if self.options.dry_run else ""
        if not self.failed:
            found = "failed, and found nothing" if self.problem else "nothing"
            return f"{prefix}{found} to redeliver"
        outcomes = tuple(outcome for outcome in Outcome if outcome not in NOT_FAILED)
        return f"{prefix}{count(self.failed, 'event')} failed: {_counted(self, outcomes)}"


def stopped(by: Signals) -> str:
    """Say that the run was told to stop."""
    return f"stopped by {by.name}. Nothing is lost: the next run finds what this one left"


def may_be_unseen(interval: tuple[datetime, datetime]) -> str:
    """Warn of deliveries that may have left the log before any run saw them."""
    start, end = map(utc, interval)
    return (
        f"deliveries from {start} to {end} may have left GitHub's log before a run dealt with "
        "them: the checkpoint is as old as GitHub keeps the log, or older. If events of that time "
        "matter, look for them in the receiver's own records, and see why no run has moved the "
        "checkpoint since"
    )


def _may_leave(number: int) -> str:
    return (
        f"{count(number, 'event')} left for the next run may have left GitHub's log by then: "
        "run more often, or let each run redeliver more"
    )


def opening(store: str, window: Window, scan: ScanMode) -> str:
    """Say what is about to be read."""
    if not store:
        start = "no checkpoint is kept, so the whole 'lookback'"
    elif window.saved is None:
        start = f"found no checkpoint in {store}, so the whole 'lookback'"
    else:
        start = f"the checkpoint in {store}, less {_minutes(OVERLAP)} for what shows late"
    listed = "failures" if scan is ScanMode.FAILURES else "all deliveries"
    return f"Reading {listed} back to {utc(window.since)}: {start}"


def found(scan: ScanResult) -> str:
    """Say what was read of a webhook and decided."""
    if scan.is_unread:
        return f"Read nothing of {scan.webhook.name}, for the reason given at the end"
    verdicts = Counter(decision.verdict for decision in scan.decisions)
    delivered = verdicts.pop(Verdict.DELIVERED, 0)
    filtered = {
        verdict.value: verdicts.pop(verdict, 0)
        for verdict in (Verdict.UNWANTED_EVENT, Verdict.UNWANTED_STATUS)
    }
    failed = verdicts.total()
    told = [f"{count(failed, 'event')} failed" if failed else "nothing to redeliver"]
    if delivered:
        told.append(f"failed but delivered since: {delivered}")
    told += [f"filtered out, {why}: {number}" for why, number in filtered.items() if number]
    if scan.unclassified:
        told.append(f"of all that failed, {scan.unclassified} {UNCLASSIFIED}")
    read = f"Read {count(scan.scanned, 'delivery', 'deliveries')} of {scan.webhook.name}"
    end = f". Reading stopped there: {scan.error}" if scan.error else ""
    return f"{read}: {'; '.join(told)}{end}"


def probing(probe: int) -> str:
    """Say that some are tried first."""
    return (
        f"Trying {probe} at random first, of each webhook with more than that due; "
        "if all of these fail, its others are left for the next run"
    )


def line(result: EventResult, window: Window, *, dry_run: bool, name_webhook: bool) -> str:
    """Say what became of one GUID."""
    decision = result.decision
    webhook = f"{decision.webhook.name}, " if name_webhook else ""
    because = f": {result.because}" if result.because else ""
    failing = "after failing" if result.outcome is Outcome.RECOVERED else "failing"
    outcome = (
        "redelivered"
        if result.outcome is Outcome.PENDING
        else outcome_in_words(result, dry_run=dry_run)
    )
    guid = quote_untrusted(result.latest.guid)
    return (
        f"{outcome.capitalize()}: {event_name(result.latest)} {guid} "
        f"({webhook}delivery {result.latest.id}, "
        f"{failing} for {age(window.now - decision.failing_since)}, "
        f"{count(result.attempts, 'attempt')}, last status {status(result.latest)}){because}"
    )


def outcome_in_words(result: EventResult, *, dry_run: bool) -> str:
    """Say what became of one GUID, or would; not why."""
    would = dry_run and result.outcome in {Outcome.GIVEN_UP, Outcome.DEFERRED}
    return f"would be {result.outcome.value}" if would else result.outcome.value


def closing(report: Report) -> str:
    """Say where the checkpoint stands and why."""
    if report.count(Outcome.UNSETTLED):
        return _kept_still(report.window)
    if report.options.dry_run:
        return "Dry run: nothing was redelivered and nothing saved"
    if report.checkpoint is None:
        nothing = "No checkpoint was saved" if report.store else "No checkpoint is kept"
        return f"{nothing}: the next run looks back as far as 'lookback' again"
    where = utc(report.checkpoint)
    if report.checkpoint >= report.window.now:
        return f"Checkpoint saved: {where}, the start of this run"
    if report.checkpoint == report.window.mark:
        return f"Checkpoint stays at {where}: the next run looks at all of this again"
    return (
        f"Checkpoint saved: {where}, the oldest failure not dealt with: "
        "the next run looks at it again"
    )


def _kept_still(window: Window) -> str:
    # A run that was overtaken has only just learnt of the other.
    back = window.settled_at if window.settled_at > window.now else window.now + SETTLING_TIME
    return (
        "Nothing was redelivered and nothing saved, because an earlier run wrote the checkpoint "
        f"less than {_minutes(SETTLING_TIME)} ago, and what it asked for may not show in the log "
        f"yet: start a run after {utc(back)}"
    )


def _counted(report: Report, outcomes: tuple[Outcome, ...]) -> str:
    counts = ((report.count(outcome), outcome.value) for outcome in outcomes)
    return ", ".join(f"{number:,} {name}" for number, name in counts if number)


def counts(report: Report) -> dict[str, int]:
    """Return how many of what there were, by the names of the action's outputs.

    `failed` is the sum of `redelivered`, `given-up`, `refused` and `deferred`, and in a dry run
    of those and of what would be redelivered; `redelivered` that of the three outcomes.
    """
    return {
        "scanned": report.scanned,
        "failed": report.failed,
        "unclassified": report.unclassified,
        "redelivered": report.count(*ACCEPTED),
        "recovered": report.count(Outcome.RECOVERED),
        "failing": report.count(Outcome.FAILING),
        "pending": report.count(Outcome.PENDING),
        "given-up": report.count(Outcome.GIVEN_UP),
        "refused": report.count(Outcome.REFUSED, Outcome.GONE),
        "deferred": report.count(*LATER),
    }


# What the summary tells in the same words.


def event_name(delivery: Delivery) -> str:
    """Name the event with its action, as in `issues.opened`."""
    action = f".{quote_untrusted(delivery.action)}" if delivery.action else ""
    return f"{quote_untrusted(delivery.event)}{action}"


def status(delivery: Delivery) -> str:
    """Tell the status with its code, which some of GitHub's texts already hold."""
    text = quote_untrusted(delivery.status) or "none"
    code = str(delivery.status_code)
    return text if code in re.findall(r"\d+", text) else f"{text}, {code}"


def count(number: int, noun: str, plural: str = "") -> str:
    """Write a number with what it counts."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def utc(instant: datetime) -> str:
    """Write an instant to the second."""
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"


def _minutes(span: timedelta) -> str:
    return f"{span // timedelta(minutes=1)} min"


def age(span: timedelta) -> str:
    """Write a time span in its two largest units: 2 d 4 h, 5 h 3 min, 12 min, 40 s."""
    minutes, seconds = divmod(max(int(span.total_seconds()), 0), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{seconds} s"
