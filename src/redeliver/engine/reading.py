"""Read the logs of all webhooks, several at the same time, and decide about their events."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

from redeliver.console import Console
from redeliver.core.delivery import Delivery, StatusFilter, Webhook
from redeliver.core.pages import Page
from redeliver.core.plan import rotated
from redeliver.core.policy import RunOptions
from redeliver.core.scan import Scan, ScanResult
from redeliver.core.window import Window
from redeliver.engine.checkpoint_reader import CheckpointReader
from redeliver.engine.ports import Hook
from redeliver.engine.workers import WorkerPool
from redeliver.errors import RateLimitError, RedeliverError, TooLongError, UnreachableError
from redeliver.reporting import log_lines

MAX_UNREACHABLE = 2
"""After this many webhooks without any response, those that were not tried yet are not read."""


class Log:
    """A webhook's log, which shows on the console how much of it was read."""

    def __init__(self, hook: Hook, console: Console) -> None:
        self.webhook = hook.webhook
        self._hook = hook
        self._console = console
        self._read = 0
        self.last_row: Delivery | None = None
        """The last row that was read."""
        self._ahead: tuple[StatusFilter, Iterator[Page]] | None = None
        """The log with a filter, if its first page was requested before a scan asked for it."""

    def read_ahead(self, status: StatusFilter) -> None:
        """Request the first page now, for the next call of `pages` if that has the same filter."""
        pages = self._hook.pages(status, planning=True)
        try:
            first = next(pages)  # an empty log has an empty page
        except RedeliverError as error:
            self._ahead = status, _raising(error)
        else:
            self._ahead = status, chain([first], pages)

    def forget(self) -> None:
        """Do not use what was read ahead."""
        self._ahead = None

    def pages(self, status: StatusFilter) -> Iterator[Page]:
        """Yield the pages of rows that pass a filter, newest first."""
        known, pages = self._ahead or (None, iter(()))
        self._ahead = None
        if known is not status:
            pages = self._hook.pages(status, planning=True)
        for page in pages:
            self._read += len(page.rows)
            if page.rows:
                self.last_row = page.rows[-1]
            self._console.progress(f"Deliveries read of {self.webhook.name}:", self._read, None)
            yield page


def _raising(error: RedeliverError) -> Iterator[Page]:
    yield from ()
    raise error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stop:
    """Why the logs of other webhooks are not read further: reading the one of `webhook` failed."""

    webhook: Webhook
    error: RedeliverError
    concerns_all: bool
    """Whether this also concerns logs that have been read in part."""

    def concerns(self, other: Scan) -> bool:
        """Whether another log is not read further."""
        return self.concerns_all or not other.has_begun


class Reading:
    """Reads logs in parallel, and stops when errors show that further requests would fail.

    The first pages of all logs are requested before the second page of any, so that one long log
    cannot use up the rate limit before the others were read.

    The checkpoint is read again while what is probably the last page is read, because it has to be
    known when this run writes it. That happens once for each log at most: decisions can need many
    pages from before the window.
    """

    def __init__(
        self,
        logs: Sequence[Log],
        scans: Sequence[Scan],
        window: Window,
        console: Console,
        *,
        note_on_filtered: str,
        checkpoint: CheckpointReader | None,
    ) -> None:
        """Read `logs` with `scans`, which are in the same order.

        `checkpoint` is None if this run does not write a checkpoint that others can write, too.
        """
        in_order = sorted(scans, key=lambda scan: scan.webhook.page)
        self._logs = {log.webhook: log for log in logs}
        self._scans = {scan.webhook: scan for scan in scans}
        self._waiting = deque(rotated(in_order, window.phase))
        self._needs_more: dict[Webhook, bool] = {}
        self._unreachable = 0
        self._stop: _Stop | None = None
        self._window = window
        self._console = console
        self._note_on_filtered = note_on_filtered
        self._checkpoint = checkpoint
        self._is_refreshing = False
        self._refreshed = set[Webhook]()
        """The webhooks with whose last page the checkpoint was read again."""

    def read(self, pool: WorkerPool[Webhook | None]) -> None:
        """Read every log as far back as its decisions need; the scans keep the errors."""
        self._submit(pool)
        while finished := pool.next_result():
            webhook, error = finished
            if error:
                raise error
            if webhook is None:
                self._is_refreshing = False
            else:
                self._consider(self._scans[webhook])
            self._submit(pool)

    def _submit(self, pool: WorkerPool[Webhook | None]) -> None:
        scan = None
        while self._waiting and not pool.is_full:
            scan = self._waiting.popleft()
            pool.submit(scan.webhook, partial(self._read_page, scan))
        if scan and not pool.is_full and self._is_last_page(scan):
            self._refresh(scan.webhook, pool)

    def _is_last_page(self, scan: Scan) -> bool:
        """Whether the page that is being read is probably the last one of its log."""
        last = self._logs[scan.webhook].last_row
        return last is not None and last.delivered_at < self._window.since

    def _refresh(self, webhook: Webhook, pool: WorkerPool[Webhook | None]) -> None:
        """Read the checkpoint again if this run needs it and it may soon be too old."""
        if self._is_refreshing or webhook in self._refreshed:
            return
        if self._checkpoint and self._checkpoint.is_aging:
            self._is_refreshing = True
            self._refreshed.add(webhook)
            pool.submit(None, self._checkpoint.refresh)

    def _read_page(self, scan: Scan) -> None:
        self._needs_more[scan.webhook] = scan.read_page()

    def _consider(self, scan: Scan) -> None:
        """Decide what happens to a log after a page of it was read, or could not be read."""
        if self._stop and self._stop.concerns(scan) and self._would_fail(scan):
            self._leave(scan, self._stop)
        elif self._needs_more[scan.webhook]:
            self._waiting.append(scan)
        else:
            note = self._note_on_filtered
            self._console.detail(log_lines.scanned(scan.result(), note_on_filtered=note))
            if scan.error:
                self._learn_from(scan.webhook, scan.error)

    def _would_fail(self, scan: Scan) -> bool:
        """Whether more requests for this log would fail as those for another log did.

        A request that was under way meanwhile can have brought all that is needed, or can have
        failed for a reason of its own.
        """
        if scan.error:
            return isinstance(scan.error, RateLimitError | UnreachableError)
        return self._needs_more[scan.webhook]

    def _learn_from(self, webhook: Webhook, error: RedeliverError) -> None:
        """Stop reading other logs if that would fail as well."""
        concerns_all = isinstance(error, RateLimitError | TooLongError)
        if not concerns_all:
            self._unreachable += isinstance(error, UnreachableError)
            if not isinstance(error, UnreachableError) or self._unreachable != MAX_UNREACHABLE:
                return
        self._stop = _Stop(webhook=webhook, error=error, concerns_all=concerns_all)
        for other in [scan for scan in self._waiting if self._stop.concerns(scan)]:
            self._waiting.remove(other)
            self._leave(other, self._stop)

    def _leave(self, scan: Scan, stop: _Stop) -> None:
        scan.stop(stop.error)
        self._console.detail(log_lines.not_read_further(scan.webhook, stop.webhook))


def read_all(
    logs: Sequence[Log],
    pool: WorkerPool[Webhook | None],
    window: Window,
    options: RunOptions,
    console: Console,
    *,
    note_on_filtered: str,
    checkpoint: CheckpointReader,
) -> list[ScanResult]:
    """Read every log, or raise if none of them can be read."""
    scans = [
        Scan(
            log.webhook,
            log.pages,
            window,
            options.policy,
            options.scan,
            receiver_timeout=options.receiver_timeout,
        )
        for log in logs
    ]
    is_written = checkpoint.is_shared and not options.dry_run
    Reading(
        logs,
        scans,
        window,
        console,
        note_on_filtered=note_on_filtered,
        checkpoint=checkpoint if is_written else None,
    ).read(pool)
    results = [scan.result() for scan in scans]
    errors = [result.error for result in results if result.is_unread]
    if errors and errors[0] and len(errors) == len(results):
        raise errors[0]
    return results
