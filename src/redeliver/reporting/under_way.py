"""What a run says of redeliveries by other runs that may still be under way."""

from collections.abc import Iterator

from redeliver.core.checkpoint import SLOT
from redeliver.core.decision import Verdict
from redeliver.core.outcome import Outcome
from redeliver.core.window import SETTLING_TIME
from redeliver.reporting.format import count, them, utc
from redeliver.reporting.report import Report

CANNOT_WAIT = (
    "If you cannot wait, start one run with 'since'. Events whose redelivery is under way then "
    "arrive twice"
)


def is_held(report: Report) -> bool:
    """Whether the run redelivered nothing, because another one may be redelivering."""
    return _was_claimed(report) or bool(_held(report))


def closing(report: Report) -> str:
    """Say at the end of a run that redelivered nothing when to run again."""
    return (
        f"Skipped: nothing was redelivered, and the checkpoint was not moved. {_come_back(report)}"
    )


def warnings(report: Report) -> Iterator[str]:
    """Warn of events that were deferred because their redelivery may be under way."""
    window, number = report.window, _unsettled(report) + _held(report)
    if not number:
        return
    pronoun, deferred = them(number), f"{count(number, 'event')} deferred"
    if is_held(report):
        yield (
            f"{deferred}: {_who(report, pronoun)}. So that nothing arrives twice, this run "
            f"redelivered nothing. {_come_back(report)}. {CANNOT_WAIT}"
        )
        return
    end = window.unknown[-1]
    yield (
        f"{deferred}: a run did not see the outcomes of all redeliveries that it requested between "
        f"{utc(end - SLOT)} and {utc(end)}. It may have redelivered {pronoun}. The first run after "
        f"{utc(window.settled_at)} redelivers {pronoun} unless GitHub's log shows a success by "
        f"then. {CANNOT_WAIT}"
    )


def _who(report: Report, pronoun: str) -> str:
    """Say which other run may have redelivered events."""
    saved = report.window.saved
    if not saved or not _was_claimed(report):
        return (
            "another run has saved the checkpoint since this one read it, and may have redelivered "
            f"{pronoun}"
        )
    reasons = ["the run was killed", "somebody changed the checkpoint by hand"]
    if report.is_shared:
        reasons.insert(0, "a run is still redelivering or looking for outcomes")
    not_shown = f"{_unsettled(report):,} of these events" if _held(report) else pronoun
    return (
        f"the checkpoint was saved at {utc(saved.written)}, but not at the end of a run: "
        f"{', or '.join(reasons)}. GitHub's log may not yet show redeliveries of {not_shown}"
    )


def _come_back(report: Report) -> str:
    if not report.is_shared:
        return f"The first run after {utc(report.window.settled_at)} continues"
    window = report.window
    end = window.settled_at if _was_claimed(report) else window.now + SETTLING_TIME
    return (
        "As soon as the other run has ended with all outcomes known, the next run continues. After "
        f"{utc(end)}, it continues in any case"
    )


def _was_claimed(report: Report) -> bool:
    """Whether the run found, at its start, that another one might be redelivering."""
    return report.window.is_claimed and bool(_unsettled(report))


def _unsettled(report: Report) -> int:
    """Count the events whose redelivery may be under way."""
    return _count(report, Verdict.UNSETTLED)


def _held(report: Report) -> int:
    """Count the events that are deferred only because another run may be redelivering."""
    return _count(report, Verdict.HELD)


def _count(report: Report, verdict: Verdict) -> int:
    results = report.results_with(Outcome.UNSETTLED)
    return sum(result.decision.verdict is verdict for result in results)
