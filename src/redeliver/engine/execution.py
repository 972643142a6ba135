"""Carry out a plan: ask for what is due, and keep the checkpoint right.

At every moment the outcomes tell no more than is certain, so that the low-water mark can be
taken from them whenever the run is interrupted.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from redeliver.core.checkpoint import Window
from redeliver.core.decision import Decision, Verdict
from redeliver.core.delivery import Webhook
from redeliver.core.outcome import ACCEPTED, UNCONFIRMED, EventResult, Outcome, low_water_mark
from redeliver.core.plan import Plan
from redeliver.core.policy import RunOptions
from redeliver.engine.ports import Hook, Runtime, Store
from redeliver.engine.verification import Verification
from redeliver.engine.workers import WorkerPool
from redeliver.errors import (
    AccessError,
    Interrupted,
    RateLimitError,
    RedeliverError,
    RefusalError,
    UnavailableError,
)
from redeliver.reporting import messages
from redeliver.reporting.report import NOT_FAILED

FRESH = timedelta(seconds=5)
"""How long what the store said may be taken for what it says. There is no compare-and-swap, so
that two writes can always cross; this is not much worse."""

SAVE_EVERY = timedelta(minutes=1)
"""How often the checkpoint is saved while redeliveries are asked for, for a run that is killed
and for others that may begin. See `plan.MAX_SILENCE`."""

MOST_UNANSWERED = 5
"""After so many redeliveries of a webhook without an answer, one after the other, GitHub is
asked for no more of them."""

LAST_ANSWERS = 0.5
"""How many seconds a run that is interrupted still waits for answers that are on their way."""


class Work:
    """What has become of the plan so far."""

    def __init__(
        self,
        hooks: Iterable[Hook],
        store: Store,
        runtime: Runtime,
        pool: WorkerPool[int],
        *,
        window: Window,
        planned: Plan,
        options: RunOptions,
    ) -> None:
        self._hooks = {hook.webhook: hook for hook in hooks}
        self._store = store
        self._runtime = runtime
        self._window = window
        self._planned = planned
        self._terms = options
        due = Outcome.DUE if options.dry_run else Outcome.DEFERRED
        self.results = [EventResult.expected(each, due=due) for each in planned.decisions]
        self.checkpoint = window.saved.checkpoint if window.saved else None
        self.trouble: list[str] = []
        self.limit = ""
        self._verification = Verification(self._hooks, runtime, window=window)
        self._saved_at = window.now
        self._keeps_still = planned.is_unsettled
        self._pool = pool
        self._heard_of = 0
        self._to_hear_of = len(planned.due)
        self._unanswered = Counter[Webhook]()
        """How many in a row, up to now."""
        self._stopped: set[Webhook] = set()
        """Of these nothing more is asked in this run."""

    @property
    def unverified(self) -> Mapping[Webhook, str]:
        """Why a log could not be read for what came of the asking."""
        return self._verification.unverified

    def tell_all(self) -> None:
        """Say what would become of each GUID, in the order in which it would."""
        probe = self._terms.probe
        if probe is not None and self._choose(probe):
            self._runtime.say(messages.probing(probe))
        for result in self.results:
            self._tell(result)

    def run(self) -> None:
        """Redeliver what is due, save the checkpoint, and see how it went."""
        due = [place for place, result in enumerate(self.results) if _is_due(result)]
        # Before the checkpoint passes what was given up: a run that is killed leaves its log.
        for result in self.results:
            if not _is_due(result):
                self._tell(result)
        if due:
            self._redeliver(due)
        elif not self._keeps_still:
            is_stale = self._runtime.clock() - self._window.now > FRESH
            self._save_or_stop(reread=is_stale)

    def _redeliver(self, due: Sequence[int]) -> None:
        try:
            self._claim()
        except RateLimitError as error:
            self._stop_for(error)
        if self._keeps_still or self.limit:
            for place in due:
                self._tell(self.results[place])
            return
        probe = self._terms.probe
        tried = self._try_receivers(probe) if probe is not None else set()
        self._ask_for(place for place in due if place not in tried)
        self._ask_for(self._moving_up())
        # Before anything is verified, for that takes a while, and requests.
        self._save_or_stop()
        mark = self._mark()
        self._verify(range(len(self.results)))
        self._see_what_is_gone()
        if self._mark() != mark:
            self._save_or_stop()

    def save_at_last(self) -> None:
        """Save the checkpoint of a run that is interrupted, if there is still time."""
        if self._keeps_still:
            return
        try:
            self._runtime.hurry()
            until = time.monotonic() + LAST_ANSWERS
            while self._hear(within=timedelta(seconds=max(until - time.monotonic(), 0))):
                pass
            self._save_or_stop()
        except Interrupted:
            self.trouble.append("there was no time left to save the checkpoint")

    # The checkpoint.

    def _claim(self) -> None:
        """Write the low-water mark before anything is redelivered.

        So other runs see that this one is at it, a missing right to write shows before
        anything is done, and if this run dies the next one knows where to start.
        """
        is_first = self._store.read() == self._window.saved
        read_at, mark = self._runtime.clock(), self._mark()
        if is_first and self._store.write(mark):
            self.checkpoint, self._saved_at = mark, self._runtime.clock()
            if self._saved_at - read_at <= FRESH:
                return
            # It took a wait to write, in which another run had time to begin.
        self._keeps_still = True
        self._planned = self._planned.held()
        self.results = [EventResult.expected(e, due=Outcome.DUE) for e in self._planned.decisions]

    def _keep_saved(self) -> None:
        """Save the checkpoint if it is time; a run that cannot do so asks for no more."""
        if self._runtime.clock() - self._saved_at >= SAVE_EVERY:
            self._save_or_stop()

    def _save_or_stop(self, *, reread: bool = True) -> None:
        """Save the checkpoint, and ask for no more if that cannot be done."""
        try:
            self._save(reread=reread)
        except RedeliverError as error:
            self._stop_for(error)

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
        self._saved_at = self._runtime.clock()

    def _mark(self) -> datetime:
        return low_water_mark(self._window, self._planned, self.results)

    # The redeliveries.

    def _moving_up(self) -> Iterator[int]:
        """Yield what was too much as long as something else of the plan does not come about."""
        most = len(self._planned.due)
        places = {
            (o.decision.webhook, o.decision.delivery.guid): n for n, o in enumerate(self.results)
        }
        for decision in self._planned.surplus:
            # What is under way counts as used until it turns out that it is not.
            while decision.webhook not in self._stopped and self._used() >= most:
                if not self._hear():
                    return
            if decision.webhook not in self._stopped:
                place = places[decision.webhook, decision.delivery.guid]
                due = replace(decision, verdict=Verdict.REDELIVER)
                self.results[place] = EventResult.expected(due, due=Outcome.DEFERRED)
                self._to_hear_of += 1
                yield place

    def _used(self) -> int:
        return sum(result.outcome in ACCEPTED | {Outcome.UNANSWERED} for result in self.results)

    def _try_receivers(self, probe: int) -> set[int]:
        """Ask for so many at random, and leave the others of a webhook if all of these fail.

        Where no more are due than that, all of them are asked for anyway.
        """
        chosen = self._choose(probe)
        if not chosen:
            return set()
        self._runtime.say(messages.probing(probe))
        tried = sorted(place for places in chosen.values() for place in places)
        self._ask_for(tried)
        self._verify(tried, save=True)
        for webhook, places in chosen.items():
            if {self.results[place].outcome for place in places} == {Outcome.FAILING}:
                self._stopped.add(webhook)
                because = f"the receiver seems to be down: all {probe} that were tried first failed"
                for place in self._due(webhook):
                    self.results[place] = replace(self.results[place], because=because)
        return set(tried)

    def _choose(self, probe: int) -> dict[Webhook, list[int]]:
        due = {webhook: self._due(webhook) for webhook in self._hooks}
        return {
            webhook: self._runtime.choose(places, probe)
            for webhook, places in due.items()
            if len(places) > probe
        }

    def _due(self, webhook: Webhook) -> list[int]:
        return [
            place
            for place, result in enumerate(self.results)
            if _is_due(result) and result.decision.webhook == webhook
        ]

    def _ask_for(self, places: Iterable[int]) -> None:
        """Redeliver what is due, several at once, unless GitHub has said enough.

        Return when it is known what became of each, and that was told.
        """
        for place in places:
            if self._may_ask_for(place):
                self._wait_turn()
                self._keep_saved()
            if self._may_ask_for(place):
                self._give_out(place)
            else:
                self._tell(self.results[place])
        while self._hear():
            pass

    def _may_ask_for(self, place: int) -> bool:
        result = self.results[place]
        return _is_due(result) and result.decision.webhook not in self._stopped

    def _wait_turn(self) -> None:
        """Wait until one more may be asked for and somebody is free to do so."""
        # What is known already may say that no more is to be asked for.
        while self._hear(within=timedelta()):
            pass
        while self._pool.is_full or (self._pool.pending and self._runtime.seconds_until_turn()):
            self._hear()
        self._runtime.wait_for_turn()

    def _give_out(self, place: int) -> None:
        """Have a redelivery asked for. Until its answer is heard, it counts as unanswered."""
        decision = self.results[place].decision
        hook = self._hooks[decision.webhook]
        self.results[place] = _unanswered(decision, "the run was interrupted")
        self._pool.submit(place, partial(hook.redeliver, decision.delivery))

    def _hear(self, *, within: timedelta | None = None) -> bool:
        """Wait for an answer and take it in; return whether there was one to wait for."""
        heard = self._pool.next_result(within=within)
        if heard is None:
            return False
        place, raised = heard
        self._take_in(place, raised)
        self._heard_of += 1
        self._runtime.progress("Redelivering", self._heard_of, self._to_hear_of)
        self._tell(self.results[place])
        return True

    def _take_in(self, place: int, raised: BaseException | None) -> None:
        decision = self.results[place].decision
        undone = EventResult.expected(decision, due=Outcome.DEFERRED)
        match raised:
            case None:
                result = EventResult(decision=decision, outcome=Outcome.PENDING)
            case RefusalError():
                result = EventResult(
                    decision=decision, outcome=Outcome.REFUSED, because=str(raised)
                )
            case RateLimitError():
                result = undone
                self._stop_for(raised)
            case AccessError():
                result = undone
                # Every further request of this webhook would get the same answer.
                self._stopped.add(decision.webhook)
                self._note(str(raised))
            case UnavailableError():
                result = _unanswered(decision, str(raised))
            case _:
                raise raised
        self.results[place] = result
        lost = result.outcome is Outcome.UNANSWERED
        self._unanswered[decision.webhook] = self._unanswered[decision.webhook] + 1 if lost else 0
        if self._unanswered[decision.webhook] == MOST_UNANSWERED:
            self._stopped.add(decision.webhook)
            self._note(
                f"{MOST_UNANSWERED} redeliveries of {decision.webhook.name} in a row went "
                "unanswered, so the run asked for no more of them"
            )

    def _stop_for(self, error: RedeliverError) -> None:
        """Ask for nothing more."""
        self._stopped.update(self._hooks)
        if isinstance(error, RateLimitError):
            self.limit = self.limit or str(error)
        else:
            self._note(str(error))

    def _note(self, trouble: str) -> None:
        # Those who asked at the same time meet the same.
        if trouble not in self.trouble:
            self.trouble.append(trouble)

    # What became of them.

    def _verify(self, places: Iterable[int], *, save: bool = False) -> None:
        """Wait until the logs show how each redelivery went, for as long as that may take."""
        asked = {place: self.results[place] for place in places}
        shown = self._verification.shown(
            {place: result for place, result in asked.items() if result.outcome in UNCONFIRMED},
            self._terms.verify,
            meanwhile=self._keep_saved if save else lambda: None,
        )
        self._take_over(shown)

    def _see_what_is_gone(self) -> None:
        refused = {
            n: each for n, each in enumerate(self.results) if each.outcome is Outcome.REFUSED
        }
        self._take_over(self._verification.gone(refused))

    def _take_over(self, changed: Iterable[tuple[int, EventResult]]) -> None:
        for place, result in changed:
            self.results[place] = result
            self._tell(result)

    def _tell(self, result: EventResult) -> None:
        # The others are counted, and need nobody's attention.
        if result.outcome not in NOT_FAILED:
            several = len(self._hooks) > 1
            told = messages.line(
                result, self._window, dry_run=self._terms.dry_run, name_webhook=several
            )
            self._runtime.say(told)


def _is_due(result: EventResult) -> bool:
    is_open = result.outcome in {Outcome.DEFERRED, Outcome.DUE}
    return is_open and result.decision.verdict is Verdict.REDELIVER


def _unanswered(decision: Decision, reason: str) -> EventResult:
    because = f"{reason}; it may have been accepted all the same"
    return EventResult(decision=decision, outcome=Outcome.UNANSWERED, because=because)
