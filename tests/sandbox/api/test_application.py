"""Unknown paths, headers of every response, and the endpoint of the rate limit."""

from dataclasses import replace
from email.utils import parsedate_to_datetime

import pytest

from github_sandbox import Hook, Sandbox, Status, VirtualClock
from tests.sandbox.client import TOKEN, Client, deliveries


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "/orgs/nobody/hooks", id="organization"),
        pytest.param("GET", "/orgs/acme/hooks/1", id="hook"),
        pytest.param("GET", "/orgs/acme/hooks/1/deliveries", id="hook's log"),
        pytest.param("POST", "/orgs/acme/hooks/1/deliveries/1/attempts", id="hook's delivery"),
        pytest.param("GET", "/orgs/acme/hooks/all", id="hook id that is no number"),
        pytest.param("GET", "/", id="path"),
        pytest.param("DELETE", "/orgs/acme/hooks", id="method"),
        pytest.param("HEAD", "/orgs/acme/hooks", id="method HEAD"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "/api/v3"])
def test_an_unknown_path_or_method_is_not_found(
    client: Client, recorded_hook: Hook, method: str, path: str, prefix: str
) -> None:
    assert recorded_hook.org == "acme"

    response = replace(client, prefix=prefix).request(method, path)

    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    if method != "HEAD":
        assert response.json()["message"] == "Not Found"


def test_the_api_also_has_the_prefix_of_enterprise_server(client: Client, hook: Hook) -> None:
    enterprise = replace(client, prefix="/api/v3")

    assert enterprise.redeliver(hook, hook.record()).status_code == 202
    client.github.settle()
    assert enterprise.get(deliveries(hook)).json() == client.get(deliveries(hook)).json()
    shown = enterprise.get(f"/orgs/acme/hooks/{hook.id}").json()
    assert shown["url"] == f"{client.github.url}/api/v3/orgs/acme/hooks/{hook.id}"
    assert client.github.requests[0].path == f"{deliveries(hook)}/{hook.log[-1]['id']}/attempts"


def test_every_response_has_the_headers_of_github(
    client: Client, recorded_hook: Hook, clock: VirtualClock
) -> None:
    for response in (
        client.get(deliveries(recorded_hook)),
        client.get("/nowhere"),
        replace(client, token=None).get("/orgs/acme/hooks"),
    ):
        headers = response.headers
        assert headers["Content-Type"] == "application/json; charset=utf-8"
        assert headers["X-GitHub-Media-Type"] == "github.v3; format=json"
        assert headers["x-github-request-id"]
        assert headers["x-ratelimit-limit"] == "5000"
        assert headers["x-ratelimit-resource"] == "core"
        assert int(headers["x-ratelimit-reset"]) > clock().timestamp()
        used, remaining = headers["x-ratelimit-used"], headers["x-ratelimit-remaining"]
        assert int(used) + int(remaining) == 5000
        assert parsedate_to_datetime(headers["Date"]) == clock()


@pytest.mark.parametrize("rate_limits", [True, False])
def test_every_response_of_enterprise_server_has_its_version(*, rate_limits: bool) -> None:
    with Sandbox(enterprise_version="3.19.0", rate_limits=rate_limits) as github:
        github.token(TOKEN, organization_hooks="read")
        hook = github.org("acme").hook("http://127.0.0.1:9/hook")
        client = Client(github, prefix="/api/v3")
        github.inject(Status(502), nth=4)
        responses = [
            client.get(deliveries(hook)),
            client.get("/nowhere"),
            replace(client, token=None).get(deliveries(hook)),
            client.get(deliveries(hook)),
        ]

    assert [response.status_code for response in responses] == [200, 404, 401, 502]
    for response in responses:
        assert response.headers["x-github-enterprise-version"] == "3.19.0"
        assert "x-github-edge-region" not in response.headers
        assert ("x-ratelimit-limit" in response.headers) == rate_limits


def test_a_response_has_no_version_of_the_server_by_default(client: Client) -> None:
    assert "x-github-enterprise-version" not in client.get("/api/v3/rate_limit").headers


def test_the_rate_limit_is_not_shown_without_a_token(client: Client) -> None:
    assert replace(client, token="wrong").get("/rate_limit").status_code == 401


def test_a_newer_api_version_shows_the_rate_limit_once(client: Client) -> None:
    response = client.get("/rate_limit", headers={"X-GitHub-Api-Version": "2026-03-10"})

    assert response.json().keys() == {"resources"}
