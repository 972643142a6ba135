"""Responses have the headers of api.github.com."""

import re

import pytest

from github_sandbox import Hook, Installation, Status, VirtualClock
from tests.sandbox.client import VARIABLES, Client, deliveries, installation_client

CONSTANT = {
    "access-control-allow-origin": "*",
    "content-security-policy": "default-src 'none'",
    "content-type": "application/json; charset=utf-8",
    "referrer-policy": "origin-when-cross-origin, strict-origin-when-cross-origin",
    "server": "github.com",
    "strict-transport-security": "max-age=31536000; includeSubdomains; preload",
    "x-content-type-options": "nosniff",
    "x-frame-options": "deny",
    "x-github-edge-region": "fra",
    "x-github-api-version-selected": "2022-11-28",
    "x-github-media-type": "github.v3; format=json",
    "x-ratelimit-resource": "core",
    "x-xss-protection": "0",
}
VARIES = "Accept-Encoding, Accept, X-Requested-With"


def test_every_response_has_the_constant_headers(client: Client, recorded_hook: Hook) -> None:
    client.github.inject(Status(502), nth=4)
    responses = [
        client.get(deliveries(recorded_hook)),
        client.redeliver(recorded_hook, 7),
        Client(client.github, token=None).get(VARIABLES),
        client.get("/rate_limit"),
    ]

    assert [response.status_code for response in responses] == [200, 404, 401, 502]
    for response in responses:
        assert CONSTANT.items() <= {k.lower(): v for k, v in response.headers.items()}.items()
        assert (
            "X-OAuth-Scopes, X-Accepted-OAuth-Scopes"
            in (response.headers["Access-Control-Expose-Headers"])
        )


def test_every_response_has_an_id_of_its_own(client: Client, clock: VirtualClock) -> None:
    """It ends with the time in seconds since 1970, as a hexadecimal number."""
    ids = {client.get("/nowhere").headers["x-github-request-id"] for _ in range(3)}

    assert len(ids) == 3
    for request_id in ids:
        assert re.fullmatch("[0-9A-F]+(:[0-9A-F]+){4}", request_id)
        assert int(request_id.rpartition(":")[2], 16) == int(clock().timestamp())


@pytest.mark.parametrize(
    ("sent", "selected"),
    [("2022-11-28", "2022-11-28"), ("2026-03-10", "2026-03-10"), ("2030-01-01", "2022-11-28")],
)
def test_a_response_names_the_version_of_the_api(client: Client, sent: str, selected: str) -> None:
    response = client.get("/rate_limit", headers={"X-GitHub-Api-Version": sent})

    assert response.headers["x-github-api-version-selected"] == selected


def test_an_object_may_be_kept_in_a_private_cache(client: Client, recorded_hook: Hook) -> None:
    headers = client.get(deliveries(recorded_hook)).headers

    assert headers["Cache-Control"] == "private, max-age=60, s-maxage=60"
    assert headers["Vary"] == f"Accept, Authorization, Cookie, X-GitHub-OTP,{VARIES}"


def test_a_response_to_an_app_may_be_kept_in_a_public_cache(as_app: Client) -> None:
    headers = as_app.get("/app").headers

    assert headers["Cache-Control"] == "public, max-age=60, s-maxage=60"
    assert headers["Vary"] == f"Accept,{VARIES}"


def test_equal_objects_have_the_same_etag(client: Client, recorded_hook: Hook) -> None:
    etags = []
    for _ in range(2):
        recorded_hook.record()
        etags += [client.get(deliveries(recorded_hook)).headers["ETag"] for _ in range(2)]

    assert re.fullmatch('W/"[0-9a-f]{64}"', etags[0])
    assert etags[0] == etags[1] != etags[2] == etags[3]


def test_a_response_without_an_object_has_no_cache_headers(client: Client, hook: Hook) -> None:
    client.github.repository("acme/ops").variables["A"] = "1"
    responses = [
        client.redeliver(hook, hook.record()),
        client.patch(f"{VARIABLES}/A", json={"value": "2"}),
        client.get("/nowhere"),
        client.post(VARIABLES, json={"name": "A", "value": "1"}),
    ]
    client.github.settle()

    assert [response.status_code for response in responses] == [202, 204, 404, 409]
    for response in responses:
        assert response.headers["Vary"] == VARIES
        assert not {"Cache-Control", "ETag"} & response.headers.keys()


def test_a_response_to_a_classic_token_names_scopes(client: Client, recorded_hook: Hook) -> None:
    """It names the token's scopes, and those of which one is enough. It names no permissions."""
    github = client.github
    github.token("ghp_x", scopes={"read:org", "admin:org_hook"})
    classic = Client(github, "ghp_x")
    github.inject(Status(502), nth=5)
    path = deliveries(recorded_hook)

    responses = [classic.get(each) for each in (path, "/repos/acme/shop/hooks", VARIABLES)]
    responses += [classic.get(each) for each in ("/rate_limit", path)]

    assert [response.status_code for response in responses] == [200, 404, 404, 200, 502]
    assert {response.headers["X-OAuth-Scopes"] for response in responses} == {
        "admin:org_hook, read:org"
    }
    assert [response.headers["X-Accepted-OAuth-Scopes"] for response in responses] == [
        "admin:org_hook",
        "admin:repo_hook, read:repo_hook, repo, write:repo_hook",
        "repo",
        "",
        "",
    ]
    assert not any("x-accepted-github-permissions" in response.headers for response in responses)


def test_a_response_to_a_fine_grained_token_names_a_permission(client: Client, hook: Hook) -> None:
    """It is the one that the endpoint needs, even if what it shows does not exist."""
    responses = [
        client.get("/orgs/nobody/hooks"),
        client.get(deliveries(hook)),
        client.redeliver(hook, hook.record()),
        client.get(f"{VARIABLES}/NO"),
    ]
    client.github.settle()

    assert [response.status_code for response in responses] == [404, 200, 202, 404]
    assert [response.headers["x-accepted-github-permissions"] for response in responses] == [
        "organization_hooks=read",
        "organization_hooks=read",
        "organization_hooks=write",
        "actions_variables=read",
    ]
    assert not any("X-OAuth-Scopes" in response.headers for response in responses)


def test_a_response_to_an_installation_token_names_a_permission(
    as_app: Client, acme: Installation
) -> None:
    headers = installation_client(as_app, acme).get(VARIABLES).headers

    assert headers["x-accepted-github-permissions"] == "actions_variables=read"
    assert "X-OAuth-Scopes" not in headers


@pytest.mark.parametrize("path", ["/rate_limit", "/nowhere"])
def test_an_endpoint_without_a_permission_names_none(client: Client, path: str) -> None:
    assert "x-accepted-github-permissions" not in client.get(path).headers


def test_a_response_to_an_unknown_token_names_neither(client: Client, hook: Hook) -> None:
    headers = Client(client.github, "unknown").get(deliveries(hook)).headers

    assert not {"X-OAuth-Scopes", "x-accepted-github-permissions"} & headers.keys()
