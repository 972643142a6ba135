"""What a replay says: a run for a time range or for named events, which uses no checkpoint."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from redeliver.core.delivery import Guid
from redeliver.core.policy import RunOptions, ScanMode, format_duration
from redeliver.core.window import SETTLED, Window
from redeliver.reporting.format import count, utc
from redeliver.reporting.report import Report, is_too_old, left_by_replay, not_found

MAX_NAMES = 10
"""How many events an error names; the JSON report has all of them."""


def opening(window: Window, options: RunOptions) -> str:
    """Say what a replay is going to read, and that it uses no checkpoint."""
    guids, since = options.policy.guids, utc(window.since)
    if guids and options.since is None:
        reading = f"Looking for {count(len(guids), 'event')} in all of GitHub's log"
    elif guids:
        reading = f"Looking for {count(len(guids), 'event')} in GitHub's log since {since}"
    else:
        listed = "failed" if options.scan is ScanMode.FAILURES else "all"
        kind = "events" if options.policy.include_delivered else "failures"
        until = utc(window.until)
        reading = f"Reading {listed} deliveries since {since}, to find the {kind} until {until}"
    return f"{reading}. {_no_checkpoint(options)}"


def closing(report: Report) -> str:
    """Say at the end that no checkpoint was used."""
    done = "Dry run: nothing was redelivered. " if report.options.dry_run else ""
    return f"{done}{_no_checkpoint(report.options)}"


def scope(report: Report) -> str:
    """Say what a replay looked for, as the end of "Read 30 deliveries …"."""
    guids, window = report.options.policy.guids, report.window
    if guids:
        return f"to find {count(len(guids), 'event')} by GUID"
    kind = "events" if report.options.policy.include_delivered else "failures"
    return f"to find the {kind} from {utc(window.since)} to {utc(window.until)}"


def warnings(report: Report) -> Iterator[str]:
    """Warn if the log lacks a part of the range, or if events were not redelivered."""
    if report.options.is_replay and not report.options.policy.guids:
        yield from _range(report)
        if left := left_by_replay(report):
            number = len(left)
            window = report.window
            yield (
                f"{count(number, 'event')} {'was' if number == 1 else 'were'} not redelivered, and "
                "scheduled runs may not look at this time range. Run again with 'since' set to "
                f"{_rfc3339(window.since)}, 'until' set to {_rfc3339(window.until)}, and the "
                f"other inputs as they are. Start that run {SETTLED}. It leaves out what this one "
                "delivered"
            )


def _range(report: Report) -> Iterator[str]:
    """Warn of a range that GitHub's log has only a part of, or nothing."""
    window, until = report.window, report.options.until
    if isinstance(until, datetime) and until > window.now:
        yield (
            f"'until' ({utc(until)}) is in the future, so the range ends with the start of this "
            "run. Check its time zone"
        )
    is_read = bool(report.scans) and not report.is_incomplete
    is_read = is_read and report.options.scan is ScanMode.FULL
    is_empty = is_read and not any(scan.in_window or scan.unreadable for scan in report.scans)
    if window.since < report.kept_from < window.until:
        yield (
            f"{_kept(report)}. Failures from {utc(window.since)} to then can no longer be "
            "redelivered"
        )
    elif window.since >= report.kept_from and is_empty:
        yield (
            f"GitHub's log has no deliveries from {utc(window.since)} to {utc(window.until)}. "
            "Check the times and time zones in 'since' and 'until'"
        )


def problems(report: Report) -> Iterator[str]:
    """Say which events a replay did not find, or that its whole range is too old."""
    if missing := not_found(report):
        where = ""
        if report.options.since is not None:
            where = f" since {utc(report.window.since)} ('since')"
        if report.is_incomplete:
            where += ", as far as it could be read"
        yield (
            f"no delivery of {count(len(missing), 'event')} was found in GitHub's log{where}: "
            f"{_listed(missing)}. {_kept(report)}. Check the GUIDs (the header "
            "X-GitHub-Delivery), and that this run's webhook is the one that sent these events"
        )
    left = left_by_replay(report) if report.options.policy.guids else []
    if left:
        yield (
            f"{count(len(left), 'event')} in 'guids' {'was' if len(left) == 1 else 'were'} not "
            f"redelivered: {_listed([result.key.guid for result in left])}. Run again with only "
            f"these, {SETTLED}"
        )
    if is_too_old(report):
        yield (
            f"{_kept(report)}, and the range ended earlier, at {utc(report.window.until)}. GitHub "
            "can no longer redeliver its events: compare what GitHub has (issues, pull requests "
            "and so on) with what your receiver has"
        )


def _listed(guids: Sequence[Guid]) -> str:
    more = len(guids) - MAX_NAMES
    return ", ".join([*guids[:MAX_NAMES], *([f"and {more:,} more"] if more > 0 else [])])


def _no_checkpoint(options: RunOptions) -> str:
    why = "since" if options.since is not None else "guids"
    return f"This run uses no checkpoint, because '{why}' is set"


def _rfc3339(instant: datetime) -> str:
    """Write an instant as the input 'since' takes it."""
    return instant.isoformat().replace("+00:00", "Z")


def _kept(report: Report) -> str:
    return (
        f"GitHub keeps its log for {format_duration(report.options.retention)}, so it goes back to "
        f"{utc(report.kept_from)}"
    )
