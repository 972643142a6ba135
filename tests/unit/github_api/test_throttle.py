"""Requests go as fast as GitHub's rate limits allow, and no faster."""

import math
from threading import Thread

import pytest

from redeliver.github_api.throttle import Throttle
from tests.support.fakes import FakeTime

PER_MINUTE = 75


def a_throttle(
    time: FakeTime, *, per_minute: int = PER_MINUTE, said: list[str] | None = None
) -> Throttle:
    said = [] if said is None else said
    return Throttle(said.append, per_minute=per_minute, clock=time, sleep=time.sleep)


def turns(throttle: Throttle, time: FakeTime, number: int) -> list[float]:
    """Wait for turns, and return when each came, in seconds since the first."""
    times = list[float]()
    for _ in range(number):
        throttle.wait_for_turn()
        times.append(time.now)
    return [at - times[0] for at in times]


def test_a_minutes_redeliveries_go_at_full_speed() -> None:
    time, said = FakeTime(), list[str]()
    throttle = a_throttle(time, said=said)

    for _ in range(PER_MINUTE):
        assert throttle.seconds_until_turn() == 0
        throttle.wait_for_turn()
    assert (time.slept, said) == ([], [])

    time.now += 20
    assert throttle.seconds_until_turn() == 41
    throttle.wait_for_turn()
    assert time.slept == [41]
    assert said == ["Waiting 41 s: the limit is 75 redeliveries per minute"]


def test_a_wait_names_the_points_if_these_are_what_limits() -> None:
    """860 points are 172 redeliveries, less than the 180 that the user allows."""
    time, said = FakeTime(), list[str]()
    throttle = a_throttle(time, per_minute=180, said=said)

    turns(throttle, time, 173)

    assert time.slept == [61]
    assert said[0].startswith("Waiting 61 s: redeliver uses at most 860 points of GitHub's rate")


@pytest.mark.parametrize(
    ("per_minute", "seconds"), [(60, 61 / 60), (30, 61 / 30), (10, 6.1), (1, 61)]
)
def test_up_to_60_redeliveries_a_minute_are_sent_evenly(per_minute: int, seconds: float) -> None:
    time, said = FakeTime(), list[str]()
    throttle = a_throttle(time, per_minute=per_minute, said=said)

    assert turns(throttle, time, 100) == pytest.approx([seconds * index for index in range(100)])
    limit = f"the limit is {per_minute} redeliveries per minute"
    assert said == [f"Requesting a redelivery every {seconds:.1f} s: {limit}"]


def test_more_than_60_redeliveries_a_minute_are_sent_at_once() -> None:
    time = FakeTime()
    throttle = a_throttle(time, per_minute=61)

    for _ in range(62):
        throttle.wait_for_turn()

    assert time.slept == [61]


def test_only_redeliveries_are_sent_evenly() -> None:
    time = FakeTime()
    throttle = a_throttle(time, per_minute=10)

    throttle.wait_for_turn()
    time.now += 1
    throttle.wait(1)
    assert time.slept == []

    time.now += 1
    assert throttle.seconds_until_turn() == pytest.approx(4.1)
    time.now += 10
    assert throttle.seconds_until_turn() == 0


def test_no_minute_has_more_redeliveries_than_allowed() -> None:
    time, times = FakeTime(), list[float]()
    throttle = a_throttle(time)

    for _ in range(5 * PER_MINUTE):
        throttle.wait_for_turn()
        times.append(time.now)
        time.now += 0.3

    assert all(
        later - earlier >= 60 for earlier, later in zip(times, times[PER_MINUTE:], strict=False)
    )


def test_a_slow_run_is_never_held_up() -> None:
    time = FakeTime()
    throttle = a_throttle(time)

    for _ in range(3 * PER_MINUTE):
        throttle.wait_for_turn()
        time.now += 1

    assert time.slept == []


@pytest.mark.parametrize("share_of_reads", [0, 0.5, 0.9, 1])
def test_no_minute_has_more_points_than_github_allows(share_of_reads: float) -> None:
    time, spent = FakeTime(), list[tuple[float, int]]()
    throttle = a_throttle(time, per_minute=0)

    for number in range(4000):
        if number % 10 < 10 * share_of_reads:
            throttle.wait(1)
            spent.append((time.now, 1))
        else:
            throttle.wait_for_turn()
            spent.append((time.now, 5))
        time.now += 0.01

    for start, _ in spent[::50]:
        within = sum(points for at, points in spent if start <= at < start + 60)
        assert within <= 860
    # It nearly reaches the limit: the first 860 go at once, then as many each minute.
    minutes = math.ceil(sum(points for _, points in spent) / 860)
    assert time.now - 1000 < minutes * 61 + 5


def test_reading_waits_for_points_but_not_for_redeliveries() -> None:
    time, said = FakeTime(), list[str]()
    throttle = a_throttle(time, said=said)

    for _ in range(PER_MINUTE):
        throttle.wait_for_turn()
    for _ in range(860 - 75 * 5):
        throttle.wait(1)
    assert time.slept == []

    throttle.wait(1)
    assert time.slept == [61]
    (line,) = said
    assert line == (
        "Waiting 61 s: redeliver uses at most 860 points of GitHub's rate limit per minute "
        "(a read costs 1, a redelivery 5)"
    )


def test_an_urgent_request_has_points_of_its_own() -> None:
    time = FakeTime()
    throttle = a_throttle(time, per_minute=0)
    for _ in range(860 // 5):
        throttle.wait_for_turn()

    for _ in range(20):
        throttle.wait(1, urgent=True)
    assert time.slept == []
    throttle.wait(1, urgent=True)
    assert time.slept == [61], "these points run out, too"


def test_an_urgent_request_in_a_hurry_does_not_wait() -> None:
    time = FakeTime()
    throttle = a_throttle(time)
    throttle.hold(60, "a rate limit", is_too_fast=True)
    time.now -= 60

    throttle.hurry()
    throttle.wait(5, urgent=True)

    assert time.slept == [60], "it has not slept again"
    assert throttle.seconds_until_turn() == 60, "other requests still wait"


def test_a_short_wait_is_not_logged() -> None:
    time, said = FakeTime(), list[str]()
    throttle = a_throttle(time, said=said)

    evenly = 61 / 860
    for seconds in (0.99 * evenly, 0.9 * evenly):  # faster once the points are used up
        for _ in range(860):
            throttle.wait(1)
            time.now += seconds

    assert len(time.slept) > 100
    assert said == []


@pytest.mark.parametrize(("seconds", "is_logged"), [(0.99, False), (1, True)])
def test_a_wait_of_a_second_or_more_is_logged(seconds: float, *, is_logged: bool) -> None:
    time, said = FakeTime(), list[str]()
    throttle = a_throttle(time, per_minute=1, said=said)
    throttle.wait_for_turn()
    time.now += 61 - seconds

    throttle.wait_for_turn()

    assert time.slept == [pytest.approx(seconds)]
    assert bool(said) is is_logged


def test_only_the_users_limit_holds_if_github_has_none() -> None:
    time = FakeTime()
    unlimited, usual = a_throttle(time, per_minute=0), a_throttle(time)
    for throttle in (unlimited, usual):
        throttle.learn_limits(has_limits=False)
        for _ in range(10 * 860):
            throttle.wait(1)

    for _ in range(PER_MINUTE):
        unlimited.wait_for_turn()
        usual.wait_for_turn()
    assert time.slept == []

    unlimited.wait_for_turn()
    assert time.slept == []
    usual.wait_for_turn()
    assert time.slept == [61]


def test_limits_that_were_seen_once_stay() -> None:
    time = FakeTime()
    throttle = a_throttle(time, per_minute=0)
    for has_limits in (False, True, False):
        throttle.learn_limits(has_limits=has_limits)

    for _ in range(861):
        throttle.wait(1)

    assert time.slept == [61]


def test_threads_share_the_limits() -> None:
    time = FakeTime()
    throttle = a_throttle(time, per_minute=0)

    def read() -> None:
        for _ in range(100):
            throttle.wait(1)

    threads = [Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(60):
        throttle.wait(1)
    assert time.slept == []

    throttle.wait(1)
    assert time.slept == [61]


def test_a_wait_for_github_is_logged_first() -> None:
    time, said = FakeTime(), list[str]()

    assert a_throttle(time, said=said).back_off(2, "GitHub responded 502")

    assert time.slept == [2]
    assert said == ["Waiting 2.0 s before the next request: GitHub responded 502"]


def test_the_wait_budget_is_for_all_waits_together() -> None:
    time, said = FakeTime(), list[str]()
    throttle = a_throttle(time, said=said)

    assert throttle.back_off(290, "a broken response")
    assert not throttle.hold(11, "a rate limit", is_too_fast=False)
    assert throttle.back_off(10, "a broken response"), "the wait that was too long did not count"
    assert len(said) == len(time.slept) == 2


def test_simultaneous_waits_count_once() -> None:
    time, said = FakeTime(), list[str]()
    asleep = list[float]()
    throttle = Throttle(said.append, per_minute=PER_MINUTE, clock=time, sleep=asleep.append)

    for _ in range(8):
        assert throttle.hold(60, "a rate limit", is_too_fast=True)
        time.now += 0.01

    assert (len(asleep), len(said)) == (8, 1)
    time.now += 60
    assert throttle.back_off(239, "a broken response")


def test_time_without_a_response_uses_the_wait_budget() -> None:
    time = FakeTime()
    throttle = a_throttle(time)

    for _ in range(10):
        start = throttle.now()
        time.now += 30
        throttle.charge_since(start)
    assert not throttle.has_waited_too_long
    assert not throttle.back_off(0.1, "a broken response")

    start = throttle.now()
    time.now += 0.1
    throttle.charge_since(start)
    assert throttle.has_waited_too_long


def test_a_plan_ends_after_150_seconds_without_responses() -> None:
    time = FakeTime()
    throttle = a_throttle(time)

    for seconds, is_too_long in ((149.5, False), (0.5, True)):
        start = throttle.now()
        time.now += seconds
        throttle.charge_since(start)
        assert throttle.has_planned_too_long is is_too_long


def test_a_wait_budget_that_is_just_used_up_is_not_exceeded() -> None:
    """The request for which the run has waited must still be sent."""
    throttle = a_throttle(FakeTime())

    assert throttle.back_off(300, "a rate limit")

    assert not throttle.has_waited_too_long


def test_waits_that_overlap_count_once() -> None:
    """Seconds 0 to 100 and 200 to 300 count, whichever part of them is counted first."""
    time = FakeTime()
    throttle = a_throttle(time)

    for start, end in ((40, 60), (59.5, 61), (210, 290), (30, 50), (0, 100), (0, 100), (200, 300)):
        time.now = 1000.0 + end
        throttle.charge_since(1000.0 + start)

    time.now = 2000.0
    assert throttle.back_off(100, "a rate limit")
    assert not throttle.back_off(0.1, "a rate limit")


def test_a_secondary_limit_stops_all_then_halves_the_rate() -> None:
    time, said = FakeTime(), list[str]()
    asleep = list[float]()
    throttle = Throttle(said.append, per_minute=PER_MINUTE, clock=time, sleep=asleep.append)
    throttle.hold(60, "a rate limit", is_too_fast=True)
    throttle.hold(59, "a rate limit", is_too_fast=True)
    assert throttle.seconds_until_turn() == 60

    time.now += 60
    assert throttle.seconds_until_turn() == 0
    throttle.wait_for_turn()
    assert throttle.seconds_until_turn() == pytest.approx(61 / 37)

    throttle.hold(60, "a rate limit", is_too_fast=True)
    time.now += 60
    assert throttle.seconds_until_turn() == 0
    throttle.wait_for_turn()
    assert throttle.seconds_until_turn() == pytest.approx(61 / 18)


def test_a_wait_in_seven_parts_is_logged_once() -> None:
    time, said = FakeTime(), list[str]()
    throttle = Throttle(
        said.append, per_minute=61, clock=time, sleep=lambda seconds: time.sleep(min(seconds, 10))
    )

    for _ in range(62):
        throttle.wait_for_turn()

    assert time.slept == [10] * 6 + [1]
    assert len(said) == 1


def test_a_wait_for_githubs_own_limit_is_logged_once() -> None:
    """A thread waits 60 s for the limit, and another one, which begins later, for the last 30."""
    time, said = FakeTime(), list[str]()
    throttle = a_throttle(time, said=said)
    throttle.hold(60, "a rate limit", is_too_fast=False)
    time.now -= 30

    throttle.wait(1)

    assert time.slept == [60, 30]
    assert said == ["Waiting 60.0 s before the next request: a rate limit"]


def test_a_redelivery_waits_until_five_reads_no_longer_count() -> None:
    """The first of 860 reads was at second 1000, and the fifth 0.04 s later."""
    time = FakeTime()
    throttle = a_throttle(time)

    for _ in range(860):
        throttle.wait(1)
        time.now += 0.01

    assert throttle.seconds_until_turn() == pytest.approx(1000.04 + 61 - time.now)


def test_after_a_secondary_limit_39_redeliveries_have_to_expire() -> None:
    """75 count, and 37 are allowed now. The 39th was 3.8 s after the first."""
    time = FakeTime()
    throttle = a_throttle(time)
    for _ in range(PER_MINUTE):
        throttle.wait_for_turn()
        time.now += 0.1

    throttle.hold(1, "a rate limit", is_too_fast=True)

    assert throttle.seconds_until_turn() == pytest.approx(1003.8 + 61 - time.now)


def test_a_secondary_limit_does_not_count_redeliveries_for_reads() -> None:
    """75 redeliveries are more than the 37 that are allowed now, but 375 points are enough."""
    time = FakeTime()
    throttle = a_throttle(time)
    for _ in range(PER_MINUTE):
        throttle.wait_for_turn()
    throttle.hold(60, "a rate limit", is_too_fast=True)

    throttle.wait(1)

    assert time.slept == [60]


def test_after_a_secondary_limit_redeliveries_are_sent_evenly() -> None:
    time, said = FakeTime(), list[str]()
    throttle = a_throttle(time, said=said)
    throttle.hold(60, "a rate limit", is_too_fast=True)

    assert turns(throttle, time, 75) == pytest.approx([61 / 37 * index for index in range(75)])
    assert said[1:] == [
        "Requesting a redelivery every 1.6 s: the limit is 37 redeliveries per minute"
    ]


def test_a_secondary_limit_proves_that_there_are_limits() -> None:
    time = FakeTime()
    throttle = a_throttle(time, per_minute=0)
    throttle.learn_limits(has_limits=False)

    throttle.hold(60, "a rate limit", is_too_fast=True)
    for _ in range(860 // 2 // 5 + 1):
        throttle.wait_for_turn()

    assert time.slept == [60, 61]


def test_a_primary_limit_does_not_reduce_the_rate() -> None:
    time = FakeTime()
    throttle = a_throttle(time)

    throttle.hold(60, "the rate limit is used up", is_too_fast=False)
    for _ in range(PER_MINUTE):
        throttle.wait_for_turn()

    assert time.slept == [60]


def test_the_rate_is_never_below_one_a_minute() -> None:
    time = FakeTime()
    throttle = a_throttle(time, per_minute=1)

    for _ in range(4):
        throttle.hold(60, "a rate limit", is_too_fast=True)
    for _ in range(3):
        throttle.wait_for_turn()

    assert time.slept[4:] == [61, 61]


def test_the_rate_is_halved_three_times_at_most() -> None:
    time, said = FakeTime(), list[str]()
    throttle = a_throttle(time, said=said)

    for _ in range(9):
        throttle.hold(7, "a rate limit", is_too_fast=True)
    assert time.slept == [7] * 9
    assert ["half as fast" in line for line in said] == [True] * 3 + [False] * 6
    assert turns(throttle, time, 19) == pytest.approx([61 / 9 * index for index in range(19)])
