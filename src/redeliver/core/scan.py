"""Read a log as far back as the decisions need.

Pure: a log comes in as an iterable, newest first.
"""

from collections.abc import Callable, Iterable, Iterator

from redeliver.core.delivery import FAILURE_CODES, SUCCESS_CODES, Delivery, Guid, StatusFilter
from redeliver.core.plan import NO_FAILURE, Decision, Policy, ScanMode, ScanResult, Window, decide
from redeliver.core.webhook import Webhook
from redeliver.errors import RedeliverError

OLD_ROWS_AT_END = 20
"""How many rows in a row must be too old before the log counts as read.

That the log is newest first is only implied. A row or two in the wrong place, such as one that
was written late, must not hide what is behind it.
"""


def read(
    webhook: Webhook,
    log: Callable[[StatusFilter], Iterable[Delivery]],
    window: Window,
    policy: Policy,
    scan: ScanMode,
) -> ScanResult:
    """Read a log as far back as the decisions need, and decide.

    `log` gives the rows of a part of it, newest first; nothing is read but what is taken.

    A log that breaks off after its first row gives the decisions that need no more of it.
    """
    attempts = _Attempts(window, policy)
    broken_off = None
    try:
        if scan is ScanMode.FAILURES:
            attempts.find_failures(log)
        else:
            attempts.find(log(StatusFilter.ALL))
    except RedeliverError as error:
        broken_off = error
    decisions, unclassified = [], 0
    for found in attempts.found.values():
        tried = _newest_first(found)
        if tried[0].delivered_at > window.now or all(each.succeeded for each in tried):
            continue
        # Of a log that is read newest first, no attempt after the original is missing.
        is_whole = scan is ScanMode.FULL and any(not each.redelivery for each in tried)
        decision = Decision(
            webhook=webhook,
            delivery=tried[0],
            attempts=len(tried),
            failing_since=tried[-1].delivered_at,
            verdict=decide(tried, window, policy, is_read=is_whole or not broken_off),
        )
        decisions.append(decision)
        unclassified += decision.verdict not in NO_FAILURE and not any(
            each.status_code in FAILURE_CODES and each.delivered_at >= window.since
            for each in tried
        )
    return ScanResult(
        webhook=webhook,
        scanned=attempts.scanned,
        decisions=tuple(decisions),
        unclassified=unclassified,
        error=broken_off,
    )


class _UnfilteredError(Exception):
    """A server that does not know the filter has listed a success."""


def _failures_alone(log: Iterable[Delivery]) -> Iterator[Delivery]:
    for delivery in log:
        if delivery.status_code in SUCCESS_CODES:
            raise _UnfilteredError
        yield delivery


def _newest_first(tried: Iterable[Delivery]) -> list[Delivery]:
    """Sort attempts, for rows need not come in their order."""
    return sorted(tried, key=lambda each: (each.delivered_at, each.id), reverse=True)


class _Attempts:
    """The attempts found so far at each GUID that matters.

    What is kept grows with failures and redeliveries, not with deliveries.
    """

    def __init__(self, window: Window, policy: Policy) -> None:
        self.found: dict[Guid, list[Delivery]] = {}
        self.scanned = 0
        self._window = window
        self._policy = policy
        self._horizon = window.now - policy.give_up_after
        self._incomplete: set[Guid] = set()
        """GUIDs that may have to be redelivered, and whose original is still to come."""

    def find(self, log: Iterable[Delivery]) -> None:
        """Read back to the start of the window.

        And on from there only while some GUID that may be redelivered has not shown its original:
        an earlier success might hide there.
        """
        older = too_old = 0
        for delivery in log:
            self._take(delivery)
            older = older + 1 if delivery.delivered_at < self._window.since else 0
            too_old = too_old + 1 if delivery.delivered_at < self._horizon else 0
            if older >= OLD_ROWS_AT_END and (not self._incomplete or too_old >= OLD_ROWS_AT_END):
                return

    def find_failures(self, log: Callable[[StatusFilter], Iterable[Delivery]]) -> None:
        """Read what the server takes for failures, and so much more as it takes to be sure.

        The failures come first, so that what succeeds meanwhile is among the successes.
        """
        try:
            self.find(_failures_alone(log(StatusFilter.FAILURES)))
        except _UnfilteredError:
            self.find(log(StatusFilter.ALL))
            return
        undelivered = {guid for guid, tried in self.found.items() if self._is_open(tried)}
        if undelivered:
            self._find_successes(log(StatusFilter.SUCCESSES), undelivered)
        # An original may have a code of 0, which is in neither part.
        if self._incomplete:
            self.find(log(StatusFilter.ALL))

    def _find_successes(self, log: Iterable[Delivery], undelivered: set[Guid]) -> None:
        """Read back to the oldest attempt at what was not delivered yet, and no further."""
        back_to = min(self._horizon, self._window.since)
        if not self._incomplete:
            oldest = min(each.delivered_at for guid in undelivered for each in self.found[guid])
            back_to = max(oldest, back_to)
        older = 0
        for delivery in log:
            self._take(delivery)
            if delivery.succeeded:
                undelivered.discard(delivery.guid)
            older = older + 1 if delivery.delivered_at < back_to else 0
            if not undelivered or older >= OLD_ROWS_AT_END:
                return

    def _is_open(self, tried: Iterable[Delivery]) -> bool:
        """Whether it may have to be redelivered unless some attempt succeeded."""
        attempts = _newest_first(tried)
        is_of_this_run = attempts[0].delivered_at <= self._window.now
        return is_of_this_run and decide(attempts, self._window, self._policy) not in NO_FAILURE

    def _take(self, delivery: Delivery) -> None:
        self.scanned += 1
        tried = self.found.get(delivery.guid, [])
        if not tried:
            is_before = delivery.delivered_at < self._window.since
            if is_before or (delivery.succeeded and not delivery.redelivery):
                return
            self.found[delivery.guid] = tried
        elif any(attempt.id == delivery.id for attempt in tried):
            return  # pages can repeat rows
        tried.append(delivery)
        if any(attempt.succeeded or not attempt.redelivery for attempt in tried):
            self._incomplete.discard(delivery.guid)
        elif tried[0].delivered_at <= self._window.now and self._policy.events.wants(
            delivery.event, delivery.action
        ):
            self._incomplete.add(delivery.guid)
