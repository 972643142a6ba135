"""Rows that GitHub lists in a form that it does not document: they hide no other row."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from github_sandbox import Hook, Sandbox, Status, VirtualClock
from redeliver.core.outcome import Outcome
from redeliver.core.policy import ScanMode
from tests.support.builders import DOCUMENTED_ROW
from tests.support.days import SCHEDULE, Days
from tests.support.odd_rows import OddRows
from tests.support.sandboxes import running

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
    assert "10 of the 10 newest rows in the delivery log of webhook" in run.problem


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
    assert min(red) + timedelta(minutes=10) < 3 * DAY, "before the row has left the log"


class TestLogsSortedById:
    """In such a log, a row that was written late comes before newer ones."""

    @pytest.fixture
    def github(self, clock: VirtualClock, granted_token: str) -> Iterator[Sandbox]:
        with running(Sandbox(clock=clock, sort_logs_by="id"), token=granted_token) as github:
            yield github

    def test_a_late_row_does_not_make_an_odd_one_look_old(self, days: Days, hook: Hook) -> None:
        hook.record(at=days.clock() - 2 * HOUR)
        days.run(hook)
        days.pass_time(SCHEDULE)
        hook.record(at=days.clock() - 2 * HOUR)
        hook.record_raw({"id": 5, "status_code": 500})
        hook.record(at=days.clock() - 20 * HOUR)
        hook.record(at=days.clock() - HOUR / 60)

        run = days.run(hook)

        assert run.report
        assert run.report.counts["unreadable"] == 1
        assert run.report.checkpoint
        assert run.report.checkpoint < run.report.window.now

    def test_a_late_row_at_the_end_of_a_page_does_not_either(self, days: Days, hook: Hook) -> None:
        days.run(hook)
        days.pass_time(SCHEDULE)
        hook.record(at=days.clock() - 3 * HOUR)
        hook.record_raw({"id": 5, "status_code": 500})
        hook.record(at=days.clock() - 20 * HOUR)
        hook.record_many(99, since=days.clock() - 2 * HOUR, until=days.clock() - HOUR)

        run = days.run(hook)

        assert run.report
        assert run.report.counts["unreadable"] == 1


def test_odd_rows_with_one_id_are_different_rows(days: Days, hook: Hook) -> None:
    """One shows that the event was delivered; the other one holds the checkpoint."""
    days.run(hook)
    days.pass_time(SCHEDULE)
    [missed] = days.fail(hook, ago=5 * HOUR)
    success = {"status": "OK", "status_code": 200, "event": None, "redelivery": True}
    hook.record_raw(
        odd(days, ago=4 * HOUR, id=0, guid=missed, **success), at=days.clock() - 4 * HOUR
    )
    hook.record_many(120, since=days.clock() - 3 * HOUR, until=days.clock() - 2 * HOUR)
    at = days.clock() - HOUR
    hook.record_raw(odd(days, id=0, guid="other", event=None), at=at)

    run = days.run(hook)

    assert run.posts == []
    assert run.report
    assert run.report.checkpoint == at.replace(microsecond=0)
    assert run.report.counts["unreadable"] == 2


def test_pages_of_equal_odd_rows_do_not_hide_others(days: Days, hook: Hook) -> None:
    missed = days.fail(hook, ago=3 * HOUR)
    for number in range(210):
        hook.record_raw(None, at=days.clock() - 2 * HOUR + timedelta(seconds=number))

    days.run(hook)

    days.assert_delivered(missed)


def test_an_odd_row_at_the_end_of_a_page_is_not_taken_for_old(days: Days, hook: Hook) -> None:
    days.run(hook)
    days.pass_time(SCHEDULE)
    hook.record_many(130, since=days.clock() - 4 * HOUR, until=days.clock() - 2 * HOUR)
    hook.record_raw(None, at=days.clock() - 1.5 * HOUR)
    hook.record_many(99, since=days.clock() - HOUR, until=days.clock() - HOUR / 60)

    run = days.run(hook, fail_unrecovered=True)

    assert not run.is_red
    assert run.report
    assert run.report.checkpoint
    assert run.report.checkpoint >= run.at - 2.1 * HOUR


def test_an_odd_row_in_two_lists_is_one_attempt(days: Days, hook: Hook) -> None:
    """With `scan: failures`, a row without a status code is among failures and successes."""
    event = "guid-of-the-event"
    first = odd(days, ago=2 * HOUR, guid=event, status=None, status_code=None)
    hook.record_raw(first, at=days.clock() - 2 * HOUR)
    hook.record(
        guid=event, at=days.clock() - HOUR, redelivery=True, status="timed out", status_code=504
    )

    run = days.run(hook, max_attempts=3, scan=ScanMode.FAILURES)

    assert run.report
    assert run.report.counts["unreadable"] == 1
    days.assert_delivered([event])


def test_an_event_is_given_up_although_odd_rows_keep_coming(days: Days, hook: Hook) -> None:
    [event] = days.fail(hook)
    days.receiver.behave(status=500)
    for _ in range(20):
        hook.record_raw({"id": 1}, at=days.clock() - HOUR / 60)
        hook.record(at=days.clock() - HOUR / 30)
        days.run(hook)
        days.pass_time(SCHEDULE)

    assert sum(len(run.posts) for run in days.runs) <= 12
    days.assert_given_up([event])


def test_a_refused_event_whose_row_becomes_odd_is_not_given_up(days: Days, hook: Hook) -> None:
    days.run(hook)
    days.pass_time(SCHEDULE)
    [refused] = days.fail(hook, ago=2 * HOUR)
    days.break_redeliveries(hook, [refused], Status(422, "Cannot"))
    days.github.inject(OddRows(), path=".*/deliveries", nth=2, times=None)

    run = days.run(hook)

    assert run.count(Outcome.REFUSED) == 1
    assert run.report
    assert run.report.checkpoint
    assert run.report.checkpoint <= run.at - 2 * HOUR


def test_a_new_format_fails_the_run_although_old_rows_are_left(days: Days, hook: Hook) -> None:
    hook.record_many(50, since=days.clock() - 4 * HOUR, until=days.clock() - HOUR)
    days.run(hook)
    for _ in range(2):
        for minutes in range(60):
            hook.record_raw({"n": minutes}, at=days.clock() + timedelta(minutes=minutes))
        days.pass_time(SCHEDULE)
        days.run(hook)

    last = days.runs[-1]
    assert last.is_red
    assert "newest rows in the delivery log of webhook" in last.problem


def test_an_odd_row_of_a_delivered_event_does_not_hold_anything(days: Days, hook: Hook) -> None:
    days.run(hook)
    days.pass_time(SCHEDULE)
    hook.record_raw(odd(days, ago=2 * HOUR, guid="event", status=None), at=days.clock() - 2 * HOUR)
    hook.record(guid="event", at=days.clock() - HOUR, redelivery=True)

    run = days.run(hook)

    assert run.report
    assert run.report.checkpoint == run.report.window.now
