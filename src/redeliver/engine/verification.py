"""Find the outcomes of requested redeliveries in the logs.

GitHub responds 202 before it redelivers. Only the log shows the outcome, when the attempt is over
and sometimes minutes later.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from redeliver.core.delivery import Delivery, Guid, Webhook
from redeliver.core.outcome import OUTCOME_UNKNOWN, EventResult, Outcome
from redeliver.core.pages import OldRows, Page
from redeliver.core.policy import RunOptions
from redeliver.core.window import Window
from redeliver.engine.ports import Hook, Runtime
from redeliver.engine.workers import run_all
from redeliver.errors import RedeliverError
from redeliver.reporting.format import age

FIRST_PAUSE = timedelta(seconds=1)
"""The pause between the requests and the first reading of the logs. Each further pause is as long
as the time waited so far, at most MAX_PAUSE: most receivers respond at once, and some never do."""

MAX_PAUSE = timedelta(seconds=30)

SERVER_CLOCK_SKEW = timedelta(minutes=1)
"""How much earlier than its request a redelivery can be dated, because GitHub's servers have
different clocks."""


class Verification:
    """Reads the logs again, and yields the results that they change."""

    def __init__(
        self,
        hooks: Mapping[Webhook, Hook],
        runtime: Runtime,
        options: RunOptions,
        window: Window,
    ) -> None:
        self._hooks = hooks
        self._runtime = runtime
        self._verify = options.verify
        self._retention = options.retention
        self._window = window
        self.unverified: dict[Webhook, str] = {}
        """The error of each log whose last reading failed."""

    def outcomes(
        self,
        results: Iterable[EventResult],
        *,
        before_reading: Callable[[], None] | None = None,
    ) -> Iterator[EventResult]:
        """Read the logs until they show the outcome of each redelivery, for at most `verify`.

        Yield the new version of each result that changes. `before_reading` is called before each
        reading of the logs.

        A redelivery without a response may have been accepted all the same. If the log does not
        show it in time, the event is left to a later run: a second request could deliver it twice.
        """
        clock, console, within = self._runtime.clock, self._runtime.console, self._verify
        started, waited = clock(), timedelta()
        unknown = {result.key: result for result in results if result.outcome in OUTCOME_UNKNOWN}
        while unknown and waited < within:
            pause = min(max(waited, FIRST_PAUSE), MAX_PAUSE, within - waited)
            console.progress(
                "Waiting for outcomes in GitHub's log, in seconds:", waited.seconds, within.seconds
            )
            self._runtime.sleep(pause.total_seconds())
            if before_reading:
                before_reading()
            for webhook, found in self._read_outcomes(unknown.values()):
                if webhook in self.unverified:
                    # This log is not read again in this call, but the others are.
                    for key in [key for key in unknown if key.webhook == webhook]:
                        del unknown[key]
                for result in found:
                    del unknown[result.key]
                    yield result
            # The clock includes the time for reading, but has only whole seconds, so that it can
            # show less than the pauses.
            waited = max(waited + pause, clock() - started)

    def look_once(self, results: Iterable[EventResult]) -> Iterator[EventResult]:
        """Read the logs once, without waiting, and yield the results that they change."""
        unknown = [result for result in results if result.outcome in OUTCOME_UNKNOWN]
        for _, found in self._read_outcomes(unknown):
            yield from found

    def still_unknown(self, results: Iterable[EventResult]) -> Iterator[EventResult]:
        """Yield each result whose outcome is still unknown after `outcomes`, with the reason."""
        for result in results:
            why = self._why_unknown(result.key.webhook)
            if result.outcome is Outcome.PENDING:
                next_run = (
                    ". A later run checks the log, and tries again if there is still no success"
                )
                because = why if self._window.is_replay else f"{why}{next_run}"
                yield replace(result, because=because)
            elif result.outcome is Outcome.UNANSWERED:
                yield replace(result, because=f"{result.because}. {why}")

    def _why_unknown(self, webhook: Webhook) -> str:
        if not self._verify:
            return "'verify' is 0, so this run did not look for the outcome"
        if webhook in self.unverified:
            return "GitHub's log could not be read again"
        return f"GitHub's log did not show the outcome within {age(self._verify)}"

    def gone(
        self, results: Iterable[EventResult], *, before_page: Callable[[], None] | None = None
    ) -> Iterator[EventResult]:
        """Read the logs again, and yield the refused events that are no longer in them.

        `before_page` is called before each page, if there are more events to redeliver.
        """
        refused = [result for result in results if result.outcome is Outcome.REFUSED]
        kept_from = self._runtime.clock() - self._retention
        for webhook, its_results in _by_webhook(refused).items():
            try:
                log = self._hooks[webhook].pages(planning=before_page is not None)
                log = _calling(before_page, log) if before_page else log
                missing = find_missing(
                    log, _deliveries(its_results), since=self._window.since, kept_from=kept_from
                )
            except RedeliverError:
                continue  # the event stays refused, and the next run looks at it again
            for result in its_results:
                if result.key.guid in missing:
                    yield result.gone()

    def _read_outcomes(
        self, results: Iterable[EventResult]
    ) -> Iterator[tuple[Webhook, list[EventResult]]]:
        """Read the logs, several at the same time; yield the results that each of them changes."""
        by_webhook = _by_webhook(results)
        found: dict[Webhook, Mapping[Guid, Delivery]] = {}

        def read(webhook: Webhook) -> None:
            log, failed = self._hooks[webhook].pages(), _deliveries(by_webhook[webhook])
            try:
                found[webhook] = find_redeliveries(log, failed, since=self._window.now)
            except RedeliverError as error:
                self.unverified[webhook] = str(error)
            else:
                self.unverified.pop(webhook, None)  # an earlier call may have failed to read it

        jobs = {webhook: partial(read, webhook) for webhook in by_webhook}
        for webhook in run_all(jobs, size=self._runtime.workers):
            attempts = found.get(webhook, {})
            yield (
                webhook,
                [
                    result.verified(attempts[result.key.guid])
                    for result in by_webhook[webhook]
                    if result.key.guid in attempts
                ],
            )


def find_redeliveries(
    log: Iterable[Page], failed: Iterable[Delivery], *, since: datetime
) -> Mapping[Guid, Delivery]:
    """Return the attempt that decides the outcome of each event whose redelivery was requested.

    `failed` has the delivery of each such event that was redelivered; only newer attempts count. A
    success decides if there is one, otherwise the newest failure from a minute before `since`,
    whoever requested it. An older failure that appears only now says nothing about the request.
    An event without such an attempt is left out. `log` is read back to a minute before `since`, or
    until each event has a success.
    """
    before = {delivery.guid: delivery for delivery in failed}
    found: dict[Guid, Delivery] = {}
    begin = since - SERVER_CLOCK_SKEW
    for page in _back_to(log, begin):
        for row in page.rows:
            known = before.get(row.guid)
            is_newer = known is not None and row.delivered_at > known.delivered_at
            is_new = is_newer and (row.succeeded or row.delivered_at >= begin)
            if is_new and (row.guid not in found or _counts_more(row, found[row.guid])):
                found[row.guid] = row
        if len(found) == len(before) and all(attempt.succeeded for attempt in found.values()):
            break
    return found


def find_missing(
    log: Iterable[Page], refused: Iterable[Delivery], *, since: datetime, kept_from: datetime
) -> frozenset[Guid]:
    """Return the events whose delivery is no longer in the log, which is read back to `since`.

    A row that cannot be read may be any of them, so with one nothing counts as missing. An empty
    log proves nothing about deliveries since `kept_from`: this run has just read rows from it, and
    they do not all leave it at once.
    """
    missing = {delivery.id: delivery for delivery in refused}
    is_empty = True
    for page in _back_to(log, since):
        is_empty = is_empty and not page.rows
        if page.unreadable:
            return frozenset()  # one of these rows may be the delivery
        for row in page.rows:
            missing.pop(row.id, None)
        if not missing:
            break
    return frozenset(
        row.guid for row in missing.values() if not is_empty or row.delivered_at < kept_from
    )


def _calling(before_page: Callable[[], None], log: Iterator[Page]) -> Iterator[Page]:
    for page in log:
        yield page
        before_page()


def _counts_more(attempt: Delivery, other: Delivery) -> bool:
    return (attempt.succeeded, attempt.delivered_at) > (other.succeeded, other.delivered_at)


def _back_to(log: Iterable[Page], instant: datetime) -> Iterator[Page]:
    """Yield pages until all rows of a page are older than `instant`: the log may not be sorted."""
    too_old = OldRows(instant)
    for page in log:
        yield page
        too_old.count(page)
        if too_old.are_enough:
            return


def _by_webhook(results: Iterable[EventResult]) -> Mapping[Webhook, list[EventResult]]:
    groups = defaultdict[Webhook, list[EventResult]](list)
    for result in results:
        groups[result.key.webhook].append(result)
    return groups


def _deliveries(results: Iterable[EventResult]) -> list[Delivery]:
    return [result.decision.delivery for result in results]
