"""The secondary rate limit: points per minute."""

from dataclasses import replace
from datetime import timedelta

import pytest

from github_sandbox import Hook, InvalidBody, Sandbox, VirtualClock
from tests.sandbox.client import Client, deliveries, refusal

TOO_MANY_POINTS = (
    403,
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
)


@pytest.fixture
def points_per_minute() -> int:
    return 6


def read_log(client: Client, hook: Hook, *, times: int) -> list[int]:
    """Read a page of a log repeatedly, and return the status codes of the responses."""
    return [client.get(deliveries(hook)).status_code for _ in range(times)]


def test_a_minute_has_a_limited_number_of_points(client: Client, recorded_hook: Hook) -> None:
    assert read_log(client, recorded_hook, times=7) == [200] * 6 + [403]
    assert refusal(client.get(deliveries(recorded_hook))) == TOO_MANY_POINTS


def test_a_refusal_for_points_has_retry_after(client: Client, recorded_hook: Hook) -> None:
    """It has one even if the primary limit is not used up."""
    read_log(client, recorded_hook, times=6)

    headers = client.get(deliveries(recorded_hook)).headers

    assert headers["Retry-After"] == "60"
    assert headers["x-ratelimit-remaining"] == "4994"


@pytest.mark.parametrize(
    ("method", "points"),
    [
        *((method, 1) for method in ("GET", "HEAD", "OPTIONS")),
        *((method, 5) for method in ("POST", "PATCH", "PUT", "DELETE")),
    ],
)
def test_a_read_costs_one_point_and_a_write_five(client: Client, method: str, points: int) -> None:
    client.request(method, "/nowhere")

    codes = [client.get("/nowhere").status_code for _ in range(6)]

    assert codes == [404] * (6 - points) + [403] * points


def test_a_request_that_costs_too_much_is_refused_for_free(
    client: Client, recorded_hook: Hook
) -> None:
    """It has no effect, and cheaper requests can still use the points."""
    delivery = recorded_hook.record()
    read_log(client, recorded_hook, times=2)

    refused = client.redeliver(recorded_hook, delivery)
    client.github.settle()

    assert refusal(refused) == TOO_MANY_POINTS
    assert len(recorded_hook.log) == 1
    assert read_log(client, recorded_hook, times=5) == [200] * 4 + [403]


def test_points_come_back_a_minute_after_they_were_spent(
    client: Client, recorded_hook: Hook, clock: VirtualClock
) -> None:
    """Each point comes back a minute after its own request."""
    for _ in range(6):
        assert read_log(client, recorded_hook, times=1) == [200]
        clock.advance(timedelta(seconds=10))

    codes = []
    for _ in range(3):
        codes += read_log(client, recorded_hook, times=2)
        clock.advance(timedelta(seconds=10))

    assert codes == [200, 403] * 3


def test_a_request_right_after_retry_after_is_not_too_early(
    client: Client, recorded_hook: Hook, clock: VirtualClock
) -> None:
    read_log(client, recorded_hook, times=6)
    wait = client.get(deliveries(recorded_hook)).headers["Retry-After"]

    clock.advance(timedelta(seconds=int(wait)))

    assert read_log(client, recorded_hook, times=7) == [200] * 6 + [403]


def test_all_tokens_share_the_points(client: Client, recorded_hook: Hook) -> None:
    client.github.token("another", organization_hooks="read")
    read_log(client, recorded_hook, times=6)

    another = replace(client, token="another")

    assert refusal(another.get(deliveries(recorded_hook))) == TOO_MANY_POINTS


def test_reading_the_rate_limit_costs_a_point(client: Client) -> None:
    responses = [client.get("/rate_limit") for _ in range(7)]

    assert [response.status_code for response in responses] == [200] * 6 + [403]
    assert responses[5].json()["rate"]["remaining"] == 5000


def test_a_request_that_meets_a_fault_costs_its_points(client: Client, recorded_hook: Hook) -> None:
    client.github.inject(InvalidBody(), times=6)
    read_log(client, recorded_hook, times=6)

    assert refusal(client.get(deliveries(recorded_hook))) == TOO_MANY_POINTS


def test_points_are_unlimited_by_default(clock: VirtualClock) -> None:
    with Sandbox(clock=clock) as github:
        codes = [Client(github).post("/nowhere").status_code for _ in range(200)]

    assert set(codes) == {404}
