"""An event that becomes too old while its last redelivery may be under way."""

from datetime import timedelta

import pytest

from github_sandbox import Hook
from redeliver.core.outcome import Outcome
from tests.support.days import ACCEPTED_ONLY, SCHEDULE, Days

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
UNDER_WAY = "it is too old to try again, but its last redelivery may still be under way"
AGES = pytest.mark.parametrize("give_up_after", [36 * HOUR, 3 * DAY], ids=["36h", "3d"])


def last_redelivery(days: Days, hook: Hook, give_up_after: timedelta) -> str:
    """Run until five minutes before an event is too old; return the event.

    With 3 days, its first attempt has left the log then.
    """
    days.receiver.behave(failing_events={"issues": 500})
    [old] = days.fail(hook, event="issues", ago=timedelta())
    started = days.clock()
    days.run_for(give_up_after - SCHEDULE, hook, give_up_after=give_up_after)
    days.pass_time(started + give_up_after - 5 * MINUTE - days.clock())
    return old


@AGES
@pytest.mark.parametrize("late", [5, 10])
@pytest.mark.parametrize("succeeds", [True, False], ids=["succeeds", "fails"])
def test_an_event_is_not_given_up_before_its_last_redelivery(
    days: Days, hook: Hook, give_up_after: timedelta, late: int, *, succeeds: bool
) -> None:
    """Its row appears minutes late: just before the next run, or after it."""
    old = last_redelivery(days, hook, give_up_after)
    if succeeds:
        days.receiver.behave()
    days.github.show_late(late * 60)
    requested = days.run(hook, give_up_after=give_up_after, fail_unrecovered=True)
    days.pass_time(7 * MINUTE)
    soon = days.run(hook, give_up_after=give_up_after, fail_unrecovered=True)
    later = days.run_for(
        HOUR, hook, every=10 * MINUTE, give_up_after=give_up_after, fail_unrecovered=True
    )

    assert len(requested.posts) == 1
    assert not any(run.posts for run in (soon, *later))
    if late > 7:
        assert [UNDER_WAY in line for line in soon.lines_about(old)] == [True]
        assert not soon.gives_up(old)
        assert soon.is_red
    if succeeds:
        days.assert_delivered([old])
        assert any(run.count(Outcome.DELIVERED) for run in (soon, *later))
    else:
        days.assert_given_up([old])
    assert not later[-1].is_red


@AGES
@pytest.mark.parametrize("every", [MINUTE, 5 * MINUTE, 15 * MINUTE], ids="every {0}".format)
def test_an_event_is_given_up_once_its_redelivery_has_ended(
    days: Days, hook: Hook, give_up_after: timedelta, every: timedelta
) -> None:
    """GitHub never makes the last redelivery. Each run redelivers something else meanwhile."""
    old = last_redelivery(days, hook, give_up_after)
    days.break_redeliveries(hook, [old], ACCEPTED_ONLY)
    last_tried = days.clock()
    good = []
    while not days.runs[-1].gives_up(old):
        other = days.hook()
        good += days.fail(other, ago=MINUTE)
        run = days.run(give_up_after=give_up_after, fail_unrecovered=True)
        assert run.count(Outcome.RECOVERED) == 1
        assert run.is_red
        assert run.lines_about(old)
        other.delete()  # otherwise each run would have more rows to read
        days.pass_time(every)

    assert UNDER_WAY in days.runs[-2].lines_about(old)[-1]
    assert 16 * MINUTE < days.runs[-1].at - last_tried <= 22 * MINUTE + every
    days.assert_given_up([old])
    days.assert_delivered(good)
