"""Rows that GitHub lists in a form that it does not document: they hide no other row."""

from datetime import timedelta

import pytest

from github_sandbox import Hook
from redeliver.core.checkpoint import OVERLAP
from redeliver.core.outcome import Outcome
from tests.support.builders import DOCUMENTED_ROW
from tests.support.days import SCHEDULE, Days

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SKIPPED = "could not be read, so this run skipped it"


def odd(days: Days, *, ago: timedelta = HOUR, **changes: object) -> dict[str, object]:
    at = (days.clock() - ago).isoformat()
    return DOCUMENTED_ROW | {"id": 77, "guid": "odd", "delivered_at": at} | changes


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(None, id="null"),
        pytest.param("text", id="a text"),
        pytest.param([], id="a list"),
        pytest.param({}, id="an empty object"),
        pytest.param({"id": "77"}, id="an id as text"),
        pytest.param({"status": None}, id="no status"),
        pytest.param({"delivered_at": "soon"}, id="no time"),
    ],
)
def test_an_odd_row_does_not_stop_the_others(days: Days, hook: Hook, row: object) -> None:
    days.run(hook)
    days.pass_time(SCHEDULE)
    missed = days.fail(hook, 2, ago=2 * HOUR)
    row = odd(days, **row) if isinstance(row, dict) and row else row
    hook.record_raw(row, at=days.clock() - HOUR)
    missed += days.fail(hook, 2, ago=HOUR / 2)

    run = days.run(hook)

    days.assert_delivered(missed)
    assert SKIPPED in run.warnings
    assert run.report
    assert run.report.counts["unreadable"] == 1
    assert not run.is_red


def test_a_warning_names_the_row_by_its_id(days: Days, hook: Hook) -> None:
    hook.record_raw(odd(days, status=None), at=days.clock() - HOUR)

    run = days.run(hook)

    assert "delivery 77 ('status' is missing or has the wrong type)" in run.warnings


@pytest.mark.parametrize("has_time", [True, False])
def test_the_checkpoint_waits_until_an_odd_row_has_left_the_log(
    days: Days, hook: Hook, *, has_time: bool
) -> None:
    days.run(hook)
    days.pass_time(SCHEDULE)
    days.fail(hook, ago=2 * HOUR)
    at = days.clock() - HOUR
    hook.record_raw(odd(days) | {"status": None} if has_time else None, at=at)
    missed = days.fail(hook, ago=HOUR / 2)

    for run in days.run_for(4 * DAY, hook):
        assert run.report
        assert run.report.checkpoint
        if run.at - at <= 3 * DAY:
            assert run.report.checkpoint <= at
            assert SKIPPED in run.warnings
        elif run.at - at > 3 * DAY + SCHEDULE:
            assert run.report.checkpoint == run.report.window.now
            assert SKIPPED not in run.warnings
    days.assert_delivered(missed)


def test_an_odd_row_before_the_window_is_not_counted(days: Days, hook: Hook) -> None:
    days.run(hook)
    days.fail(hook, ago=HOUR)
    hook.record_raw(None, at=days.clock() - 2 * HOUR)
    days.fail(hook, ago=3 * HOUR)

    run = days.run(hook)

    assert run.report
    assert run.report.counts["unreadable"] == 0
    assert run.warnings == ""
    assert run.report.checkpoint == run.report.window.now


def test_an_odd_success_does_not_hold_the_checkpoint(days: Days, hook: Hook) -> None:
    days.run(hook)
    days.pass_time(SCHEDULE)
    hook.record_raw(odd(days, status="OK", status_code=200, event=None), at=days.clock() - HOUR)

    run = days.run(hook)

    assert run.report
    assert run.report.checkpoint == run.report.window.now
    assert "GitHub lists it as delivered" in run.warnings


def test_an_event_that_an_odd_row_shows_as_delivered_is_done(days: Days, hook: Hook) -> None:
    [missed] = days.fail(hook, ago=2 * HOUR)
    row = odd(days, guid=missed, redelivery=True, status="OK", status_code=200, id=None)
    hook.record_raw(row, at=days.clock() - HOUR)

    run = days.run(hook)

    assert run.posts == []
    assert run.count(Outcome.DELIVERED) == 1


@pytest.mark.parametrize("guid", ["its own", "unreadable"])
def test_an_event_whose_first_attempt_is_odd_is_not_given_up(
    days: Days, hook: Hook, guid: str
) -> None:
    event = "guid-of-the-event"
    hook.record_raw(
        odd(days, ago=2 * HOUR, guid=event if guid == "its own" else None, status=None),
        at=days.clock() - 2 * HOUR,
    )
    hook.record(
        guid=event, at=days.clock() - HOUR, redelivery=True, status="timed out", status_code=504
    )

    days.run(hook)

    days.assert_delivered([event])


def test_an_odd_row_of_an_event_counts_as_an_attempt(days: Days, hook: Hook) -> None:
    [missed] = days.fail(hook, ago=3 * HOUR)
    row = odd(days, ago=2 * HOUR, guid=missed, redelivery=True, status=None)
    hook.record_raw(row, at=days.clock() - 2 * HOUR)

    run = days.run(hook, max_attempts=2)

    assert run.posts == []
    assert run.gives_up(missed)


def test_a_log_of_only_odd_rows_fails_the_run(days: Days, hook: Hook) -> None:
    """Ten rows are not odd by chance, so the format has changed, and somebody must know."""
    for minutes in range(10):
        hook.record_raw({"identifier": 1}, at=days.clock() - minutes * timedelta(minutes=1))

    run = days.run(hook)

    assert run.is_red
    assert "none of the 10 rows in the delivery log of webhook" in run.problem


def test_an_odd_row_that_may_leave_the_log_fails_the_run(days: Days, hook: Hook) -> None:
    """With `fail-on: unrecovered`."""
    days.run(hook)
    days.pass_time(SCHEDULE)
    at = days.clock() - HOUR
    hook.record_raw(None, at=at)
    days.fail(hook, ago=2 * HOUR)

    runs = days.run_for(4 * DAY, hook, fail_unrecovered=True)

    red = [run.at - at for run in runs if run.is_red]
    assert any("1 row that could not be read may leave GitHub's log" in run.problem for run in runs)
    assert red
    assert min(red) > 2 * DAY
    assert min(red) + OVERLAP < 3 * DAY, "before the row has left the log"
