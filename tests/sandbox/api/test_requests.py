"""The headers that the API requires of a request."""

import pytest

from github_sandbox import Hook, Sandbox, VirtualClock
from tests.sandbox.client import TOKEN, Client, deliveries, refusal


def test_a_request_without_a_user_agent_is_forbidden(client: Client, recorded_hook: Hook) -> None:
    response = client.get(deliveries(recorded_hook), headers={"User-Agent": ""})

    assert response.status_code == 403
    assert "User-Agent" in response.json()["message"]


@pytest.mark.parametrize(
    ("version", "status"), [("2022-11-28", 200), ("2026-03-10", 200), ("2020-01-01", 400)]
)
def test_only_a_known_version_of_the_api_is_accepted(
    client: Client, recorded_hook: Hook, version: str, status: int
) -> None:
    headers = {"X-GitHub-Api-Version": version}

    assert client.get(deliveries(recorded_hook), headers=headers).status_code == status


def test_an_old_server_refuses_a_newer_version_of_the_api(clock: VirtualClock) -> None:
    with Sandbox(clock=clock, api_versions=["2022-11-28"]) as github:
        github.token(TOKEN)
        client = Client(github)

        refused = client.get("/rate_limit", headers={"X-GitHub-Api-Version": "2026-03-10"})

        assert client.get("/rate_limit").status_code == 200
    assert refusal(refused) == (400, "Bad Request")
    assert '"2026-03-10", is not a supported version' in refused.json()["errors"]
    assert refused.json()["errors"].endswith('currently supported: "2022-11-28" (most recent).')
