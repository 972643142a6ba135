"""Read one webhook's log as far back as the decisions need, and decide about its events.

A log is an iterable of rows, newest first. No more rows are read than necessary.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

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
from redeliver.core.policy import Policy, ScanMode
from redeliver.errors import RedeliverError

OLD_ROWS_AT_END = 20
"""How many consecutive rows must be too old before the log counts as read.

GitHub does not promise that a log is sorted. A few rows in the wrong place, such as rows that were
written late, must not hide the rows behind them.
"""


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


def scan_log(
    webhook: Webhook,
    log: Callable[[StatusFilter], Iterable[Delivery]],
    window: Window,
    policy: Policy,
    mode: ScanMode,
) -> ScanResult:
    """Read a log as far back as the decisions need, and decide about its events.

    `log` returns the rows that pass a filter, newest first. When reading fails, the result has the
    error, and the decisions that need no more rows.
    """
    scan = _Scan(window, policy)
    failure = None
    try:
        if mode is ScanMode.FAILURES:
            scan.read_failures(log)
        else:
            scan.read(log(StatusFilter.ALL))
    except RedeliverError as error:
        failure = error
    decisions, unclassified = [], 0
    for rows in scan.attempts.values():
        attempts = _newest_first(rows)
        if attempts[0].delivered_at > window.now or all(attempt.succeeded for attempt in attempts):
            continue
        has_original = any(not attempt.redelivery for attempt in attempts)
        # In a log that is read newest first, no attempt after the original is missing.
        is_complete = not failure or (mode is ScanMode.FULL and has_original)
        verdict = decide(
            attempts, window, policy, is_complete=is_complete, log_ended=scan.log_ended
        )
        decision = Decision(
            webhook=webhook,
            delivery=attempts[0],
            attempts=len(attempts),
            has_all_attempts=is_complete and has_original,
            failing_since=attempts[-1].delivered_at,
            verdict=verdict,
        )
        decisions.append(decision)
        unclassified += decision.verdict not in NOT_FAILED_VERDICTS and not any(
            attempt.status_code in FAILURE_CODES and attempt.delivered_at >= window.since
            for attempt in attempts
        )
    return ScanResult(
        webhook=webhook,
        scanned=scan.scanned,
        decisions=tuple(decisions),
        unclassified=unclassified,
        error=failure,
    )


class _UnfilteredError(Exception):
    """The server ignores the filter: it listed a success as a failure."""


def _only_failures(log: Iterable[Delivery]) -> Iterator[Delivery]:
    for delivery in log:
        if delivery.status_code in SUCCESS_CODES:
            raise _UnfilteredError
        yield delivery


def _newest_first(attempts: Iterable[Delivery]) -> list[Delivery]:
    """Sort attempts, because the log may have rows in the wrong place."""
    return sorted(attempts, key=lambda row: (row.delivered_at, row.id), reverse=True)


class _Scan:
    """Reads a log and collects the attempts of each event that may need a decision.

    Memory grows with failures and redeliveries, not with deliveries.
    """

    def __init__(self, window: Window, policy: Policy) -> None:
        self.attempts: dict[Guid, list[Delivery]] = {}
        self.scanned = 0
        self._window = window
        self._policy = policy
        self._horizon = window.now - policy.give_up_after
        self.log_ended = False
        """Whether the last reading reached the end of the log, not only the horizon."""
        self._incomplete: set[Guid] = set()
        """Events that may be redelivered, and whose original was not read yet."""

    def read(self, log: Iterable[Delivery]) -> None:
        """Read back to the start of the window.

        Read further only while the original of an event that may be redelivered is missing: an
        earlier success might be there.
        """
        self.log_ended = False
        before_window = before_horizon = 0
        for delivery in log:
            self._add(delivery)
            before_window = before_window + 1 if delivery.delivered_at < self._window.since else 0
            before_horizon = before_horizon + 1 if delivery.delivered_at < self._horizon else 0
            if before_window >= OLD_ROWS_AT_END and (
                not self._incomplete or before_horizon >= OLD_ROWS_AT_END
            ):
                return
        self.log_ended = True

    def read_failures(self, log: Callable[[StatusFilter], Iterable[Delivery]]) -> None:
        """Read what GitHub's filter lists as failures, and as few other rows as are needed.

        The failures are read first, so an event that succeeds in between is among the successes.
        """
        try:
            self.read(_only_failures(log(StatusFilter.FAILURES)))
        except _UnfilteredError:
            self.read(log(StatusFilter.ALL))
            return
        undelivered = {guid for guid, rows in self.attempts.items() if self._may_be_due(rows)}
        if undelivered:
            self._read_successes(log(StatusFilter.SUCCESSES), undelivered)
        # An original can have the code 0, which neither filter lists.
        if self._incomplete:
            self.read(log(StatusFilter.ALL))

    def _read_successes(self, log: Iterable[Delivery], undelivered: set[Guid]) -> None:
        """Read back to the oldest attempt of the undelivered events."""
        back_to = min(self._horizon, self._window.since)
        if not self._incomplete:
            oldest = min(row.delivered_at for guid in undelivered for row in self.attempts[guid])
            back_to = max(oldest, back_to)
        too_old = 0
        for delivery in log:
            self._add(delivery)
            if delivery.succeeded:
                undelivered.discard(delivery.guid)
            too_old = too_old + 1 if delivery.delivered_at < back_to else 0
            if not undelivered or too_old >= OLD_ROWS_AT_END:
                return

    def _may_be_due(self, rows: Iterable[Delivery]) -> bool:
        """Whether the attempts read so far make the event a candidate to redeliver."""
        attempts = _newest_first(rows)
        is_of_this_run = attempts[0].delivered_at <= self._window.now
        return (
            is_of_this_run
            and decide(attempts, self._window, self._policy) not in NOT_FAILED_VERDICTS
        )

    def _add(self, delivery: Delivery) -> None:
        self.scanned += 1
        attempts = self.attempts.get(delivery.guid, [])
        if not attempts:
            is_before = delivery.delivered_at < self._window.since
            if is_before or (delivery.succeeded and not delivery.redelivery):
                return
            self.attempts[delivery.guid] = attempts
        elif any(attempt.id == delivery.id for attempt in attempts):
            return  # pages can repeat rows
        attempts.append(delivery)
        if any(attempt.succeeded or not attempt.redelivery for attempt in attempts):
            self._incomplete.discard(delivery.guid)
        elif attempts[0].delivered_at <= self._window.now and self._policy.events.matches(
            delivery.event, delivery.action
        ):
            self._incomplete.add(delivery.guid)
