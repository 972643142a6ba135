"""Runs that do not get enough of GitHub: a small rate limit, or no responses."""

from datetime import timedelta

import pytest

from github_sandbox import Dropped, Hook
from tests.support.days import SCHEDULE, Days

DAY = timedelta(days=1)


def busy_hook(days: Days, deliveries: int) -> Hook:
    """Return a webhook with more deliveries than the rate limit allows to read."""
    hook = days.hook()
    now = days.clock()
    hook.record_many(deliveries, since=now - timedelta(hours=20), until=now)
    return hook


@pytest.mark.unmeasured
@pytest.mark.parametrize("remaining", [12, 30, 60])
@pytest.mark.parametrize("is_first", [True, False], ids=["the busy one first", "or last"])
def test_a_long_log_leaves_requests_to_redeliver(
    days: Days, remaining: int, *, is_first: bool
) -> None:
    """The events of a webhook beside it are delivered within a day, and each run is red."""
    if is_first:
        busy_hook(days, 8000)
    quiet = days.hook()
    if not is_first:
        busy_hook(days, 8000)
    missed = days.fail(quiet, 4)

    for _ in range(4):
        days.github.rate_limit(remaining=remaining, reset_in=3000)
        days.run()
        days.pass_time(SCHEDULE)

    days.assert_delivered(missed)
    assert all(run.is_red for run in days.runs), "a log was not read to its end"
    days.github.rate_limit(remaining=5000, reset_in=3000)
    assert not days.run().is_red, "with enough requests, nothing is left"


@pytest.mark.unmeasured
def test_a_long_log_gets_its_own_newest_events_back(days: Days) -> None:
    """They can be decided, although the log is not read to its end."""
    busy = busy_hook(days, 8000)
    missed = days.fail(busy, 4)

    for _ in range(3):
        days.github.rate_limit(remaining=30, reset_in=3000)
        days.run()
        days.pass_time(SCHEDULE)

    days.assert_delivered(missed)


@pytest.mark.unmeasured
def test_two_webhooks_without_responses_do_not_stop_others(days: Days) -> None:
    """In a day of hourly runs, each other webhook has its turn. The silent ones return later."""
    silent = [days.hook() for _ in range(2)]
    hooks = [*silent, *(days.hook() for _ in range(3))]
    missed = {hook.path: days.fail(hook, 1)[0] for hook in hooks}
    for hook in silent:
        days.github.inject(Dropped(), path=f"{hook.path}/deliveries", times=None)

    days.run_for(DAY, every=timedelta(hours=1))

    days.assert_delivered(missed[hook.path] for hook in hooks[2:])
    assert all(run.is_red for run in days.runs)
    days.github.mend()
    days.pass_time(SCHEDULE)
    days.run()
    days.assert_delivered(missed.values())
