"""What happens next to events that are still failing: which are tried again, and until when."""

from collections import Counter
from collections.abc import Iterator

from redeliver.core.delivery import FAILURE_CODES
from redeliver.core.outcome import EventResult, Outcome
from redeliver.core.policy import ScanMode, format_duration
from redeliver.reporting.format import count, is_or_are, them, utc
from redeliver.reporting.report import Report


def to_retry(report: Report) -> list[EventResult]:
    """Return the events that the next run tries again, if it has the same settings.

    This does not consider `give-up-after`, because nobody knows when the next run comes. So a
    message about these events has to say until when they are tried.
    """
    failing = report.results_with(Outcome.STILL_FAILING)
    return [result for result in failing if not _why_not_retried(report, result)]


def warning(report: Report) -> Iterator[str]:
    """Warn once of all events that are still failing; yield nothing if there are none."""
    failing = report.results_with(Outcome.STILL_FAILING)
    if not failing:
        return
    number, retried = len(failing), to_retry(report)
    events = f"{count(number, 'event')} {is_or_are(number)} still failing after the redelivery"
    sentences = [f"{events}, {_status(report)}"]
    if report.options.policy.guids or any(result.decision.was_delivered for result in failing):
        advice = f"Scheduled runs may not retry {them(number)}. To retry, start this run again"
        yield f"{sentences[0]}. {advice}"
        return
    if retried:
        sentences.append(_until_when(report, retried, _them(len(retried), number)))
    reasons = Counter(_why_not_retried(report, result) for result in failing)
    for why, excluded in reasons.items():
        if why:
            which = _them(excluded, number)
            sentences.append(f"With these settings, the next run does not try {which} again: {why}")
    yield ". ".join(sentences)


def _why_not_retried(report: Report, result: EventResult) -> str:
    """Return why the next run does not try an event again; empty if it does."""
    policy, code = report.options.policy, result.latest.status_code
    if policy.max_attempts is not None and result.attempts >= policy.max_attempts:
        return f"'max-attempts' ({policy.max_attempts}) is reached"
    if code in policy.skip_status_codes:
        return "'skip-status-codes' excludes the status"
    if report.options.scan is ScanMode.FAILURES and code not in FAILURE_CODES:
        return "'scan: failures' does not find the status"
    return ""


def _status(report: Report) -> str:
    """Name the most common status; if several are equally common, name one, with "some"."""
    statuses = Counter(row.status for row in report.rows(Outcome.STILL_FAILING)).most_common()
    (status, number), *others = statuses
    if not others:
        return f"with status {status}"
    is_most_common = number > others[0][1]
    return f"{'most often' if is_most_common else 'some'} with status {status}"


def _until_when(report: Report, retried: list[EventResult], them: str) -> str:
    options, policy = report.options, report.options.policy
    ends = sorted(result.decision.failing_since + options.max_age for result in retried)
    until, last = utc(ends[0]), utc(ends[-1])
    if until != last:
        until = f"{until} for the oldest, {last} for the newest"
    bounds = f"'give-up-after' is {format_duration(policy.give_up_after)}"
    if options.retention < policy.give_up_after:
        bounds = f"GitHub keeps its log for {format_duration(options.retention)}"
    if policy.max_attempts is not None:
        bounds += f", 'max-attempts' is {policy.max_attempts}"
    if report.options.is_replay:
        return f"Scheduled runs with a checkpoint try {them} again until {until} ({bounds})"
    if not report.store:  # no checkpoint is kept
        bounds += ", and each run must start within 'lookback' of the one before"
    return f"Later runs try {them} again until {until} ({bounds})"


def _them(number: int, total: int) -> str:
    if number == total:
        return "it" if total == 1 else "them"
    return f"{number:,} of them"
