"""The report as a step summary, in GitHub's Markdown.

GitHub drops a summary over 1 MiB, so the number of rows is limited:
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits
"""

from collections.abc import Iterator, Sequence

from redeliver.core.outcome import DEFERRED_KINDS, Outcome
from redeliver.reporting import health, log_lines, messages, passed, replay
from redeliver.reporting.chart import chart
from redeliver.reporting.event_row import EventRow
from redeliver.reporting.format import count, utc
from redeliver.reporting.limits import MAX_LINES, MAX_REASON, MAX_TEXT
from redeliver.reporting.report import NEEDS_ATTENTION, UNRECOVERED, Report
from redeliver.sanitize import escape_markdown, truncate

COUNTS = (
    "failed",
    "requested",
    "recovered",
    "still-failing",
    "pending",
    "given-up",
    "refused",
    "deferred",
)
"""The counts in the table; a dry run has others."""

MAX_ATTENTION_ROWS = 100
"""For events that need attention. A row takes up to 4 KB if its texts are hostile."""

MAX_OTHER_ROWS = 30
"""For other events."""

RIGHT_ALIGNED = {"Failing for", "Attempts", "Webhook"}
"""The columns of numbers and time spans."""

LEAVING = "May leave GitHub's log before the next run"


def summary(report: Report) -> str:
    """Return the step summary of a run."""
    return "\n".join([*_summary(report), ""])


def failure(problem: str) -> str:
    """Return the step summary of a run that has no report, because an error ended it."""
    return f"### redeliver: failed\n\n{escape_markdown(problem)}\n"


def _summary(report: Report) -> Iterator[str]:
    yield f"### redeliver: {messages.headline(report)}"
    yield ""
    problem = messages.problem(report)
    problems = [problem] if problem else []
    for label, texts in (("Error", problems), ("Warning", messages.warnings(report)[:MAX_LINES])):
        for text in texts:
            yield f"> **{label}:** {escape_markdown(truncate(text, MAX_TEXT))}"
            yield ""
    if report.failed:
        yield from _counts(report)
    yield from _health(report)
    yield from chart(report)
    yield from _attention(report)
    deferred = "Not redelivered" if report.options.is_replay else "Deferred to a later run"
    yield from _reasons(deferred, report, *DEFERRED_KINDS)
    yield from _reasons("Filtered out", report, Outcome.FILTERED)
    if consequence := passed.filtered(report):
        yield f"{escape_markdown(consequence)}."
        yield ""
    yield from _recovered(report)
    yield from _scans(report)
    if report.options.policy.repositories.is_set:
        yield f"{escape_markdown(log_lines.repositories(report.options.policy.repositories))}."
        yield ""
    yield f"{messages.closing(report)}."


def _counts(report: Report) -> Iterator[str]:
    if report.options.dry_run:
        numbers = {
            "failed": report.failed,
            "would be redelivered": report.count(Outcome.DUE),
            "given-up": report.count(Outcome.GIVEN_UP),
            "deferred": report.count(*DEFERRED_KINDS),
        }
    else:
        counts = report.counts
        numbers = {name: counts[name] for name in COUNTS}
    labels = [name.replace("-", " ").capitalize() for name in numbers]
    yield f"| {' | '.join(labels)} |"
    yield f"|{' ---: |' * len(numbers)}"
    yield f"| {' | '.join(f'{number:,}' for number in numbers.values())} |"
    yield ""


def _health(report: Report) -> Iterator[str]:
    """Say how well each receiver works, the worst first."""
    known = health.by_severity(report)
    for scan, found in known[:MAX_LINES]:
        details = escape_markdown(health.details(found, report.options.receiver_timeout))
        name = f"[{escape_markdown(scan.webhook.name)}]({scan.webhook.page})"
        yield f"Health of {name}: **{found.verdict.value}**. {details}."
        yield ""
    if len(known) > MAX_LINES:
        yield f"And {len(known) - MAX_LINES:,} more webhooks, whose health is the same or better."
        yield ""


def _attention(report: Report) -> Iterator[str]:
    yield from _table(
        report, (*NEEDS_ATTENTION, *UNRECOVERED), "Needs attention", MAX_ATTENTION_ROWS
    )
    yield from _table(report, (Outcome.PENDING,), "Pending", MAX_OTHER_ROWS)
    yield from _rows(report, list(map(report.row, report.leaving)), LEAVING, MAX_OTHER_ROWS)
    due = "Would be redelivered, in this order"
    yield from _table(report, (Outcome.DUE,), due, MAX_OTHER_ROWS)


def _recovered(report: Report) -> Iterator[str]:
    number = report.count(Outcome.RECOVERED)
    if number:
        yield f"<details><summary>{count(number, 'event')} recovered</summary>"
        yield ""
        yield from _table(report, (Outcome.RECOVERED,), "", MAX_OTHER_ROWS)
        yield "</details>"
        yield ""


def _table(report: Report, outcomes: Sequence[Outcome], title: str, max_rows: int) -> Iterator[str]:
    yield from _rows(report, list(report.rows(*outcomes)), title, max_rows)


def _rows(report: Report, rows: Sequence[EventRow], title: str, max_rows: int) -> Iterator[str]:
    if not rows:
        return
    if title:
        yield f"#### {title}"
        yield ""
    columns = [name for name in rows[0].cells if name != "Webhook" or len(report.scans) > 1]
    header = " | ".join(columns)
    if rows[0].outcome is Outcome.RECOVERED:
        header = header.replace("Failing for", "Failed for")
    yield f"| {header} |"
    yield f"| {' | '.join('---:' if name in RIGHT_ALIGNED else '---' for name in columns)} |"
    for row in rows[:max_rows]:
        cells = _markdown_cells(row)
        yield f"| {' | '.join(cells[name] for name in columns)} |"
    yield ""
    if len(rows) > max_rows:
        yield f"And {len(rows) - max_rows:,} more, in the log of this run."
        yield ""


def _markdown_cells(row: EventRow) -> dict[str, str]:
    cells = {column: escape_markdown(text) for column, text in row.cells.items()}
    cells["Event"] = f"<code>{cells['Event']}</code>"
    cells["GUID"] = f"[<code>{cells['GUID']}</code>]({row.webhook.page})"
    if row.because:
        cells["Outcome"] += f": {escape_markdown(truncate(row.because, MAX_REASON))}"
    return cells


def _reasons(title: str, report: Report, *outcomes: Outcome) -> Iterator[str]:
    reasons = report.reasons(*outcomes)
    if not reasons:
        return
    yield f"#### {title}"
    yield ""
    yield "| Events | Reason |"
    yield "| ---: | --- |"
    for because, number in list(reasons.items())[:MAX_LINES]:
        yield f"| {number:,} | {escape_markdown(truncate(because, MAX_REASON))} |"
    yield ""


def _scans(report: Report) -> Iterator[str]:
    window = f"from {utc(report.window.since)} to {utc(report.window.now)}"
    purpose = f"(scan: {report.options.scan.value}) to find the failures {window}"
    if report.options.is_replay:
        purpose = replay.scope(report)
    for scan in report.scans[:MAX_LINES]:
        read = count(scan.scanned, "delivery", "deliveries")
        remarks = " Reading stopped early: older deliveries were not read." if scan.error else ""
        if scan.unclassified:
            kind = f"Failed events with {log_lines.UNCLASSIFIED}"
            remarks += f" {escape_markdown(kind)}: {scan.unclassified:,}."
        yield (
            f"Read {'nothing' if scan.is_unread else read} of "
            f"[{escape_markdown(scan.webhook.name)}]({scan.webhook.page}) {purpose}.{remarks}"
        )
        yield ""
    if len(report.scans) > MAX_LINES:
        yield f"And {len(report.scans) - MAX_LINES:,} more webhooks, in the log of this run."
        yield ""
