"""Read one webhook's log as far back as the decisions need, and collect the attempts.

A log is an iterable of pages of rows, newest first. No more pages are read than necessary.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from redeliver.core.decision import NOT_FAILED_VERDICTS, decide
from redeliver.core.delivery import SUCCESS_CODES, Delivery, Guid, StatusFilter, newest_first
from redeliver.core.health_counter import HealthCounter
from redeliver.core.pages import OldRows, Page
from redeliver.core.policy import Policy, ScanMode
from redeliver.core.unreadable import LONG_AGO, UnreadableRow
from redeliver.core.waiting import Receiver, waits_until
from redeliver.core.window import Window
from redeliver.errors import RedeliverError

DONE = object()


class LogReader:
    """Reads a log, and collects the attempts of each event that may need a decision.

    `log` returns the pages of rows that pass a filter, newest first. Memory grows with failures and
    redeliveries, not with deliveries.
    """

    def __init__(
        self,
        log: Callable[[StatusFilter], Iterable[Page]],
        window: Window,
        policy: Policy,
        mode: ScanMode,
    ) -> None:
        self.attempts: dict[Guid, list[Delivery]] = {}
        """By GUID, in the order of the log."""
        self.rows = 0
        """How many rows were read; a row that pages repeat counts each time."""
        self.failed_rows = 0
        """How many of these are failed deliveries."""
        self.unreadable = list[UnreadableRow]()
        """The rows that could not be read."""
        self.in_window = 0
        """How many of the rows that were read are from the window."""
        self.has_begun = False
        """Whether a page was read."""
        self.is_filtered = mode is ScanMode.FAILURES
        """Whether GitHub filters the rows; False if it turns out that it does not."""
        self.log_ended = False
        """Whether the last reading reached the end of the log, not only `give_up_after`."""
        self.successes_since: datetime | None = None
        """With a filter: since when all successes were read; None if none were."""
        self.stopped_early = False
        """Whether attempts are missing because all events that lack them wait in any case."""
        self.health = HealthCounter(window)
        self._receiver = Receiver()
        self._window = window
        self._policy = policy
        self._horizon = window.now - policy.give_up_after
        self._incomplete: set[Guid] = set()
        """Events that may be redelivered, and whose original was not read yet."""
        if policy.guids:
            self._pages = self._read_named(log(StatusFilter.ALL))
        elif self.is_filtered:
            self._pages = self._read_failures(log)
        else:
            self._pages = self._read(log(StatusFilter.ALL))

    def read_page(self) -> bool:
        """Read one more page, or raise; return False if no more are needed.

        With a filter, the first successes are read together with the last failures, because only
        both can be decided.
        """
        return next(self._pages, DONE) is not DONE

    # Reading. Each of these yields before each further page.

    def _read(self, pages: Iterable[Page]) -> Iterator[None]:
        """Read back to the start of the window.

        Read further only while the original of an event that may be redelivered is missing: an
        earlier success might be there.
        """
        self.log_ended = False
        first_unreadable = len(self.unreadable)
        before_window, before_horizon = OldRows(self._window.since), OldRows(self._horizon)
        for page in pages:
            self._bound(first_unreadable, page)
            self._add(page)
            before_window.count(page)
            before_horizon.count(page)
            if before_window.are_enough and (not self._incomplete or before_horizon.are_enough):
                return
            if before_window.are_enough and not self.is_filtered and self._all_wait():
                return
            if not page.is_last:
                yield
        self.log_ended = True

    def _read_named(self, pages: Iterable[Page]) -> Iterator[None]:
        """Read until a success or the original of each event in `guids` was found."""
        before_window = OldRows(self._window.since)
        for page in pages:
            self._add(page)
            before_window.count(page)
            is_found = self._policy.guids <= self.attempts.keys() and not self._incomplete
            if before_window.are_enough or is_found:
                return
            if not page.is_last:
                yield

    def _read_failures(self, log: Callable[[StatusFilter], Iterable[Page]]) -> Iterator[None]:
        """Read what GitHub's filter lists as failures, and as few other rows as are needed.

        The failures are read first, so an event that succeeds in between is among the successes.
        """
        failure = None
        try:
            yield from self._read(_only_failures(log(StatusFilter.FAILURES)))
        except _UnfilteredError:
            self.is_filtered = False
            yield from self._read(log(StatusFilter.ALL))
            return
        except RedeliverError as error:
            failure = error  # what was read can still be decided
        undelivered = {guid for guid, rows in self.attempts.items() if self._may_be_due(rows)}
        if undelivered:
            yield from self._read_successes(log(StatusFilter.SUCCESSES), undelivered)
        self.successes_since = datetime.min.replace(tzinfo=UTC)
        if failure:
            raise failure
        # An original can have the code 0, which neither filter lists.
        if self._incomplete and not self._all_wait():
            yield from self._read(log(StatusFilter.ALL))

    def _read_successes(self, pages: Iterable[Page], undelivered: set[Guid]) -> Iterator[None]:
        """Read back to the oldest attempt of the undelivered events."""
        back_to = min(self._horizon, self._window.since)
        if not self._incomplete:
            oldest = min(row.delivered_at for guid in undelivered for row in self.attempts[guid])
            back_to = max(oldest, back_to)
        too_old = OldRows(back_to)
        for page in pages:
            self._add(page)
            too_old.count(page)
            undelivered.difference_update(row.guid for row in page.rows if row.succeeded)
            if not undelivered or too_old.are_enough or all(map(self._waits, undelivered)):
                return
            if page.rows:
                self.successes_since = max(row.delivered_at for row in page.rows)
            if not page.is_last:
                yield

    def _may_be_due(self, rows: Iterable[Delivery]) -> bool:
        """Whether the attempts read so far make the event a candidate to redeliver."""
        attempts = newest_first(rows)
        return (
            self._window.is_of_this_run(attempts[0])
            and decide(attempts, self._window, self._policy) not in NOT_FAILED_VERDICTS
        )

    def waits_until(self, attempts: Sequence[Delivery]) -> datetime | None:
        """Return until when an event waits, None if it need not; `attempts` are newest first."""
        return None if self._policy.at_once else waits_until(attempts, self._receiver)

    def _all_wait(self) -> bool:
        """Whether all events wait whose original was not read yet, so that it does not matter."""
        self.stopped_early = all(map(self._waits, self._incomplete))
        return self.stopped_early

    def _waits(self, guid: Guid) -> bool:
        until = self.waits_until(newest_first(self.attempts[guid]))
        return until is not None and self._window.now < until

    def _bound(self, first: int, page: Page) -> None:
        """Let the next page tell how old the unreadable rows at the end of the last one can be."""
        if page.rows:
            earliest = page.rows[0].delivered_at
            for index, row in enumerate(self.unreadable[first:], first):
                if row.earliest == LONG_AGO:
                    self.unreadable[index] = replace(row, earliest=earliest)

    def _add(self, page: Page) -> None:
        self.has_begun = True
        self.health.add(page.rows)
        self.rows += len(page.rows)
        since, until = self._window.since, self._window.until
        for delivery in page.rows:
            self._receiver.add(delivery)
            self.failed_rows += not delivery.succeeded
            self.in_window += since <= delivery.delivered_at <= until
            self._add_row(delivery)
        if page.unreadable:
            known = set(self.unreadable)  # pages can repeat rows
            self.unreadable += [row for row in page.unreadable if row not in known]

    def _add_row(self, delivery: Delivery) -> None:
        attempts = self.attempts.get(delivery.guid, [])
        if not attempts:
            if not _may_matter(delivery, self._window, self._policy):
                return
            self.attempts[delivery.guid] = attempts
        elif any(attempt.id == delivery.id for attempt in attempts):
            return  # pages can repeat rows
        attempts.append(delivery)
        if any(attempt.succeeded or not attempt.redelivery for attempt in attempts):
            self._incomplete.discard(delivery.guid)
        elif (
            self._window.is_of_this_run(attempts[0])
            and self._window.contains(delivery)
            and (self._policy.guids or self._policy.wants(delivery))
        ):
            self._incomplete.add(delivery.guid)


def _may_matter(delivery: Delivery, window: Window, policy: Policy) -> bool:
    """Whether a row may be of an event that needs a decision, if none of its others were read.

    An original that succeeded is mostly the only row of its event.
    """
    if policy.guids and delivery.guid not in policy.guids:
        return False
    if delivery.succeeded and not delivery.redelivery and not policy.guids:
        return policy.includes_delivered(delivery) and window.contains(delivery)
    return delivery.delivered_at >= window.since


class _UnfilteredError(Exception):
    """The server ignores the filter: it listed a success as a failure."""


def _only_failures(pages: Iterable[Page]) -> Iterator[Page]:
    for page in pages:
        if any(delivery.status_code in SUCCESS_CODES for delivery in page.rows):
            raise _UnfilteredError
        yield page
