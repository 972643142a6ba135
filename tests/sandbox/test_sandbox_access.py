"""Who may do what, and how GitHub says no."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest
import requests

from github_sandbox import Hook, Meanwhile, Sandbox, Status, VirtualClock

from .client import TOKEN, Client, deliveries, refusal

VARIABLES = "/repos/acme/ops/actions/variables"


@pytest.fixture(autouse=True)
def ops(github: Sandbox) -> None:
    github.repository("acme/ops").variables["A"] = "1"


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer wrong", "token wrong", "Basic t0k3n", "t0k3n"],
)
def test_bad_credentials(client: Client, bookkeeping: Hook, authorization: str) -> None:
    response = client.get(deliveries(bookkeeping), headers={"Authorization": authorization})

    assert response.status_code == 401
    assert response.json()["message"] == "Bad credentials"
    assert response.json()["status"] == "401"
    assert response.json()["documentation_url"].startswith("https://docs.github.com/rest")


@pytest.mark.parametrize("scheme", ["token", "Bearer", "bearer"])
def test_a_token_is_taken_with_either_scheme(
    client: Client, bookkeeping: Hook, scheme: str
) -> None:
    headers = {"Authorization": f"{scheme} t0k3n"}

    assert client.get(deliveries(bookkeeping), headers=headers).status_code == 200


def test_a_fine_grained_token_needs_the_permission(github: Sandbox, bookkeeping: Hook) -> None:
    github.token("none")
    client = Client(github, "none")

    def refused(response: requests.Response) -> str:
        assert response.status_code == 403
        assert response.json()["message"] == "Resource not accessible by personal access token"
        return response.headers["X-Accepted-GitHub-Permissions"]

    delivery = bookkeeping.record()
    one = f"{deliveries(bookkeeping)}/{delivery}"
    assert refused(client.get("/orgs/acme/hooks")) == "organization_hooks=read"
    assert refused(client.get(deliveries(bookkeeping))) == "organization_hooks=read"
    assert refused(client.get(one)) == "organization_hooks=read"
    assert refused(client.redeliver(bookkeeping, delivery)) == "organization_hooks=write"
    assert refused(client.get(VARIABLES)) == "actions_variables=read"
    assert refused(client.get(f"{VARIABLES}/A")) == "actions_variables=read"
    assert refused(client.post(VARIABLES)) == "actions_variables=write"
    assert refused(client.patch(f"{VARIABLES}/A")) == "actions_variables=write"


def test_a_token_that_may_read_may_not_write(github: Sandbox, bookkeeping: Hook) -> None:
    github.token("reader", organization_hooks="read", actions_variables="read")
    client = Client(github, "reader")

    assert client.get(deliveries(bookkeeping)).status_code == 200
    assert client.get(f"{VARIABLES}/A").status_code == 200
    response = client.redeliver(bookkeeping, bookkeeping.record())
    assert response.status_code == 403
    assert response.headers["X-Accepted-GitHub-Permissions"] == "organization_hooks=write"
    assert client.patch(f"{VARIABLES}/A", json={"value": "2"}).status_code == 403
    assert len(bookkeeping.log) == 1


def test_a_classic_token_with_the_scopes(github: Sandbox, bookkeeping: Hook) -> None:
    github.token("ghp_x", scopes={"admin:org_hook", "repo"})
    client = Client(github, "ghp_x")

    assert client.redeliver(bookkeeping, bookkeeping.record()).status_code == 202
    assert client.patch(f"{VARIABLES}/A", json={"value": "2"}).status_code == 204
    github.settle()


@pytest.mark.parametrize(
    ("path", "scope"), [("/orgs/acme/hooks", "admin:org_hook"), (VARIABLES, "repo")]
)
def test_a_classic_token_without_the_scope_sees_nothing(
    github: Sandbox, bookkeeping: Hook, path: str, scope: str
) -> None:
    assert bookkeeping.org == "acme"
    github.token("ghp_x", scopes={"read:org", "gist"})

    response = Client(github, "ghp_x").get(path)

    assert (response.status_code, response.json()["message"]) == (404, "Not Found")
    assert response.headers["X-OAuth-Scopes"] == "gist, read:org"
    assert response.headers["X-Accepted-OAuth-Scopes"] == scope


def test_a_token_is_fine_grained_or_classic(github: Sandbox) -> None:
    with pytest.raises(ValueError, match="either permissions or scopes"):
        github.token("both", organization_hooks="read", scopes={"repo"})


@pytest.mark.parametrize("path", ["/orgs/acme/hooks", VARIABLES])
def test_a_token_not_authorized_for_single_sign_on(
    github: Sandbox, bookkeeping: Hook, path: str
) -> None:
    assert bookkeeping.org == "acme"
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


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "/orgs/nobody/hooks", id="organization"),
        pytest.param("GET", "/orgs/acme/hooks/1", id="hook"),
        pytest.param("GET", "/orgs/acme/hooks/1/deliveries", id="hook's log"),
        pytest.param("POST", "/orgs/acme/hooks/1/deliveries/1/attempts", id="hook's delivery"),
        pytest.param("GET", "/orgs/acme/hooks/all", id="no number"),
        pytest.param("GET", "/", id="no such path"),
        pytest.param("DELETE", "/orgs/acme/hooks", id="no such method"),
        pytest.param("HEAD", "/orgs/acme/hooks", id="no head"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "/api/v3"])
def test_what_is_not_found(
    client: Client, bookkeeping: Hook, method: str, path: str, prefix: str
) -> None:
    assert bookkeeping.org == "acme"

    response = replace(client, prefix=prefix).ask(method, path)

    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    if method != "HEAD":
        assert response.json()["message"] == "Not Found"


def test_organizations_are_the_same_in_any_case(client: Client, bookkeeping: Hook) -> None:
    assert client.get(f"/orgs/ACME/hooks/{bookkeeping.id}").status_code == 200
    assert client.github.org("Acme").hook("http://127.0.0.1:9").org == "acme"


def test_the_api_is_also_where_enterprise_server_has_it(client: Client, hook: Hook) -> None:
    enterprise = replace(client, prefix="/api/v3")

    assert enterprise.redeliver(hook, hook.record()).status_code == 202
    client.github.settle()
    assert enterprise.get(deliveries(hook)).json() == client.get(deliveries(hook)).json()
    shown = enterprise.get(f"/orgs/acme/hooks/{hook.id}").json()
    assert shown["url"] == f"{client.github.url}/api/v3/orgs/acme/hooks/{hook.id}"
    assert client.github.requests[0].path == f"{deliveries(hook)}/{hook.log[-1]['id']}/attempts"


def test_every_answer_has_the_headers_of_github(
    client: Client, bookkeeping: Hook, clock: VirtualClock
) -> None:
    for response in (
        client.get(deliveries(bookkeeping)),
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
        used, left = headers["x-ratelimit-used"], headers["x-ratelimit-remaining"]
        assert int(used) + int(left) == 5000
        assert parsedate_to_datetime(headers["Date"]) == clock()


def test_a_request_costs_one_of_the_limit_all_tokens_share(
    client: Client, bookkeeping: Hook
) -> None:
    client.github.token("another", organization_hooks="read")

    first = client.get(deliveries(bookkeeping))
    second = Client(client.github, "another").get(deliveries(bookkeeping))

    assert first.headers["x-ratelimit-remaining"] == "4999"
    assert second.headers["x-ratelimit-remaining"] == "4998"
    assert second.headers["x-ratelimit-used"] == "2"


def test_when_the_limit_is_spent_nothing_is_done_until_the_reset(
    client: Client, bookkeeping: Hook, clock: VirtualClock
) -> None:
    client.github.rate_limit(remaining=1, reset_in=60)
    delivery = bookkeeping.record()

    assert client.get(deliveries(bookkeeping)).status_code == 200
    refused = client.redeliver(bookkeeping, delivery)
    client.github.settle()

    assert refused.status_code == 403
    assert refused.json()["message"] == "API rate limit exceeded for user ID 1."
    assert refused.headers["x-ratelimit-remaining"] == "0"
    reset = clock() + timedelta(seconds=60)
    assert refused.headers["x-ratelimit-reset"] == str(int(reset.timestamp()))
    assert len(bookkeeping.log) == 1

    clock.advance(timedelta(seconds=60))
    again = client.get(deliveries(bookkeeping))

    assert again.status_code == 200
    assert again.headers["x-ratelimit-remaining"] == "4999"


def test_whoever_waits_until_the_reset_is_not_too_early(
    client: Client, bookkeeping: Hook, clock: VirtualClock
) -> None:
    clock.advance(timedelta(milliseconds=250))
    client.github.rate_limit(remaining=0, reset_in=60)
    reset = int(client.get(deliveries(bookkeeping)).headers["x-ratelimit-reset"])

    clock.advance(datetime.fromtimestamp(reset, UTC) - clock())

    assert client.get(deliveries(bookkeeping)).status_code == 200


def test_after_hours_the_reset_is_never_in_the_past(
    client: Client, bookkeeping: Hook, clock: VirtualClock
) -> None:
    client.get(deliveries(bookkeeping))
    client.github.inject(Status(502))
    clock.advance(timedelta(hours=5))

    headers = client.get(deliveries(bookkeeping)).headers

    assert headers["x-ratelimit-remaining"] == "5000"
    assert int(headers["x-ratelimit-reset"]) > clock().timestamp()


def test_a_clock_may_move_in_the_middle_of_a_request(
    client: Client, bookkeeping: Hook, clock: VirtualClock
) -> None:
    def five_hours_pass() -> None:
        clock.advance(timedelta(hours=5))

    client.github.rate_limit(remaining=0, reset_in=60)
    client.github.inject(Meanwhile(five_hours_pass))

    response = client.get(deliveries(bookkeeping))

    assert response.status_code == 200
    assert parsedate_to_datetime(response.headers["Date"]) == clock()


@pytest.mark.parametrize("prefix", ["", "/api/v3"])
def test_to_ask_for_the_rate_limit_costs_nothing(client: Client, prefix: str) -> None:
    client.github.rate_limit(remaining=1, reset_in=60)
    client.get("/orgs/acme/hooks")

    for _ in range(2):
        response = replace(client, prefix=prefix).get("/rate_limit")

        reset = int(response.headers["x-ratelimit-reset"])
        rate = {"limit": 5000, "used": 5000, "remaining": 0, "reset": reset}
        assert response.status_code == 200
        assert response.json()["rate"] == response.json()["resources"]["core"] == rate


def test_the_rate_limit_is_as_good_as_new_after_the_reset(
    client: Client, clock: VirtualClock
) -> None:
    client.github.rate_limit(remaining=0, reset_in=60)
    clock.advance(timedelta(hours=3))

    rate = client.get("/rate_limit").json()["rate"]

    in_an_hour = int((clock() + timedelta(hours=1)).timestamp())
    assert rate == {"limit": 5000, "used": 0, "remaining": 5000, "reset": in_an_hour}


def test_the_rate_limit_is_for_those_who_have_a_token(client: Client) -> None:
    assert replace(client, token="wrong").get("/rate_limit").status_code == 401


def test_a_request_without_a_user_agent_is_forbidden(client: Client, bookkeeping: Hook) -> None:
    response = client.get(deliveries(bookkeeping), headers={"User-Agent": ""})

    assert response.status_code == 403
    assert "User-Agent" in response.json()["message"]


@pytest.mark.parametrize(
    ("version", "status"), [("2022-11-28", 200), ("2026-03-10", 200), ("2020-01-01", 400)]
)
def test_the_version_of_the_api(
    client: Client, bookkeeping: Hook, version: str, status: int
) -> None:
    headers = {"X-GitHub-Api-Version": version}

    assert client.get(deliveries(bookkeeping), headers=headers).status_code == status


def test_an_older_server_knows_no_version_that_is_newer_than_itself(clock: VirtualClock) -> None:
    with Sandbox(clock=clock, api_versions=["2022-11-28"]) as github:
        github.token(TOKEN)
        client = Client(github)

        refused = client.get("/rate_limit", headers={"X-GitHub-Api-Version": "2026-03-10"})

        assert client.get("/rate_limit").status_code == 200
    assert refusal(refused) == (400, "Bad Request")
    assert '"2026-03-10", is not a supported version' in refused.json()["errors"]
    assert refused.json()["errors"].endswith('currently supported: "2022-11-28" (most recent).')


def test_a_newer_version_does_not_say_the_rate_limit_twice(client: Client) -> None:
    response = client.get("/rate_limit", headers={"X-GitHub-Api-Version": "2026-03-10"})

    assert response.json().keys() == {"resources"}
