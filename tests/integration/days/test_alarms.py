"""`fail-on: unrecovered`, and the warning that events may leave the log."""

from datetime import timedelta
from itertools import cycle, pairwise

import pytest

from github_sandbox import Hook, Status
from redeliver.core.outcome import Outcome
from tests.support.days import SCHEDULE, Days, PastRun

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MAY_LEAVE = "may leave GitHub's log"
UNSEEN = pytest.mark.parametrize(
    ("verify", "late"),
    [(timedelta(), 0), (timedelta(), 300), (timedelta(seconds=30), 300)],
    ids=["verify 0", "verify 0, late rows", "verify 30s, late rows"],
)


@UNSEEN
def test_a_receiver_that_stays_down_is_red_until_it_is_given_up(
    days: Days, hook: Hook, verify: timedelta, late: float
) -> None:
    """No run sees an outcome, but from the second on each finds a failed redelivery."""
    days.receiver.behave(status=500)
    days.github.show_late(late)
    failing = [hook.emit("push"), hook.emit("issues", "opened")]
    runs = days.run_for(4 * DAY, hook, verify=verify, fail_unrecovered=True)

    [last] = [run for run in runs if run.count(Outcome.GIVEN_UP)]
    first, *others = runs[: runs.index(last)]
    assert not first.is_red, "the redelivery that it requested may have succeeded"
    assert all(run.count(Outcome.PENDING) == 2 for run in (first, *others))
    assert all(
        "2 of 2 failed events had already failed a redelivery" in run.problem for run in others
    )
    assert last.is_red
    days.assert_given_up(failing)
    assert not any(run.is_red for run in runs[runs.index(last) + 1 :])


@UNSEEN
def test_a_run_is_green_again_when_the_events_have_recovered(
    days: Days, hook: Hook, verify: timedelta, late: float
) -> None:
    """The run that requests the redelivery does not see its success; the next one does."""
    days.receiver.behave(status=500)
    days.github.show_late(late)
    missed = [hook.emit("push"), hook.emit("issues", "opened")]
    days.run_for(DAY, hook, verify=verify, fail_unrecovered=True)
    days.receiver.behave()
    last, *others = days.run_for(DAY, hook, verify=verify, fail_unrecovered=True)

    assert last.is_red
    assert not any(run.is_red or run.posts for run in others)
    days.assert_delivered(missed)


@pytest.mark.parametrize("by", ["max-redeliveries", "switched off", "refused"])
def test_an_old_event_that_was_tried_lately_may_leave_the_log(
    days: Days, hook: Hook, by: str
) -> None:
    """Its first attempt decides, although its newest one is only a day old."""
    days.receiver.behave(failing_events={"issues": 500})
    started = days.clock()
    [old] = days.fail(hook, event="issues", ago=timedelta())
    days.run_for(2 * DAY, hook)
    runs = []
    for hours in (2, 8, 14, 20):
        days.pass_time(started + 2 * DAY + hours * HOUR - days.clock())
        days.fail(hook, 40)
        match by:
            case "switched off":
                hook.switch_off()
            case "refused":
                days.break_redeliveries(hook, [old], Status(422, "Cannot"))
        limit = 2 if by == "max-redeliveries" else None
        runs.append(days.run(max_redeliveries=limit, fail_unrecovered=True))

    outcome = "Refused: " if by == "refused" else "Deferred: "
    assert runs[-1].lines_about(old)[-1].startswith(outcome)
    newest = max(row["delivered_at"] for row in hook.log if row["guid"] == old)
    assert newest >= f"{runs[-1].at - DAY:%Y-%m-%dT%H}"
    assert [MAY_LEAVE in run.warnings for run in runs] == [False, False, False, True]
    assert MAY_LEAVE in runs[-1].problem
    assert runs[-1].is_red


def named(run: PastRun, guids: list[str]) -> set[str]:
    return {guid for guid in guids if run.lines_about(guid)}


def test_a_schedule_that_is_late_warns_of_all_events(days: Days, hook: Hook) -> None:
    """No event leaves the log unless the run before has warned, although runs come irregularly."""
    for minutes in range(0, 24 * 60, 10):
        days.fail(hook, ago=DAY - timedelta(minutes=minutes + 1))
    waiting = days.guids(hook)
    hook.switch_off()
    days.run(fail_unrecovered=True)
    delays = cycle([0, 30, 10, 55, 5])
    for _ in range(13):
        days.pass_time(SCHEDULE + timedelta(minutes=next(delays)))
        days.run(fail_unrecovered=True)

    left = 0
    for run, following in pairwise(days.runs):
        vanished = named(run, waiting) - named(following, waiting)
        left += len(vanished)
        assert run.report
        assert len(run.report.leaving) >= len(vanished)
        assert run.is_red or not vanished
    assert left == len(waiting)


def test_a_run_between_two_scheduled_ones_is_red_as_well(days: Days, hook: Hook) -> None:
    """Somebody starts a run because the last one has warned."""
    days.fail(hook, ago=timedelta(hours=2))
    hook.switch_off()
    days.run_for(3 * DAY - SCHEDULE, fail_unrecovered=True)
    days.pass_time(HOUR)

    assert days.run(fail_unrecovered=True).is_red
