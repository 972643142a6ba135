"""The API authenticates a token, and checks its permissions or scopes."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
import requests

from github_sandbox import Hook, Sandbox, Status, VirtualClock
from tests.sandbox.client import VARIABLES, Client, deliveries

EXPIRATION = "github-authentication-token-expiration"


@pytest.fixture(autouse=True)
def _variable(github: Sandbox) -> None:
    github.repository("acme/ops").variables["A"] = "1"


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer wrong", "token wrong", "Basic t0k3n", "t0k3n"],
)
def test_bad_credentials_are_refused(
    client: Client, recorded_hook: Hook, authorization: str
) -> None:
    response = client.get(deliveries(recorded_hook), headers={"Authorization": authorization})

    assert response.status_code == 401
    assert response.json()["message"] == "Bad credentials"
    assert response.json()["status"] == "401"
    assert response.json()["documentation_url"].startswith("https://docs.github.com/rest")


@pytest.mark.parametrize("scheme", ["token", "Bearer", "bearer"])
def test_a_token_is_accepted_with_either_scheme(
    client: Client, recorded_hook: Hook, scheme: str
) -> None:
    headers = {"Authorization": f"{scheme} t0k3n"}

    assert client.get(deliveries(recorded_hook), headers=headers).status_code == 200


def test_a_fine_grained_token_needs_the_permission(github: Sandbox, recorded_hook: Hook) -> None:
    github.token("none")
    client = Client(github, "none")

    def refused(response: requests.Response) -> str:
        assert response.status_code == 403
        assert response.json()["message"] == "Resource not accessible by personal access token"
        return response.headers["X-Accepted-GitHub-Permissions"]

    delivery = recorded_hook.record()
    path = f"{deliveries(recorded_hook)}/{delivery}"
    assert refused(client.get("/orgs/acme/hooks")) == "organization_hooks=read"
    assert refused(client.get(deliveries(recorded_hook))) == "organization_hooks=read"
    assert refused(client.get(path)) == "organization_hooks=read"
    assert refused(client.redeliver(recorded_hook, delivery)) == "organization_hooks=write"
    assert refused(client.get(VARIABLES)) == "actions_variables=read"
    assert refused(client.get(f"{VARIABLES}/A")) == "actions_variables=read"
    assert refused(client.post(VARIABLES)) == "actions_variables=write"
    assert refused(client.patch(f"{VARIABLES}/A")) == "actions_variables=write"


def test_a_token_with_read_access_cannot_write(github: Sandbox, recorded_hook: Hook) -> None:
    github.token("reader", organization_hooks="read", actions_variables="read")
    client = Client(github, "reader")

    assert client.get(deliveries(recorded_hook)).status_code == 200
    assert client.get(f"{VARIABLES}/A").status_code == 200
    response = client.redeliver(recorded_hook, recorded_hook.record())
    assert response.status_code == 403
    assert response.headers["X-Accepted-GitHub-Permissions"] == "organization_hooks=write"
    assert client.patch(f"{VARIABLES}/A", json={"value": "2"}).status_code == 403
    assert len(recorded_hook.log) == 1


def test_a_classic_token_with_the_scopes_can_read_and_write(
    github: Sandbox, recorded_hook: Hook
) -> None:
    github.token("ghp_x", scopes={"admin:org_hook", "repo"})
    client = Client(github, "ghp_x")

    assert client.redeliver(recorded_hook, recorded_hook.record()).status_code == 202
    assert client.patch(f"{VARIABLES}/A", json={"value": "2"}).status_code == 204
    github.settle()


@pytest.mark.parametrize(
    ("path", "scope"), [("/orgs/acme/hooks", "admin:org_hook"), (VARIABLES, "repo")]
)
def test_a_classic_token_without_the_scope_gets_404(
    github: Sandbox, recorded_hook: Hook, path: str, scope: str
) -> None:
    assert recorded_hook.org == "acme"
    github.token("ghp_x", scopes={"read:org", "gist"})

    response = Client(github, "ghp_x").get(path)

    assert (response.status_code, response.json()["message"]) == (404, "Not Found")
    assert response.headers["X-OAuth-Scopes"] == "gist, read:org"
    assert response.headers["X-Accepted-OAuth-Scopes"] == scope


def test_a_token_is_fine_grained_or_classic(github: Sandbox) -> None:
    with pytest.raises(ValueError, match="either permissions or scopes"):
        github.token("both", organization_hooks="read", scopes={"repo"})


@pytest.mark.parametrize("path", ["/orgs/acme/hooks", VARIABLES])
def test_a_token_without_single_sign_on_is_refused(
    github: Sandbox, recorded_hook: Hook, path: str
) -> None:
    assert recorded_hook.org == "acme"
    github.token("sso", organization_hooks="write", actions_variables="write", sso=True)

    response = Client(github, "sso").get(path)

    assert response.status_code == 403
    assert response.json()["message"] == (
        "Resource protected by organization SAML enforcement. You must grant your "
        "Personal Access token access to this organization."
    )
    assert response.headers["X-GitHub-SSO"] == (
        "required; url=https://github.com/orgs/acme/sso?authorization_request=abc"
    )


def test_every_response_says_when_the_token_expires(github: Sandbox, recorded_hook: Hook) -> None:
    github.token(
        "ghp_x", scopes={"admin:org_hook"}, expires_at=datetime(2026, 2, 4, 16, tzinfo=UTC)
    )
    client = Client(github, "ghp_x")
    github.inject(Status(502), nth=3)

    responses = [
        client.get(path) for path in (deliveries(recorded_hook), "/nowhere", "/rate_limit")
    ]

    assert [response.status_code for response in responses] == [200, 404, 502]
    for response in responses:
        assert response.headers[EXPIRATION] == "2026-02-04 16:00:00 UTC"


@pytest.mark.parametrize(("hours", "offset"), [(1, "+0100"), (-5, "-0500")])
def test_the_expiration_can_have_an_offset(github: Sandbox, hours: int, offset: str) -> None:
    end = datetime(2026, 2, 4, 17, 42, 10, tzinfo=timezone(timedelta(hours=hours)))
    github.token("ghp_x", expires_at=end)

    headers = Client(github, "ghp_x").get("/rate_limit").headers

    assert headers[EXPIRATION] == f"2026-02-04 17:42:10 {offset}"


def test_an_expired_token_is_refused(github: Sandbox, clock: VirtualClock) -> None:
    github.token("ghp_x", expires_at=clock() + timedelta(hours=1))
    client = Client(github, "ghp_x")

    clock.advance(timedelta(minutes=59, seconds=59))
    assert client.get("/rate_limit").status_code == 200
    clock.advance(timedelta(seconds=1))
    response = client.get("/rate_limit")

    assert (response.status_code, response.json()["message"]) == (401, "Bad credentials")
    assert EXPIRATION not in response.headers


def test_a_token_without_an_end_has_no_expiration(client: Client) -> None:
    assert EXPIRATION not in client.get("/rate_limit").headers


def test_an_end_without_a_time_zone_is_refused(github: Sandbox, clock: VirtualClock) -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        github.token("ghp_x", expires_at=clock().replace(tzinfo=None))
