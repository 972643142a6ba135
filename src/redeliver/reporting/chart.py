"""A chart of deliveries over time, which shows when an outage began and ended, for Mermaid.

https://mermaid.js.org/syntax/xyChart.html
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from redeliver.core.checkpoint import EPOCH
from redeliver.core.health import Timeline
from redeliver.core.health_counter import STEPS
from redeliver.reporting.format import age
from redeliver.reporting.health import by_severity
from redeliver.reporting.report import Report
from redeliver.sanitize import escape_markdown

MIN_FAILURES = 3
"""With fewer failed deliveries, the chart would only repeat the table."""

MAX_LABELS = 9
"""The limit on the labels below the chart, so that they do not overlap."""

LABEL_DISTANCES = [*STEPS, *(timedelta(days=n) for n in (0.5, 1, 2))]
"""The time between two labels may be one of these. Each is a multiple of the steps that need it."""

NO_WIDTH = "\u034f"
"""A character that is not shown: COMBINING GRAPHEME JOINER. Mermaid draws bars with the same label
in one place, so each label ends with another number of these."""

COLORS = "#54aeff, #cf222e"
"""Of all deliveries, and of those that failed, which are drawn over them."""

BASELINE = 0.05
"""The lowest value of the vertical axis, as a part of the highest. Mermaid draws it a bit above the
end of the axis. So if it was 0, even the bars of 0 would be visible."""


def chart(report: Report) -> Iterator[str]:
    """Draw the deliveries of the webhook with the most failed ones, unless there are few."""
    known = by_severity(report)
    if not known:
        return
    scan, health = max(known, key=lambda pair: pair[1].failed)
    if health.failed < MIN_FAILURES:
        return
    of_webhook = f" of {escape_markdown(scan.webhook.name)}" if len(report.scans) > 1 else ""
    yield f"#### Deliveries{of_webhook} over time"
    yield ""
    yield from _mermaid(health.timeline)
    yield ""
    step = age(health.timeline.step).removesuffix(" 0 min")
    yield (
        "Red: failed. Blue: delivered. Redeliveries do not count. "
        f"Each bar is {step}. Times are in UTC."
    )
    yield ""


def _mermaid(timeline: Timeline) -> Iterator[str]:
    totals = [sum(pair) for pair in zip(timeline.delivered, timeline.failed, strict=True)]
    highest = max(totals)
    yield "```mermaid"
    yield "---"
    yield "config:"
    yield "  xyChart: {height: 240, width: 840}"
    yield f'  themeVariables: {{xyChart: {{plotColorPalette: "{COLORS}"}}}}'
    yield "---"
    yield "xychart-beta"
    yield f"x-axis [{', '.join(_labels(timeline))}]"
    yield f'y-axis "Deliveries" {BASELINE * highest:g} --> {highest}'
    yield f"bar {totals}"
    yield f"bar {list(timeline.failed)}"
    yield "```"


def _labels(timeline: Timeline) -> Iterator[str]:
    number = len(timeline.failed)
    span = number * timeline.step
    distance = next(d for d in LABEL_DISTANCES if span <= MAX_LABELS * d)
    for position in range(number):
        at = timeline.start + position * timeline.step
        text = "" if (at - EPOCH) % distance else _time(at)
        yield f'"{text}{NO_WIDTH * (position + 1)}"'


def _time(instant: datetime) -> str:
    return f"{instant:%H:%M}" if instant.hour or instant.minute else f"{instant:%m-%d}"
