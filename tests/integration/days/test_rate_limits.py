"""Runs that do not get enough of GitHub: a small rate limit, or no responses."""

from datetime import timedelta

import pytest

from github_sandbox import Dropped, Hook, Meanwhile, Status
from redeliver.core.policy import ScanMode
from tests.support.days import SCHEDULE, Days

DAY = timedelta(days=1)


def busy_hook(days: Days, deliveries: int) -> Hook:
    """Return a webhook with more deliveries than the rate limit allows to read."""
    hook = days.hook()
    now = days.clock()
    hook.record_many(deliveries, since=now - timedelta(hours=20), until=now)
    return hook


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


def test_a_long_log_gets_its_own_newest_events_back(days: Days) -> None:
    """They can be decided, although the log is not read to its end."""
    busy = busy_hook(days, 8000)
    missed = days.fail(busy, 4)

    for _ in range(3):
        days.github.rate_limit(remaining=30, reset_in=3000)
        days.run()
        days.pass_time(SCHEDULE)

    days.assert_delivered(missed)


@pytest.mark.parametrize("scan", ScanMode)
@pytest.mark.parametrize("seconds", [0, 30])
def test_two_webhooks_without_responses_do_not_stop_others(
    days: Days, seconds: int, scan: ScanMode
) -> None:
    """Whether they fail at once or after a while. They are read again when they respond."""
    silent = [days.hook() for _ in range(2)]
    hooks = [*silent, *(days.hook() for _ in range(8))]
    missed = {hook.path: days.fail(hook, 1)[0] for hook in hooks}
    for hook in silent:
        path = f"{hook.path}/deliveries"
        hang = Meanwhile(lambda: days.clock.advance(timedelta(seconds=seconds)))
        days.github.inject(hang, path=path, times=None)
        days.github.inject(Dropped(), path=path, times=None)

    days.run_for(timedelta(days=2), every=timedelta(hours=5), scan=scan)

    days.assert_delivered(missed[hook.path] for hook in hooks[2:])
    assert all(run.is_red for run in days.runs)
    days.github.mend()
    days.pass_time(SCHEDULE)
    days.run(scan=scan)
    days.assert_delivered(missed.values())


@pytest.mark.parametrize("scan", ScanMode)
def test_many_webhooks_share_a_small_rate_limit(days: Days, scan: ScanMode) -> None:
    """Each run can read only some of their logs, and within three days all have their turn."""
    hooks = [days.hook() for _ in range(30)]
    missed = [days.fail(hook, 1)[0] for hook in hooks]

    for _ in range(11):
        days.github.rate_limit(remaining=50, reset_in=3000)
        days.run(scan=scan)
        days.pass_time(SCHEDULE)

    days.assert_delivered(missed)


def test_looking_for_refused_events_keeps_requests(days: Days) -> None:
    """The search takes requests only as long as enough are left for redeliveries."""
    busy, quiet = busy_hook(days, 6000), days.hook()
    refused = days.fail(busy, 12, ago=timedelta(hours=19))
    days.break_redeliveries(busy, refused, Status(404, "Not Found"))
    good = days.fail(quiet, 30)

    for _ in range(4):
        days.github.rate_limit(remaining=150, reset_in=3000)
        days.run(verify=timedelta())
        days.pass_time(SCHEDULE)

    days.assert_delivered(good)
    assert not any("used up" in run.problem for run in days.runs)
