"""Runs every few minutes: no event waits because of another, and none is tried too often."""

from datetime import timedelta
from itertools import pairwise

import pytest

from github_sandbox import Fault, Hook, Status
from redeliver.core.decision import Verdict
from redeliver.core.outcome import Outcome
from tests.support.days import ACCEPTED_ONLY, DEAD_END, Days

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
EVERY = pytest.mark.parametrize("every", [MINUTE, 5 * MINUTE], ids=["a minute", "5 minutes"])

NEVER_DELIVERED: dict[str, tuple[Fault | None, timedelta]] = {
    "its receiver refuses it": (None, MINUTE),
    "GitHub refuses to redeliver it": (Status(422, "Unprocessable"), MINUTE),
    "GitHub accepts its redelivery and never makes it": (ACCEPTED_ONLY, 16 * MINUTE),
    "GitHub does not respond to its redelivery": (Status(502, "Bad Gateway"), 16 * MINUTE),
}
"""Why an event is never delivered, and the shortest time between two requests of it."""


@EVERY
@pytest.mark.parametrize("why", NEVER_DELIVERED)
def test_an_event_that_always_fails_keeps_no_other_waiting(
    days: Days, hook: Hook, every: timedelta, why: str
) -> None:
    """Each new failure is delivered by the next run."""
    days.receiver.behave(failing_events={"issues": 500})
    [bad] = days.fail(hook, event="issues", ago=MINUTE / 2)
    fault, shortest_pause = NEVER_DELIVERED[why]
    if fault:
        days.break_redeliveries(hook, [bad], fault)
    days.run(hook)
    good = []
    for _ in range(40):
        days.pass_time(every)
        [missed] = days.fail(hook, ago=MINUTE / 2)
        good.append(missed)
        run = days.run(hook)
        assert run.count(Outcome.RECOVERED) == 1, run.lines

    days.assert_delivered(good)
    ids = {str(number) for number in hook.ids_of(bad)}
    tried = [run.at for run in days.runs if ids & {post.path.split("/")[-2] for post in run.posts}]
    assert len(tried) > 1, "it is tried again"
    assert min(later - earlier for earlier, later in pairwise(tried)) >= shortest_pause


@EVERY
def test_an_event_that_always_fails_is_tried_about_hourly(
    days: Days, hook: Hook, every: timedelta
) -> None:
    """First with growing pauses, then every 45 minutes."""
    days.receiver.behave(failing_events={"issues": 500})
    [bad] = days.fail(hook, event="issues", ago=MINUTE / 2)
    runs = []
    for _ in range(5 * HOUR // every):
        days.pass_time(every)
        hook.record(status="OK", status_code=200)
        runs.append(days.run(hook, fail_unrecovered=True))

    tried = [run.at for run in runs if run.posts]
    pauses = [later - earlier for earlier, later in pairwise(tried)]
    assert pauses == sorted(pauses)
    assert pauses[0] <= 3 * every + MINUTE
    assert 45 * MINUTE <= pauses[-1] <= 45 * MINUTE + every
    assert len(tried) <= 14
    assert all(run.is_red for run in runs), "it is still failing, or waits"
    waiting = [line for run in runs for line in run.lines_about(bad) if "Deferred" in line]
    assert all(Verdict.WAITING.value in line for line in waiting)
    assert len(waiting) == len(runs) - len(tried)


@EVERY
def test_all_events_arrive_at_once_after_an_outage(
    days: Days, hook: Hook, every: timedelta
) -> None:
    """None of them waits, although all of them have failed many times."""
    days.receiver.behave(status=500)
    missed = []
    for number in range(2 * HOUR // every):
        days.pass_time(every)
        if number % 5 == 0:
            missed += days.fail(hook, ago=MINUTE / 2)
        days.run(hook)
    days.receiver.behave()
    days.pass_time(every)
    hook.record(status="OK", status_code=200)

    run = days.run(hook)

    assert run.count(Outcome.RECOVERED) == len(missed)
    days.assert_delivered(missed)


def test_runs_an_hour_apart_try_every_event(days: Days) -> None:
    hook = days.hook(DEAD_END)
    days.fail(hook, 3)

    runs = days.run_for(20 * HOUR, hook, every=HOUR - 10 * MINUTE)

    assert {len(run.posts) for run in runs} == {3}


@EVERY
def test_a_run_that_knows_all_outcomes_holds_no_other(
    days: Days, hook: Hook, every: timedelta
) -> None:
    """Somebody runs again at once: with the permission, or without `max-redeliveries`."""
    missed = days.fail(hook, 4)
    days.run(hook, max_redeliveries=1)
    days.break_redeliveries(hook, missed, Status(403, "Resource not accessible"))
    days.run(hook)
    days.github.mend()
    days.pass_time(every / 10)

    run = days.run(hook)

    assert run.count(Outcome.RECOVERED) == 3
    days.assert_delivered(missed)


@pytest.mark.parametrize("verify", [timedelta(), MINUTE / 2], ids=["0", "30s, and a late log"])
@pytest.mark.parametrize("fails", ["is never made", "fails"])
def test_new_unknown_outcomes_keep_no_old_event_waiting(
    days: Days, hook: Hook, verify: timedelta, fails: str
) -> None:
    """Every few minutes, a run ends without knowing the outcome of a new event's redelivery."""
    [old] = days.fail(hook)
    if fails == "fails":
        days.receiver.behave(status=500)
    else:
        days.break_redeliveries(hook, [old], ACCEPTED_ONLY)
    if verify:
        days.github.show_late(60)
    days.run(hook, verify=verify)
    days.github.mend()
    days.receiver.behave()
    good: list[str] = []
    started = days.clock()
    while not days.accepted[old]:
        assert days.clock() < started + 70 * MINUTE, days.runs[-1].lines
        for is_new in (True, False):
            days.pass_time(4 * MINUTE)
            good += days.fail(hook, ago=MINUTE / 2) if is_new else []
            days.run(hook, verify=verify)

    days.assert_delivered([old, *good])


@pytest.mark.parametrize("every", [MINUTE, 5 * MINUTE], ids=["a minute", "5 minutes"])
def test_max_redeliveries_with_unknown_outcomes_starves_nothing(
    days: Days, hook: Hook, every: timedelta
) -> None:
    missed = days.fail(hook, 4)

    days.run_for(100 * MINUTE, hook, every=every, verify=timedelta(), max_redeliveries=1)

    days.assert_delivered(missed)
