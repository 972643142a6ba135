"""What a run says of redeliveries by other runs that may still be under way."""

from collections.abc import Iterator

from redeliver.core.decision import Verdict
from redeliver.core.outcome import Outcome
from redeliver.core.window import SETTLING_TIME
from redeliver.reporting.format import count, them, utc
from redeliver.reporting.report import Report


def is_held(report: Report) -> bool:
    """Whether the run redelivered nothing, because another one may be redelivering."""
    return (report.window.is_claimed and bool(_unsettled(report))) or bool(_held(report))


def closing(report: Report) -> str:
    """Say at the end of a run that redelivered nothing when to run again."""
    return (
        f"Skipped: nothing was redelivered, and the checkpoint was not moved. {_come_back(report)}"
    )


def warnings(report: Report) -> Iterator[str]:
    """Warn of events that were deferred because their redelivery may be under way."""
    window, unsettled, held = report.window, _unsettled(report), _held(report)
    number = unsettled + held
    if not number:
        return
    pronoun = them(number)
    deferred = f"{count(number, 'event')} deferred"
    cannot_wait = (
        "If you cannot wait, make one run without a checkpoint: an empty 'variable-name', and no "
        "checkpoint file. An event whose redelivery is under way then arrives twice"
    )
    if not is_held(report):
        yield (
            f"{deferred}: an earlier run did not see the outcomes of all its redeliveries, and "
            f"requested the last of these by {utc(window.last_unknown or window.now)}. It may have "
            f"redelivered {pronoun}. The first run after {utc(window.settled_at)} redelivers "
            f"{pronoun} unless GitHub's log shows a success by then. {cannot_wait}"
        )
        return
    if unsettled and window.saved:
        who = (
            f"the checkpoint was saved at {utc(window.saved.written)}, but not at the end of a "
            "run. So a run may still be redelivering, or it was killed, or somebody changed the "
            f"checkpoint by hand. GitHub's log may not yet show redeliveries of {unsettled:,} of "
            "these events"
        )
    else:
        who = (
            "another run has saved the checkpoint since this one read it, and may have redelivered "
            f"{pronoun}"
        )
    yield (
        f"{deferred}: {who}. So that nothing arrives twice, this run redelivered nothing. "
        f"{_come_back(report)}. {cannot_wait}"
    )


def _come_back(report: Report) -> str:
    window = report.window
    last = (
        window.now
        if _held(report) and not _unsettled(report)
        else window.settled_at - SETTLING_TIME
    )
    return (
        "As soon as the other run has ended with all outcomes known, the next run continues. After "
        f"{utc(last + SETTLING_TIME)}, it continues in any case"
    )


def _unsettled(report: Report) -> int:
    """Count the events whose redelivery may be under way."""
    return _count(report, Verdict.UNSETTLED)


def _held(report: Report) -> int:
    """Count the events that are deferred only because another run may be redelivering."""
    return _count(report, Verdict.HELD)


def _count(report: Report, verdict: Verdict) -> int:
    results = report.results_with(Outcome.UNSETTLED)
    return sum(result.decision.verdict is verdict for result in results)
