"""The primary rate limit, and a server that has none."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest

from github_sandbox import Hook, Installation, Meanwhile, Sandbox, Status, VirtualClock
from tests.sandbox.client import (
    TOKEN,
    VARIABLES,
    Client,
    deliveries,
    installation_client,
    issue_token,
    refusal,
)


@pytest.fixture
def unlimited(clock: VirtualClock) -> Iterator[Client]:
    with Sandbox(clock=clock, rate_limits=False) as github:
        github.token(TOKEN, organization_hooks="write")
        yield Client(github)


def test_a_request_of_any_token_counts_against_one_limit(
    client: Client, recorded_hook: Hook
) -> None:
    client.github.token("another", organization_hooks="read")

    first = client.get(deliveries(recorded_hook))
    second = Client(client.github, "another").get(deliveries(recorded_hook))

    assert first.headers["x-ratelimit-remaining"] == "4999"
    assert second.headers["x-ratelimit-remaining"] == "4998"
    assert second.headers["x-ratelimit-used"] == "2"


def test_a_used_up_limit_refuses_requests_until_the_reset(
    client: Client, recorded_hook: Hook, clock: VirtualClock
) -> None:
    client.github.rate_limit(remaining=1, reset_in=60)
    delivery = recorded_hook.record()

    assert client.get(deliveries(recorded_hook)).status_code == 200
    refused = client.redeliver(recorded_hook, delivery)
    client.github.settle()

    assert refused.status_code == 403
    assert refused.json()["message"] == "API rate limit exceeded for user ID 1."
    assert refused.headers["x-ratelimit-remaining"] == "0"
    reset = clock() + timedelta(seconds=60)
    assert refused.headers["x-ratelimit-reset"] == str(int(reset.timestamp()))
    assert len(recorded_hook.log) == 1

    clock.advance(timedelta(seconds=60))
    again = client.get(deliveries(recorded_hook))

    assert again.status_code == 200
    assert again.headers["x-ratelimit-remaining"] == "4999"


def test_a_request_right_at_the_reset_is_not_too_early(
    client: Client, recorded_hook: Hook, clock: VirtualClock
) -> None:
    clock.advance(timedelta(milliseconds=250))
    client.github.rate_limit(remaining=0, reset_in=60)
    reset = int(client.get(deliveries(recorded_hook)).headers["x-ratelimit-reset"])

    clock.advance(datetime.fromtimestamp(reset, UTC) - clock())

    assert client.get(deliveries(recorded_hook)).status_code == 200


def test_the_reset_is_never_in_the_past(
    client: Client, recorded_hook: Hook, clock: VirtualClock
) -> None:
    client.get(deliveries(recorded_hook))
    client.github.inject(Status(502))
    clock.advance(timedelta(hours=5))

    headers = client.get(deliveries(recorded_hook)).headers

    assert headers["x-ratelimit-remaining"] == "5000"
    assert int(headers["x-ratelimit-reset"]) > clock().timestamp()


def test_the_clock_can_move_in_the_middle_of_a_request(
    client: Client, recorded_hook: Hook, clock: VirtualClock
) -> None:
    client.github.rate_limit(remaining=0, reset_in=60)
    client.github.inject(Meanwhile(lambda: clock.advance(timedelta(hours=5))))

    response = client.get(deliveries(recorded_hook))

    assert response.status_code == 200
    assert parsedate_to_datetime(response.headers["Date"]) == clock()


@pytest.mark.parametrize("prefix", ["", "/api/v3"])
def test_reading_the_rate_limit_costs_nothing(client: Client, prefix: str) -> None:
    client.github.rate_limit(remaining=1, reset_in=60)
    client.get("/orgs/acme/hooks")

    for _ in range(2):
        response = replace(client, prefix=prefix).get("/rate_limit")

        reset = int(response.headers["x-ratelimit-reset"])
        rate = {"limit": 5000, "used": 5000, "remaining": 0, "reset": reset}
        assert response.status_code == 200
        assert response.json()["rate"] == response.json()["resources"]["core"] == rate


def test_the_rate_limit_is_full_again_after_the_reset(client: Client, clock: VirtualClock) -> None:
    client.github.rate_limit(remaining=0, reset_in=60)
    clock.advance(timedelta(hours=3))

    rate = client.get("/rate_limit").json()["rate"]

    in_an_hour = int((clock() + timedelta(hours=1)).timestamp())
    assert rate == {"limit": 5000, "used": 0, "remaining": 5000, "reset": in_an_hour}


def test_installation_tokens_share_the_limit_with_others(
    as_app: Client, acme: Installation, client: Client
) -> None:
    before = int(client.get(VARIABLES).headers["x-ratelimit-remaining"])
    after = installation_client(as_app, acme).get(VARIABLES).headers["x-ratelimit-remaining"]

    assert int(after) == before - 1


def test_a_request_with_a_jwt_does_not_count(
    as_app: Client, acme: Installation, client: Client
) -> None:
    """Its response does not show the limit, even if the request is refused."""
    client.github.rate_limit(remaining=0, reset_in=60)
    responses = [
        as_app.get("/app"),
        issue_token(as_app, acme),
        as_app.get("/orgs/nobody/installation"),
        replace(as_app, token="eyJ.a.b").get("/app"),
    ]

    assert [response.status_code for response in responses] == [200, 201, 404, 401]
    for response in responses:
        assert not [name for name in response.headers if name.lower().startswith("x-ratelimit")]
    assert client.get("/rate_limit").json()["resources"]["core"]["used"] == 5000
    assert client.get(VARIABLES).status_code == 403


def test_a_server_without_rate_limits_has_no_headers_of_them(unlimited: Client) -> None:
    hook = unlimited.github.org("acme").hook("http://127.0.0.1:9/hook")
    responses = [
        unlimited.get(deliveries(hook)),
        unlimited.redeliver(hook, hook.record()),
        unlimited.get("/nowhere"),
        replace(unlimited, token=None).get(deliveries(hook)),
    ]

    assert [response.status_code for response in responses] == [200, 202, 404, 401]
    for response in responses:
        assert not [name for name in response.headers if name.lower().startswith("x-ratelimit")]
        assert "x-github-request-id" in response.headers


@pytest.mark.parametrize("prefix", ["", "/api/v3"])
def test_a_server_without_rate_limits_does_not_show_any(unlimited: Client, prefix: str) -> None:
    response = replace(unlimited, prefix=prefix).get("/rate_limit")

    assert refusal(response) == (404, "Rate limiting is not enabled.")
    assert replace(unlimited, token="wrong").get("/rate_limit").status_code == 401


def test_a_server_without_rate_limits_cannot_be_given_one(unlimited: Client) -> None:
    with pytest.raises(ValueError, match="without rate limits"):
        unlimited.github.rate_limit(remaining=1, reset_in=60)
    with pytest.raises(ValueError, match="without rate limits"):
        Sandbox(rate_limits=False, points_per_minute=900)
