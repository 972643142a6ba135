"""A quiet screen shows nothing but trouble, and then what somebody needs to act on it."""

from dataclasses import replace

import pytest

from redeliver.cli.quiet import Quiet
from redeliver.core.outcome import Outcome
from redeliver.reporting.report import Report
from tests.support.builders import ONE_RESULT_OF_EACH, a_report, a_result, a_scan_result, a_webhook
from tests.unit.cli.screens import FakeScreen

HEADING = "Run of 2026-11-24 12:00:00 UTC:"


def shown(report: Report) -> list[str]:
    """Return what is shown of a run with two warnings and an error."""
    screen = FakeScreen()
    quiet = Quiet(screen)
    quiet.conclude(report)
    quiet.warn("one")
    quiet.warn("two")
    quiet.fail("three")
    return screen.said


def test_a_run_without_trouble_shows_nothing() -> None:
    screen = FakeScreen()
    with Quiet(screen) as quiet:
        for tell in (quiet.say, quiet.remark, quiet.detail):
            tell("Requested: push")
        quiet.progress("Deliveries read:", 1, 2)
        quiet.conclude(a_report(a_result(Outcome.RECOVERED)))

    assert (screen.said, screen.shown) == ([], [])


def test_trouble_comes_after_what_happened() -> None:
    heading, event, *trouble = shown(
        a_report(a_result(Outcome.RECOVERED), a_result(Outcome.REFUSED))
    )

    assert heading == f"{HEADING} 2 events failed: 1 recovered, 1 refused"
    assert event.startswith("Refused: push guid-1 (webhook 1 of organization acme, delivery ")
    assert trouble == ["Warning: one", "Warning: two", "Error: three"]


def test_only_events_that_need_attention_are_listed() -> None:
    lines = shown(a_report(*ONE_RESULT_OF_EACH))[1:-3]

    assert [line.partition(":")[0] for line in lines] == [
        "Refused",
        "Deferred",
        "Deferred",
        "Still failing",
        "Given up",
    ]


@pytest.mark.parametrize(("more", "last"), [(0, "Refused"), (1, "1 more event not listed here")])
def test_a_long_list_is_cut(more: int, last: str) -> None:
    results = [a_result(Outcome.REFUSED, guid=f"guid-{n}") for n in range(50 + more)]

    lines = shown(a_report(*results))[1:-3]

    assert len(lines) == 50 + more
    assert lines[-1].startswith(last)


def test_a_line_names_the_webhook_for_whoever_gets_the_mail() -> None:
    report = a_report(a_result(Outcome.REFUSED))

    several = replace(report, scans=(*report.scans, a_scan_result(webhook=a_webhook(2))))

    assert a_webhook().name in shown(report)[1]
    assert a_webhook().name in shown(several)[1]


def test_an_error_without_a_report_is_shown_alone() -> None:
    screen = FakeScreen()

    Quiet(screen).fail("GitHub is down")

    assert screen.said == ["Error: GitHub is down"]
