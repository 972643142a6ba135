"""Say which failures the checkpoint passes without a redelivery, and how to redeliver them."""

from collections.abc import Iterator

from redeliver.core.checkpoint import OVERLAP, SETTLED
from redeliver.core.decision import Verdict
from redeliver.core.outcome import EventResult, Outcome
from redeliver.core.policy import format_duration
from redeliver.reporting.format import count
from redeliver.reporting.report import Report

FILTERS = {Verdict.UNWANTED_EVENT: "'events'", Verdict.UNWANTED_STATUS: "'skip-status-codes'"}
"""The inputs that filter events out."""


def if_filtered(store: str, *, dry_run: bool) -> str:
    """Say what happens to events that are filtered out; empty if no checkpoint passes them."""
    if not store:
        return ""
    checkpoint = "the checkpoint of a real run" if dry_run else "the checkpoint"
    return (
        f"Once {checkpoint} has passed excluded events, no later run that uses it redelivers them"
    )


def filtered(report: Report) -> str:
    """Say at the end of a run what happens to its filtered events; empty if there are none."""
    number = report.count(Outcome.FILTERED)
    if not number:
        return ""
    if number == len(_filtered_for_good(report)):
        return (
            "The checkpoint has passed the excluded events, so no later run that uses it "
            "redelivers them"
        )
    return if_filtered(report.store, dry_run=report.options.dry_run)


def by_hand(report: Report) -> Iterator[str]:
    """Warn if somebody started the run by hand, and the checkpoint has passed filtered events.

    Scheduled runs may have other filters, and would then have redelivered these events.
    """
    results = _filtered_for_good(report) if report.options.by_hand else []
    if not results:
        return
    verdicts = {result.decision.verdict for result in results}
    names = [name for verdict, name in FILTERS.items() if verdict in verdicts]
    them = "it" if len(results) == 1 else "them"
    yield (
        f"this run was started by hand, and filtered out {count(len(results), 'failed event')} "
        f"with {' and '.join(names)}. The checkpoint in {report.store} has passed {them}, so no "
        f"later run that uses it redelivers {them}. To redeliver {them}, run once without "
        f"{' and '.join(names)}, {_without_checkpoint(report)}. Next time, use an empty "
        "'variable-name' if you start a run by hand with other filters than the scheduled runs have"
    )


def _filtered_for_good(report: Report) -> list[EventResult]:
    """Return the filtered events that are too old for the next run that uses the checkpoint."""
    if report.checkpoint is None:
        return []
    next_since = report.checkpoint - OVERLAP
    return [
        result
        for result in report.results_with(Outcome.FILTERED)
        if result.decision.delivery.delivered_at < next_since
    ]


def _without_checkpoint(report: Report) -> str:
    """Say how to look back once more without the checkpoint."""
    return (
        "with an empty 'variable-name' instead of this checkpoint, and with "
        f"'lookback' set to {format_duration(report.options.max_age)}. Do that {SETTLED}"
    )
