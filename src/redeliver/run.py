"""One run: read the log, decide, redeliver, move the checkpoint.

Knows the webhook and the store of the checkpoint only as the Protocols below.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Protocol

from redeliver import report
from redeliver.delivery import Delivery
from redeliver.errors import (
    AccessError,
    RateLimitError,
    RedeliverError,
    RefusalError,
    UnavailableError,
)
from redeliver.outcome import Fate, Outcome, low_water_mark
from redeliver.plan import Decision, Plan, Verdict, Window, plan
from redeliver.report import Report


class Hook(Protocol):
    """A webhook, seen through its delivery log."""

    @property
    def name(self) -> str:
        """The hook in words, such as "webhook 1 of organization acme"."""
        ...

    def deliveries(self) -> Iterator[Delivery]:
        """Yield the log, newest first, reading no more of it than is taken."""
        ...

    def redeliver(self, delivery: Delivery) -> None:
        """Ask for one more attempt, or raise `RefusalError`."""
        ...


class Store(Protocol):
    """Where the checkpoint is kept."""

    @property
    def name(self) -> str:
        """The place in words; empty if none is kept."""
        ...

    def read(self) -> datetime | None:
        """Return the checkpoint, None if there is none yet, or raise `CheckpointError`."""
        ...

    def write(self, checkpoint: datetime) -> None:
        """Keep `checkpoint`, or raise."""
        ...


def run(
    hook: Hook,
    store: Store,
    *,
    now: datetime,
    lookback: timedelta,
    dry_run: bool,
    wait_turn: Callable[[], None],
    say: Callable[[str], None],
) -> Report:
    """Redeliver what failed since the checkpoint, and move it as far as that allows.

    `wait_turn` returns when the next redelivery may be asked for, `say` prints a line.
    Raise `RedeliverError` when that ends before the first redelivery; later trouble is
    told by the report.
    """
    checkpoint = store.read()
    window = Window.starting(checkpoint, now=now, lookback=lookback)
    say(report.opening(hook.name, store.name, window))
    planned = plan(hook.deliveries(), window)
    say(report.found(planned))

    saved, trouble = checkpoint, list[str]()
    if dry_run:
        outcomes = tuple(map(_foreseen, planned.decisions))
        for outcome in outcomes:
            _tell(outcome, now, say)
    else:
        if _is_anything_due(planned):
            # Nothing moves yet, but a missing right to write shows before anything is
            # redelivered, and if this run dies the next one knows where to start.
            store.write(window.mark)
            saved = window.mark
        outcomes, trouble = _carry_out(planned, hook, now, wait_turn=wait_turn, say=say)
        try:
            mark = low_water_mark(window, outcomes)
            store.write(mark)
            saved = mark
        except RedeliverError as error:
            trouble.append(str(error))
    result = Report(
        hook=hook.name,
        window=window,
        dry_run=dry_run,
        scanned=planned.scanned,
        outcomes=outcomes,
        checkpoint=saved if store.name else None,
        trouble=tuple(trouble),
    )
    say(report.closing(result))
    return result


def _tell(outcome: Outcome, now: datetime, say: Callable[[str], None]) -> None:
    if outcome.fate is not Fate.DELIVERED:  # those are counted, and need nobody's attention
        say(report.line(outcome, now))


def _is_anything_due(planned: Plan) -> bool:
    return any(decision.verdict is Verdict.REDELIVER for decision in planned.decisions)


def _foreseen(decision: Decision) -> Outcome:
    if decision.verdict is Verdict.REDELIVER:
        return Outcome(decision=decision, fate=Fate.DUE)
    return Outcome.left_alone(decision)


def _carry_out(
    planned: Plan,
    hook: Hook,
    now: datetime,
    *,
    wait_turn: Callable[[], None],
    say: Callable[[str], None],
) -> tuple[tuple[Outcome, ...], list[str]]:
    """Redeliver what is due, oldest first.

    Return what became of every decision and, if that put an end to asking, the reason.
    """
    outcomes: list[Outcome] = []
    trouble: list[str] = []
    for decision in planned.decisions:
        if decision.verdict is not Verdict.REDELIVER:
            outcome = Outcome.left_alone(decision)
        elif trouble:
            outcome = Outcome(
                decision=decision, fate=Fate.DEFERRED, because="the run stopped before its turn"
            )
        else:
            wait_turn()
            try:
                outcome = _redeliver(hook, decision)
            except (AccessError, RateLimitError) as error:
                # Every further request would get the same answer.
                trouble.append(str(error))
                outcome = Outcome(
                    decision=decision, fate=Fate.DEFERRED, because="this stopped the run"
                )
        _tell(outcome, now, say)
        outcomes.append(outcome)
    return tuple(outcomes), trouble


def _redeliver(hook: Hook, decision: Decision) -> Outcome:
    try:
        hook.redeliver(decision.delivery)
    except RefusalError as refusal:
        return Outcome(decision=decision, fate=Fate.REFUSED, because=str(refusal))
    except RateLimitError:
        raise
    except UnavailableError as error:
        # GitHub may have accepted it; only the log can tell, and not yet. Asking again now
        # could deliver it twice.
        because = f"{error}; the next run sees whether it was accepted all the same"
        return Outcome(decision=decision, fate=Fate.DEFERRED, because=because)
    return Outcome(decision=decision, fate=Fate.REDELIVERED)
