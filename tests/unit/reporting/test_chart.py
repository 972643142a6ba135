"""The chart of deliveries over time."""

from dataclasses import replace
from datetime import timedelta

import pytest

from redeliver.core.delivery import Delivery
from redeliver.core.window import Window
from redeliver.reporting.chart import NO_WIDTH, chart
from redeliver.reporting.report import Report
from tests.support.builders import (
    NOW,
    a_report,
    a_scan_result,
    a_webhook,
    failed,
    health_of,
    succeeded,
)

OUTAGE = [
    *(succeeded(minutes=n) for n in range(11)),
    *(failed(minutes=n) for n in range(11, 15)),
    *(succeeded(minutes=n) for n in range(15, 40)),
]


def a_report_on(*logs: list[Delivery], span: timedelta = timedelta(minutes=40)) -> Report:
    window = Window.starting(None, now=NOW, lookback=span)
    scans = [
        a_scan_result(webhook=a_webhook(number), health=health_of(*log, window=window))
        for number, log in enumerate(logs, 1)
    ]
    return replace(a_report(), scans=tuple(scans))


def labels(report: Report) -> list[str]:
    (line,) = (line for line in chart(report) if line.startswith("x-axis"))
    return line.removeprefix('x-axis ["').removesuffix('"]').split('", "')


def test_a_chart_shows_when_an_outage_began_and_ended() -> None:
    span = timedelta(hours=1)
    log = [*OUTAGE, *(succeeded(minutes=n) for n in range(40, 61))]

    times = ["11:00", "", "11:10", "", "11:20", "", "11:30", "", "11:40", "", "11:50", ""]
    names = ", ".join(f'"{time}{NO_WIDTH * n}"' for n, time in enumerate(times, 1))
    assert list(chart(a_report_on(log, span=span))) == [
        "#### Deliveries over time",
        "",
        "```mermaid",
        "---",
        "config:",
        "  xyChart: {height: 240, width: 840}",
        '  themeVariables: {xyChart: {plotColorPalette: "#54aeff, #cf222e"}}',
        "---",
        "xychart-beta",
        f"x-axis [{names}]",
        'y-axis "Deliveries" 0.3 --> 6',
        "bar [5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 6]",
        "bar [0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0]",
        "```",
        "",
        (
            "Red: failed. Blue: delivered. Redeliveries do not count. Each bar is 5 min. Times are "
            "in UTC."
        ),
        "",
    ]


def test_a_chart_names_its_webhook_if_there_are_several() -> None:
    report = a_report_on([succeeded(minutes=1)], OUTAGE)

    assert next(chart(report)) == "#### Deliveries of webhook 2 of organization acme over time"


@pytest.mark.parametrize("number", [2, 3])
def test_few_failures_have_no_chart(number: int) -> None:
    log = [failed(minutes=1)] * number

    assert bool(list(chart(a_report_on(log)))) == (number == 3)


def test_unknown_health_has_no_chart() -> None:
    assert not list(chart(a_report()))


@pytest.mark.parametrize(
    ("span", "shown"),
    [
        (timedelta(minutes=10), {"11:50", "11:55"}),
        (timedelta(hours=6), {f"{hour:02}:00" for hour in range(6, 12)}),
        (
            timedelta(hours=18),
            {f"{hour:02}:00" for hour in (18, 20, 22, 2, 4, 6, 8, 10)} | {"11-24"},
        ),
        (timedelta(days=3), {"12:00", "11-22", "11-23", "11-24"}),
        (timedelta(days=300), {"11-13", "11-15", "11-17", "11-19", "11-21", "11-23"}),
    ],
)
def test_labels_are_few_and_at_whole_times(span: timedelta, shown: set[str]) -> None:
    log = [failed(minutes=n) for n in range(3)]

    found = labels(a_report_on(log, span=span))

    texts = [text for label in found if (text := label.strip(NO_WIDTH))]
    assert set(texts) == shown
    assert len(texts) <= 9


def test_a_bar_is_never_at_the_place_of_another() -> None:
    """Mermaid draws bars with the same label in one place."""
    log = [failed(minutes=n) for n in range(3)]
    for hours in range(1, 12 * 24, 5):
        found = labels(a_report_on(log, span=timedelta(hours=hours)))

        assert len(set(found)) == len(found), hours
