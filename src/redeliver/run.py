"""One run: read the log, decide, redeliver, move the checkpoint.

Knows the webhook and the store of the checkpoint only as the Protocols below.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from redeliver import report
from redeliver.checkpoint import Saved
from redeliver.delivery import Delivery
from redeliver.errors import (
    AccessError,
    Interrupted,
    RateLimitError,
    RedeliverError,
    RefusalError,
    UnavailableError,
)
from redeliver.outcome import Fate, Outcome, low_water_mark
from redeliver.plan import Decision, Plan, Policy, Verdict, Window, look_again, plan
from redeliver.report import Report

FRESH = timedelta(seconds=5)
"""How long what the store said may be taken for what it says. There is no compare-and-swap, so
that two writes can always cross; this is not much worse."""

SAVE_EVERY = timedelta(minutes=1)
"""How often the checkpoint is saved while redeliveries are asked for, for a run that is killed
and for others that may begin. See `plan.LONGEST_SILENCE`."""

MOST_UNANSWERED = 5
"""After so many redeliveries without an answer, one after the other, GitHub is left alone."""

SECOND_LOOK_SECONDS = 15
"""How long after the last redelivery the log is read again for those that went unanswered.
GitHub gives a receiver ten seconds to answer."""


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

    def read(self) -> Saved | None:
        """Return the checkpoint, None if there is none yet, or raise `CheckpointError`."""
        ...

    def write(self, checkpoint: datetime) -> bool:
        """Keep `checkpoint`, or raise; False if another run made the first entry just now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a run needs of the world beside GitHub."""

    clock: Callable[[], datetime]
    """GitHub's time, known once something was asked of it."""
    wait_turn: Callable[[], None]
    """Returns when the next redelivery may be asked for."""
    wait: Callable[[float, str], bool]
    """Waits so many seconds for the reason given; False if that is too long."""
    say: Callable[[str], None]
    """Prints a line."""


def run(
    hook: Hook,
    store: Store,
    around: Surroundings,
    *,
    lookback: timedelta,
    policy: Policy,
    retention: timedelta,
    dry_run: bool,
) -> Report:
    """Redeliver what failed since the checkpoint, and move it as far as that allows.

    Raise `RedeliverError` or `Interrupted` when that ends before the first redelivery; later
    trouble is told by the report.
    """
    saved = store.read()
    window = Window.starting(saved, now=around.clock(), lookback=lookback)
    around.say(report.opening(hook.name, store.name, window))
    unseen = window.unseen(retention)
    if unseen:  # now, for a run that is killed later leaves only its log
        around.say(f"Warning: {report.may_be_unseen(unseen)}")
    planned = plan(hook.deliveries(), window, policy)
    around.say(report.found(planned))
    work = _Work(hook, store, around, window=window, planned=planned, dry_run=dry_run)
    interrupted = None
    if dry_run:
        work.tell()
    else:
        try:
            work.carry_out()
        except Interrupted as stop:
            interrupted = stop.signal
            work.save_at_last()
    result = Report(
        hook=hook.name,
        store=store.name,
        window=window,
        dry_run=dry_run,
        scanned=planned.scanned,
        outcomes=tuple(work.outcomes),
        checkpoint=work.checkpoint if store.name else None,
        unseen=unseen,
        broken_off=planned.broken_off,
        trouble=tuple(work.trouble),
        limit=work.limit,
        interrupted=interrupted,
    )
    around.say(report.closing(result))
    return result


class _Work:
    """What has become of the plan so far.

    At every moment `outcomes` tells no more than is certain, so that the low-water mark can be
    taken from it whenever the run is interrupted.
    """

    def __init__(
        self,
        hook: Hook,
        store: Store,
        around: Surroundings,
        *,
        window: Window,
        planned: Plan,
        dry_run: bool,
    ) -> None:
        self._hook = hook
        self._store = store
        self._around = around
        self._window = window
        self._planned = planned
        due = Fate.DUE if dry_run else Fate.DEFERRED
        self.outcomes = [Outcome.expected(each, due=due) for each in planned.decisions]
        self.checkpoint = window.saved.checkpoint if window.saved else None
        self.trouble: list[str] = []
        self.limit = ""
        self._saved_at = window.now
        self._is_still = planned.is_unsettled

    def tell(self) -> None:
        """Say what is to become of each GUID."""
        for outcome in self.outcomes:
            self._tell(outcome)

    def carry_out(self) -> None:
        """Redeliver what is due, oldest first, and save the checkpoint."""
        if not self._planned.is_anything_due:
            self.tell()
            if not self._is_still:
                is_stale = self._around.clock() - self._window.now > FRESH
                self._save_in_the_end(reread=is_stale)
            return
        try:
            self._claim()
        except RateLimitError as error:
            self.limit = self.limit or str(error)
            self.tell()
            return
        self._ask_for_all()
        if not self._is_still:
            self._look_again()
            self._save_in_the_end()

    def save_at_last(self) -> None:
        """Save the checkpoint of a run that is interrupted, if there is still time."""
        if self._is_still:
            return
        try:
            self._save_in_the_end()
        except Interrupted:
            self.trouble.append("there was no time left to save the checkpoint")

    def _claim(self) -> None:
        """Write the low-water mark before anything is redelivered.

        So other runs see that this one is at it, a missing right to write shows before
        anything is done, and if this run dies the next one knows where to start.
        """
        is_first = self._store.read() == self._window.saved
        read_at, mark = self._around.clock(), self._mark()
        if is_first and self._store.write(mark):
            self.checkpoint, self._saved_at = mark, self._around.clock()
            if self._saved_at - read_at <= FRESH:
                return
            # It took a wait to write, in which another run had time to begin.
        self._is_still = True
        self._planned = self._planned.held()
        self.outcomes = [Outcome.expected(e, due=Fate.DUE) for e in self._planned.decisions]

    def _ask_for_all(self) -> None:
        stopped, unanswered = False, 0
        for place, outcome in enumerate(self.outcomes):
            if outcome.decision.verdict is Verdict.REDELIVER and not stopped:
                try:
                    self._ask_for(place)
                    lost = self.outcomes[place].fate is Fate.UNANSWERED
                    unanswered = unanswered + 1 if lost else 0
                    stopped = unanswered == MOST_UNANSWERED
                except RateLimitError as error:
                    self.limit = self.limit or str(error)
                    stopped = True
                except RedeliverError as error:
                    # Every further request would get the same answer.
                    self.trouble.append(str(error))
                    stopped = True
            self._tell(self.outcomes[place])

    def _ask_for(self, place: int) -> None:
        decision = self.outcomes[place].decision
        self._around.wait_turn()
        if self._around.clock() - self._saved_at >= SAVE_EVERY:
            self._save(reread=True)
        before = self.outcomes[place]
        self.outcomes[place] = _unanswered(decision, "the run was interrupted")
        try:
            self._hook.redeliver(decision.delivery)
        except RefusalError as refusal:
            outcome = Outcome(decision=decision, fate=Fate.REFUSED, because=str(refusal))
        except (AccessError, RateLimitError):
            self.outcomes[place] = before
            raise
        except UnavailableError as error:
            outcome = _unanswered(decision, str(error))
        else:
            outcome = Outcome(decision=decision, fate=Fate.REDELIVERED)
        self.outcomes[place] = outcome

    def _look_again(self) -> None:
        """Read the log once more for what was refused or went unanswered.

        What was refused may have left the log. What went unanswered may have been accepted all
        the same; if the log does not show it yet, only a later run can tell, and asking again
        now could deliver it twice.
        """
        asked = [o for o in self.outcomes if o.fate in {Fate.REFUSED, Fate.UNANSWERED}]
        if not asked:
            return
        if any(outcome.fate is Fate.UNANSWERED for outcome in asked):
            self._around.wait(SECOND_LOOK_SECONDS, "then the log may show what went unanswered")
        try:
            look = look_again(self._hook.deliveries(), (o.decision.delivery for o in asked))
        except RedeliverError:
            return  # so it stays undealt, and the next run looks at it again
        for place, outcome in enumerate(self.outcomes):
            after = outcome.after(look)
            if after is not outcome:
                self.outcomes[place] = after
                self._tell(after)

    def _save_in_the_end(self, *, reread: bool = True) -> None:
        try:
            self._save(reread=reread)
        except RateLimitError as error:
            self.limit = self.limit or str(error)
        except RedeliverError as error:
            self.trouble.append(str(error))

    def _save(self, *, reread: bool) -> None:
        """Save the low-water mark, unless another run has come further.

        Its checkpoint was as low as its own failures need it. Failures that only this run saw
        showed up late, so that the next window, which overlaps, has them.
        """
        mark = self._mark()
        latest = self._store.read() if reread else None
        if latest:
            mark = max(mark, latest.checkpoint)
        if self._store.write(mark):
            self.checkpoint = mark
        else:
            latest = self._store.read()
            self.checkpoint = latest.checkpoint if latest else None
        self._saved_at = self._around.clock()

    def _mark(self) -> datetime:
        return low_water_mark(self._window, self._planned, self.outcomes)

    def _tell(self, outcome: Outcome) -> None:
        if outcome.fate is not Fate.DELIVERED:  # those are counted, and need nobody's attention
            self._around.say(report.line(outcome, self._window.now))


def _unanswered(decision: Decision, reason: str) -> Outcome:
    because = f"{reason}; it may have been accepted all the same"
    return Outcome(decision=decision, fate=Fate.UNANSWERED, because=because)
