"""The secondary rate limit: points per minute."""

from dataclasses import replace
from datetime import timedelta

import pytest

from github_sandbox import Garbage, Hook, Sandbox, VirtualClock
from tests.sandbox.client import Client, deliveries, refusal

TOO_MANY_POINTS = (
    403,
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
)


@pytest.fixture
def points_per_minute() -> int:
    return 6


def test_a_minute_has_only_so_many_points(client: Client, recorded_hook: Hook) -> None:
    answers = [client.get(deliveries(recorded_hook)) for _ in range(8)]

    assert [each.status_code for each in answers] == [200] * 6 + [403] * 2
    assert refusal(answers[6]) == TOO_MANY_POINTS


def test_a_refusal_for_points_has_retry_after(client: Client, recorded_hook: Hook) -> None:
    """Even if the primary limit has requests left."""
    for _ in range(6):
        client.get(deliveries(recorded_hook))

    headers = client.get(deliveries(recorded_hook)).headers

    assert headers["Retry-After"] == "60"
    assert headers["x-ratelimit-remaining"] == "4994"


@pytest.mark.parametrize(
    ("method", "left"),
    [
        *((method, 5) for method in ("GET", "HEAD", "OPTIONS")),
        *((method, 1) for method in ("POST", "PATCH", "PUT", "DELETE")),
    ],
)
def test_a_read_costs_one_point_and_a_write_five(client: Client, method: str, left: int) -> None:
    client.request(method, "/nowhere")

    codes = [client.get("/nowhere").status_code for _ in range(6)]

    assert codes == [404] * left + [403] * (6 - left)


def test_a_request_that_costs_too_much_is_refused_for_free(
    client: Client, recorded_hook: Hook
) -> None:
    """It is not done, and leaves the points to smaller requests."""
    delivery = recorded_hook.record()
    for _ in range(2):
        client.get(deliveries(recorded_hook))

    refused = client.redeliver(recorded_hook, delivery)
    client.github.settle()

    assert refusal(refused) == TOO_MANY_POINTS
    assert len(recorded_hook.log) == 1
    assert [client.get(deliveries(recorded_hook)).status_code for _ in range(5)] == [200] * 4 + [
        403
    ]


def test_points_come_back_a_minute_after_they_were_spent(
    client: Client, recorded_hook: Hook, clock: VirtualClock
) -> None:
    """One by one, as they were spent."""
    for _ in range(6):
        assert client.get(deliveries(recorded_hook)).status_code == 200
        clock.advance(timedelta(seconds=10))

    codes = []
    for _ in range(3):
        codes += [client.get(deliveries(recorded_hook)).status_code for _ in range(2)]
        clock.advance(timedelta(seconds=10))

    assert codes == [200, 403] * 3


def test_a_request_right_after_retry_after_is_not_too_early(
    client: Client, recorded_hook: Hook, clock: VirtualClock
) -> None:
    for _ in range(6):
        client.get(deliveries(recorded_hook))
    wait = client.get(deliveries(recorded_hook)).headers["Retry-After"]

    clock.advance(timedelta(seconds=int(wait)))

    assert [client.get(deliveries(recorded_hook)).status_code for _ in range(7)] == [200] * 6 + [
        403
    ]


def test_all_tokens_share_the_points(client: Client, recorded_hook: Hook) -> None:
    client.github.token("another", organization_hooks="read")
    for _ in range(6):
        client.get(deliveries(recorded_hook))

    another = replace(client, token="another")

    assert refusal(another.get(deliveries(recorded_hook))) == TOO_MANY_POINTS


def test_reading_the_rate_limit_costs_a_point(client: Client) -> None:
    answers = [client.get("/rate_limit") for _ in range(7)]

    assert [each.status_code for each in answers] == [200] * 6 + [403]
    assert answers[5].json()["rate"]["remaining"] == 5000


def test_a_request_that_meets_a_fault_costs_its_points(client: Client, recorded_hook: Hook) -> None:
    client.github.inject(Garbage(), times=6)
    for _ in range(6):
        client.get(deliveries(recorded_hook))

    assert refusal(client.get(deliveries(recorded_hook))) == TOO_MANY_POINTS


def test_points_are_unlimited_by_default(clock: VirtualClock) -> None:
    with Sandbox(clock=clock) as github:
        codes = [Client(github).post("/nowhere").status_code for _ in range(200)]

    assert set(codes) == {404}
