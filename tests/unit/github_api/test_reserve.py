"""Requests leave a part of the primary rate limit for what a run has to do later."""

import pytest

from redeliver.github_api.permissions import Permission
from redeliver.github_api.reserve import FOR_CHECKPOINT, FOR_REDELIVERIES, PrimaryLimit, Reserve
from redeliver.github_api.response import Response
from tests.support.fakes import FakeTime

RESET = 1_800_000_000


def a_limit(time: FakeTime, *remaining: int) -> PrimaryLimit:
    """Return a limit after responses with these numbers of remaining requests."""
    limit = PrimaryLimit(time)
    for number in remaining:
        limit.start()
        limit.end(a_response(number))
    return limit


def a_response(
    remaining: int | None, *, reset_in: int = 600, date: str = "Fri, 15 Jan 2027 08:00:00 GMT"
) -> Response:
    """Return a response that says that so many requests remain until the reset."""
    headers = {"date": date, "x-ratelimit-reset": str(RESET + reset_in)}
    if remaining is not None:
        headers["x-ratelimit-remaining"] = str(remaining)
    purpose = Permission(inputs="'hook-id'").to("read the log")
    return Response(purpose=purpose, status=200, headers=headers, text="[]")


@pytest.mark.parametrize(
    ("reserve", "first", "size"),
    [
        (FOR_CHECKPOINT, 5000, 20),
        (FOR_CHECKPOINT, 15, 5),
        (FOR_REDELIVERIES, 5000, 500),
        (FOR_REDELIVERIES, 600, 400),
        (FOR_REDELIVERIES, 15, 10),
    ],
)
def test_a_small_limit_has_small_reserves(reserve: Reserve, first: int, size: int) -> None:
    above, at = FakeTime(), FakeTime()

    assert a_limit(above, first, size + 1).start(reserve) is None
    assert a_limit(at, first, size).start(reserve) is not None


def test_nothing_is_kept_before_the_first_response() -> None:
    assert PrimaryLimit(FakeTime()).start(FOR_REDELIVERIES) is None


def test_a_github_without_limits_needs_no_reserve() -> None:
    limit = PrimaryLimit(FakeTime())
    limit.start()
    limit.end(a_response(None))

    assert limit.start(FOR_REDELIVERIES) is None


def test_other_requests_may_use_the_reserve() -> None:
    assert a_limit(FakeTime(), 5000, 1).start() is None


def test_a_request_is_refused_with_the_time_until_the_reset() -> None:
    time = FakeTime()
    limit = a_limit(time, 5000, 20)
    time.now += 100

    refused = limit.start(FOR_CHECKPOINT)

    assert refused
    assert (refused[0].remaining, refused[1]) == (20, 501)


def test_nothing_is_kept_once_the_limit_has_been_reset() -> None:
    time = FakeTime()
    limit = a_limit(time, 5000, 20)

    time.now += 600
    assert limit.start(FOR_CHECKPOINT) is not None, "times are rounded to seconds"
    time.now += 1
    assert limit.start(FOR_CHECKPOINT) is None


def test_requests_that_are_under_way_use_the_limit() -> None:
    """Eight threads together send no more than the reserve allows."""
    limit = a_limit(FakeTime(), 5000, 25)

    begun = [limit.start(FOR_CHECKPOINT) is None for _ in range(8)]
    assert begun == [True] * 5 + [False] * 3

    # The server has counted the five requests, and their responses arrive in another order.
    for remaining in (20, 24, 22, 21, 23):
        limit.end(a_response(remaining))
    assert limit.start(FOR_CHECKPOINT)


def test_a_request_without_a_response_may_count() -> None:
    limit = a_limit(FakeTime(), 5000, 22)

    for _ in range(2):
        assert limit.start(FOR_CHECKPOINT) is None
        limit.end(None)

    assert limit.start(FOR_CHECKPOINT), "20 remain, or 22"


def test_the_largest_limit_that_was_seen_decides_the_reserve() -> None:
    time = FakeTime()
    limit = a_limit(time, 30, 25, 12)
    assert limit.start(FOR_CHECKPOINT) is None, "a third of 30 is 10"

    limit.end(a_response(5000, reset_in=3600))
    limit.start()
    limit.end(a_response(21, reset_in=3600))
    assert limit.start(FOR_CHECKPOINT) is None
    assert limit.start(FOR_CHECKPOINT), "a larger limit was seen"


@pytest.mark.parametrize(("later", "is_same"), [(59, True), (60, False)])
def test_resets_less_than_a_minute_apart_are_one(later: int, *, is_same: bool) -> None:
    """Then the limit was not reset in between, and the smaller number of requests remains."""
    limit = a_limit(FakeTime(), 5000, 20)

    limit.start(None)
    limit.end(a_response(5000, reset_in=600 + later))

    assert (limit.start(FOR_CHECKPOINT) is not None) is is_same


def test_a_response_without_a_valid_date_tells_nothing() -> None:
    limit = a_limit(FakeTime(), 5000)
    limit.start()
    limit.end(a_response(0, date="yesterday"))

    assert limit.start(FOR_CHECKPOINT) is None
