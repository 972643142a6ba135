"""Hand redeliveries to the worker pool, collect what GitHub responds, and know when to stop."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

from redeliver.core.decision import EventKey, Verdict
from redeliver.core.delivery import Webhook
from redeliver.core.outcome import (
    DENIED,
    RATE_LIMITED,
    TOOK_TOO_LONG,
    EventResult,
    Outcome,
    Results,
)
from redeliver.engine.ports import Hook, Runtime
from redeliver.engine.request_queue import RequestQueue
from redeliver.engine.responses import HANDFUL, Responses
from redeliver.engine.workers import WorkerPool
from redeliver.errors import (
    AccessError,
    RateLimitError,
    RedeliverError,
    RefusalError,
    TooLongError,
    UnavailableError,
)

LAST_RESPONSES = timedelta(seconds=0.5)
"""How long an interrupted run still waits for responses that are under way."""


class Dispatcher:
    """Redelivers events, several at once, until errors show that more requests would fail."""

    def __init__(
        self,
        hooks: Mapping[Webhook, Hook],
        runtime: Runtime,
        pool: WorkerPool[EventKey],
        results: Results,
        *,
        expected: int,
        log: Callable[[EventResult], None],
        before_each: Callable[[], None],
        are_gone: Callable[[Webhook], bool],
    ) -> None:
        """Keep `results` up to date, and log each new one.

        `before_each` is called before each redelivery. `expected` is the total that progress shows
        at first; events over `max-redeliveries` that take the place of refused ones can raise it.
        `are_gone` tells whether refused events of a webhook have left GitHub's log.
        """
        self._hooks = hooks
        self._clock = runtime.clock
        self._throttle = runtime.throttle
        self._console = runtime.console
        self._pool = pool
        self._results = results
        self._expected = expected
        self._log = log
        self._before_each = before_each
        self._are_gone = are_gone
        self._submitted = 0
        self._accepted = 0
        self._queue = RequestQueue(())
        self._responses = defaultdict[Webhook, Responses](Responses)
        self._stopped: set[Webhook] = set()
        self.limit = ""
        """The rate limit that stopped the redeliveries; empty if there was none."""
        self.trouble: list[str] = []
        """What else went wrong, with advice if there is any."""

    def dispatch(self, keys: Iterable[EventKey], *, places: int | None = None) -> None:
        """Redeliver events, the webhooks in turn; return when the result of each is known.

        No more are requested once GitHub has accepted as many as there are `places`, counting all
        redeliveries of this run.
        """
        self._queue = RequestQueue(keys)
        while True:
            key = self._queue.take(self._may_go) if self._has_place(places) else None
            if key:
                self._dispatch_one(key)
            elif not self.collect():  # a response can free a place, or let events go again
                break
        for key in self._queue.rest():
            self._leave(key)

    def collect(self, *, timeout: timedelta | None = None) -> bool:
        """Wait for the next response and record it; return whether there was one."""
        finished = self._pool.next_result(timeout=timeout)
        if finished is None:
            return False
        key, error = finished
        self._record(key, error)
        done = self._submitted - self._pool.pending
        total = max(self._expected, self._submitted)
        self._console.progress("Redeliveries requested:", done, total)
        self._log(self._results[key])
        return True

    def collect_last(self) -> None:
        """Record the responses that an interrupted run still gets."""
        until = time.monotonic() + LAST_RESPONSES.total_seconds()
        while self.collect(timeout=timedelta(seconds=max(until - time.monotonic(), 0))):
            pass

    def is_stopped(self, webhook: Webhook) -> bool:
        """Whether nothing more of a webhook is redelivered in this run."""
        return webhook in self._stopped

    def stop(self, webhook: Webhook) -> None:
        """Redeliver nothing more of one webhook."""
        self._stopped.add(webhook)

    def stop_all(self, error: RedeliverError) -> None:
        """Redeliver nothing more, because of `error`."""
        self._stopped.update(self._hooks)
        if isinstance(error, RateLimitError):
            self.limit = self.limit or str(error)
        else:
            self.note(str(error))

    def note(self, trouble: str) -> None:
        """Keep an error for the report, once: several requests can fail with the same one."""
        if trouble not in self.trouble:
            self.trouble.append(trouble)

    def note_refusals(self) -> None:
        """Note what may be wrong with webhooks of which GitHub refused all redeliveries."""
        gone = {result.key.webhook for result in self._results.values() if result.is_gone}
        for webhook, responses in self._responses.items():
            text = responses.few_refusals(webhook)
            if text and webhook not in gone | self._stopped:
                self.note(text)

    def _may_go(self, key: EventKey) -> bool:
        return self.is_stopped(key.webhook) or self._responses[key.webhook].may_go(key)

    def _may_dispatch(self, key: EventKey) -> bool:
        return self._results[key].is_open and not self.is_stopped(key.webhook)

    def _has_place(self, places: int | None) -> bool:
        """Whether one more redelivery may be accepted; a request counts until its response."""
        return places is None or self._accepted + self._pool.pending < places

    def _dispatch_one(self, key: EventKey) -> None:
        if self._may_dispatch(key):
            self._wait_for_turn()
            self._before_each()
        # The wait collects responses, which may have stopped this webhook or begun a trial.
        if not self._may_go(key):
            self._queue.put_back(key)
        elif self._may_dispatch(key):
            self._submit(key)
        else:
            self._leave(key)

    def _leave(self, key: EventKey) -> None:
        """Leave an event to a later run."""
        self._log(self._results[key])

    def _wait_for_turn(self) -> None:
        """Wait until GitHub's limits allow one more request and a worker is free."""
        # A response that has already arrived may stop the redeliveries.
        while self.collect(timeout=timedelta()):
            pass
        # Instead of idling, collect responses.
        while self._pool.is_full or (self._pool.pending and self._throttle.seconds_until_turn()):
            self.collect()
        self._throttle.wait_for_turn()

    def _submit(self, key: EventKey) -> None:
        """Have a worker request a redelivery; until the response, its outcome is `UNANSWERED`."""
        # An event over the limit has got the place of another.
        decision = replace(self._results[key].decision, verdict=Verdict.REDELIVER)
        self._results[key] = EventResult.requested(decision, self._clock())
        self._submitted += 1
        self._pool.submit(key, partial(self._hooks[key.webhook].redeliver, decision.delivery))

    def _record(self, key: EventKey, error: BaseException | None) -> None:
        requested = self._results[key]
        decision = requested.decision
        match error:
            case None:
                result = requested.accepted()
                self._accepted += 1
            case RefusalError():
                result = EventResult(decision=decision, outcome=Outcome.REFUSED, because=str(error))
            case RateLimitError():  # before its base class, UnavailableError
                result = EventResult.deferred(decision, RATE_LIMITED)
                self.stop_all(error)
            case TooLongError():  # likewise
                result = EventResult.deferred(decision, TOOK_TOO_LONG)
                self.stop_all(error)
            case AccessError():
                result = EventResult.deferred(decision, DENIED)
                # Every further request of this webhook would fail in the same way.
                self.stop(key.webhook)
                self.note(str(error))
            case UnavailableError():
                result = requested.unanswered(error.reason)
            case _:
                raise error
        self._results[key] = result
        if result.outcome is not Outcome.DEFERRED:
            self._consider(key, error)

    def _consider(self, key: EventKey, error: RedeliverError | None) -> None:
        """Stop the webhook if its requests keep failing, also for events from elsewhere."""
        webhook, responses = key.webhook, self._responses[key.webhook]
        responses.record(key, error)
        if responses.needs_trial:
            responses.try_others(self._queue.spread(webhook, HANDFUL))
        if not responses.has_failed or self.is_stopped(webhook):
            return
        if responses.refused_because and self._are_gone(webhook):
            responses.permit()
            return
        self.stop(webhook)
        self.note(responses.why_stopped(webhook))
