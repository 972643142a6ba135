"""What a run says of rows that it could not read, and so has skipped."""

from collections.abc import Iterator

from redeliver.core.scan import ScanResult
from redeliver.core.unreadable import UnreadableRow
from redeliver.reporting.format import count, them, utc
from redeliver.reporting.report import Report

MAX_NAMES = 5
"""How many rows of a webhook a warning names."""

REPORT_IT = "please report this as a bug in redeliver"


def warnings(report: Report) -> Iterator[str]:
    """Warn of skipped rows, once for each webhook."""
    for scan in report.scans:
        if scan.unreadable:
            yield f"{_skipped(scan)}. {_what_follows(report, scan)}. Also, {REPORT_IT}"


def unknown_formats(report: Report) -> Iterator[str]:
    """Say in which logs most rows could not be read."""
    for scan in report.scans:
        if scan.has_unknown_format:
            unreadable, total = len(scan.unreadable), len(scan.unreadable) + scan.in_window
            yield (
                f"{unreadable:,} of the {total:,} newest rows in the delivery log of "
                f"{scan.webhook.name} could not be read. No events are lost while GitHub's log has "
                f"them: use the newest version of redeliver. If that fails as well, {REPORT_IT}"
            )


def _skipped(scan: ScanResult) -> str:
    rows = scan.unreadable
    names = [_name(row) for row in rows[:MAX_NAMES]]
    if len(rows) > MAX_NAMES:
        names.append(f"and {len(rows) - MAX_NAMES:,} more")
    return (
        f"{count(len(rows), 'row')} of the delivery log of {scan.webhook.name} could not be read, "
        f"so this run skipped {them(len(rows))}: {', '.join(names)}"
    )


def _name(row: UnreadableRow) -> str:
    return f"{f'delivery {row.id}' if row.id else 'a row without an id'} ({row.problem})"


def _what_follows(report: Report, scan: ScanResult) -> str:
    rows = [row for row in scan.unreadable if not row.succeeded]
    if not rows:
        return f"GitHub lists {them(len(scan.unreadable))} as delivered"
    which = "this delivery" if len(rows) == 1 else "one of these deliveries"
    advice = f"If the webhook's page on GitHub shows that {which} failed, redeliver it there"
    if not report.store:
        return advice
    until = max(row.latest_by(report.window) for row in rows) + report.options.max_age
    before = "this row" if len(rows) == 1 else "these rows"
    return f"{advice}. The checkpoint stays before {before} until {utc(until)} at the latest"
