"""Tell what a run did: log lines, the Markdown summary, the outputs, the exit status.

Pure.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from redeliver.checkpoint import to_text
from redeliver.inert import brief, markdown
from redeliver.outcome import Fate, Outcome
from redeliver.plan import OVERLAP, Plan, Verdict, Window

SUMMARY_ROWS = 200
"""GitHub drops a summary over 1 MiB, and escaped hostile text takes up to 4 KB a row."""

ADVICE = 4096
"""Characters of advice that are shown; the runner cuts an annotation there, too."""

NEEDS_ATTENTION = (Fate.REFUSED, Fate.GONE, Fate.DEFERRED)
"""What makes a run fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run did."""

    hook: str
    store: str
    """Empty: no checkpoint is kept."""
    window: Window
    dry_run: bool
    scanned: int
    outcomes: tuple[Outcome, ...]
    checkpoint: datetime
    """As it stands after the run."""
    trouble: str | None
    """What ended the run early, in words for the user."""

    def count(self, *fates: Fate) -> int:
        """Return how many GUIDs met one of `fates`."""
        return sum(outcome.fate in fates for outcome in self.outcomes)

    @property
    def failed(self) -> int:
        """GUIDs without a single success."""
        return len(self.outcomes) - self.count(Fate.DELIVERED)

    @property
    def problem(self) -> str | None:
        """Why the run is to be marked as failed, with advice; None if it is not."""
        if self.trouble:
            return self.trouble
        if not self.count(*NEEDS_ATTENTION):
            return None
        told = _counted(self, NEEDS_ATTENTION)
        return f"Of {_events(self.failed)} that failed: {told}. The log above says why for each"


def opening(hook: str, store: str, window: Window) -> str:
    """Say what is about to be read."""
    if not store:
        start = "no checkpoint is kept, so the whole 'lookback'"
    elif window.checkpoint is None:
        start = f"no checkpoint yet in {store}, so the whole 'lookback'"
    else:
        overlap = age(OVERLAP)
        start = f"the checkpoint in {store}, less {overlap} for what shows late in the log"
    return f"Reading {hook} back to {_utc(window.since)}: {start}"


def found(plan: Plan) -> str:
    """Say what was read and decided."""
    verdicts = Counter(decision.verdict for decision in plan.decisions)
    delivered = verdicts.pop(Verdict.DELIVERED, 0)
    failed = verdicts.total()
    told = f"{_events(failed)} failed" if failed else "nothing to redeliver"
    meanwhile = f", {delivered} that failed delivered meanwhile" if delivered else ""
    return f"Read {plan.scanned} deliveries: {told}{meanwhile}"


def line(outcome: Outcome, now: datetime) -> str:
    """Say what became of one GUID."""
    decision = outcome.decision
    delivery = decision.delivery
    because = f": {outcome.because}" if outcome.because else ""
    return (
        f"{outcome.fate.value.capitalize()}: {brief(delivery.event_name)} {brief(delivery.guid)} "
        f"(delivery {delivery.id}, failing for {age(now - decision.failing_since)}, "
        f"last status {_status(outcome)}){because}"
    )


def closing(report: Report) -> str:
    """Say where the checkpoint stands and why."""
    if not report.store:
        return "No checkpoint is kept: the next run looks back as far as this one"
    if report.dry_run:
        return "Dry run: nothing was redelivered and the checkpoint was left as it is"
    if report.checkpoint == report.window.now:
        return f"Checkpoint saved: {_utc(report.checkpoint)}, the start of this run"
    return (
        f"Checkpoint stays at {_utc(report.checkpoint)}: "
        "the next run looks again at what is not dealt with"
    )


def outputs(report: Report) -> dict[str, str]:
    """Return the action's outputs, by name."""
    return {
        "scanned": str(report.scanned),
        "failed": str(report.failed),
        "redelivered": str(report.count(Fate.REDELIVERED)),
        "refused": str(report.count(Fate.REFUSED, Fate.GONE)),
        "deferred": str(report.count(Fate.DEFERRED, Fate.UNSETTLED)),
        "given-up": str(report.count(Fate.GIVEN_UP)),
        "checkpoint": to_text(report.checkpoint) if report.store else "",
    }


def summary(report: Report) -> str:
    """Return the step summary in GitHub's Markdown."""
    return "\n".join([*_summary(report), ""])


def failure_summary(problem: str) -> str:
    """Return the step summary of a run that ended before there was anything to report."""
    return f"### redeliver: failed\n\n{markdown(problem, ADVICE)}\n"


def _summary(report: Report) -> Iterator[str]:
    shown = [outcome for outcome in report.outcomes if outcome.fate is not Fate.DELIVERED]
    yield f"### redeliver: {_headline(report)}"
    yield ""
    if report.problem:
        yield f"> **Failed.** {markdown(report.problem, ADVICE)}"
        yield ""
    yield (
        f"Read {report.scanned} deliveries of {report.hook}, "
        f"from {_utc(report.window.since)} to {_utc(report.window.now)}."
    )
    if shown:
        yield ""
        yield "| Event | GUID | Delivery | Failing for | Last status | Outcome |"
        yield "| --- | --- | --- | --- | --- | --- |"
        # What needs attention first; within that, the oldest first.
        for outcome in sorted(shown, key=lambda o: o.fate not in NEEDS_ATTENTION)[:SUMMARY_ROWS]:
            yield _row(outcome, report.window.now)
        if len(shown) > SUMMARY_ROWS:
            yield ""
            yield f"And {len(shown) - SUMMARY_ROWS} more, in the log."
    yield ""
    yield f"{closing(report)}."


def _row(outcome: Outcome, now: datetime) -> str:
    delivery = outcome.decision.delivery
    because = f": {markdown(outcome.because)}" if outcome.because else ""
    cells = (
        f"<code>{markdown(delivery.event_name)}</code>",
        f"<code>{markdown(delivery.guid)}</code>",
        f"<code>{delivery.id}</code>",
        age(now - outcome.decision.failing_since),
        markdown(_status(outcome)),
        f"{outcome.fate.value}{because}",
    )
    return f"| {' | '.join(cells)} |"


def _headline(report: Report) -> str:
    if not report.failed:
        return "nothing to redeliver"
    fates = (f for f in Fate if f is not Fate.DELIVERED)
    prefix = "dry run, " if report.dry_run else ""
    return f"{prefix}{_events(report.failed)} failed: {_counted(report, tuple(fates))}"


def _counted(report: Report, fates: tuple[Fate, ...]) -> str:
    counts = ((report.count(fate), fate.value) for fate in fates)
    return ", ".join(f"{count} {name}" for count, name in counts if count)


def _status(outcome: Outcome) -> str:
    delivery = outcome.decision.delivery
    status = brief(delivery.status) or "none"
    code = str(delivery.status_code)
    return status if code in status else f"{status}, {code}"


def _events(count: int) -> str:
    return f"{count} event{'' if count == 1 else 's'}"


def _utc(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"


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
