"""Decide about the events in the log of one webhook, while it is read page by page."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from redeliver.core.checkpoint import MINUTE
from redeliver.core.decision import NOT_FAILED_VERDICTS, Decision, Verdict, decide
from redeliver.core.delivery import (
    FAILURE_CODES,
    Delivery,
    Guid,
    StatusFilter,
    Webhook,
    newest_first,
)
from redeliver.core.health import Health
from redeliver.core.log_reader import LogReader
from redeliver.core.pages import Page
from redeliver.core.policy import RECEIVER_TIMEOUT, Policy, ScanMode
from redeliver.core.unreadable import UnreadableRow
from redeliver.core.window import Window
from redeliver.errors import RedeliverError

MIN_ROWS = 10
"""Fewer rows may be unreadable by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanResult:
    """The decisions about the events in the log of one webhook."""

    webhook: Webhook
    scanned: int
    """How many deliveries were read."""
    failed_deliveries: int
    """How many of these failed."""
    decisions: tuple[Decision, ...]
    unclassified: int
    """How many failed events GitHub's filter does not list as failures."""
    seen: frozenset[Guid] = frozenset()
    """The events that had an attempt in the window, except those that succeeded at once."""
    in_window: int
    """How many of the deliveries that were read are from the window."""
    unreadable: tuple[UnreadableRow, ...] = ()
    """The rows that could not be read and can be from the window."""
    health: Health | None = None
    """How well the receiver works; None if that is not known."""
    error: RedeliverError | None = None
    """Why the log was not read as far back as it should have been."""

    @property
    def has_unknown_format(self) -> bool:
        """Whether most rows of the window could not be read: the log has another format."""
        return len(self.unreadable) >= MIN_ROWS and len(self.unreadable) > self.in_window

    @property
    def is_unread(self) -> bool:
        """Whether an error kept all rows from being read."""
        return self.error is not None and not self.scanned and not self.unreadable


class Scan:
    """Reads a log, a page at a time, and decides about its events."""

    def __init__(
        self,
        webhook: Webhook,
        log: Callable[[StatusFilter], Iterable[Page]],
        window: Window,
        policy: Policy,
        mode: ScanMode,
        *,
        receiver_timeout: timedelta = RECEIVER_TIMEOUT,
    ) -> None:
        """Read `log`, which returns the pages of rows that pass a filter, newest first."""
        self.webhook = webhook
        self.error: RedeliverError | None = None
        """Why reading stopped early; None if it did not."""
        self._window = window
        self._policy = policy
        self._mode = mode
        self._receiver_timeout = receiver_timeout
        self._reader = LogReader(log, window, policy, mode)

    @property
    def has_begun(self) -> bool:
        """Whether a page was read."""
        return self._reader.has_begun

    def read_page(self) -> bool:
        """Read one more page; return False if no more are needed, or reading failed."""
        try:
            return self._reader.read_page()
        except RedeliverError as error:
            self.error = error
            return False

    def stop(self, error: RedeliverError) -> None:
        """Stop, because reading another log failed with `error`, and this one would fail too."""
        self.error = error

    def result(self) -> ScanResult:
        """Return the decisions that follow from the pages that were read."""
        decisions, unclassified = [], 0
        delivered = set[Guid]()
        unreadable = defaultdict[Guid | None, list[UnreadableRow]](list)
        for row in self._reader.unreadable:
            unreadable[row.guid].append(row)
        for rows in self._reader.attempts.values():
            attempts = newest_first(rows)
            if any(attempt.succeeded for attempt in attempts):
                delivered.add(attempts[0].guid)
            if not self._needs_decision(attempts):
                continue
            own = unreadable.get(attempts[0].guid, [])
            decision = self._decide(attempts, [*own, *unreadable.get(None, [])])
            never_failed = all(attempt.succeeded for attempt in attempts)
            if decision.verdict is Verdict.DELIVERED and never_failed:
                continue  # it was delivered after the range of a replay, too
            decisions.append(decision)
            is_failed = decision.verdict not in NOT_FAILED_VERDICTS and not decision.was_delivered
            unclassified += is_failed and not any(
                attempt.status_code in FAILURE_CODES and attempt.delivered_at >= self._window.since
                for attempt in attempts
            )
        return ScanResult(
            webhook=self.webhook,
            scanned=self._reader.rows,
            failed_deliveries=self._reader.failed_rows,
            decisions=tuple(decisions),
            unclassified=unclassified,
            seen=frozenset(self._reader.attempts),
            in_window=self._reader.in_window,
            unreadable=tuple(
                replace(row, succeeded=row.succeeded or row.guid in delivered)
                for row in self._reader.unreadable
                if row.matters(self._window)
            ),
            health=self._health(),
            error=self.error,
        )

    def _needs_decision(self, attempts: Sequence[Delivery]) -> bool:
        """Whether an event failed in the window, or a replay may redeliver it all the same."""
        if self._policy.guids:
            return True
        if not self._window.is_of_this_run(attempts[0]):
            return False
        has_failed = not all(attempt.succeeded for attempt in attempts)
        is_in_window = any(map(self._window.contains, attempts))
        return is_in_window and (has_failed or self._policy.includes_delivered(attempts[0]))

    def _health(self) -> Health | None:
        """Return the health of the receiver now; None if this run does not read what tells it."""
        is_of_the_past = self._window.until < self._window.now - MINUTE
        if self._mode is ScanMode.FAILURES or self._policy.guids or is_of_the_past:
            return None
        is_complete = self.error is None and not self._reader.unreadable
        return self._reader.health.result(self._receiver_timeout, is_complete=is_complete)

    def _decide(
        self, attempts: Sequence[Delivery], unreadable: Sequence[UnreadableRow]
    ) -> Decision:
        """Decide about one event from its attempts, newest first.

        `unreadable` are rows that are or may be attempts as well.
        """
        originals = [attempt for attempt in attempts if not attempt.redelivery]
        is_read = not self.error and not self._reader.stopped_early
        is_complete = is_read or any(map(self._is_followed, originals))
        waits_until = self._reader.waits_until(attempts)
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
                log_ended=self._reader.log_ended,
                is_active=self.webhook.is_active,
                waits_until=waits_until,
                unreadable=unreadable,
            ),
            was_delivered=any(attempt.succeeded for attempt in attempts),
            was_seen=self._window.was_seen(attempts[0]),
            may_have_been_requested=self._window.may_have_been_requested(attempts[0]),
            waits_until=waits_until,
        )

    def _is_followed(self, original: Delivery) -> bool:
        """Whether all later attempts were read, although an error ended the reading."""
        if not self._reader.is_filtered:
            return True  # the log is read newest first
        since = self._reader.successes_since
        return since is not None and original.delivered_at >= since
