"""Carry out a plan: the order of the steps, from the first saved checkpoint to the last.

`dispatch` requests the redeliveries, `checkpointing` saves the checkpoint, `verification` finds
the outcomes. Results never claim more than is certain, so an interrupted run can derive a safe
checkpoint from them at any moment.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from signal import Signals

from redeliver.core.checkpoint import UNMARKED
from redeliver.core.decision import EventKey
from redeliver.core.delivery import Delivery, Webhook
from redeliver.core.outcome import OUTCOME_UNKNOWN, EventResult, Outcome, Results
from redeliver.core.plan import Plan
from redeliver.core.policy import RunOptions
from redeliver.core.window import Window
from redeliver.engine.checkpoint_reader import CheckpointReader
from redeliver.engine.checkpointing import Checkpointing
from redeliver.engine.dispatch import Dispatcher
from redeliver.engine.event_log import EventLog
from redeliver.engine.ports import Hook, Runtime, Store
from redeliver.engine.probing import choose_probes, why_down
from redeliver.engine.verification import Verification
from redeliver.engine.workers import WorkerPool
from redeliver.errors import BusyError, Interrupted, RateLimitError, RedeliverError
from redeliver.reporting.report import Report

OVERTAKEN = (
    "another run has saved the checkpoint while this one was redelivering, so this run requested "
    "no more redeliveries. The next run continues. Let only one run at a time use a checkpoint"
)


class Execution:
    """One plan, and the results of its events so far."""

    def __init__(
        self,
        plan: Plan,
        hooks: Iterable[Hook],
        store: Store,
        runtime: Runtime,
        pool: WorkerPool[EventKey],
        *,
        window: Window,
        options: RunOptions,
        reader: CheckpointReader,
    ) -> None:
        self._plan = plan
        self._store = store
        self._runtime = runtime
        self._window = window
        self._options = options
        self._hooks = {hook.webhook: hook for hook in hooks}
        self._results = Results()
        self._expect(due=Outcome.DUE if options.dry_run else Outcome.DEFERRED)
        self._checkpointing = Checkpointing(
            store, window, self._results, runtime, plan, reader=reader
        )
        self._event_log = EventLog(
            runtime.console,
            now=window.now,
            dry_run=options.dry_run,
            name_webhook=len(self._hooks) > 1,
        )
        self._dispatcher = Dispatcher(
            self._hooks,
            runtime,
            pool,
            self._results,
            expected=len(plan.due),
            log=self._event_log.response,
            before_each=self._save_if_due,
            are_gone=self._are_gone,
        )
        self._verification = Verification(self._hooks, runtime, options, window)

    def preview(self) -> None:
        """Log what a run would do with each event."""
        self._choose_probes()
        for result in self._results.values():
            self._event_log.outcome(result)

    def run(self) -> None:
        """Redeliver what is due, save the checkpoint, and find the outcomes."""
        due = self._results.due()
        open_keys = [decision.key for decision in (*self._plan.due, *self._plan.surplus)]
        # Given-up events are logged before the checkpoint passes them, because a run that is
        # killed leaves only its log.
        for result in self._results.values():
            if not result.is_open:
                self._event_log.outcome(result)
        if not due:
            if not self._plan.keeps_checkpoint:
                self._save(at_end=True)
            return
        self._claim()
        if self._plan.keeps_checkpoint or self._dispatcher.limit:
            for key in open_keys:
                self._event_log.outcome(self._results[key])
            return
        probed = self._probe()
        others = (key for key in open_keys if key not in probed)
        self._dispatcher.dispatch(others, places=self._options.policy.max_redeliveries)
        # A run that looks for outcomes has not ended: no other run redelivers meanwhile. If it is
        # killed, the next run continues at the checkpoint from before the redeliveries.
        has_unknown = any(result.outcome in OUTCOME_UNKNOWN for result in self._results.values())
        if not (self._options.verify and has_unknown):
            self._save(at_end=True)
        self._verify(self._results)
        self._update(self._verification.still_unknown(self._results.values()))
        self._update(self._verification.gone(self._results.values()))
        self._dispatcher.note_refusals()
        if self._checkpointing.checkpoint != self._checkpointing.at_end:
            self._save(at_end=True)

    def save_interrupted(self) -> None:
        """Save the checkpoint of an interrupted run that is no dry run, if there is still time."""
        if self._plan.keeps_checkpoint or self._options.dry_run:
            return
        try:
            self._runtime.throttle.hurry()
            self._dispatcher.collect_last()
            self._save(at_end=True)
        except Interrupted:
            self._dispatcher.note("the run was stopped before it could save the checkpoint")
            return
        # If there is time to see the outcomes, the next run need not wait.
        with suppress(Interrupted):
            self._update(self._verification.look_once(self._results.values()))
            if self._checkpointing.checkpoint != self._checkpointing.at_end:
                self._save(at_end=True)

    def report(self, interrupted: Signals | None, older: tuple[Delivery, ...]) -> Report:
        """Return what this run did; `older` are the failures from before its window."""
        store, saved = self._store.name, self._checkpointing.checkpoint
        return Report(
            store=store,
            is_shared=self._store.is_shared,
            options=self._options,
            window=self._window,
            scans=tuple(map(self._results.after, self._plan.scans)),
            holds=self._plan.holds,
            older=older,
            results=tuple(self._results.values()),
            checkpoint=saved.time if store and saved else None,
            mark=saved.mark if saved else UNMARKED,
            trouble=tuple(self._dispatcher.trouble),
            limit=self._dispatcher.limit,
            unverified=dict(self._verification.unverified),
            token_expirations=dict(self._runtime.token_expirations()),
            interrupted=interrupted,
        )

    def _expect(self, *, due: Outcome) -> None:
        for decision in self._plan.decisions:
            expected = EventResult.before_requests(decision, self._options.policy, due=due)
            self._results[decision.key] = expected

    # The checkpoint.

    def _claim(self) -> None:
        """Write the checkpoint before the first redelivery, or leave everything to another run."""
        try:
            is_claimed = self._checkpointing.claim()
        except RateLimitError as error:
            self._dispatcher.stop_all(error)
            return
        if not is_claimed:
            self._plan = self._plan.held()
            self._expect(due=Outcome.DUE)

    def _save_if_due(self) -> None:
        """Save the checkpoint now and then; stop if another run has taken over meanwhile."""
        if self._checkpointing.is_due:
            self._save(at_end=False)
            if self._checkpointing.is_overtaken:
                self._dispatcher.stop_all(BusyError(OVERTAKEN))

    def _save(self, *, at_end: bool) -> None:
        """Save the checkpoint; a run that cannot do so redelivers nothing more."""
        try:
            self._checkpointing.save(at_end=at_end)
        except RedeliverError as error:
            self._dispatcher.stop_all(error)

    # The redeliveries.

    def _probe(self) -> set[EventKey]:
        """Redeliver a few events of each webhook first; if all fail, stop its redeliveries.

        Return the events that were redelivered. A webhook with so few events due needs no probe.
        """
        chosen = self._choose_probes()
        if not chosen:
            return set()
        all_chosen = {key for keys in chosen.values() for key in keys}
        probes = [key for key in self._results if key in all_chosen]
        self._dispatcher.dispatch(probes)
        self._verify(probes, before_reading=self._save_if_due)
        for webhook, keys in chosen.items():
            if why := why_down(self._results, keys):
                self._dispatcher.stop(webhook)
                for key in self._results.due(webhook):
                    self._results[key] = replace(self._results[key], because=why)
        return all_chosen

    def _choose_probes(self) -> Mapping[Webhook, list[EventKey]]:
        probes = choose_probes(self._results, self._options.probe, self._window)
        for webhook, keys in probes.items():
            self._event_log.probe(webhook, due=len(self._results.due(webhook)), probe=len(keys))
        return probes

    def _are_gone(self, webhook: Webhook) -> bool:
        """Look for a webhook's refused events in its log; return whether some have left it."""
        refused = [result for result in self._results.values() if result.key.webhook == webhook]
        gone = list(self._verification.gone(refused, before_page=self._save_if_due))
        self._update(gone)
        return bool(gone)

    # The outcomes.

    def _verify(
        self, keys: Iterable[EventKey], *, before_reading: Callable[[], None] | None = None
    ) -> None:
        """Wait until the logs show the outcome of each redelivery, for at most `verify`."""
        results = [self._results[key] for key in keys]
        self._update(self._verification.outcomes(results, before_reading=before_reading))

    def _update(self, results: Iterable[EventResult]) -> None:
        for result in results:
            self._results[result.key] = result
            self._event_log.outcome(result)
