"""One run: read the log, decide, redeliver, move the checkpoint.

Knows webhook, checkpoint and console only as the Protocols below.
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

    def read(self, now: datetime) -> datetime | None:
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
    checkpoint = store.read(now)
    window = Window.starting(checkpoint, now=now, lookback=lookback)
    say(report.opening(hook.name, store.name, window))
    if checkpoint is None and not dry_run:
        # Should this run die, the next one must not start from a later "now less lookback".
        store.write(window.mark)
    planned = plan(hook.deliveries(), window)
    say(report.found(planned))

    trouble: str | None = None
    if dry_run:
        outcomes = tuple(map(_foreseen, planned.decisions))
        for outcome in outcomes:
            say(report.line(outcome, now))
        mark = window.mark
    else:
        if checkpoint is not None and _is_anything_due(planned):
            # The same value again: it shows a missing right to write before anything is
            # redelivered, not after.
            store.write(checkpoint)
        outcomes, trouble = _carry_out(planned, hook, now, wait_turn=wait_turn, say=say)
        mark = low_water_mark(window, outcomes)
        try:
            store.write(mark)
        except RedeliverError as error:
            mark, trouble = window.mark, str(error)
    result = Report(
        hook=hook.name,
        store=store.name,
        window=window,
        dry_run=dry_run,
        scanned=planned.scanned,
        outcomes=outcomes,
        checkpoint=mark,
        trouble=trouble,
    )
    say(report.closing(result))
    return result


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
) -> tuple[tuple[Outcome, ...], str | None]:
    """Redeliver what is due, oldest first.

    Return what became of every decision and, if that put an end to asking, the reason.
    """
    outcomes: list[Outcome] = []
    stopped: str | None = None
    for decision in planned.decisions:
        if decision.verdict is not Verdict.REDELIVER:
            outcome = Outcome.left_alone(decision)
        elif stopped is not None:
            outcome = Outcome(
                decision=decision, fate=Fate.DEFERRED, because="the run stopped before its turn"
            )
        else:
            wait_turn()
            try:
                outcome = _redeliver(hook, decision)
            except (AccessError, RateLimitError) as error:
                # Every further request would get the same answer.
                stopped = str(error)
                outcome = Outcome(decision=decision, fate=Fate.DEFERRED, because=stopped)
        say(report.line(outcome, now))
        outcomes.append(outcome)
    return tuple(outcomes), stopped


def _redeliver(hook: Hook, decision: Decision) -> Outcome:
    try:
        hook.redeliver(decision.delivery)
    except RefusalError as refusal:
        fate = Fate.GONE if refusal.final else Fate.REFUSED
        return Outcome(decision=decision, fate=fate, because=str(refusal))
    except RateLimitError:
        raise
    except UnavailableError as error:
        # It may have been accepted all the same. Never ask twice: the next run sees in the
        # log what became of it.
        return Outcome(decision=decision, fate=Fate.DEFERRED, because=str(error))
    return Outcome(decision=decision, fate=Fate.REDELIVERED)
