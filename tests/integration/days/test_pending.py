"""GitHub accepts redeliveries and never makes them, or shows them in its log late."""

from datetime import timedelta

import pytest

from github_sandbox import Hook
from redeliver.core.outcome import Outcome
from redeliver.reporting.log_lines import AGAIN
from tests.support.days import ACCEPTED_ONLY, SCHEDULE, Days

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
VERIFY = pytest.mark.parametrize("verify", [timedelta(), timedelta(seconds=30)], ids=["0", "30s"])


def swallow(days: Days) -> None:
    """Have GitHub accept redeliveries and never make them, until it is mended."""
    days.github.inject(ACCEPTED_ONLY, method="POST", path=".*/attempts", times=None)


@VERIFY
def test_a_swallowed_redelivery_is_requested_again(
    days: Days, hook: Hook, verify: timedelta
) -> None:
    """It holds the checkpoint, and is requested again when it can no longer be under way."""
    missed = days.fail(hook, 3)
    swallow(days)
    first = days.run(hook, verify=verify)
    held = days.checkpoint
    days.pass_time(14 * MINUTE)
    too_early = days.run(hook, verify=verify)
    days.pass_time(7 * MINUTE)
    again = days.run(hook, verify=verify)
    days.pass_time(SCHEDULE)
    days.github.mend()
    mended = days.run(hook, verify=verify)
    later = days.run_for(DAY, hook, verify=verify)

    assert first.count(Outcome.PENDING) == 3
    assert not any(AGAIN in line for line in first.lines)
    assert (len(first.posts), len(too_early.posts), len(again.posts)) == (3, 0, 3)
    assert (
        "3 events deferred: a run did not see the outcomes of all redeliveries"
        in too_early.warnings
    )
    for run in (again, mended):
        requested = [line for line in run.lines if line.startswith("Requested: ")]
        assert len(requested) == 3
        assert all(line.endswith(f": {AGAIN}") for line in requested)
    assert not any(run.posts or run.is_red for run in later)
    days.assert_delivered(missed)
    assert int(days.checkpoint) > int(held)


@VERIFY
@pytest.mark.parametrize("hours", [6, 24])
def test_what_is_swallowed_for_ever_is_named_in_red(
    days: Days, hook: Hook, verify: timedelta, hours: int
) -> None:
    """The last run before it leaves the log requests it, says so, and is red."""
    [missed] = days.fail(hook)
    swallow(days)
    every = timedelta(hours=hours)
    runs = [days.run(hook, verify=verify, fail_unrecovered=True)]
    runs += days.run_for(5 * DAY, hook, every=every, verify=verify, fail_unrecovered=True)

    *_, last = (run for run in runs if run.lines_about(missed))
    assert len(last.posts) == 1
    assert "1 pending event may leave GitHub's log" in last.warnings
    assert last.is_red
    assert runs[runs.index(last) + 1].is_red, "it may have left the log"
    assert not runs[-1].is_red, "the checkpoint moves on"


@VERIFY
def test_what_is_swallowed_for_ever_is_given_up(days: Days, hook: Hook, verify: timedelta) -> None:
    """`give-up-after` is shorter than GitHub keeps the log, or there was a failed redelivery."""
    days.receiver.behave(status=500)
    tried = days.fail(hook, 2, ago=timedelta())
    days.run_for(DAY / 2, hook, verify=verify)
    days.receiver.behave()
    swallow(days)
    runs = days.run_for(4 * DAY, hook, verify=verify, fail_unrecovered=True)
    [short] = days.fail(hook)
    day_and_half = timedelta(hours=36)
    runs += days.run_for(
        3 * DAY, hook, verify=verify, give_up_after=day_and_half, fail_unrecovered=True
    )

    days.assert_given_up([*tried, short])
    for guid in (*tried, short):
        named = [run for run in runs if run.lines_about(guid)]
        assert named[-1].gives_up(guid)
        assert named[-1].is_red


def test_only_what_was_swallowed_is_requested_again(days: Days, hook: Hook) -> None:
    """What was delivered in the meantime is not, although the checkpoint is held."""
    lost, *others = days.fail(hook, 6)
    days.break_redeliveries(hook, [lost], ACCEPTED_ONLY)
    days.run(hook)
    others += days.fail(hook, 2, ago=timedelta())
    runs = days.run_for(DAY, hook)

    assert [len(run.posts) for run in runs] == [3, 1, 1, 1]
    days.assert_delivered(others)
    days.github.mend()
    days.run_for(DAY, hook)
    days.assert_delivered([lost, *others])
