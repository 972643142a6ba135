"""Ask GitHub for failures from before the window of a run that has no checkpoint."""

from collections.abc import Iterable

from redeliver.console import Console
from redeliver.core.delivery import Delivery, StatusFilter
from redeliver.core.older_failures import older_failures
from redeliver.core.policy import RunOptions
from redeliver.core.scan import ScanResult
from redeliver.core.window import Window
from redeliver.engine.ports import Hook
from redeliver.errors import RedeliverError, UnavailableError
from redeliver.reporting import log_lines

MAX_PAGES = 10
"""How many pages of failures are read at most. The requests are better used to redeliver."""


def look_further_back(
    hooks: Iterable[Hook],
    scans: Iterable[ScanResult],
    window: Window,
    options: RunOptions,
    console: Console,
) -> tuple[Delivery, ...]:
    """Return the newest failure of each event that failed before the window, without a checkpoint.

    A replay does not look: its user has said which events are meant.

    If there is an error, the run continues, and the log says that the result is unknown. This is
    the last step of a run, because it must not use up the requests or the time for the others.
    """
    if options.is_replay or window.saved or window.since <= window.now - options.max_age:
        return ()
    found: list[Delivery] = []
    unknown: list[str] = []
    error: RedeliverError | None = None
    for hook, scan in zip(hooks, scans, strict=True):
        if not scan.error and not error:
            try:
                rows = _failures(hook, window)
            except RedeliverError as caught:
                error = caught  # another request would probably fail as well
            else:
                found += older_failures(rows, scan.seen, window, options)
                continue
        unknown.append(hook.webhook.name)
    if unknown:
        console.remark(log_lines.not_looked_further_back(unknown, error))
    return tuple(found)


def _failures(hook: Hook, window: Window) -> list[Delivery]:
    """Read GitHub's list of failures until a page has one from before the window."""
    rows: list[Delivery] = []
    for number, page in enumerate(hook.pages(StatusFilter.FAILURES), 1):
        rows += page.rows
        if any(row.delivered_at < window.since for row in page.rows):
            break
        if not page.is_last and any(row.succeeded for row in page.rows):
            raise UnavailableError("this GitHub cannot list failed deliveries only")
        if not page.is_last and number == MAX_PAGES:
            raise UnavailableError(f"the newest {len(rows):,} failed deliveries are all newer")
    return rows
