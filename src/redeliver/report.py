"""Tell what a run did: log lines, the Markdown summary, the outputs, the exit status.

Pure.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from signal import Signals

from redeliver.checkpoint import to_text
from redeliver.delivery import Delivery
from redeliver.inert import cut, markdown, quote
from redeliver.outcome import Fate, Outcome
from redeliver.plan import OVERLAP, SETTLING, Plan, Verdict, Window

SUMMARY_ROWS = 200
"""GitHub drops a summary over 1 MiB, and escaped hostile text takes up to 4 KB a row."""

NEEDS_ATTENTION = (Fate.REFUSED, Fate.UNANSWERED, Fate.UNREAD)
"""What makes a run fail."""

DONE = (Fate.REDELIVERED, Fate.DUE)
"""What comes last in the summary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run did."""

    hook: str
    store: str
    """Where the checkpoint is kept; empty if none is."""
    window: Window
    dry_run: bool
    scanned: int
    outcomes: tuple[Outcome, ...]
    checkpoint: datetime | None
    """As it stands after the run; None if there is none yet."""
    unseen: tuple[datetime, datetime] | None = None
    """From when to when deliveries may have left the log before any run saw them."""
    broken_off: str = ""
    """Why the log was not read to the end, with advice; empty if it was."""
    trouble: tuple[str, ...] = ()
    """What ended the asking, or kept the checkpoint from being saved, with advice."""
    limit: str = ""
    """The rate limit that ended the asking, with when it ends; empty if there was none."""
    interrupted: Signals | None = None

    def count(self, *fates: Fate) -> int:
        """Return how many GUIDs met one of `fates`."""
        return sum(outcome.fate in fates for outcome in self.outcomes)

    @property
    def failed(self) -> int:
        """GUIDs without a single success."""
        return len(self.outcomes) - self.count(Fate.DELIVERED)

    @property
    def status(self) -> int:
        """The exit status; that of a run which was stopped is what a shell makes of the signal."""
        if self.interrupted:
            return 128 + self.interrupted
        return 1 if self.problem else 0

    @property
    def problem(self) -> str | None:
        """Why the run is to be marked as failed, with advice; None if it is not."""
        problems = [*filter(None, [self.broken_off]), *self.trouble]
        if self.interrupted:
            problems.insert(0, stopped(self.interrupted))
        if problems:
            return "; ".join(problems)
        if not self.count(*NEEDS_ATTENTION):
            return None
        told = _counted(self, NEEDS_ATTENTION)
        return (
            f"of {_count(self.failed, 'event')} that failed: {told}. "
            "The step's log says why for each; the next run sees to them"
        )

    @property
    def warnings(self) -> list[str]:
        """What somebody should know although the run did all it could."""
        warnings = list(filter(None, [self.limit]))
        if self.count(Fate.UNSETTLED):
            left = _count(self.count(Fate.UNSETTLED), "event")
            warnings.append(f"{left} left for a later run. {_kept_still(self.window)}")
        lost = Counter(o.because for o in self.outcomes if o.fate is Fate.GIVEN_UP)
        warnings += [
            f"{_count(count, 'event')} given up ({because}): "
            "no attempt that was read succeeded, and the step's log names each"
            for because, count in lost.items()
        ]
        if self.count(Fate.GONE):
            warnings.append(
                f"{_count(self.count(Fate.GONE), 'event')} could not be redelivered, having just "
                "left GitHub's log, and the step's log names each"
            )
        if self.unseen:
            warnings.append(may_be_unseen(self.unseen))
        return warnings


def stopped(by: Signals) -> str:
    """Say that the run was told to stop."""
    return f"stopped by {by.name}. Nothing is lost: the next run finds what this one left"


def may_be_unseen(interval: tuple[datetime, datetime]) -> str:
    """Warn of deliveries that may have left the log before any run saw them."""
    start, end = map(_utc, interval)
    return (
        f"deliveries from {start} to {end} may have left GitHub's log before any run saw them: the "
        "checkpoint is as old as GitHub keeps the log, or older. If events of that time matter, "
        "look for them in the receiver's own records, and see why no run has saved a checkpoint "
        "since"
    )


def opening(hook: str, store: str, window: Window) -> str:
    """Say what is about to be read."""
    if not store:
        start = "no checkpoint is kept, so the whole 'lookback'"
    elif window.saved is None:
        start = f"no checkpoint that the token can see in {store}, so the whole 'lookback'"
    else:
        overlap = _minutes(OVERLAP)
        start = f"the checkpoint in {store}, less {overlap} for what shows late in the log"
    return f"Reading {hook} back to {_utc(window.since)}: {start}"


def found(plan: Plan) -> str:
    """Say what was read and decided."""
    verdicts = Counter(decision.verdict for decision in plan.decisions)
    delivered = verdicts.pop(Verdict.DELIVERED, 0)
    failed = verdicts.total()
    told = f"{_count(failed, 'event')} failed" if failed else "nothing to redeliver"
    others = f"; failed but delivered since: {delivered}" if delivered else ""
    end = f". The log broke off there: {plan.broken_off}" if plan.broken_off else ""
    return f"Read {_count(plan.scanned, 'delivery', 'deliveries')}: {told}{others}{end}"


def line(outcome: Outcome, now: datetime) -> str:
    """Say what became of one GUID."""
    decision = outcome.decision
    delivery = decision.delivery
    because = f": {outcome.because}" if outcome.because else ""
    return (
        f"{outcome.fate.value.capitalize()}: {_event(delivery)} {quote(delivery.guid)} "
        f"(delivery {delivery.id}, failing for {age(now - decision.failing_since)}, "
        f"{_count(decision.attempts, 'attempt')}, last status {_status(delivery)}){because}"
    )


def closing(report: Report) -> str:
    """Say where the checkpoint stands and why."""
    if report.count(Fate.UNSETTLED):
        return _kept_still(report.window)
    if report.dry_run:
        return "Dry run: nothing was redelivered and nothing saved"
    if report.checkpoint is None:
        nothing = "No checkpoint was saved" if report.store else "No checkpoint is kept"
        return f"{nothing}: the next run looks back as far as 'lookback' again"
    where = _utc(report.checkpoint)
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
    back = window.settled_at if window.settled_at > window.now else window.now + SETTLING
    return (
        "Nothing was redelivered and nothing saved, because an earlier run wrote the checkpoint "
        f"less than {_minutes(SETTLING)} ago, and what it asked for may not show in the log yet: "
        f"start a run after {_utc(back)}"
    )


def outputs(report: Report) -> dict[str, str]:
    """Return the action's outputs, by name."""
    return {
        "scanned": str(report.scanned),
        "failed": str(report.failed),
        "redelivered": str(report.count(Fate.REDELIVERED)),
        "refused": str(report.count(Fate.REFUSED, Fate.GONE)),
        "deferred": str(report.count(Fate.DEFERRED, Fate.UNANSWERED, Fate.UNREAD, Fate.UNSETTLED)),
        "given-up": str(report.count(Fate.GIVEN_UP)),
        "checkpoint": to_text(report.checkpoint) if report.checkpoint else "",
    }


def summary(report: Report) -> str:
    """Return the step summary in GitHub's Markdown."""
    return "\n".join([*_summary(report), ""])


def failure_summary(problem: str) -> str:
    """Return the step summary of a run that ended before there was anything to report."""
    return f"### redeliver: failed\n\n{markdown(problem)}\n"


def _summary(report: Report) -> Iterator[str]:
    shown = [outcome for outcome in report.outcomes if outcome.fate is not Fate.DELIVERED]
    yield f"### redeliver: {_headline(report)}"
    yield ""
    problems = [report.problem] if report.problem else []
    for label, texts in (("Failed", problems), ("Warning", report.warnings)):
        for text in texts:
            yield f"> **{label}:** {markdown(text)}"
            yield ""
    broken = " The log broke off: what is older was not read." if report.broken_off else ""
    yield (
        f"Read {_count(report.scanned, 'delivery', 'deliveries')} of {report.hook}, to find what "
        f"failed from {_utc(report.window.since)} to {_utc(report.window.now)}.{broken}"
    )
    if shown:
        yield ""
        yield "| Event | GUID | Failing for | Attempts | Last status | Outcome |"
        yield "| --- | --- | --- | --- | --- | --- |"
        # What needs attention first; within that, the oldest first.
        for outcome in sorted(shown, key=_rank)[:SUMMARY_ROWS]:
            yield _row(outcome, report.window.now)
        if len(shown) > SUMMARY_ROWS:
            yield ""
            yield f"And {len(shown) - SUMMARY_ROWS} more, in the log."
    yield ""
    yield f"{closing(report)}."


def _rank(outcome: Outcome) -> int:
    if outcome.fate in NEEDS_ATTENTION:
        return 0
    return 2 if outcome.fate in DONE else 1


def _row(outcome: Outcome, now: datetime) -> str:
    delivery = outcome.decision.delivery
    because = f": {markdown(cut(outcome.because, 300))}" if outcome.because else ""
    cells = (
        f"<code>{markdown(_event(delivery))}</code>",
        f"<code>{markdown(quote(delivery.guid))}</code>",
        age(now - outcome.decision.failing_since),
        str(outcome.decision.attempts),
        markdown(_status(delivery)),
        f"{outcome.fate.value}{because}",
    )
    return f"| {' | '.join(cells)} |"


def _headline(report: Report) -> str:
    prefix = "dry run, " if report.dry_run else ""
    if not report.failed:
        return f"{prefix}nothing to redeliver"
    fates = (f for f in Fate if f is not Fate.DELIVERED)
    return f"{prefix}{_count(report.failed, 'event')} failed: {_counted(report, tuple(fates))}"


def _counted(report: Report, fates: tuple[Fate, ...]) -> str:
    counts = ((report.count(fate), fate.value) for fate in fates)
    return ", ".join(f"{count} {name}" for count, name in counts if count)


def _event(delivery: Delivery) -> str:
    """Name the event with its action, as in `issues.opened`."""
    action = f".{quote(delivery.action)}" if delivery.action else ""
    return f"{quote(delivery.event)}{action}"


def _status(delivery: Delivery) -> str:
    """Tell the status with its code, which some of GitHub's texts already hold."""
    status = quote(delivery.status) or "none"
    code = str(delivery.status_code)
    return status if code in re.findall(r"\d+", status) else f"{status}, {code}"


def _count(count: int, noun: str, plural: str = "") -> str:
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"


def _utc(instant: datetime) -> str:
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
