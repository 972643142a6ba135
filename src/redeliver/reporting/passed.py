"""Say which failures the checkpoint passes without a redelivery, and how to redeliver them."""

from collections.abc import Iterator, Sequence

from redeliver.core.decision import Verdict
from redeliver.core.delivery import Delivery
from redeliver.core.outcome import EventResult, Outcome
from redeliver.core.policy import format_duration
from redeliver.core.window import OVERLAP, SETTLED, Window
from redeliver.reporting.format import count, them, utc
from redeliver.reporting.report import Report

FILTERS = {
    Verdict.UNWANTED_EVENT: "'events'",
    Verdict.UNWANTED_REPOSITORY: "'repositories'",
    Verdict.UNWANTED_STATUS: "'skip-status-codes'",
}
"""The inputs that filter events out."""


def note_on_filtered(store: str, *, dry_run: bool) -> str:
    """Say what happens to events that are filtered out; empty if no checkpoint passes them."""
    if not store:
        return ""
    checkpoint = "the checkpoint of a real run" if dry_run else "the checkpoint"
    return f"Once {checkpoint} has passed these events, no later run that uses it redelivers them"


def filtered(report: Report) -> str:
    """Say at the end of a run what happens to its filtered events; empty if there are none."""
    number = report.count(Outcome.FILTERED)
    if not number:
        return ""
    if number == len(_filtered_for_good(report)):
        return (
            "The checkpoint has passed these events, so no later run that uses it redelivers them"
        )
    return note_on_filtered(report.store, dry_run=report.options.dry_run)


def older_events(older: Sequence[Delivery], window: Window) -> str:
    """Say that GitHub's log has failures from before the window of a run without a checkpoint."""
    times = [delivery.delivered_at for delivery in older]
    first, last = utc(min(times)), utc(max(times))
    when = f"at {first}" if first == last else f"from {first} to {last}"
    lookback = format_duration(window.now - window.since)
    some = "It" if len(older) == 1 else "Some of them"
    return (
        f"GitHub's log has at least {count(len(older), 'event')} that failed {when}. This run does "
        f"not look at {them(len(older))}, because 'lookback' is {lookback}. {some} may have been "
        "delivered since by a redelivery"
    )


def older(report: Report) -> Iterator[str]:
    """Warn of failures from before the window, and say how to redeliver them."""
    if not report.older:
        return
    found, pronoun = older_events(report.older, report.window), them(len(report.older))
    dry_run, further = report.options.dry_run, _further_back(report)
    if not report.store:
        wait = "" if dry_run else f". Start that run {SETTLED}"
        yield f"{found}. To redeliver {pronoun}, run again with {further}{wait}"
    elif report.checkpoint is None:
        which = "first real" if dry_run else "next"
        yield (
            f"{found}. Start the {which} run with {further}, or its checkpoint passes {pronoun} "
            "without a redelivery"
        )
    else:
        yield (
            f"{found}. {_passed(report, pronoun)}. To redeliver {pronoun}, run once more with "
            f"{_replay(report)}. That run redelivers no event that has been delivered"
        )


def by_hand(report: Report) -> Iterator[str]:
    """Warn if somebody started the run by hand, and the checkpoint has passed filtered events.

    Scheduled runs may have other filters, and would then have redelivered these events.
    """
    results = _filtered_for_good(report) if report.options.by_hand else []
    if not results:
        return
    verdicts, pronoun = {result.decision.verdict for result in results}, them(len(results))
    names = " and ".join(name for verdict, name in FILTERS.items() if verdict in verdicts)
    yield (
        f"this run was started by hand, and filtered out {count(len(results), 'failed event')} "
        f"with {names}. {_passed(report, pronoun)}. To redeliver {pronoun}, run once without "
        f"{names}, with {_replay(report)}. Next time, set 'since' if you start a run by hand "
        "with other filters than the scheduled runs have: then it moves no checkpoint"
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


def _passed(report: Report, pronoun: str) -> str:
    return (
        f"The checkpoint in {report.store} has passed {pronoun}, so no later run with this "
        f"checkpoint redelivers {pronoun}"
    )


def _replay(report: Report) -> str:
    """Say with which input, and when, a run looks back once more."""
    span = format_duration(report.options.max_age)
    return f"'since' set to {span}. Start that run {SETTLED}"


def _further_back(report: Report) -> str:
    return f"'lookback' set to {format_duration(report.options.max_age)}"
