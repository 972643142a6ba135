"""A replay says what it looked at, what it did not find, and that it used no checkpoint."""

from dataclasses import replace
from datetime import datetime, timedelta
from signal import Signals
from typing import Any

import pytest

from redeliver.core.decision import Verdict
from redeliver.core.delivery import Guid
from redeliver.core.outcome import EventResult, Outcome
from redeliver.core.policy import Moment, Policy, ScanMode
from redeliver.core.window import Window
from redeliver.errors import UnavailableError
from redeliver.reporting import log_lines, messages, replay
from redeliver.reporting.event_row import EventRow
from redeliver.reporting.report import Report
from redeliver.reporting.summary import summary
from tests.support.builders import (
    NOW,
    OPTIONS,
    a_decision,
    a_policy,
    a_report,
    a_result,
    a_scan_result,
    ago,
    delivered,
)

START, END = ago(hours=14), ago(hours=6)
NAMED = a_policy(guids=frozenset(Guid(f"guid-{n}") for n in range(1, 4)))


def a_replay(
    *results: EventResult,
    since: Moment | None = START,
    until: datetime | None = END,
    policy: Policy | None = None,
    in_window: int = 7,
    found: frozenset[Guid] = frozenset(),
    error: UnavailableError | None = None,
    dry_run: bool = False,
) -> Report:
    scan = replace(a_scan_result(error=error), in_window=in_window, seen=found)
    return replace(
        a_report(*results),
        store="",
        window=Window.of_replay(since, until, now=NOW),
        options=replace(
            OPTIONS, policy=policy or a_policy(), since=since, until=until, dry_run=dry_run
        ),
        scans=(scan,),
        checkpoint=None,
    )


def was_delivered(outcome: Outcome = Outcome.RECOVERED) -> EventResult:
    decision = replace(a_decision(delivered("fine", at=ago(hours=10))), was_delivered=True)
    return EventResult(decision=decision, outcome=outcome)


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        pytest.param(
            a_replay(),
            "Reading all deliveries since 2026-11-23 22:00:00 UTC, to find the failures until "
            "2026-11-24 06:00:00 UTC. This run uses no checkpoint, because 'since' is set",
            id="of a range",
        ),
        pytest.param(
            a_replay(since=None, until=None, policy=NAMED),
            "Looking for 3 events in all of GitHub's log. This run uses no checkpoint, because "
            "'guids' is set",
            id="of named events",
        ),
        pytest.param(
            a_replay(policy=NAMED),
            "Looking for 3 events in GitHub's log since 2026-11-23 22:00:00 UTC. This run uses no "
            "checkpoint, because 'since' is set",
            id="of named events in a range",
        ),
    ],
)
def test_the_opening_says_what_is_read(report: Report, expected: str) -> None:
    assert replay.opening(report.window, report.options) == expected


def test_the_closing_says_that_no_checkpoint_was_used() -> None:
    used_none = "This run uses no checkpoint, because 'since' is set"

    assert messages.closing(a_replay()) == used_none
    assert messages.closing(a_replay(dry_run=True)) == (
        f"Dry run: nothing was redelivered. {used_none}"
    )


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (a_replay(), "to find the failures from 2026-11-23 22:00:00 UTC to 2026-11-24 06:00:00"),
        (a_replay(policy=a_policy(include_delivered=True)), "to find the events from 2026-11-23"),
        (a_replay(policy=NAMED), "to find 3 events by GUID"),
    ],
)
def test_the_summary_says_what_was_looked_for(report: Report, expected: str) -> None:
    assert expected in summary(report)


def test_a_range_partly_older_than_the_log_is_told() -> None:
    (warning,) = messages.warnings(a_replay(since=timedelta(days=5)))

    assert warning == (
        "GitHub keeps its log for 3d, so it goes back to 2026-11-21 12:00:00 UTC. "
        "Failures from 2026-11-19 12:00:00 UTC to then can no longer be redelivered"
    )


def test_a_range_older_than_the_log_fails_the_run() -> None:
    report = a_replay(since=ago(days=5), until=ago(days=4), in_window=0)

    assert report.is_failed
    assert messages.warnings(report) == []
    assert "the range ended earlier, at 2026-11-20 12:00:00 UTC" in (messages.problem(report) or "")


def test_a_log_that_is_kept_longer_than_documented_is_used() -> None:
    report = a_replay(since=ago(days=5), until=ago(days=4), in_window=3)

    assert (report.is_failed, messages.warnings(report)) == (False, [])


def test_a_range_that_ends_in_the_future_is_told() -> None:
    (warning,) = messages.warnings(a_replay(until=ago(hours=-2)))

    assert warning == (
        "'until' (2026-11-24 14:00:00 UTC) is in the future, so the range ends with the start of "
        "this run. Check its time zone"
    )


def test_a_range_without_any_delivery_is_told() -> None:
    (warning,) = messages.warnings(a_replay(in_window=0))

    assert "no deliveries from 2026-11-23 22:00:00 UTC to 2026-11-24 06:00:00 UTC" in warning
    assert "time zones in 'since' and 'until'" in warning


def test_an_unread_range_is_not_called_empty() -> None:
    report = a_replay(in_window=0, error=UnavailableError("GitHub is down"))

    assert messages.warnings(report) == []


def test_an_event_that_is_not_found_fails_the_run() -> None:
    report = a_replay(since=None, until=None, policy=NAMED, found=frozenset({Guid("guid-2")}))

    assert report.is_failed
    assert messages.problem(report) == (
        "no delivery of 2 events was found in GitHub's log: guid-1, guid-3. GitHub keeps its log "
        "for 3d, so it goes back to 2026-11-21 12:00:00 UTC. Check the GUIDs (the header "
        "X-GitHub-Delivery), and that this run's webhook is the one that sent these events"
    )


def test_an_event_is_only_missing_from_what_was_read() -> None:
    report = a_replay(policy=NAMED, error=UnavailableError("GitHub is down"))

    assert (
        "no delivery of 3 events was found in GitHub's log since 2026-11-23 22:00:00 UTC "
        "('since'), as far as it could be read: guid-1"
    ) in (messages.problem(report) or "")


def test_an_error_names_ten_missing_events() -> None:
    many = a_policy(guids=frozenset(Guid(f"guid-{n}") for n in range(12)))

    problem = messages.problem(a_replay(since=None, policy=many)) or ""

    assert problem.count("guid-") == 10
    assert "and 2 more. GitHub keeps" in problem


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([was_delivered()], "1 event had been delivered before: 1 recovered"),
        (
            [was_delivered(), was_delivered(), a_result(Outcome.STILL_FAILING)],
            "1 event failed and 2 events had been delivered before: 2 recovered, 1 still failing",
        ),
        ([a_result(Outcome.RECOVERED)], "1 event failed: 1 recovered"),
    ],
)
def test_the_headline_says_how_many_had_been_delivered(
    results: list[EventResult], expected: str
) -> None:
    assert messages.headline(a_replay(*results)) == expected


def test_the_plan_says_how_many_had_been_delivered() -> None:
    fine = replace(a_decision(delivered("fine")), was_delivered=True)
    since = replace(a_decision(verdict=Verdict.DELIVERED), was_delivered=True)

    assert log_lines.scanned(a_scan_result(fine, a_decision(), since)).endswith(
        ": 1 event failed; 1 event had been delivered before; 1 more failed at first, but has been "
        "delivered since"
    )
    assert log_lines.scanned(a_scan_result(fine)).endswith(": 1 event had been delivered before")


def test_a_line_says_that_an_event_had_been_delivered() -> None:
    row = EventRow.of(was_delivered(Outcome.DUE), now=NOW, dry_run=True)

    assert "(delivery 4611686018427387906, delivered before, 3 attempts, last status 200 OK)" in (
        log_lines.outcome(row, name_webhook=False)
    )
    assert row.cells["Failing for"] == "delivered before"


def test_a_replay_says_how_to_redeliver_what_it_left() -> None:
    """Both ends of the range are times, or the next run would look at another range."""
    left = [a_result(Outcome.DEFERRED, because="x"), a_result(Outcome.REFUSED), a_result()]
    report = a_replay(*left, since=timedelta(hours=14), until=None)

    assert messages.warnings(report)[0] == (
        "2 events were not redelivered, and scheduled runs may not look at this time range. Run "
        "again with 'since' set to 2026-11-23T22:00:00Z, 'until' set to 2026-11-24T12:00:00Z, and "
        "the other inputs as they are. Start that run at least 16 minutes after the last run that "
        "redelivered (sooner, events may be delivered twice). It leaves out what this one delivered"
    )
    assert messages.warnings(report)[1] == "1 event not redelivered: x"
    assert "#### Not redelivered" in summary(report)


def test_a_dry_run_leaves_nothing() -> None:
    assert messages.warnings(a_replay(a_result(Outcome.UNSETTLED), dry_run=True)) == []


def test_a_named_event_that_was_not_redelivered_fails_the_run() -> None:
    found = frozenset(Guid(f"guid-{n}") for n in range(1, 4))
    left = [a_result(Outcome.DEFERRED, guid=f"guid-{n}") for n in range(1, 4)]
    report = a_replay(*left, since=None, policy=NAMED, found=found)
    many = a_replay(*left * 4, since=None, policy=NAMED, found=found)

    assert report.is_failed
    assert messages.problem(report) == (
        "3 events in 'guids' were not redelivered: guid-1, guid-2, guid-3. Run again with only "
        "these, at least 16 minutes after the last run that redelivered (sooner, events may be "
        "delivered twice)"
    )
    assert "guid-1, and 2 more. Run again" in (messages.problem(many) or "")


def test_no_later_run_is_promised_for_a_delivered_event() -> None:
    expected = ". Scheduled runs may not retry it. To retry, start this run again"
    named = a_replay(a_result(Outcome.STILL_FAILING), since=None, policy=NAMED, found=NAMED.guids)

    (warning,) = messages.warnings(a_replay(was_delivered(Outcome.STILL_FAILING)))
    assert warning.endswith(expected)
    assert messages.warnings(named)[0].endswith(expected)


def test_what_failed_is_left_to_scheduled_runs() -> None:
    (warning,) = messages.warnings(a_replay(a_result(Outcome.STILL_FAILING)))

    assert "Scheduled runs with a checkpoint try it again until" in warning


def test_a_stopped_replay_promises_no_later_run() -> None:
    report = replace(a_replay(), interrupted=Signals.SIGTERM)

    assert messages.problem(report) == "stopped by SIGTERM"


def test_a_delivered_event_is_not_called_failed() -> None:
    report = a_replay(was_delivered(Outcome.REFUSED))

    assert messages.problem(report) == (
        "GitHub refused to redeliver 1 of 1 events. The log of this run has the reason"
    )


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"scans": ()}, id="there is no webhook"),
        pytest.param({"options": replace(OPTIONS, scan=ScanMode.FAILURES, since=START)}, id="scan"),
    ],
)
def test_a_range_of_which_little_was_read_is_not_called_empty(change: dict[str, Any]) -> None:
    report = replace(a_replay(in_window=0), **change)

    assert not [text for text in messages.warnings(report) if "has no deliveries from" in text]
    assert "Reading failed deliveries since" in replay.opening(
        report.window, replace(report.options, scan=ScanMode.FAILURES)
    )


def test_what_had_been_delivered_cannot_be_lost() -> None:
    old = replace(was_delivered(Outcome.REFUSED).decision, failing_since=ago(hours=71))
    result = EventResult(decision=old, outcome=Outcome.REFUSED)

    assert a_replay(result).leaving == []
    assert a_replay(result).rows_leaving == 0
    assert a_replay(result).not_shown == 0
