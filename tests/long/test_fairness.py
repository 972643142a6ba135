"""Runs that are cut, or in which some events keep failing: every other event gets its turn."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeAlias

import pytest

from github_sandbox import Hook, Status
from redeliver.core.outcome import Outcome
from tests.support.days import ACCEPTED_ONLY, DEAD_END, SCHEDULE, Days

DAY = timedelta(days=1)
BAD_GATEWAY = Status(502, "Bad Gateway")
FAULTS = pytest.mark.parametrize(
    "fault", [BAD_GATEWAY, ACCEPTED_ONLY, Status(422, "Cannot")], ids=["502", "202", "422"]
)

Missed: TypeAlias = tuple[list[str], list[str]]
"""Events whose redelivery never works, and good ones."""


def bad_first(days: Days, hook: Hook, bad: int, good: int) -> Missed:
    return days.fail(hook, bad, ago=timedelta(minutes=9)), days.fail(hook, good)


def bad_last(days: Days, hook: Hook, bad: int, good: int) -> Missed:
    good_ones = days.fail(hook, good, ago=timedelta(minutes=9))
    return days.fail(hook, bad), good_ones


def bad_around(days: Days, hook: Hook, bad: int, good: int) -> Missed:
    before = days.fail(hook, bad // 2, ago=timedelta(minutes=9))
    good_ones = days.fail(hook, good, ago=timedelta(minutes=7))
    return before + days.fail(hook, bad - bad // 2), good_ones


PLACES = pytest.mark.parametrize("place", [bad_first, bad_last, bad_around])
Place: TypeAlias = Callable[[Days, Hook, int, int], Missed]


def assert_named_in_red(days: Days, guids: list[str]) -> None:
    """Check that the last run that saw each event named it and was red."""
    for guid in guids:
        *_, last = (run for run in days.runs if run.lines_about(guid))
        assert last.is_red, guid


@pytest.mark.parametrize("kill", [False, True], ids=["rate limit", "kill"])
def test_cut_runs_try_all_events_about_equally(days: Days, *, kill: bool) -> None:
    """60 events of a dead receiver, five good ones of another, each run cut at 20."""
    dead, alive = days.hook(DEAD_END), days.hook()
    doomed = days.fail(dead, 60, ago=timedelta(minutes=9))
    good = days.fail(alive, 5)
    days.run_cut_at(20, kill=kill)

    days.assert_delivered(good)
    for number in range(1, 12):
        days.pass_time(SCHEDULE)
        days.run_cut_at(20, kill=kill)
        tries = days.requested(doomed, dead).values()
        assert max(tries) - min(tries) <= 3
        assert min(tries) >= number // 5, "at least ten places go to those with the fewest attempts"
    days.run_for(DAY)
    days.assert_given_up(doomed)


def test_cut_runs_begin_with_different_webhooks(days: Days) -> None:
    """Each of five webhooks has an event that always fails, and each run is cut at two."""
    for hook in [days.hook() for _ in range(5)]:
        days.break_redeliveries(hook, days.fail(hook), ACCEPTED_ONLY)
    good = days.fail(days.hook())
    for _ in range(12):
        days.run_cut_at(2)
        days.pass_time(SCHEDULE)

    days.assert_delivered(good)


@FAULTS
@PLACES
def test_thirteen_that_always_fail_stop_no_other_event(
    days: Days, hook: Hook, fault: Status, place: Place
) -> None:
    """Without a limit, the first run delivers all others."""
    bad, good = place(days, hook, 13, 10)
    days.break_redeliveries(hook, bad, fault)
    days.run(hook, fail_unrecovered=True)

    days.assert_delivered(good)
    days.run_for(4 * DAY, hook, fail_unrecovered=True)
    days.assert_delivered(good)
    assert_named_in_red(days, bad)
    assert not days.runs[-1].is_red


@FAULTS
@PLACES
def test_a_handful_does_not_use_up_max_redeliveries(
    days: Days, hook: Hook, fault: Status, place: Place
) -> None:
    """Three that always fail, with a limit of three."""
    bad, good = place(days, hook, 3, 10)
    days.break_redeliveries(hook, bad, fault)
    runs = [days.run(hook, max_redeliveries=3, fail_unrecovered=True)]
    runs += days.run_for(4 * DAY, hook, max_redeliveries=3, fail_unrecovered=True)

    days.assert_delivered(good)
    assert_named_in_red(days, bad)
    assert all(run.count(Outcome.RECOVERED) + run.count(Outcome.PENDING) <= 3 for run in runs)


@FAULTS
@PLACES
def test_a_handful_does_not_use_up_runs_that_are_cut(
    days: Days, hook: Hook, fault: Status, place: Place
) -> None:
    """Three that always fail, and every run is cut at its third request."""
    bad, good = place(days, hook, 3, 10)
    days.break_redeliveries(hook, bad, fault)
    for _ in range(13):
        days.run_cut_at(3, hook, fail_unrecovered=True)
        days.pass_time(SCHEDULE)

    days.assert_delivered(good)
    assert_named_in_red(days, bad)


@pytest.mark.parametrize("code", [403, 404, 409, 422, 451])
@pytest.mark.parametrize(
    ("before", "after"), [(0, 6), (3, 3), (0, 0)], ids=["head", "middle", "only"]
)
def test_one_delivery_that_is_always_denied_stops_no_other(
    days: Days, hook: Hook, code: int, before: int, after: int
) -> None:
    """A 4xx is a refusal of that one delivery, also if it could mean a missing right."""
    good = days.fail(hook, before, ago=timedelta(minutes=9))
    denied = days.fail(hook, ago=timedelta(minutes=7))
    good += days.fail(hook, after)
    days.break_redeliveries(hook, denied, Status(code, "No"))
    first = days.run(hook, fail_unrecovered=True)

    assert first.count(Outcome.REFUSED) == 1
    assert first.is_red
    assert sorted(days.accepted) == sorted(good)
    days.pass_time(SCHEDULE)
    good += days.fail(hook, 3)
    days.run_for(4 * DAY, hook, fail_unrecovered=True)
    days.assert_delivered(good)
    assert_named_in_red(days, denied)


@pytest.mark.parametrize("poison", [6, 40])
def test_a_probe_among_poison_events_delivers_good_ones(
    days: Days, hook: Hook, poison: int
) -> None:
    """Their receiver rejects the poison events whenever they are redelivered."""
    days.receiver.behave(failing_events={"issues": 500})
    days.fail(hook, poison, event="issues")
    days.run_for(DAY, hook)
    good = []
    for _ in range(6):
        days.pass_time(SCHEDULE)
        good += days.fail(hook, 2, event="push")
        run = days.run(hook, probe=5)

        assert any(line.startswith("Probe: ") for line in run.lines)
        days.assert_delivered(good)
