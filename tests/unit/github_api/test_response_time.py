"""How long GitHub's responses of a minute may take in total."""

import pytest

from redeliver.github_api.response_time import ResponseTime
from redeliver.github_api.throttle import Throttle
from tests.support.fakes import FakeTime


def test_responses_of_less_than_80_seconds_a_minute_need_no_wait() -> None:
    responses = ResponseTime(counts_for=61)
    for second in range(60):
        responses.add(1.33, second)

    assert responses.seconds_until_room(60) == 0


def test_80_seconds_a_minute_have_to_leave_the_minute() -> None:
    """A response counts for 61 seconds."""
    responses = ResponseTime(counts_for=61)
    responses.add(10, 100)
    responses.add(20, 110)
    responses.add(50, 120)

    assert responses.seconds_until_room(130) == 31
    assert responses.seconds_until_room(160.9) == pytest.approx(0.1)
    assert responses.seconds_until_room(161) == 0
    responses.add(10, 161)
    assert responses.seconds_until_room(161) == 10, "20 + 50 + 10 seconds, until the 20 have left"


def test_two_responses_may_have_to_leave_the_minute() -> None:
    """Without the first of three responses, 80 seconds are left, which is too many."""
    responses = ResponseTime(counts_for=61)
    for now in (100, 110, 120):
        responses.add(40, now)

    assert responses.seconds_until_room(130) == 110 + 61 - 130


@pytest.mark.parametrize("has_limits", [True, False, None], ids=["limits", "none", "unknown"])
def test_requests_wait_while_responses_take_too_long(*, has_limits: bool | None) -> None:
    """Requests for the checkpoint do not wait, and there is no limit on some servers."""
    time, said = FakeTime(), list[str]()
    throttle = Throttle(said.append, per_minute=75, clock=time, sleep=time.sleep)
    if has_limits is not None:
        throttle.learn_limits(has_limits=has_limits)

    for _ in range(8):
        throttle.wait(1)
        throttle.responded(10)
    throttle.wait(1, urgent=True)
    assert time.slept == []

    throttle.wait(1)
    assert time.slept == ([] if has_limits is False else [61])
    limit = "Waiting 61 s: GitHub limits how much CPU time its responses of a minute take"
    assert said == ([] if has_limits is False else [limit])


@pytest.mark.parametrize("has_limits", [True, False], ids=["limits", "none"])
def test_the_log_names_the_limit_that_takes_longest(*, has_limits: bool) -> None:
    """Responses allow the next request after 51 seconds, 75 redeliveries after 61."""
    time, said = FakeTime(), list[str]()
    throttle = Throttle(said.append, per_minute=75, clock=time, sleep=time.sleep)
    throttle.learn_limits(has_limits=has_limits)
    throttle.responded(79)
    time.sleep(10)
    for _ in range(75):
        throttle.wait_for_turn()
    throttle.responded(1)

    throttle.wait_for_turn()

    assert said == ["Waiting 61 s: the limit is 75 redeliveries per minute"]
