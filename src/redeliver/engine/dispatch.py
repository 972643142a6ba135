"""Hand redeliveries to the worker pool, collect what GitHub responds, and know when to stop."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial

from redeliver.core.decision import Decision, EventKey
from redeliver.core.delivery import Webhook
from redeliver.core.outcome import DENIED, RATE_LIMITED, EventResult, Outcome, Results
from redeliver.engine.ports import Hook, Runtime
from redeliver.engine.workers import WorkerPool
from redeliver.errors import (
    AccessError,
    RateLimitError,
    RedeliverError,
    RefusalError,
    UnavailableError,
)

MAX_UNANSWERED = 5
"""If this many requests in a row for one webhook get no usable response, no more are sent."""

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
    ) -> None:
        """Keep `results` up to date, and log each new one.

        `before_each` is called before each redelivery. `expected` is the total that progress shows
        at first; events over `max-redeliveries` that take the place of refused ones can raise it.
        """
        self._hooks = hooks
        self._throttle = runtime.throttle
        self._console = runtime.console
        self._pool = pool
        self._results = results
        self._expected = expected
        self._log = log
        self._before_each = before_each
        self._submitted = 0
        self._unanswered = Counter[Webhook]()
        """How many redeliveries in a row had no usable response."""
        self._stopped: set[Webhook] = set()
        self.limit = ""
        """The rate limit that stopped the redeliveries; empty if there was none."""
        self.trouble: list[str] = []
        """What else went wrong, with advice if there is any."""

    def dispatch(self, keys: Iterable[EventKey]) -> None:
        """Redeliver events in this order; return when the result of each is known and logged."""
        for key in keys:
            if self._may_dispatch(key):
                self._wait_for_turn()
                self._before_each()
            # The wait collects responses, which may have stopped this webhook.
            if self._may_dispatch(key):
                self._submit(key)
            else:
                self._log(self._results[key])
        while self.collect():
            pass

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

    def _may_dispatch(self, key: EventKey) -> bool:
        return self._results[key].is_due and not self.is_stopped(key.webhook)

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
        decision = self._results[key].decision
        self._results[key] = _unanswered(decision, "the run was stopped before GitHub responded")
        self._submitted += 1
        self._pool.submit(key, partial(self._hooks[key.webhook].redeliver, decision.delivery))

    def _record(self, key: EventKey, error: BaseException | None) -> None:
        decision = self._results[key].decision
        match error:
            case None:
                result = _pending(decision)
            case RefusalError():
                result = EventResult(decision=decision, outcome=Outcome.REFUSED, because=str(error))
            case RateLimitError():  # before its base class, UnavailableError
                result = _deferred(decision, RATE_LIMITED)
                self.stop_all(error)
            case AccessError():
                result = _deferred(decision, DENIED)
                # Every further request of this webhook would fail in the same way.
                self.stop(key.webhook)
                self.note(str(error))
            case UnavailableError():
                result = _unanswered(decision, error.reason)
            case _:
                raise error
        self._results[key] = result
        self._count_unanswered(result)

    def _count_unanswered(self, result: EventResult) -> None:
        webhook = result.key.webhook
        is_unanswered = result.outcome is Outcome.UNANSWERED
        self._unanswered[webhook] = self._unanswered[webhook] + 1 if is_unanswered else 0
        if self._unanswered[webhook] == MAX_UNANSWERED:
            self.stop(webhook)
            self.note(
                f"GitHub sent no usable response to {MAX_UNANSWERED} requests in a row to "
                f"redeliver to {webhook.name}, so this run requested no more of them"
            )


def _deferred(decision: Decision, because: str) -> EventResult:
    return EventResult(decision=decision, outcome=Outcome.DEFERRED, because=because)


def _pending(decision: Decision) -> EventResult:
    because = "the run was stopped before GitHub's log showed the outcome"
    return EventResult(decision=decision, outcome=Outcome.PENDING, because=because)


def _unanswered(decision: Decision, reason: str) -> EventResult:
    because = f"GitHub did not confirm the request ({reason}), and may have accepted it"
    return EventResult(decision=decision, outcome=Outcome.UNANSWERED, because=because)
