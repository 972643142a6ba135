"""The sentences of a run: the lines of its log, its warnings, and why it failed."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from signal import Signals

from redeliver.core.checkpoint import OVERLAP, SETTLING_TIME, Window
from redeliver.core.decision import Verdict
from redeliver.core.outcome import NOT_REACHED, UNCONFIRMED, Outcome
from redeliver.core.policy import ScanMode
from redeliver.core.scan import ScanResult
from redeliver.reporting.event_row import EventRow
from redeliver.reporting.format import count, minutes, utc
from redeliver.reporting.report import NEEDS_ATTENTION, NOT_FAILED, UNRECOVERED, Report

UNCLASSIFIED = "without a status code from 400 to 599, so that 'scan: failures' can miss them"
"""Describes failed events that GitHub's filter does not list as failures."""


# During the run.


def opening(store: str, window: Window, mode: ScanMode) -> str:
    """Say what the run is going to read."""
    if not store:
        start = "no checkpoint is kept, so the whole 'lookback'"
    elif window.saved is None:
        start = f"found no checkpoint in {store}, so the whole 'lookback'"
    else:
        start = f"the checkpoint in {store}, less {minutes(OVERLAP)} for what shows late"
    listed = "failures" if mode is ScanMode.FAILURES else "all deliveries"
    return f"Reading {listed} back to {utc(window.since)}: {start}"


def scanned(scan: ScanResult) -> str:
    """Say what was read of a webhook's log, and what was decided."""
    if scan.is_unread:
        return f"Read nothing of {scan.webhook.name}, for the reason given at the end"
    verdicts = Counter(decision.verdict for decision in scan.decisions)
    delivered = verdicts.pop(Verdict.DELIVERED, 0)
    filtered = {
        verdict.value: verdicts.pop(verdict, 0)
        for verdict in (Verdict.UNWANTED_EVENT, Verdict.UNWANTED_STATUS)
    }
    failed = verdicts.total()
    parts = [f"{count(failed, 'event')} failed" if failed else "nothing to redeliver"]
    if delivered:
        parts.append(f"failed but delivered since: {delivered}")
    parts += [f"filtered out, {why}: {number}" for why, number in filtered.items() if number]
    if scan.unclassified:
        parts.append(f"of all that failed, {scan.unclassified} {UNCLASSIFIED}")
    read = f"Read {count(scan.scanned, 'delivery', 'deliveries')} of {scan.webhook.name}"
    end = f". Reading stopped there: {scan.error}" if scan.error else ""
    return f"{read}: {'; '.join(parts)}{end}"


def probing(probe: int) -> str:
    """Say that some events are redelivered first."""
    return (
        f"Trying {probe} at random first, of each webhook with more than that due; "
        "if all of these fail, its others are left for the next run"
    )


def line(row: EventRow, *, name_webhook: bool) -> str:
    """Say what became of one event."""
    webhook = f"{row.webhook.name}, " if name_webhook else ""
    because = f": {row.because}" if row.because else ""
    failing = "after failing" if row.outcome is Outcome.RECOVERED else "failing"
    outcome = "redelivered" if row.outcome is Outcome.PENDING else row.outcome_text
    return (
        f"{outcome.capitalize()}: {row.name} {row.guid} "
        f"({webhook}delivery {row.delivery}, {failing} for {row.failing_for}, "
        f"{count(row.attempts, 'attempt')}, last status {row.status}){because}"
    )


# After the run.


def headline(report: Report) -> str:
    """Say what happened, in one line."""
    prefix = "dry run, " if report.options.dry_run else ""
    if not report.failed:
        found = "failed, and found nothing" if report.is_failed else "nothing"
        return f"{prefix}{found} to redeliver"
    outcomes = tuple(outcome for outcome in Outcome if outcome not in NOT_FAILED)
    return f"{prefix}{count(report.failed, 'event')} failed: {_counted(report, outcomes)}"


def closing(report: Report) -> str:
    """Say what the checkpoint is now, and why."""
    if report.count(Outcome.UNSETTLED):
        return _kept_still(report.window)
    if report.options.dry_run:
        return "Dry run: nothing was redelivered and nothing saved"
    if report.checkpoint is None:
        nothing = "No checkpoint was saved" if report.store else "No checkpoint is kept"
        return f"{nothing}: the next run looks back as far as 'lookback' again"
    checkpoint = utc(report.checkpoint)
    if report.checkpoint >= report.window.now:
        return f"Checkpoint saved: {checkpoint}, the start of this run"
    if report.checkpoint == report.window.mark:
        return f"Checkpoint stays at {checkpoint}: the next run looks at all of this again"
    return (
        f"Checkpoint saved: {checkpoint}, the oldest failure not dealt with: "
        "the next run looks at it again"
    )


def problem(report: Report) -> str | None:
    """Return why the run failed, with advice; None if it did not fail."""
    problems = [*dict.fromkeys(str(s.error) for s in report.scans if s.error), *report.trouble]
    if report.interrupted:
        problems.insert(0, stopped(report.interrupted))
    if not problems and report.count(*NEEDS_ATTENTION):
        problems.append(
            f"of {count(report.failed, 'event')} that failed: "
            f"{_counted(report, NEEDS_ATTENTION)}. "
            "The log says why for each; the next run sees to them"
        )
    if report.options.fail_unrecovered:
        problems += _unrecovered(report)
    return "; ".join(problems) or None


def _unrecovered(report: Report) -> Iterator[str]:
    why = "and 'fail-on' is unrecovered"
    if report.count(*UNRECOVERED):
        counted = _counted(report, UNRECOVERED)
        yield f"of {count(report.failed, 'event')} that failed: {counted}, {why}"
    if report.leaving:
        yield f"{_may_leave(report.leaving)}, {why}"
    if report.unseen:
        yield f"{may_be_unseen(report.unseen)}; {why}"


def warnings(report: Report) -> list[str]:
    """Return what the user should know even if the run did not fail."""
    found = list(filter(None, [report.limit]))
    if not report.scans:
        found.append("there is no active webhook, so nothing was read")
    if report.count(Outcome.UNSETTLED):
        left = count(report.count(Outcome.UNSETTLED), "event")
        found.append(f"{left} left for a later run. {_kept_still(report.window)}")
    found += [
        f"{count(number, 'event')} left for the next run: {because}"
        for because, number in report.reasons(Outcome.DEFERRED).items()
        if because not in {NOT_REACHED, Verdict.SURPLUS.value}
    ]
    found += [
        f"{count(number, 'event')} given up ({because}): "
        "no attempt that was read succeeded, and the log names each"
        for because, number in report.reasons(Outcome.GIVEN_UP).items()
    ]
    if report.leaving:
        found.append(f"{_may_leave(report.leaving)}, and the log names each")
    if report.count(Outcome.GONE):
        found.append(
            f"{count(report.count(Outcome.GONE), 'event')} could not be redelivered, having just "
            "left GitHub's log, and the log names each"
        )
    found += _outcomes_not_seen(report)
    if report.unseen:
        found.append(may_be_unseen(report.unseen))
    return found


def _outcomes_not_seen(report: Report) -> Iterator[str]:
    webhooks = [r.key.webhook for r in report.results if r.outcome in UNCONFIRMED]
    reasons = Counter(report.unverified[hook] for hook in webhooks if hook in report.unverified)
    for because, number in reasons.items():
        redeliveries = count(number, "redelivery", "redeliveries")
        yield f"what came of {redeliveries} was not seen: {because}"


def stopped(by: Signals) -> str:
    """Say that a signal stopped the run."""
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


def _kept_still(window: Window) -> str:
    # Without this, a run that has only just met another run would name a time in the past.
    back = window.settled_at if window.settled_at > window.now else window.now + SETTLING_TIME
    return (
        "Nothing was redelivered and nothing saved, because an earlier run wrote the checkpoint "
        f"less than {minutes(SETTLING_TIME)} ago, and what it asked for may not show in the log "
        f"yet: start a run after {utc(back)}"
    )


def _counted(report: Report, outcomes: tuple[Outcome, ...]) -> str:
    counts = ((report.count(outcome), outcome.value) for outcome in outcomes)
    return ", ".join(f"{number:,} {name}" for number, name in counts if number)
