"""What a run says of events that may be lost, because GitHub's log goes back only some days."""

from datetime import datetime

from redeliver.core.decision import Verdict
from redeliver.core.policy import format_duration
from redeliver.reporting.format import age, count, utc
from redeliver.reporting.report import Report

MAX_NAMES = 5
"""How many events a warning names."""


def may_be_unseen(interval: tuple[datetime, datetime]) -> str:
    """Warn of deliveries that may have left the log before any run saw them."""
    start, end = map(utc, interval)
    return (
        f"deliveries from {start} to {end} may have left GitHub's log before a run dealt with "
        "them, because the checkpoint is older than GitHub keeps the log. GitHub can no longer "
        "redeliver them: compare what GitHub has (issues, pull requests and so on) with what your "
        "receiver has. Then check why no run has moved the checkpoint since"
    )


def may_leave(report: Report) -> str:
    """Warn of events that the next run may find too late."""
    leaving, give_up_after = report.leaving, report.options.policy.give_up_after
    kinds = " or ".join(dict.fromkeys(result.outcome.for_users.value for result in leaving))
    too_old = ""
    if give_up_after < report.options.retention:
        too_old = f", or be older than 'give-up-after' ({format_duration(give_up_after)}),"
    last = f" (this one came {age(report.since_last)} after the last)" if report.since_last else ""
    rows = [report.row(result) for result in leaving]
    names = [f"{row.name} {row.guid}" for row in rows[:MAX_NAMES]]
    if len(rows) > MAX_NAMES:
        names.append(f"and {len(rows) - MAX_NAMES:,} more, which the summary and the log name")
    off = {r.key.webhook.name for r in leaving if r.decision.verdict is Verdict.SWITCHED_OFF}
    first = min(result.decision.failing_since for result in leaving) + report.options.max_age
    when = f"before {utc(first)}" if first > report.window.now else "now"
    advice = f"Start a run {when}"
    if off:
        name = off.pop() if len(off) == 1 else "the webhooks that are off"
        advice = f"Switch on {name}, and start a run {when}"
    return (
        f"{count(len(leaving), f'{kinds} event')} may leave GitHub's log{too_old} if the next run "
        f"comes {age(report.until_next)} after this one{last}. {advice}. "
        f"{'This is' if len(rows) == 1 else 'These are'}: {', '.join(names)}"
    )


def rows_may_leave(report: Report) -> str:
    """Warn likewise of rows that could not be read."""
    rows = count(report.rows_leaving, "row")
    return (
        f"{rows} that could not be read may leave GitHub's log before the next run. Look at the "
        "deliveries that the warning names on the webhook's page, and redeliver there what failed"
    )
