"""What a run says at its end: headline, closing line, warnings, and why it failed."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from signal import Signals

from redeliver.core.checkpoint import SETTLING_TIME, Window
from redeliver.core.decision import Verdict
from redeliver.core.outcome import NOT_REACHED, UNCONFIRMED, Outcome
from redeliver.core.policy import format_duration
from redeliver.reporting.format import count, is_or_are, utc
from redeliver.reporting.report import NOT_FAILED, Report


def headline(report: Report) -> str:
    """Say what happened, in one line."""
    prefix = "dry run, " if report.options.dry_run else ""
    if report.failed:
        return f"{prefix}{count(report.failed, 'event')} failed: {_counted(report)}"
    if report.is_failed:
        return f"{prefix}the run failed, and found nothing to redeliver"
    return f"{prefix}nothing to redeliver"


def closing(report: Report) -> str:
    """Say what the checkpoint is now, and what the next run does."""
    if report.count(Outcome.UNSETTLED):
        return (
            "Skipped: nothing was redelivered, and the checkpoint was not moved. "
            f"Start a run after {utc(_settled_at(report.window))}"
        )
    if report.options.dry_run:
        return "Dry run: nothing was redelivered, and no checkpoint was saved"
    if report.checkpoint is None:
        nothing = "No checkpoint was saved" if report.store else "No checkpoint is kept"
        return f"{nothing}: the next run looks back as far as 'lookback' again"
    checkpoint, number = utc(report.checkpoint), len(report.to_retry)
    are = is_or_are(number)
    retries = f", and tries again the {count(number, 'event')} that {are} still failing"
    retries = retries if number else ""
    if report.checkpoint >= report.window.now:
        return (
            f"Checkpoint saved: {checkpoint}, the start of this run. The next run looks at what "
            f"fails after that{retries}"
        )
    if report.checkpoint == report.window.mark:
        again = f"the next run checks these deliveries again{retries}"
        return f"Checkpoint not moved ({checkpoint}): {again}"
    return (
        f"Checkpoint saved: {checkpoint}. The oldest event that the next run has to try again "
        f"failed at that time, so the next run starts there{retries}"
    )


def problem(report: Report) -> str | None:
    """Return why the run failed, with advice; None if it did not fail."""
    problems = [*dict.fromkeys(str(s.error) for s in report.scans if s.error), *report.trouble]
    if report.interrupted:
        problems.insert(0, stopped(report.interrupted))
    if not problems:
        problems += _not_redelivered(report)
    if report.options.fail_unrecovered:
        problems += _unrecovered(report)
    return "; ".join(problems) or None


def _not_redelivered(report: Report) -> Iterator[str]:
    of_failed = f"of {report.failed:,} failed events"
    found = []
    if number := report.count(Outcome.REFUSED):
        found.append(f"GitHub refused to redeliver {number:,} {of_failed}")
    if number := report.count(Outcome.UNANSWERED):
        found.append(f"GitHub sent no usable response about redelivering {number:,} {of_failed}")
    if number := report.count(Outcome.UNREAD):
        found.append(f"GitHub's log could not be read back to the start of {number:,} {of_failed}")
    if found:
        advice = "The log of this run has the reason for each; the next run tries again"
        yield f"{', and '.join(found)}. {advice}"


def _unrecovered(report: Report) -> Iterator[str]:
    failing, given_up = report.count(Outcome.STILL_FAILING), report.count(Outcome.GIVEN_UP)
    parts = [f"{failing:,} {is_or_are(failing)} still failing"] if failing else []
    parts += [f"{given_up:,} {'was' if given_up == 1 else 'were'} given up"] if given_up else []
    found = [f"of {report.failed:,} failed events, {' and '.join(parts)}"] if parts else []
    found += [_may_leave(report.leaving)] if report.leaving else []
    found += [may_be_unseen(report.unseen)] if report.unseen else []
    if found:
        yield f"{'; '.join(found)}. The run fails because 'fail-on' is 'unrecovered'"


def warnings(report: Report) -> list[str]:
    """Return what the user should know even if the run did not fail."""
    found = list(filter(None, [report.limit]))
    if not report.scans:
        found.append("there is no active webhook, so this run read nothing")
    found += _deferred(report)
    found += _still_failing(report)
    found += _given_up(report)
    if report.leaving:
        found.append(f"{_may_leave(report.leaving)}. The log of this run names each")
    found += _outcomes_not_seen(report)
    if report.unseen:
        found.append(may_be_unseen(report.unseen))
    return found


def _deferred(report: Report) -> Iterator[str]:
    if unsettled := report.count(Outcome.UNSETTLED):
        yield f"{count(unsettled, 'event')} deferred: {_under_way(report.window)}"
    expected = {NOT_REACHED, Verdict.SURPLUS.reason(report.options.policy)}
    for because, number in report.reasons(Outcome.DEFERRED).items():
        if because not in expected:
            yield f"{count(number, 'event')} deferred to the next run: {because}"


def _given_up(report: Report) -> Iterator[str]:
    for because, number in report.reasons(Outcome.GIVEN_UP).items():
        were = "was" if number == 1 else "were"
        were = "would be" if report.options.dry_run else were
        yield (
            f"{count(number, 'event')} {were} given up because {because}. GitHub's log shows no "
            "successful attempt, and no later run tries again. The log of this run names each"
        )


def _still_failing(report: Report) -> Iterator[str]:
    number = report.count(Outcome.STILL_FAILING)
    if not number:
        return
    statuses = Counter(row.status for row in report.rows(Outcome.STILL_FAILING))
    ((status, _),) = statuses.most_common(1)
    often = "" if len(statuses) == 1 else "most often "
    failing = f"{count(number, 'event')} {is_or_are(number)} still failing after the redelivery"
    sentences = [f"{failing}, {often}with status {status}"]
    if report.to_retry:
        sentences.append(_until_when(report))
    if exhausted := len(report.exhausted):
        maximum = report.options.policy.max_attempts
        sentences.append(
            f"No later run tries {exhausted:,} of them, because 'max-attempts' is {maximum}"
        )
    if unlisted := number - len(report.to_retry) - len(report.exhausted):
        sentences.append(
            f"The next run may miss {unlisted:,} of them, because 'scan: failures' lists only "
            "events with a status code from 400 to 599"
        )
    yield ". ".join(sentences)


def _until_when(report: Report) -> str:
    policy, retried = report.options.policy, report.to_retry
    ends = [utc(result.decision.failing_since + policy.give_up_after) for result in retried]
    until = f"until {min(ends)}"
    if min(ends) != max(ends):
        until = f"the oldest {until} and the newest until {max(ends)}"
    bounds = f"'give-up-after' is {format_duration(policy.give_up_after)}"
    if policy.max_attempts is not None:
        bounds += f", 'max-attempts' is {policy.max_attempts}"
    them = "it" if len(retried) == 1 else "them"
    if len(retried) < report.count(Outcome.STILL_FAILING):
        them = f"{len(retried):,} of them"
    return f"The next runs try {them} again, {until} ({bounds})"


def _outcomes_not_seen(report: Report) -> Iterator[str]:
    webhooks = [result.key.webhook for result in report.results_with(*UNCONFIRMED)]
    reasons = Counter(report.unverified[hook] for hook in webhooks if hook in report.unverified)
    for because, number in reasons.items():
        redeliveries = count(number, "redelivery", "redeliveries")
        yield f"the outcome of {redeliveries} is unknown: {because}"


def stopped(by: Signals) -> str:
    """Say that a signal stopped the run."""
    return f"stopped by {by.name}. No events are lost: the next run continues from here"


def may_be_unseen(interval: tuple[datetime, datetime]) -> str:
    """Warn of deliveries that may have left the log before any run saw them."""
    start, end = map(utc, interval)
    return (
        f"deliveries from {start} to {end} may have left GitHub's log before a run dealt with "
        "them, because the checkpoint is older than GitHub keeps the log. GitHub can no longer "
        "redeliver them: compare the objects on GitHub with what your receiver has. Then check why "
        "no run has moved the checkpoint since"
    )


def _may_leave(number: int) -> str:
    return (
        f"{count(number, 'event')} deferred to the next run may have left GitHub's log by then. "
        "Run more often, or redeliver more in each run"
    )


def _under_way(window: Window) -> str:
    run = "another run, which has just saved the checkpoint,"
    if window.saved and window.settled_at > window.now:
        run = f"the run that saved the checkpoint at {utc(window.saved.written)}"
    return (
        f"{run} may still have redeliveries under way that GitHub's log does not show yet. "
        f"Start a run after {utc(_settled_at(window))}"
    )


def _settled_at(window: Window) -> datetime:
    """Return from when on the log shows the other run's redeliveries."""
    # Without this, a run that has only just met another run would name a time in the past.
    return window.settled_at if window.settled_at > window.now else window.now + SETTLING_TIME


def _counted(report: Report) -> str:
    counts = Counter(
        result.outcome.for_users for result in report.results if result.outcome not in NOT_FAILED
    )
    return ", ".join(f"{counts[kind]:,} {kind.value}" for kind in Outcome if counts[kind])
