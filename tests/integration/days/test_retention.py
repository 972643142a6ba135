"""How long GitHub keeps its log decides when runs warn, and when they give up an event."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from github_sandbox import Hook, Sandbox, VirtualClock
from redeliver.core.outcome import Outcome
from tests.support.days import SCHEDULE, Days
from tests.support.sandboxes import running

DAY = timedelta(days=1)


@pytest.fixture
def kept_for(request: pytest.FixtureRequest) -> timedelta:
    """Return how long `github` keeps its log: 3 days, or 7 days as Enterprise Server does."""
    kept_for: timedelta = request.param
    return kept_for


@pytest.fixture
def github(clock: VirtualClock, granted_token: str, kept_for: timedelta) -> Iterator[Sandbox]:
    """Start a sandbox that names a version of Enterprise Server if it keeps its log for 7 days."""
    version = "3.19.0" if kept_for == 7 * DAY else None
    sandbox = Sandbox(clock=clock, retention=kept_for, enterprise_version=version)
    with running(sandbox, token=granted_token) as github:
        yield github


BOTH = pytest.mark.parametrize("kept_for", [3 * DAY, 7 * DAY], ids=["3d", "7d"], indirect=True)


@BOTH
def test_what_stays_failing_is_given_up_when_the_log_ends(
    days: Days, hook: Hook, kept_for: timedelta
) -> None:
    """Each run warns until when it will be tried, and one gives it up by name on the last day."""
    days.receiver.behave(status=500)
    failed_at = days.clock()
    failing = [hook.emit("push"), hook.emit("issues", "opened")]
    runs = days.run_for(kept_for + DAY, hook, verify=timedelta(seconds=1))

    tried = [run for run in runs if run.posts]
    end = failed_at + kept_for
    assert len(tried) == kept_for // SCHEDULE - 1
    assert all(f"try them again until {end:%Y-%m-%d %H:%M}" in run.warnings for run in tried)
    days.assert_given_up(failing)
    [last] = [run for run in runs if run.count(Outcome.GIVEN_UP)]
    assert end - SCHEDULE < last.at < end + SCHEDULE


@BOTH
def test_a_deferred_event_is_named_in_red_before_the_log_ends(
    days: Days, hook: Hook, kept_for: timedelta
) -> None:
    """It is deferred for so long that no run tries it."""
    failed_at = days.clock()
    [waiting] = days.fail(hook, ago=timedelta())
    hook.switch_off()
    runs = days.run_for(kept_for + DAY, fail_unrecovered=True)

    red = [run for run in runs if run.is_red]
    assert "1 deferred event may leave GitHub's log if" in red[0].warnings
    assert red[0].lines_about(waiting)
    assert failed_at + kept_for - 2 * SCHEDULE < red[0].at <= failed_at + kept_for
    assert "may have left GitHub's log before a run dealt with them" in red[-1].warnings
    assert not runs[-1].is_red


@BOTH
def test_an_outage_that_ends_in_time_loses_nothing(
    days: Days, hook: Hook, kept_for: timedelta
) -> None:
    """An outage as long as the log, less the time between two runs."""
    days.receiver.behave(status=500)
    missed = days.fail(hook, 2, ago=timedelta())
    days.run_for((kept_for - SCHEDULE) // 2, hook, verify=timedelta())
    missed += days.fail(hook, 2, ago=timedelta())
    days.run_for((kept_for - SCHEDULE) // 2, hook, verify=timedelta())
    days.receiver.behave()
    runs = days.run_for(DAY, hook)

    days.assert_delivered(missed)
    assert not runs[-1].posts
