"""Read one webhook's log as far back as the decisions need, and decide about its events.

A log is an iterable of pages of rows, newest first. No more pages are read than necessary.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from redeliver.core.checkpoint import Window
from redeliver.core.decision import NOT_FAILED_VERDICTS, Decision, decide
from redeliver.core.delivery import (
    FAILURE_CODES,
    SUCCESS_CODES,
    Delivery,
    Guid,
    StatusFilter,
    Webhook,
)
from redeliver.core.pages import OldRows, Page
from redeliver.core.policy import Policy, ScanMode
from redeliver.errors import RedeliverError


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanResult:
    """The decisions about the events in the log of one webhook."""

    webhook: Webhook
    scanned: int
    decisions: tuple[Decision, ...]
    unclassified: int = 0
    """How many failed events GitHub's filter does not list as failures."""
    error: RedeliverError | None = None
    """Why the log was not read as far back as it should have been."""

    @property
    def is_unread(self) -> bool:
        """Whether no row could be read."""
        return self.error is not None and not self.scanned


class Scan:
    """Reads a log, a page at a time, and decides about its events.

    `log` returns the pages of rows that pass a filter, newest first. Memory grows with failures and
    redeliveries, not with deliveries.
    """

    def __init__(
        self,
        webhook: Webhook,
        log: Callable[[StatusFilter], Iterable[Page]],
        window: Window,
        policy: Policy,
        mode: ScanMode,
    ) -> None:
        self.webhook = webhook
        self._window = window
        self._policy = policy
        self._mode = mode
        self._horizon = window.now - policy.give_up_after
        self._rows = 0
        self._attempts: dict[Guid, list[Delivery]] = {}
        """The attempts of each event that may need a decision."""
        self._incomplete: set[Guid] = set()
        """Events that may be redelivered, and whose original was not read yet."""
        self._log_ended = False
        """Whether the last reading reached the end of the log, not only the horizon."""
        self._successes_since: datetime | None = None
        """With a filter: since when all successes were read; None if none were."""
        self._error: RedeliverError | None = None
        is_filtered = mode is ScanMode.FAILURES
        self._pages = self._read_failures(log) if is_filtered else self._read_all(log)

    def read_page(self) -> bool:
        """Read one more page; return False if no more are needed, or reading failed."""
        try:
            next(self._pages)
        except StopIteration:
            return False
        except RedeliverError as error:
            self._error = error
            return False
        return True

    def stop(self, error: RedeliverError) -> None:
        """Read no more, because another log had this error, and this one would have it too."""
        self._error = error

    @property
    def error(self) -> RedeliverError | None:
        """Why reading stopped early; None if it did not."""
        return self._error

    def result(self) -> ScanResult:
        """Return the decisions that follow from the pages that were read."""
        decisions, unclassified = [], 0
        for rows in self._attempts.values():
            attempts = _newest_first(rows)
            is_new = attempts[0].delivered_at > self._window.now
            if is_new or all(attempt.succeeded for attempt in attempts):
                continue
            decision = self._decide(attempts)
            decisions.append(decision)
            unclassified += decision.verdict not in NOT_FAILED_VERDICTS and not any(
                attempt.status_code in FAILURE_CODES and attempt.delivered_at >= self._window.since
                for attempt in attempts
            )
        return ScanResult(
            webhook=self.webhook,
            scanned=self._rows,
            decisions=tuple(decisions),
            unclassified=unclassified,
            error=self._error,
        )

    def _decide(self, attempts: Sequence[Delivery]) -> Decision:
        """Decide about one event from its attempts, newest first."""
        originals = [attempt for attempt in attempts if not attempt.redelivery]
        is_complete = not self._error or any(map(self._is_followed, originals))
        return Decision(
            webhook=self.webhook,
            delivery=attempts[0],
            attempts=len(attempts),
            has_all_attempts=is_complete and bool(originals),
            failing_since=attempts[-1].delivered_at,
            verdict=decide(
                attempts,
                self._window,
                self._policy,
                is_complete=is_complete,
                log_ended=self._log_ended,
                is_active=self.webhook.is_active,
            ),
            was_seen=self._window.was_seen(attempts[0]),
            may_have_been_requested=self._window.may_have_been_requested(attempts[0]),
        )

    def _is_followed(self, original: Delivery) -> bool:
        """Whether all later attempts were read, although an error ended the reading."""
        if self._mode is ScanMode.FULL:
            return True  # the log is read newest first
        return self._successes_since is not None and original.delivered_at >= self._successes_since

    # Reading. Each of these yields after each page.

    def _read_all(self, log: Callable[[StatusFilter], Iterable[Page]]) -> Iterator[None]:
        yield from self._read(log(StatusFilter.ALL))

    def _read(self, pages: Iterable[Page]) -> Iterator[None]:
        """Read back to the start of the window.

        Read further only while the original of an event that may be redelivered is missing: an
        earlier success might be there.
        """
        self._log_ended = False
        before_window, before_horizon = OldRows(self._window.since), OldRows(self._horizon)
        for page in pages:
            self._add(page)
            before_window.count(page)
            before_horizon.count(page)
            if before_window.are_enough and (not self._incomplete or before_horizon.are_enough):
                return
            yield
        self._log_ended = True

    def _read_failures(self, log: Callable[[StatusFilter], Iterable[Page]]) -> Iterator[None]:
        """Read what GitHub's filter lists as failures, and as few other rows as are needed.

        The failures are read first, so an event that succeeds in between is among the successes.
        """
        try:
            yield from self._read(_only_failures(log(StatusFilter.FAILURES)))
        except _UnfilteredError:
            self._mode = ScanMode.FULL
            yield from self._read(log(StatusFilter.ALL))
            return
        undelivered = {guid for guid, rows in self._attempts.items() if self._may_be_due(rows)}
        if undelivered:
            yield from self._read_successes(log(StatusFilter.SUCCESSES), undelivered)
        self._successes_since = datetime.min.replace(tzinfo=UTC)
        # An original can have the code 0, which neither filter lists.
        if self._incomplete:
            yield from self._read(log(StatusFilter.ALL))

    def _read_successes(self, pages: Iterable[Page], undelivered: set[Guid]) -> Iterator[None]:
        """Read back to the oldest attempt of the undelivered events."""
        back_to = min(self._horizon, self._window.since)
        if not self._incomplete:
            oldest = min(row.delivered_at for guid in undelivered for row in self._attempts[guid])
            back_to = max(oldest, back_to)
        too_old = OldRows(back_to)
        for page in pages:
            self._add(page)
            too_old.count(page)
            undelivered.difference_update(row.guid for row in page if row.succeeded)
            if not undelivered or too_old.are_enough:
                return
            if page:
                self._successes_since = max(row.delivered_at for row in page)
            yield

    def _may_be_due(self, rows: Iterable[Delivery]) -> bool:
        """Whether the attempts read so far make the event a candidate to redeliver."""
        attempts = _newest_first(rows)
        is_of_this_run = attempts[0].delivered_at <= self._window.now
        return (
            is_of_this_run
            and decide(attempts, self._window, self._policy) not in NOT_FAILED_VERDICTS
        )

    def _add(self, page: Page) -> None:
        for delivery in page:
            self._rows += 1
            self._add_row(delivery)

    def _add_row(self, delivery: Delivery) -> None:
        attempts = self._attempts.get(delivery.guid, [])
        if not attempts:
            is_before = delivery.delivered_at < self._window.since
            if is_before or (delivery.succeeded and not delivery.redelivery):
                return
            self._attempts[delivery.guid] = attempts
        elif any(attempt.id == delivery.id for attempt in attempts):
            return  # pages can repeat rows
        attempts.append(delivery)
        if any(attempt.succeeded or not attempt.redelivery for attempt in attempts):
            self._incomplete.discard(delivery.guid)
        elif attempts[0].delivered_at <= self._window.now and self._policy.events.matches(
            delivery.event, delivery.action
        ):
            self._incomplete.add(delivery.guid)


class _UnfilteredError(Exception):
    """The server ignores the filter: it listed a success as a failure."""


def _only_failures(pages: Iterable[Page]) -> Iterator[Page]:
    for page in pages:
        if any(delivery.status_code in SUCCESS_CODES for delivery in page):
            raise _UnfilteredError
        yield page


def _newest_first(attempts: Iterable[Delivery]) -> list[Delivery]:
    """Sort attempts, because the log may have rows in the wrong place."""
    return sorted(attempts, key=lambda row: (row.delivered_at, row.id), reverse=True)
