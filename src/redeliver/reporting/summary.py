"""The report as a step summary, in GitHub's Markdown.

GitHub drops a summary over 1 MiB, so the number of rows is limited:
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from redeliver.core.delivery import Delivery
from redeliver.core.outcome import DEFERRED_KINDS, Outcome
from redeliver.reporting import log_lines, messages, passed, replay
from redeliver.reporting.counts import NOT_FAILED_OUTCOMES
from redeliver.reporting.event_row import EventRow
from redeliver.reporting.format import count, utc
from redeliver.reporting.limits import MAX_LINES, MAX_REASON, MAX_TEXT
from redeliver.reporting.report import NEEDS_ATTENTION, UNRECOVERED, Report
from redeliver.sanitize import escape_markdown, quote_untrusted, truncate

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

MAX_CHART_NODES = 8
"""The limit on each side of the chart; the last node stands for all others."""

OTHER_LABELS = ("other statuses", "other events")
"""The labels of the last nodes."""

RIGHT_ALIGNED = {"Failing for", "Attempts", "Webhook"}
"""The columns of numbers and time spans."""

LEAVING = "May leave GitHub's log before the next run"

MIN_CHART_FLOWS = 3
"""With fewer, the chart would only repeat the headline."""


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
    yield from _attention(report)
    deferred = "Not redelivered" if report.options.is_replay else "Deferred to a later run"
    yield from _reasons(deferred, report, *DEFERRED_KINDS)
    yield from _reasons("Filtered out", report, Outcome.FILTERED)
    if consequence := passed.filtered(report):
        yield f"{escape_markdown(consequence)}."
        yield ""
    if report.failed:
        yield from _chart(report)
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


def _chart(report: Report) -> Iterator[str]:
    """Draw how many failures each status and each event have."""
    deliveries = [
        o.decision.delivery
        for o in report.results
        if o.outcome not in NOT_FAILED_OUTCOMES and not o.decision.was_delivered
    ]
    failed = [(_kind(delivery), _label(delivery.event)) for delivery in deliveries]
    statuses = _most_common((kind for kind, _ in failed), OTHER_LABELS[0])
    events = _most_common((label for _, label in failed), OTHER_LABELS[1])
    flows = Counter((statuses[kind], events[label]) for kind, label in failed)
    if len(flows) < MIN_CHART_FLOWS:
        return
    rows = max(len(set(statuses.values())), len(set(events.values())))
    yield "#### Failures by status and event"
    yield ""
    yield "```mermaid"
    yield "---"
    yield f"config: {{sankey: {{height: {40 + 52 * rows}, linkColor: source, showValues: true}}}}"
    yield "---"
    yield "sankey-beta"
    yield ""
    for (source, target), number in flows.most_common():
        yield f'"{source}","{target}",{number}'
    yield "```"
    yield ""


def _most_common(labels: Iterable[str], others: str) -> dict[str, str]:
    """Map each label to the one that the chart shows: `others` for the rare ones."""
    ranked = [label for label, _ in Counter(labels).most_common()]
    shown = ranked if len(ranked) <= MAX_CHART_NODES else ranked[: MAX_CHART_NODES - 1]
    return {label: label if label in shown else others for label in ranked}


def _kind(delivery: Delivery) -> str:
    """Return the status code, with GitHub's status text if that is plain words."""
    is_known = re.fullmatch(r"[a-z ]{1,40}", delivery.status)
    return f"{delivery.status_code} {delivery.status}" if is_known else str(delivery.status_code)


def _label(event: str) -> str:
    # A label must not end its quotes, be Mermaid markup, or look like a status or `OTHER_LABELS`.
    label = re.sub(r"[^A-Za-z0-9_ .-]", "", quote_untrusted(event, 40))
    return label if re.match("[A-Za-z]", label) and label not in OTHER_LABELS else f"event {label}"


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
